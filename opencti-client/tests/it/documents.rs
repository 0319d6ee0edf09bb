//! The documents, against the schemas of three releases.
//!
//! The schemas are large. What of them concerns the documents is kept with the crate, so that a fresh clone checks
//! something real; where the schemas are at hand, documents and excerpts are checked against them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Node, Schema};
use opencti_client::documents::{self, Document};
use opencti_client::{PlatformVersion, Registration, Scope};

const RELEASES: [&str; 3] = ["6.2.18", "6.9.17", "7.260817.0"];

/// Types of objects that an excerpt keeps, beside those that the documents name.
const OBJECTS: &str = "Artifact AttackPattern AutonomousSystem Campaign CaseIncident CaseRfi Country Directory DomainName \
    EmailAddr EmailMessage File Grouping Hostname IPv4Addr IPv6Addr Incident Indicator Individual Infrastructure \
    IntrusionSet MacAddr Malware MarkingDefinition Label Mutex NetworkTraffic Note ObservedData Organization Process \
    Report Sector Software StixFile System Text ThreatActorGroup ThreatActorIndividual Tool Url UserAccount UserAgent \
    Vulnerability WindowsRegistryKey WindowsRegistryValueType X509Certificate CryptocurrencyWallet";

fn full(release: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/opencti-schema");
    let text = std::fs::read_to_string(path.join(format!("{release}.graphql"))).ok();
    if text.is_none() {
        eprintln!("skipped: the schema of {release} is not here");
    }
    text
}

fn excerpt_path(release: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("graphql/schema/{release}.graphql"))
}

fn schema(text: &str) -> Valid<Schema> {
    Schema::parse_and_validate(text, "schema").unwrap_or_else(|error| panic!("{error}"))
}

fn version(release: &str) -> PlatformVersion {
    PlatformVersion::parse(release).unwrap()
}

fn check(schema: &Valid<Schema>, release: &str, document: &Document) -> Result<Valid<ExecutableDocument>, String> {
    ExecutableDocument::parse_and_validate(schema, document.text, "document")
        .map_err(|error| format!("{} in {release}: {error}", document.name))
}

/// Acceptance 1: every document validates against each release that it is sent to, and only where the version demands
/// it is there another one.
#[test]
fn documents_fit_the_schemas() {
    for release in RELEASES {
        let kept = std::fs::read_to_string(excerpt_path(release)).unwrap();
        for text in [Some(kept), full(release)].into_iter().flatten() {
            let schema = schema(&text);
            for document in documents::ALL.iter().filter(|document| document.suits(version(release))) {
                check(&schema, release, document).unwrap();
            }
        }
    }
    let Some(oldest) = full(RELEASES[0]) else { return };
    let oldest = schema(&oldest);
    for document in documents::ALL.iter().filter(|document| !document.suits(PlatformVersion::new(6, 2, 18))) {
        assert!(check(&oldest, RELEASES[0], document).is_err(), "{} needs no newer version", document.name);
    }
}

/// Acceptance 1: the input of the registration, too.
#[test]
fn registration_input_fits_the_schemas() {
    let mut registration = Registration::new("7c1d3b52-6f0e-4b41-9a25-0d2f6c9b8e77", "Example", Scope::parse("Url"));
    registration.listen_callback_uri = Some("http://127.0.0.1:7070/api/callback".to_owned());
    let coerced = |schema: &Valid<Schema>, input: serde_json::Value| {
        let document = check(schema, "", &documents::REGISTER).unwrap();
        let operation = document.operations.get(None).unwrap();
        let variables = serde_json::json!({ "input": input }).to_string();
        let variables = serde_json::from_str(&variables).unwrap();
        apollo_compiler::request::coerce_variable_values(schema, operation, &variables).is_ok()
    };
    for release in RELEASES {
        let schema = schema(&std::fs::read_to_string(excerpt_path(release)).unwrap());
        assert!(coerced(&schema, registration.input(version(release))), "{release}");
        assert!(coerced(&schema, registration.base_input()), "{release}");
    }
    let oldest = schema(&std::fs::read_to_string(excerpt_path(RELEASES[0])).unwrap());
    assert!(!coerced(&oldest, registration.input(version(RELEASES[2]))));
}

/// No document goes deeper, or asks for more at its root, than the platform allows.
#[test]
fn documents_keep_the_limits() {
    let schema = schema(&std::fs::read_to_string(excerpt_path(RELEASES[2])).unwrap());
    for document in documents::ALL {
        let read = check(&schema, RELEASES[2], document).unwrap();
        let operation = read.operations.get(None).unwrap();
        assert!(depth(&read, &operation.selection_set) <= 20, "{}", document.name);
        let roots: Vec<_> = operation.root_fields(&read).map(|field| field.name.clone()).collect();
        assert_eq!(roots.iter().collect::<BTreeSet<_>>().len(), roots.len(), "{}", document.name);
        assert_eq!(document.text.contains("mutation"), operation.is_mutation());
    }
}

fn depth(document: &ExecutableDocument, set: &SelectionSet) -> usize {
    let of = |selection: &Selection| match selection {
        Selection::Field(field) => 1 + depth(document, &field.selection_set),
        Selection::FragmentSpread(spread) => {
            spread.fragment_def(document).map_or(0, |fragment| depth(document, &fragment.selection_set))
        }
        Selection::InlineFragment(fragment) => depth(document, &fragment.selection_set),
    };
    set.selections.iter().map(of).max().unwrap_or(0)
}

/// The kept excerpts are what the documents use of the schemas. `UPDATE_EXCERPTS=1` writes them.
#[test]
fn excerpts_are_current() {
    for release in RELEASES {
        let Some(text) = full(release) else { return };
        let schema = schema(&text);
        let mut used = Used::default();
        for document in documents::ALL.iter().filter(|document| document.suits(version(release))) {
            used.document(&check(&schema, release, document).unwrap());
        }
        let excerpt = used.excerpt(&schema, release);
        if std::env::var_os("UPDATE_EXCERPTS").is_some() {
            std::fs::write(excerpt_path(release), &excerpt).unwrap();
        }
        let kept = std::fs::read_to_string(excerpt_path(release)).unwrap_or_default();
        assert!(kept == excerpt, "the excerpt of {release} is out of date: run with UPDATE_EXCERPTS=1");
    }
}

/// What documents use of a schema: fields with their arguments, by type.
#[derive(Default)]
struct Used(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Used {
    fn document(&mut self, document: &ExecutableDocument) {
        for operation in document.operations.iter() {
            self.selections(&operation.selection_set);
        }
        for fragment in document.fragments.values() {
            self.selections(&fragment.selection_set);
        }
    }

    fn selections(&mut self, set: &SelectionSet) {
        self.0.entry(set.ty.to_string()).or_default();
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let fields = self.0.entry(set.ty.to_string()).or_default();
                    let arguments = fields.entry(field.name.to_string()).or_default();
                    arguments.extend(field.arguments.iter().map(|argument| argument.name.to_string()));
                    self.selections(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => self.selections(&fragment.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn excerpt(&mut self, schema: &Schema, release: &str) -> String {
        let objects: BTreeSet<&str> = OBJECTS.split_whitespace().collect();
        // A field of an interface belongs to each object, and to each interface below.
        for (name, definition) in &schema.types {
            let interfaces: Vec<String> = match definition {
                ExtendedType::Object(object)
                    if objects.contains(name.as_str()) || self.0.contains_key(name.as_str()) =>
                {
                    object.implements_interfaces.iter().map(ToString::to_string).collect()
                }
                _ => continue,
            };
            for interface in interfaces {
                let Some(fields) = self.0.get(&interface).cloned() else { continue };
                let own = self.0.entry(name.to_string()).or_default();
                for (field, arguments) in fields {
                    own.entry(field).or_default().extend(arguments);
                }
            }
        }
        let mut out = format!(
            "# What the documents of this crate use of the schema that OpenCTI {release} publishes (Apache-2.0).\n\
             # Written by a test: see tests/it/documents.rs.\n"
        );
        let mut leaves = BTreeSet::new();
        for (name, fields) in &self.0 {
            if fields.is_empty() && !schema.types[name.as_str()].is_union() {
                continue;
            }
            self.write(schema, name, fields, &mut leaves, &mut out);
        }
        let mut done = BTreeSet::new();
        while let Some(name) = leaves.pop_first() {
            if done.insert(name.clone()) {
                write_leaf(schema, &name, &mut leaves, &mut out);
            }
        }
        out
    }

    fn write(
        &self,
        schema: &Schema,
        name: &str,
        fields: &BTreeMap<String, BTreeSet<String>>,
        leaves: &mut BTreeSet<String>,
        out: &mut String,
    ) {
        let kept = |interfaces: Vec<String>| {
            let interfaces: Vec<_> = interfaces
                .into_iter()
                .filter(|interface| self.0.get(interface).is_some_and(|fields| !fields.is_empty()))
                .collect();
            if interfaces.is_empty() { String::new() } else { format!(" implements {}", interfaces.join(" & ")) }
        };
        let names = |set: &apollo_compiler::collections::IndexSet<apollo_compiler::schema::ComponentName>| {
            set.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let definitions = match &schema.types[name] {
            ExtendedType::Object(object) => {
                writeln!(out, "\ntype {name}{} {{", kept(names(&object.implements_interfaces))).unwrap();
                &object.fields
            }
            ExtendedType::Interface(interface) => {
                writeln!(out, "\ninterface {name}{} {{", kept(names(&interface.implements_interfaces))).unwrap();
                &interface.fields
            }
            ExtendedType::Union(union) => {
                let members: Vec<_> = union
                    .members
                    .iter()
                    .map(ToString::to_string)
                    .filter(|member| self.0.get(member).is_some_and(|fields| !fields.is_empty()))
                    .collect();
                writeln!(out, "\nunion {name} = {}", members.join(" | ")).unwrap();
                return;
            }
            other => panic!("{name} is {other:?}"),
        };
        for (field, arguments) in fields {
            let definition = &definitions[field.as_str()];
            leaves.insert(definition.ty.inner_named_type().to_string());
            let arguments: Vec<_> = definition
                .arguments
                .iter()
                .filter(|argument| arguments.contains(argument.name.as_str()))
                .map(|argument| {
                    leaves.insert(argument.ty.inner_named_type().to_string());
                    format!("{}: {}", argument.name, argument.ty)
                })
                .collect();
            let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
            writeln!(out, "  {field}{arguments}: {}", definition.ty).unwrap();
        }
        out.push_str("}\n");
    }
}

/// Scalars, enums and inputs are kept whole: an unknown member must be refused as in the platform.
fn write_leaf(schema: &Schema, name: &str, leaves: &mut BTreeSet<String>, out: &mut String) {
    match &schema.types[name] {
        ExtendedType::Scalar(scalar) if !scalar.is_built_in() => writeln!(out, "\nscalar {name}").unwrap(),
        ExtendedType::Enum(definition) => {
            writeln!(out, "\nenum {name} {{").unwrap();
            for value in definition.values.keys() {
                writeln!(out, "  {value}").unwrap();
            }
            out.push_str("}\n");
        }
        ExtendedType::InputObject(input) => {
            writeln!(out, "\ninput {name} {{").unwrap();
            for (field, definition) in &input.fields {
                let definition: &Node<_> = definition;
                leaves.insert(definition.ty.inner_named_type().to_string());
                writeln!(out, "  {field}: {}", definition.ty).unwrap();
            }
            out.push_str("}\n");
        }
        _ => {}
    }
}
