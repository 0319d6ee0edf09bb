//! From a STIX object to the query that finds it in alerts.
//!
//! A builder answers with a query or with the reason why nothing can be searched; it never guesses. Values are
//! matched exactly, case is folded where the kind of value has none, and regular expressions are used only where a
//! value stands inside a longer text or has several notations.

mod account;
mod address;
mod fields;
mod file;
mod name;
mod other;
mod process;
mod reason;
mod registry;
mod traffic;

use std::collections::HashMap;

use stix_model::{Identifier, Object};

use crate::catalogue::{Catalogue, Schema};
use crate::dsl::{Clause, FieldSet, Query, limits};
use crate::options::SearchOptions;
use crate::regexp::join_alternatives;
#[cfg(feature = "pattern")]
pub(crate) use address::{network_v4, network_v6, spellings};
use fields::Fields;
#[cfg(feature = "pattern")]
pub(crate) use file::algorithm as hash_algorithm;
pub use reason::{NotSearchable, Note};

/// Finds the objects that others refer to: the directory of a file, the addresses of a connection.
pub trait Resolve {
    /// The object with this identifier, if it is at hand.
    fn resolve(&self, id: &Identifier) -> Option<&Object>;
}

/// No object is at hand.
impl Resolve for () {
    fn resolve(&self, _: &Identifier) -> Option<&Object> {
        None
    }
}

impl<S: std::hash::BuildHasher> Resolve for HashMap<Identifier, Object, S> {
    fn resolve(&self, id: &Identifier) -> Option<&Object> {
        self.get(id)
    }
}

/// A list of objects, searched from the start: for the members of one bundle or the results of one extraction.
impl Resolve for [Object] {
    fn resolve(&self, id: &Identifier) -> Option<&Object> {
        self.iter().find(|object| object.id() == id)
    }
}

/// A query for an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Built {
    /// The query.
    pub query: Query,
    /// What it leaves out.
    pub notes: Vec<Note>,
}

/// Builds queries for one schema with one set of options.
///
/// ```
/// use stix_model::{Object, sco::Ipv4Addr};
/// use wazuh_query::builder::QueryBuilder;
/// use wazuh_query::catalogue::{Catalogue, Schema};
/// use wazuh_query::options::SearchOptions;
///
/// let builder = QueryBuilder::new(&Catalogue::builtin(), Schema::Wazuh4, SearchOptions::default());
/// let address = Object::from(Ipv4Addr::new("8.8.8.8"));
/// assert!(builder.build(&address, &()).is_ok());
/// let private = Object::from(Ipv4Addr::new("10.1.2.3"));
/// assert_eq!(
///     builder.build(&private, &()).unwrap_err().to_string(),
///     "10.1.2.3 is not globally reachable (`ignore_private_addrs` is on)"
/// );
/// ```
#[derive(Clone, Debug)]
pub struct QueryBuilder {
    fields: Fields,
    options: SearchOptions,
}

/// What a builder of one type answers, before the limits of the cluster are applied.
type Draft = Result<Vec<Query>, NotSearchable>;

impl QueryBuilder {
    /// A builder for alerts of `schema`.
    pub fn new(catalogue: &Catalogue, schema: Schema, options: SearchOptions) -> Self {
        Self { fields: Fields::new(catalogue, schema), options }
    }

    /// The options.
    pub fn options(&self) -> &SearchOptions {
        &self.options
    }

    /// Builds the query for an object. Objects it refers to are looked up in `references`.
    ///
    /// Fails with the reason when the object cannot be searched.
    pub fn build(&self, object: &Object, references: &(impl Resolve + ?Sized)) -> Result<Built, NotSearchable> {
        let references: &dyn Resolve = &References(references);
        let mut notes = Vec::new();
        let drafted = match object {
            Object::Artifact(artifact) => self.artifact(artifact),
            Object::AutonomousSystem(system) => Ok(self.autonomous_system(system)),
            Object::Directory(directory) => self.directory(directory),
            Object::DomainName(domain) => self.host(&domain.value),
            Object::EmailAddr(address) => self.email_addr(&address.value),
            Object::EmailMessage(message) => self.email_message(message, references),
            Object::File(file) => self.file(file, references, &mut notes),
            Object::Hostname(host) => self.host(&host.value),
            Object::Identity(identity) => self.identity(identity),
            Object::Ipv4Addr(address) => self.address(&address.value, &mut notes),
            Object::Ipv6Addr(address) => self.address(&address.value, &mut notes),
            Object::MacAddr(address) => self.mac_addr(&address.value),
            Object::Mutex(mutex) => self.mutex(&mutex.name),
            Object::NetworkTraffic(traffic) => self.network_traffic(traffic, references, &mut notes),
            Object::Process(process) => self.process(process, &mut notes),
            Object::Software(software) => self.software(software),
            Object::Text(text) => self.text(&text.value),
            Object::Url(url) => self.url(&url.value),
            Object::UserAccount(account) => self.user_account(account, &mut notes),
            Object::UserAgent(agent) => self.user_agent(&agent.value),
            Object::Vulnerability(vulnerability) => self.vulnerability(&vulnerability.name),
            Object::WindowsRegistryKey(key) => self.registry_key(key, &mut notes),
            Object::Unknown(value) if value.id().object_type() == "windows-registry-value-type" => {
                self.registry_value(value, &mut notes)
            }
            Object::X509Certificate(certificate) => self.certificate(certificate),
            other => Err(NotSearchable::Type(other.object_type().to_owned())),
        };
        let alternatives: Vec<Query> = drafted?.into_iter().filter(|query| !query.is_nothing()).collect();
        if alternatives.is_empty() {
            return Err(NotSearchable::NoField("such a value"));
        }
        let query = Query::any(within_clause_limit(alternatives, &mut notes));
        Ok(Built { query, notes })
    }

    /// `fields` hold exactly one of `values`.
    fn exact(fields: &FieldSet, values: impl IntoIterator<Item = String>) -> Query {
        Query::any_field(fields, Clause::any(values))
    }

    /// `fields` hold `value`, in lower case, in upper case or as it is.
    ///
    /// For values that every producer writes in one case throughout, such as digests. A clause that folds case makes
    /// the cluster build an automaton per field and shard, which costs a hundred times as much as looking up terms.
    fn either_case(fields: &FieldSet, value: &str) -> Query {
        Self::exact(fields, [value.to_ascii_lowercase(), value.to_ascii_uppercase(), value.to_owned()])
    }

    /// `fields` hold one of `values`, in any case.
    fn folded(fields: &FieldSet, values: impl IntoIterator<Item = String>) -> Vec<Query> {
        let mut unique: Vec<String> = Vec::new();
        for value in values {
            if !unique.iter().any(|known| known.eq_ignore_ascii_case(&value)) {
                unique.push(value);
            }
        }
        unique.into_iter().map(|value| Query::any_field(fields, Clause::folded(value))).collect()
    }

    /// `fields` match one of several regular expressions, split to stay within the limit of the index.
    fn regexps(
        fields: &FieldSet,
        alternatives: impl IntoIterator<Item = String>,
        case_insensitive: bool,
        notes: &mut Vec<Note>,
    ) -> Vec<Query> {
        let (joined, too_long) = join_alternatives(alternatives, limits::REGEXP_CHARS);
        notes.extend(too_long.iter().map(|value| Note::TooLong(reason::shown(value))));
        let query = |value| Query::any_field(fields, Clause::Regexp { value, case_insensitive });
        joined.into_iter().map(query).collect()
    }

    /// `fields` match one short regular expression.
    fn regexp(fields: &FieldSet, value: String, case_insensitive: bool) -> Query {
        Query::any_field(fields, Clause::Regexp { value, case_insensitive })
    }
}

/// Lets a builder take any `Resolve`, sized or not, as an object.
struct References<'r, R: ?Sized>(&'r R);

impl<R: Resolve + ?Sized> Resolve for References<'_, R> {
    fn resolve(&self, id: &Identifier) -> Option<&Object> {
        self.0.resolve(id)
    }
}

/// Leaves out what the cluster would refuse. The catalogue's own fields stay far below the limit; many names of one
/// file, or many fields of a site, may not.
fn within_clause_limit(queries: Vec<Query>, notes: &mut Vec<Note>) -> Vec<Query> {
    // Leave room for the filters that every search adds.
    const ROOM: usize = limits::CLAUSES - 64;
    let all: usize = queries.iter().map(Query::clause_count).sum();
    if all <= ROOM {
        return queries;
    }
    let mut kept = 0;
    let mut fitting = Vec::new();
    for query in queries {
        let count = query.clause_count();
        if kept + count <= ROOM {
            kept += count;
            fitting.push(query);
        }
    }
    notes.push(Note::ClausesCut { kept, cut: all - kept });
    fitting
}

/// A value without white space around it, or the reason that there is none.
fn required<'a>(value: &'a str, property: &'static str) -> Result<&'a str, NotSearchable> {
    let value = value.trim();
    if value.is_empty() { Err(NotSearchable::Missing(property)) } else { Ok(value) }
}
