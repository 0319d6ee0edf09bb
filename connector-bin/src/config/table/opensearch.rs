//! `opensearch`.

use crate::config::kind::Kind;
use crate::config::option::Spec;

options! {
    //! Wazuh's indexer, and what surrounds every search in it.

    /// URL of the indexer with its port; a path in it is kept.
    URL = Spec::new("opensearch.url", Kind::Url).required();
    /// User of the indexer. An indexer without security gets `none`.
    USERNAME = Spec::new("opensearch.username", Kind::Text).optional();
    /// Password of that user.
    PASSWORD = Spec::new("opensearch.password", Kind::Secret);
    /// Value of the `Authorization` header, instead of user and password.
    API_KEY = Spec::new("opensearch.api_key", Kind::Secret).ours();
    /// Client certificate, instead of user and password.
    CLIENT_CERTIFICATE = Spec::new("opensearch.client_certificate", Kind::Pem).ours();
    /// Key of that certificate, if the certificate's file does not hold it.
    CLIENT_KEY = Spec::new("opensearch.client_key", Kind::Pem).ours();
    /// Certificates of further authorities. Wazuh's installer makes one (`root-ca.pem`).
    CA = Spec::new("opensearch.ca", Kind::Pem).ours();
    /// Whether the indexer's certificate must be trusted.
    VERIFY_TLS = Spec::new("opensearch.verify_tls", Kind::Boolean).default("true");
    /// Schema of the alerts: that of Wazuh 4 or 5.
    SCHEMA = Spec::new("opensearch.schema", Kind::Choice(&["4", "5"])).default("4").ours();
    /// Where the alerts are. The default for Wazuh 5 is `wazuh-findings-v5-*`.
    INDEX = Spec::new("opensearch.index", Kind::Index).default("wazuh-alerts-*");
    /// Where the vulnerabilities that hosts have now are.
    VULNERABILITIES_INDEX = Spec::new("opensearch.vulnerabilities_index", Kind::Index).default("wazuh-states-vulnerabilities*").optional().ours();
    /// Where the inventory of the hosts is: software is looked up there by name and version, files by their hashes.
    INVENTORY_INDEX = Spec::new("opensearch.inventory_index", Kind::Index).default("wazuh-states-inventory-packages*,wazuh-states-fim-files*").optional().ours();
    /// Only alerts since then.
    SEARCH_AFTER = Spec::new("opensearch.search_after", Kind::Since).optional();
    /// What every alert must have.
    INCLUDE_MATCH = Spec::new("opensearch.include_match", Kind::Matches);
    /// What no alert may have. The default for Wazuh 5 is `wazuh.integration.name=opencti`.
    EXCLUDE_MATCH = Spec::new("opensearch.exclude_match", Kind::Matches).default("data.integration=opencti");
    /// Alerts returned per search. Counts come from aggregations and are exact.
    LIMIT = Spec::new("opensearch.limit", Kind::Integer(1, 10_000)).default("50");
    /// Which alerts are returned first.
    ORDER_BY = Spec::new("opensearch.order_by", Kind::Sorts).default("timestamp:desc");
    /// Clauses that replace `search_after`, `include_match` and `exclude_match`.
    FILTER = Spec::new("opensearch.filter", Kind::Clauses);
    /// How long one try of a search may take.
    TIMEOUT = Spec::new("opensearch.timeout", Kind::Interval).default("20 seconds");
}
