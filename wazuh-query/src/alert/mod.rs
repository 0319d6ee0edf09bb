//! The alert document: who raised it, when, by which rule, and every catalogued field in it.
//!
//! [`Alert::read`] makes one pass over the JSON text, guided by the catalogue: what no row names is skipped without
//! being stored, and text is borrowed from the input where JSON escapes allow it. Wazuh 4.x and 5.x documents, bare
//! or wrapped in an `OpenSearch` hit (`{"_id": …, "_source": {…}}`), are read alike.

mod read;
mod told;

use std::borrow::Cow;

use serde::Serialize;
use stix_model::Timestamp;

use crate::catalogue::{Catalogue, FieldId, Schema};

pub use read::{ReadError, scan};
pub use told::Shown;

/// One value of a catalogued field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// The field.
    pub field: FieldId,
    /// Its text; numbers and Booleans as JSON writes them.
    pub text: Cow<'a, str>,
    /// The innermost array element around it, 0 outside of arrays of objects. Values of one element belong together.
    pub element: u32,
}

/// How severe a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleLevel(u8);

impl RuleLevel {
    /// The words of Wazuh 5 with the lowest level of Wazuh 4 that means the same.
    const WORDS: [(&'static str, u8); 5] =
        [("critical", 15), ("high", 12), ("medium", 7), ("low", 4), ("informational", 0)];

    /// Reads a level: a number of Wazuh 4 (0 to 16) or a word of Wazuh 5.
    pub fn read(text: &str) -> Option<Self> {
        let word = Self::WORDS.into_iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        word.map(|(_, level)| level).or_else(|| text.parse().ok()).map(Self)
    }

    /// The level on the scale of Wazuh 4, 0 to 16.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The word of Wazuh 5.
    pub fn word(self) -> &'static str {
        Self::WORDS.into_iter().find(|(_, level)| self.0 >= *level).map_or("informational", |(word, _)| word)
    }
}

/// The rule that raised an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule<'a> {
    /// Its identifier: a number as text (Wazuh 4), a UUID (Wazuh 5).
    pub id: Option<Cow<'a, str>>,
    /// Its level.
    pub level: Option<RuleLevel>,
    /// What it says.
    pub description: Option<Cow<'a, str>>,
    /// Its groups (Wazuh 4) or tags (Wazuh 5).
    pub groups: Vec<Cow<'a, str>>,
}

/// The agent that reported the event. Absent for agentless alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Agent<'a> {
    /// Its identifier, `000` for the manager.
    pub id: Option<Cow<'a, str>>,
    /// Its name.
    pub name: Option<Cow<'a, str>>,
    /// Its address.
    pub ip: Option<Cow<'a, str>>,
}

/// An alert of Wazuh 4.x or a finding or event of Wazuh 5.x.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alert<'a> {
    /// The document's identifier in the index (`_id`), where it came from one.
    pub document_id: Option<Cow<'a, str>>,
    /// The alert's own identifier.
    pub id: Option<Cow<'a, str>>,
    /// The schema that it follows.
    pub schema: Schema,
    /// When it was raised.
    pub timestamp: Option<Timestamp>,
    /// The rule that raised it.
    pub rule: Rule<'a>,
    /// The agent that reported the event.
    pub agent: Agent<'a>,
    /// The manager's name.
    pub manager: Option<Cow<'a, str>>,
    /// The decoder's name (Wazuh 4) or the integration's (Wazuh 5).
    pub decoder: Option<Cow<'a, str>>,
    /// Where the event came from.
    pub location: Option<Cow<'a, str>>,
    /// The integration that produced the event, as `data.integration` names it.
    pub integration: Option<Cow<'a, str>>,
    /// The number of the event within its provider, such as a Sysmon event id.
    pub event_code: Option<Cow<'a, str>>,
    /// Every other catalogued value in document order.
    pub leaves: Vec<Leaf<'a>>,
    /// The values of fields that tell something about the event as a whole, or hold nothing but a text to be shown; see
    /// [`Alert::outcome`], [`Alert::is_answer`] and [`Alert::shown`].
    pub told: Vec<Leaf<'a>>,
}

impl<'a> Alert<'a> {
    /// Reads one alert.
    ///
    /// Fails when the text is not JSON, is not an object, or holds nothing that an alert has.
    ///
    /// ```
    /// use wazuh_query::alert::Alert;
    /// use wazuh_query::catalogue::Catalogue;
    ///
    /// let text = r#"{"timestamp":"2026-03-14T09:26:53.589+0000","rule":{"level":5,"id":"5710"},
    ///     "agent":{"id":"001","name":"web01"},"data":{"srcip":"203.0.113.7"}}"#;
    /// let catalogue = Catalogue::builtin();
    /// let alert = Alert::read(text, &catalogue)?;
    /// assert_eq!(alert.agent.name.as_deref(), Some("web01"));
    /// assert_eq!(alert.leaves[0].text, "203.0.113.7");
    /// # Ok::<(), wazuh_query::alert::ReadError>(())
    /// ```
    pub fn read(text: &'a str, catalogue: &Catalogue) -> Result<Self, ReadError> {
        read::alert(text, catalogue)
    }

    /// The identifier to show: the document's, else the alert's own.
    pub fn shown_id(&self) -> Option<&str> {
        self.document_id.as_deref().or(self.id.as_deref())
    }
}

/// Reads the time of an alert: RFC 3339, or with Wazuh's zone offset without a colon (`+0000`).
pub fn timestamp(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Timestamp::from_unix_millis(time.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_monotone() {
        let words: Vec<_> = (0..=16).map(|level| RuleLevel(level).word()).collect();
        assert_eq!(words[0], "informational");
        assert_eq!(words[16], "critical");
        for (word, level) in RuleLevel::WORDS {
            assert_eq!(RuleLevel::read(word), Some(RuleLevel(level)));
            assert_eq!(RuleLevel(level).word(), word);
        }
    }

    #[test]
    fn times() {
        let wanted = timestamp("2026-03-14T09:26:53.589Z").unwrap();
        assert_eq!(timestamp("2026-03-14T10:26:53.589+0100"), Some(wanted));
        assert_eq!(timestamp("2026-03-14T10:26:53.589+01:00"), Some(wanted));
        assert_eq!(timestamp("yesterday"), None);
    }
}
