//! One test of one property.

use stix_model::Timestamp;
use stix_model::pattern::{ComparisonOperator, ComparisonTest, LiteralValue, PropertyTest};

use super::equal::{self, Found, equal};
use super::lucene::Spelling;
use super::places::{Form, Mapped, Source};
use super::property::{Of, Property};
use super::reason::Widening;
use super::text::{Wanted, containing};
use super::{digest, hosts};
use crate::dsl::{Clause, Query};
use crate::regexp::Regexp;
use crate::value;

/// What one test asks of alerts.
#[derive(Debug)]
pub(super) struct Asked {
    pub query: Query,
    /// What the query finds beside that.
    pub wider: Option<Widening>,
}

/// A test in a form in which each way to say it is said once.
#[derive(Clone, Debug)]
pub(super) enum Test<'p> {
    /// One of some values.
    Equal(Vec<&'p LiteralValue>),
    /// Any value.
    Exists,
    /// No value at all.
    Absent,
    /// Some value of which something does not hold.
    Not,
    /// A text that is like this.
    Like(&'p str),
    /// A text in which the expression occurs.
    Matches(&'p str),
    /// A value before or after another one.
    Order(ComparisonOperator, &'p LiteralValue),
    /// An address in this network.
    Subset(&'p str),
    /// A network around this one.
    Superset(&'p str),
    /// What never holds: a text that is like a number.
    Never,
}

impl<'p> Test<'p> {
    pub(super) fn of(test: &'p ComparisonTest) -> Self {
        use ComparisonOperator as O;
        let (operator, literal) = match &test.test {
            PropertyTest::Exists if test.negated => return Self::Absent,
            PropertyTest::Exists => return Self::Exists,
            PropertyTest::In(_) if test.negated => return Self::Not,
            PropertyTest::In(list) => return Self::Equal(list.iter().map(|literal| &literal.value).collect()),
            PropertyTest::Compare(operator, literal) => (*operator, &literal.value),
        };
        // `NOT !=` is equality.
        match (operator, test.negated) {
            (O::Equal, false) | (O::NotEqual, true) => return Self::Equal(vec![literal]),
            (O::NotEqual, false) | (_, true) => return Self::Not,
            _ => {}
        }
        let text = match literal {
            LiteralValue::String(text) => Some(&**text),
            _ => None,
        };
        match (operator, text) {
            (O::Like, Some(text)) => Self::Like(text),
            (O::Matches, Some(text)) => Self::Matches(text),
            (O::IsSubset, Some(text)) => Self::Subset(text),
            (O::IsSuperset, Some(text)) => Self::Superset(text),
            (O::Less | O::LessOrEqual | O::Greater | O::GreaterOrEqual, _) => Self::Order(operator, literal),
            _ => Self::Never,
        }
    }
}

/// The query for a test of a property that stands in `sources`.
pub(super) fn ask(property: Property, sources: &[Source], test: &Test<'_>) -> Asked {
    // Which name led to which address is worked out of the whole event.
    let mut found = Found { wider: matches!(property, Property::End(Of::Answer)), ..Found::default() };
    let mut any_value = None;
    match test {
        Test::Never => {}
        Test::Absent => any_value = Some(Widening::Absence),
        Test::Exists => any_value = Some(Widening::Presence),
        Test::Not => any_value = Some(Widening::Negation),
        _ if matches!(property, Property::Presence(_)) => any_value = Some(Widening::Kind),
        Test::Equal(values) => {
            let values: Vec<LiteralValue> = values.iter().map(|value| (*value).clone()).collect();
            for source in sources {
                equal(property, source, &values, &mut found);
            }
        }
        Test::Like(pattern) => {
            let wanted = Wanted::like(pattern);
            let plain: Vec<bool> = sources.iter().map(|source| text(source, &wanted, &mut found)).collect();
            any_value = plain.contains(&false).then_some(Widening::Expression);
        }
        Test::Matches(expression) => {
            if let Some(wanted) = Wanted::matches(expression) {
                found.wider = true;
                let plain: Vec<bool> = sources.iter().map(|source| text(source, &wanted, &mut found)).collect();
                any_value = plain.contains(&false).then_some(Widening::Expression);
            } else {
                for source in sources {
                    exists(source, &mut found);
                }
                any_value = Some(Widening::Expression);
            }
        }
        Test::Order(operator, value) => {
            let ordered: Vec<bool> = sources.iter().map(|source| order(source, *operator, value, &mut found)).collect();
            any_value = ordered.contains(&false).then_some(Widening::Order);
        }
        Test::Subset(network) => {
            for source in sources {
                subset(source, network, &mut found);
            }
        }
        Test::Superset(network) => {
            for source in sources {
                superset(property, source, network, &mut found);
            }
        }
    }
    if matches!(any_value, Some(Widening::Absence | Widening::Presence | Widening::Negation | Widening::Kind)) {
        for source in sources {
            exists(source, &mut found);
        }
    }
    let wider = any_value.or(found.wider.then_some(Widening::Notation));
    Asked { query: Query::any(found.queries), wider }
}

fn exists(source: &Source, found: &mut Found) {
    found.queries.push(Query::any_field(&source.fields, Clause::Exists));
}

fn is_address(form: Form) -> bool {
    matches!(form, Form::Address(_) | Form::AddressInAnswers(_) | Form::AddressInUrl(_) | Form::AddressWithPort(_))
}

/// What stands around a value in the text of a field, and how the value may be written. `None` where the value is not
/// a part of the text.
fn around(form: Form) -> Option<(&'static str, &'static str, Spelling)> {
    let as_it_is = Spelling::default();
    let any_case = Spelling { any_case: true, ..as_it_is };
    let escaped = Spelling { any_case: true, backslashes: true, quotes: true };
    Some(match form {
        Form::Whole => ("", "", as_it_is),
        Form::Upper | Form::Digest => ("", "", any_case),
        Form::Name { .. } => ("", r"\.?", any_case),
        Form::NameInAnswers { .. } => ("(.*; *)?(type: *[0-9]+ +)?", r"\.? *(;.*)?", any_case),
        Form::NameInUrl => ("https?://", "([:/?#].*)?", any_case),
        Form::Mailbox => (r"(.*\< *)?", r" *\>?", any_case),
        Form::UrlTarget => ("([^:/?#]+://[^/?#]*)?", "", as_it_is),
        Form::Login => ("", r" *(\(uid=[0-9]+\))?", equal::PATH),
        Form::LoginNumber => (r"([^(]*\(uid=)?", r"\)?", any_case),
        Form::Path => ("", r"[/\\]*", equal::PATH),
        Form::Basename => (r"(.*[/\\])?", "", equal::PATH),
        // A root keeps its separator.
        Form::ParentPath => ("", r"[/\\]*[^/\\]*", equal::PATH),
        Form::ValueNameInKey => (r".*\\+", "", equal::PATH),
        Form::CommandLine => ("", "", escaped),
        Form::RegistryData => (r"([DQ]WORD *\( *)?", r"( *\))?", escaped),
        _ => return None,
    })
}

/// Fields that hold a text. `false` when only the presence of one can be asked for.
fn text(source: &Source, wanted: &Wanted, found: &mut Found) -> bool {
    let asked = match source.form {
        _ if source.mapped != Mapped::Keyword => addresses_like(source, wanted, found),
        Form::Address(_) | Form::AddressWithPort(_) | Form::AddressInAnswers(_) | Form::AddressInUrl(_) => {
            addresses_like(source, wanted, found)
        }
        Form::Key | Form::KeyOrValue => key_like(source, wanted, found),
        Form::DigestInList(algorithm) => {
            let before = digest::member(algorithm);
            let spelling = Spelling { any_case: true, ..Spelling::default() };
            expression(source, wanted, &before, " *([,;].*)?", spelling, found)
        }
        form => match around(form) {
            Some((before, after, spelling)) => expression(source, wanted, before, after, spelling, found),
            None => false,
        },
    };
    if !asked {
        exists(source, found);
    }
    asked
}

fn expression(
    source: &Source,
    wanted: &Wanted,
    before: &str,
    after: &str,
    spelling: Spelling,
    found: &mut Found,
) -> bool {
    let Some(expression) = wanted.expression(before, after, spelling) else { return false };
    // Only where the text is the value, and nothing but the value is compared, is the answer the same.
    found.wider |= !expression.exact || source.form != Form::Whole || finds_placeholder(&expression.text);
    let clause = Clause::Regexp { value: expression.text, case_insensitive: spelling.any_case };
    found.queries.push(Query::any_field(&source.fields, clause));
    true
}

/// Whether an expression finds what producers write where there is nothing.
fn finds_placeholder(expression: &str) -> bool {
    let found = |regexp: Regexp| value::PLACEHOLDERS.iter().chain(&[""]).any(|text| regexp.matches(text));
    Regexp::new(expression, false).map_or(true, found)
}

/// Addresses of IPv4 that begin with whole numbers are those of a network; IPv6 has too many spellings.
fn addresses_like(source: &Source, wanted: &Wanted, found: &mut Found) -> bool {
    if !is_address(source.form) {
        return false;
    }
    let Some(prefix) = wanted.prefix() else { return false };
    let whole: Vec<&str> = prefix.split('.').collect();
    // The last number may go on.
    let octets: Option<Vec<u8>> = whole.iter().take(whole.len() - 1).map(|octet| octet.parse().ok()).collect();
    let Some(octets) = octets.filter(|octets| !octets.is_empty() && octets.len() <= 4) else { return false };
    let mut address = [0; 4];
    address[..octets.len()].copy_from_slice(&octets);
    let length = u8::try_from(octets.len() * 8).unwrap_or(32);
    let Ok(network) = ipnet::Ipv4Net::new(address.into(), length) else { return false };
    found.wider = true;
    hosts::in_network(source, network.into(), found);
    true
}

/// The hive at the start of a key has several names, so only what stands behind it is asked for.
fn key_like(source: &Source, wanted: &Wanted, found: &mut Found) -> bool {
    const HIVES: [&str; 5] =
        [r"HKEY_CLASSES_ROOT\", r"HKEY_CURRENT_CONFIG\", r"HKEY_CURRENT_USER\", r"HKEY_LOCAL_MACHINE\", r"HKEY_USERS\"];
    let behind = |literal: String| {
        // What may lie in the name of the hive: the longest beginning with which the name of one may end.
        let overlap = (0..=literal.len())
            .rev()
            .filter(|end| literal.is_char_boundary(*end))
            .find(|end| HIVES.iter().any(|hive| ends_with(hive, &literal[..*end])));
        let inside = HIVES.iter().any(|hive| contains(hive, &literal));
        if inside { String::new() } else { literal[overlap.unwrap_or(0)..].to_owned() }
    };
    let longest = wanted.literals().into_iter().map(behind).max_by_key(String::len);
    let Some(expression) = longest.and_then(|literal| containing(&literal, equal::PATH)) else { return false };
    found.wider = true;
    let clause = Clause::Regexp { value: expression.text, case_insensitive: true };
    found.queries.push(Query::any_field(&source.fields, clause));
    true
}

fn ends_with(text: &str, end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|start| text.get(start..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn contains(text: &str, part: &str) -> bool {
    text.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
}

/// Fields that hold a value in a range. `false` when only the presence of one can be asked for.
fn order(source: &Source, operator: ComparisonOperator, value: &LiteralValue, found: &mut Found) -> bool {
    use ComparisonOperator as O;
    let bound = match (source.mapped, value) {
        (Mapped::Number, LiteralValue::Integer(number)) => match operator {
            O::Less => number.checked_sub(1).map(|number| number.to_string()),
            O::Greater => number.checked_add(1).map(|number| number.to_string()),
            _ => Some(number.to_string()),
        },
        (Mapped::Number, LiteralValue::Float(number)) => {
            let whole = match operator {
                O::Less => number.ceil() - 1.0,
                O::LessOrEqual => number.floor(),
                O::Greater => number.floor() + 1.0,
                _ => number.ceil(),
            };
            equal::whole(whole).map(|number| number.to_string())
        }
        (Mapped::Fraction, LiteralValue::Integer(_) | LiteralValue::Float(_)) => {
            found.wider = true;
            equal::text_of(value)
        }
        (Mapped::Date, LiteralValue::Timestamp(time)) => {
            // The index keeps milliseconds, so the bound itself is found too.
            found.wider = true;
            Some(millis(*time))
        }
        _ => None,
    };
    let Some(bound) = bound else {
        exists(source, found);
        return false;
    };
    let (gte, lte) = match operator {
        O::Less | O::LessOrEqual => (None, Some(bound)),
        _ => (Some(bound), None),
    };
    found.queries.push(Query::any_field(&source.fields, Clause::Range { gte, lte }));
    true
}

/// A time as a bound of a range.
pub(super) fn millis(time: Timestamp) -> String {
    format!("\"{}\"", time.to_millis())
}

/// Fields that hold an address in a network.
fn subset(source: &Source, network: &str, found: &mut Found) {
    let family = match source.form {
        Form::Address(family)
        | Form::AddressInAnswers(family)
        | Form::AddressInUrl(family)
        | Form::AddressWithPort(family) => family,
        _ => None,
    };
    let Some(network) = hosts::network(network, family) else { return };
    if is_address(source.form) || source.mapped == Mapped::Address {
        hosts::in_network(source, network, found);
    } else {
        network_text(source, &hosts::expression(network, found), found);
    }
}

/// Fields that hold a network around another one.
fn superset(property: Property, source: &Source, network: &str, found: &mut Found) {
    let Some(network) = hosts::network(network, None) else { return };
    if !is_address(source.form) {
        network_text(source, "[0-9a-f:.]+", found);
    } else if network.prefix_len() == network.max_prefix_len() {
        // Alerts hold addresses, and around an address there is no smaller network than itself.
        equal(property, source, &[LiteralValue::String(network.addr().to_string().into())], found);
    }
}

/// Fields of any text: the text may be an address or a network.
fn network_text(source: &Source, address: &str, found: &mut Found) {
    if source.mapped != Mapped::Keyword {
        return;
    }
    match (around(source.form), source.form) {
        (Some((before, after, _)), _) => {
            let value = format!("{before} ?({address})(/[0-9]+)?{after}");
            found.queries.push(Query::any_field(&source.fields, Clause::Regexp { value, case_insensitive: true }));
        }
        (None, Form::Argument | Form::UserId | Form::Presence) => exists(source, found),
        // Nothing of these is an address.
        (None, _) => return,
    }
    found.wider = true;
}
