//! `self-test`: an observable and an alert that nobody else has are followed through everything, and removed again.

use std::fmt::Display;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alert_enricher::enrichment::{Enrichment, Outcome as Enriched, answer};
use anyhow::Result;
use opencti_client::embedded::{BundleFile, BundleIntel, LocalConnector, LocalQueue, LocalWorks};
use opencti_client::graphql::Platform;
use opencti_client::{ConnectorApi as _, Context, EntityReader as _, PageRequest, SendOptions, WorkApi as _};
use serde_json::{Map, Value, json};
use stix_model::{Bundle, Identifier, Object};
use tokio::sync::watch;
use wazuh_query::catalogue::{HashAlgorithm, Holds, IndexType, Schema};
use wazuh_query::dsl::Query;
use wazuh_query::profile::EnvelopeFields;
use wazuh_query::store::files::AlertFiles;
use wazuh_query::store::opensearch::OpenSearchStore;
use wazuh_query::store::{AlertStore as _, StoreErrorKind};

use super::log::Log;
use super::metrics::Metrics;
use super::pause::Patience;
use super::sink::Sinks;
use super::states::Inventories;
use super::subject::Job;
use super::worker::{Ports, Worker};
use super::{intake, now, runtime, wire};
use crate::cli::SelfTestArguments;
use crate::config::{LogLevel, ServiceConfig};
use crate::output::{self, Outcome};

/// How long the platform's workers have to import something.
const PATIENCE: Duration = Duration::from_mins(2);

/// What went wrong, in a line.
type Step<T> = Result<T, String>;

/// Runs the test, prints a line for each step, and ends with code 1 if one of them failed.
pub(crate) fn run(arguments: &SelfTestArguments) -> Result<Outcome> {
    let mut config = ServiceConfig::load(&arguments.config)?;
    // The lines of the test are what is to be read.
    config.runtime.log_level = LogLevel::Error;
    let planted = match Planted::new(&config) {
        Ok(planted) => planted,
        Err(why) => {
            report(false, "plan", why)?;
            return Ok(Outcome::Failed);
        }
    };
    let passed = runtime()?.block_on(async {
        if arguments.write {
            Box::pin(in_the_systems(config, planted)).await
        } else {
            Box::pin(embedded(config, &planted)).await
        }
    })?;
    Ok(if passed { Outcome::Done } else { Outcome::Failed })
}

/// One line, at once.
fn report(good: bool, step: &str, text: impl Display) -> Result<()> {
    let line = format!("{}  {step:11}  {text}", if good { "ok   " } else { "error" });
    // One line, whatever a server says.
    let line: String = line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let mut out = output::writer(None)?;
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

/// Prints how a step ended; what it gave, if it went well.
fn told<T>(step: &str, outcome: Step<(T, String)>) -> Result<Option<T>> {
    match outcome {
        Ok((value, text)) => report(true, step, text).map(|()| Some(value)),
        Err(why) => report(false, step, why).map(|()| None),
    }
}

/// What is planted.
struct Planted {
    /// What no other test has.
    mark: String,
    object: Object,
    label: String,
    entity_type: &'static str,
    /// Where its value may stand in alerts.
    fields: Vec<String>,
    value: String,
    schema: Schema,
    envelope: EnvelopeFields,
}

impl Planted {
    fn new(config: &ServiceConfig) -> Step<Self> {
        let random = || RandomState::new().build_hasher().finish();
        let mark = format!("self-test-{:016x}", random());
        let digest = format!("{:016x}{:016x}{:016x}{:016x}", random(), random(), random(), random());
        let domain = format!("{mark}.invalid");
        let kinds = [
            ("Domain-Name", Holds::Domain, json!({"type": "domain-name", "value": domain}), domain.clone()),
            (
                "StixFile",
                Holds::Hash(HashAlgorithm::Sha256),
                json!({"type": "file", "hashes": {"SHA-256": digest}}),
                digest,
            ),
        ];
        let scope = &config.connector.scope;
        let in_scope = |name: &str| scope.is_empty() || scope.iter().any(|one| one.eq_ignore_ascii_case(name));
        let kind = kinds.into_iter().find(|(name, ..)| in_scope(name));
        let (entity_type, holds, json, value) =
            kind.ok_or("neither Domain-Name nor StixFile is in the scope (`connector.scope`)")?;
        let object = Object::from_json(&json.to_string()).map_err(|error| error.to_string())?;
        let usable = config.catalogue.select(config.schema, |field| {
            field.holds == holds && field.uses.search && field.index == IndexType::Keyword && field.nested.is_none()
        });
        let mut fields: Vec<String> = usable.map(|field| field.path.to_string()).collect();
        // The shortest are those of the most common decoders.
        fields.sort_by_key(String::len);
        let envelope = EnvelopeFields::new(&config.catalogue, config.schema);
        let label = format!("{entity_type} {value}");
        Ok(Self { mark, object, label, entity_type, fields, value, schema: config.schema, envelope })
    }

    /// An alert that holds a value in a field.
    fn alert(&self, field: &str, value: &str) -> Value {
        let mut alert = Map::new();
        let time = now().to_string();
        for (path, value) in [
            (self.envelope.timestamp.as_str(), json!(time)),
            (&self.envelope.agent_id, json!("self-test")),
            (&self.envelope.agent_name, json!(self.mark)),
            (&self.envelope.rule_id, json!("100999")),
            (&self.envelope.rule_level, json!(3)),
            (&self.envelope.rule_description, json!("Self-test of opencti-wazuh-connector")),
            (field, json!(value)),
        ] {
            put(&mut alert, path, value);
        }
        if self.schema == Schema::Wazuh4 {
            put(&mut alert, "id", json!(self.mark));
        }
        Value::Object(alert)
    }

    /// The one sighting that has to follow: of the observable, once, at the agent.
    fn sighting(&self, objects: &[Object]) -> Step<String> {
        let sightings: Vec<_> = objects
            .iter()
            .filter_map(|object| match object {
                Object::Sighting(sighting) if sighting.sighting_of_ref == *self.object.id() => Some(sighting),
                _ => None,
            })
            .collect();
        let [sighting] = sightings.as_slice() else {
            return Err(format!("{} sightings of the observable, and not one", sightings.len()));
        };
        let place = objects.iter().find_map(|object| match object {
            Object::Identity(identity) if sighting.where_sighted_refs.contains(&identity.common.id) => {
                Some(identity.name.as_str())
            }
            _ => None,
        });
        match (place, sighting.count) {
            (Some(place), Some(1)) if place.contains(&self.mark) => Ok(format!("{} once at {place}", self.label)),
            (place, count) => Err(format!("seen {count:?} times at {place:?}, and not once at the agent of the alert")),
        }
    }
}

fn put(object: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            object.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = object.entry(first).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// A folder that goes away again.
struct Folder(PathBuf);

impl Folder {
    fn new(mark: &str) -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("opencti-wazuh-connector-{mark}"));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    fn remove(&self) -> std::io::Result<()> {
        std::fs::remove_dir_all(&self.0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It may be gone already.
        let _gone = self.remove();
    }
}

/// Everything in memory and in a folder: queue, works, platform, and alerts in a file.
async fn embedded(config: ServiceConfig, planted: &Planted) -> Result<bool> {
    let folder = Folder::new(&planted.mark);
    let folder = folder.map_err(|error| format!("{}: {error}", std::env::temp_dir().display()));
    let Some(folder) = told(
        "folder",
        folder.map(|folder| {
            let text = folder.0.display().to_string();
            (folder, text)
        }),
    )?
    else {
        return Ok(false);
    };
    let passed = steps_embedded(config, planted, &folder.0).await?;
    let removed = folder.remove().map(|()| ((), "the folder".to_owned())).map_err(|error| error.to_string());
    Ok(told("removed", removed)?.is_some() && passed)
}

async fn steps_embedded(config: ServiceConfig, planted: &Planted, folder: &Path) -> Result<bool> {
    let alerts = folder.join("alerts.json");
    let field = planted.fields.first().cloned().ok_or_else(|| "the catalogue has no field for it".to_owned());
    let written = field.and_then(|field| {
        // One that must not be found stands beside it.
        let lines = format!(
            "{}\n{}\n",
            planted.alert(&field, &planted.value),
            planted.alert(&field, &planted.value.replace(|char: char| char.is_ascii_digit(), "x"))
        );
        let written = std::fs::write(&alerts, lines).map_err(|error| error.to_string());
        written.map(|()| ((), format!("with the value in {field}, and another one beside it")))
    });
    if told("alert", written)?.is_none() {
        return Ok(false);
    }
    let (queue, works, bundle) = (LocalQueue::new(), Arc::new(LocalWorks::new()), folder.join("bundle.json"));
    let Some(sink) = told(
        "observable",
        match BundleFile::open(&bundle) {
            Ok(sink) => Ok((sink, planted.label.clone())),
            Err(error) => Err(error.to_string()),
        },
    )?
    else {
        return Ok(false);
    };
    let ports = Ports {
        works: works.clone(),
        entities: Arc::new(BundleIntel::new(vec![planted.object.clone()])),
        playbooks: Arc::new(LocalConnector::new()),
        sink: Arc::new(sink),
        store: Arc::new(AlertFiles::new([alerts], Arc::new(config.catalogue.clone()), config.schema)),
        inventories: Inventories::none(),
    };
    let stop_timeout = config.runtime.stop_timeout;
    let log = Log::new(config.runtime.log_level, config.runtime.json_logging);
    let worker = Arc::new(Worker::new(config, ports, Patience::none(), Arc::new(Metrics::default()), log));
    works.add(&planted.mark);
    let event = json!({"entity_id": planted.object.id(), "entity_type": planted.entity_type});
    queue.push(json!({"internal": {"work_id": planted.mark}, "event": event}).to_string());
    queue.close();
    let (_stop, stopped) = watch::channel(false);
    intake::run(&mut queue.source(), &worker, 1, stopped, stop_timeout).await;
    let message = match queue.accepted() {
        1 => Ok(((), "taken out of the queue and acknowledged".to_owned())),
        _ => Err("it was not acknowledged".to_owned()),
    };
    let mut passed = told("message", message)?.is_some();
    let work = works.all().remove(&planted.mark).unwrap_or_default();
    let last = work.messages.last().cloned().unwrap_or_default();
    let ended = match work.errors.first() {
        Some(error) => Err(error.clone()),
        None if work.is_complete() => Ok(((), last)),
        None => Err(format!("it is not complete: {last}")),
    };
    passed &= told("work", ended)?.is_some();
    let read = std::fs::read(&bundle).map_err(|_| "nothing was sent".to_owned()).and_then(|bytes| {
        let (bundle, skipped) = Bundle::read(&bytes).map_err(|error| error.to_string())?;
        if skipped.is_empty() { Ok(bundle) } else { Err("it holds what cannot be read".to_owned()) }
    });
    let Some(bundle) = told(
        "bundle",
        read.map(|bundle| {
            let text = format!("{} objects", bundle.objects.len());
            (bundle, text)
        }),
    )?
    else {
        return Ok(false);
    };
    passed &= told("sighting", planted.sighting(&bundle.objects).map(|text| ((), text)))?.is_some();
    Ok(passed)
}

/// What has to be removed in the end.
#[derive(Default)]
struct Made {
    /// The index and identifier of the alert.
    alert: Option<(String, String)>,
    /// Objects, what refers before what is referred to.
    objects: Vec<Identifier>,
}

/// The systems of the configuration.
async fn in_the_systems(config: ServiceConfig, planted: Planted) -> Result<bool> {
    let store = OpenSearchStore::connect(config.opensearch.clone()).map_err(|error| error.to_string());
    let log = Log::new(config.runtime.log_level, config.runtime.json_logging);
    let platform = match wire::platform(&config, wire::notices(log, Arc::default())) {
        Ok(settings) => Platform::connect(settings).await,
        Err(error) => Err(error),
    };
    let platform = platform.map(|platform| {
        let text = format!("version {}", platform.platform_version());
        (Arc::new(platform), text)
    });
    let Some(platform) = told("OpenCTI", platform.map_err(|error| error.to_string()))? else { return Ok(false) };
    let Some(store) = told("indexer", store.map(|store| (store, config.opensearch.index.clone())))? else {
        return Ok(false);
    };
    let mut made = Made::default();
    // What was planted is removed, however far this comes.
    let passed = steps(config, &planted, &platform, &store, &mut made).await?;
    let removed = remove(&planted, &platform, &store, &made).await;
    Ok(told("removed", removed.map(|text| ((), text)))?.is_some() && passed)
}

async fn steps(
    config: ServiceConfig,
    planted: &Planted,
    platform: &Arc<Platform>,
    store: &OpenSearchStore,
    made: &mut Made,
) -> Result<bool> {
    let alert = plant_alert(&config, planted, store, made).await.map(|text| ((), text));
    if told("alert", alert)?.is_none() {
        return Ok(false);
    }
    let sender = match sender(config, platform).await {
        Ok(sender) => sender,
        Err(why) => {
            report(false, "sender", why)?;
            return Ok(false);
        }
    };
    let observable = plant_observable(planted, platform, &sender, made).await.map(|text| ((), text));
    if told("observable", observable)?.is_none() {
        return Ok(false);
    }
    let id = planted.object.id().to_string();
    let outcome = sender.worker.outcome(&Job::by_hand(&id)).await;
    let message = answer(&outcome, None).message;
    let found = match outcome {
        Enriched::Found(enrichment) => Ok((enrichment, message)),
        _ => Err(message),
    };
    let Some(enrichment) = told("search", found)? else { return Ok(false) };
    made.objects.extend(planted.removable(&enrichment));
    let imported = sender.imported(platform, &enrichment).await.map(|text| ((), text));
    let mut passed = told("bundle", imported)?.is_some();
    passed &= told("sighting", planted.sighting(&enrichment.bundle.objects).map(|text| ((), text)))?.is_some();
    let sightings = platform.sightings(&id, &PageRequest::of(10), &Context::new()).await;
    let known = match sightings {
        Ok(page) if page.items.len() == 1 && page.items[0].count == 1 => {
            Ok(((), "OpenCTI shows the sighting, with a count of 1".to_owned()))
        }
        Ok(page) => Err(format!("OpenCTI shows {} sightings, and not one with a count of 1", page.items.len())),
        Err(error) => Err(error.to_string()),
    };
    passed &= told("read back", known)?.is_some();
    Ok(passed)
}

/// Puts the alert into the index of the newest one: its fields are mapped as those of real alerts.
async fn plant_alert(
    config: &ServiceConfig,
    planted: &Planted,
    store: &OpenSearchStore,
    made: &mut Made,
) -> Step<String> {
    let text = |error: wazuh_query::store::StoreError| error.to_string();
    let mut request = config.profile.request(Query::MatchAll, now());
    request.size = 1;
    let newest = store.search(&request).await.map_err(text)?.hits.into_iter().next();
    let index = newest.ok_or("there are no alerts, so there is no index to put one in")?.index;
    let types = store.field_types().await.map_err(text)?;
    let is_keyword =
        |field: &&String| types.get(*field).is_some_and(|found| found.len() == 1 && found.contains("keyword"));
    let field = planted.fields.iter().find(is_keyword).ok_or("the indices map no field for it as keyword")?;
    made.alert = Some((index.clone(), planted.mark.clone()));
    let alert = planted.alert(field, &planted.value);
    if let Err(error) = store.put_document(&index, &planted.mark, &alert).await {
        // A refusal wrote nothing.
        if error.is_auth() {
            made.alert = None;
        }
        return Err(format!("{error}; the account has to be allowed to write"));
    }
    Ok(format!("{} in {index}, with the value in {field}", planted.mark))
}

/// What sends to the platform as the service does.
struct Sender {
    worker: Worker,
    connector: String,
}

async fn sender(config: ServiceConfig, platform: &Arc<Platform>) -> Step<Sender> {
    let text = |error: opencti_client::Error| error.to_string();
    let registration = wire::registration(&config);
    registration.check(platform.platform_version()).map_err(text)?;
    let registered = platform.register(&registration).await.map_err(text)?;
    let log = Log::new(config.runtime.log_level, config.runtime.json_logging);
    let broker = Arc::new(wire::broker(&config, &registered, wire::notices(log, Arc::default())));
    let sinks = wire::sink(&config, &registration, &registered, platform, &broker);
    if sinks.platform.is_none() {
        return Err("results do not go to OpenCTI (`connector.send_to_queue`)".to_owned());
    }
    let store = OpenSearchStore::connect(config.opensearch.clone()).map_err(|error| error.to_string())?;
    let ports = Ports {
        works: platform.clone(),
        entities: platform.clone(),
        playbooks: platform.clone(),
        sink: Arc::new(Sinks { platform: sinks.platform, ..Sinks::default() }),
        store: Arc::new(store),
        inventories: Inventories::none(),
    };
    let worker = Worker::new(config, ports, Patience::none(), Arc::default(), log);
    Ok(Sender { worker, connector: registration.id })
}

impl Sender {
    /// Sends a bundle with a work of its own, and waits until the platform has imported it.
    async fn send(&self, platform: &Platform, label: &str, bundle: &Bundle) -> Step<u64> {
        let text = |error: opencti_client::Error| error.to_string();
        let work = platform.open(&self.connector, label).await.map_err(text)?;
        let mut options = SendOptions { work_id: Some(work.clone()), ..SendOptions::default() };
        options.split.cleanup = false;
        let sent = self.worker.ports.sink.send(bundle, &options).await;
        let message = sent.as_ref().map_or_else(ToString::to_string, |_| label.to_owned());
        platform.processed(&work, &message, sent.is_err()).await.map_err(text)?;
        sent.map_err(text)?;
        let began = Instant::now();
        loop {
            let state = platform.state(&work).await.map_err(text)?.unwrap_or_default();
            if let Some(error) = state.errors.first() {
                return Err(error.clone());
            }
            if state.is_complete() {
                return Ok(state.processed);
            }
            if began.elapsed() > PATIENCE {
                let (done, all) = (state.processed, state.expected);
                return Err(format!("after {} s {done} of {all} parts are imported", PATIENCE.as_secs()));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn imported(&self, platform: &Platform, enrichment: &Enrichment) -> Step<String> {
        let parts = self.send(platform, "Wazuh: self-test", &enrichment.bundle).await?;
        Ok(format!("{parts} parts sent and imported"))
    }
}

async fn plant_observable(planted: &Planted, platform: &Platform, sender: &Sender, made: &mut Made) -> Step<String> {
    made.objects.push(planted.object.id().clone());
    sender.send(platform, "Wazuh: self-test, the observable", &Bundle::new(vec![planted.object.clone()])).await?;
    let id = planted.object.id().to_string();
    let found = platform.entity(&id, &Context::new()).await.map_err(|error| error.to_string())?;
    found.map(|_| planted.label.clone()).ok_or_else(|| "OpenCTI imported it and does not show it".to_owned())
}

impl Planted {
    /// What of an enrichment nobody else has: all but author, SIEM and markings. What refers comes first.
    fn removable(&self, enrichment: &Enrichment) -> Vec<Identifier> {
        let is_ours = |object: &&Object| match object {
            Object::MarkingDefinition(_) | Object::AttackPattern(_) | Object::Tool(_) => false,
            Object::Identity(identity) => identity.name.contains(&self.mark),
            _ => true,
        };
        enrichment.bundle.objects.iter().rev().filter(is_ours).map(|object| object.id().clone()).collect()
    }
}

async fn remove(planted: &Planted, platform: &Platform, store: &OpenSearchStore, made: &Made) -> Step<String> {
    let mut problems = Vec::new();
    let mut alerts = 0;
    if let Some((index, id)) = &made.alert {
        match store.remove_document(index, id).await {
            Ok(()) => alerts = 1,
            // It never arrived.
            Err(error) if matches!(error.kind(), StoreErrorKind::NotFound(_)) => {}
            Err(error) => problems.push(format!("alert {id} in {index}: {error}")),
        }
    }
    // What refers comes first; the observable was planted before everything else.
    let (planted_first, others) = made.objects.split_at(made.objects.len().min(1));
    let mut removed = 0;
    for id in others.iter().chain(planted_first) {
        match platform.remove(&id.to_string()).await {
            Ok(existed) => removed += usize::from(existed),
            Err(error) => problems.push(format!("{id}: {error}")),
        }
    }
    if !made.objects.is_empty() {
        match platform.entity(&planted.object.id().to_string(), &Context::new()).await {
            Ok(None) => {}
            Ok(Some(_)) => problems.push(format!("{} is still there", planted.label)),
            Err(error) => problems.push(error.to_string()),
        }
    }
    match problems.first() {
        None if alerts + removed == 0 => Ok("nothing, since nothing was planted".to_owned()),
        None => Ok(format!("{alerts} alert and {removed} objects")),
        Some(first) => Err(format!("{} things have to be removed by hand, such as {first}", problems.len())),
    }
}
