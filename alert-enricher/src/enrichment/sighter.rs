//! Where something was seen: agents, accounts at cloud services, the SIEM itself.

use stix_model::Timestamp;
use stix_model::sdo::Identity;
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::{Catalogue, Field, Role};

use super::markdown::{Table, cell_code, one_line};
use super::options::EnrichmentOptions;

/// Where something was seen. The order is that of output.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sighter {
    /// The SIEM: the manager itself, events without an agent, and everything if agents are no systems of their own.
    Siem,
    /// An agent, by its name: numbers repeat in every cluster, and change when an agent is enrolled again.
    Agent(String),
    /// An account at a service: the service's name in the catalogue, and the account.
    Account(String, String),
}

/// What an alert or a bucket says about where it is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The agent's number.
    pub agent_id: Option<&'a str>,
    /// The agent's name.
    pub agent_name: Option<&'a str>,
    /// The service and the account, organisation, project or tenant.
    pub account: Option<(&'a str, &'a str)>,
}

impl<'a> Origin<'a> {
    /// The origin of an alert.
    pub fn of(alert: &'a Alert<'_>, catalogue: &'a Catalogue) -> Self {
        // The catalogue lists the more telling field first.
        let accounts = alert.leaves.iter().filter(|leaf| catalogue.field(leaf.field).role == Role::Tenant);
        let account = accounts.filter(|leaf| !leaf.text.trim().is_empty()).min_by_key(|leaf| leaf.field);
        Self {
            agent_id: alert.agent.id.as_deref(),
            agent_name: alert.agent.name.as_deref(),
            account: account.map(|leaf| (&*catalogue.field(leaf.field).decoder, &*leaf.text)),
        }
    }
}

impl Sighter {
    /// Where something was seen. An account comes before the agent that only fetched its log.
    pub fn new(origin: Origin<'_>, options: &EnrichmentOptions) -> Self {
        if !options.agents_as_systems {
            return Self::Siem;
        }
        let counts = |service: &str| options.account_sighters.as_ref().is_none_or(|wanted| wanted.contains(service));
        if let Some((service, account)) = origin.account.filter(|(service, _)| counts(service)) {
            return Self::Account(service.to_owned(), one_line(account.trim()).into_owned());
        }
        let id = origin.agent_id.map(str::trim).unwrap_or_default();
        let name = origin.agent_name.map(str::trim).unwrap_or_default();
        // The manager's own number is 0, however many digits it is written with.
        if id.parse() == Ok(0_u64) || (id.is_empty() && name.is_empty()) {
            return Self::Siem;
        }
        let name = if name.is_empty() { format!("agent {id}") } else { one_line(name).into_owned() };
        Self::Agent(match &options.cluster_name {
            Some(cluster) => format!("{name} ({cluster})"),
            None => name,
        })
    }

    /// Its name.
    pub fn name<'a>(&'a self, options: &'a EnrichmentOptions) -> std::borrow::Cow<'a, str> {
        match self {
            Self::Siem => options.system_name.as_str().into(),
            Self::Agent(name) => name.as_str().into(),
            Self::Account(service, account) => {
                let kind = match service.as_str() {
                    "aws" => "AWS account",
                    "github" => "GitHub organisation",
                    "office365" => "Office 365 tenant",
                    "ms-graph" => "Microsoft tenant",
                    "gcp" => "Google Cloud project",
                    other => return format!("{other} {account}").into(),
                };
                format!("{kind} {account}").into()
            }
        }
    }

    /// Its identity. The identifier follows from the name, as the platform computes it.
    pub fn identity(&self, options: &EnrichmentOptions, agent_ids: &[&str]) -> Identity {
        let mut identity = Identity::new(self.name(options), "system", identity_time());
        match self {
            Self::Siem => {}
            Self::Agent(_) => {
                let mut table = Table::new(&["Key", "Value"]);
                for id in agent_ids {
                    table.row(&["Agent ID", &cell_code(id)]);
                }
                if let Some(cluster) = &options.cluster_name {
                    table.row(&["Cluster", &cell_code(cluster)]);
                }
                if !agent_ids.is_empty() || options.cluster_name.is_some() {
                    identity.description = Some(table.finish());
                }
            }
            Self::Account(service, account) => {
                let mut table = Table::new(&["Key", "Value"]);
                table.row(&["Service", &cell_code(service)]).row(&["Account", &cell_code(account)]);
                identity.description = Some(table.finish());
            }
        }
        identity
    }
}

/// When identities say that they were made. The platform keeps the earliest time that it was told, so a time that differs
/// from run to run would change the same identities again and again.
pub(crate) fn identity_time() -> Timestamp {
    // 2020-01-01.
    Timestamp::from_unix_millis(1_577_836_800_000).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The fields that hold accounts at services, in the order of their say.
pub(crate) fn account_fields(
    catalogue: &Catalogue,
    schema: wazuh_query::catalogue::Schema,
) -> impl Iterator<Item = &Field> {
    catalogue.select(schema, |field| field.role == Role::Tenant)
}

#[cfg(test)]
mod tests {
    use stix_model::Tlp;

    use super::*;

    fn options() -> EnrichmentOptions {
        EnrichmentOptions::new(Tlp::Amber, "https://siem.example.org")
    }

    fn sighter(alert: &str, options: &EnrichmentOptions) -> Sighter {
        let catalogue = Catalogue::builtin();
        let alert = Alert::read(alert, &catalogue).unwrap();
        Sighter::new(Origin::of(&alert, &catalogue), options)
    }

    /// Row 1 of section 16, and 17.6: accounts are sighters.
    #[test]
    fn every_kind_of_place() {
        let siem = r#""agent":{"id":"000","name":"wazuh-manager"}"#;
        for (alert, name) in [
            (format!(r#"{{"rule":{{}},{siem}}}"#), "Wazuh SIEM"),
            (r#"{"rule":{"id":"1"}}"#.to_owned(), "Wazuh SIEM"),
            (r#"{"agent":{"id":"007","name":"web01"}}"#.to_owned(), "web01"),
            (r#"{"agent":{"id":"007"}}"#.to_owned(), "agent 007"),
            (r#"{"wazuh":{"agent":{"id":"2f6b7c1e","name":"db"},"rule":{"id":"x"}}}"#.to_owned(), "db"),
            (
                format!(r#"{{{siem},"data":{{"aws":{{"recipientAccountId":"123456789012","aws_account_id":"1"}}}}}}"#),
                "AWS account 1",
            ),
            (format!(r#"{{{siem},"data":{{"github":{{"org":"example"}}}}}}"#), "GitHub organisation example"),
            (
                format!(r#"{{{siem},"data":{{"office365":{{"OrganizationId":"b3c1b5fc"}}}}}}"#),
                "Office 365 tenant b3c1b5fc",
            ),
            (
                r#"{"agent":{"id":"007"},"data":{"gcp":{"resource":{"labels":{"project_id":"p"}}}}}"#.to_owned(),
                "Google Cloud project p",
            ),
        ] {
            assert_eq!(sighter(&alert, &options()).name(&options()), name, "{alert}");
            let together = EnrichmentOptions { agents_as_systems: false, ..options() };
            assert_eq!(sighter(&alert, &together), Sighter::Siem);
        }
    }

    #[test]
    fn accounts_that_do_not_count_leave_it_to_the_agent() {
        let options = EnrichmentOptions { account_sighters: Some(["aws".to_owned()].into()), ..options() };
        let name = |data: &str, agent: &str| {
            let alert = format!(r#"{{"agent":{{"id":"{agent}","name":"web01"}},"data":{data}}}"#);
            sighter(&alert, &options).name(&options).into_owned()
        };
        assert_eq!(name(r#"{"aws":{"aws_account_id":"1"}}"#, "000"), "AWS account 1");
        assert_eq!(name(r#"{"github":{"org":"example"}}"#, "007"), "web01");
        assert_eq!(name(r#"{"github":{"org":"example"}}"#, "000"), "Wazuh SIEM");
    }

    /// B-40: agents of the same number in two clusters are two systems, and the identifier is the platform's.
    #[test]
    fn b_40_agents_are_known_by_name_and_cluster() {
        let alert = r#"{"agent":{"id":"001","name":"web01"}}"#;
        let one = sighter(alert, &options());
        let identity = one.identity(&options(), &["001"]);
        assert_eq!(identity.id().to_string(), "identity--a969c159-20c1-573e-90a7-d6dd142a6fe7");
        let clustered = EnrichmentOptions { cluster_name: Some("north".to_owned()), ..options() };
        let other = sighter(alert, &clustered).identity(&clustered, &["001"]);
        assert_eq!(other.name, "web01 (north)");
        assert_ne!(other.id(), identity.id());
        let siem = Sighter::Siem.identity(&options(), &[]);
        assert_eq!(siem.id().to_string(), "identity--c21dcd8f-6834-5438-a7b7-0dbfe7350bd6");
    }
}
