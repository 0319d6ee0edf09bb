//! Starting and stopping.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use alert_enricher::enrichment::{Outcome as Enriched, answer};
use anyhow::{Context as _, Result, anyhow};
use opencti_client::callback::CallbackKeys;
use opencti_client::graphql::Platform;
use opencti_client::{
    Beat, ConnectorApi as _, Error, ErrorKind, Heartbeat, Registered, Registration, Retry, SendOptions, WorkApi as _,
    judge,
};
use tokio::sync::watch;
use wazuh_query::store::opensearch::OpenSearchStore;

use super::log::Log;
use super::metrics::Metrics;
use super::pause::Patience;
use super::states::Inventories;
use super::subject::Job;
use super::worker::{Ports, Worker, patiently};
use super::{endpoint, intake, runtime, tools, wire};
use crate::cli::ConfigArguments;
use crate::config::ServiceConfig;
use crate::output::{self, Outcome};

/// What every way to start has in common.
struct Base {
    config: ServiceConfig,
    log: Log,
    metrics: Arc<Metrics>,
}

impl Base {
    fn load(arguments: &ConfigArguments) -> Result<Self> {
        let config = ServiceConfig::load(arguments)?;
        let log = Log::new(config.runtime.log_level, config.runtime.json_logging);
        for warning in config.warnings.iter().cloned().chain(config.enrichment.warnings()) {
            log.warning(&warning, &[]);
        }
        Ok(Self { config, log, metrics: Arc::default() })
    }

    async fn platform(&self, patience: &Patience) -> Result<Arc<Platform>, Error> {
        let config = wire::platform(&self.config, wire::notices(self.log, self.metrics.clone()))?;
        let platform = patiently(patience, &self.metrics, self.log, "connecting to OpenCTI", |_| {
            let config = config.clone();
            async move { fatal(Platform::connect(config).await) }
        });
        Ok(Arc::new(platform.await?))
    }

    fn worker(self, platform: &Arc<Platform>, sink: super::sink::Sinks, patience: Patience) -> Result<Arc<Worker>> {
        let store = OpenSearchStore::connect(self.config.opensearch.clone()).context("opensearch")?;
        let ports = Ports {
            works: platform.clone(),
            entities: platform.clone(),
            playbooks: platform.clone(),
            sink: Arc::new(sink),
            store: Arc::new(store),
            inventories: Inventories::connect(&self.config).context("opensearch")?,
        };
        Ok(Arc::new(Worker::new(self.config, ports, patience, self.metrics, self.log)))
    }
}

/// At the start a token that is refused is a mistake of the configuration, and no reason to wait.
fn fatal<T>(result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| if error.is_auth() { Error::config(error.to_string()) } else { error })
}

/// Runs until it is asked to stop.
pub(crate) fn run(arguments: &ConfigArguments) -> Result<Outcome> {
    let base = Base::load(arguments)?;
    runtime()?.block_on(async {
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(signals(stop));
        serve(base, stopped).await
    })
}

/// Turns `stop` to true when the process is asked to end.
async fn signals(stop: watch::Sender<bool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        // The system ends the process by itself then; the service goes on until it does.
        return std::future::pending().await;
    };
    let mut asked = async || {
        tokio::select! {
            _ = terminate.recv() => 143,
            _ = interrupt.recv() => 130,
        }
    };
    asked().await;
    // The receivers may be gone already.
    let _ = stop.send(true);
    // Who asks twice does not want to wait. What was not acknowledged comes again.
    let code = asked().await;
    #[expect(clippy::exit, reason = "this is what a second signal means")]
    std::process::exit(code);
}

/// The service, until `stopped` turns true.
async fn serve(base: Base, mut stopped: watch::Receiver<bool>) -> Result<Outcome> {
    let log = base.log;
    let started = tokio::select! {
        biased;
        _ = stopped.wait_for(|stop| *stop) => return Ok(Outcome::Done),
        started = Started::new(base) => started?,
    };
    let Started { worker, mut source, helpers, come_again } = started;
    let runtime = &worker.config.runtime;
    let left = intake::run(&mut *source, &worker, runtime.concurrency, stopped, runtime.stop_timeout).await;
    for helper in &helpers {
        helper.abort();
    }
    if left > 0 {
        worker.farewell(come_again).await;
        let fate = if come_again { "go back to the queue" } else { "have to be asked for again" };
        log.warning(&format!("stopped; {left} messages {fate}"), &[]);
    } else {
        log.info("stopped", &[]);
    }
    Ok(Outcome::Done)
}

/// A service that was started.
struct Started {
    worker: Arc<Worker>,
    source: Box<dyn opencti_client::MessageSource>,
    helpers: Vec<tokio::task::JoinHandle<()>>,
    /// Whether messages that are not done come again after a stop. Those that came as requests were accepted.
    come_again: bool,
}

impl Started {
    async fn new(base: Base) -> Result<Self> {
        let Base { log, ref metrics, .. } = base;
        let metrics = metrics.clone();
        let runtime = &base.config.runtime;
        let patience = Patience::endless(runtime.longest_pause, runtime.give_up_after);
        listen(&base).await?;
        let platform = base.platform(&patience).await?;
        let registration = wire::registration(&base.config);
        registration.check(platform.platform_version())?;
        let registered = patiently(&patience, &metrics, log, "registering at OpenCTI", |_| async {
            fatal(platform.register(&registration).await)
        })
        .await?;
        metrics.set_registered(true);
        log.info(&format!("registered at OpenCTI {}", platform.platform_version()), &[]);
        let notices = wire::notices(log, metrics.clone());
        let broker = Arc::new(wire::broker(&base.config, &registered, notices.clone()));
        let (source, keys) = wire::source(&base.config, &registered, &broker, &metrics).await?;
        let sink = wire::sink(&base.config, &registration, &registered, &platform, &broker);
        let overrides = wire::overrides(&base.config.broker);
        let refresh = base.config.runtime.tools_refresh;
        let worker = base.worker(&platform, sink, patience)?;
        let mut helpers = Vec::new();
        let come_again = keys.is_none();
        if let Some(keys) = keys.clone() {
            helpers.push(tokio::spawn(renew_keys(platform.clone(), registration.clone(), keys, log)));
        }
        let heartbeat = Heartbeat::new(platform.clone(), registration, &registered, notices);
        helpers.push(tokio::spawn({
            let metrics = metrics.clone();
            async move {
                heartbeat
                    .run(move |beat| {
                        metrics.ping_api_count.one();
                        if let Beat::RegisteredAgain(registered) = beat {
                            broker.set_address(registered.queues.connection.clone().overridden(&overrides));
                            if let Some(keys) = &keys {
                                keys.set(registered.jwks.as_deref());
                            }
                        }
                    })
                    .await;
            }
        }));
        helpers.push(tokio::spawn(read_tools(worker.clone(), refresh)));
        let every = worker.config.runtime.fields_refresh;
        if !every.is_zero() {
            let store = OpenSearchStore::connect(worker.config.opensearch.clone()).context("opensearch")?;
            helpers.push(tokio::spawn(learn_fields(worker.clone(), store, every)));
        }
        Ok(Self { worker, source, helpers, come_again })
    }
}

/// Registers again when a message was signed with a key that is not known: the platform has new ones.
async fn renew_keys(platform: Arc<Platform>, registration: Registration, keys: Arc<CallbackKeys>, log: Log) {
    loop {
        keys.wanted().await;
        match platform.register(&registration).await {
            Ok(registered) => keys.set(registered.jwks.as_deref()),
            Err(error) => log.warning(&format!("reading the keys of the platform: {error}"), &[]),
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}

/// The endpoints, where they are wanted.
async fn listen(base: &Base) -> Result<()> {
    let runtime = &base.config.runtime;
    let metrics_port = runtime.metrics.as_ref().map(|metrics| metrics.port);
    if let Some(metrics) = &runtime.metrics {
        let names = Some(metrics.clone());
        endpoint::listen(&runtime.endpoint_host, metrics.port, base.metrics.clone(), names).await?;
    }
    if let Some(port) = runtime.health_port.filter(|port| Some(*port) != metrics_port) {
        endpoint::listen(&runtime.endpoint_host, port, base.metrics.clone(), None).await?;
    }
    Ok(())
}

/// Keeps the fields that are searched in step with those that the indices have. Where they do not say it, all are searched.
async fn learn_fields(worker: Arc<Worker>, store: OpenSearchStore, every: Duration) {
    let mut is_known = true;
    loop {
        let types = store.field_types().await;
        if let (Err(error), true) = (&types, is_known) {
            worker.log.warning(&format!("the fields of the indices cannot be read, so all are searched: {error}"), &[]);
        }
        is_known = types.is_ok();
        worker.learn(types.as_ref().ok());
        tokio::time::sleep(every).await;
    }
}

async fn read_tools(worker: Arc<Worker>, every: Duration) {
    use alert_enricher::extract::ExtractType;
    if !worker.config.enrichment.extract.types.contains(&ExtractType::Tool) {
        return;
    }
    loop {
        match tools::names(&*worker.ports.entities).await {
            Ok(names) => worker.set_tools(names),
            Err(error) => worker.log.warning(&format!("reading the names of tools: {error}"), &[]),
        }
        tokio::time::sleep(every.max(Duration::from_secs(1))).await;
    }
}

/// Enriches one entity as if it were asked for on the platform, with a work of its own.
pub(crate) fn once(arguments: &ConfigArguments, entity_id: &str) -> Result<Outcome> {
    let base = Base::load(arguments)?;
    runtime()?.block_on(async {
        let patience = Patience::none();
        let platform = base.platform(&patience).await?;
        let registration = wire::registration(&base.config);
        let registered = register(&platform, &registration).await?;
        let notices = wire::notices(base.log, base.metrics.clone());
        let broker = Arc::new(wire::broker(&base.config, &registered, notices));
        let sink = wire::sink(&base.config, &registration, &registered, &platform, &broker);
        let worker = base.worker(&platform, sink, patience)?;
        worker.set_tools(tools::names(&*platform).await?);
        let work = platform.open(&registration.id, &format!("Wazuh: {entity_id}")).await?;
        let outcome = worker.outcome(&Job::by_hand(entity_id)).await;
        let mut reply = answer(&outcome, None);
        if let Enriched::Found(enrichment) = &outcome {
            let options = SendOptions { work_id: Some(work.clone()), ..SendOptions::default() };
            if let Err(error) = worker.send(enrichment, &options).await {
                reply.failed = true;
                reply.message = format!("the result could not be sent: {error}");
                worker.make_up(&work).await;
            }
        }
        worker.processed(&work, &reply.message, reply.failed).await;
        tell(&reply.message, reply.failed)
    })
}

/// Prints the bundle that would be sent for an entity.
pub(crate) fn dry_run(arguments: &ConfigArguments, entity_id: &str) -> Result<Outcome> {
    let base = Base::load(arguments)?;
    runtime()?.block_on(async {
        let patience = Patience::none();
        let platform = base.platform(&patience).await?;
        let nowhere = super::sink::Sinks::default();
        let worker = base.worker(&platform, nowhere, patience)?;
        worker.set_tools(tools::names(&*platform).await?);
        let reply = answer(&worker.outcome(&Job::by_hand(entity_id)).await, None);
        if let Some(bundle) = &reply.bundle {
            let mut out = output::writer(None)?;
            writeln!(out, "{bundle}")?;
            out.flush()?;
        }
        tell(&reply.message, reply.failed)
    })
}

async fn register(platform: &Platform, registration: &Registration) -> Result<Registered> {
    registration.check(platform.platform_version())?;
    let registered = platform.register(registration).await;
    registered.map_err(|error| match (judge(&error), error.kind()) {
        (Retry::Later, ErrorKind::Forbidden { .. }) => anyhow!("{error}; the user needs the role for connectors"),
        _ => error.into(),
    })
}

#[allow(clippy::unnecessary_wraps, reason = "the end of commands")]
fn tell(message: &str, failed: bool) -> Result<Outcome> {
    let message: String = message.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    eprintln!("{message}");
    Ok(if failed { Outcome::Failed } else { Outcome::Done })
}
