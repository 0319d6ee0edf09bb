//! One message from receipt to acknowledgement.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use alert_enricher::enrichment::{
    Decision, Enricher, Enrichment, EnrichmentOptions, Findings, HitReader, Known, Outcome, Reason, Subject, answer,
    inspect,
};
use opencti_client::{
    BundleSink, Context, Delivery, EntityReader, Error, ErrorKind, Message, MessageError, PlaybookApi, PlaybookReply,
    SendOptions, WorkApi,
};
use stix_model::{Identifier, Object};
use tokio::task::JoinSet;
use wazuh_query::dsl::{Query, SearchRequest};
use wazuh_query::store::{AlertStore, SearchResponse, StoreError, StoreErrorKind};

use super::batch::{self, Searches};
use super::claims::Claims;
use super::log::Log;
use super::metrics::Metrics;
use super::now;
use super::pause::{Alone, Patience};
use super::search::{self, Room, Search, Searcher, Unverified};
use super::states::{Asked, Inventories};
use super::subject::{Job, Reader};
use crate::config::ServiceConfig;

/// The text with which a work begins. Its repetitions are counted when a message comes again.
const RECEIVED: &str = "The entity is being searched in alerts";
/// The same, for a message under suspicion.
const RECEIVED_ALONE: &str = "The entity is being searched in alerts once more, with nothing beside it";
/// What a work is told when its message goes back because the service ends: that run says nothing about the message.
const GIVEN_BACK: &str = "The connector is being stopped; the message goes back to the queue";
/// The same for a message that has no queue to go back to.
const LEFT: &str = "The connector was stopped before it was done; please ask again";
/// How long the platform may take to be told what was left.
const FAREWELL: Duration = Duration::from_secs(3);
/// How often the platform is told that a work goes on.
const KEEP_ALIVE: Duration = Duration::from_mins(5);

/// The services that a worker needs.
pub(crate) struct Ports {
    pub(crate) works: Arc<dyn WorkApi>,
    pub(crate) entities: Arc<dyn EntityReader>,
    pub(crate) playbooks: Arc<dyn PlaybookApi>,
    pub(crate) sink: Arc<dyn BundleSink>,
    pub(crate) store: Arc<dyn AlertStore>,
    pub(crate) inventories: Inventories,
}

/// Works on messages.
pub(crate) struct Worker {
    pub(crate) config: ServiceConfig,
    pub(crate) ports: Ports,
    pub(crate) patience: Patience,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) log: Log,
    searcher: Searcher,
    searches: Searches,
    claims: Claims,
    /// Works that were begun and are not done.
    begun: Mutex<BTreeSet<String>>,
    /// The options of the enrichment with the names of tools as they were read last.
    options: RwLock<Arc<EnrichmentOptions>>,
    /// A message under suspicion is worked on with nothing beside it.
    alone: tokio::sync::RwLock<()>,
}

/// Calls until it works, or it would be the same again: because the error says so, or because the platform has answered
/// life signs all the time. The number of the try is given.
pub(crate) async fn patiently<T, F: Future<Output = Result<T, Error>>>(
    patience: &Patience,
    metrics: &Metrics,
    log: Log,
    what: &str,
    mut call: impl FnMut(u32) -> F,
) -> Result<T, Error> {
    let (mut tries, mut alone) = (0, Alone::default());
    let mut life_signs = metrics.ping_api_count.get();
    loop {
        tries += 1;
        let error = match call(tries).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let Some(pause) = patience.after(&error, tries) else { return Err(error) };
        let others_are_answered = std::mem::replace(&mut life_signs, metrics.ping_api_count.get()) != life_signs;
        if is_answer(&error) && alone.failed(others_are_answered, patience) {
            return Err(error);
        }
        metrics.platform_retries.one();
        log.warning(&format!("{what}: {error}; next try in {:.1} s", pause.as_secs_f64()), &[]);
        tokio::time::sleep(pause).await;
    }
}

/// Whether the platform was there, and answered in a way that does not help.
fn is_answer(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unexpected { .. } | ErrorKind::Busy { .. } | ErrorKind::Timeout { .. } | ErrorKind::Http { .. }
    )
}

impl Worker {
    /// A worker. Needs a runtime.
    pub(crate) fn new(
        config: ServiceConfig,
        ports: Ports,
        patience: Patience,
        metrics: Arc<Metrics>,
        log: Log,
    ) -> Self {
        let runtime = &config.runtime;
        let searches = Searches::new(ports.store.clone(), runtime.batch_size, runtime.batch_wait, metrics.clone());
        Self {
            searcher: Searcher::new(&config),
            searches,
            claims: Claims::default(),
            begun: Mutex::default(),
            options: RwLock::new(Arc::new(config.enrichment.clone())),
            alone: tokio::sync::RwLock::default(),
            config,
            ports,
            patience,
            metrics,
            log,
        }
    }

    fn options(&self) -> Arc<EnrichmentOptions> {
        self.options.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the indices have, from now on; see [`Searcher::learn`].
    pub(crate) fn learn(&self, types: Option<&BTreeMap<String, BTreeSet<String>>>) {
        self.searcher.learn(&self.config, types);
    }

    /// The names of tools that are recognised in command lines, from now on.
    pub(crate) fn set_tools(&self, tools: BTreeSet<String>) {
        let mut options = (*self.options()).clone();
        options.extract.tools = tools;
        *self.options.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(options);
    }

    async fn patiently<T, F: Future<Output = Result<T, Error>>>(
        &self,
        what: &str,
        call: impl FnMut(u32) -> F,
    ) -> Result<T, Error> {
        patiently(&self.patience, &self.metrics, self.log, what, call).await
    }

    /// Works on a message, and acknowledges it once everything that follows from it is safe.
    pub(crate) async fn handle(self: Arc<Self>, delivery: Delivery) {
        let _running = self.metrics.begin();
        let began = Instant::now();
        let (redelivered, earlier) = (delivery.redelivered, delivery.earlier);
        if redelivered {
            self.metrics.redelivered.one();
        }
        let (message, settle) = delivery.into_parts();
        match message {
            Err(error) => self.unreadable(&error).await,
            Ok(message) => {
                let mut claim = self.claims.claim(&key_of(&message)).await;
                // The same message may come again while, or after, it is worked on: its connection was cut.
                if !claim.is_done() {
                    self.clone().work_on(message, redelivered, earlier).await;
                    claim.done();
                }
            }
        }
        self.metrics.run_seconds.add(began.elapsed());
        let settled = settle.accept().await;
        match settled {
            Ok(()) => {}
            // It comes again, and changes nothing then.
            Err(error) if matches!(error.kind(), ErrorKind::Stale) => {
                self.log.info(&format!("a message cannot be acknowledged: {error}"), &[]);
            }
            Err(error) => self.log.error(&format!("a message cannot be acknowledged: {error}"), &[]),
        }
    }

    /// A message that is the same the next time is reported, and taken out of the queue.
    async fn unreadable(&self, error: &MessageError) {
        self.metrics.poisoned.one();
        let work = error.work_id.as_deref().unwrap_or_default();
        self.log.error(&error.to_string(), &[("work", work)]);
        if !work.is_empty() {
            self.processed(work, &error.to_string(), true).await;
        }
    }

    async fn work_on(self: Arc<Self>, message: Message, redelivered: bool, earlier: Option<u64>) {
        let work = message.work_id().map(str::to_owned);
        let fields: [(&'static str, &str); 2] =
            [("work", work.as_deref().unwrap_or_default()), ("entity", &message.event.entity_id)];
        let started = now().to_string();
        let suspicion = if redelivered { self.suspicion(work.as_deref(), earlier).await } else { Suspicion::None };
        let outcome = if suspicion == Suspicion::Poison {
            self.metrics.poisoned.one();
            Outcome::Failed("the message ended the connector several times, and is given up".to_owned())
        } else {
            let (_alone, _beside) = match suspicion {
                Suspicion::Alone => (Some(self.alone.write().await), None),
                _ => (None, Some(self.alone.read().await)),
            };
            // Counted from here on only: what waits is not to blame.
            if let Some(work) = &work {
                let text = if suspicion == Suspicion::Alone { RECEIVED_ALONE } else { RECEIVED };
                self.begun().insert(work.clone());
                self.report("reporting the work as received", |_| self.ports.works.received(work, text)).await;
            }
            self.guarded(&message, work.as_deref()).await
        };
        let mut is_sent = false;
        let incoming = message.playbook_bundle();
        let mut reply = answer(&outcome, incoming);
        if let Some(step) = message.playbook() {
            let received = incoming.unwrap_or(r#"{"type":"bundle","objects":[]}"#);
            let mut answer = PlaybookReply::unchanged(step.clone(), started, received);
            if let Some(bundle) = reply.bundle.take() {
                answer.bundle = bundle;
            }
            let answered = self.patiently("answering the playbook", |_| self.ports.playbooks.answer(&answer)).await;
            self.metrics.playbook_answers.one();
            if let Err(error) = answered {
                reply.failed = true;
                reply.message = format!("{}; the playbook cannot be answered: {error}", reply.message);
            }
        } else if let Outcome::Found(enrichment) = &outcome
            && self.is_wanted(work.as_deref()).await
        {
            let sent = self.send(enrichment, &SendOptions::for_message(&message, redelivered)).await;
            is_sent = sent.is_ok();
            if let Err(error) = sent {
                reply.failed = true;
                reply.message = format!("the result could not be sent: {error}");
            }
        }
        if let Some(work) = work.as_ref().filter(|_| !is_sent && (redelivered || matches!(outcome, Outcome::Found(_))))
        {
            self.make_up(work).await;
        }
        if reply.failed {
            self.metrics.client_error_count.one();
            self.log.warning(&reply.message, &fields);
        } else {
            self.log.info(&reply.message, &fields);
        }
        if let Some(work) = &work {
            self.processed(work, &reply.message, reply.failed).await;
            self.begun().remove(work);
        }
    }

    fn begun(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the platform which works are not done because the service ends, and whether their messages come again.
    pub(crate) async fn farewell(&self, come_again: bool) {
        let works: Vec<String> = self.begun().iter().cloned().collect();
        let tell = async {
            for work in &works {
                let told = if come_again {
                    self.ports.works.received(work, GIVEN_BACK).await
                } else {
                    self.ports.works.processed(work, LEFT, true).await
                };
                if let Err(error) = told {
                    self.log.warning(&format!("telling that the service ends: {error}"), &[("work", work)]);
                }
            }
        };
        // Whoever ends the service does not wait for a platform that does not answer.
        let _ = tokio::time::timeout(FAREWELL, tell).await;
    }

    /// Whether anybody still wants the result: a work may have been deleted meanwhile, of which the platform says nothing
    /// when it is told about it.
    async fn is_wanted(&self, work: Option<&str>) -> bool {
        let Some(work) = work else { return true };
        let is_alive = self.ports.works.is_alive(work).await.unwrap_or(true);
        if !is_alive {
            self.log.info("the work was deleted, so its result is not sent", &[("work", work)]);
        }
        is_alive
    }

    /// Sees to it that a work does not wait for parts that an earlier try announced and that never come.
    pub(crate) async fn make_up(&self, work: &str) {
        let works = &*self.ports.works;
        self.report("making up for what was announced", |_| opencti_client::make_up(works, work, 0)).await;
    }

    /// How often a message that comes again was begun before: by what its work tells, or by the broker's count, which also
    /// counts what was only fetched.
    async fn suspicion(&self, work: Option<&str>, earlier: Option<u64>) -> Suspicion {
        let most = u64::from(self.config.runtime.max_attempts.max(1));
        let (begun, alone) = match (earlier, work) {
            (_, Some(work)) => {
                let state = self.report("reading the work", |_| self.ports.works.state(work)).await;
                let messages = state.map(|state| state.messages).unwrap_or_default();
                let count = |text: &str| messages.iter().filter(|message| message.as_str() == text).count() as u64;
                // A run that gave it back in order does not count.
                let (alone, back) = (count(RECEIVED_ALONE), count(GIVEN_BACK));
                ((count(RECEIVED) + alone).saturating_sub(back), alone.saturating_sub(back))
            }
            (Some(earlier), None) => (earlier, earlier.saturating_sub(most)),
            // Nobody counts the steps of playbooks.
            (None, None) => (0, 0),
        };
        // A message that was under way whenever the service was ended from outside is not to blame, so it gets its
        // chances alone.
        match (begun >= most, alone >= most) {
            (_, true) => Suspicion::Poison,
            (true, false) => Suspicion::Alone,
            (false, false) => Suspicion::None,
        }
    }

    /// The outcome of a message, whatever happens on the way; meanwhile the work is kept alive.
    async fn guarded(self: &Arc<Self>, message: &Message, work: Option<&str>) -> Outcome {
        let entity_type = message.entity_type();
        let scope = &self.config.connector.scope;
        if !scope.is_empty() && !scope.iter().any(|name| name.eq_ignore_ascii_case(&entity_type)) {
            return Outcome::Refused(Reason::UnsupportedType(entity_type));
        }
        // A set ends its task when it is dropped.
        let mut task = JoinSet::new();
        let (worker, job) = (self.clone(), Job::of(message));
        task.spawn(async move { worker.outcome(&job).await });
        let mut keep_alive = tokio::time::interval_at(tokio::time::Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        loop {
            tokio::select! {
                ended = task.join_next() => {
                    let Some(Ok(outcome)) = ended else {
                        self.metrics.error_count.one();
                        return Outcome::Failed("an internal error of the connector; its log tells more".to_owned());
                    };
                    return outcome;
                }
                _ = keep_alive.tick() => {
                    if let Some(work) = work
                        && let Err(error) = self.ports.works.keep_alive(work).await
                    {
                        self.log.warning(&format!("keeping the work alive: {error}"), &[("work", work)]);
                    }
                }
            }
        }
    }

    /// What becomes of a job.
    pub(crate) async fn outcome(&self, job: &Job) -> Outcome {
        match self.enrichment(job).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(error),
        }
    }

    async fn enrichment(&self, job: &Job) -> Result<Outcome, String> {
        let options = self.options();
        let time = now();
        let reader =
            Reader { entities: &*self.ports.entities, patience: &self.patience, metrics: &self.metrics, log: self.log };
        let subject = reader.subject(job).await.map_err(|error| error.to_string())?;
        let Some((subject, left_out)) = subject else { return Ok(Outcome::Refused(Reason::NotFound)) };
        let plan = match inspect(&subject, &options, job.trigger, time) {
            Decision::Search(plan) => plan,
            Decision::Done(reason) => return Ok(Outcome::Done(reason)),
            Decision::Refuse(reason) => return Ok(Outcome::Refused(reason)),
        };
        let mut not_searched = search::not_searched(&plan);
        not_searched.extend(left_out);
        let states = self.states(&subject).await?.map(|asked| {
            if asked.total > asked.states.len() as u64 {
                not_searched.push(format!("only {} of {} entries of the inventory", asked.states.len(), asked.total));
            }
            asked.states
        });
        let hits = HitReader::new(&self.config.catalogue, &options, self.config.schema);
        let profile = &self.config.profile;
        let objects = search::objects(&subject);
        let mut found: Vec<(Identifier, SearchResponse)> = Vec::with_capacity(plan.targets.len());
        let (mut all, mut room) = (None, Room::default());
        // A report may have thousands of parts, whose queries and alerts are not in memory all together.
        for ids in plan.targets.chunks(search::CHUNK) {
            let searching = self.searcher.searching(&subject, ids, &objects);
            not_searched.extend(searching.not_searched);
            let union = search::union(&searching.targets).filter(|_| plan.targets.len() <= search::CHUNK);
            let has_union = union.is_some();
            let exact = searching.targets.iter().filter_map(|(_, search)| match search {
                Search::Exact(query) => Some(query.clone()),
                Search::Verified(_) => None,
            });
            let requests: Vec<SearchRequest> =
                exact.chain(union).map(|query| search::request(query, profile, &hits, time)).collect();
            let mut answers = self.search(&requests).await?.into_iter();
            for (id, search) in searching.targets {
                let response = match search {
                    Search::Exact(_) => answers.next().unwrap_or_default(),
                    Search::Verified(translation) => match self.verified(&translation, &options, time).await {
                        Ok(response) => response,
                        Err(reason) => {
                            not_searched.push(format!("{id}: {reason}"));
                            continue;
                        }
                    },
                };
                found.push((id, room.keep(response)));
            }
            all = answers.next().filter(|_| has_union).map(|response| room.keep(response));
        }
        if found.is_empty() && states.as_ref().is_none_or(Vec::is_empty) {
            return Ok(Outcome::Done(Reason::NothingSearchable(not_searched)));
        }
        let mut facts = search::facts(profile, time);
        for response in found.iter().map(|(_, response)| response).chain(&all) {
            facts.took = facts.took.max(response.took);
            if response.shards.failed > 0 {
                facts.failures.push(response.shards.reasons());
            }
        }
        facts.failures.sort_unstable();
        facts.failures.dedup();
        facts.not_searched = not_searched;
        let findings = Findings {
            targets: found.iter().map(|(id, response)| (id.clone(), hits.response(response))).collect(),
            all: all.as_ref().map(|response| hits.response(response)),
            states,
            search: facts,
        };
        self.metrics.hits.add(findings.targets.iter().map(|(_, hits)| hits.total).sum());
        let enricher = Enricher::new(&self.config.catalogue, &options, self.config.schema);
        let first = match enricher.enrich(&subject, &plan, &findings, &Known::default(), time) {
            Ok(first) => first,
            Err(reason) => return Ok(Outcome::of(Err(reason))),
        };
        // What the platform has already decides what is sent about it.
        let known = self.known(&reader, &first, &job.context).await.map_err(|error| error.to_string())?;
        Ok(Outcome::of(enricher.enrich(&subject, &plan, &findings, &known, time)))
    }

    async fn known(&self, reader: &Reader<'_>, first: &Enrichment, context: &Context) -> Result<Known, Error> {
        let mut known = Known::default();
        let ids = first.shared();
        for entity in reader.existing(&ids, context).await? {
            known.existing.extend(entity.ids().iter().cloned());
        }
        // The platform adds to the counts of sightings that it has.
        let of: BTreeSet<&Identifier> = first
            .bundle
            .objects
            .iter()
            .filter_map(|object| match object {
                Object::Sighting(sighting) => Some(&sighting.sighting_of_ref),
                _ => None,
            })
            .collect();
        for id in of {
            known.sightings.extend(reader.sightings(id, context).await?);
        }
        Ok(known)
    }

    async fn states(&self, subject: &Subject) -> Result<Option<Asked>, String> {
        let (mut tries, mut alone) = (0, Alone::default());
        loop {
            tries += 1;
            match self.ports.inventories.ask(&subject.entity).await {
                Ok(states) => return Ok(states),
                Err(error) => match self.patience.after_search(&error, tries) {
                    Some(pause) if !self.is_in_the_way(&error, &mut alone).await => {
                        self.wait_for_search(&error, pause).await;
                    }
                    _ => return Err(format!("the inventory cannot be searched: {error}")),
                },
            }
        }
    }

    /// Whether a search fails again and again although the indexer answers others completely: then it would hold up
    /// everybody else.
    async fn is_in_the_way(&self, error: &StoreError, alone: &mut Alone) -> bool {
        if error.is_auth() || matches!(error.kind(), StoreErrorKind::Overloaded { .. } | StoreErrorKind::NotFound(_)) {
            return false;
        }
        let probe = SearchRequest::counting(Query::MatchAll, None);
        let answer = self.ports.store.search(&probe).await.and_then(SearchResponse::require_complete);
        alone.failed(answer.is_ok(), &self.patience)
    }

    async fn wait_for_search(&self, error: &StoreError, pause: Duration) {
        self.metrics.search_retries.one();
        let text = format!("searching: {error}; next try in {:.1} s", pause.as_secs_f64());
        if error.is_auth() {
            self.log.error(&text, &[]);
        } else {
            self.log.warning(&text, &[]);
        }
        tokio::time::sleep(pause).await;
    }

    /// Runs searches until each has an answer. An indexer that is busy slows this down.
    async fn search(&self, requests: &[SearchRequest]) -> Result<Vec<SearchResponse>, String> {
        let mut answers: Vec<Option<SearchResponse>> = requests.iter().map(|_| None).collect();
        let (mut tries, mut alone) = (0, Alone::default());
        loop {
            tries += 1;
            let open: Vec<usize> = (0..requests.len()).filter(|place| answers[*place].is_none()).collect();
            if open.is_empty() {
                return Ok(answers.into_iter().flatten().collect());
            }
            let asked: Vec<SearchRequest> = open.iter().map(|place| requests[*place].clone()).collect();
            let mut pause: Option<(Duration, Arc<StoreError>)> = None;
            // What failed once does not take others with it again.
            let outcomes = if tries == 1 {
                self.searches.run(&asked).await
            } else {
                batch::by_itself(&*self.ports.store, &asked, &self.metrics).await
            };
            for (place, outcome) in open.into_iter().zip(outcomes) {
                match outcome {
                    Ok(response) => answers[place] = Some(response),
                    Err(error) => {
                        let Some(wait) = self.patience.after_search(&error, tries) else {
                            return Err(format!("the search failed: {error}"));
                        };
                        if pause.as_ref().is_none_or(|(longest, _)| *longest < wait) {
                            pause = Some((wait, error));
                        }
                    }
                }
            }
            if let Some((wait, error)) = pause {
                if self.is_in_the_way(&error, &mut alone).await {
                    return Err(format!("the indexer answers other searches, but not this one: {error}"));
                }
                self.wait_for_search(&error, wait).await;
            }
        }
    }

    async fn verified(
        &self,
        translation: &wazuh_query::pattern::Translation,
        options: &EnrichmentOptions,
        time: stix_model::Timestamp,
    ) -> Result<SearchResponse, String> {
        let (mut tries, mut alone) = (0, Alone::default());
        loop {
            tries += 1;
            let (store, patterns) = (&*self.ports.store, self.searcher.pattern_options());
            self.metrics.searches.one();
            match search::verified(translation, patterns, store, &self.config, options, time).await {
                Ok(response) => return Ok(response),
                Err(Unverified::Pattern(reason)) => return Err(reason),
                Err(Unverified::Store(error)) => match self.patience.after_search(&error, tries) {
                    Some(pause) if !self.is_in_the_way(&error, &mut alone).await => {
                        self.wait_for_search(&error, pause).await;
                    }
                    _ => return Err(format!("the search failed: {error}")),
                },
            }
        }
    }

    /// Sends a bundle; the broker has confirmed it when this returns.
    pub(crate) async fn send(&self, enrichment: &Enrichment, options: &SendOptions) -> Result<(), Error> {
        let mut first = options.clone();
        // The entity itself is referred to and not sent, so what is not in the bundle has to stay in the references.
        // Markings and author are in it.
        first.split.cleanup = false;
        let again = SendOptions { announced_before: true, ..first.clone() };
        // A broker that takes nothing says nothing about the result.
        let patience = self.patience.for_ever();
        let sent = patiently(&patience, &self.metrics, self.log, "sending the result", |tries| {
            self.ports.sink.send(&enrichment.bundle, if tries > 1 { &again } else { &first })
        })
        .await?;
        for refused in &sent.refused {
            self.log.warning(&format!("{} is not sent: {}", refused.id, refused.why), &[]);
        }
        self.metrics.bundle_send.one();
        self.metrics.record_send.add(sent.parts as u64);
        Ok(())
    }

    /// Reports that a work is done.
    pub(crate) async fn processed(&self, work: &str, text: &str, failed: bool) {
        self.report("reporting the work as done", |_| self.ports.works.processed(work, text, failed)).await;
    }

    /// A call whose refusal costs nothing but itself: a work that was deleted meanwhile needs no report.
    async fn report<T: Default, F: Future<Output = Result<T, Error>>>(
        &self,
        what: &str,
        call: impl FnMut(u32) -> F,
    ) -> T {
        self.patiently(what, call).await.unwrap_or_else(|error| {
            if !matches!(error.kind(), ErrorKind::NotFound(_) | ErrorKind::WorkGone(_)) {
                self.log.warning(&format!("{what}: {error}"), &[]);
            }
            T::default()
        })
    }
}

/// What is to be thought of a message that comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Suspicion {
    /// Nothing.
    None,
    /// It may have ended the process: it gets no company.
    Alone,
    /// It did.
    Poison,
}

/// What tells a message again.
fn key_of(message: &Message) -> String {
    match (message.work_id(), message.playbook()) {
        (Some(work), _) => work.to_owned(),
        (None, Some(step)) => format!("{}/{}/{}", step.execution_id, step.step_id, step.data_instance_id),
        (None, None) => String::new(),
    }
}
