//! Splitting a bundle into parts of one object, dependencies first.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use stix_model::opencti;

use super::types::{is_accepted_reference, is_accepted_type};
use super::{RawBundle, RawObject};

/// How a bundle is split.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SplitOptions {
    /// Removes references to objects that are not part of the bundle.
    ///
    /// That includes markings and authors: an object whose marking definition is not in the bundle loses its marking.
    pub cleanup: bool,
    /// The version of the event that the parts come from.
    pub event_version: Option<String>,
}

impl Default for SplitOptions {
    /// With cleanup, as the platform's reviewers want it.
    fn default() -> Self {
        Self { cleanup: true, event_version: None }
    }
}

/// A split bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// The parts, in the order in which they are to be sent.
    pub parts: Vec<Part>,
    /// What is not sent.
    pub refused: Vec<Refused>,
}

/// A bundle of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The object's identifier.
    pub id: String,
    /// How many dependencies were counted, the object itself included; the parts are ordered by it.
    pub sequence: u64,
    /// The bundle, as JSON.
    pub json: String,
}

/// An object that is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its identifier, or what stands in its place.
    pub id: String,
    /// Why.
    pub why: &'static str,
}

/// Splits a bundle into parts of one object each, so that what is referred to comes before what refers to it.
///
/// The counts, their order and what is refused are those of the platform's own splitter. Objects with the same
/// identifier become one part, the last one counts. `bundle_id` is used where the bundle has no identifier.
///
/// ```
/// use opencti_client::bundle::{SplitOptions, split};
///
/// let bundle = r#"{"type":"bundle","id":"bundle--1","objects":[
///     {"type":"malware","id":"malware--2","created_by_ref":"identity--1"},
///     {"type":"identity","id":"identity--1"}]}"#;
/// let split = split(bundle, "bundle--0", &SplitOptions::default())?;
/// let ids: Vec<_> = split.parts.iter().map(|part| part.id.as_str()).collect();
/// assert_eq!(ids, ["identity--1", "malware--2"]);
/// # Ok::<_, serde_json::Error>(())
/// ```
pub fn split(bundle: &str, bundle_id: &str, options: &SplitOptions) -> Result<Split, serde_json::Error> {
    let bundle = RawBundle::parse(bundle)?;
    let mut splitter = Splitter::new(&bundle, options.cleanup);
    for start in 0..splitter.objects.len() {
        splitter.visit(start);
    }
    Ok(splitter.finish(bundle.id.as_deref().unwrap_or(bundle_id), options))
}

struct Splitter {
    cleanup: bool,
    objects: Vec<Node>,
    /// From identifiers, the platform's internal ones too, to places in `objects`.
    index: HashMap<String, usize>,
    refused: Vec<Refused>,
    /// Places in the order in which they were finished: an order in which dependencies come first.
    finished: Vec<usize>,
}

struct Node {
    id: String,
    object: RawObject,
    /// What it was found to depend on.
    refs: HashSet<String>,
    /// Its count, once it is finished.
    count: Option<u64>,
    /// Whether it is being visited.
    open: bool,
}

/// One object on the way down: what of it is left to look at.
struct Frame {
    node: usize,
    count: u64,
    /// Its properties, to be looked at.
    properties: std::vec::IntoIter<(String, Box<RawValue>)>,
    /// The list of references that is being looked at.
    list: Option<List>,
    done: RawObject,
}

struct List {
    name: String,
    left: std::vec::IntoIter<Value>,
    keep: Vec<String>,
    kept: HashSet<String>,
}

impl Splitter {
    fn new(bundle: &RawBundle, cleanup: bool) -> Self {
        let mut splitter =
            Self { cleanup, objects: Vec::new(), index: HashMap::new(), refused: Vec::new(), finished: Vec::new() };
        for raw in &bundle.objects {
            let Ok(object) = serde_json::from_str::<RawObject>(raw.get()) else {
                splitter.refuse("(no object)".to_owned(), "it is no object");
                continue;
            };
            let Some(id) = object.text("id") else {
                splitter.refuse("(no identifier)".to_owned(), "it has no identifier");
                continue;
            };
            let place = *splitter.index.get(&id).unwrap_or(&splitter.objects.len());
            splitter.index.insert(id.clone(), place);
            if let Some(internal) = internal_id(&object) {
                splitter.index.entry(internal).or_insert(place);
            }
            let node = Node { id, object, refs: HashSet::new(), count: None, open: false };
            if place == splitter.objects.len() {
                splitter.objects.push(node);
            } else {
                splitter.objects[place] = node;
            }
        }
        splitter
    }

    fn refuse(&mut self, id: String, why: &'static str) {
        self.refused.push(Refused { id, why });
    }

    /// Visits an object and everything that it depends on. Without recursion: chains may be as long as a bundle.
    fn visit(&mut self, start: usize) {
        if self.objects[start].count.is_some() {
            return;
        }
        let mut stack = vec![self.open(start)];
        while let Some(frame) = stack.last_mut() {
            match self.step(frame) {
                Step::Down(node) => {
                    let frame = self.open(node);
                    stack.push(frame);
                }
                Step::On => {}
                Step::Done => {
                    let Some(frame) = stack.pop() else { return };
                    let count = self.close(frame);
                    if let Some(above) = stack.last_mut() {
                        above.count = above.count.saturating_add(count);
                    }
                }
            }
        }
    }

    fn open(&mut self, place: usize) -> Frame {
        let node = &mut self.objects[place];
        node.open = true;
        let properties = std::mem::take(&mut node.object.0).into_iter();
        Frame { node: place, count: 1, properties, list: None, done: RawObject::default() }
    }

    fn step(&mut self, frame: &mut Frame) -> Step {
        if let Some(list) = &mut frame.list {
            let Some(value) = list.left.next() else {
                if let Some(list) = frame.list.take() {
                    frame.done.set(&list.name, &list.keep);
                }
                return Step::On;
            };
            let Value::String(reference) = value else { return Step::On };
            let Some(next) = self.follow(frame.node, &reference) else { return Step::On };
            if list.kept.insert(reference.clone()) {
                list.keep.push(reference);
            }
            return self.descend(frame, next);
        }
        let Some((name, value)) = frame.properties.next() else { return Step::Done };
        if name.ends_with("_refs") {
            if let Ok(list) = serde_json::from_str::<Vec<Value>>(value.get()) {
                frame.list = Some(List { name, left: list.into_iter(), keep: Vec::new(), kept: HashSet::new() });
                return Step::On;
            }
        } else if name.ends_with("_ref") {
            let reference = serde_json::from_str::<String>(value.get()).ok();
            let next = reference.and_then(|reference| self.follow(frame.node, &reference));
            return if let Some(followed) = next {
                frame.done.0.push((name, value));
                self.descend(frame, followed)
            } else {
                frame.done.set(&name, &Value::Null);
                Step::On
            };
        } else if name == "external_references" {
            if let Some(references) = distinct(&value, reference_key) {
                frame.done.set(&name, &references);
                return Step::On;
            }
        } else if name == "kill_chain_phases"
            && let Some(phases) = distinct(&value, phase_key)
        {
            frame.done.set(&name, &phases);
            return Step::On;
        }
        frame.done.0.push((name, value));
        Step::On
    }

    /// Whether a reference is kept, and to which object of the bundle it leads.
    fn follow(&mut self, from: usize, reference: &str) -> Option<Followed> {
        let target = self.index.get(reference).copied();
        if !is_accepted_reference(reference) || (self.cleanup && target.is_none()) || target == Some(from) {
            return None;
        }
        if let Some(target) = target {
            let target = &self.objects[target];
            if target.open || target.refs.contains(&self.objects[from].id) {
                return None;
            }
        } else if reference == self.objects[from].id {
            return None;
        }
        let node = &mut self.objects[from];
        node.refs.insert(reference.to_owned());
        Some(target.map_or(Followed::Outside, Followed::Inside))
    }

    fn descend(&mut self, frame: &mut Frame, next: Followed) -> Step {
        match next {
            Followed::Outside => Step::On,
            Followed::Inside(place) => match self.objects[place].count {
                Some(count) => {
                    frame.count = frame.count.saturating_add(count);
                    Step::On
                }
                None => Step::Down(place),
            },
        }
    }

    fn close(&mut self, frame: Frame) -> u64 {
        let Frame { node: place, count, mut done, .. } = frame;
        done.set("nb_deps", &count);
        let node = &mut self.objects[place];
        node.open = false;
        node.count = Some(count);
        let refused = refusal(&done);
        node.object = done;
        match refused {
            None => self.finished.push(place),
            Some(why) => {
                let id = self.objects[place].id.clone();
                self.refuse(id, why);
            }
        }
        count
    }

    fn finish(mut self, bundle_id: &str, options: &SplitOptions) -> Split {
        let objects = &self.objects;
        // Stable, and `finished` is an order of dependencies: counts that met their upper end stay in order.
        self.finished.sort_by_key(|place| objects[*place].count);
        let bundle_id = Value::from(bundle_id);
        let version = options.event_version.as_deref();
        let version = version.map(|version| format!(",\"x_opencti_event_version\":{}", Value::from(version)));
        let version = version.unwrap_or_default();
        let part = |place: &usize| {
            let node = &objects[*place];
            let sequence = node.count.unwrap_or(1);
            let json = format!(
                "{{\"type\":\"bundle\",\"id\":{bundle_id},\"spec_version\":\"2.1\",\"x_opencti_seq\":{sequence}\
                 {version},\"objects\":[{}]}}",
                node.object.to_json()
            );
            Part { id: node.id.clone(), sequence, json }
        };
        let parts = self.finished.iter().map(part).collect();
        Split { parts, refused: self.refused }
    }
}

/// Where a reference that is kept leads.
#[derive(Clone, Copy)]
enum Followed {
    /// To an object of the bundle.
    Inside(usize),
    /// Out of the bundle.
    Outside,
}

enum Step {
    /// Into another object.
    Down(usize),
    /// The next one.
    On,
    /// Nothing left in this object.
    Done,
}

/// Why an object is not sent.
fn refusal(object: &RawObject) -> Option<&'static str> {
    let set = |name| object.get(name).is_some_and(|value| value.get() != "null");
    match object.text("type").unwrap_or_default().as_str() {
        "relationship" if !set("source_ref") || !set("target_ref") => {
            Some("an end of the relationship is missing, or not in the bundle")
        }
        "sighting" if !set("sighting_of_ref") => Some("what was sighted is missing, or not in the bundle"),
        "sighting" if object.get_as::<Vec<Value>>("where_sighted_refs").is_none_or(|places| places.is_empty()) => {
            Some("the place of the sighting is missing, or not in the bundle")
        }
        object_type if !is_accepted_type(object_type) => Some("OpenCTI does not import objects of this type"),
        _ => None,
    }
}

fn internal_id(object: &RawObject) -> Option<String> {
    #[derive(Deserialize)]
    struct Extension {
        #[serde(default)]
        id: Option<String>,
    }
    object.text("x_opencti_id").or_else(|| {
        let mut extensions: HashMap<String, Value> = object.get_as("extensions")?;
        let extension = extensions.remove(opencti::EXTENSION)?;
        serde_json::from_value::<Extension>(extension).ok()?.id
    })
}

/// The members of a list that have a key, the first of each key. `None` when it is no list of objects.
fn distinct(list: &RawValue, key: fn(&Value) -> Option<String>) -> Option<Vec<Box<RawValue>>> {
    let mut list: Vec<Box<RawValue>> = serde_json::from_str(list.get()).ok()?;
    let mut seen = HashSet::new();
    list.retain(|raw| {
        let key = serde_json::from_str(raw.get()).ok().as_ref().and_then(key);
        key.is_some_and(|key| seen.insert(key))
    });
    Some(list)
}

/// What tells external references apart: the URL, else the source with its identifier.
fn reference_key(reference: &Value) -> Option<String> {
    if let Some(url) = reference["url"].as_str().filter(|url| !url.is_empty()) {
        return Some(url.to_owned());
    }
    let (source, id) = (reference["source_name"].as_str()?, reference["external_id"].as_str()?);
    Some(format!("{source}\u{0}{id}"))
}

fn phase_key(phase: &Value) -> Option<String> {
    let (name, chain) = (phase["phase_name"].as_str()?, phase["kill_chain_name"].as_str()?);
    Some(format!("{name}\u{0}{chain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the protocol's description.
    const EXAMPLE: &str = r#"{"type":"bundle","id":"bundle--1","objects":[
        {"type":"report","id":"report--1","created_by_ref":"identity--1",
         "object_refs":["indicator--1","malware--1","relationship--1"]},
        {"type":"identity","id":"identity--1","name":"Example Corp"},
        {"type":"indicator","id":"indicator--1","created_by_ref":"identity--1",
         "object_marking_refs":["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]},
        {"type":"malware","id":"malware--1","created_by_ref":"identity--1"},
        {"type":"relationship","id":"relationship--1","created_by_ref":"identity--1",
         "source_ref":"indicator--1","target_ref":"malware--1"},
        {"type":"foo","id":"foo--1","created_by_ref":"identity--1"}]}"#;

    fn cut(bundle: &str, cleanup: bool) -> Split {
        split(bundle, "bundle--0", &SplitOptions { cleanup, event_version: None }).unwrap()
    }

    fn sequence(split: &Split) -> Vec<(&str, u64)> {
        split.parts.iter().map(|part| (part.id.as_str(), part.sequence)).collect()
    }

    /// Acceptance 8: the worked example, in both modes.
    #[test]
    fn the_worked_example() {
        for cleanup in [false, true] {
            let split = cut(EXAMPLE, cleanup);
            let expect =
                [("identity--1", 1), ("indicator--1", 2), ("malware--1", 2), ("relationship--1", 6), ("report--1", 12)];
            assert_eq!(sequence(&split), expect);
            assert_eq!(split.refused.len(), 1);
            assert_eq!(split.refused[0].id, "foo--1");
            let indicator: Value = serde_json::from_str(&split.parts[1].json).unwrap();
            assert_eq!(indicator["x_opencti_seq"], 2);
            assert_eq!(indicator["objects"][0]["nb_deps"], 2);
            let markings = indicator["objects"][0]["object_marking_refs"].as_array().unwrap();
            assert_eq!(markings.len(), usize::from(!cleanup));
        }
    }

    /// Acceptance 9: the part of the described message, byte for byte.
    #[test]
    fn one_object() {
        let bundle = r#"{"type":"bundle","id":"bundle--0d5a3c1e-9d0a-4d0b-8d5e-3a4f1e3a1c11","objects":[{"type":"identity","spec_version":"2.1","id":"identity--69f1df30-eb2f-5845-88e0-64e2d05ab72e","name":"Example Corp","identity_class":"organization"}]}"#;
        let expect = r#"{"type":"bundle","id":"bundle--0d5a3c1e-9d0a-4d0b-8d5e-3a4f1e3a1c11","spec_version":"2.1","x_opencti_seq":1,"objects":[{"type":"identity","spec_version":"2.1","id":"identity--69f1df30-eb2f-5845-88e0-64e2d05ab72e","name":"Example Corp","identity_class":"organization","nb_deps":1}]}"#;
        assert_eq!(cut(bundle, true).parts[0].json, expect);
        let options = SplitOptions { event_version: Some("4".to_owned()), ..SplitOptions::default() };
        let part = &split(bundle, "x", &options).unwrap().parts[0];
        assert!(part.json.contains(r#""x_opencti_seq":1,"x_opencti_event_version":"4","objects""#));
    }

    /// Acceptance 13, the other side: with cleanup a marking that is not in the bundle is lost.
    #[test]
    fn markings_in_the_bundle_stay() {
        let bundle = r#"{"objects":[{"type":"tool","id":"tool--1","object_marking_refs":["marking-definition--1"]},
            {"type":"marking-definition","id":"marking-definition--1"}]}"#;
        let split = cut(bundle, true);
        assert_eq!(sequence(&split), [("marking-definition--1", 1), ("tool--1", 2)]);
        assert!(split.parts[1].json.contains(r#""object_marking_refs":["marking-definition--1"]"#));
        assert!(split.parts[1].json.contains(r#""id":"bundle--0""#));
    }

    #[test]
    fn incomplete_relations_are_refused() {
        let bundle = r#"{"objects":[
            {"type":"relationship","id":"relationship--1","source_ref":"tool--1","target_ref":"odd--1"},
            {"type":"relationship","id":"relationship--2","source_ref":"tool--1","target_ref":"tool--9"},
            {"type":"sighting","id":"sighting--1","where_sighted_refs":["tool--1"]},
            {"type":"sighting","id":"sighting--2","sighting_of_ref":"tool--1","where_sighted_refs":[]},
            {"type":"sighting","id":"sighting--3","sighting_of_ref":"tool--1","where_sighted_refs":["tool--1"]},
            {"type":"tool","id":"tool--1"}, {"type":"tool"}, 7]}"#;
        assert_eq!(sequence(&cut(bundle, true)), [("tool--1", 1), ("sighting--3", 3)]);
        assert_eq!(cut(bundle, true).refused.len(), 6);
        assert_eq!(cut(bundle, false).parts.len(), 3);
    }

    #[test]
    fn circles_are_broken_once() {
        let bundle = r#"{"objects":[
            {"type":"tool","id":"tool--1","created_by_ref":"tool--2","object_refs":["tool--1","tool--2","tool--2"]},
            {"type":"tool","id":"tool--2","created_by_ref":"tool--1"}]}"#;
        let split = cut(bundle, true);
        assert_eq!(sequence(&split), [("tool--2", 1), ("tool--1", 4)]);
        assert!(split.parts[0].json.contains(r#""created_by_ref":null"#));
        assert!(split.parts[1].json.contains(r#""object_refs":["tool--2"]"#));
    }

    #[test]
    fn internal_identifiers_lead_to_the_same_object() {
        let bundle = r#"{"objects":[
            {"type":"tool","id":"tool--1","x_opencti_granted_refs":["55a4","6666"]},
            {"type":"identity","id":"identity--1","x_opencti_id":"55a4"},
            {"type":"identity","id":"identity--2","extensions":
                {"extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba":{"id":"6666"}}}]}"#;
        assert_eq!(sequence(&cut(bundle, true)), [("identity--1", 1), ("identity--2", 1), ("tool--1", 3)]);
    }

    #[test]
    fn references_of_the_same_kind_become_one() {
        let bundle = r#"{"objects":[{"type":"tool","id":"tool--1","external_references":[
            {"source_name":"a"},{"source_name":"a","external_id":"1"},{"source_name":"a","external_id":"1","n":1.10},
            {"source_name":"b","url":"http://b"},{"source_name":"c","url":"http://b"}],
            "kill_chain_phases":[{"phase_name":"p","kill_chain_name":"k"},{"phase_name":"p","kill_chain_name":"k"}]}]}"#;
        let json = &cut(bundle, true).parts[0].json;
        let part: Value = serde_json::from_str(json).unwrap();
        assert_eq!(part["objects"][0]["external_references"].as_array().unwrap().len(), 2);
        assert_eq!(part["objects"][0]["kill_chain_phases"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn repeated_objects_become_one() {
        let bundle =
            r#"{"objects":[{"type":"tool","id":"tool--1","name":"a"},{"type":"tool","id":"tool--1","name":"b"}]}"#;
        let split = cut(bundle, true);
        assert_eq!(split.parts.len(), 1);
        assert!(split.parts[0].json.contains(r#""name":"b""#));
    }

    /// Chains as long as a bundle, and counts that double with each object.
    #[test]
    fn hostile_bundles() {
        let mut objects = String::new();
        let length = 50_000;
        for number in 0..length {
            objects += &format!(
                r#"{{"type":"tool","id":"tool--{number}","created_by_ref":"tool--{0}","x_ref":"tool--{0}"}},"#,
                number + 1
            );
        }
        objects += &format!(r#"{{"type":"tool","id":"tool--{length}"}}"#);
        let split = cut(&format!(r#"{{"objects":[{objects}]}}"#), true);
        assert_eq!(split.parts.len(), length + 1);
        for (place, part) in split.parts.iter().enumerate() {
            assert_eq!(part.id, format!("tool--{}", length - place));
        }
        for odd in [
            r#"{"objects":null}"#,
            r#"{"objects":[{"type":"tool","id":"tool--1","a_refs":7,"b_ref":{},"c_refs":[[]]}]}"#,
        ] {
            cut(odd, true);
        }
    }
}
