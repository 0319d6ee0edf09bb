//! A rule and the fields of one schema.

use serde::Serialize;
use serde_json::Value;

use super::condition::Condition;
use super::detection::{Detection, Item, Test};
use super::formula::{Check, Formula, Leaf, Verdict, evaluate};
use super::logsource::Scope;
use super::places::{Kind, Place, Places};
use super::query::{Bound, MAX_CLAUSES, Translator, all};
use super::rule::{LogSource, SigmaRule};
use super::string::{Matcher, Pattern};
use crate::catalogue::{Catalogue, Schema};
use crate::dsl::Query;
use crate::evaluate::Document;
use crate::value::Spelling;

/// A name that a rule uses for a field, and the alert fields that it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MappedField {
    /// The name in the rule.
    pub field: String,
    /// The fields of alerts.
    pub paths: Vec<String>,
}

/// A part of a rule that cannot be asked of alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmapped {
    /// The name in the rule; `keywords` for words that may stand anywhere.
    pub field: String,
    /// Why.
    pub reason: String,
}

/// What can be decided although parts of a rule cannot be asked of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decides {
    /// Every alert: all parts of the rule can be asked.
    Everything,
    /// Some alerts match for certain, some do not match for certain, others stay undecided.
    Some,
    /// Some alerts match for certain; none is certain not to match. What is missing is an alternative.
    Matches,
    /// No alert matches for certain: what is missing is a condition that has to hold. Some are certain not to match.
    NonMatches,
    /// Nothing.
    Nothing,
}

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SigmaTranslation {
    /// The title of the rule.
    pub title: String,
    /// Its identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How severe a hit is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Which logs it is about.
    pub logsource: LogSource,
    /// The query that finds every alert of an index that the rule matches for certain, and possibly more. Nothing where
    /// an index cannot be asked for less than everything.
    pub query: Option<Query>,
    /// Whether the query finds exactly the alerts that the rule matches. Else look at its hits with
    /// [`SigmaMatcher::matches`].
    pub exact: bool,
    /// What can be decided.
    pub decides: Decides,
    /// The fields that the rule is about.
    pub fields: Vec<MappedField>,
    /// What cannot be asked.
    pub unmapped: Vec<Unmapped>,
    /// What a reader of the result should know.
    pub notes: Vec<String>,
}

/// A rule, ready to run on alerts of one schema.
///
/// ```
/// use serde_json::json;
/// use wazuh_query::catalogue::{Catalogue, Schema};
/// use wazuh_query::sigma::{SigmaMatcher, SigmaRule};
///
/// let rules = SigmaRule::read_all(
///     "title: Whoami\nlogsource: {product: windows, category: process_creation}\n\
///      detection:\n  selection:\n    Image|endswith: '\\whoami.exe'\n  condition: selection\n",
/// );
/// let matcher = SigmaMatcher::new(rules[0].as_ref().unwrap(), &Catalogue::builtin(), Schema::Wazuh4);
/// let alert = json!({"data": {"win": {
///     "system": {"channel": "Microsoft-Windows-Sysmon/Operational", "eventID": "1"},
///     "eventdata": {"image": r"C:\\Windows\\System32\\WHOAMI.exe"}
/// }}});
/// assert!(matcher.matches(&alert));
/// ```
#[derive(Clone, Debug)]
pub struct SigmaMatcher {
    scope: Formula,
    identifiers: Vec<Formula>,
    condition: Condition,
    pub(super) translation: SigmaTranslation,
}

impl SigmaMatcher {
    /// Ties a rule to the fields of alerts of `schema`.
    pub fn new(rule: &SigmaRule, catalogue: &Catalogue, schema: Schema) -> Self {
        let source = Scope::new(&rule.logsource, schema);
        let category = rule.logsource.category.as_deref().unwrap_or_default();
        let places = Places { catalogue, schema, scope: &source, category };
        let mut builder = Builder { places, fields: Vec::new(), unmapped: Vec::new(), notes: source.notes.clone() };
        let mut used = vec![false; rule.detections.len()];
        rule.condition.each_identifier(&mut |place| {
            if let Some(used) = used.get_mut(place) {
                *used = true;
            }
        });
        let identifiers: Vec<Formula> = rule
            .detections
            .iter()
            .zip(used)
            // What the condition does not name says nothing, and nothing of it is reported.
            .map(|((_, detection), used)| if used { builder.detection(detection) } else { Formula::Unknown })
            .collect();
        let scope = builder.scope();
        let Builder { fields, unmapped, notes, .. } = builder;
        let mut translation = SigmaTranslation {
            title: rule.title.clone(),
            id: rule.id.clone(),
            level: rule.level.clone(),
            logsource: rule.logsource.clone(),
            query: None,
            exact: false,
            decides: decides(&rule.condition, &identifiers),
            fields,
            unmapped,
            notes,
        };
        translation.search(&scope, &rule.condition, &identifiers);
        Self { scope, identifiers, condition: rule.condition.clone(), translation }
    }

    /// What became of the rule: the query, and what could not be asked.
    pub fn translation(&self) -> &SigmaTranslation {
        &self.translation
    }

    /// Whether the rule matches an alert for certain. The alert is a document as a file or an index has it, or a hit with
    /// `_source`.
    pub fn matches(&self, alert: &Value) -> bool {
        self.verdict(alert) == Verdict::Match
    }

    /// What the rule says of an alert.
    pub fn verdict(&self, alert: &Value) -> Verdict {
        let document = Document::new(alert);
        match self.scope.verdict(&document) {
            Verdict::Match => evaluate(&self.condition, &self.identifiers, &document),
            other => other,
        }
    }
}

impl SigmaTranslation {
    fn search(&mut self, scope: &Formula, condition: &Condition, identifiers: &[Formula]) {
        let hopeful = matches!(self.decides, Decides::NonMatches | Decides::Nothing);
        if hopeful {
            self.notes.push("no alert matches for certain: the query finds those that may match".to_owned());
        }
        for coarse in [false, true] {
            let mut translator = Translator { inexact: false, coarse, hopeful };
            let parts = [translator.formula(scope), translator.condition(condition, identifiers)];
            match all(parts.into_iter()) {
                Bound::All => {
                    self.notes.push("no query narrows the search: every alert has to be looked at".to_owned());
                    return;
                }
                Bound::None => {
                    self.notes.push("no alert can match".to_owned());
                    self.query = Some(Query::nothing());
                    self.exact = !translator.inexact;
                    return;
                }
                Bound::Query(query) if query.clause_count() <= MAX_CLAUSES => {
                    if coarse {
                        let note = "the query asks only for the fields: the rule has more values than an index takes";
                        self.notes.push(note.to_owned());
                    }
                    self.query = Some(query);
                    self.exact = !translator.inexact;
                    return;
                }
                Bound::Query(_) => {}
            }
        }
        self.notes.push("the rule needs more clauses than an index takes: every alert has to be looked at".to_owned());
    }
}

/// Ties search identifiers to fields.
struct Builder<'c> {
    places: Places<'c>,
    fields: Vec<MappedField>,
    unmapped: Vec<Unmapped>,
    notes: Vec<String>,
}

impl Builder<'_> {
    /// What the log source asks.
    fn scope(&self) -> Formula {
        let leaf = |path: &str, checks| Formula::Leaf(Leaf { places: vec![self.places.at(path)], checks });
        let alternatives: Vec<Formula> = self
            .places
            .scope
            .conditions
            .iter()
            .map(|condition| {
                let part = |(path, values): &(&str, Vec<String>)| {
                    // Names of channels and programs are always written in the same way.
                    let pattern = |value: &String| Pattern { cased: true, ..Pattern::literal(value) };
                    leaf(path, values.iter().map(|value| text(pattern(value))).collect())
                };
                Formula::All(condition.iter().map(part).collect())
            })
            .collect();
        match self.places.scope.present {
            _ if !alternatives.is_empty() => Formula::Any(alternatives),
            Some(path) => leaf(path, vec![Check::Exists]),
            None => Formula::All(Vec::new()),
        }
    }

    fn detection(&mut self, detection: &Detection) -> Formula {
        match detection {
            Detection::All(parts) => Formula::All(parts.iter().map(|part| self.detection(part)).collect()),
            Detection::Any(parts) => Formula::Any(parts.iter().map(|part| self.detection(part)).collect()),
            Detection::Item(item) => self.item(item),
        }
    }

    fn item(&mut self, item: &Item) -> Formula {
        let name = item.field.as_deref().unwrap_or("keywords");
        let tests = match &item.tests {
            Ok(tests) => tests,
            Err(reason) => return self.unknown(name, reason.clone()),
        };
        let places = match &item.field {
            None => self.places.of_event(),
            Some(name) => match self.places.of(name) {
                Ok(places) => places,
                Err(reason) => return self.unknown(name, reason),
            },
        };
        self.map(name, &places);
        let formula = if item.all {
            let parts = tests.iter().map(|test| self.tests(std::slice::from_ref(test), &places, item));
            Formula::All(parts.collect())
        } else {
            self.tests(tests, &places, item)
        };
        if item.negated { Formula::Not(Box::new(formula)) } else { formula }
    }

    /// One of several tests holds.
    fn tests(&mut self, tests: &[Test], places: &[Place], item: &Item) -> Formula {
        let leaf = |checks| Formula::Leaf(Leaf { places: places.to_vec(), checks });
        let (mut checks, mut others) = (Vec::new(), Vec::new());
        for test in tests {
            match test {
                Test::Exists => checks.push(Check::Exists),
                Test::Missing => others.push(Formula::Not(Box::new(leaf(vec![Check::Exists])))),
                Test::Text(pattern) => {
                    let mut pattern = pattern.clone();
                    if item.field.is_none() {
                        pattern.open_start();
                        pattern.open_end();
                    }
                    if is_dropped(&pattern, places) {
                        let note = "the event channel drops values `-` and `(NULL)`: they are taken for missing ones";
                        self.note(note);
                        others.push(Formula::Not(Box::new(leaf(vec![Check::Exists]))));
                    }
                    checks.push(text(pattern));
                }
                Test::Expression(expression) => checks.push(Check::Expression(expression.clone())),
                Test::Network(network) => checks.push(Check::Network(*network)),
                Test::Number(comparison, bound) => checks.push(Check::Number(*comparison, bound.clone())),
                Test::Field { name, starts, ends } => match self.places.of(name) {
                    Ok(others) => {
                        self.map(name, &others);
                        checks.push(Check::Field { places: others, starts: *starts, ends: *ends });
                    }
                    Err(reason) => others.push(self.unknown(name, reason)),
                },
            }
        }
        if !checks.is_empty() {
            others.insert(0, leaf(checks));
        }
        if others.len() == 1 { others.remove(0) } else { Formula::Any(others) }
    }

    fn map(&mut self, name: &str, places: &[Place]) {
        let refused: Vec<&str> =
            places.iter().filter(|place| place.kind == Kind::Refused).map(|place| place.field.path.as_ref()).collect();
        if !refused.is_empty() {
            self.note(&format!("found in files only, because Wazuh's index refuses it: {}", refused.join(", ")));
        }
        if !self.fields.iter().any(|known| known.field == name) {
            let paths = places.iter().map(|place| place.field.path.to_string()).collect();
            self.fields.push(MappedField { field: name.to_owned(), paths });
        }
    }

    fn unknown(&mut self, field: &str, reason: String) -> Formula {
        let unmapped = Unmapped { field: field.to_owned(), reason };
        if !self.unmapped.contains(&unmapped) {
            self.unmapped.push(unmapped);
        }
        Formula::Unknown
    }

    fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }
}

fn text(pattern: Pattern) -> Check {
    let matcher = Matcher::new(&pattern);
    Check::Text(pattern, matcher)
}

/// Whether the decoder of the event channel leaves such values out.
fn is_dropped(pattern: &Pattern, places: &[Place]) -> bool {
    matches!(pattern.as_literal(), Some("-" | "(NULL)"))
        && places.iter().all(|place| place.spelling == Spelling::EventChannel)
}

/// What can be decided: whether the condition can come out true, and false, for what can be asked.
fn decides(condition: &Condition, identifiers: &[Formula]) -> Decides {
    let mut unknown = false;
    let (can_match, can_fail) = of_condition(condition, identifiers, &mut unknown);
    match (unknown, can_match, can_fail) {
        (false, ..) => Decides::Everything,
        (true, true, true) => Decides::Some,
        (true, true, false) => Decides::Matches,
        (true, false, true) => Decides::NonMatches,
        (true, false, false) => Decides::Nothing,
    }
}

fn of_condition(condition: &Condition, identifiers: &[Formula], unknown: &mut bool) -> (bool, bool) {
    match condition {
        Condition::All(parts) => of_all(parts.iter().map(|part| of_condition(part, identifiers, unknown))),
        Condition::Any(parts) => of_any(parts.iter().map(|part| of_condition(part, identifiers, unknown))),
        Condition::Not(part) => turned(of_condition(part, identifiers, unknown)),
        Condition::Identifier(place) => match identifiers.get(*place) {
            Some(formula) => of_formula(formula, unknown),
            None => (false, false),
        },
    }
}

fn of_formula(formula: &Formula, unknown: &mut bool) -> (bool, bool) {
    match formula {
        Formula::All(parts) => of_all(parts.iter().map(|part| of_formula(part, unknown))),
        Formula::Any(parts) => of_any(parts.iter().map(|part| of_formula(part, unknown))),
        Formula::Not(part) => turned(of_formula(part, unknown)),
        Formula::Leaf(_) => (true, true),
        Formula::Unknown => {
            *unknown = true;
            (false, false)
        }
    }
}

fn of_all(parts: impl Iterator<Item = (bool, bool)>) -> (bool, bool) {
    parts.fold((true, false), |(can_match, can_fail), part| (can_match & part.0, can_fail | part.1))
}

fn of_any(parts: impl Iterator<Item = (bool, bool)>) -> (bool, bool) {
    turned(of_all(parts.map(turned)))
}

fn turned((can_match, can_fail): (bool, bool)) -> (bool, bool) {
    (can_fail, can_match)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(detection: &str) -> SigmaMatcher {
        let rules =
            SigmaRule::read_all(&format!("title: t\nlogsource: {{category: firewall}}\ndetection:\n{detection}"));
        SigmaMatcher::new(rules[0].as_ref().unwrap(), &Catalogue::builtin(), Schema::Wazuh4)
    }

    #[test]
    fn what_is_missing_decides_what_can_be_decided() {
        for (detection, wanted) in [
            ("  s: {src_ip: 192.0.2.1}\n  condition: s", Decides::Everything),
            ("  s: {src_ip: 192.0.2.1, Nonsense: x}\n  condition: s", Decides::NonMatches),
            ("  s: {src_ip: 192.0.2.1}\n  u: {Nonsense: x}\n  condition: s or u", Decides::Matches),
            ("  s: {src_ip: 192.0.2.1}\n  u: {Nonsense: x}\n  condition: s and not u", Decides::NonMatches),
            ("  s: {src_ip: 192.0.2.1}\n  u: {Nonsense: x}\n  condition: s and (s or u)", Decides::Some),
            ("  u: {Nonsense: x}\n  condition: not u", Decides::Nothing),
            ("  s: {src_ip: 192.0.2.1}\n  u: {Nonsense: x}\n  condition: s", Decides::Everything),
        ] {
            let matcher = matcher(detection);
            assert_eq!(matcher.translation.decides, wanted, "{detection}");
            let is_named = matcher.translation.unmapped.iter().any(|unmapped| unmapped.field == "Nonsense");
            assert_eq!(is_named, wanted != Decides::Everything);
        }
    }

    #[test]
    fn verdicts_follow() {
        let alert = serde_json::json!({"data": {"srcip": "192.0.2.1"}});
        let other = serde_json::json!({"data": {"srcip": "192.0.2.2"}});
        let all = matcher("  s: {src_ip: 192.0.2.1, Nonsense: x}\n  condition: s");
        assert_eq!((all.verdict(&alert), all.verdict(&other)), (Verdict::Undecided, Verdict::NoMatch));
        let any = matcher("  s: {src_ip: 192.0.2.1}\n  u: {Nonsense: x}\n  condition: s or u");
        assert_eq!((any.verdict(&alert), any.verdict(&other)), (Verdict::Match, Verdict::Undecided));
        let not = matcher("  s: {src_ip: 192.0.2.1}\n  condition: not s");
        assert_eq!((not.verdict(&alert), not.verdict(&other)), (Verdict::NoMatch, Verdict::Match));
    }

    #[test]
    fn too_many_values_are_not_asked_for() {
        let values: Vec<String> = (0..3_000).map(|number| format!("v{number}?")).collect();
        let matcher = matcher(&format!("  s:\n    src_ip: [{}]\n  condition: s", values.join(", ")));
        let query = matcher.translation.query.as_ref().unwrap();
        assert!(query.clause_count() <= MAX_CLAUSES && !matcher.translation.exact);
        assert!(matcher.matches(&serde_json::json!({"data": {"srcip": "V7x"}})));
    }
}
