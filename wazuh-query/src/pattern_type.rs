//! In which language the pattern of an indicator is written, and why most of them find nothing in alerts.
//!
//! STIX 2.1 keeps the language in `pattern_type` (10.19, "Pattern Type Vocabulary", an open vocabulary). `OpenCTI` adds
//! names of its own.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Declares the types with their names in STIX and `OpenCTI`, and why alerts cannot be searched with them.
macro_rules! types {
    ($( $(#[$meta:meta])* $variant:ident = $name:literal $(, $reason:literal)?; )*) => {
        /// The language of an indicator's pattern.
        ///
        /// ```
        /// use wazuh_query::pattern_type::PatternType;
        ///
        /// let yara = PatternType::read("yara");
        /// assert_eq!(yara, PatternType::Yara);
        /// assert!(yara.not_searchable().is_some());
        /// assert!(PatternType::Sigma.not_searchable().is_none());
        /// ```
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum PatternType {
            $( $(#[$meta])* $variant, )*
            /// A name that is in neither vocabulary, as it was written.
            Other(Box<str>),
        }

        impl PatternType {
            /// Every type that has a name of its own.
            pub const KNOWN: &[Self] = &[$(Self::$variant),*];

            /// The name in `pattern_type`.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(name) => name,
                }
            }

            fn reason(&self) -> Option<&'static str> {
                match self {
                    $($(Self::$variant => Some($reason),)?)*
                    Self::Other(_) => Some("the language of the pattern is not known"),
                    _ => None,
                }
            }
        }
    };
}

types! {
    /// The patterning language of STIX.
    Stix = "stix";
    /// A Sigma rule.
    Sigma = "sigma";
    /// A YARA rule.
    Yara = "yara", "YARA rules look into files and memory; alerts do not hold their content";
    /// A Snort rule.
    Snort = "snort", "Snort rules look into network packets; alerts do not hold their content";
    /// A Suricata rule.
    Suricata = "suricata", "Suricata rules look into network packets; alerts do not hold their content";
    /// A Perl-compatible regular expression.
    Pcre = "pcre", "a bare regular expression does not say which field of an event it is about";
    /// A query of Shodan.
    Shodan = "shodan", "Shodan queries ask about services on the Internet, which alerts do not describe";
    /// A search of Splunk.
    Spl = "spl", "SPL searches are written for the indexes and field names of a Splunk installation";
    /// A query in the Event Query Language of Elastic.
    Eql = "eql", "EQL queries are written for the fields of Elastic's schema and for sequences of its events";
    /// A signal of Tanium.
    TaniumSignal = "tanium-signal", "Tanium signals are evaluated by Tanium's agent on the endpoint";
}

impl PatternType {
    /// Reads a name. Case and white space around it do not matter; whatever is not known is [`PatternType::Other`].
    /// No name means STIX: version 2.0 had no other language and no `pattern_type`.
    pub fn read(name: &str) -> Self {
        let name = name.trim();
        if name.is_empty() {
            return Self::Stix;
        }
        let known = Self::KNOWN.iter().find(|known| known.name().eq_ignore_ascii_case(name));
        known.cloned().unwrap_or_else(|| Self::Other(name.into()))
    }

    /// Why alerts cannot be searched for patterns of this type; nothing for STIX patterns and Sigma rules.
    pub fn not_searchable(&self) -> Option<NotSearchablePattern> {
        self.reason().map(|reason| NotSearchablePattern { pattern_type: self.clone(), reason })
    }
}

/// Why no alert can be searched for a pattern of some type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pattern type `{pattern_type}` is not searchable in alerts: {reason}")]
pub struct NotSearchablePattern {
    /// The type.
    pub pattern_type: PatternType,
    /// What it looks at instead, as half a sentence.
    pub reason: &'static str,
}

impl fmt::Display for PatternType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for PatternType {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(Self::read(name))
    }
}

impl Serialize for PatternType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for PatternType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Ok(Self::read(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for known in PatternType::KNOWN {
            assert_eq!(&PatternType::read(&known.to_string()), known);
            let written = serde_json::to_string(known).unwrap();
            assert_eq!(&serde_json::from_str::<PatternType>(&written).unwrap(), known);
        }
        assert_eq!(PatternType::read(" YARA "), PatternType::Yara);
        assert_eq!(PatternType::read("kql"), PatternType::Other("kql".into()));
        assert_eq!(PatternType::read(""), PatternType::Stix);
    }

    #[test]
    fn only_stix_and_sigma_can_be_searched() {
        let searchable: Vec<_> = PatternType::KNOWN.iter().filter(|kind| kind.not_searchable().is_none()).collect();
        assert_eq!(searchable, [&PatternType::Stix, &PatternType::Sigma]);
        assert_eq!(
            PatternType::read("Snort").not_searchable().unwrap().to_string(),
            "pattern type `snort` is not searchable in alerts: Snort rules look into network packets; alerts do not \
             hold their content"
        );
        assert_eq!(
            PatternType::read("kql").not_searchable().unwrap().to_string(),
            "pattern type `kql` is not searchable in alerts: the language of the pattern is not known"
        );
    }
}
