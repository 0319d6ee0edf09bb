//! Fields that hold one of some values.

use stix_model::pattern::LiteralValue;

use super::digest::{digests, digests_in_list, is_digest};
use super::hosts;
use super::lucene::Spelling;
use super::places::{Form, Mapped, Source};
use super::property::Property;
use super::text::spelled;
use crate::dsl::{Clause, Query, limits};
use crate::regexp::{escape, escape_backslashes, join_alternatives};
use crate::value;

/// Up to so many values have a clause each; more are joined in expressions.
pub(super) const FEW: usize = 2;

/// Queries of which one has to match, and whether they find nothing else.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub queries: Vec<Query>,
    /// The hits hold more notations than were asked for.
    pub wider: bool,
}

impl Found {
    pub(super) fn push(&mut self, source: &Source, clause: Clause) {
        self.queries.push(Query::any_field(&source.fields, clause));
    }

    /// Exactly one of some texts.
    pub(super) fn terms(&mut self, source: &Source, values: impl IntoIterator<Item = String>) {
        let mut values: Vec<String> = values.into_iter().filter(|value| value.len() <= limits::TERM_BYTES).collect();
        values.sort_unstable();
        values.dedup();
        for values in values.chunks(limits::TERMS) {
            let clause = match values {
                [one] => Clause::term(one.clone()),
                _ => Clause::Terms(values.to_vec()),
            };
            self.push(source, clause);
        }
    }

    /// One of some texts in any case.
    pub(super) fn folded(&mut self, source: &Source, values: &[String]) {
        let short = values.iter().all(|value| value.len() <= limits::FOLDED_BYTES && value.is_ascii());
        if values.len() <= FEW && short {
            for value in values {
                self.push(source, Clause::folded(value.clone()));
            }
        } else {
            self.spelled(source, values, "", "", Spelling { any_case: true, ..Spelling::default() });
        }
    }

    /// One of some texts between two expressions, in any spelling.
    pub(super) fn spelled(
        &mut self,
        source: &Source,
        values: &[String],
        before: &str,
        after: &str,
        spelling: Spelling,
    ) {
        let expressions = values.iter().map(|value| {
            let expression = spelled(value, spelling);
            self.wider |= !expression.exact;
            expression.text
        });
        let expressions: Vec<String> = expressions.collect();
        self.expressions(source, expressions, before, after, spelling.any_case);
    }

    /// One of some expressions between two others.
    pub(super) fn expressions(
        &mut self,
        source: &Source,
        alternatives: impl IntoIterator<Item = String>,
        before: &str,
        after: &str,
        case_insensitive: bool,
    ) {
        let room = limits::REGEXP_CHARS.saturating_sub(before.chars().count() + after.chars().count() + 2);
        let mut alternatives: Vec<String> = alternatives.into_iter().collect();
        alternatives.sort_unstable();
        alternatives.dedup();
        let (joined, too_long) = join_alternatives(alternatives, room);
        for joined in joined {
            let value = if before.is_empty() && after.is_empty() {
                joined
            } else if joined.contains('|') {
                format!("{before}({joined}){after}")
            } else {
                format!("{before}{joined}{after}")
            };
            self.push(source, Clause::Regexp { value, case_insensitive });
        }
        for long in too_long {
            // Only the beginning is asked for, up to a place where the expression can be cut.
            self.wider = true;
            let value = format!("{before}{}.*", cut(&long, room.saturating_sub(2)));
            self.push(source, Clause::Regexp { value, case_insensitive });
        }
    }

    fn exists(&mut self, source: &Source) {
        self.wider = true;
        self.push(source, Clause::Exists);
    }
}

/// The beginning of an expression that was written by [`spelled`], of at most `limit` characters.
fn cut(expression: &str, limit: usize) -> String {
    let head: String = expression.chars().take(limit).collect();
    // The last plain letter or digit before which no class or group is open.
    let (mut end, mut open, mut escaped) = (0, 0_u32, false);
    for (place, char) in head.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match char {
            '\\' => escaped = true,
            '[' | '(' => open += 1,
            ']' | ')' => open = open.saturating_sub(1),
            _ if open == 0 && char.is_alphanumeric() => end = place + char.len_utf8(),
            _ => {}
        }
    }
    head.get(..end).unwrap_or_default().to_owned()
}

/// The text of a literal that texts are compared with.
pub(super) fn text_of(value: &LiteralValue) -> Option<String> {
    match value {
        LiteralValue::String(text) => Some(text.to_string()),
        LiteralValue::Integer(number) => Some(number.to_string()),
        LiteralValue::Float(number) => Some(number.to_string()),
        LiteralValue::Boolean(value) => Some(value.to_string()),
        LiteralValue::Timestamp(time) => Some(time.to_string()),
        _ => None,
    }
}

/// The whole number that a literal is.
fn number_of(value: &LiteralValue) -> Option<i64> {
    match value {
        LiteralValue::Integer(number) => Some(*number),
        LiteralValue::Float(number) => Some(*number).filter(|number| number.fract() == 0.0).and_then(whole),
        LiteralValue::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number without fraction, as an integer.
pub(super) fn whole(number: f64) -> Option<i64> {
    // Beyond this, neighbouring integers are not told apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "the number is within the range")]
    (number.abs() <= EXACT).then_some(number as i64)
}

/// Fields of one form that hold one of `values`.
pub(super) fn equal(property: Property, source: &Source, values: &[LiteralValue], found: &mut Found) {
    let texts: Vec<String> = values.iter().filter_map(text_of).filter(|text| !text.is_empty()).collect();
    // A number is never equal to a text, but a reader may be kinder than that.
    let of_numbers = matches!(source.form, Form::AsNumber | Form::Fraction | Form::Number | Form::ProcessNumber);
    found.wider |= values.iter().any(|value| matches!(value, LiteralValue::String(_)) == of_numbers);
    found.wider |= texts.iter().any(|text| value::is_placeholder(text) || text.trim() != text);
    let any_case = Spelling { any_case: true, ..Spelling::default() };
    match (source.mapped, source.form) {
        (Mapped::Date, _) => dates(source, values, found),
        (Mapped::Fraction, _) => {
            let numbers = values.iter().filter_map(|value| match value {
                LiteralValue::Integer(number) => Some(number.to_string()),
                LiteralValue::Float(number) => Some(number.to_string()),
                _ => None,
            });
            found.terms(source, numbers);
        }
        (Mapped::Address, form) if !matches!(form, Form::Address(_) | Form::Presence) => found.exists(source),
        (Mapped::Number, Form::Protocol | Form::Presence) => found.exists(source),
        (Mapped::Number, _) => {
            found.terms(source, values.iter().filter_map(number_of).map(|number| number.to_string()));
        }
        (_, Form::Number) => found.terms(source, values.iter().filter_map(number_of).map(|number| number.to_string())),
        (_, Form::AsNumber) => as_numbers(source, values, found),
        (_, Form::ProcessNumber) => process_numbers(source, values, found),
        (_, Form::Fraction | Form::Date) => found.exists(source),

        (
            _,
            Form::Address(_)
            | Form::AddressWithPort(_)
            | Form::AddressInAnswers(_)
            | Form::AddressInUrl(_)
            | Form::Name { .. }
            | Form::NameInAnswers { .. }
            | Form::NameInUrl,
        ) => hosts::equal(source, &texts, found),
        (_, Form::Mac) => {
            let octets = texts.iter().filter_map(|text| value::mac(text));
            let separated = octets.map(|octets| value::mac_text(octets).replace(':', "[-:. ]?"));
            found.expressions(source, separated, "", "", true);
        }
        (_, Form::Mailbox) => {
            let addresses: Vec<String> = texts.into_iter().filter(|text| text.contains('@')).collect();
            found.spelled(source, &addresses, r"(.*\< *)?", r" *\>?", any_case);
        }

        (_, Form::Digest) => digests(property, source, &texts, found),
        (_, Form::DigestInList(algorithm)) => digests_in_list(property, algorithm, source, &texts, found),
        (_, Form::Colons) => {
            let digits = texts.iter().map(|text| text.replace(':', "")).filter(|digits| match property {
                Property::CertificateDigest(algorithm) => is_digest(algorithm, digits),
                _ => true,
            });
            let spellings = digits.flat_map(|digits| [with_colons(&digits), digits]);
            let cases = spellings.flat_map(|text| [text.to_ascii_lowercase(), text.to_ascii_uppercase()]);
            let written = texts.iter().filter(|_| property == Property::CertificateSerial).cloned();
            found.terms(source, cases.chain(written));
        }

        (_, Form::Whole) => {
            let (plain, other): (Vec<String>, Vec<String>) = texts.into_iter().partition(|text| text.is_ascii());
            let hosts: Vec<String> = if property == Property::Url {
                plain.iter().filter_map(|url| lower_host(url)).collect()
            } else {
                vec![]
            };
            found.wider |= !hosts.is_empty();
            found.terms(source, plain.into_iter().chain(hosts));
            found.spelled(source, &other, "", "", Spelling::default());
        }
        (_, Form::Upper) => {
            // What has no hyphen is no name of a vulnerability.
            found.wider |= property == Property::VulnerabilityName && texts.iter().any(|text| !text.contains('-'));
            found.folded(source, &texts);
        }
        (_, Form::UserId) => user_ids(source, &texts, found),
        (_, Form::LoginNumber) => {
            let (sids, numbers): (Vec<String>, Vec<String>) = texts.into_iter().partition(|text| value::is_sid(text));
            found.terms(source, sids);
            let numbers = numbers.into_iter().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            found.expressions(source, numbers.map(|number| escape(&number)), r"[^(]*\(uid=", r"\)", false);
        }
        (_, Form::Login) => {
            found.wider = true;
            let spelling = Spelling { any_case: true, backslashes: true, quotes: false };
            found.spelled(source, &texts, "", r" *(\(uid=[0-9]+\))?", spelling);
        }

        (_, Form::Path) => {
            found.wider = true;
            let stems: Vec<String> = texts.iter().map(|text| text.trim_end_matches(['/', '\\']).to_owned()).collect();
            found.spelled(source, &stems, "", r"[/\\]*", PATH);
        }
        (_, Form::Basename) => {
            found.wider = true;
            let names: Vec<String> = texts.into_iter().filter(|text| !text.contains(['/', '\\'])).collect();
            found.spelled(source, &names, r"(.*[/\\])?", "", PATH);
        }
        (_, Form::ParentPath) => {
            found.wider = true;
            let stems: Vec<String> = texts.iter().map(|text| text.trim_end_matches(['/', '\\']).to_owned()).collect();
            found.spelled(source, &stems, "", r"[/\\]+[^/\\]*", PATH);
        }
        (_, Form::Key) => keys(source, &texts, r"\\*", found),
        (_, Form::KeyOrValue) => keys(source, &texts, r"(\\+[^\\]*)?\\*", found),
        (_, Form::ValueNameInKey) => {
            found.wider = true;
            found.spelled(source, &texts, r".*\\+", "", PATH);
        }
        (_, Form::RegistryData) => {
            found.wider = true;
            let spelling = Spelling { any_case: true, backslashes: true, quotes: true };
            found.spelled(source, &texts, r"([DQ]WORD *\( *)?", r"( *\))?", spelling);
        }
        (_, Form::CommandLine) => {
            found.wider = true;
            let spelling = Spelling { any_case: true, backslashes: true, quotes: true };
            found.spelled(source, &texts, "", "", spelling);
        }
        (_, Form::Argument) => {
            for text in &texts {
                arguments(source, text, found);
            }
        }

        (_, Form::Protocol) => {
            found.wider = true;
            let names: Vec<String> = texts.iter().map(|text| text.to_ascii_lowercase()).collect();
            let numbers = (0..=255_u16)
                .map(|number| number.to_string())
                .filter(|number| value::protocol_name(number).is_some_and(|name| names.contains(&name)));
            let numbers: Vec<String> = numbers.collect();
            found.folded(source, &names);
            if !numbers.is_empty() {
                found.terms(source, numbers);
            }
        }
        (_, Form::ProtocolOfRule) => {
            let groups =
                value::PROTOCOLS_OF_RULE_GROUPS.iter().filter(|(name, _)| texts.iter().any(|text| text == name));
            found.terms(source, groups.flat_map(|(_, groups)| groups.iter().map(|group| (*group).to_owned())));
        }
        (_, Form::Presence) => {
            // Of connections, only what their addresses and requests tell is worked out.
            let told = |text: &String| matches!(text.as_str(), "ipv4" | "ipv6" | "http");
            if property != Property::Protocol || texts.iter().any(told) {
                found.exists(source);
            }
        }
        (_, Form::UrlTarget) => found.spelled(source, &texts, "([^:/?#]+://[^/?#]*)?", "", Spelling::default()),
    }
}

/// Paths: in any case, with single or doubled backslashes.
pub(super) const PATH: Spelling = Spelling { any_case: true, backslashes: true, quotes: false };

/// Hexadecimal digits with a colon after every second one.
fn with_colons(digits: &str) -> String {
    let mut colons = String::with_capacity(digits.len() * 3 / 2);
    for (place, char) in digits.chars().enumerate() {
        if place > 0 && place % 2 == 0 {
            colons.push(':');
        }
        colons.push(char);
    }
    colons
}

/// The URL with scheme and host in lower case, if that makes a difference.
fn lower_host(url: &str) -> Option<String> {
    let host = url.find("://")? + 3;
    let end = url.get(host..)?.find(['/', '?', '#']).map_or(url.len(), |end| host + end);
    let (head, tail) = (url.get(..end)?, url.get(end..)?);
    let lower = head.to_lowercase();
    (lower != head).then(|| lower + tail)
}

fn keys(source: &Source, texts: &[String], after: &str, found: &mut Found) {
    found.wider = true;
    let alternatives = texts.iter().filter_map(|text| {
        let (hive, rest) = value::hive(text)?;
        let kernel = match hive {
            value::Hive::LocalMachine => r"|REGISTRY[/\\]+MACHINE",
            value::Hive::Users => r"|REGISTRY[/\\]+USER",
            _ => "",
        };
        let rest = value::normalize_key(rest);
        let rest = rest.trim_end_matches('\\');
        let root = format!("({}|{}{kernel})", hive.long_name(), hive.short_name());
        Some(if rest.is_empty() { root } else { format!(r"{root}[/\\]+{}", escape_backslashes(rest)) })
    });
    let alternatives: Vec<String> = alternatives.collect();
    found.expressions(source, alternatives, r"[/\\]*(Computer[/\\]+)?", after, true);
}

fn as_numbers(source: &Source, values: &[LiteralValue], found: &mut Found) {
    let numbers: Vec<String> = values.iter().filter_map(number_of).map(|number| number.to_string()).collect();
    found.terms(source, numbers.iter().cloned());
    lenient(source, numbers.iter().flat_map(|number| [format!("AS{number}"), format!("as{number}")]), found);
}

fn process_numbers(source: &Source, values: &[LiteralValue], found: &mut Found) {
    let numbers: Vec<i64> = values.iter().filter_map(number_of).collect();
    found.terms(source, numbers.iter().map(ToString::to_string));
    lenient(source, numbers.iter().flat_map(|number| [format!("0x{number:x}"), format!("0x{number:X}")]), found);
}

fn user_ids(source: &Source, texts: &[String], found: &mut Found) {
    let (numbers, other): (Vec<String>, Vec<String>) =
        texts.iter().cloned().partition(|text| text.parse::<i64>().is_ok());
    found.terms(source, numbers);
    lenient(source, other.into_iter(), found);
}

/// Texts in fields that may be numbers to the index, because the first document that had them said so: a term that is
/// no number fails the whole search there. Only a match can be told to pass over such fields.
fn lenient(source: &Source, values: impl Iterator<Item = String>, found: &mut Found) {
    let mut values: Vec<String> = values.collect();
    values.sort_unstable();
    values.dedup();
    if values.len() > FEW * 4 {
        found.exists(source);
        return;
    }
    for value in values {
        found.push(source, Clause::Lenient(value));
    }
}

/// A command line that was put together from several fields: the words before the first quote are arguments as they
/// stand; of the rest only the presence is asked for.
fn arguments(source: &Source, line: &str, found: &mut Found) {
    /// More words narrow nothing any more.
    const MAX_WORDS: usize = 8;
    found.wider = true;
    let plain = line.find(['"', '\'']).map_or(line, |quote| &line[..quote]);
    let mut words: Vec<&str> = plain.split_ascii_whitespace().collect();
    // The last word may go on inside the quotes.
    if plain.len() < line.len() && !plain.ends_with(|char: char| char.is_ascii_whitespace()) {
        words.pop();
    }
    words.retain(|word| word.is_ascii() && word.len() <= limits::FOLDED_BYTES);
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words.truncate(MAX_WORDS);
    if words.is_empty() {
        found.exists(source);
        return;
    }
    let all = words.into_iter().map(|word| Query::any_field(&source.fields, Clause::folded(word)));
    found.queries.push(Query::all(all));
}

fn dates(source: &Source, values: &[LiteralValue], found: &mut Found) {
    for value in values {
        let time = match value {
            LiteralValue::Timestamp(time) => Some(*time),
            LiteralValue::String(text) => text.parse().ok(),
            _ => None,
        };
        let Some(time) = time else { continue };
        // The index keeps milliseconds.
        found.wider = true;
        let bound = Some(super::compare::millis(time));
        found.push(source, Clause::Range { gte: bound.clone(), lte: bound });
    }
}
