//! The store against the simplest thing that answers the same question: every indicator compared by itself.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests fail by panicking, and say what they left out")]

mod naive;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use alert_enricher::indicator::{Key, Kind};
use alert_enricher::store::{Builder, MatchError, MatchOptions, Matcher, Store, Validity, Worthless};
use naive::Naive;
use proptest::prelude::*;
use stix_model::{Identifier, Object, Timestamp};
use wazuh_query::catalogue::Catalogue;

/// A stock of texts from which both indicators and alerts are made, so that they meet.
fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..4_u8, 0..4_u8).prop_map(|(a, b)| format!("203.0.113.{}", a * 64 + b)),
        (0..4_u8).prop_map(|a| format!("2001:db8::{a}")),
        (0..4_u8).prop_map(|a| format!("::ffff:203.0.113.{a}")),
    ]
}

fn network() -> impl Strategy<Value = String> {
    prop_oneof![
        (0..8_u8, 17..=32_u8).prop_map(|(a, length)| format!("203.0.113.{}/{length}", a * 32)),
        (0..4_u8, 33..=128_u8).prop_map(|(a, length)| format!("2001:db8::{a}/{length}")),
    ]
}

fn domain() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "evil.example",
        "www.evil.example",
        "a.b.www.evil.example",
        "EVIL.example",
        "notevil.example",
        "co.uk",
        "evil.co.uk",
        "x.evil.co.uk",
        "github.io",
        "evil.github.io",
        "bücher.example",
        "xn--bcher-kva.example",
        "web01",
    ])
    .prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec!["Tools", "tools", "nc.exe", "sub", "etc", "x", "b ar"]);
    let root = prop::sample::select(vec!["C:\\", "c:/", "/", "\\\\fs01\\", "", "\\??\\C:\\"]);
    (root, prop::collection::vec(part, 1..4), any::<bool>()).prop_map(|(root, parts, doubled)| {
        let separator = if root.contains('\\') { "\\" } else { "/" };
        let path = format!("{root}{}", parts.join(separator));
        if doubled { path.replace('\\', "\\\\") } else { path }
    })
}

fn registry_key() -> impl Strategy<Value = String> {
    let hive = prop::sample::select(vec![
        "HKLM",
        "HKEY_LOCAL_MACHINE",
        "HKCU",
        "HKU\\S-1-5-21-1-2-3-500",
        "HKU\\S-1-5-21-9-9-9-1001",
        "HKLM\\SOFTWARE\\Classes",
        "HKCR",
    ]);
    let rest = prop::sample::select(vec!["Software\\Acme", "software\\acme\\Run", "CLSID\\{1F4D}", "Software"]);
    (hive, rest).prop_map(|(hive, rest)| format!("{hive}\\{rest}"))
}

fn url() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(vec!["http", "HTTP", "https"]);
    let rest = prop::sample::select(vec!["", "/", "/a", "/A", "/a/#x", ":8080/a?b=c"]);
    (scheme, prop_oneof![domain(), address()], rest).prop_map(|(scheme, host, rest)| format!("{scheme}://{host}{rest}"))
}

fn digest() -> impl Strategy<Value = String> {
    (prop::sample::select(vec![32_usize, 40, 64, 128]), 1..6_u8, any::<bool>()).prop_map(|(length, digit, upper)| {
        let digits = format!("{digit}abcdef").repeat(length).chars().take(length).collect::<String>();
        if upper { digits.to_uppercase() } else { digits }
    })
}

fn other() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "kim",
        r"CORP\kim",
        "kim@corp.example",
        "Kim@Corp.Example",
        "S-1-5-21-1-2-3-500",
        "0a:1b:2c:3d:4e:5f",
        "0A-1B-2C-3D-4E-5F",
        "Mozilla/5.0 (evil)",
        "CVE-2024-3094",
        "AS64500",
        r"\Sessions\1\BaseNamedObjects\EvilMutex",
        "EvilMutex",
        "96:abc:def",
    ])
    .prop_map(str::to_owned)
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![address(), network(), domain(), path(), registry_key(), url(), digest(), other()]
}

/// An indicator with one to three values, whatever kind each text can be of.
fn indicator() -> impl Strategy<Value = (u128, Vec<Key>, Option<u64>, Option<u64>)> {
    let key = (any_text(), prop::sample::select(Kind::ALL.to_vec())).prop_filter_map("no value", |(text, kind)| {
        Key::new(kind, &text).or_else(|| alert_enricher::indicator::recognise(&text).ok())
    });
    (0..40_u128, prop::collection::vec(key, 1..4), prop::option::of(0..100_u64), prop::option::of(0..100_u64))
}

/// Fields of all kinds.
const FIELDS: &[&str] = &[
    "data.srcip",
    "data.dstip",
    "data.url",
    "data.dns.question.name",
    "data.hostname",
    "syscheck.path",
    "syscheck.sha256_after",
    "syscheck.md5_after",
    "syscheck.sha1_after",
    "data.win.eventdata.image",
    "data.win.eventdata.hashes",
    "data.win.eventdata.targetObject",
    "data.win.eventdata.queryResults",
    "data.win.eventdata.objectName",
    "data.win.eventdata.currentDirectory",
    "data.srcuser",
    "data.dstuser",
    "data.srcmac",
    "data.vulnerability.cve",
    "data.office365.UserId",
    "data.user_agent",
    "data.virustotal.source.md5",
];

fn alert() -> impl Strategy<Value = String> {
    let values = prop::collection::vec((prop::sample::select(FIELDS.to_vec()), any_text()), 1..6);
    (values, prop::option::of(0..120_u64)).prop_map(|(values, time)| {
        let mut alert = serde_json::json!({"rule": {"id": "1"}});
        if let Some(time) = time {
            alert["timestamp"] = moment(time).to_string().into();
        }
        for (path, text) in values {
            let mut place = &mut alert;
            for part in path.split('.') {
                place = &mut place[part];
            }
            *place = match path.rsplit('.').next() {
                Some("hashes") => format!("MD5={text},SHA256={text}"),
                Some("queryResults") => format!("type:  5 {text};{text};"),
                _ => text,
            }
            .into();
        }
        alert.to_string()
    })
}

fn moment(minutes: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH.saturating_add(std::time::Duration::from_secs(1_700_000_000 + minutes * 60))
}

type Given = (u128, Vec<Key>, Option<u64>, Option<u64>);

fn known((number, keys, from, until): &Given) -> (alert_enricher::indicator::Indicator, Vec<Key>) {
    let uuid = uuid::Uuid::from_u128(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    let object_type = if number % 3 == 0 { "domain-name" } else { "indicator" };
    let mut indicator = alert_enricher::indicator::Indicator::new(Identifier::new(object_type, uuid).unwrap());
    indicator.valid_from = from.map(moment);
    indicator.valid_until = until.map(moment);
    indicator.name = (number % 2 == 0).then(|| format!("number {number}").into());
    indicator.labels = if number % 5 == 0 { vec!["a".into(), "b".into()] } else { Vec::new() };
    indicator.score = (number % 4 == 1).then_some(60);
    (indicator, keys.clone())
}

fn options(sub_domains: bool, validity: Validity) -> MatchOptions {
    MatchOptions { sub_domains, validity, ..MatchOptions::default() }
}

/// What the store and the naive scan say about an alert, in the same order.
fn compare(store: &Store, naive: &Naive, alerts: &[String], options: &MatchOptions) {
    let catalogue = Catalogue::builtin();
    let mut matcher = Matcher::new(&store.snapshot(), &catalogue, options.clone());
    for alert in alerts {
        let mut found: Vec<_> = matcher
            .matches(alert)
            .unwrap()
            .into_iter()
            .map(|found| {
                let seen = (found.seen.field, found.seen.value.to_string());
                (found.indicator.id, seen.0, seen.1, found.comparison.to_string(), found.standing)
            })
            .collect();
        found.sort();
        assert_eq!(found, naive.matches(alert, &catalogue, options), "{alert}");
    }
}

#[derive(Clone, Debug)]
enum Change {
    Add(Vec<Given>),
    Remove(Vec<u128>),
    Compact,
    Reopen,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => prop::collection::vec(indicator(), 1..6).prop_map(Change::Add),
        3 => prop::collection::vec(0..40_u128, 1..4).prop_map(Change::Remove),
        1 => Just(Change::Compact),
        1 => Just(Change::Reopen),
    ]
}

fn add(store: &Store, naive: &mut Naive, given: &[Given]) {
    let mut builder = store.builder(Worthless::none());
    for one in given {
        let (indicator, keys) = known(one);
        builder.indicator_of(&indicator, &keys);
        naive.add(indicator, keys);
    }
    store.add(builder).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_same_answers(
        given in prop::collection::vec(indicator(), 0..40),
        alerts in prop::collection::vec(alert(), 1..12),
        sub_domains in any::<bool>(),
    ) {
        let mut builder = Builder::new(Worthless::none());
        let mut naive = Naive::default();
        for one in &given {
            let (indicator, keys) = known(one);
            builder.indicator_of(&indicator, &keys);
            naive.add(indicator, keys);
        }
        let built = builder.finish().unwrap();
        let opened = Store::open(built.bytes().to_vec()).unwrap();
        let store = built.into_store();
        prop_assert_eq!(store.snapshot().len(), naive.len());
        for validity in [Validity::RESIDENT, Validity::HUNT, Validity::ANY] {
            compare(&store, &naive, &alerts, &options(sub_domains, validity));
            compare(&opened, &naive, &alerts, &options(sub_domains, validity));
        }
    }

    #[test]
    fn the_same_answers_after_changes(
        changes in prop::collection::vec(change(), 1..12),
        alerts in prop::collection::vec(alert(), 1..6),
    ) {
        let mut store = Store::default();
        let mut naive = Naive::default();
        for change in &changes {
            match change {
                Change::Add(given) => add(&store, &mut naive, given),
                Change::Remove(numbers) => {
                    let ids: Vec<Identifier> =
                        numbers.iter().map(|number| known(&(*number, Vec::new(), None, None)).0.id).collect();
                    let mut different = ids.clone();
                    different.sort();
                    different.dedup();
                    prop_assert_eq!(store.remove(&ids).unwrap(), naive.remove(&different));
                }
                Change::Compact => store.compact().unwrap(),
                Change::Reopen => store = Store::open(store.snapshot().to_bytes().unwrap()).unwrap(),
            }
            prop_assert_eq!(store.snapshot().len(), naive.len());
        }
        compare(&store, &naive, &alerts, &options(true, Validity::RESIDENT));
        store.compact().unwrap();
        prop_assert!(store.snapshot().segments() <= 1);
        compare(&store, &naive, &alerts, &options(true, Validity::RESIDENT));
        let indicators: BTreeMap<_, _> =
            store.snapshot().indicators().map(Result::unwrap).map(|known| (known.id.clone(), known)).collect();
        prop_assert_eq!(indicators, naive.indicators());
    }

    /// Any byte of a store may be wrong: it is refused, or answers as before.
    #[test]
    fn damage_is_told(
        given in prop::collection::vec(indicator(), 1..10),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 40),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut builder = Builder::new(Worthless::none());
        for one in &given {
            let (indicator, keys) = known(one);
            builder.indicator_of(&indicator, &keys);
        }
        let bytes = builder.finish().unwrap().into_bytes();
        for (place, mask) in &flips {
            let mut damaged = bytes.clone();
            damaged[place.index(bytes.len())] ^= mask;
            prop_assert!(Store::open(damaged).is_err());
        }
        prop_assert!(Store::open(bytes[..cut.index(bytes.len())].to_vec()).is_err());
    }
}

#[test]
fn every_single_damaged_byte_is_told() {
    let mut builder = Builder::default();
    for line in ["203.0.113.7", "198.51.100.0/24", "evil.example", r"C:\x\nc.exe", "http://evil.example/a"] {
        builder.line(line);
    }
    let bytes = builder.finish().unwrap().into_bytes();
    for place in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[place] ^= mask;
            assert!(Store::open(damaged).is_err(), "byte {place}");
        }
    }
    for length in 0..bytes.len() {
        assert!(Store::open(bytes[..length].to_vec()).is_err(), "{length} bytes");
    }
}

/// A store that is too large to be verified at once: damage is told when it is met, and never gives another answer.
#[test]
fn damage_in_a_large_store_never_gives_a_wrong_answer() {
    let mut builder = Builder::default();
    let digest = |number: u32| format!("{:064x}", u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c));
    for number in 1..30_000 {
        builder.line(&digest(number));
    }
    let bytes = builder.finish().unwrap().into_bytes();
    assert!(bytes.len() > 2 << 20, "{} bytes", bytes.len());
    let catalogue = Catalogue::builtin();
    let (mut refused, mut told, mut right) = (0, 0, 0);
    for step in 0..60 {
        let mut damaged = bytes.clone();
        let place = bytes.len() / 60 * step + 17;
        damaged[place] ^= 0x10;
        let Ok(store) = Store::open(damaged) else {
            refused += 1;
            continue;
        };
        let mut matcher = Matcher::new(&store.snapshot(), &catalogue, MatchOptions::default());
        for number in (1..30_000).step_by(97) {
            let alert = format!(r#"{{"rule":{{"id":"1"}},"syscheck":{{"sha256_after":"{}"}}}}"#, digest(number));
            match matcher.matches(&alert) {
                Ok(found) => {
                    assert_eq!(found.len(), 1, "byte {place}");
                    assert_eq!(found[0].comparison.to_string(), digest(number));
                    right += 1;
                }
                Err(MatchError::Damaged(_)) => told += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(store.snapshot().verify().is_err());
    }
    assert!(refused > 0 && told > 0 && right > 0, "{refused} {told} {right}");
}

/// Threads ask while another one changes: every answer is that of a moment.
#[test]
fn readers_see_whole_states() {
    const PAIRS: u32 = 300;
    let store = Arc::new(Store::default());
    let name = |number: u32, side: &str| format!("{side}{number}.evil.example");
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (store, done) = (Arc::clone(&store), Arc::clone(&done));
            std::thread::spawn(move || {
                let mut matcher = Matcher::new(&store.snapshot(), &Catalogue::builtin(), MatchOptions::default());
                let mut seen = 0;
                let mut generation = 0;
                while !done.load(Ordering::Acquire) {
                    matcher.refresh(&store);
                    let snapshot = matcher.snapshot();
                    assert!(snapshot.generation() >= generation, "time goes on");
                    generation = snapshot.generation();
                    // Both of a pair, or none: they are added and removed together.
                    for number in 0..PAIRS {
                        let alert = |side| {
                            let name = name(number, side);
                            format!(r#"{{"rule":{{"id":"1"}},"data":{{"hostname":"{name}"}}}}"#)
                        };
                        let one = matcher.matches(&alert("a")).unwrap().len();
                        let other = matcher.matches(&alert("b")).unwrap().len();
                        assert_eq!(one, other, "pair {number}");
                        seen += one;
                    }
                }
                seen
            })
        })
        .collect();
    for number in 0..PAIRS {
        let mut builder = store.builder(Worthless::none());
        builder.line(&name(number, "a"));
        builder.line(&name(number, "b"));
        store.add(builder).unwrap();
        if number % 3 == 0 {
            let ids = ["a", "b"].map(|side| Key::new(Kind::Domain, &name(number, side)).unwrap().identifier());
            assert_eq!(store.remove(&ids).unwrap(), 2);
        }
        if number % 50 == 0 {
            store.compact().unwrap();
        }
    }
    done.store(true, Ordering::Release);
    let seen: usize = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
    assert_eq!(store.snapshot().len(), (PAIRS / 3 * 4) as usize);
    assert!(store.snapshot().segments() < 10, "{} segments", store.snapshot().segments());
    eprintln!("{seen} answers");
}

#[test]
fn what_is_skipped_is_named() {
    let mut builder = Builder::default();
    for line in ["127.0.0.1", "d41d8cd98f00b204e9800998ecf8427e", "no value at all", "203.0.113.7", "203.0.113.7"] {
        builder.line(line);
    }
    let objects = r#"[
        {"type":"indicator","id":"indicator--11111111-1111-4111-8111-111111111111","spec_version":"2.1",
         "created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","valid_from":"2026-01-01T00:00:00Z",
         "pattern_type":"stix","pattern":"[domain-name:value = 'evil.example' OR ipv4-addr:value = '0.0.0.0']"},
        {"type":"indicator","id":"indicator--11111111-1111-4111-8111-111111111111","spec_version":"2.1",
         "created":"2026-01-01T00:00:00Z","modified":"2026-02-01T00:00:00Z","valid_from":"2026-01-01T00:00:00Z",
         "pattern_type":"stix","pattern":"[domain-name:value = 'worse.example']"},
        {"type":"indicator","id":"indicator--22222222-2222-4222-8222-222222222222","spec_version":"2.1",
         "created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","valid_from":"2026-01-01T00:00:00Z",
         "pattern_type":"yara","pattern":"rule x {}"}
    ]"#;
    stix_model::bundle::read_objects(objects.as_bytes(), |object| builder.object(&object.unwrap())).unwrap();
    let built = builder.finish().unwrap();
    let reasons: Vec<_> = built.skipped().iter().map(|skipped| (skipped.why.name(), skipped.to_string())).collect();
    insta::assert_debug_snapshot!(reasons);
    assert_eq!(built.about().repeated, 2);
    let snapshot = built.into_store().snapshot();
    let keys: Vec<_> = snapshot.keys().map(|key| key.unwrap().1.to_string()).collect();
    assert_eq!(snapshot.len(), 2);
    assert!(keys.contains(&"worse.example".to_owned()) && !keys.contains(&"evil.example".to_owned()), "{keys:?}");
}

/// Of two markings the stricter one counts, wherever in the sources its definition stands.
#[test]
fn markings_that_the_sources_define() {
    let mut builder = Builder::default();
    let objects = r#"[
        {"type":"ipv4-addr","id":"ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4","spec_version":"2.1","value":"198.51.100.7",
         "object_marking_refs":["marking-definition--33333333-3333-4333-8333-333333333333",
            "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"]},
        {"type":"marking-definition","id":"marking-definition--33333333-3333-4333-8333-333333333333","spec_version":"2.1",
         "created":"2026-01-01T00:00:00Z","name":"TLP:RED"}
    ]"#;
    stix_model::bundle::read_objects(objects.as_bytes(), |object| builder.object(&object.unwrap())).unwrap();
    let snapshot = builder.finish().unwrap().into_store().snapshot();
    let levels: Vec<_> = snapshot.indicators().map(|known| known.unwrap().tlp).collect();
    assert_eq!(levels, [Some(stix_model::marking::Tlp::Red)]);
}

#[test]
fn values_by_themselves() {
    let mut builder = Builder::default();
    for line in ["198.51.100.0/24", "198.51.100.7", "evil.example", "http://evil.example/a", "co.uk"] {
        builder.line(line);
    }
    let store = builder.finish().unwrap().into_store();
    let matcher = Matcher::new(&store.snapshot(), &Catalogue::builtin(), options(true, Validity::ANY));
    let look_up = |text: &str| {
        let found = matcher.look_up(text).unwrap();
        let mut found: Vec<_> =
            found.iter().map(|found| format!("{} ({})", found.comparison, found.normalisation)).collect();
        found.sort();
        found
    };
    assert_eq!(
        look_up("198[.]51[.]100[.]7"),
        ["198.51.100.0/24 (in the network)", "198.51.100.7 (in another notation)"]
    );
    assert_eq!(look_up("198.51.100.0/25"), ["198.51.100.0/24 (in the network)"]);
    assert_eq!(look_up("198.51.100.0/24"), ["198.51.100.0/24 (in another notation)"]);
    assert_eq!(look_up("www.evil.example"), ["evil.example (below the domain)"]);
    assert_eq!(look_up("co.uk"), ["co.uk (as written)"]);
    assert_eq!(look_up("evil.co.uk"), [""; 0]);
    assert_eq!(
        look_up("http://evil.example/a"),
        ["evil.example (the host of the URL)", "http://evil.example/a (as written)"]
    );
    assert!(matcher.look_up("no value").is_err());
}

#[test]
fn an_object_is_found_by_what_it_says() {
    let object = Object::from(stix_model::sco::DomainName::new("evil.example").with("x_opencti_score", 80));
    let mut builder = Builder::default();
    builder.object(&object);
    let store = builder.finish().unwrap().into_store();
    let known = store.snapshot().get(object.id()).unwrap().unwrap();
    assert_eq!(known.score, Some(80));
    let mut matcher = Matcher::new(&store.snapshot(), &Catalogue::builtin(), MatchOptions::default());
    let found = matcher.matches(r#"{"rule":{"id":"1"},"data":{"url":"http://evil.example/x"}}"#).unwrap();
    assert_eq!(found[0].normalisation.to_string(), "the host of the URL");
    assert_eq!(&*found[0].seen.value, "http://evil.example/x");
}
