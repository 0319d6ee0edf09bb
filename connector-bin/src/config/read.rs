//! The groups that offline commands and the service share.

use alert_enricher::extract::ExtractOptions;

use opencti_client::tls::TlsIdentity;
use stix_model::Timestamp;
use url::Url;
use wazuh_query::catalogue::{Catalogue, CatalogueFile, Schema};
use wazuh_query::dsl::{Order, Sort};
use wazuh_query::options::SearchOptions;
use wazuh_query::profile::SearchProfile;
use wazuh_query::store::opensearch::{Auth, OpenSearchConfig, Secret};

use super::option::Spec;
use super::resolver::Resolver;
use super::table::{enrich, opensearch, root, search, system};

/// The group `search`.
pub(super) fn search_options(resolver: &mut Resolver<'_>) -> SearchOptions {
    let options = SearchOptions {
        file: resolver.names(&search::FILESEARCH_OPTIONS),
        directory: resolver.names(&search::DIRSEARCH_OPTIONS),
        process: resolver.names(&search::PROCSEARCH_OPTIONS),
        registry_key: resolver.names(&search::REGKEYSEARCH_OPTIONS),
        lookup_agent_ip: resolver.boolean(&search::LOOKUP_AGENT_IP),
        lookup_agent_name: resolver.boolean(&search::LOOKUP_AGENT_NAME),
        ignore_private_addrs: resolver.boolean(&search::IGNORE_PRIVATE_ADDRS),
        lookup_mac_variants: resolver.boolean(&search::LOOKUP_MAC_VARIANTS),
        lookup_hostnames_in_cmd_line: resolver.boolean(&search::LOOKUP_HOSTNAMES_IN_CMD_LINE),
        lookup_url_without_host: resolver.boolean(&search::LOOKUP_URL_WITHOUT_HOST),
        lookup_url_ignore_trailing_slash: resolver.boolean(&search::LOOKUP_URL_IGNORE_TRAILING_SLASH),
        lookup_hosts_in_urls: resolver.boolean(&search::LOOKUP_HOSTS_IN_URLS),
    };
    for conflict in options.conflicts() {
        let spec = match conflict.key {
            "filesearch_options" => &search::FILESEARCH_OPTIONS,
            "dirsearch_options" => &search::DIRSEARCH_OPTIONS,
            _ => &search::REGKEYSEARCH_OPTIONS,
        };
        resolver.mistake(spec, &format!("`{}` needs `{}` beside it", conflict.option, conflict.needs));
    }
    options
}

/// The group `enrich`.
pub(super) fn extract_options(resolver: &mut Resolver<'_>) -> ExtractOptions {
    let behaviour: Vec<String> = resolver.texts(&enrich::FILENAME_BEHAVIOUR);
    ExtractOptions {
        types: resolver.names(&enrich::TYPES),
        create_directory: behaviour.iter().any(|name| name == "create-dir"),
        remove_path: behaviour.iter().any(|name| name == "remove-path"),
        urls_without_host: resolver.boolean(&enrich::ENRICH_URLS_WITHOUT_HOST),
        ..ExtractOptions::default()
    }
}

/// The built-in fields with those of a file. The file is YAML or JSON.
pub(super) fn catalogue(file: Option<&str>) -> Result<Catalogue, String> {
    let mut catalogue = Catalogue::builtin();
    if let Some(path) = file {
        let text = super::pem::read_file(path)?;
        let read: CatalogueFile = if std::path::Path::new(path).extension().is_some_and(|ending| ending == "json") {
            serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?
        } else {
            serde_saphyr::from_str(&text).map_err(|error| format!("{path}: {error}"))?
        };
        catalogue.extend(read).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(catalogue)
}

/// What follows from the schema of the alerts.
pub(super) fn schema_defaults(resolver: &mut Resolver<'_>, catalogue: &Catalogue, schema: Schema) {
    if schema == Schema::Wazuh5 {
        const WHY: &str = "for Wazuh 5";
        let defaults = SearchProfile::new(catalogue, schema);
        let matches = defaults.exclude_match.iter();
        let matches = matches.map(|one| serde_json::json!({"field": one.field, "query": one.query})).collect();
        resolver.set_default(&opensearch::INDEX, defaults.index.into(), WHY);
        resolver.set_default(&opensearch::EXCLUDE_MATCH, matches, WHY);
    }
}

/// What surrounds every search.
pub(super) fn profile(resolver: &mut Resolver<'_>, catalogue: &Catalogue, schema: Schema) -> SearchProfile {
    schema_defaults(resolver, catalogue, schema);
    let mut profile = SearchProfile::new(catalogue, schema);
    if let Some(index) = resolver.text(&opensearch::INDEX) {
        profile.index = index;
    }
    profile.since = resolver.since(&opensearch::SEARCH_AFTER);
    profile.include_match = resolver.json(&opensearch::INCLUDE_MATCH);
    profile.exclude_match = resolver.json(&opensearch::EXCLUDE_MATCH);
    profile.filter = resolver.json(&opensearch::FILTER);
    profile.limit = resolver.number(&opensearch::LIMIT);
    profile.rule_exclude_list = resolver.texts(&root::RULE_EXCLUDE_LIST);
    let order: Vec<OrderBy> = resolver.json(&opensearch::ORDER_BY);
    if !order.is_empty() {
        profile.order_by = order.into_iter().map(OrderBy::sort).collect();
    }
    profile
}

#[derive(serde::Deserialize)]
struct OrderBy {
    field: String,
    order: String,
}

impl OrderBy {
    fn sort(self) -> Sort {
        Sort { field: self.field, order: if self.order == "asc" { Order::Asc } else { Order::Desc } }
    }
}

/// How the indexer is reached.
pub(super) fn opensearch(resolver: &mut Resolver<'_>, url: Url, index: &str) -> OpenSearchConfig {
    let mut config = OpenSearchConfig::new(url);
    index.clone_into(&mut config.index);
    config.auth = auth(resolver);
    config.ca = authorities(resolver, &opensearch::CA);
    config.verify_tls = resolver.boolean(&opensearch::VERIFY_TLS);
    config.timeout = resolver.duration(&opensearch::TIMEOUT);
    config
}

/// The certificates of an option together with those that the system has.
pub(super) fn authorities(resolver: &mut Resolver<'_>, spec: &Spec) -> Option<Vec<u8>> {
    let own = resolver.pem(spec);
    let common = resolver.pem(&system::CA_CERTIFICATES);
    let texts: Vec<String> = own.into_iter().chain(common).collect();
    (!texts.is_empty()).then(|| texts.join("\n").into_bytes())
}

/// A client certificate with its key, in one PEM text.
pub(super) fn client_certificate(
    resolver: &mut Resolver<'_>,
    certificate: &Spec,
    key: &Spec,
    passphrase: Option<&Spec>,
) -> Option<String> {
    let key_text = resolver.pem(key);
    let secret = passphrase.and_then(|passphrase| resolver.secret(passphrase));
    let Some(mut pem) = resolver.pem(certificate) else {
        if key_text.is_some() {
            resolver.mistake(key, &format!("has no effect without `{}`", certificate.key));
        }
        return None;
    };
    let key_given = key_text.is_some();
    if let Some(key_text) = key_text {
        pem.push('\n');
        pem.push_str(&key_text);
    } else if !pem.contains("PRIVATE KEY-----") {
        resolver.mistake(certificate, &format!("holds no private key; give it in `{}`", key.key));
    }
    Some(plain_key(
        resolver,
        if key_given { key } else { certificate },
        passphrase.map(|spec| (spec, secret.as_ref())),
        pem,
    ))
}

/// A key that may have a passphrase, without it. What else is in the text stays.
pub(super) fn plain_key(
    resolver: &mut Resolver<'_>,
    spec: &Spec,
    passphrase: Option<(&Spec, Option<&Secret>)>,
    pem: String,
) -> String {
    let is_old = pem.contains("Proc-Type: 4,ENCRYPTED");
    if !is_old && !pem.contains("BEGIN ENCRYPTED PRIVATE KEY-----") {
        return pem;
    }
    let way = match passphrase {
        Some((passphrase, Some(secret))) if !is_old => {
            match TlsIdentity::with_passphrase(Vec::new(), &pem.as_str().into(), &secret.expose().into()) {
                Ok(identity) => return format!("{}\n{}", without_keys(&pem), identity.key.expose()),
                Err(error) => resolver.mistake(passphrase, &error.to_string()),
            }
            return pem;
        }
        Some((passphrase, None)) if !is_old => format!(", or give it in `{}`", passphrase.key),
        _ => String::new(),
    };
    resolver.mistake(spec, &format!("the private key has a passphrase; store it without one (`openssl pkey`){way}"));
    pem
}

/// The certificates of a text.
fn without_keys(pem: &str) -> String {
    let mut is_key = false;
    let lines = pem.lines().filter(|line| {
        let was_key = is_key;
        if line.contains("PRIVATE KEY-----") {
            is_key = line.contains("-----BEGIN");
            return false;
        }
        !was_key
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn auth(resolver: &mut Resolver<'_>) -> Auth {
    let certificate = client_certificate(resolver, &opensearch::CLIENT_CERTIFICATE, &opensearch::CLIENT_KEY, None);
    let username = resolver.text(&opensearch::USERNAME);
    let password = resolver.secret(&opensearch::PASSWORD);
    if let Some(key) = resolver.secret(&opensearch::API_KEY) {
        for (given, spec) in
            [(username.is_some(), &opensearch::USERNAME), (certificate.is_some(), &opensearch::CLIENT_CERTIFICATE)]
        {
            if given {
                resolver.warn(spec, &format!("has no effect because of `{}`", opensearch::API_KEY.key));
            }
        }
        return Auth::ApiKey(key);
    }
    match (username, password, certificate) {
        (Some(username), Some(password), _) => Auth::Basic { username, password },
        (None, None, Some(pem)) => Auth::ClientCertificate(pem.into()),
        (Some(_), None, _) => incomplete(resolver, &opensearch::PASSWORD, &opensearch::USERNAME),
        (None, Some(_), _) => incomplete(resolver, &opensearch::USERNAME, &opensearch::PASSWORD),
        (None, None, None) => Auth::None,
    }
}

/// One half of user and password is missing, unless there is already something wrong with it.
fn incomplete(resolver: &mut Resolver<'_>, missing: &Spec, given: &Spec) -> Auth {
    if !resolver.is_there(missing) || resolver.is_given(missing) {
        resolver.mistake(missing, &format!("is missing, although `{}` is given", given.key));
    }
    Auth::None
}

/// The schema that the alerts have.
pub(super) fn schema(resolver: &mut Resolver<'_>) -> Schema {
    if resolver.text(&opensearch::SCHEMA).as_deref() == Some("5") { Schema::Wazuh5 } else { Schema::Wazuh4 }
}

/// The time now, to the millisecond.
pub(super) fn now() -> Timestamp {
    Timestamp::from_unix_millis(jiff::Timestamp::now().as_millisecond()).unwrap_or(Timestamp::UNIX_EPOCH)
}
