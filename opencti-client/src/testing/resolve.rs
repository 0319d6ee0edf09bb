//! Resolving the fields of a request.

use std::sync::Arc;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use serde_json::{Value, json};

use super::filter::passes;
use super::state::{Connector, PlaybookAnswer, State, Stored, StoredWork};
use super::{Shared, StandIn};
use crate::bundle::RawBundle;

/// `Query` or `Mutation`.
pub(super) struct Root {
    pub(super) shared: Arc<Shared>,
    pub(super) mutation: bool,
    pub(super) draft: Option<String>,
}

/// An error with a code before the text; the code is taken off when the answer is written.
fn error(code: &str, message: impl std::fmt::Display) -> FieldError {
    FieldError { message: format!("{code}|{message}") }
}

fn arguments(info: &ResolveInfo<'_>) -> Value {
    serde_json::to_value(info.arguments()).unwrap_or_default()
}

/// The type of a field without lists and exclamation marks.
fn type_of(info: &ResolveInfo<'_>) -> String {
    info.field_definition().ty.inner_named_type().to_string()
}

fn text(arguments: &Value, name: &str) -> String {
    arguments[name].as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

fn leaf<'a>(value: impl Into<Value>) -> ResolvedValue<'a> {
    ResolvedValue::leaf(value.into())
}

impl ObjectValue for Root {
    fn type_name(&self) -> &str {
        if self.mutation { "Mutation" } else { "Query" }
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let arguments = arguments(info);
        if self.mutation { self.mutation(info, &arguments) } else { self.query(info, &arguments) }
    }
}

impl Root {
    fn query<'a>(&'a self, info: &'a ResolveInfo<'a>, arguments: &Value) -> Result<ResolvedValue<'a>, FieldError> {
        let plain = |json: Value| ResolvedValue::object(Plain { type_name: type_of(info), json });
        Ok(match info.field_name() {
            "about" => plain(json!({ "version": self.shared.version_text })),
            "me" => {
                let names = ["APIACCESS_USETOKEN", "KNOWLEDGE_KNUPDATE", "CONNECTORAPI", "TAXIIAPI"];
                let capabilities: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
                plain(json!({
                    "id": StandIn::USER, "name": "Connector", "capabilities": capabilities,
                    "effective_confidence_level": { "max_confidence": 90 },
                }))
            }
            "connector" => {
                if self.shared.state().connectors.contains_key(&text(arguments, "id")) {
                    plain(json!({
                        "id": text(arguments, "id"),
                        "connector_queue_details": { "messages_number": 0.0, "messages_size": 0.0 },
                    }))
                } else {
                    ResolvedValue::null()
                }
            }
            "isWorkAlive" => leaf(self.shared.state().works.contains_key(&text(arguments, "id"))),
            "work" => match self.shared.state().works.get(&text(arguments, "id")) {
                None => ResolvedValue::null(),
                Some(work) => {
                    let lines =
                        |lines: &[String]| lines.iter().map(|line| json!({ "message": line })).collect::<Vec<_>>();
                    plain(json!({
                        "id": text(arguments, "id"), "status": work.status,
                        "tracking": {
                            "import_expected_number": work.expected, "import_processed_number": work.processed,
                        },
                        "messages": lines(&work.messages), "errors": lines(&work.errors),
                    }))
                }
            },
            "stixCoreObject" => {
                let found = self.one(&text(arguments, "id")).filter(|stored| !stored.is_relation());
                ResolvedValue::nullable_object(found.map(|stored| Element::new(&self.shared, stored)))
            }
            "container" => {
                let found = self.one(&text(arguments, "id")).filter(|stored| stored.is_a("Container"));
                ResolvedValue::nullable_object(found.map(|stored| Element::new(&self.shared, stored)))
            }
            "stixCoreObjects" => {
                let types = texts(&arguments["types"]);
                self.list(info, arguments, |stored| {
                    !stored.is_relation() && (types.is_empty() || types.iter().any(|name| stored.is_a(name)))
                })?
            }
            "stixCyberObservables" => self.list(info, arguments, Stored::is_observable)?,
            "indicators" => self.list(info, arguments, |stored| stored.is_a("Indicator"))?,
            "stixCoreRelationships" => {
                let found = relations(&self.shared.state(), arguments);
                connection(&self.shared, info, arguments, found)
            }
            "stixSightingRelationships" => {
                let found: Vec<Stored> = {
                    let state = self.shared.state();
                    let of = state.store.get(&text(arguments, "fromId")).map(|stored| stored.standard_id.clone());
                    let is = |stored: &&Stored| {
                        let sighted = state.store.referred(stored, "sighting_of_ref");
                        sighted.map(|sighted| &sighted.standard_id) == of.as_ref()
                    };
                    state.store.sightings().filter(|stored| self.visible(stored)).filter(is).cloned().collect()
                };
                connection(&self.shared, info, arguments, found)
            }
            _ => return Err(self.unknown_field_error(info)),
        })
    }

    /// What exists for somebody who reads in this draft.
    fn visible(&self, stored: &Stored) -> bool {
        stored.draft.is_none() || stored.draft == self.draft
    }

    fn one(&self, id: &str) -> Option<Stored> {
        self.shared.state().store.get(id).filter(|stored| self.visible(stored)).cloned()
    }

    fn list<'a>(
        &'a self,
        info: &'a ResolveInfo<'a>,
        arguments: &Value,
        is: impl Fn(&Stored) -> bool,
    ) -> Result<ResolvedValue<'a>, FieldError> {
        let mut found = Vec::new();
        // Every key is checked, even where nothing is there to be filtered.
        if let Some(any) = self.shared.state().store.iter().next() {
            passes(&arguments["filters"], any).map_err(|why| error("UNSUPPORTED_ERROR", why))?;
        }
        for stored in self.shared.state().store.iter().filter(|stored| self.visible(stored) && is(stored)) {
            if passes(&arguments["filters"], stored).map_err(|why| error("UNSUPPORTED_ERROR", why))? {
                found.push(stored.clone());
            }
        }
        Ok(connection(&self.shared, info, arguments, found))
    }

    fn mutation<'a>(&'a self, info: &'a ResolveInfo<'a>, arguments: &Value) -> Result<ResolvedValue<'a>, FieldError> {
        let mut state = self.shared.state();
        Ok(match info.field_name() {
            "registerConnector" => {
                let json = self.register(&mut state, &arguments["input"])?;
                ResolvedValue::object(Plain { type_name: type_of(info), json })
            }
            "pingConnector" => {
                let id = text(arguments, "id");
                let Some(connector) = state.connectors.get_mut(&id) else {
                    return Err(error("FUNCTIONAL_ERROR", "No connector found with the specified ID"));
                };
                let sent = text(arguments, "state");
                if serde_json::from_str::<Value>(&sent).is_err() {
                    return Err(error("VALIDATION_ERROR", "the state is no JSON in a string"));
                }
                connector.pings += 1;
                connector.info = arguments.get("connectorInfo").cloned();
                if connector.reset {
                    connector.reset = false;
                } else {
                    connector.state = Some(sent);
                }
                let json = json!({ "id": id, "connector_state": connector.state });
                ResolvedValue::object(Plain { type_name: type_of(info), json })
            }
            "workAdd" => {
                let connector = text(arguments, "connectorId");
                if !state.connectors.contains_key(&connector) {
                    return Err(error("FUNCTIONAL_ERROR", "No connector found with the specified ID"));
                }
                let id = state.open_work(&connector, "progress");
                ResolvedValue::object(Plain { type_name: type_of(info), json: json!({ "id": id }) })
            }
            "workEdit" => {
                drop(state);
                ResolvedValue::object(WorkEdit { shared: self.shared.clone(), id: text(arguments, "id") })
            }
            "stixEdit" => {
                drop(state);
                ResolvedValue::object(StixEdit { shared: self.shared.clone(), id: text(arguments, "id") })
            }
            "playbookStepExecution" => {
                leaf(state.answer_playbook(arguments).map_err(|why| error("VALIDATION_ERROR", why))?)
            }
            "stixBundlePush" => {
                let connector = text(arguments, "connectorId");
                if !state.connectors.contains_key(&connector) {
                    return Err(error("FUNCTIONAL_ERROR", "No connector found with the specified ID"));
                }
                let work = arguments["work_id"].as_str();
                let bundle = text(arguments, "bundle");
                leaf(state.import_whole(&bundle, work).map(|()| true).map_err(|why| error("VALIDATION_ERROR", why))?)
            }
            _ => return Err(self.unknown_field_error(info)),
        })
    }

    #[cfg_attr(not(feature = "amqp"), expect(clippy::unused_self, reason = "the broker's address is asked for"))]
    fn register(&self, state: &mut State, input: &Value) -> Result<Value, FieldError> {
        let id = text(input, "id");
        if id.contains('_') || id.is_empty() {
            return Err(error("VALIDATION_ERROR", "the identifier of a connector must not hold an underscore"));
        }
        if text(input, "name").trim().chars().count() < 2 {
            return Err(error("VALIDATION_ERROR", "the name of a connector needs two characters"));
        }
        let before = state.connectors.get(&id);
        let connector = Connector {
            input: input.clone(),
            state: before.and_then(|before| before.state.clone()),
            reset: before.is_some_and(|before| before.reset),
            pings: before.map_or(0, |before| before.pings),
            info: None,
        };
        let kept = connector.state.clone();
        state.connectors.insert(id.clone(), connector);
        #[cfg(feature = "amqp")]
        let address = self.shared.broker.as_ref().map(|broker| &broker.address);
        #[cfg(not(feature = "amqp"))]
        let address: Option<&crate::BrokerAddress> = None;
        let member = |value: Option<String>, default: &str| value.unwrap_or_else(|| default.to_owned());
        Ok(json!({
            "id": id,
            "connector_state": kept,
            "connector_user_id": StandIn::USER,
            "jwks": super::deliver::key_set(),
            "config": {
                "connection": {
                    "host": member(address.map(|address| address.host.clone()), "rabbitmq"),
                    "port": address.map_or(5_672, |address| address.port),
                    "vhost": member(address.map(|address| address.vhost.clone()), "/"),
                    "use_ssl": address.is_some_and(|address| address.use_ssl),
                    "user": member(address.map(|address| address.user.clone()), "opencti"),
                    "pass": member(address.map(|address| address.pass.expose().to_owned()), "none"),
                },
                "listen": format!("listen_{id}"),
                "listen_routing": format!("listen_routing_{id}"),
                "listen_exchange": "amqp.connector.exchange",
                "push": format!("push_{id}"),
                "push_routing": format!("push_routing_{id}"),
                "push_exchange": "amqp.worker.exchange",
            },
        }))
    }
}

impl State {
    /// Opens a work.
    pub(super) fn open_work(&mut self, connector: &str, status: &str) -> String {
        let id =
            format!("work_{connector}_2026-10-02T08:15:{:02}.{:03}Z", self.number() / 1_000 % 60, self.numbers % 1_000);
        self.works.insert(id.clone(), StoredWork { status: status.to_owned(), ..StoredWork::default() });
        id
    }

    fn answer_playbook(&mut self, arguments: &Value) -> Result<bool, String> {
        let (received, bundle) = (text(arguments, "previous_bundle"), text(arguments, "bundle"));
        let parse = |json: &str| RawBundle::parse(json).map_err(|error| format!("a bundle: {error}"));
        let ids = |bundle: &RawBundle| -> Vec<String> {
            let ids = bundle.objects.iter().map(|object| {
                let object: Value = serde_json::from_str(object.get()).unwrap_or_default();
                object["id"].as_str().unwrap_or_default().to_owned()
            });
            ids.collect()
        };
        let (before, after) = (parse(&received)?, parse(&bundle)?);
        let kept = ids(&after);
        if let Some(lost) = ids(&before).into_iter().find(|id| !kept.contains(id)) {
            return Err(format!("the answer to the playbook lost {lost}"));
        }
        self.playbook_answers.push(PlaybookAnswer {
            execution_id: text(arguments, "execution_id"),
            step_id: text(arguments, "step_id"),
            received: serde_json::from_str(&received).unwrap_or_default(),
            bundle: serde_json::from_str(&bundle).unwrap_or_default(),
        });
        Ok(true)
    }
}

/// The relations that arguments ask for.
fn relations(state: &State, arguments: &Value) -> Vec<Stored> {
    let places = |name: &str| -> Option<Vec<String>> {
        let ids = texts(&arguments[name]);
        let own = |id: &String| state.store.get(id).map_or_else(|| id.clone(), |stored| stored.standard_id.clone());
        (!ids.is_empty()).then(|| ids.iter().map(own).collect())
    };
    let (either, from, to) = (places("fromOrToId"), places("fromId"), places("toId"));
    let types = texts(&arguments["relationship_type"]);
    let (from_types, to_types) = (texts(&arguments["fromTypes"]), texts(&arguments["toTypes"]));
    let end = |stored: &Stored, name: &str| state.store.referred(stored, name).cloned();
    let is = |end: Option<&Stored>, types: &[String]| {
        types.is_empty() || end.is_some_and(|end| types.iter().any(|name| end.is_a(name)))
    };
    let fits = |stored: &&Stored| {
        let (source, target) = (end(stored, "source_ref"), end(stored, "target_ref"));
        let one_of = |ids: &Option<Vec<String>>, end: Option<&Stored>| {
            ids.as_ref().is_none_or(|ids| end.is_some_and(|end| ids.contains(&end.standard_id)))
        };
        (types.is_empty() || stored.text("relationship_type").is_some_and(|name| types.contains(&name)))
            && (one_of(&either, source.as_ref()) || one_of(&either, target.as_ref()))
            && one_of(&from, source.as_ref())
            && one_of(&to, target.as_ref())
            && is(source.as_ref(), &from_types)
            && is(target.as_ref(), &to_types)
    };
    state.store.relations().filter(fits).cloned().collect()
}

/// A page of a list.
fn connection<'a>(
    shared: &Arc<Shared>,
    info: &ResolveInfo<'_>,
    arguments: &Value,
    found: Vec<Stored>,
) -> ResolvedValue<'a> {
    let first = arguments["first"].as_u64().and_then(|first| usize::try_from(first).ok()).unwrap_or(25);
    let start: usize = arguments["after"].as_str().and_then(|after| after.parse().ok()).unwrap_or(0);
    let total = found.len();
    let items: Vec<Stored> = found.into_iter().skip(start).take(first).collect();
    let end = start + items.len();
    ResolvedValue::object(List { shared: shared.clone(), type_name: type_of(info), items, start, end, total })
}

/// A list with a cursor.
struct List {
    shared: Arc<Shared>,
    type_name: String,
    items: Vec<Stored>,
    start: usize,
    end: usize,
    total: usize,
}

impl ObjectValue for List {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "edges" => {
                let type_name = type_of(info);
                let edges = self.items.iter().enumerate().map(move |(place, stored)| {
                    let edge = Edge {
                        type_name: type_name.clone(),
                        node: Element::new(&self.shared, stored.clone()),
                        cursor: self.start + place + 1,
                    };
                    ResolvedValue::object(edge)
                });
                Ok(ResolvedValue::list(edges))
            }
            "pageInfo" => Ok(ResolvedValue::object(Plain {
                type_name: type_of(info),
                json: json!({
                    "startCursor": self.start.to_string(), "endCursor": self.end.to_string(),
                    "hasNextPage": self.end < self.total, "hasPreviousPage": self.start > 0, "globalCount": self.total,
                }),
            })),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

struct Edge {
    type_name: String,
    node: Element,
    cursor: usize,
}

impl ObjectValue for Edge {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match info.field_name() {
            "node" => Ok(ResolvedValue::object(self.node.clone())),
            "cursor" => Ok(leaf(self.cursor.to_string())),
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

/// Something whose fields are JSON.
struct Plain {
    type_name: String,
    json: Value,
}

impl ObjectValue for Plain {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        Ok(plain(&self.json[info.field_name()], &type_of(info)))
    }
}

fn plain<'a>(json: &Value, type_name: &str) -> ResolvedValue<'a> {
    match json {
        Value::Object(_) => ResolvedValue::object(Plain { type_name: type_name.to_owned(), json: json.clone() }),
        Value::Array(list) => {
            let items: Vec<_> = list.iter().map(|item| plain(item, type_name)).collect();
            ResolvedValue::list(items)
        }
        other => leaf(other.clone()),
    }
}

/// An object of the platform.
#[derive(Clone)]
struct Element {
    shared: Arc<Shared>,
    type_name: String,
    stored: Stored,
}

impl Element {
    fn new(shared: &Arc<Shared>, stored: Stored) -> Self {
        let type_name = match stored.stix["type"].as_str() {
            Some("relationship") => "StixCoreRelationship".to_owned(),
            Some("sighting") => "StixSightingRelationship".to_owned(),
            Some("marking-definition") => "MarkingDefinition".to_owned(),
            _ => stored.entity_type.replace('-', ""),
        };
        Self { shared: shared.clone(), type_name, stored }
    }

    fn end<'a>(&self, name: &str) -> ResolvedValue<'a> {
        let found = self.shared.state().store.referred(&self.stored, name).cloned();
        ResolvedValue::nullable_object(found.map(|stored| Self::new(&self.shared, stored)))
    }

    /// The elements at the other end of relations of a type.
    fn others(&self, relationship: &str, incoming: bool) -> Vec<Stored> {
        let state = self.shared.state();
        let (here, there) = if incoming { ("target_ref", "source_ref") } else { ("source_ref", "target_ref") };
        let of_type =
            state.store.relations().filter(|stored| stored.text("relationship_type").as_deref() == Some(relationship));
        let ours = of_type.filter(|stored| {
            state.store.referred(stored, here).is_some_and(|end| end.standard_id == self.stored.standard_id)
        });
        ours.filter_map(|stored| state.store.referred(stored, there).cloned()).collect()
    }

    fn shared_field<'a>(&'a self, info: &'a ResolveInfo<'a>, arguments: &Value) -> Option<ResolvedValue<'a>> {
        let stored = &self.stored;
        Some(match info.field_name() {
            "id" => leaf(stored.internal_id.clone()),
            "standard_id" => leaf(stored.standard_id.clone()),
            "entity_type" => leaf(stored.entity_type.clone()),
            "representative" => plain(&json!({ "main": stored.shown() }), &type_of(info)),
            "toStix" => leaf(stored.stix.to_string()),
            "created_at" => leaf(stored.time("created")),
            "updated_at" => leaf(stored.time("modified")),
            "createdBy" => {
                let author = self.shared.state().store.referred(stored, "created_by_ref").cloned();
                ResolvedValue::nullable_object(author.map(|author| Self::new(&self.shared, author)))
            }
            "objectMarking" => {
                let state = self.shared.state();
                let ids = texts(stored.get("object_marking_refs").unwrap_or(&Value::Null));
                let found: Vec<_> = ids
                    .iter()
                    .filter_map(|id| state.store.get(id))
                    .map(|stored| ResolvedValue::object(Self::new(&self.shared, stored.clone())))
                    .collect();
                ResolvedValue::list(found)
            }
            "objectLabel" => {
                let labels = texts(stored.get("labels").unwrap_or(&Value::Null));
                let labels: Vec<Value> = labels.iter().map(|label| json!({ "value": label })).collect();
                plain(&Value::Array(labels), &type_of(info))
            }
            "indicators" => connection(&self.shared, info, arguments, self.others("based-on", true)),
            "observables" => connection(&self.shared, info, arguments, self.others("based-on", false)),
            "stixCoreRelationships" => {
                let mut arguments = arguments.clone();
                arguments["fromOrToId"] = json!([stored.standard_id]);
                let found = relations(&self.shared.state(), &arguments);
                connection(&self.shared, info, &arguments, found)
            }
            "objects" => {
                let types = texts(&arguments["types"]);
                let refs = texts(stored.get("object_refs").unwrap_or(&Value::Null));
                let found: Vec<Stored> = {
                    let state = self.shared.state();
                    refs.iter().filter_map(|id| state.store.get(id).cloned()).collect()
                };
                let fits = |stored: &Stored| types.is_empty() || types.iter().any(|name| stored.is_a(name));
                connection(&self.shared, info, arguments, found.into_iter().filter(fits).collect())
            }
            _ => return None,
        })
    }
}

impl ObjectValue for Element {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let arguments = arguments(info);
        if let Some(resolved) = self.shared_field(info, &arguments) {
            return Ok(resolved);
        }
        let stored = &self.stored;
        let own = |name: &str| stored.get(name).cloned().unwrap_or_default();
        Ok(match info.field_name() {
            "from" if stored.stix["type"] == "sighting" => self.end("sighting_of_ref"),
            "to" if stored.stix["type"] == "sighting" => {
                let place = stored.stix["where_sighted_refs"][0].as_str().unwrap_or_default();
                let found = self.shared.state().store.get(place).cloned();
                ResolvedValue::nullable_object(found.map(|stored| Self::new(&self.shared, stored)))
            }
            "from" => self.end("source_ref"),
            "to" => self.end("target_ref"),
            "attribute_count" => leaf(match own("count") {
                Value::Null => 1.into(),
                count => count,
            }),
            "observable_value" => leaf(stored.shown()),
            "x_opencti_score" => leaf(own("score")),
            "x_opencti_description" => leaf(own("description")),
            "x_opencti_detection" => leaf(own("detection")),
            "x_opencti_main_observable_type" => leaf(own("main_observable_type")),
            "revoked" => leaf(own("revoked").as_bool().unwrap_or(false)),
            "hashes" => {
                let hashes = own("hashes");
                let list = hashes.as_object().into_iter().flatten();
                let list: Vec<Value> =
                    list.map(|(algorithm, hash)| json!({ "algorithm": algorithm, "hash": hash })).collect();
                plain(&Value::Array(list), &type_of(info))
            }
            "killChainPhases" => plain(&own("kill_chain_phases"), &type_of(info)),
            "definition_type" => leaf(match &self.stored.stix["x_opencti_definition_type"] {
                Value::Null => own("definition_type").as_str().map(str::to_uppercase).into(),
                given => given.clone(),
            }),
            "definition" => leaf(match &self.stored.stix["x_opencti_definition"] {
                Value::Null => own("name"),
                given => given.clone(),
            }),
            name => leaf(own(name)),
        })
    }
}

/// The changes to an object.
struct StixEdit {
    shared: Arc<Shared>,
    id: String,
}

impl ObjectValue for StixEdit {
    fn type_name(&self) -> &'static str {
        "StixEditMutations"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let mut state = self.shared.state();
        if info.field_name() != "delete" {
            return Err(self.unknown_field_error(info));
        }
        let Some(id) = state.store.get(&self.id).map(|stored| stored.standard_id.clone()) else {
            return Err(error("FUNCTIONAL_ERROR", "Cannot delete the element, it does not exist"));
        };
        // Relations go with what they are about.
        let about = |stix: &Value| {
            let refers = |name: &str| match &stix[name] {
                Value::String(one) => *one == id,
                Value::Array(many) => many.iter().any(|one| one.as_str() == Some(&id)),
                _ => false,
            };
            ["source_ref", "target_ref", "sighting_of_ref", "where_sighted_refs"].iter().any(|name| refers(name))
        };
        let relations = state.store.iter().filter(|stored| stored.is_relation() && about(&stored.stix));
        let gone: Vec<String> = relations.map(|stored| stored.standard_id.clone()).collect();
        for gone in gone.iter().chain([&id]) {
            state.store.remove(gone);
        }
        Ok(leaf(id))
    }
}

/// The changes to a work.
struct WorkEdit {
    shared: Arc<Shared>,
    id: String,
}

impl ObjectValue for WorkEdit {
    fn type_name(&self) -> &'static str {
        "WorkEditMutations"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let arguments = arguments(info);
        let mut state = self.shared.state();
        let Some(work) = state.works.get_mut(&self.id) else {
            // On a deleted work these succeed in silence, as in the platform.
            return Ok(leaf(self.id.clone()));
        };
        match info.field_name() {
            "ping" => work.pings += 1,
            "toReceived" => {
                "progress".clone_into(&mut work.status);
                work.messages.push(text(&arguments, "message"));
                work.steps.push("received".to_owned());
            }
            "toProcessed" => {
                let failed = arguments["inError"] == true;
                work.ended = true;
                if failed {
                    work.errors.push(text(&arguments, "message"));
                }
                work.messages.push(text(&arguments, "message"));
                work.steps.push(if failed { "processed in error" } else { "processed" }.to_owned());
                work.settle();
                state.ended += 1;
            }
            "addExpectations" => {
                let count = arguments["expectations"].as_u64().unwrap_or(0);
                work.expected += count;
                work.steps.push(format!("expect {count}"));
                work.settle();
                if work.ended {
                    let why = format!("{}: parts were announced after the end was reported", self.id);
                    state.refuse(why);
                }
            }
            "reportExpectation" => {
                let why = arguments["error"]["error"].as_str().map(str::to_owned);
                work.part(why);
            }
            _ => return Err(self.unknown_field_error(info)),
        }
        Ok(leaf(self.id.clone()))
    }
}

impl StoredWork {
    /// One part was dealt with.
    pub(super) fn part(&mut self, failed: Option<String>) {
        self.processed += 1;
        self.steps.push(if failed.is_some() { "failed part" } else { "part" }.to_owned());
        self.errors.extend(failed);
        self.settle();
    }
}
