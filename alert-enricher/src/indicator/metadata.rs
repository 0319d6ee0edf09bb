//! What is known about an indicator beside its values.

use stix_model::marking::Tlp;
use stix_model::{Identifier, Object, Timestamp};

/// What is known about an indicator or observable beside its values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Indicator {
    /// The identifier of the indicator or observable; that of the value itself where a list named nothing else.
    pub id: Identifier,
    /// Its name or description, if it says more than the value.
    pub name: Option<Box<str>>,
    /// Its pattern, if that asks for more than single values.
    pub pattern: Option<Box<str>>,
    /// From when on it is valid.
    pub valid_from: Option<Timestamp>,
    /// Until when it is valid, that moment excluded. Of a revoked one, the time of its last change at the latest.
    pub valid_until: Option<Timestamp>,
    /// Whether its author took it back.
    pub revoked: bool,
    /// Its score, 0 to 100.
    pub score: Option<u8>,
    /// How sure its author is, 0 to 100.
    pub confidence: Option<u8>,
    /// Its labels.
    pub labels: Vec<Box<str>>,
    /// How far it may be told.
    pub tlp: Option<Tlp>,
}

impl Indicator {
    /// One of which nothing but the identifier is known.
    pub fn new(id: Identifier) -> Self {
        Self {
            id,
            name: None,
            pattern: None,
            valid_from: None,
            valid_until: None,
            revoked: false,
            score: None,
            confidence: None,
            labels: Vec::new(),
            tlp: None,
        }
    }

    /// What an object says: an indicator or an observable.
    ///
    /// Name and pattern are left out; whether they say more than the values depends on these. Markings are told by
    /// their identifiers only.
    pub fn of_object(object: &Object) -> Self {
        let opencti = object.opencti();
        let percent = |number: i64| u8::try_from(number.clamp(0, 100)).ok();
        let mut indicator = Self {
            score: opencti.score().and_then(percent),
            tlp: Tlp::highest(&object.object_marking_refs()),
            ..Self::new(object.id().clone())
        };
        match object {
            Object::Indicator(stix) => {
                let common = &stix.common;
                indicator.valid_from = Some(stix.valid_from);
                indicator.revoked = common.revoked == Some(true);
                let ended = indicator.revoked.then_some(common.modified);
                indicator.valid_until = stix.valid_until.into_iter().chain(ended).min();
                indicator.confidence = common.confidence.and_then(percent);
                indicator.labels = common.labels.iter().map(|label| label.as_str().into()).collect();
            }
            _ => indicator.labels = opencti.labels().into_iter().map(Box::from).collect(),
        }
        indicator
    }

    /// Whether it is an indicator, not an observable or a value of a list.
    pub fn is_indicator(&self) -> bool {
        self.id.object_type() == "indicator"
    }
}
