//! What the running program makes, judged by others: the reference validator and the platform's own splitter.

use serde_json::{Value, json};
use stix_model::sco::Ipv4Addr;
use stix_model::sro::Relationship;
use stix_model::{Bundle, Object};

use crate::Setup;
use crate::checkers::{split_all, validate_all};
use crate::indexer::FOUND;

fn object(json: &Value) -> Object {
    json.to_string().parse().unwrap()
}

/// An address, its indicator and a report about it, in every mode of incidents.
#[tokio::test(flavor = "multi_thread")]
async fn bundles_of_the_program_pass_both_checkers() {
    let mut setup = Setup::new(None).await;
    let address = Ipv4Addr::new(format!("{FOUND}7"));
    let now = "2026-01-01T00:00:00Z";
    let indicator = object(&json!({
        "type": "indicator", "id": "indicator--3ae0b0a2-7289-5fda-8a85-02d057ba0968", "name": "Botnet `host` | x",
        "created": now, "modified": now, "valid_from": now, "pattern_type": "stix",
        "pattern": format!("[ipv4-addr:value = '{FOUND}7']"),
    }));
    let report = object(&json!({
        "type": "report", "id": "report--4d3f6a4c-94c7-5d5a-8f36-6a1d1dcb1e11", "name": "Nimbus", "created": now,
        "modified": now, "published": now, "object_refs": [indicator.id(), address.id()],
    }));
    let based_on = Relationship::new("based-on", indicator.id().clone(), address.id().clone(), now.parse().unwrap());
    let entities = [Object::from(address), indicator, report];
    let ids = entities.clone().map(|object| object.id().to_string());
    setup.stand_in.insert_all(entities.into_iter().chain([based_on.into()]));
    let mut bundles = Vec::new();
    for mode in ["never", "per-query", "per-sighting", "per-alert-rule", "per-alert"] {
        setup.more = vec![("WAZUH_CREATE_INCIDENT", mode.to_owned())];
        for id in &ids {
            let output = setup.run(&["dry-run", id]);
            let name = format!("{}-{mode}", id.split("--").next().unwrap_or_default());
            assert_eq!(output.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&output.stderr));
            let (bundle, errors) = Bundle::read(&output.stdout).unwrap();
            assert_eq!(errors, [], "{name}");
            // What is judged is what was printed.
            let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(serde_json::to_value(&bundle).unwrap(), printed, "{name}");
            let has_incidents = bundle.objects.iter().any(|object| matches!(object, Object::Incident(_)));
            assert_eq!(has_incidents, mode != "never", "{name}");
            bundles.push((name, bundle));
        }
    }
    split_all(&bundles);
    validate_all(&bundles);
    setup.stand_in.assert_nothing_refused();
}
