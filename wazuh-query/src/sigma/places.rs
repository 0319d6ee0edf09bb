//! From the name of a field in a rule to places in alerts.

use std::borrow::Cow;

use super::logsource::Scope;
use crate::catalogue::taxonomy::{Concept, OTHER_NAMES, PLACES, UrlPart, key, part_of_url};
use crate::catalogue::{Catalogue, Field, HashAlgorithm, Holds, IndexType, Join, Role, Schema, Tells, Uses};
use crate::value::Spelling;

/// A place in alerts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    /// The field, as an index knows it.
    pub(super) field: Field,
    /// How it spells texts.
    pub(super) spelling: Spelling,
    /// The part of the text that is meant.
    pub(super) part: Part,
    /// How an index can be asked about it.
    pub(super) kind: Kind,
    /// Whether the catalogue has a row for it, and so knows how it is indexed.
    pub(super) known: bool,
}

/// The part of a field's text that a name means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    #[default]
    Whole,
    /// One hash of a list.
    Digest(HashAlgorithm),
    /// A part of a URL.
    Url(UrlPart),
}

/// How an index can be asked about a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Exact text.
    Keyword,
    Ip,
    /// A whole number.
    Long,
    Double,
    Boolean,
    /// Words.
    Text,
    /// Only whether there is a value.
    Opaque,
    /// Not at all.
    Unindexed,
    /// An index with Wazuh's template refuses alerts that have the field: only files have them.
    Refused,
}

impl Place {
    fn new(field: Field, known: bool) -> Self {
        let kind = match field.index {
            _ if !field.uses.search && field.holds != Holds::Opaque => Kind::Refused,
            IndexType::Keyword => Kind::Keyword,
            IndexType::Ip => Kind::Ip,
            IndexType::Long => Kind::Long,
            IndexType::Double => Kind::Double,
            IndexType::Boolean => Kind::Boolean,
            IndexType::Text => Kind::Text,
            IndexType::Date | IndexType::GeoPoint => Kind::Opaque,
            IndexType::Unindexed => Kind::Unindexed,
        };
        Self { spelling: Spelling::of(field.schema, &field.path), part: Part::Whole, kind, known, field }
    }
}

/// More fields of one name than this do not say which one is meant.
const MAX_NAMESAKES: usize = 24;

/// Finds places of fields for one rule.
pub(super) struct Places<'c> {
    pub(super) catalogue: &'c Catalogue,
    pub(super) schema: Schema,
    pub(super) scope: &'c Scope,
    /// The kind of event.
    pub(super) category: &'c str,
}

impl Places<'_> {
    /// The places of a field. Fails with the reason why there is none.
    pub(super) fn of(&self, name: &str) -> Result<Vec<Place>, String> {
        if name.chars().count() > 200 || name.contains(['*', '?']) || name.chars().any(char::is_control) {
            return Err("this is not the name of a field".to_owned());
        }
        let mut places = Vec::new();
        // The name of an alert field itself. A single word is more likely one of the log source's.
        let itself = self.catalogue.find(self.schema, name).map(|id| self.catalogue.field(id));
        if let Some(field) = itself.filter(|_| name.contains('.')) {
            places.push(Place::new(field.clone(), true));
        } else {
            self.collect(name, &mut places);
            let others = OTHER_NAMES.iter().filter(|(category, of, _)| {
                *category == self.category && self.scope.root.is_some() && key(of) == key(name)
            });
            for (_, _, other) in others {
                let mut more = Vec::new();
                self.collect(other, &mut more);
                places.append(&mut more);
            }
        }
        let mut unique: Vec<Place> = Vec::with_capacity(places.len());
        for place in places {
            if !unique.iter().any(|known| known.field.path == place.field.path) {
                unique.push(place);
            }
        }
        if unique.is_empty() { Err(format!("no field of Wazuh {} holds it", self.number())) } else { Ok(unique) }
    }

    /// The places of the whole event.
    pub(super) fn of_event(&self) -> Vec<Place> {
        self.schema.whole_event().iter().map(|path| self.at(path)).collect()
    }

    /// The place at a path, in the catalogue or not.
    pub(super) fn at(&self, path: &str) -> Place {
        match self.catalogue.find(self.schema, path) {
            Some(id) => Place::new(self.catalogue.field(id).clone(), true),
            None => Place::new(unlisted(path, self.schema), false),
        }
    }

    fn number(&self) -> u8 {
        match self.schema {
            Schema::Wazuh4 => 4,
            Schema::Wazuh5 => 5,
        }
    }

    fn in_scope(&self, decoder: &str) -> bool {
        self.scope.decoders.is_none_or(|decoders| decoders.contains(&decoder))
    }

    fn collect(&self, name: &str, places: &mut Vec<Place>) {
        let wanted = key(name);
        for place in PLACES {
            let is_meant = place.schema == self.schema && key(place.name) == wanted;
            if is_meant && (place.decoder.is_empty() || self.in_scope(place.decoder)) {
                places.push(self.at(place.path));
            }
        }
        let concept = Concept::of(name);
        let digest = concept.and_then(|concept| {
            concept.holds.iter().find_map(|holds| match holds {
                Holds::Hash(algorithm) => Some(*algorithm),
                _ => None,
            })
        });
        if let Some(root) = self.scope.root {
            if !places.is_empty() {
                return;
            }
            if !root.family.is_empty() {
                self.by_name(&wanted, root.family, places);
            }
            if let (true, Some(concept), Some(_)) = (places.is_empty(), concept, digest) {
                self.by_concept(concept, digest, part_of_url(name), places);
            }
            if places.is_empty() {
                places.push(self.below(root.path, name, root.lower_first));
            }
        } else {
            if let Some(concept) = concept {
                self.by_concept(concept, digest, part_of_url(name), places);
            }
            // One schema for all sources: what a word means there cannot be told.
            if places.is_empty() && self.schema == Schema::Wazuh4 {
                self.by_name(&wanted, "", places);
            }
        }
    }

    /// Rows whose path ends with a name.
    fn by_name(&self, wanted: &str, family: &str, places: &mut Vec<Place>) {
        let ends_so = |path: &str| {
            let mut rest = path;
            loop {
                if key(rest) == wanted {
                    return true;
                }
                match rest.split_once('.') {
                    Some((_, after)) => rest = after,
                    None => return false,
                }
            }
        };
        let fields: Vec<&Field> = self
            .catalogue
            .select(self.schema, |field| {
                let in_scope =
                    if family.is_empty() { self.in_scope(&field.decoder) } else { field.path.starts_with(family) };
                in_scope && ends_so(&field.path)
            })
            .collect();
        if fields.len() > MAX_NAMESAKES {
            return;
        }
        // What belongs to the agent and not to the event is meant where nothing else is.
        let of_event = fields.iter().any(|field| field.role != Role::Agent);
        places.extend(
            fields
                .into_iter()
                .filter(|field| !of_event || field.role != Role::Agent)
                .map(|field| Place::new(field.clone(), true)),
        );
    }

    /// Rows that hold what a name of the taxonomy means.
    fn by_concept(
        &self,
        concept: &Concept,
        digest: Option<HashAlgorithm>,
        part: Option<UrlPart>,
        places: &mut Vec<Place>,
    ) {
        // What no observable is made of is about the sensor, or too vague.
        let wanted = |field: &Field| {
            let is_of_event = field.uses.extract || matches!(field.holds, Holds::Envelope(_));
            is_of_event && concept.covers(field) && self.in_scope(&field.decoder)
        };
        places.extend(self.catalogue.select(self.schema, wanted).map(|field| {
            let mut place = Place::new(field.clone(), true);
            place.part = match digest.filter(|_| field.holds == Holds::HashList) {
                Some(algorithm) => Part::Digest(algorithm),
                None => part.map_or(Part::Whole, Part::Url),
            };
            place
        }));
    }

    /// A name below the root of a decoder that copies every name.
    fn below(&self, root: &str, name: &str, lower_first: bool) -> Place {
        let mut chars = name.chars();
        let name: Cow<'_, str> = match chars.next() {
            Some(first) if lower_first && first.is_ascii_uppercase() => {
                format!("{}{}", first.to_ascii_lowercase(), chars.as_str()).into()
            }
            _ => name.into(),
        };
        self.at(&format!("{root}{name}"))
    }
}

/// A field that no row names: exact text, as the dynamic template of the index has it.
fn unlisted(path: &str, schema: Schema) -> Field {
    Field {
        path: Cow::Owned(path.to_owned()),
        holds: Holds::Opaque,
        role: Role::None,
        group: Cow::Borrowed(""),
        decoder: Cow::Borrowed(""),
        schema,
        index: IndexType::Keyword,
        uses: Uses { search: false, extract: false, lookup: false },
        nested: None,
        tells: Tells::Nothing,
        rank: 0,
        shown: Cow::Borrowed(""),
        join: Join::First,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigma::rule::LogSource;

    #[track_caller]
    fn check(source: [&str; 3], name: &str, wanted: &[&str]) {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let [category, product, service] = source;
        let logsource = LogSource { category: text(category), product: text(product), service: text(service) };
        let catalogue = Catalogue::builtin();
        let scope = Scope::new(&logsource, Schema::Wazuh4);
        let places = Places { catalogue: &catalogue, schema: Schema::Wazuh4, scope: &scope, category };
        let found = places.of(name).unwrap_or_default();
        let paths: Vec<&str> = found.iter().map(|place| place.field.path.as_ref()).collect();
        assert_eq!(paths, wanted, "{name}");
    }

    #[test]
    fn windows() {
        let creation = ["process_creation", "windows", ""];
        check(creation, "Image", &["data.win.eventdata.image", "data.win.eventdata.newProcessName"]);
        check(creation, "CommandLine", &["data.win.eventdata.commandLine"]);
        check(creation, "IntegrityLevel", &["data.win.eventdata.integrityLevel"]);
        check(creation, "Hashes", &["data.win.eventdata.hashes"]);
        check(creation, "md5", &["data.win.eventdata.hash", "data.win.eventdata.hashes"]);
        let security = ["", "windows", "security"];
        check(security, "EventID", &["data.win.system.eventID"]);
        check(security, "Provider_Name", &["data.win.system.providerName"]);
        check(security, "Channel", &["data.win.system.channel"]);
        check(security, "Computer", &["data.win.system.computer"]);
        check(security, "LogonType", &["data.win.eventdata.logonType"]);
        check(security, "ProcessName", &["data.win.eventdata.process Name", "data.win.eventdata.processName"]);
        check(
            security,
            "SubjectUserName",
            &["data.win.eventdata.subjectUserName", "data.win.logFileCleared.subjectUserName"],
        );
        check(security, "Image", &["data.win.eventdata.image"]);
    }

    #[test]
    fn others() {
        check(["", "aws", "cloudtrail"], "eventName", &["data.aws.eventName"]);
        check(["", "aws", "cloudtrail"], "requestParameters.policy", &["data.aws.requestParameters.policy"]);
        check(["", "linux", "auditd"], "a1", &["data.audit.execve.a1"]);
        check(["", "linux", "auditd"], "name", &["data.audit.directory.name", "data.audit.file.name"]);
        check(["", "linux", "auditd"], "comm", &["data.audit.command"]);
        check(["", "linux", "auditd"], "SYSCALL", &["data.audit.SYSCALL"]);
        check(["", "m365", "audit"], "Operation", &["data.office365.Operation"]);
        check(
            ["webserver", "", ""],
            "cs-method",
            &[
                "data.protocol",
                "data.http.http_method",
                "data.ClientRequestMethod",
                "data.barracuda.waf.request_method",
                "data.http.request.method",
            ],
        );
        check(
            ["dns", "", ""],
            "query",
            &[
                "data.dns.queries.rrname",
                "data.dns.query.rrname",
                "data.dns.rrname",
                "data.query",
                "data.gcp.jsonPayload.queryName",
                "data.dns.question.name",
            ],
        );
        check(["", "", ""], "data.srcip", &["data.srcip"]);
        check(["", "", ""], "NoSuchThing", &[]);
        check(["", "windows", ""], "a*", &[]);
    }
}
