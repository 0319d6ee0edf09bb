//! Whether an entity is searched, and by which of its indicators and observables.

use std::fmt;

use stix_model::{Identifier, Timestamp, Tlp};

use super::options::EnrichmentOptions;
use super::subject::{Entity, Kind, Subject};

/// Who wants an entity to be enriched, as far as the message tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The platform, because the entity was made or changed; or nothing is told about it.
    #[default]
    Automatic,
    /// A person: labels and authors that keep an entity from being searched by itself do not count.
    Manual,
    /// A playbook.
    Playbook,
}

/// What happens with an entity.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// It is searched.
    Search(Plan),
    /// There is nothing to do, and that is fine.
    Done(Reason),
    /// It must not or cannot be searched: the work fails.
    Refuse(Reason),
}

/// What is searched.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The indicators and observables to search, each by itself; the entity first if it is one of them.
    pub targets: Vec<Identifier>,
    /// The usable indicators: what incidents are indicated by.
    pub indicators: Vec<Identifier>,
    /// What is left out, and why.
    pub dropped: Vec<Dropped>,
}

/// An indicator or observable that is left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped {
    /// Its identifier.
    pub id: Identifier,
    /// Its label.
    pub label: String,
    /// Why.
    pub reason: Reason,
}

/// Why something is not searched, or nothing is sent.
///
/// `Display` gives the sentence for the work on the platform.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// The entity was not found, or may not be read.
    NotFound,
    /// Nothing of this type can be searched.
    UnsupportedType(String),
    /// A marking is above the maximum.
    Marking {
        /// The highest marking.
        found: Tlp,
        /// The maximum.
        max: Tlp,
    },
    /// The connector made it.
    Own(String),
    /// It has labels that are to be ignored.
    Labels(Vec<String>),
    /// It is revoked.
    Revoked,
    /// Its validity ended then.
    Expired(Timestamp),
    /// It is not meant for detection.
    NotForDetection,
    /// Its score is too low.
    Score {
        /// Its score.
        found: i64,
        /// The lowest one that counts.
        threshold: i64,
    },
    /// Its confidence is too low.
    Confidence {
        /// Its confidence.
        found: i64,
        /// The lowest one that counts.
        threshold: i64,
    },
    /// No usable indicator is based on it.
    NoIndicator,
    /// It holds neither indicators nor observables.
    NothingToHunt,
    /// Nothing in it can be searched; the parts with what is in the way of each.
    NothingSearchable(Vec<String>),
    /// Nothing was found.
    NoHits,
    /// Nothing was found in what was searched; what was not, or not fully, and why.
    NoHitsSoFar(Vec<String>),
    /// Everything that was found is of excluded rules.
    AllExcluded {
        /// How many alerts.
        alerts: u64,
    },
    /// Too many alerts were found.
    TooManyHits {
        /// How many.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// The bundle has too many objects.
    BundleTooLarge {
        /// How many.
        found: usize,
        /// The limit.
        limit: usize,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => formatter
                .write_str("the entity was not found; check the permissions and markings of the connector's user"),
            Self::UnsupportedType(name) => write!(formatter, "entities of type {name} are not searched"),
            Self::Marking { found, max } => write!(formatter, "the marking {found} is above the maximum {max}"),
            Self::Own(author) => write!(formatter, "{author} created it, which is the connector itself"),
            Self::Labels(labels) => write!(formatter, "entities with the label {} are not searched", labels.join(", ")),
            Self::Revoked => formatter.write_str("the indicator is revoked"),
            Self::Expired(end) => write!(formatter, "the indicator was valid until {end}"),
            Self::NotForDetection => formatter.write_str("the indicator is not meant for detection"),
            Self::Score { found, threshold } => write!(formatter, "the score {found} is below {threshold}"),
            Self::Confidence { found, threshold } => {
                write!(formatter, "the confidence {found} is below {threshold}")
            }
            Self::NoIndicator => formatter.write_str("no usable indicator is based on the observable"),
            Self::NothingToHunt => {
                formatter.write_str("there is no indicator and no observable in it that can be searched")
            }
            Self::NothingSearchable(parts) if parts.is_empty() => {
                formatter.write_str("nothing in it can be searched in alerts")
            }
            Self::NothingSearchable(parts) => {
                formatter.write_str("nothing in it can be searched in alerts: ")?;
                some_of(parts, formatter)
            }
            Self::NoHits => formatter.write_str("No hits found"),
            Self::NoHitsSoFar(parts) => {
                formatter.write_str("No hits found, but not everything was searched: ")?;
                some_of(parts, formatter)
            }
            Self::AllExcluded { alerts } => write!(formatter, "No hits found but {alerts} of excluded rules"),
            Self::TooManyHits { found, limit } => {
                write!(formatter, "{found} hits are more than the limit of {limit} (`hits_abort_limit`)")
            }
            Self::BundleTooLarge { found, limit } => {
                write!(formatter, "{found} objects are more than the limit of {limit} (`bundle_abort_limit`)")
            }
        }
    }
}

/// The first few of these texts.
fn some_of(parts: &[String], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    formatter.write_str(&parts.iter().take(5).cloned().collect::<Vec<_>>().join("; "))?;
    if parts.len() > 5 { write!(formatter, "; and {} more", parts.len() - 5) } else { Ok(()) }
}

/// Decides whether and by what an entity is searched. `now` is what validity is measured against.
pub fn inspect(subject: &Subject, options: &EnrichmentOptions, trigger: Trigger, now: Timestamp) -> Decision {
    let rules = &options.inspect;
    let entity = &subject.entity;
    let Some(kind) = entity.kind() else {
        return Decision::Refuse(Reason::UnsupportedType(entity.entity_type().to_owned()));
    };
    if let Some(reason) = above_maximum(entity, subject, rules.max_tlp) {
        return Decision::Refuse(reason);
    }
    if trigger != Trigger::Manual {
        let author = options.author();
        if rules.ignore_own_entities && entity.author() == Some(author.id()) {
            return Decision::Done(Reason::Own(author.name));
        }
        // The platform keeps labels in small letters, whatever an operator writes.
        let is_ignored =
            |label: &str| rules.label_ignore_list.iter().any(|own| own.to_lowercase() == label.to_lowercase());
        let ignored: Vec<String> = entity.labels().iter().filter(|label| is_ignored(label)).cloned().collect();
        if !ignored.is_empty() {
            return Decision::Done(Reason::Labels(ignored));
        }
        if let Some(reason) = scores_too_low(entity, options) {
            return Decision::Done(reason);
        }
    }
    let mut plan = Plan::default();
    let itself = (kind == Kind::Indicator).then_some(entity);
    for indicator in itself.into_iter().chain(&subject.indicators) {
        match unusable(indicator, subject, options, now) {
            Some(reason) => plan.drop(indicator, reason),
            None => plan.indicators.push(indicator.id().clone()),
        }
    }
    match kind {
        Kind::Vulnerability => plan.targets.push(entity.id().clone()),
        Kind::Observable => {
            if plan.indicators.is_empty() && !rules.create_obs_sightings {
                return Decision::Done(Reason::NoIndicator);
            }
            plan.targets.push(entity.id().clone());
        }
        Kind::Indicator | Kind::Container => {
            plan.targets.clone_from(&plan.indicators);
            for observable in &subject.observables {
                let unwanted = || {
                    let needs = observable.kind() == Some(Kind::Observable) && !rules.create_obs_sightings;
                    (needs && plan.indicators.is_empty()).then_some(Reason::NoIndicator)
                };
                let too_low = || scores_too_low(observable, options);
                match above_maximum(observable, subject, rules.max_tlp).or_else(unwanted).or_else(too_low) {
                    Some(reason) => plan.drop(observable, reason),
                    None => plan.targets.push(observable.id().clone()),
                }
            }
        }
    }
    if plan.targets.is_empty() {
        let own = plan.dropped.iter().find(|dropped| dropped.id == *entity.id());
        return Decision::Done(own.map_or(Reason::NothingToHunt, |dropped| dropped.reason.clone()));
    }
    Decision::Search(plan)
}

impl Plan {
    fn drop(&mut self, entity: &Entity, reason: Reason) {
        self.dropped.push(Dropped { id: entity.id().clone(), label: entity.label().to_owned(), reason });
    }
}

fn above_maximum(entity: &Entity, subject: &Subject, max: Tlp) -> Option<Reason> {
    let found = entity.tlp(&subject.references)?;
    (found > max).then_some(Reason::Marking { found, max })
}

/// Why an indicator does not count.
fn unusable(indicator: &Entity, subject: &Subject, options: &EnrichmentOptions, now: Timestamp) -> Option<Reason> {
    let rules = &options.inspect;
    let properties = indicator.indicator()?;
    if let Some(reason) = above_maximum(indicator, subject, rules.max_tlp) {
        return Some(reason);
    }
    if rules.ignore_revoked_indicators && properties.common.revoked == Some(true) {
        return Some(Reason::Revoked);
    }
    if let Some(end) = properties.valid_until.filter(|end| rules.ignore_expired_indicators && *end <= now) {
        return Some(Reason::Expired(end));
    }
    if rules.require_indicator_detection && indicator.object().opencti().detection() != Some(true) {
        return Some(Reason::NotForDetection);
    }
    // What the platform gives an indicator that says nothing.
    let found = indicator.score().unwrap_or(50);
    if let Some(threshold) = rules.indicator_score_threshold.filter(|threshold| found < *threshold) {
        return Some(Reason::Score { found, threshold });
    }
    let found = properties.common.confidence?;
    let threshold = rules.indicator_confidence_threshold.filter(|threshold| found < *threshold)?;
    Some(Reason::Confidence { found, threshold })
}

/// Why an observable is not searched unless somebody asks for it. Other entities have their own rules.
fn scores_too_low(entity: &Entity, options: &EnrichmentOptions) -> Option<Reason> {
    let found = entity.score().filter(|_| entity.kind() == Some(Kind::Observable))?;
    let threshold = options.inspect.observable_score_threshold.filter(|threshold| found < *threshold)?;
    Some(Reason::Score { found, threshold })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use stix_model::Object;

    use super::*;

    fn now() -> Timestamp {
        "2026-03-14T09:26:53.589Z".parse().unwrap()
    }

    fn object(json: &Value) -> Object {
        json.to_string().parse().unwrap()
    }

    fn address(extra: &Value) -> Object {
        let mut json = json!({"type": "ipv4-addr", "value": "198.51.100.7"});
        merge(&mut json, extra);
        object(&json)
    }

    fn indicator(number: u8, extra: &Value) -> Object {
        let mut json = json!({
            "type": "indicator", "id": format!("indicator--3ae0b0a2-7289-5fda-8a85-0000000000{number:02}"),
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "valid_from": "2026-01-01T00:00:00Z",
            "pattern": "[ipv4-addr:value = '198.51.100.7']", "pattern_type": "stix", "name": format!("indicator {number}"),
        });
        merge(&mut json, extra);
        object(&json)
    }

    fn merge(into: &mut Value, from: &Value) {
        for (name, value) in from.as_object().unwrap() {
            into[name] = value.clone();
        }
    }

    fn options() -> EnrichmentOptions {
        EnrichmentOptions::new(Tlp::Amber, "https://siem.example.org")
    }

    fn decide(subject: &Subject, options: &EnrichmentOptions) -> Decision {
        inspect(subject, options, Trigger::Automatic, now())
    }

    fn plan(subject: &Subject, options: &EnrichmentOptions) -> Plan {
        match decide(subject, options) {
            Decision::Search(plan) => plan,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_marking_counts() {
        let green = Tlp::Green.identifier().to_string();
        let red = Tlp::Red.identifier().to_string();
        let refused = |markings: &[&str]| {
            let subject = Subject::new(address(&json!({"object_marking_refs": markings})));
            matches!(
                decide(&subject, &options()),
                Decision::Refuse(Reason::Marking { found: Tlp::Red, max: Tlp::Amber })
            )
        };
        assert!(!refused(&[]) && !refused(&[&green]));
        assert!(refused(&[&red]) && refused(&[&green, &red]) && refused(&[&red, &green]));
        // The identifiers of the definitions of TLP 2 mean the same.
        assert!(refused(&["marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"]));
        // A marking that a platform made itself is known by its definition.
        let own = "marking-definition--4e4e3b84-de45-53df-9d9b-b21207699fd8";
        let definition = object(&json!({
            "type": "marking-definition", "id": own, "created": "2026-01-01T00:00:00Z", "definition_type": "statement",
            "definition": {"statement": "custom"}, "x_opencti_definition_type": "TLP", "x_opencti_definition": "TLP:RED",
        }));
        let subject = Subject::with_related(address(&json!({"object_marking_refs": [own]})), [definition]);
        assert!(matches!(decide(&subject, &options()), Decision::Refuse(Reason::Marking { .. })));
    }

    /// B-21: the author has the identifier that the platform gives it; and a person may ask for anything.
    #[test]
    fn b_21_own_entities() {
        let mut options = options();
        let own = options.author().id().to_string();
        for extra in [
            json!({"x_opencti_created_by_ref": own}),
            json!({"extensions": {stix_model::opencti::SCO_EXTENSION: {"created_by_ref": own}}}),
        ] {
            let subject = Subject::new(address(&extra));
            options.inspect.ignore_own_entities = false;
            assert!(matches!(decide(&subject, &options), Decision::Search(_)));
            options.inspect.ignore_own_entities = true;
            assert_eq!(decide(&subject, &options), Decision::Done(Reason::Own("Wazuh".to_owned())));
            assert!(matches!(inspect(&subject, &options, Trigger::Manual, now()), Decision::Search(_)));
        }
        let other = Subject::new(address(
            &json!({"x_opencti_created_by_ref": "identity--69f1df30-eb2f-5845-88e0-64e2d05ab72e"}),
        ));
        assert!(matches!(decide(&other, &options), Decision::Search(_)));
    }

    /// B-82 d: labels stand in extensions where the platform made the bundle.
    #[test]
    fn b_82_labels_wherever_they_stand() {
        for extra in [
            json!({"labels": ["x", "hygiene"]}),
            json!({"x_opencti_labels": ["hygiene"]}),
            json!({"extensions": {stix_model::opencti::SCO_EXTENSION: {"labels": ["hygiene"]}}}),
        ] {
            let subject = Subject::new(address(&extra));
            assert_eq!(decide(&subject, &options()), Decision::Done(Reason::Labels(vec!["hygiene".to_owned()])));
            assert!(matches!(inspect(&subject, &options(), Trigger::Manual, now()), Decision::Search(_)));
            assert!(matches!(inspect(&subject, &options(), Trigger::Playbook, now()), Decision::Done(_)));
        }
    }

    /// B-22: an indicator is searched by its pattern and through all its observables. B-26: it needs none of them.
    #[test]
    fn b_22_b_26_all_observables_or_none() {
        let domain = object(&json!({"type": "domain-name", "value": "evil.example"}));
        let subject = Subject::with_related(indicator(1, &json!({})), [address(&json!({})), domain]);
        let plan = plan(&subject, &options());
        let types: Vec<_> = plan.targets.iter().map(Identifier::object_type).collect();
        assert_eq!(types, ["indicator", "ipv4-addr", "domain-name"]);
        let alone = Subject::new(indicator(1, &json!({})));
        assert!(matches!(decide(&alone, &options()), Decision::Search(plan) if plan.targets.len() == 1));
    }

    /// B-23: the platform's name of the flag. B-27: validity and markings of indicators.
    #[test]
    fn b_23_b_27_usable_indicators() {
        let mut options = options();
        options.inspect.require_indicator_detection = true;
        options.inspect.ignore_expired_indicators = true;
        options.inspect.indicator_score_threshold = Some(50);
        options.inspect.indicator_confidence_threshold = Some(40);
        let flag = |value: Value| json!({"x_opencti_detection": value});
        let related = [
            indicator(1, &flag(true.into())),
            indicator(2, &flag(false.into())),
            indicator(3, &json!({})),
            indicator(4, &json!({"x_opencti_detection": true, "revoked": true})),
            indicator(5, &json!({"x_opencti_detection": true, "x_opencti_score": 49})),
            indicator(6, &json!({"x_opencti_detection": true, "valid_until": "2026-03-14T09:26:53.589Z"})),
            indicator(7, &json!({"x_opencti_detection": true, "object_marking_refs": [Tlp::Red.identifier()]})),
            indicator(8, &json!({"extensions": {stix_model::opencti::EXTENSION: {"detection": true, "score": 50}}})),
            indicator(9, &json!({"x_opencti_detection": true, "confidence": 39})),
        ];
        let subject = Subject::with_related(address(&json!({})), related);
        let plan = plan(&subject, &options);
        let usable: Vec<_> = plan.indicators.iter().map(ToString::to_string).collect();
        assert_eq!(usable.len(), 2, "{usable:?}");
        assert!(usable[0].ends_with("01") && usable[1].ends_with("08"));
        let reasons: Vec<_> = plan.dropped.iter().map(|dropped| dropped.reason.to_string()).collect();
        assert_eq!(
            reasons,
            [
                "the indicator is not meant for detection",
                "the indicator is not meant for detection",
                "the indicator is revoked",
                "the score 49 is below 50",
                "the indicator was valid until 2026-03-14T09:26:53.589Z",
                "the marking TLP:RED is above the maximum TLP:AMBER",
                "the confidence 39 is below 40",
            ]
        );
        // An entity that is not usable itself says why.
        let revoked = Subject::new(indicator(4, &json!({"x_opencti_detection": true, "revoked": true})));
        assert_eq!(decide(&revoked, &options), Decision::Done(Reason::Revoked));
    }

    #[test]
    fn observables_that_score_too_low() {
        let mut options = options();
        options.inspect.observable_score_threshold = Some(30);
        let scored = |score: i64| Subject::new(address(&json!({"x_opencti_score": score})));
        assert_eq!(decide(&scored(29), &options), Decision::Done(Reason::Score { found: 29, threshold: 30 }));
        assert!(matches!(decide(&scored(30), &options), Decision::Search(_)));
        assert!(matches!(decide(&Subject::new(address(&json!({}))), &options), Decision::Search(_)));
        assert!(matches!(inspect(&scored(1), &options, Trigger::Manual, now()), Decision::Search(_)));
        let based = Subject::with_related(indicator(1, &json!({})), [address(&json!({"x_opencti_score": 29}))]);
        let plan = plan(&based, &options);
        assert_eq!((plan.targets.len(), plan.dropped.len()), (1, 1));
    }

    #[test]
    fn observables_without_indicators() {
        let mut options = options();
        options.inspect.create_obs_sightings = false;
        let alone = Subject::new(address(&json!({})));
        assert_eq!(decide(&alone, &options), Decision::Done(Reason::NoIndicator));
        let with = Subject::with_related(address(&json!({})), [indicator(1, &json!({}))]);
        assert!(matches!(decide(&with, &options), Decision::Search(_)));
    }

    #[test]
    fn containers_hunt_everything_that_may_be_read() {
        let report = object(&json!({
            "type": "report", "id": "report--3ae0b0a2-7289-5fda-8a85-02d057ba0968", "name": "Monthly",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
            "object_refs": ["indicator--3ae0b0a2-7289-5fda-8a85-000000000001"],
        }));
        let secret = address(&json!({"object_marking_refs": [Tlp::Red.identifier()]}));
        let domain = object(&json!({"type": "domain-name", "value": "evil.example"}));
        let empty = Subject::new(report.clone());
        assert_eq!(decide(&empty, &options()), Decision::Done(Reason::NothingToHunt));
        let subject = Subject::with_related(report, [secret, indicator(1, &json!({})), domain]);
        let plan = plan(&subject, &options());
        assert_eq!(plan.targets.len(), 2);
        assert_eq!(plan.dropped.len(), 1);
    }

    #[test]
    fn types_that_cannot_be_searched() {
        let subject = Subject::new(object(&json!({
            "type": "location", "id": "location--b8d0549f-de06-5ebd-a6e9-d31a581dba5d", "name": "France", "country": "FR",
            "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "x_opencti_type": "Country",
        })));
        assert_eq!(decide(&subject, &options()), Decision::Refuse(Reason::UnsupportedType("Country".to_owned())));
    }
}
