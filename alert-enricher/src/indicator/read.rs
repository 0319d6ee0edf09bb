//! Indicators out of STIX objects, lists and tables.

use stix_model::sdo::Indicator as StixIndicator;
use stix_model::{Identifier, Object, Timestamp};
use wazuh_query::pattern_type::PatternType;

use super::kind::{Key, Kind, keys_of_object};
use super::list::{recognise, refang};
use super::pattern::keys_of_pattern;
use super::set::{IndicatorId, IndicatorSet};

/// What is known about an indicator beside its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Indicator {
    /// The identifier of the indicator or observable; that of the value itself where a list named nothing else.
    pub id: Identifier,
    /// Its name or description, if it says more than the value.
    pub name: Option<Box<str>>,
    /// Until when it is valid.
    pub valid_until: Option<Timestamp>,
    /// Its score, 0 to 100.
    pub score: Option<u8>,
}

/// Something that could not be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What it is: an identifier, or a value.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Collects indicators from any number of sources into one set.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    set: IndicatorSet,
    indicators: Vec<Indicator>,
    skipped: Vec<Skipped>,
}

impl Reader {
    /// Takes a STIX object in: an indicator by its pattern, an observable by its values. Other objects are passed
    /// over.
    pub fn object(&mut self, object: &Object) {
        if let Object::Indicator(indicator) = object {
            return self.indicator(indicator);
        }
        let keys = keys_of_object(object);
        if keys.is_empty() {
            if object.is_observable() {
                self.skip(object.id(), "alerts hold no such value");
            }
            return;
        }
        let score = object.opencti().score().and_then(|score| u8::try_from(score).ok());
        let indicator = Indicator { id: object.id().clone(), name: None, valid_until: None, score };
        self.push(indicator, &keys);
    }

    fn indicator(&mut self, indicator: &StixIndicator) {
        let id = &indicator.common.id;
        if indicator.common.revoked == Some(true) {
            return self.skip(id, "revoked");
        }
        let pattern_type = PatternType::read(&indicator.pattern_type);
        if let Some(reason) = pattern_type.not_searchable() {
            return self.skip(id, &reason.to_string());
        }
        if pattern_type != PatternType::Stix {
            return self.skip(id, &format!("a rule of type `{pattern_type}` is no list of values to look for"));
        }
        let keys = match keys_of_pattern(&indicator.pattern) {
            Ok(keys) => keys,
            Err(error) => return self.skip(id, &error.to_string()),
        };
        let score = Object::from(indicator.clone()).opencti().score().and_then(|score| u8::try_from(score).ok());
        let name = indicator.name.as_deref().filter(|name| !keys.iter().any(|key| key.to_string() == *name));
        let entry = Indicator { id: id.clone(), name: name.map(Box::from), valid_until: indicator.valid_until, score };
        self.push(entry, &keys);
    }

    /// Takes one line of a plain list in. Empty lines and what follows a `#` are passed over.
    pub fn line(&mut self, line: &str) {
        let line = line.trim_start_matches('\u{feff}').trim();
        // A `#` inside a URL belongs to it.
        let value = if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or(line).trim() };
        if !value.is_empty() {
            self.value(value, None, None, None);
        }
    }

    /// Takes a plain value in, with the kind, description and score that a table gives.
    pub fn value(&mut self, value: &str, kind: Option<&str>, name: Option<&str>, score: Option<u8>) {
        let named = kind.and_then(kind_of_name).and_then(|kind| Key::new(kind, &refang(value)));
        let key = match named.map_or_else(|| recognise(value), Ok) {
            Ok(key) => key,
            Err(error) => {
                let why = error.to_string();
                self.skipped.push(Skipped { what: value.chars().take(80).collect(), why });
                return;
            }
        };
        let name = name.map(str::trim).filter(|name| !name.is_empty()).map(Box::from);
        let indicator = Indicator { id: key.to_object().id().clone(), name, valid_until: None, score };
        self.push(indicator, &[key]);
    }

    fn push(&mut self, indicator: Indicator, keys: &[Key]) {
        let Ok(place) = u32::try_from(self.indicators.len()) else { return };
        let mut taken = false;
        for key in keys {
            taken |= self.set.insert(IndicatorId(place), key);
        }
        if taken {
            self.indicators.push(indicator);
        } else {
            self.skip(&indicator.id, "its value is too long");
        }
    }

    fn skip(&mut self, id: &Identifier, why: &str) {
        self.skipped.push(Skipped { what: id.to_string(), why: why.to_owned() });
    }

    /// Notes something of a source that could not be read.
    pub fn skip_source(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.skipped.push(Skipped { what: what.into(), why: why.into() });
    }

    /// How many indicators there are.
    pub fn len(&self) -> usize {
        self.indicators.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.indicators.is_empty()
    }

    /// The set, what is known about its indicators in the order of their numbers, and what could not be used.
    pub fn finish(self) -> (IndicatorSet, Vec<Indicator>, Vec<Skipped>) {
        (self.set, self.indicators, self.skipped)
    }
}

/// The kind that a column of a table names: STIX types, OpenCTI's types, everyday names.
fn kind_of_name(name: &str) -> Option<Kind> {
    let folded: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    Some(match folded.to_ascii_lowercase().as_str() {
        "ipv4addr" | "ipv6addr" | "ipv4" | "ipv6" | "ip" | "ipaddress" | "address" | "cidr" | "ipsrc" | "ipdst" => {
            Kind::Address
        }
        "domainname" | "domain" | "hostname" | "host" | "fqdn" => Kind::Domain,
        "url" | "uri" | "link" => Kind::Url,
        "emailaddr" | "email" | "emailaddress" | "emailsrc" => Kind::Email,
        "md5" | "filehashmd5" => Kind::Md5,
        "sha1" | "filehashsha1" => Kind::Sha1,
        "sha256" | "filehashsha256" => Kind::Sha256,
        "sha512" | "filehashsha512" => Kind::Sha512,
        "ssdeep" => Kind::Ssdeep,
        "macaddr" | "mac" | "macaddress" => Kind::Mac,
        "filename" | "filepath" | "path" => Kind::File,
        "directory" => Kind::Directory,
        "windowsregistrykey" | "registrykey" | "regkey" | "registry" => Kind::RegistryKey,
        "mutex" => Kind::Mutex,
        "useragent" => Kind::UserAgent,
        "useraccount" | "account" | "user" => Kind::UserAccount,
        "autonomoussystem" | "asn" | "as" => Kind::Asn,
        "vulnerability" | "cve" => Kind::Vulnerability,
        "emailsubject" | "subject" => Kind::EmailSubject,
        "x509fingerprint" | "certificate" | "x509certificate" => Kind::CertificateFingerprint,
        "text" => Kind::Text,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let mut reader = Reader::default();
        for line in ["# comment", "", "203[.]0[.]113[.]66  # scanner", "http://evil.example/#frag", "nonsense"] {
            reader.line(line);
        }
        let (set, indicators, skipped) = reader.finish();
        assert_eq!((set.len(), indicators.len(), skipped.len()), (2, 2, 1));
        assert_eq!(indicators[0].id.object_type(), "ipv4-addr");
        assert_eq!(skipped[0].what, "nonsense");
    }

    #[test]
    fn tables_name_the_kind() {
        let mut reader = Reader::default();
        reader.value("support.zip", Some("domain-name"), Some("phishing"), Some(80));
        reader.value("support.zip", None, None, None);
        let (set, indicators, _) = reader.finish();
        let kinds: Vec<_> = set.keys().map(|(_, key)| key.kind()).collect();
        assert_eq!(kinds, [Kind::Domain, Kind::File]);
        assert_eq!(indicators[0].name.as_deref(), Some("phishing"));
    }
}
