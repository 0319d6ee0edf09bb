//! What the fuzz targets do: one function per target, which panics when a law is broken.
//!
//! `./run.sh 60` runs every target for a minute; `cargo test --no-default-features` replays the seeds without the
//! engine, as any other test.

pub mod matching;
pub mod opencti;
pub mod reference;

pub use matching::pattern_match;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;

use alert_enricher::extract::{ExtractOptions, Extraction, Extractor};
use alert_enricher::hunt::{HuntOptions, Hunter};
use alert_enricher::indicator::{Key, Kind, keys_of_object, keys_of_pattern};
use alert_enricher::store::{Builder, MatchOptions, Matcher, Store, Validity, Worthless, reseal};
use serde_json::Value;
use stix_model::pattern::{Pattern, PatternVersion};
use stix_model::{Bundle, Object, bundle};
use wazuh_query::alert::Alert;
use wazuh_query::builder::QueryBuilder;
use wazuh_query::catalogue::{Catalogue, CatalogueFile, HashAlgorithm, Holds, Schema};
use wazuh_query::dsl::limits;
use wazuh_query::evaluate::Evaluator;
use wazuh_query::options::SearchOptions;
use wazuh_query::regexp::{Regexp, RegexpError, escape, escape_backslashes, escape_windows_path};
use wazuh_query::store::files::AlertReader;

use reference::Expression;

/// A fuzz target.
pub type Target = fn(&[u8]);

/// Every target with its name.
pub const TARGETS: [(&str, Target); 14] = [
    ("alert", alert),
    ("alert_file", alert_file),
    ("catalogue_file", catalogue_file),
    ("indicator_list", indicator_list),
    ("lucene", lucene),
    ("opencti_answer", opencti::answer),
    ("opencti_bundle", opencti::bundle),
    ("opencti_message", opencti::message),
    ("opencti_stream", opencti::stream),
    ("pattern", pattern),
    ("pattern_match", matching::pattern_match),
    ("query", query),
    ("stix_object", stix_object),
    ("store_file", store_file),
];

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::builtin);
static EXTRACT: LazyLock<ExtractOptions> = LazyLock::new(ExtractOptions::default);
static BUILDERS: LazyLock<[QueryBuilder; 2]> = LazyLock::new(|| {
    let options = SearchOptions { ignore_private_addrs: false, ..SearchOptions::default() };
    [Schema::Wazuh4, Schema::Wazuh5].map(|schema| QueryBuilder::new(&CATALOGUE, schema, options.clone()))
});

/// Any text as an alert: reading and extraction take it, and every object survives a round trip.
pub fn alert(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    extract(text, &CATALOGUE);
}

fn extract(text: &str, catalogue: &Catalogue) -> Option<Extraction> {
    let alert = Alert::read(text, catalogue).ok()?;
    let extractor = Extractor::new(catalogue, &EXTRACT);
    let extraction = extractor.extract(&alert);
    assert_eq!(extraction, extractor.extract(&alert), "the same alert gives the same objects");
    for (place, object) in extraction.objects.iter().enumerate() {
        survives(object);
        for reference in object.refs() {
            let known = extraction.objects.iter().take(place).any(|object| *object.id() == reference);
            assert!(known, "{reference} stands before what refers to it");
        }
    }
    extraction.provenance(&alert, catalogue);
    Some(extraction)
}

fn survives(object: &Object) {
    let written = serde_json::to_string(object).expect("an object can be written");
    let read = Object::from_json(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(&read, object, "{written}");
    assert_eq!(serde_json::to_string(&read).expect("an object can be written"), written);
}

/// Any bytes as a file of alerts: reading hands out texts that stand in the file, and never more than there are.
pub fn alert_file(data: &[u8]) {
    let mut reader = AlertReader::new().longest_line(1 << 10).longest_document(1 << 12);
    let mut bytes = 0;
    let report = reader.read(Path::new("fuzz"), data, |line| {
        assert!(!line.text.is_empty() && line.number > 0);
        bytes += line.text.len();
        ControlFlow::Continue(())
    });
    if data.starts_with(&[0x1f, 0x8b]) {
        return;
    }
    assert_eq!(report.bytes, data.len() as u64);
    // Invalid bytes become three each.
    assert!(bytes <= data.len() * 3);
    // Pieces do not matter.
    let mut again = 0;
    let pieces = reader.read(Path::new("fuzz"), Trickle(data), |line| {
        again += line.text.len();
        ControlFlow::Continue(())
    });
    assert_eq!((pieces, again), (report, bytes));
}

/// A source that gives a few bytes at a time.
struct Trickle<'a>(&'a [u8]);

impl std::io::Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(buffer.len()).min(7);
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

/// A first line as a catalogue of one's own, the rest as an alert that is read with it.
pub fn catalogue_file(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (file, alert) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(file) = serde_json::from_str::<CatalogueFile>(file) else { return };
    let mut catalogue = Catalogue::builtin();
    let before = catalogue.fields().len();
    let paths: Vec<_> = file.fields.iter().map(|field| (field.schema, field.path.clone())).collect();
    if catalogue.extend(file).is_err() {
        assert_eq!(catalogue.fields().len(), before, "a refused file changes nothing");
        return;
    }
    for (schema, path) in paths {
        let id = catalogue.find(schema, &path).unwrap_or_else(|| panic!("`{path}` was added"));
        assert_eq!(catalogue.field(id).path, path);
    }
    if let Some(extraction) = extract(alert, &catalogue) {
        let builder = QueryBuilder::new(&catalogue, Schema::Wazuh4, SearchOptions::default());
        for object in &extraction.objects {
            build(&builder, object, &extraction.objects);
        }
    }
}

/// Lines of a list, a pattern in each, and what they find in an alert of their own text.
pub fn indicator_list(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut builder = Builder::new(Worthless::none());
    for line in text.lines() {
        builder.line(line);
        let (kind, value) = line.split_once(',').unwrap_or(("", line));
        builder.value(value, Some(kind), Some(line), Some(50));
        if let Ok(keys) = keys_of_pattern(line) {
            for key in keys {
                let object = key.to_object();
                survives(&object);
                assert!(!key.to_string().is_empty());
                keys_of_object(&object);
            }
        }
    }
    let built = builder.finish().expect("a small store");
    Store::open(built.bytes().to_vec()).expect("a store that was just written");
    let snapshot = built.into_store().snapshot();
    let options = MatchOptions { validity: Validity::ANY, ..MatchOptions::default() };
    let matcher = Matcher::new(&snapshot, &CATALOGUE, options);
    for key in snapshot.keys() {
        let (id, key) = key.expect("an undamaged store");
        snapshot.indicator(id).expect("an undamaged store");
        survives(&key.to_object());
        // A value is found where it stands by itself.
        if let Some(field) = field_of(key.kind()) {
            let text = match &key {
                Key::Network(network) => network.addr().to_string(),
                Key::Text(_, text) => text.to_string(),
            };
            // White space around a value is no part of it, and neither is a second slash at the end of a URL.
            let mut found = Key::new(key.kind(), &text).as_ref() != Some(&key);
            matcher.field(field, &text, &mut |other, _| found |= other == id).expect("an undamaged store");
            assert!(found, "{key:?}");
        }
    }
    let mut hunter = Hunter::new(&CATALOGUE, &snapshot, HuntOptions::default());
    for line in text.lines() {
        let alert = serde_json::json!({"rule": {"id": "1"}, "data": {"srcip": line, "url": line, "file": line}});
        let _seen = hunter.alert(&alert.to_string());
    }
    hunter.finish().expect("an undamaged store");
}

/// Any bytes as a store, with sums that fit: whatever is in it, everything that can be asked gets an answer.
pub fn store_file(data: &[u8]) {
    // By itself it is refused, unless it is a store that somebody wrote.
    let _refused = Store::open(data.to_vec());
    let mut bytes = data.to_vec();
    reseal(&mut bytes);
    let Ok(store) = Store::open(bytes) else { return };
    let snapshot = store.snapshot();
    let mut texts: Vec<String> = Vec::new();
    for key in snapshot.keys().take(1_000).flatten() {
        texts.push(key.1.to_string());
    }
    for indicator in snapshot.indicators().take(1_000).flatten() {
        let _found = snapshot.get(&indicator.id);
    }
    let _about = snapshot.about();
    let options = MatchOptions { sub_domains: true, ..MatchOptions::default() };
    let mut matcher = Matcher::new(&snapshot, &CATALOGUE, options);
    texts.extend(["203.0.113.7", "2001:db8::1", "www.evil.example", r"C:\Tools\nc.exe"].map(str::to_owned));
    for text in &texts {
        let _found = matcher.look_up(text);
        let alert = serde_json::json!({
            "timestamp": "2026-03-14T09:26:53.589Z",
            "rule": {"id": "1"},
            "data": {"srcip": text, "url": text, "hostname": text, "win": {"eventdata": {"commandLine": text}}},
            "syscheck": {"path": text, "sha256_after": text, "md5_after": text},
        });
        let _found = matcher.matches(&alert.to_string());
    }
    if let Ok(merged) = snapshot.to_bytes() {
        Store::open(merged).expect("what was merged can be opened");
    }
    let mut builder = store.builder(Worthless::none());
    builder.line("evil.example");
    if store.add(builder).is_ok() {
        let _compacted = store.compact();
        let _whole = store.snapshot().to_bytes();
    }
}

/// What a field holds in which values of this kind stand by themselves. E-mail addresses are read more strictly than
/// lists of them.
fn field_of(kind: Kind) -> Option<Holds> {
    Some(match kind {
        Kind::Address => Holds::Ip,
        Kind::Asn => Holds::Asn,
        Kind::CertificateFingerprint => Holds::CertificateFingerprint,
        Kind::CertificateSerial => Holds::CertificateSerial,
        Kind::Directory => Holds::Directory,
        Kind::Domain => Holds::Hostname,
        Kind::EmailSubject => Holds::EmailSubject,
        Kind::File => Holds::FilePath,
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512 => Holds::AnyHash,
        Kind::Mac => Holds::Mac,
        Kind::Mutex => Holds::ObjectName,
        Kind::RegistryKey => Holds::RegistryKey,
        Kind::Ssdeep => Holds::Hash(HashAlgorithm::Ssdeep),
        Kind::Text => Holds::Name,
        Kind::Url => Holds::Url,
        Kind::UserAccount => Holds::UserName,
        Kind::UserAgent => Holds::UserAgent,
        Kind::Vulnerability => Holds::Vulnerability,
        _ => return None,
    })
}

/// Text before the first line end as a text to escape and as an expression, the rest as a text to run it on.
pub fn lucene(data: &[u8]) {
    let Ok(input) = str::from_utf8(data) else { return };
    let (expression, text) = input.split_once('\n').unwrap_or((input, ""));
    for (escaped, exact) in [
        (escape(expression), true),
        (escape_backslashes(expression), !expression.contains('\\')),
        (escape_windows_path(expression), !expression.contains(['\\', '/'])),
    ] {
        let regexp = Regexp::new(&escaped, false).unwrap_or_else(|error| panic!("{escaped}: {error}"));
        let checked = Expression::read(&escaped, false).unwrap_or_else(|| panic!("{escaped} is no expression"));
        assert!(regexp.matches(expression) && checked.matches(expression) != Some(false), "{escaped}");
        if exact {
            assert_eq!(regexp.matches(text), text == expression, "{escaped} {text}");
            assert_ne!(checked.matches(text), Some(text != expression), "{escaped} {text}");
        }
    }
    for case_insensitive in [false, true] {
        let regexp = match Regexp::new(expression, case_insensitive) {
            Ok(regexp) => regexp,
            // Refusing more than Lucene does is safe; running it differently is not.
            Err(RegexpError::Syntax(_) | RegexpError::Unsupported(_) | RegexpError::TooComplex | _) => return,
        };
        let checked = Expression::read(expression, case_insensitive)
            .unwrap_or_else(|| panic!("{expression} is run although Lucene refuses it"));
        let Some(wanted) = checked.matches(text) else { return };
        assert_eq!(regexp.matches(text), wanted, "{expression} {text} {case_insensitive}");
    }
}

/// Any text as a pattern of both versions: what can be read prints to the same tree, errors point into the text, and
/// every part that has a place says there what the tree says.
pub fn pattern(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    for version in [PatternVersion::V2_0, PatternVersion::V2_1] {
        let pattern = match Pattern::parse_as(text, version) {
            Ok(pattern) => pattern,
            Err(error) => {
                assert!(text.get(error.span().range()).is_some(), "{error:?} points into the text");
                assert_eq!(error.render(text).lines().count(), 3, "{error}");
                continue;
            }
        };
        let printed = pattern.to_string();
        let again = Pattern::parse_as(&printed, version).unwrap_or_else(|error| panic!("{}", error.render(&printed)));
        assert_eq!(again, pattern, "{printed}");
        assert_eq!(again.to_string(), printed);
        for observation in pattern.observations() {
            let part = Pattern::parse_as(observation.span.text(text), version).expect("an observation is a pattern");
            assert_eq!(part.expression.to_string(), format!("[{}]", observation.comparison));
        }
        for test in pattern.tests() {
            let printed = test.path.to_string();
            assert_eq!(printed.parse().as_ref(), Ok(&test.path), "{printed}");
            let part = Pattern::parse_as(&format!("[{}]", test.span.text(text)), version).expect("a test is a pattern");
            assert_eq!(part.tests().next(), Some(test));
        }
    }
}

/// Any objects: queries stay within the limits and can be evaluated.
pub fn query(data: &[u8]) {
    let mut objects = Vec::new();
    let _end = bundle::read_objects(data, |object| objects.extend(object));
    for object in &objects {
        for builder in &*BUILDERS {
            build(builder, object, &objects);
        }
        for key in keys_of_object(object) {
            build(&BUILDERS[0], &key.to_object(), &[]);
        }
    }
}

fn build(builder: &QueryBuilder, object: &Object, references: &[Object]) {
    let Ok(built) = builder.build(object, references) else { return };
    let query = &built.query;
    assert!(query.longest_regexp() <= limits::REGEXP_CHARS, "{} characters", query.longest_regexp());
    assert!(query.clause_count() <= limits::CLAUSES, "{} clauses", query.clause_count());
    let text = query.to_json();
    assert_eq!(text, builder.build(object, references).expect("it was built before").query.to_json());
    serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    // A document that has a text in every field runs every expression.
    let value = serde_json::to_string(object).unwrap_or_default();
    let document = serde_json::json!({"data": {"srcip": value, "url": value, "file": value}});
    for schema in [Schema::Wazuh4, Schema::Wazuh5] {
        let evaluator = Evaluator::new(&CATALOGUE, schema);
        evaluator.matches(query, &document).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
}

/// Any text as STIX: what can be read can be written and read again.
pub fn stix_object(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data)
        && let Ok(object) = Object::from_json(text)
    {
        survives(&object);
        object.refs();
        object.opencti().score();
        object.opencti().labels();
        let strict = object.strict();
        survives(&strict);
        assert_eq!(strict.clone().strict(), strict);
    }
    if let Ok((bundle, _)) = Bundle::read(data) {
        bundle.objects.iter().for_each(survives);
        let written = serde_json::to_vec(&bundle).expect("a bundle can be written");
        let (read, errors) = Bundle::read(&written).expect("what was written can be read");
        assert!(errors.is_empty() && read == bundle, "{errors:?} {}", String::from_utf8_lossy(&written));
    }
    let mut pieces = Vec::new();
    let whole = bundle::read_objects(Trickle(data), |object| pieces.push(object.is_ok())).is_ok();
    let mut again = Vec::new();
    assert_eq!(bundle::read_objects(data, |object| again.push(object.is_ok())).is_ok(), whole);
    assert_eq!(pieces, again);
}
