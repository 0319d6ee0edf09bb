//! Stores in files: shared, changed, replaced, damaged.
#![cfg(feature = "mmap")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use alert_enricher::indicator::{Key, Kind};
use alert_enricher::store::{Builder, FileError, FileStore, MatchOptions, Matcher, Validity, Worthless};
use stix_model::Identifier;
use wazuh_query::catalogue::Catalogue;

fn id(name: &str) -> Identifier {
    Key::new(Kind::Domain, name).unwrap().identifier()
}

fn digest(number: u32) -> String {
    format!("{:064x}", u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c) + 1)
}

/// A store of so many digests, which is more than one that is written anew with every change.
fn create(folder: &Path, digests: u32) -> PathBuf {
    let path = folder.join("indicators.store");
    let mut builder = Builder::default();
    for number in 0..digests {
        builder.line(&digest(number));
    }
    builder.line("evil.example");
    FileStore::create(&path, &builder.finish().unwrap()).unwrap();
    path
}

fn add(store: &FileStore, lines: &[&str]) {
    let mut builder = store.store().builder(Worthless::default());
    for line in lines {
        builder.line(line);
    }
    store.add(builder).unwrap();
}

fn finds(store: &FileStore, text: &str) -> bool {
    let options = MatchOptions { validity: Validity::ANY, ..MatchOptions::default() };
    let matcher = Matcher::new(&store.store().snapshot(), &Catalogue::builtin(), options);
    !matcher.look_up(text).unwrap().is_empty()
}

#[test]
fn changes_of_one_are_seen_by_others() {
    for digests in [10, 20_000] {
        let folder = tempfile::tempdir().unwrap();
        let path = create(folder.path(), digests);
        let reader = FileStore::open(&path).unwrap();
        let old = reader.store().snapshot();
        let writer = FileStore::open(&path).unwrap();
        let before = fs::read(&path).unwrap();

        add(&writer, &["worse.example", "203.0.113.7"]);
        assert!(!finds(&reader, "worse.example"), "not before the refresh");
        assert!(reader.refresh().unwrap() && !reader.refresh().unwrap());
        assert!(finds(&reader, "worse.example") && finds(&reader, "evil.example") && finds(&reader, "203.0.113.7"));
        // A large store is not written again for two values.
        assert_eq!(fs::read(&path).unwrap() == before, digests > 10_000, "{digests}");

        assert_eq!(writer.remove(&[id("evil.example"), id("worse.example"), id("not.example")]).unwrap(), 2);
        assert!(reader.refresh().unwrap());
        assert!(!finds(&reader, "evil.example") && !finds(&reader, "worse.example") && finds(&reader, "203.0.113.7"));
        assert!(finds(&reader, &digest(3)));

        // What another one did is not undone by whoever opened the store before.
        let late = FileStore::open(&path).unwrap();
        add(&writer, &["first.example"]);
        add(&late, &["second.example"]);
        let fresh = FileStore::open(&path).unwrap();
        assert!(finds(&fresh, "first.example") && finds(&fresh, "second.example"));
        assert_eq!(fresh.store().snapshot().len(), digests as usize + 3);
        // What was taken before stays as it was.
        assert_eq!(old.len(), digests as usize + 1);
        assert!(old.get(&id("evil.example")).unwrap().is_some());
        old.verify().unwrap();
    }
}

#[test]
fn many_changes_end_up_in_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = create(folder.path(), 20_000);
    let before = fs::read(&path).unwrap();
    let store = FileStore::open(&path).unwrap();
    let lines: Vec<String> = (100_000..115_000).map(digest).collect();
    add(&store, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_ne!(fs::read(&path).unwrap(), before);
    let fresh = FileStore::open(&path).unwrap();
    assert_eq!((fresh.store().snapshot().len(), fresh.store().snapshot().segments()), (35_001, 1));
    assert!(finds(&fresh, &digest(100_003)) && finds(&fresh, &digest(3)));
}

#[test]
fn changes_of_a_replaced_store_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let path = create(folder.path(), 20_000);
    add(&FileStore::open(&path).unwrap(), &["worse.example"]);
    let changes = folder.path().join("indicators.store.changes");
    let left = fs::read(&changes).unwrap();
    let reader = FileStore::open(&path).unwrap();
    create(folder.path(), 10);
    assert!(!changes.exists());
    // As after a crash between the two steps of a replacement.
    fs::write(&changes, left).unwrap();
    assert!(reader.refresh().unwrap());
    assert_eq!(reader.store().snapshot().len(), 11);
    assert!(!finds(&reader, "worse.example"));
}

#[test]
fn damaged_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = create(folder.path(), 20_000);
    add(&FileStore::open(&path).unwrap(), &["worse.example"]);
    let changes = folder.path().join("indicators.store.changes");
    let bytes = fs::read(&changes).unwrap();
    for place in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 4;
        fs::write(&changes, &damaged).unwrap();
        assert!(matches!(FileStore::open(&path), Err(FileError::Open { .. })), "byte {place}");
    }
    fs::write(&changes, &bytes).unwrap();
    FileStore::open(&path).unwrap();

    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let error = FileStore::open(&path).unwrap_err().to_string();
    assert!(error.contains("the store is incomplete"), "{error}");
    fs::write(&path, "{}").unwrap();
    let error = FileStore::open(&path).unwrap_err().to_string();
    assert!(error.ends_with("not an indicator store"), "{error}");
    fs::remove_file(&path).unwrap();
    assert!(matches!(FileStore::open(&path), Err(FileError::Io { .. })));
}

/// Writers and readers that know each other by the file only.
#[test]
fn several_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = create(folder.path(), 12_000);
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let path = path.clone();
            std::thread::spawn(move || {
                let store = FileStore::open(&path).unwrap();
                for number in 0..15 {
                    add(&store, &[&format!("n{number}.w{writer}.example")]);
                }
            })
        })
        .collect();
    let reader = FileStore::open(&path).unwrap();
    let mut before = 0;
    while !writers.iter().all(std::thread::JoinHandle::is_finished) {
        reader.refresh().unwrap();
        let now = reader.store().snapshot().len();
        assert!(now >= before, "nothing that was added goes away: {before}, {now}");
        before = now;
    }
    for writer in writers {
        writer.join().unwrap();
    }
    reader.refresh().unwrap();
    assert_eq!(reader.store().snapshot().len(), 12_001 + 45);
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".new")), "{left:?}");
}

#[test]
fn many_changes_are_written_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("indicators.store");
    let mut builder = Builder::default();
    builder.line("203.0.113.1");
    builder.line("203.0.113.2");
    FileStore::create(&path, &builder.finish().unwrap()).unwrap();
    let writer = FileStore::open(&path).unwrap();
    let reader = FileStore::open(&path).unwrap();
    for number in 3..40 {
        let mut builder = writer.store().builder(Worthless::default());
        builder.line(&format!("203.0.113.{number}"));
        writer.store().add(builder).unwrap();
    }
    let gone = alert_enricher::indicator::recognise("203.0.113.1").unwrap().identifier();
    assert_eq!(writer.store().remove(&[gone]).unwrap(), 1);
    assert!(!reader.refresh().unwrap(), "nothing is written before it is saved");
    writer.save().unwrap();
    assert!(reader.refresh().unwrap());
    for store in [&writer, &reader, &FileStore::open(&path).unwrap()] {
        assert_eq!(store.store().snapshot().len(), 38);
    }
    assert!(!finds(&reader, "203.0.113.1") && finds(&reader, "203.0.113.39"));
}
