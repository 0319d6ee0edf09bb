//! From an object to the values that a path selects.

use std::collections::HashSet;

use serde_json::Value;

use super::fold::Class;
use super::observation::{Observation, Place, type_of};
use crate::hashes::canonical_name;
use crate::pattern::{ObjectPath, PathStep, PatternVersion};

/// A path, with what its names say about the values.
#[derive(Debug)]
pub(super) struct Path {
    source: ObjectPath,
    kinds: Box<[Kind]>,
    /// The class of the values; `None` if it depends on the object that a reference leads to.
    class: Option<Class>,
    /// Whether several ways can lead to one place, so that places have to be remembered.
    is_branching: bool,
    /// Whether no object can have it.
    is_void: bool,
}

/// What the name of a property says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    /// `_ref`: the key of an object, which takes its place.
    Reference,
    /// `_refs`: a list of keys, whose objects take their places.
    References,
    /// `_hex`: bytes in hexadecimal digits.
    Hex,
    /// `_bin`: bytes in base64.
    Binary,
    /// The name of an algorithm in a dictionary of hashes.
    Algorithm,
}

/// What stands at the end of a path.
pub(super) enum Reached<'v> {
    Json(&'v Value),
    /// A property that ends in `_hex` or `_bin`.
    Bytes(Vec<u8>),
}

/// A property whose name and value do not go together.
pub(super) enum Broken {
    Reference { path: String },
    Binary { path: String, value: String, encoding: &'static str },
}

/// How a walk went.
#[derive(Default)]
pub(super) struct Progress {
    /// The path to the place from which no step led on, as far as the walk that got furthest came; empty while there is none.
    pub(super) stopped: Option<(usize, String)>,
    /// Whether `stopped` is wanted.
    pub(super) wanted: bool,
}

/// A step of a walk that is still to be taken.
#[derive(Clone, Copy)]
struct State<'v> {
    step: usize,
    value: &'v Value,
    /// The type of the object that `value` is in.
    owner: &'v str,
    /// Whether `value` is a list of references.
    refers: bool,
    /// The last index taken, in the list of all of them.
    trail: Option<u32>,
}

/// The indexes that were taken for `[*]`, each with the one before it.
type Trail = Vec<(Option<u32>, usize)>;

/// Types of STIX 2.1 that are no observables: patterns are about observables.
const NOT_OBSERVED: [&str; 25] = [
    "attack-pattern",
    "bundle",
    "campaign",
    "course-of-action",
    "extension-definition",
    "grouping",
    "identity",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "language-content",
    "location",
    "malware",
    "malware-analysis",
    "marking-definition",
    "note",
    "observed-data",
    "opinion",
    "relationship",
    "report",
    "sighting",
    "threat-actor",
    "tool",
    "vulnerability",
];

impl Path {
    pub(super) fn new(source: &ObjectPath, version: PatternVersion, tolerant: bool) -> Self {
        let mut kinds = Vec::with_capacity(source.steps.len());
        let mut behind_hashes = false;
        for step in &source.steps {
            let PathStep::Property(name) = step else {
                kinds.push(Kind::Plain);
                behind_hashes = false;
                continue;
            };
            kinds.push(match &**name {
                _ if behind_hashes && tolerant => Kind::Algorithm,
                name if name.ends_with("_ref") => Kind::Reference,
                name if name.ends_with("_refs") => Kind::References,
                name if name.ends_with("_hex") => Kind::Hex,
                name if name.ends_with("_bin") => Kind::Binary,
                _ => Kind::Plain,
            });
            behind_hashes = &**name == "hashes";
        }
        let many = source.steps.iter().filter(|step| matches!(step, PathStep::Any)).count();
        let is_void = version == PatternVersion::V2_1 && NOT_OBSERVED.contains(&&*source.object_type);
        let class = class(source);
        Self { source: source.clone(), kinds: kinds.into(), class, is_branching: many > 1, is_void }
    }

    pub(super) fn object_type(&self) -> &str {
        &self.source.object_type
    }

    pub(super) fn source(&self) -> &ObjectPath {
        &self.source
    }

    pub(super) fn is_void(&self) -> bool {
        self.is_void
    }

    /// Whether the values can be of a class other than plain text.
    pub(super) fn can_fold(&self) -> bool {
        self.class != Some(Class::Plain)
    }

    /// Whether the values are bytes.
    pub(super) fn is_binary(&self) -> bool {
        matches!(self.kinds.last(), Some(Kind::Hex | Kind::Binary))
    }

    /// Whether an object can have something at this path that makes the path meaningless.
    pub(super) fn can_break(&self) -> bool {
        self.kinds.iter().any(|kind| !matches!(kind, Kind::Plain | Kind::Algorithm))
    }

    /// Calls `accept` for every value that the path selects in an object, until it takes one; hands out the path to that.
    ///
    /// Broken properties end their way if `strict` is off. Every step is taken once from every place, so the effort is
    /// bounded by the steps of the path times the values in the observation, references in circles included.
    pub(super) fn walk<'v, E: From<Broken>>(
        &self,
        observation: &'v Observation<'_>,
        place: Place,
        strict: bool,
        progress: &mut Progress,
        mut accept: impl FnMut(&Reached<'v>, Class, &dyn Fn() -> String) -> Result<bool, E>,
    ) -> Result<Option<String>, E> {
        let Some(object) = observation.object(place) else { return Ok(None) };
        let mut open: Vec<State<'v>> = Vec::new();
        let mut trail: Trail = Vec::new();
        let mut known: HashSet<(usize, *const Value)> = HashSet::new();
        let owner = type_of(object).unwrap_or_default();
        let mut next = Some(State { step: 0, value: object, owner, refers: false, trail: None });
        while let Some(state) = next.take().or_else(|| open.pop()) {
            let before = open.len();
            let Some(step) = self.source.steps.get(state.step) else {
                let class = self.class.unwrap_or_else(|| Class::of_value(state.owner));
                let concrete = || self.concrete(state.step, state.trail, &trail);
                if accept(&Reached::Json(state.value), class, &concrete)? {
                    return Ok(Some(concrete()));
                }
                continue;
            };
            let taken = state.step + 1;
            match (step, state.value) {
                (PathStep::Property(name), Value::Object(properties)) => {
                    let kind = self.kinds.get(state.step).copied().unwrap_or(Kind::Plain);
                    let value = properties.get(&**name).or_else(|| {
                        // Another spelling of the algorithm.
                        let wanted = (kind == Kind::Algorithm).then(|| canonical_name(name))?;
                        properties.iter().find(|(name, _)| canonical_name(name) == wanted).map(|(_, value)| value)
                    });
                    let on = |value: &'v Value| State { step: taken, value, refers: false, ..state };
                    match (kind, value) {
                        (_, None) => {}
                        (Kind::Plain | Kind::Algorithm, Some(value)) => next = Some(on(value)),
                        (Kind::Reference, Some(Value::String(key))) => {
                            if let Some(object) = observation.find(key) {
                                next = Some(State { owner: type_of(object).unwrap_or_default(), ..on(object) });
                            }
                        }
                        (Kind::References, Some(value @ Value::Array(_))) => {
                            next = Some(State { refers: true, ..on(value) });
                        }
                        (Kind::Reference | Kind::References, Some(_)) => {
                            if strict {
                                let path = self.concrete(taken, state.trail, &trail);
                                return Err(E::from(Broken::Reference { path }));
                            }
                        }
                        (Kind::Hex | Kind::Binary, Some(Value::String(text))) => {
                            let is_hex = kind == Kind::Hex;
                            let decoded = if is_hex { hexadecimal(text) } else { base64(text) };
                            let concrete = || self.concrete(taken, state.trail, &trail);
                            match decoded {
                                Some(bytes) if taken == self.source.steps.len() => {
                                    if accept(&Reached::Bytes(bytes), Class::Plain, &concrete)? {
                                        return Ok(Some(concrete()));
                                    }
                                    continue;
                                }
                                None if strict => {
                                    let encoding = if is_hex { "hexadecimal text" } else { "base64" };
                                    let value = text.chars().take(80).collect();
                                    return Err(E::from(Broken::Binary { path: concrete(), value, encoding }));
                                }
                                _ => {}
                            }
                        }
                        (Kind::Hex | Kind::Binary, Some(value)) => next = Some(on(value)),
                    }
                }
                (PathStep::Index(_) | PathStep::Any, Value::Array(list)) => {
                    let one = match step {
                        PathStep::Index(index) => usize::try_from(*index).ok(),
                        _ => None,
                    };
                    let range = match (step, one) {
                        (PathStep::Any, _) => 0..list.len(),
                        (_, Some(index)) if index < list.len() => index..index + 1,
                        _ => 0..0,
                    };
                    for (index, element) in range.clone().zip(list.get(range).unwrap_or_default()) {
                        let (mut value, mut owner) = (element, state.owner);
                        if state.refers {
                            match element {
                                Value::String(key) => {
                                    let Some(object) = observation.find(key) else { continue };
                                    (value, owner) = (object, type_of(object).unwrap_or_default());
                                }
                                _ if strict => {
                                    let path = self.concrete(state.step, state.trail, &trail);
                                    return Err(E::from(Broken::Reference { path }));
                                }
                                _ => continue,
                            }
                        }
                        if self.is_branching && !known.insert((taken, std::ptr::from_ref(value))) {
                            continue;
                        }
                        let mut last = state.trail;
                        if one.is_none() {
                            trail.push((state.trail, index));
                            last = u32::try_from(trail.len() - 1).ok();
                        }
                        open.push(State { step: taken, value, owner, refers: false, trail: last });
                    }
                    // The first element first.
                    if let Some(added) = open.get_mut(before..) {
                        added.reverse();
                    }
                }
                _ => {}
            }
            let is_end = next.is_none() && open.len() == before;
            if progress.wanted && is_end && progress.stopped.as_ref().is_none_or(|(steps, _)| *steps < state.step) {
                progress.stopped = Some((state.step, self.concrete(state.step, state.trail, &trail)));
            }
        }
        Ok(None)
    }

    /// The first steps of the path with the indexes that were taken.
    fn concrete(&self, steps: usize, last: Option<u32>, trail: &Trail) -> String {
        let mut indexes = Vec::new();
        let mut at = last;
        while let Some(&(before, index)) = at.and_then(|at| trail.get(at as usize)) {
            indexes.push(index);
            at = before;
        }
        let mut path = ObjectPath { steps: Vec::new(), ..self.source.clone() };
        for step in self.source.steps.iter().take(steps) {
            path.steps.push(match step {
                PathStep::Any => match indexes.pop() {
                    Some(index) => PathStep::Index(index as u64),
                    None => PathStep::Any,
                },
                step => step.clone(),
            });
        }
        match path.steps.as_slice() {
            [] => path.object_type.into(),
            _ => path.to_string(),
        }
    }
}

/// The class of the values at the end of a path; `None` if it depends on the object that the last reference leads to.
fn class(path: &ObjectPath) -> Option<Class> {
    let mut names = path.steps.iter().rev();
    let Some(PathStep::Property(last)) = names.next() else { return Some(Class::Plain) };
    let before = names.next();
    match before {
        Some(PathStep::Property(name)) if &**name == "hashes" => {
            // Digits of ssdeep are base64, in which case matters.
            let is_fuzzy = canonical_name(last) == "SSDEEP";
            Some(if is_fuzzy { Class::Plain } else { Class::Hash })
        }
        _ if &**last != "value" => Some(Class::Plain),
        None => Some(Class::of_value(&path.object_type)),
        Some(PathStep::Property(name)) if name.ends_with("_ref") => None,
        Some(PathStep::Any | PathStep::Index(_)) => match names.next() {
            Some(PathStep::Property(name)) if name.ends_with("_refs") => None,
            _ => Some(Class::Plain),
        },
        Some(PathStep::Property(_)) => Some(Class::Plain),
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Base64 with its padding; white space in between is no harm.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut padding) = (0_u32, 0_u8, 0_u8);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                padding += 1;
                if padding > 2 {
                    return None;
                }
                continue;
            }
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        bits = bits << 6 | u32::from(value);
        count = (count + 1) % 4;
        match count {
            0 => bytes.extend_from_slice(bits.to_be_bytes().get(1..)?),
            _ => continue,
        }
        bits = 0;
    }
    match (count, padding) {
        (0, 0) => {}
        (2, 2) => bytes.push(u8::try_from(bits >> 4).ok()?),
        (3, 1) => bytes.extend_from_slice((bits >> 2).to_be_bytes().get(2..)?),
        _ => return None,
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_texts() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("YWxpY2U=", Some(b"alice")),
            ("AQIDBA==", Some(&[1, 2, 3, 4])),
            ("YWJj", Some(b"abc")),
        ] {
            assert_eq!(base64(text).as_deref(), bytes, "{text}");
        }
        for text in ["YWxpY2U", "YW=x", "====", "Y", "Y===", "ä"] {
            assert_eq!(base64(text), None, "{text}");
        }
        assert_eq!(hexadecimal("616c696365").as_deref(), Some(&b"alice"[..]));
        assert_eq!(hexadecimal("616"), None);
        assert_eq!(hexadecimal("6x"), None);
    }
}
