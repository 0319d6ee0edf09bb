//! Software, vulnerabilities, certificates, autonomous systems, mutexes, texts, agents.

use stix_model::sco::{AutonomousSystem, Software, X509Certificate};
use stix_model::sdo::Identity;

use super::name::folded_clauses;
use super::{Draft, NotSearchable, Query, QueryBuilder, required};
use crate::dsl::{Clause, limits};
use crate::regexp::escape_backslashes;

impl QueryBuilder {
    /// A package: name and version, or its CPE.
    pub(super) fn software(&self, software: &Software) -> Draft {
        let given =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let mut queries = Vec::new();
        let name = software.name.trim();
        if !name.is_empty() {
            let mut all = Self::folded(&self.fields.software_name, [name.to_owned()]);
            if let Some(version) = given(&software.version) {
                all.push(Self::exact(&self.fields.software_version, [version]));
            }
            queries.push(Query::all(all));
        }
        if let Some(cpe) = given(&software.cpe) {
            queries.extend(Self::folded(&self.fields.cpe, [cpe]));
        }
        if queries.is_empty() { Err(NotSearchable::Missing("name and no cpe")) } else { Ok(queries) }
    }

    /// A vulnerability by its identifier.
    pub(super) fn vulnerability(&self, name: &str) -> Draft {
        Ok(vec![Self::either_case(&self.fields.vulnerability, required(name, "name")?)])
    }

    /// A certificate: by fingerprint, else serial number, else subject and issuer.
    pub(super) fn certificate(&self, certificate: &X509Certificate) -> Draft {
        let mut queries = Vec::new();
        for (_, digest) in certificate.hashes.iter() {
            let digest = digest.replace(':', "");
            let digest = digest.trim();
            if !digest.is_empty() && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let spellings = with_colons(digest);
                queries.extend(spellings.map(|text| Self::either_case(&self.fields.certificate_fingerprint, &text)));
            }
        }
        let given =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        if let Some(serial) = given(&certificate.serial_number) {
            let serial = serial.replace(':', "");
            let spellings = with_colons(&serial);
            queries.extend(spellings.map(|text| Self::either_case(&self.fields.certificate_serial, &text)));
        }
        if queries.is_empty()
            && let Some(subject) = given(&certificate.subject)
        {
            let mut all = vec![Self::exact(&self.fields.certificate_subject, [subject])];
            if let Some(issuer) = given(&certificate.issuer) {
                all.push(Self::exact(&self.fields.certificate_issuer, [issuer]));
            }
            queries.push(Query::all(all));
        }
        if queries.is_empty() { Err(NotSearchable::Missing("hash, serial number or subject")) } else { Ok(queries) }
    }

    /// An autonomous system by its number.
    pub(super) fn autonomous_system(&self, system: &AutonomousSystem) -> Vec<Query> {
        let number = system.number.to_string();
        let mut queries = vec![
            Query::any_field(&self.fields.asn_number, Clause::term(number.clone())),
            Self::exact(&self.fields.asn_text, [number.clone()]),
        ];
        // Where the first alert of an index had a number, the index maps the field as one, and a term with letters
        // fails the whole search. Only a match can be told to pass over such fields.
        let text = format!("AS{number}");
        queries.extend(self.fields.asn_text.iter().map(|field| {
            Query::Raw(Box::new(serde_json::json!({"match": {field: {"query": text.as_str(), "lenient": true}}})))
        }));
        queries
    }

    /// A mutex by its name, with or without the directory of kernel objects.
    pub(super) fn mutex(&self, name: &str) -> Draft {
        let name = required(name, "name")?;
        let expression = format!(r"(\\+.*\\+)?{}", escape_backslashes(name));
        if expression.chars().count() > limits::REGEXP_CHARS {
            let limit = limits::REGEXP_CHARS;
            return Err(NotSearchable::TooLong { value: super::reason::shown(name), limit });
        }
        Ok(vec![Self::regexp(&self.fields.object_name, expression, true)])
    }

    /// A text, in the fields of free-standing names.
    pub(super) fn text(&self, value: &str) -> Draft {
        let value = required(value, "value")?;
        if value.len() > limits::TERM_BYTES {
            return Err(NotSearchable::TooLong { value: super::reason::shown(value), limit: limits::TERM_BYTES });
        }
        let notations = folded_clauses(value);
        Ok(notations.map(|clause| Query::any_field(&self.fields.text, clause)).collect())
    }

    /// The system of an agent: by the agent's name or number. Other identities do not occur in alerts.
    pub(super) fn identity(&self, identity: &Identity) -> Draft {
        if identity.identity_class.as_deref() != Some("system") {
            return Err(NotSearchable::Type(format!(
                "identity of class {}",
                identity.identity_class.as_deref().unwrap_or("unknown")
            )));
        }
        let name = required(&identity.name, "name")?;
        let mut queries = Self::folded(&self.fields.agent_host, [name.to_owned()]);
        if name.len() >= 3 && name.bytes().all(|byte| byte.is_ascii_digit()) {
            queries.push(Self::exact(&self.fields.agent_id, [name.to_owned()]));
        }
        Ok(queries)
    }
}

/// Hexadecimal digits as they are, and with a colon after every second one.
fn with_colons(digits: &str) -> [String; 2] {
    let mut colons = String::with_capacity(digits.len() * 3 / 2);
    for (place, char) in digits.chars().enumerate() {
        if place > 0 && place % 2 == 0 {
            colons.push(':');
        }
        colons.push(char);
    }
    [digits.to_owned(), colons]
}
