//! The contracts, for every adapter.

use std::sync::Arc;
use std::time::Duration;

use opencti_client::bundle::RawBundle;
use opencti_client::embedded::{
    BundleDirectory, BundleFile, BundleIntel, LocalConnector, LocalLog, LocalQueue, LocalWorks,
};
use opencti_client::stream::{PlatformStream, StreamConfig};
use opencti_client::testing::StandIn;
use opencti_client::{BundleSink, ConnectorApi, PushSink, SendOptions, conformance};
use serde_json::Value;

use crate::support::*;

#[tokio::test]
async fn reading() {
    for version in ["6.2.18", "6.9.17", "7.260817.0"] {
        let stand_in = StandIn::builder().version(version).start().await;
        stand_in.insert_all(conformance::objects());
        let platform = platform(&stand_in).await;
        conformance::entity_reader(&platform).await;
        stand_in.assert_nothing_refused();
        conformance::threat_intelligence(&platform).await;
        let refusals = stand_in.take_refusals();
        assert_eq!(refusals.len(), 1, "the unknown attribute: {refusals:?}");
        platform.register(&registration()).await.unwrap();
        conformance::works(&platform, CONNECTOR).await;
        stand_in.assert_nothing_refused();
    }
}

#[tokio::test]
async fn registration_and_life_sign() {
    for version in ["6.2.18", "6.9.17", "7.260817.0"] {
        let stand_in = StandIn::builder().version(version).start().await;
        let platform = platform(&stand_in).await;
        conformance::connector(&platform, |id| stand_in.reset_state(id), |id| stand_in.forget_connector(id)).await;
    }
    let local = LocalConnector::new();
    conformance::connector(&local, |id| local.reset_state(id), |id| local.forget(id)).await;
}

#[tokio::test]
async fn live_streams() {
    let stand_in = StandIn::builder().heartbeat(Duration::from_millis(30)).start().await;
    let platform = platform(&stand_in).await;
    let open = |position| PlatformStream::new(platform.clone(), StreamConfig::new("live"), position);
    conformance::live_stream(open, |kind, object| stand_in.stream_event(kind, object)).await;
    stand_in.assert_nothing_refused();

    let log = LocalLog::new();
    conformance::live_stream(|position| log.stream(&position), |kind, object| log.push(kind, object.to_string())).await;
}

#[tokio::test]
async fn reading_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("intel.json");
    let bundle = stix_model::Bundle::new(conformance::objects());
    std::fs::write(&path, serde_json::to_string(&bundle).unwrap()).unwrap();
    let intel = BundleIntel::open(&[&path]).unwrap();
    assert!(intel.skipped().is_empty());
    conformance::entity_reader(&intel).await;
    conformance::threat_intelligence(&intel).await;
    conformance::works(&LocalWorks::new(), CONNECTOR).await;

    let odd = folder.path().join("odd.json");
    std::fs::write(&odd, r#"{"type":"bundle","objects":[{"type":"tool"}]}"#).unwrap();
    let intel = BundleIntel::open(&[&odd]).unwrap();
    assert_eq!((intel.len(), intel.skipped().len()), (0, 1));
    assert!(BundleIntel::open(&[folder.path().join("none.json")]).is_err());
}

#[tokio::test]
async fn sinks() {
    let stand_in = StandIn::start().await;
    let platform = platform(&stand_in).await;
    platform.register(&registration()).await.unwrap();
    let push = PushSink::new(Arc::new(platform), CONNECTOR);
    conformance::bundle_sink(&push, async |_| [stand_in.objects("tool"), stand_in.objects("identity")].concat()).await;
    stand_in.assert_nothing_refused();
    let drafts = SendOptions { draft_id: Some("d".to_owned()), ..SendOptions::default() };
    assert!(push.send(&stix_model::Bundle::new(Vec::new()), &drafts).await.is_err());

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.json");
    let read = |text: String| -> Vec<Value> {
        let bundle = RawBundle::parse(&text).unwrap();
        bundle.objects.iter().map(|object| serde_json::from_str(object.get()).unwrap()).collect()
    };
    let file = BundleFile::open(&path).unwrap();
    conformance::bundle_sink(&file, async |_| read(std::fs::read_to_string(&path).unwrap())).await;
    // Continued by another process.
    let again = BundleFile::open(&path).unwrap();
    conformance::bundle_sink(&again, async |_| read(std::fs::read_to_string(&path).unwrap())).await;
    std::fs::write(&path, "no bundle").unwrap();
    assert!(BundleFile::open(&path).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

/// The platform's own form of copies, and their end.
#[tokio::test]
async fn copies_in_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("other-1.json");
    std::fs::write(&foreign, "{}").unwrap();
    let sink = BundleDirectory::new(folder.path(), registration(), StandIn::USER).retention(Duration::from_millis(1));
    let bundle = stix_model::Bundle::new(vec![stix_model::sco::Ipv4Addr::new("198.51.100.3").into()]);
    sink.send(&bundle, &SendOptions::default()).await.unwrap();
    let copies = || {
        let entries = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| *path != foreign).collect::<Vec<_>>()
    };
    let first = copies();
    let name = first[0].file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("example_enrichment-20") && name.rsplit('.').next() == Some("json"), "{name}");
    let record: Value = serde_json::from_slice(&std::fs::read(&first[0]).unwrap()).unwrap();
    assert_eq!(record["bundle_type"], "DIRECTORY_BUNDLE");
    assert_eq!(record["connector"]["type"], "INTERNAL_ENRICHMENT");
    assert_eq!(record["bundle"]["objects"][0]["value"], "198.51.100.3");
    std::thread::sleep(Duration::from_millis(20));
    sink.send(&bundle, &SendOptions::default()).await.unwrap();
    assert_eq!(copies().len(), 1, "the older copy is deleted");
    assert!(foreign.exists());
    // A full disk, a folder that is none: an error, not a loss.
    let sink = BundleDirectory::new(folder.path().join("other-1.json"), registration(), StandIn::USER);
    assert!(sink.send(&bundle, &SendOptions::default()).await.is_err());
}

#[tokio::test]
async fn queues_in_memory() {
    let queue = LocalQueue::new();
    conformance::message_source(&mut queue.source(), true, async |body| queue.push(body)).await;
    assert_eq!((queue.waiting(), queue.accepted()), (0, 2));
    queue.push("{}");
    drop(opencti_client::MessageSource::next(&mut queue.source()).await.unwrap());
    assert_eq!(queue.waiting(), 1, "what is dropped comes again");
}
