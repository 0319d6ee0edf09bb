//! The value of each option: from the file, else from the environment, else its default.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use stix_model::{Timestamp, Tlp};
use url::Url;
use wazuh_query::profile::{Interval, Since};
use wazuh_query::store::opensearch::Secret;

use super::mistakes::ConfigErrors;
use super::node::{Node, Tree};
use super::option::Spec;
use super::pem;
use super::source::{Origin, Source};
use super::values::is_none;

/// The value of an option, in canonical form, and where it comes from. Null is no value.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Reads options and collects what is wrong with them.
pub(super) struct Resolver<'s> {
    source: &'s Source,
    now: Timestamp,
    resolved: BTreeMap<&'static str, Resolved>,
    mistakes: Vec<String>,
    warnings: Vec<String>,
}

impl<'s> Resolver<'s> {
    /// `now` is what times are compared with.
    pub(super) fn new(source: &'s Source, now: Timestamp) -> Self {
        let mistakes = source.mistakes.clone();
        Self { source, now, resolved: BTreeMap::new(), mistakes, warnings: source.warnings.clone() }
    }

    /// The same for the service, which also needs what concerns the platform.
    pub(super) fn of_service(source: &'s Source, now: Timestamp) -> Self {
        let mut resolver = Self::new(source, now);
        resolver.warnings.extend(source.service_warnings.iter().cloned());
        resolver
    }

    /// The value of an option. A mistake is noted once, and its place is taken by the default.
    pub(super) fn get(&mut self, spec: &Spec) -> Resolved {
        if let Some(resolved) = self.resolved.get(spec.key) {
            return resolved.clone();
        }
        let resolved = self.resolve(spec);
        self.resolved.insert(spec.key, resolved.clone());
        resolved
    }

    /// Whether an option was looked at.
    #[cfg(test)]
    pub(super) fn was_read(&self, key: &str) -> bool {
        self.resolved.contains_key(key)
    }

    fn resolve(&mut self, spec: &Spec) -> Resolved {
        let found = self.source.find(spec).unwrap_or_else(|mistake| {
            self.mistakes.push(mistake);
            None
        });
        let Some(found) = found else {
            self.emptied(spec);
            return self.default_of(spec, "");
        };
        for name in self.source.shadowed(spec, &found.origin) {
            self.warnings.push(format!("{name} has no effect because of {}", found.origin));
        }
        if is_off(spec, &found.node) {
            return Resolved { value: spec.kind.empty(), origin: found.origin };
        }
        // The samples of connectors have it where a value must be given.
        if found.node.as_text().is_some_and(|text| text.trim().eq_ignore_ascii_case("changeme")) {
            self.mistakes.push(format!(
                "{}: `ChangeMe` stands in the samples for a value that you give: {}",
                found.origin.in_message(),
                spec.kind.allowed()
            ));
            return self.default_of(spec, "");
        }
        match spec.kind.read(&found.node, self.now) {
            Ok(value) => Resolved { value, origin: found.origin },
            Err(problems) => {
                let place = found.origin.in_message();
                self.mistakes.extend(problems.iter().map(|problem| format!("{place}: {problem}")));
                self.default_of(spec, "")
            }
        }
    }

    fn default_of(&mut self, spec: &Spec, why: &'static str) -> Resolved {
        let origin = Origin::Default(why);
        if spec.default.is_empty() {
            return Resolved { value: spec.kind.empty(), origin };
        }
        let value = spec.kind.read(&Node::text_of(spec.default), self.now);
        Resolved { value: value.unwrap_or_default(), origin }
    }

    /// A list whose variable is there, but empty, was an empty list for the original.
    fn emptied(&mut self, spec: &Spec) {
        if spec.is_list()
            && !spec.default.is_empty()
            && let Some(name) = self.source.is_empty_variable(spec)
        {
            self.warnings
                .push(format!("{name} is empty, which means `{}`; write `none` for an empty list", spec.default));
        }
    }

    /// Whether the value was given; otherwise it is a default.
    pub(super) fn is_given(&mut self, spec: &Spec) -> bool {
        !matches!(self.get(spec).origin, Origin::Default(_))
    }

    /// Puts another default in the place of the own one.
    pub(super) fn set_default(&mut self, spec: &Spec, value: Value, why: &'static str) {
        if !self.is_given(spec) {
            self.resolved.insert(spec.key, Resolved { value, origin: Origin::Default(why) });
        }
    }

    /// Notes that a value does not fit others.
    pub(super) fn mistake(&mut self, spec: &Spec, what: &str) {
        let origin = self.get(spec).origin;
        let place = if let Origin::Default(_) = origin { Self::name(spec) } else { origin.in_message() };
        self.mistakes.push(format!("{place}: {what}"));
    }

    /// Notes something that is possible, but hardly meant.
    pub(super) fn warn(&mut self, spec: &Spec, what: &str) {
        let origin = self.get(spec).origin;
        let place = if let Origin::Default(_) = origin { Self::name(spec) } else { origin.in_message() };
        self.warnings.push(format!("{place}: {what}"));
    }

    /// The key with the variable that would set it.
    fn name(spec: &Spec) -> String {
        if spec.in_file { format!("{} ({})", spec.key, spec.main_variable()) } else { spec.main_variable() }
    }

    /// Notes that a value is missing which the service needs.
    pub(super) fn require(&mut self, spec: &Spec) {
        if !self.is_there(spec) {
            let allowed = spec.kind.allowed();
            self.mistakes.push(format!("{}: is missing: {allowed}", Self::name(spec)));
        }
    }

    /// Whether something was given, right or wrong.
    pub(super) fn is_there(&mut self, spec: &Spec) -> bool {
        self.is_given(spec) || self.has_mistake(spec)
    }

    /// Whether a mistake was noted at the place where an option would be set.
    fn has_mistake(&self, spec: &Spec) -> bool {
        match self.source.find(spec) {
            Ok(found) => found.is_some(),
            Err(_) => true,
        }
    }

    /// What was noted.
    pub(super) fn finish(self) -> (Vec<String>, Vec<String>) {
        let mut seen = BTreeSet::new();
        let once = |list: Vec<String>, seen: &mut BTreeSet<String>| {
            list.into_iter().filter(|text| seen.insert(text.clone())).collect()
        };
        (once(self.mistakes, &mut seen), once(self.warnings, &mut seen))
    }

    /// What was noted, mistakes as an error. Returns the warnings.
    pub(super) fn check(self) -> Result<Vec<String>, ConfigErrors> {
        let (mistakes, warnings) = self.finish();
        if mistakes.is_empty() { Ok(warnings) } else { Err(ConfigErrors(mistakes)) }
    }

    pub(super) fn boolean(&mut self, spec: &Spec) -> bool {
        self.maybe_boolean(spec).unwrap_or_default()
    }

    pub(super) fn maybe_boolean(&mut self, spec: &Spec) -> Option<bool> {
        self.get(spec).value.as_bool()
    }

    /// A whole number, if there is one.
    pub(super) fn integer<T: TryFrom<i64>>(&mut self, spec: &Spec) -> Option<T> {
        self.get(spec).value.as_i64().and_then(|number| T::try_from(number).ok())
    }

    /// A whole number of an option with a default.
    pub(super) fn number<T: TryFrom<i64> + Default>(&mut self, spec: &Spec) -> T {
        self.integer(spec).unwrap_or_default()
    }

    pub(super) fn float(&mut self, spec: &Spec) -> Option<f64> {
        self.get(spec).value.as_f64()
    }

    pub(super) fn text(&mut self, spec: &Spec) -> Option<String> {
        self.get(spec).value.as_str().map(str::to_owned)
    }

    pub(super) fn secret(&mut self, spec: &Spec) -> Option<Secret> {
        self.text(spec).map(Secret::from)
    }

    pub(super) fn url(&mut self, spec: &Spec) -> Option<Url> {
        self.text(spec).and_then(|text| Url::parse(&text).ok())
    }

    /// The text of certificates or of a key.
    pub(super) fn pem(&mut self, spec: &Spec) -> Option<String> {
        self.text(spec).and_then(|value| pem::read(&value).ok())
    }

    pub(super) fn duration(&mut self, spec: &Spec) -> Duration {
        let interval = self.text(spec).and_then(|text| Interval::from_str(&text).ok());
        interval.map(Interval::duration).unwrap_or_default()
    }

    pub(super) fn since(&mut self, spec: &Spec) -> Option<Since> {
        let text = self.text(spec)?;
        Since::parse(&text, self.now).ok().flatten()
    }

    pub(super) fn tlp(&mut self, spec: &Spec) -> Option<Tlp> {
        self.text(spec).and_then(|text| text.parse().ok())
    }

    /// A value of a type that reads it from its text.
    pub(super) fn parsed<T: FromStr>(&mut self, spec: &Spec) -> Option<T> {
        self.text(spec).and_then(|text| text.parse().ok())
    }

    /// The members of a list of texts.
    pub(super) fn texts<C: FromIterator<String>>(&mut self, spec: &Spec) -> C {
        let value = self.get(spec).value;
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Names that were found to be known when they were read.
    pub(super) fn names<T: FromStr + Ord>(&mut self, spec: &Spec) -> BTreeSet<T> {
        self.texts::<Vec<String>>(spec).iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// A value that was found to have its form when it was read.
    pub(super) fn json<T: DeserializeOwned + Default>(&mut self, spec: &Spec) -> T {
        serde_json::from_value(self.get(spec).value).unwrap_or_default()
    }
}

/// `none`, `null` or a null of the file, where that means something.
fn is_off(spec: &Spec, node: &Node) -> bool {
    match &node.tree {
        Tree::Null => true,
        Tree::Scalar { text, .. } => (spec.optional || spec.is_list()) && is_none(text),
        Tree::List(_) | Tree::Map(_) => false,
    }
}
