//! What is asked of one field.

use super::{limits, write_string};

/// A leaf of a query: what one field must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clause {
    /// The field has some value.
    Exists,
    /// The value is exactly this text. A field that is no text to the index is passed over, where a term would fail the
    /// whole search. Written as a `match` query, which is a term on fields that are not analysed.
    Lenient(String),
    /// The value starts with a text.
    Prefix {
        /// The text.
        value: String,
        /// ASCII letters match in either case.
        case_insensitive: bool,
    },
    /// The value is in a range. Bounds are JSON texts (a number, or a quoted date).
    Range {
        /// At least.
        gte: Option<String>,
        /// At most.
        lte: Option<String>,
    },
    /// The whole value matches a Lucene regular expression.
    Regexp {
        /// The expression; see [`crate::regexp`].
        value: String,
        /// ASCII letters match in either case.
        case_insensitive: bool,
    },
    /// The value is exactly this text; on an `ip` field, an address or a network in CIDR notation.
    Term {
        /// The text.
        value: String,
        /// ASCII letters match in either case.
        case_insensitive: bool,
    },
    /// The value is exactly one of these texts.
    Terms(Vec<String>),
    /// The whole value matches a pattern of `*` and `?`.
    Wildcard {
        /// The pattern; `*`, `?` and `\` stand for themselves after a backslash.
        value: String,
        /// ASCII letters match in either case.
        case_insensitive: bool,
    },
}

impl Clause {
    /// The value is exactly `value`.
    pub fn term(value: impl Into<String>) -> Self {
        Self::Term { value: value.into(), case_insensitive: false }
    }

    /// The value is `value`, ASCII letters in either case. A value of more than [`limits::FOLDED_BYTES`] is compared as
    /// it is.
    pub fn folded(value: impl Into<String>) -> Self {
        let value = value.into();
        let case_insensitive = value.len() <= limits::FOLDED_BYTES;
        Self::Term { value, case_insensitive }
    }

    /// The value is exactly one of `values`. Repeats are dropped; a single value becomes a `term`.
    pub fn any(values: impl IntoIterator<Item = String>) -> Self {
        let mut unique: Vec<String> = Vec::new();
        for value in values {
            if !unique.contains(&value) {
                unique.push(value);
            }
        }
        match <[String; 1]>::try_from(unique) {
            Ok([value]) => Self::term(value),
            Err(values) => Self::Terms(values),
        }
    }

    /// The parts of the clause's JSON around the quoted field name: `{"term":{"name":{…}}}`.
    pub(super) fn json_around_field(&self) -> (&'static str, String) {
        let (open, mut body) = match self {
            Self::Exists => return ("{\"exists\":{\"field\":", "}}".to_owned()),
            Self::Lenient(value) => {
                let mut body = String::from(":{\"query\":");
                write_string(&mut body, value);
                body.push_str(",\"lenient\":true}");
                ("{\"match\":{", body)
            }
            Self::Prefix { value, case_insensitive } => ("{\"prefix\":{", folded_value(value, *case_insensitive)),
            Self::Regexp { value, case_insensitive } => ("{\"regexp\":{", folded_value(value, *case_insensitive)),
            Self::Term { value, case_insensitive } => ("{\"term\":{", folded_value(value, *case_insensitive)),
            Self::Wildcard { value, case_insensitive } => ("{\"wildcard\":{", folded_value(value, *case_insensitive)),
            Self::Range { gte, lte } => {
                let bounds = [("gte", gte), ("lte", lte)].into_iter().filter_map(|(name, bound)| {
                    let bound = bound.as_ref()?;
                    Some(format!("\"{name}\":{bound}"))
                });
                ("{\"range\":{", format!(":{{{}}}", bounds.collect::<Vec<_>>().join(",")))
            }
            Self::Terms(values) => {
                let mut body = String::from(":[");
                for (place, value) in values.iter().enumerate() {
                    if place > 0 {
                        body.push(',');
                    }
                    write_string(&mut body, value);
                }
                body.push(']');
                ("{\"terms\":{", body)
            }
        };
        body.push_str("}}");
        (open, body)
    }
}

fn folded_value(value: &str, case_insensitive: bool) -> String {
    let mut body = String::with_capacity(value.len() + 40);
    body.push_str(":{\"value\":");
    write_string(&mut body, value);
    // Folding makes an indexer walk through its terms, so it is asked for only where there is something to fold.
    if case_insensitive && value.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        body.push_str(",\"case_insensitive\":true");
    }
    body.push('}');
    body
}
