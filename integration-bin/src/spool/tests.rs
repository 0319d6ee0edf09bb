use proptest::prelude::*;

use super::*;

fn drained(spool: &Spool, now: i64) -> (Vec<Vec<u8>>, Lost) {
    let mut drain = spool.drain().unwrap().unwrap();
    let mut alerts = Vec::new();
    while let Some(record) = drain.next(now).unwrap() {
        alerts.push(record.alert);
        drain.done().unwrap();
    }
    (alerts, drain.lost)
}

fn spool(bytes: u64) -> (tempfile::TempDir, Spool) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(&folder.path().join("spool"), Bounds { bytes, age: 1_000 }).unwrap();
    (folder, spool)
}

#[test]
fn in_order_and_once() {
    let (_folder, spool) = spool(1 << 20);
    assert!(spool.is_empty().unwrap());
    for alert in ["a", "b", "c"] {
        assert!(spool.append(alert.as_bytes(), 5).unwrap().is_empty());
    }
    assert_eq!(drained(&spool, 6).0, [b"a", b"b", b"c"]);
    assert!(spool.is_empty().unwrap());
    spool.append(b"d", 7).unwrap();
    assert_eq!(drained(&spool, 8).0, [b"d"]);
}

#[test]
fn what_was_not_done_comes_again() {
    let (_folder, spool) = spool(1 << 20);
    spool.append(b"a", 5).unwrap();
    spool.append(b"b", 5).unwrap();
    {
        let mut drain = spool.drain().unwrap().unwrap();
        assert_eq!(drain.next(6).unwrap().unwrap().alert, b"a");
        drain.done().unwrap();
        assert_eq!(drain.next(6).unwrap().unwrap().alert, b"b");
        // One drains at a time.
        assert!(spool.drain().unwrap().is_none());
    }
    assert_eq!(drained(&spool, 6).0, [b"b"]);
}

#[test]
fn what_comes_while_the_spool_is_drained_is_handed_out() {
    let (_folder, spool) = spool(1 << 20);
    spool.append(b"a", 5).unwrap();
    let mut drain = spool.drain().unwrap().unwrap();
    assert_eq!(drain.next(6).unwrap().unwrap().alert, b"a");
    spool.append(b"b", 5).unwrap();
    drain.done().unwrap();
    assert_eq!(drain.next(6).unwrap().unwrap().alert, b"b");
    drain.done().unwrap();
    assert_eq!(drain.next(6).unwrap(), None);
    spool.append(b"c", 5).unwrap();
    assert_eq!(drain.next(6).unwrap().unwrap().alert, b"c");
}

#[test]
fn the_oldest_goes_when_it_is_full_or_old() {
    let (_folder, spool) = spool(4_000);
    let mut lost = Lost::default();
    for number in 0..100_u8 {
        lost.add(spool.append(&[number; 100], i64::from(number)).unwrap());
    }
    let (alerts, _) = drained(&spool, 100);
    assert_eq!(u64::try_from(alerts.len()).unwrap() + lost.full, 100);
    assert_eq!(alerts.last().unwrap(), &[99; 100]);
    assert!(alerts.is_sorted() && alerts.len() > 20);

    spool.append(b"old", 0).unwrap();
    spool.append(b"new", 5_000).unwrap();
    let (alerts, lost) = drained(&spool, 5_500);
    assert_eq!((alerts, lost.old), (vec![b"new".to_vec()], 1));
}

#[test]
fn many_processes_may_append() {
    let (_folder, spool) = spool(1 << 20);
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let spool = &spool;
            scope.spawn(move || {
                for number in 0..25_u8 {
                    spool.append(&[thread, number], 5).unwrap();
                }
            });
        }
    });
    let (mut alerts, lost) = drained(&spool, 6);
    alerts.sort();
    alerts.dedup();
    assert_eq!((alerts.len(), lost), (100, Lost::default()));
}

#[test]
fn a_record_that_is_being_written_is_waited_for() {
    let (_folder, spool) = spool(1 << 20);
    spool.append(b"a", 5).unwrap();
    let whole = encode(5, b"the second one").unwrap();
    let (half, rest) = whole.split_at(whole.len() / 2);
    let lock = spool.lock("append.lock").unwrap();
    let mut file = OpenOptions::new().append(true).open(spool.path(1)).unwrap();
    file.write_all(half).unwrap();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| drained(&spool, 6));
        std::thread::sleep(std::time::Duration::from_millis(100));
        file.write_all(rest).unwrap();
        drop(lock);
        let (alerts, lost) = reading.join().unwrap();
        assert_eq!((alerts, lost), (vec![b"a".to_vec(), b"the second one".to_vec()], Lost::default()));
    });
}

#[test]
fn what_waits_elsewhere_is_taken_over() {
    let (_folder, here) = spool(1 << 20);
    let (_other_folder, there) = spool(1 << 20);
    here.append(b"a", 5).unwrap();
    for alert in ["b", "c"] {
        there.append(alert.as_bytes(), 4).unwrap();
    }
    let held = there.drain().unwrap();
    assert!(here.take_over(&there.folder).unwrap().is_empty());
    drop(held);
    assert!(here.take_over(&there.folder).unwrap().is_empty());
    assert!(there.is_empty().unwrap());
    let (alerts, lost) = drained(&here, 1_005);
    assert_eq!((alerts, lost.old), (vec![b"a".to_vec()], 2));
}

#[test]
fn what_fails_goes_behind_the_others_and_is_counted() {
    let (_folder, spool) = spool(1 << 20);
    for alert in ["a", "b", "c"] {
        spool.append(alert.as_bytes(), 5).unwrap();
    }
    for tries in 1..=2 {
        let mut drain = spool.drain().unwrap().unwrap();
        let mut seen = Vec::new();
        while let Some(record) = drain.next(6).unwrap() {
            if record.alert == b"a" {
                assert_eq!((record.time, drain.failed().unwrap()), (5, tries));
                drain.put_aside().unwrap();
            } else {
                seen.push(record.alert);
                drain.done().unwrap();
            }
        }
        assert_eq!(seen.len(), if tries == 1 { 2 } else { 0 });
    }
    assert_eq!(drained(&spool, 6).0, [b"a"]);
    assert!(spool.is_empty().unwrap() && !spool.folder.join("tries").exists());
    // As old as it was, it ends some day.
    spool.append(b"a", 5).unwrap();
    let mut drain = spool.drain().unwrap().unwrap();
    drain.next(6).unwrap().unwrap();
    drain.put_aside().unwrap();
    drop(drain);
    assert_eq!(drained(&spool, 2_000).1.old, 1);
}

proptest! {
    // Each case waits for the disk.
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A file that was cut or damaged anywhere costs the records it hits, and no other.
    #[test]
    fn damage_costs_what_it_hits(
        alerts in prop::collection::vec("[a-z]{0,40}", 1..12),
        at in any::<prop::sample::Index>(),
        flip in prop::option::of(1_u8..=255),
    ) {
        let (_folder, spool) = spool(1 << 20);
        let mut ends = Vec::new();
        for alert in &alerts {
            spool.append(alert.as_bytes(), 5).unwrap();
            ends.push(fs::metadata(spool.path(1)).unwrap().len());
        }
        let mut bytes = fs::read(spool.path(1)).unwrap();
        let at = at.index(bytes.len());
        match flip {
            Some(flip) => bytes[at] ^= flip,
            None => bytes.truncate(at),
        }
        fs::write(spool.path(1), &bytes).unwrap();
        let hit = ends.iter().position(|end| at < usize::try_from(*end).unwrap()).unwrap();
        let mut wanted: Vec<Vec<u8>> = alerts.iter().map(|alert| alert.clone().into_bytes()).collect();
        if flip.is_some() { wanted.remove(hit); } else { wanted.truncate(hit); }
        let cut_between = flip.is_none() && (at == 0 || ends.contains(&(at as u64)));
        let (found, lost) = drained(&spool, 6);
        prop_assert_eq!(found, wanted);
        prop_assert_eq!(lost.damaged > 0, !cut_between);
    }
}
