//! What is changed while reading, so that older and looser objects become STIX 2.1.
//!
//! | read | becomes |
//! | --- | --- |
//! | `x-opencti-case-incident` and similar, `x-mitre-data-source`, `x-mitre-data-component` | the type without prefix; type and identifier are written as they were |
//! | no `created` or no `modified` | the other of the two |
//! | STIX 2.0 `labels` of indicators, malware, reports, threat actors and tools | also `indicator_types` and so on |
//! | indicator without `pattern_type`, `valid_from` | `stix`, `created` |
//! | malware without `is_family` | `false` |
//! | report without `published` | `created` |
//! | grouping without `context` | `unspecified` |
//! | observed data without its times or number | `created`, 1 |
//! | a number as `user_id` of an account | the same as text |
//! | e-mail message without `is_multipart` | whether it has `body_multipart` |
//!
//! Nothing is removed.

use serde_json::value::RawValue;

use crate::{object::is_observable_type, wire::Props};

/// The current name of a type that OpenCTI renamed.
pub(crate) fn current_name(object_type: &str) -> &str {
    match object_type {
        "x-opencti-case-incident" => "case-incident",
        "x-opencti-case-rfi" => "case-rfi",
        "x-opencti-case-rft" => "case-rft",
        "x-opencti-task" => "task",
        "x-mitre-data-source" => "data-source",
        "x-mitre-data-component" => "data-component",
        other => other,
    }
}

/// Fills in what an object of this type needs in STIX 2.1.
pub(crate) fn prepare(object_type: &str, props: &mut Props<'_>) {
    if !is_observable_type(object_type) && object_type != "marking-definition" {
        copy(props, "modified", "created");
        copy(props, "created", "modified");
    }
    if props.get_str("spec_version").is_none_or(|version| version == "2.0")
        && let Some(types) = types_property(object_type)
    {
        copy(props, "labels", types);
    }
    match object_type {
        "indicator" => {
            literal(props, "pattern_type", r#""stix""#);
            copy(props, "created", "valid_from");
        }
        "malware" => literal(props, "is_family", "false"),
        "report" => copy(props, "created", "published"),
        "grouping" => literal(props, "context", r#""unspecified""#),
        "observed-data" => {
            copy(props, "created", "first_observed");
            copy(props, "first_observed", "last_observed");
            literal(props, "number_observed", "1");
        }
        "user-account" => {
            let number =
                props.get("user_id").map(RawValue::get).filter(|raw| !raw.starts_with(['"', '{', '[', 't', 'f', 'n']));
            if let Some(text) = number.and_then(|raw| RawValue::from_string(format!("\"{raw}\"")).ok()) {
                props.set("user_id", text);
            }
        }
        "email-message" => {
            let multipart = props.get("body_multipart").is_some();
            literal(props, "is_multipart", if multipart { "true" } else { "false" });
        }
        _ => {}
    }
}

/// What STIX 2.0 kept in `labels`.
fn types_property(object_type: &str) -> Option<&'static str> {
    match object_type {
        "indicator" => Some("indicator_types"),
        "malware" => Some("malware_types"),
        "report" => Some("report_types"),
        "threat-actor" => Some("threat_actor_types"),
        "tool" => Some("tool_types"),
        _ => None,
    }
}

fn is_blank(props: &Props<'_>, name: &str) -> bool {
    props.get(name).is_none_or(|raw| raw.get() == r#""""#)
}

fn copy(props: &mut Props<'_>, from: &str, to: &'static str) {
    if is_blank(props, to)
        && let Some(raw) = props.get(from).map(RawValue::to_owned)
    {
        props.set(to, raw);
    }
}

fn literal(props: &mut Props<'_>, name: &'static str, json: &str) {
    if is_blank(props, name)
        && let Ok(raw) = RawValue::from_string(json.to_owned())
    {
        props.set(name, raw);
    }
}
