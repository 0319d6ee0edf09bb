//! Why an object cannot be searched, and what a query leaves out.

use std::fmt;

use stix_model::Identifier;

/// Why nothing can be searched for an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSearchable {
    /// The object has none of the properties that alerts could hold.
    #[error("has no {0}")]
    Missing(&'static str),
    /// A property is not what it should be.
    #[error("`{value}` is not {expected}")]
    Invalid {
        /// The value, shortened.
        value: String,
        /// What is expected.
        expected: &'static str,
    },
    /// Every hash is that of empty input, which every empty file has.
    #[error("has only the hash of empty input, which every empty file has")]
    EmptyInput,
    /// The address or network is not globally reachable, and private addresses are not searched.
    #[error("{0} is not globally reachable (`ignore_private_addrs` is on)")]
    PrivateAddress(String),
    /// So many alerts would match that a hit would say nothing.
    #[error("{0}")]
    TooBroad(&'static str),
    /// An option forbids the only search that is possible.
    #[error("{what} (`{option}`)")]
    Option {
        /// What is not possible.
        what: &'static str,
        /// The option.
        option: &'static str,
    },
    /// A referenced object is not at hand. Searching without it would find too much.
    #[error("`{property}` refers to {id}, which is not at hand")]
    Unresolved {
        /// The property.
        property: &'static str,
        /// The object.
        id: Identifier,
    },
    /// A referenced object is of a type that has no place in the search.
    #[error("`{property}` refers to an object of type {object_type}, which alerts do not hold there")]
    ReferenceType {
        /// The property.
        property: &'static str,
        /// The type of the object.
        object_type: String,
    },
    /// No expression for the value fits into the limits of the index.
    #[error("`{value}` is too long for a regular expression of the index ({limit} characters)")]
    TooLong {
        /// The value, shortened.
        value: String,
        /// The limit.
        limit: usize,
    },
    /// The catalogue has no field for this in this schema.
    #[error("no alert field of this schema holds {0}")]
    NoField(&'static str),
    /// Objects of this type do not occur in alerts.
    #[error("objects of type {0} do not occur in alerts")]
    Type(String),
}

/// Something that a query leaves out or adds, and that a reader of its result should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A value is longer than the index allows in a regular expression; only its beginning is searched.
    Shortened(String),
    /// A value is longer than the index allows in a regular expression; it is not searched.
    TooLong(String),
    /// Some words of a command line are not required.
    WordsIgnored(usize),
    /// Some clauses were left out to stay below the limit of the cluster.
    ClausesCut {
        /// How many stayed.
        kept: usize,
        /// How many went.
        cut: usize,
    },
    /// A property does not narrow the search.
    NotRequired(&'static str),
    /// A value of the object was not searched.
    Skipped {
        /// The value.
        value: String,
        /// Why.
        why: &'static str,
    },
    /// A network is searched only where the index knows addresses.
    OnlyAddressFields(String),
}

impl fmt::Display for Note {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shortened(value) => write!(formatter, "only the beginning of `{value}` is searched: it is too long"),
            Self::TooLong(value) => write!(formatter, "`{value}` is not searched: it is too long"),
            Self::WordsIgnored(count) => write!(formatter, "{count} words of the command line are not required"),
            Self::ClausesCut { kept, cut } => {
                write!(formatter, "{cut} of {} clauses were left out: the cluster allows no more", kept + cut)
            }
            Self::NotRequired(property) => write!(formatter, "`{property}` does not narrow the search"),
            Self::Skipped { value, why } => write!(formatter, "`{value}` is not searched: {why}"),
            Self::OnlyAddressFields(network) => {
                write!(formatter, "{network} is searched only in fields that the index maps as addresses")
            }
        }
    }
}

/// A value for a message: at most 80 characters.
pub(super) fn shown(value: &str) -> String {
    let mut chars = value.chars();
    let mut out: String = chars.by_ref().take(80).collect();
    if chars.next().is_some() {
        out.push('…');
    }
    out
}
