//! What a platform, a broker or somebody in between may send to the client.

use std::collections::BTreeSet;

use opencti_client::bundle::{SplitOptions, split};
use opencti_client::fuzzing::{answer as read_answer, events};
use opencti_client::{Message, PlaybookReply, judge};
use serde_json::Value;

/// Any text as an answer to a request: data, or an error of one line without control characters.
pub fn answer(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    for status in [200, 400, 401, 502] {
        if let Err(error) = read_answer(status, text) {
            let line = error.to_string();
            assert!(!line.contains(char::is_control), "{line:?}");
            assert!(line.len() < 8_192, "{} bytes", line.len());
            judge(&error);
        }
    }
}

/// Any text as a bundle to send: parts of one object each, dependencies first, nothing twice, and no part that would be
/// split another way.
pub fn bundle(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    for cleanup in [true, false] {
        let mut options = SplitOptions::default();
        options.cleanup = cleanup;
        let Ok(split_once) = split(text, "bundle--0", &options) else { return };
        let mut seen = BTreeSet::new();
        let mut last = 0;
        for part in &split_once.parts {
            assert!(part.sequence >= last, "out of order");
            last = part.sequence;
            assert!(seen.insert(&part.id), "{} is sent twice", part.id);
            let json: Value = serde_json::from_str(&part.json).expect("a part is JSON");
            assert_eq!(json["objects"].as_array().map(Vec::len), Some(1));
            assert_eq!(json["objects"][0]["id"].as_str(), Some(part.id.as_str()));
            assert_eq!(json["objects"][0]["nb_deps"], json["x_opencti_seq"]);
            if !cleanup {
                let again = split(&part.json, "bundle--0", &options).expect("a part is a bundle");
                assert_eq!((again.parts.len(), again.refused.len()), (1, 0));
            }
        }
    }
}

/// Any bytes as a message of the queue: it is read or refused, and a playbook's objects are kept in the answer.
pub fn message(data: &[u8]) {
    let Ok(message) = Message::parse(data) else { return };
    message.entity_type();
    message.stix_entity();
    assert!(message.playbook().is_none() || message.work_id().is_none());
    let context = message.context();
    assert!(context.draft.is_none_or(|draft| !draft.is_empty()));
    let (Some(step), Some(received)) = (message.playbook(), message.playbook_bundle()) else { return };
    let count = |json: &str| serde_json::from_str::<Value>(json).ok()?["objects"].as_array().map(Vec::len);
    let Ok(reply) = PlaybookReply::with(step.clone(), "2026-01-01T00:00:00Z", received, &[]) else { return };
    assert_eq!(reply.received, received);
    assert_eq!(count(&reply.bundle), Some(count(received).unwrap_or(0)));
}

/// Any bytes as a live stream: portions do not matter, and what is kept is bounded.
pub fn stream(data: &[u8]) {
    let whole = events([data].into_iter(), 1 << 20);
    for size in [1, 7] {
        assert_eq!(events(data.chunks(size), 1 << 20), whole, "in portions of {size}");
    }
    for size in [5, 4_096] {
        for event in events(data.chunks(size), 16) {
            // An invalid byte becomes three.
            assert!(event.data.len() <= 3 * 16, "{event:?}");
        }
    }
}
