//! `check`: is everything there that the service needs?

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::Result;
use opencti_client::graphql::Platform;
use opencti_client::{Account, ConnectorApi as _, ErrorKind};
use wazuh_query::catalogue::{IndexType, Schema};
use wazuh_query::dsl::{Query, SearchRequest};
use wazuh_query::profile::EnvelopeFields;
use wazuh_query::store::opensearch::{OpenSearchConfig, OpenSearchStore};
use wazuh_query::store::{AlertStore as _, StoreError, StoreErrorKind};

use super::log::Log;
use super::metrics::Metrics;
use super::{runtime, wire};
use crate::cli::ConfigArguments;
use crate::config::{Listen, LogLevel, ServiceConfig};
use crate::output::{self, Outcome};

/// How one part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// As it should be.
    Good,
    /// The service runs, but perhaps not as it was meant.
    Doubtful,
    /// The service does not work.
    Bad,
}

/// The lines of the table.
#[derive(Debug, Default)]
struct Table(Vec<(State, &'static str, String)>);

impl Table {
    fn add(&mut self, state: State, part: &'static str, text: impl Into<String>) {
        self.0.push((state, part, text.into()));
    }

    fn good(&mut self, part: &'static str, text: impl Into<String>) {
        self.add(State::Good, part, text);
    }

    fn doubtful(&mut self, part: &'static str, text: impl Into<String>) {
        self.add(State::Doubtful, part, text);
    }

    fn bad(&mut self, part: &'static str, text: impl Into<String>) {
        self.add(State::Bad, part, text);
    }

    fn is_bad(&self) -> bool {
        self.0.iter().any(|(state, _, _)| *state == State::Bad)
    }

    fn to_text(&self) -> String {
        let width = self.0.iter().map(|(_, part, _)| part.len()).max().unwrap_or(0);
        let line = |(state, part, text): &(State, &str, String)| {
            let state = match state {
                State::Good => "ok     ",
                State::Doubtful => "warning",
                State::Bad => "error  ",
            };
            let line = format!("{state}  {part:width$}  {text}");
            // One line each, whatever a server says.
            line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect::<String>() + "\n"
        };
        self.0.iter().map(line).collect()
    }
}

/// Looks at everything, prints a table, and ends with code 1 if the service would not work.
pub(crate) fn run(arguments: &ConfigArguments) -> Result<Outcome> {
    let config = ServiceConfig::load(arguments)?;
    let mut table = Table::default();
    table.good("configuration", "complete");
    for warning in config.warnings.iter().cloned().chain(config.enrichment.warnings()) {
        table.doubtful("configuration", warning);
    }
    runtime()?.block_on(async {
        opencti(&config, &mut table).await;
        opensearch(&config, &mut table).await;
    });
    let mut out = output::writer(None)?;
    out.write_all(table.to_text().as_bytes())?;
    out.flush()?;
    Ok(if table.is_bad() { Outcome::Failed } else { Outcome::Done })
}

async fn opencti(config: &ServiceConfig, table: &mut Table) {
    let notices = wire::notices(Log::new(LogLevel::Error, false), Arc::new(Metrics::default()));
    let mut settings = match wire::platform(config, notices.clone()) {
        Ok(settings) => settings,
        Err(error) => return table.bad("OpenCTI", error.to_string()),
    };
    settings.backoff.retries = 0;
    let platform = match Platform::connect(settings).await {
        Ok(platform) => platform,
        Err(error) => return table.bad("OpenCTI", error.to_string()),
    };
    table.good("OpenCTI", format!("version {}", platform.platform_version()));
    if !config.opencti.verify_tls && config.opencti.url.scheme() == "https" {
        table.doubtful("OpenCTI", "its certificate is not checked (`opencti.ssl_verify`)");
    }
    match platform.account().await {
        Ok(account) => user(&account, config, table),
        Err(error) => table.doubtful("user", error.to_string()),
    }
    let registration = wire::registration(config);
    if let Err(error) = registration.check(platform.platform_version()) {
        return table.bad("registration", error.to_string());
    }
    let registered = match platform.register(&registration).await {
        Ok(registered) => registered,
        Err(error) if matches!(error.kind(), ErrorKind::Forbidden { .. }) => {
            return table.bad("registration", format!("{error}; the user needs the role for connectors"));
        }
        Err(error) => return table.bad("registration", error.to_string()),
    };
    table.good("registration", format!("{} as {}", registration.id, registration.name));
    let over_broker = config.connector.send.over_broker && config.connector.send.to_queue;
    let listens = matches!(config.connector.listen, Listen::Queue);
    if !over_broker && !listens {
        return table.good("broker", "not needed");
    }
    let mut broker = wire::broker(config, &registered, notices);
    broker.backoff.retries = 0;
    let queue = listens.then_some(registered.queues.listen.as_str());
    let address = broker.address();
    match broker.check(queue).await {
        Ok(()) => {
            table.good("broker", format!("{}:{}, queue {}", address.host, address.port, registered.queues.listen));
        }
        Err(error) => table.bad("broker", error.to_string()),
    }
}

fn user(account: &Account, config: &ServiceConfig, table: &mut Table) {
    let missing: Vec<&str> =
        ["CONNECTORAPI", "KNOWLEDGE", "KNOWLEDGE_KNUPDATE"].into_iter().filter(|name| !account.may(name)).collect();
    if missing.is_empty() {
        table.good("user", account.name.clone());
    } else {
        table.bad("user", format!("{} lacks {}", account.name, missing.join(", ")));
    }
    if account.capabilities.iter().any(|name| name == "BYPASS") {
        table.doubtful(
            "user",
            format!("{} may do everything; a user with the role for connectors is enough", account.name),
        );
    }
    let wanted = i64::from(config.enrichment.confidence);
    if let Some(most) = account.max_confidence.filter(|most| *most < wanted) {
        table.doubtful("user", format!("what is made has at most a confidence of {most}, not {wanted} (`confidence`)"));
    }
}

async fn opensearch(config: &ServiceConfig, table: &mut Table) {
    let mut settings = config.opensearch.clone();
    settings.retries = 0;
    let store = match OpenSearchStore::connect(settings.clone()) {
        Ok(store) => store,
        Err(error) => return table.bad("indexer", error.to_string()),
    };
    match store.version().await {
        Ok(version) => table.good("indexer", format!("version {version}")),
        // Who searches need not be allowed to ask.
        Err(error) if matches!(error.kind(), StoreErrorKind::Auth { status: 403, .. }) => {
            table.good("indexer", "the account must not ask for the version");
        }
        Err(error) => return table.bad("indexer", error.to_string()),
    }
    if !settings.verify_tls && settings.url.scheme() == "https" {
        table.doubtful("indexer", "its certificate is not checked (`opensearch.verify_tls`)");
    }
    match store.count(&Query::MatchAll).await {
        Ok(0) => table.doubtful("alerts", format!("{} is empty", settings.index)),
        Ok(count) => {
            table.good("alerts", format!("{count} in {}", settings.index));
            match store.field_types().await {
                Ok(types) => fields(config, &types, table),
                Err(error) => table.doubtful("fields", error.to_string()),
            }
        }
        Err(error) => table.bad("alerts", error.to_string()),
    }
    match searches(&store).await {
        Ok(()) => table.good("searches", "several in one request, and page by page"),
        Err(error) => table.bad("searches", format!("{error}; the role in deploy/opensearch has what is needed")),
    }
    for (part, index) in [("vulnerabilities", &config.vulnerabilities_index), ("inventory", &config.inventory_index)] {
        let Some(index) = index else {
            table.good(part, "not looked up");
            continue;
        };
        match count(&settings, index).await {
            Ok(count) => table.good(part, format!("{count} in {index}")),
            Err(error) => table.doubtful(part, format!("{index}: {error}")),
        }
    }
}

/// Searches as the service does: each way needs permissions of its own.
async fn searches(store: &OpenSearchStore) -> Result<(), StoreError> {
    let nothing = SearchRequest::counting(Query::nothing(), None);
    store.multi_search(std::slice::from_ref(&nothing)).await?.into_iter().try_for_each(|answer| answer.map(drop))?;
    let page = SearchRequest { size: 1, ..nothing };
    store.for_each_page(&page, &mut |_| ControlFlow::Break(())).await.map(drop)
}

async fn count(settings: &OpenSearchConfig, index: &str) -> Result<u64, StoreError> {
    let mut settings = settings.clone();
    index.clone_into(&mut settings.index);
    OpenSearchStore::connect(settings)?.count(&Query::MatchAll).await
}

/// What the indices say about the fields that are searched.
fn fields(config: &ServiceConfig, types: &BTreeMap<String, BTreeSet<String>>, table: &mut Table) {
    let schema: Schema = config.schema;
    let wanted: Vec<_> =
        config.catalogue.select(schema, |field| field.uses.search && field.index != IndexType::Unindexed).collect();
    let there = wanted.iter().filter(|field| types.contains_key(&*field.path)).count();
    let text = format!("{there} of {} that are searched are mapped", wanted.len());
    if there == 0 {
        table.bad("fields", format!("{text}; do the indices hold alerts of Wazuh {}?", shown(schema)));
    } else {
        table.good("fields", text);
    }
    let envelope = EnvelopeFields::new(&config.catalogue, schema);
    let needed = [
        &envelope.timestamp,
        &envelope.agent_id,
        &envelope.agent_name,
        &envelope.rule_id,
        &envelope.rule_level,
        &envelope.rule_description,
    ];
    for path in needed {
        match types.get(path) {
            None => table.bad("fields", format!("{path} is not mapped; alerts are counted by it")),
            Some(found) if found.len() > 1 => {
                let found: Vec<&str> = found.iter().map(String::as_str).collect();
                table.bad(
                    "fields",
                    format!("{path} is mapped differently: {}; alerts are counted by it", found.join(", ")),
                );
            }
            Some(found) if found.contains("text") => {
                table.bad("fields", format!("{path} is mapped as text; install Wazuh's index template"));
            }
            Some(_) => {}
        }
    }
    let differ: Vec<&str> = wanted
        .iter()
        .filter(|field| {
            let exact = matches!(field.index, IndexType::Keyword | IndexType::Ip);
            exact && types.get(&*field.path).is_some_and(|found| found.contains("text"))
        })
        .map(|field| &*field.path)
        .collect();
    if !differ.is_empty() {
        let some = differ.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        table.doubtful(
            "fields",
            format!(
                "{} are mapped as text and not found exactly, such as {some}; tell them in `catalogue`",
                differ.len()
            ),
        );
    }
}

fn shown(schema: Schema) -> &'static str {
    match schema {
        Schema::Wazuh4 => "4",
        Schema::Wazuh5 => "5",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ServiceConfig {
        ServiceConfig::of_text(
            "max_tlp: amber\napp_url: https://wazuh.example\nopencti: {url: \"http://x\", token: t0k3n}\n\
             connector: {id: 7c1d3b52-6f0e-4b41-9a25-0d2f6c9b8e77}\n\
             opensearch: {url: \"https://indexer:9200\", username: reader, password: secret}\n",
        )
    }

    fn mapped(pairs: &[(&str, &[&str])]) -> BTreeMap<String, BTreeSet<String>> {
        let envelope = ["timestamp", "agent.id", "agent.name", "rule.id", "rule.level", "rule.description"];
        let envelope = envelope.map(|path| (path.to_owned(), BTreeSet::from(["keyword".to_owned()])));
        let given = pairs.iter().map(|(path, types)| {
            ((*path).to_owned(), types.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>())
        });
        envelope.into_iter().chain(given).collect()
    }

    #[test]
    fn mappings() {
        let check = |types: &BTreeMap<String, BTreeSet<String>>| {
            let mut table = Table::default();
            fields(&config(), types, &mut table);
            table
        };
        assert!(!check(&mapped(&[("data.srcip", &["keyword"])])).is_bad());
        let text = check(&mapped(&[("data.srcip", &["keyword", "text"])])).to_text();
        assert!(text.contains("warning  fields  1 are mapped as text") && text.contains("data.srcip"), "{text}");
        assert!(check(&mapped(&[("data.srcip", &["ip"]), ("rule.id", &["keyword", "long"])])).is_bad());
        assert!(check(&BTreeMap::new()).to_text().contains("do the indices hold alerts of Wazuh 4?"));
    }

    #[test]
    fn users() {
        let mut account = Account::default();
        account.name = "wazuh".to_owned();
        account.capabilities = vec!["CONNECTORAPI".to_owned(), "KNOWLEDGE".to_owned()];
        account.max_confidence = Some(50);
        let mut table = Table::default();
        user(&account, &config(), &mut table);
        let text = table.to_text();
        assert!(text.contains("error    user  wazuh lacks KNOWLEDGE_KNUPDATE"), "{text}");
        assert!(text.contains("at most a confidence of 50, not 100"), "{text}");
    }
}
