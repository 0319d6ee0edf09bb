//! What the indicator store costs.
//!
//! All on one core, in the time that the processor spent on it. The indicators are those of [`crate::indicators::objects`] (40 % addresses and networks, 40 % digests,
//! 15 % domains and URLs, 5 % compound), the alerts those of [`crate::alerts::short`] (about 800 bytes each, every
//! hundredth of which has an address of an indicator in it).
//!
//! - *built*: from objects in memory to the bytes of the file.
//! - *opened*: `FileStore::open` on a file in the page cache.
//! - *added and visible*: from a builder with one indicator until a matcher finds it in an alert, in a store of a million.
//! - *alerts/s*: texts in memory to matches, everything included: reading the JSON, normal forms, look-ups, compound
//!   patterns, metadata of what was found.
//! - *look-ups/s*: texts of one field to handles, half of them known; reading and normal form included.

use std::hint::black_box;
use std::io::{self, Write};
use std::time::Duration;

use alert_enricher::indicator::{Key, Kind};
use alert_enricher::store::{Builder, FileStore, MatchOptions, Matcher, Snapshot, Store, Validity, Worthless};
use stix_model::Object;
use wazuh_query::catalogue::{Catalogue, Holds};

use crate::measure::{Rate, processor_rate as rate, processor_time};
use crate::numbers::Numbers;
use crate::table::{Table, thousands};
use crate::{alerts, indicators};

const MILLION: usize = 1_000_000;

/// Prints the figures of the store.
pub fn figures(table: &mut Table<impl Write>) -> io::Result<()> {
    let objects: Vec<Object> = indicators::objects(MILLION).collect();
    let mut bytes = Vec::new();
    let mut skipped = 0;
    let built = rate(1, Duration::ZERO, || {
        let mut builder = Builder::default();
        for object in &objects {
            builder.object(object);
        }
        if let Ok(built) = builder.finish() {
            skipped = built.skipped().len();
            bytes = built.into_bytes();
        }
    });
    drop(objects);
    table.below("store: s to build a million", 1.0 / built.best, &seconds(built), 3.0, "s")?;
    if skipped > 0 {
        table.note(&format!("{skipped} skipped"))?;
    }
    let length = u32::try_from(bytes.len()).map_or(f64::MAX, f64::from);
    table.below("store: MB of a million", length / 1e6, "", 100.0, "MB")?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("figures.store");
    std::fs::write(&path, &bytes)?;
    let store = Store::open(bytes).map_err(io::Error::other)?;
    opening(table, &path)?;
    adding(table, &store)?;
    matching(table, &store)?;
    look_ups(table)
}

fn seconds(rate: Rate) -> String {
    format!("{:.2}", 1.0 / rate.median)
}

fn opening(table: &mut Table<impl Write>, path: &std::path::Path) -> io::Result<()> {
    let mut failed = None;
    let opened = rate(1, Duration::from_millis(400), || match FileStore::open(path) {
        Ok(store) => drop(black_box(store)),
        Err(error) => failed = Some(error.to_string()),
    });
    let verified = rate(1, Duration::from_millis(400), || match FileStore::open(path) {
        Ok(store) => drop(black_box(store.store().snapshot().verify())),
        Err(error) => failed = Some(error.to_string()),
    });
    let millis = |rate: f64| 1e3 / rate;
    table.below(
        "store: ms to open a million",
        millis(opened.best),
        &format!("{:.2}", millis(opened.median)),
        20.0,
        "ms",
    )?;
    let (best, median) = (millis(verified.best), millis(verified.median));
    table.row("store: ms to open and verify every byte", &format!("{best:.1}"), &format!("{median:.1}"), "", "")?;
    failed.map_or(Ok(()), |error| table.note(&error))
}

fn adding(table: &mut Table<impl Write>, store: &Store) -> io::Result<()> {
    let mut matcher = Matcher::new(&store.snapshot(), &Catalogue::builtin(), MatchOptions::default());
    let mut times = Vec::new();
    let mut numbers = Numbers::new(29);
    for _ in 0..2_000 {
        let address = numbers.address();
        let alert = format!(r#"{{"rule":{{"id":"1"}},"data":{{"srcip":"{address}"}}}}"#);
        let mut found = false;
        let time = processor_time(|| {
            let mut builder = store.builder(Worthless::default());
            builder.line(&address);
            let added = store.add(builder).is_ok();
            matcher.refresh(store);
            found = added && matcher.matches(&alert).is_ok_and(|found| !found.is_empty());
        });
        times.push(time * 1e3);
        if !found {
            return table.note("what was added was not found");
        }
    }
    times.sort_by(f64::total_cmp);
    let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
    table.below("store: ms until one added is visible, worst", worst, &format!("{median:.3}"), 10.0, "ms")
}

fn matching(table: &mut Table<impl Write>, store: &Store) -> io::Result<()> {
    let known: Vec<String> = addresses(&store.snapshot()).take(5_000).collect();
    let alerts = alerts::short(100_000, &known);
    let bytes: usize = alerts.iter().map(String::len).sum();
    let catalogue = Catalogue::builtin();
    let options = MatchOptions { sub_domains: true, ..MatchOptions::default() };
    let measure = |store: &Store| {
        let mut matcher = Matcher::new(&store.snapshot(), &catalogue, options.clone());
        let mut found = 0;
        let rate = rate(alerts.len(), Duration::from_secs(3), || {
            found = 0;
            for alert in &alerts {
                found += matcher.matches(alert).map_or(0, |matches| black_box(matches).len());
            }
        });
        (rate, found)
    };
    let small = indicators::mixed(1_000);
    let (few, few_found) = measure(&small);
    let (many, many_found) = measure(store);
    table.at_least("store: alerts/s, 1,000 indicators", few, None, 0)?;
    table.at_least("store: alerts/s, 1,000,000 indicators", many, Some(300_000_f64.max(few.best * 0.8)), 0)?;
    let length = bytes / alerts.len().max(1);
    table.note(&format!("{length} bytes each; {few_found} and {many_found} matches in {} alerts", alerts.len()))
}

/// Addresses of indicators.
fn addresses(snapshot: &Snapshot) -> impl Iterator<Item = String> {
    snapshot.keys().filter_map(|key| match key {
        Ok((_, key @ Key::Network(network))) if network.prefix_len() == 32 => Some(key.to_string()),
        _ => None,
    })
}

/// Texts of fields against stores of as many values of the same kind.
fn look_ups(table: &mut Table<impl Write>) -> io::Result<()> {
    const COUNT: usize = 200_000;
    let mut numbers = Numbers::new(31);
    let digests: Vec<String> = (0..COUNT).map(|_| numbers.hexadecimal(64)).collect();
    let domains: Vec<String> = (0..COUNT).map(|_| numbers.domain()).collect();
    let networks: Vec<String> =
        (0..COUNT).map(|_| format!("{}/{}", numbers.address(), 9 + numbers.below(23))).collect();
    let paths: Vec<String> = (0..COUNT).map(|_| path(&mut numbers)).collect();
    let sub = |numbers: &mut Numbers, name: &str| format!("{}.{}.{name}", numbers.word(5), numbers.word(3));
    let mut half = |known: &[String], change: &dyn Fn(&mut Numbers, &str) -> String| -> Vec<String> {
        (0..COUNT)
            .map(|place| {
                if place % 2 == 0 {
                    change(&mut numbers, &known[place])
                } else {
                    let other = numbers.word(9);
                    known[place].chars().rev().collect::<String>().replace(['c', 'e', '0'], &other[..1])
                }
            })
            .collect()
    };
    let digest_texts = half(&digests, &|_, text| text.to_owned());
    let domain_texts = half(&domains, &sub);
    let path_texts = half(&paths, &|_, text| text.to_owned());
    let address_texts: Vec<String> = {
        let mut numbers = Numbers::new(37);
        let inside = |network: &String| network.split('/').next().unwrap_or_default().to_owned();
        (0..COUNT).map(|place| if place % 2 == 0 { inside(&networks[place]) } else { numbers.address() }).collect()
    };
    let mut exact = None;
    for (name, kind, holds, values, texts, sub_domains) in [
        ("exact (SHA-256)", Kind::Sha256, Holds::AnyHash, &digests, &digest_texts, false),
        ("exact (domain)", Kind::Domain, Holds::Domain, &domains, &domains, false),
        ("sub-domain", Kind::Domain, Holds::Domain, &domains, &domain_texts, true),
        ("network", Kind::Address, Holds::Ip, &networks, &address_texts, false),
        ("path", Kind::File, Holds::FilePath, &paths, &path_texts, false),
    ] {
        let mut builder = Builder::default();
        for value in values {
            let keys: Vec<Key> = Key::new(kind, value).into_iter().collect();
            builder.indicator_of(&alert_enricher::indicator::Indicator::new(keys[0].identifier()), &keys);
        }
        let store = builder.finish().map_err(io::Error::other)?.into_store();
        let options = MatchOptions { sub_domains, validity: Validity::ANY, ..MatchOptions::default() };
        let matcher = Matcher::new(&store.snapshot(), &Catalogue::builtin(), options);
        let mut found = 0;
        let rate = rate(COUNT, Duration::from_millis(600), || {
            found = 0;
            for text in texts {
                let looked = matcher.field(holds, text, &mut |one, _| {
                    black_box(one);
                    found += 1;
                });
                black_box(looked.is_ok());
            }
        });
        let required = exact.map(|exact: f64| exact / 3.0);
        exact = exact.or(Some(rate.best));
        table.at_least(&format!("store: look-ups/s, {name}"), rate, required, 0)?;
        table.note(&format!("{} found", thousands(f64::from(found), 0)))?;
    }
    Ok(())
}

fn path(numbers: &mut Numbers) -> String {
    let folders = 1 + numbers.below(5);
    let mut path = "c:".to_owned();
    for _ in 0..folders {
        path.push('\\');
        path.push_str(&numbers.word(7));
    }
    match numbers.below(4) {
        0 => format!("{}.exe", numbers.word(8)),
        _ => format!("{path}\\{}.exe", numbers.word(8)),
    }
}
