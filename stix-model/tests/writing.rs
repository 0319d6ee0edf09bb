//! What is written, as text.

mod common;

use stix_model::{BundleBuilder, Tlp, marking::MarkingDefinition, sdo::Identity};

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("JSON")
}

#[test]
fn standard_observables() {
    insta::assert_snapshot!(pretty(&common::standard_observables()));
}

#[test]
fn opencti_observables() {
    insta::assert_snapshot!(pretty(&common::opencti_observables()));
}

#[test]
fn standard_objects() {
    insta::assert_snapshot!(pretty(&common::standard_objects()));
}

#[test]
fn opencti_objects() {
    insta::assert_snapshot!(pretty(&common::opencti_objects()));
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(pretty(&common::standard_objects()), pretty(&common::standard_objects()));
}

#[test]
fn the_identifier_of_a_bundle_does_not_depend_on_the_order() {
    let bundle = common::standard_observables();
    let mut builder = BundleBuilder::new();
    builder.extend(bundle.objects.iter().rev().cloned());
    assert_eq!(builder.build().id, bundle.id);
}

#[test]
fn the_newest_version_is_kept() {
    let old = Identity::new("Example Corp", "organization", common::now());
    let mut new = old.clone();
    new.common.modified = old.common.modified.saturating_add(std::time::Duration::from_secs(1));
    new.description = Some("new".to_owned());
    let mut other = old.clone();
    other.description = Some("same version".to_owned());
    let mut builder = BundleBuilder::new();
    builder.push(old.clone()).push(other);
    assert_eq!(builder.get(old.id()), Some(&old.clone().into()));
    builder.push(new.clone()).push(old);
    assert_eq!(builder.build().objects, [new.into()]);
    assert!(builder.is_empty());
}

#[test]
fn tlp_levels_are_recognised_in_every_form() {
    for level in Tlp::ALL {
        let definition = level.definition();
        assert_eq!(definition.tlp(), Some(level));
        assert_eq!(definition.clone().identified().id(), definition.id());
        assert_eq!(level.to_string().to_lowercase().parse(), Ok(level));
    }
    let oasis = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003".parse().expect("an identifier");
    assert_eq!(Tlp::from_identifier(&oasis), Some(Tlp::AmberStrict));
    let pap = MarkingDefinition::new("PAP", "PAP:RED", common::now());
    assert_eq!(pap.id().to_string(), "marking-definition--4e4e3b84-de45-53df-9d9b-b21207699fd8");
    assert_eq!(pap.clone().identified().id(), pap.id());
    assert_eq!(pap.tlp(), None);
    assert_eq!(Tlp::highest([pap.id(), &Tlp::Green.identifier(), &oasis]), Some(Tlp::AmberStrict));
    assert!("TLP:EX".parse::<Tlp>().is_err());
}
