//! Observables to make identifiers and queries of.

use stix_model::sco::{Directory, DomainName, File, Ipv4Addr, NetworkTraffic, Process, Url};
use stix_model::{Hashes, Object};

use crate::numbers::Numbers;

/// How many objects one run looks at.
pub const COUNT: usize = 1_000;

/// What a builder has to do with an object, which decides how fast it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// One value: an address or a hash.
    Value,
    /// Regular expressions of paths or command lines.
    Expressions,
    /// No figure is required.
    Other,
}

/// Objects of one type.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What they are.
    pub name: &'static str,
    /// What a builder has to do with them.
    pub effort: Effort,
    /// The objects.
    pub objects: Vec<Object>,
    /// What they refer to.
    pub references: Vec<Object>,
    /// Makes their identifiers anew.
    pub identify: fn(&Object) -> Object,
}

fn hashes(numbers: &mut Numbers) -> Hashes {
    let digests =
        [("MD5", numbers.hexadecimal(32)), ("SHA-1", numbers.hexadecimal(40)), ("SHA-256", numbers.hexadecimal(64))];
    digests.into_iter().collect()
}

/// Objects of every measured type.
pub fn samples() -> Vec<Sample> {
    use Effort::{Expressions, Other, Value};
    // Any two objects, so that references resolve.
    let address = Object::from(Ipv4Addr::new("11.22.33.44"));
    let directory = Object::from(Directory::new(r"C:\Users\Public\Downloads"));
    let (address_id, directory_id) = (address.id().clone(), directory.id().clone());
    let mut numbers = Numbers::new(3);
    let mut sample = |name, effort, make: &dyn Fn(&mut Numbers) -> Object, identify| Sample {
        name,
        effort,
        objects: (0..COUNT).map(|_| make(&mut numbers)).collect(),
        references: vec![address.clone(), directory.clone()],
        identify,
    };
    vec![
        sample("ipv4-addr", Value, &|numbers| Ipv4Addr::new(numbers.address()).into(), |object| match object {
            Object::Ipv4Addr(address) => Ipv4Addr::new(address.value.as_str()).into(),
            other => other.clone(),
        }),
        sample("domain-name", Other, &|numbers| DomainName::new(numbers.domain()).into(), |object| match object {
            Object::DomainName(name) => DomainName::new(name.value.as_str()).into(),
            other => other.clone(),
        }),
        sample(
            "url",
            Other,
            &|numbers| {
                Url::new(format!("https://{}/{}?id={}", numbers.domain(), numbers.word(9), numbers.below(99))).into()
            },
            |object| match object {
                Object::Url(url) => Url::new(url.value.as_str()).into(),
                other => other.clone(),
            },
        ),
        sample(
            "file (hashes)",
            Value,
            &|numbers| File { hashes: hashes(numbers), ..File::default() }.identified().into(),
            identify_file,
        ),
        sample(
            "file (name, directory)",
            Expressions,
            &|numbers| {
                let name = Some(format!("{}.exe", numbers.word(8)));
                File { name, parent_directory_ref: Some(directory_id.clone()), ..File::default() }.identified().into()
            },
            identify_file,
        ),
        sample(
            "file (path)",
            Expressions,
            &|numbers| {
                let name = Some(format!(r"C:\Users\{}\AppData\Local\Temp\{}.exe", numbers.word(6), numbers.word(8)));
                File { name, ..File::default() }.identified().into()
            },
            identify_file,
        ),
        sample(
            "process",
            Expressions,
            &|numbers| {
                let command_line = format!(
                    r#""C:\Windows\System32\{}.exe" /c copy "C:\Temp\{}" \\host\share$ -opt {}"#,
                    numbers.word(7),
                    numbers.word(9),
                    numbers.word(5),
                );
                Process { command_line: Some(command_line), ..Process::default() }.identified().into()
            },
            |object| match object {
                Object::Process(process) => process.clone().identified().into(),
                other => other.clone(),
            },
        ),
        sample(
            "network-traffic",
            Other,
            &|numbers| {
                NetworkTraffic {
                    dst_ref: Some(address_id.clone()),
                    src_port: Some(1_024 + i64::try_from(numbers.below(60_000)).unwrap_or_default()),
                    dst_port: Some(443),
                    protocols: vec!["ipv4".to_owned(), "tcp".to_owned()],
                    ..NetworkTraffic::default()
                }
                .identified()
                .into()
            },
            |object| match object {
                Object::NetworkTraffic(traffic) => traffic.clone().identified().into(),
                other => other.clone(),
            },
        ),
    ]
}

fn identify_file(object: &Object) -> Object {
    match object {
        Object::File(file) => file.clone().identified().into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wazuh_query::builder::QueryBuilder;
    use wazuh_query::catalogue::{Catalogue, Schema};
    use wazuh_query::options::SearchOptions;

    #[test]
    fn every_object_is_searched_and_keeps_its_identifier() {
        let builder = QueryBuilder::new(&Catalogue::builtin(), Schema::Wazuh4, SearchOptions::default());
        for Sample { name, objects, references, identify, .. } in samples() {
            for object in &objects {
                assert_eq!(&identify(object), object);
                let built = builder.build(object, references.as_slice());
                assert!(built.is_ok(), "{name}: {built:?}");
            }
        }
    }
}
