//! Digests, alone and in Sysmon's list.

use super::equal::Found;
use super::places::Source;
use super::property::{Of, Property};
use crate::catalogue::HashAlgorithm;
use crate::value;

pub(super) fn digests(property: Property, source: &Source, texts: &[String], found: &mut Found) {
    let algorithm = match property {
        Property::Digest(algorithm, _) => algorithm,
        _ => HashAlgorithm::Imphash,
    };
    // Sysmon lists the hashes of an image and those of other files in the same field.
    found.wider |= matches!(property, Property::Digest(_, Of::Process | Of::Parent));
    let digests = texts.iter().filter(|text| is_digest(algorithm, text));
    match algorithm {
        HashAlgorithm::Ssdeep => found.terms(source, digests.cloned()),
        _ => found.terms(
            source,
            digests.flat_map(|text| [text.clone(), text.to_ascii_lowercase(), text.to_ascii_uppercase()]),
        ),
    }
}

pub(super) fn is_digest(algorithm: HashAlgorithm, text: &str) -> bool {
    value::normalize_hash(algorithm, text).is_some_and(|digest| !value::is_empty_input_digest(&digest))
}

/// Members of Sysmon's list, which names the algorithm of each: `SHA1=…,MD5=…`.
pub(super) fn digests_in_list(
    property: Property,
    algorithm: HashAlgorithm,
    source: &Source,
    texts: &[String],
    found: &mut Found,
) {
    found.wider |= matches!(property, Property::Digest(_, Of::Process | Of::Parent));
    let digests: Vec<String> =
        texts.iter().filter(|text| is_digest(algorithm, text)).map(|text| text.to_ascii_lowercase()).collect();
    let before = member(algorithm);
    found.expressions(source, digests, &before, " *([,;].*)?", true);
}

/// What stands before a digest of an algorithm in a list. One without a name is told by its length.
pub(super) fn member(algorithm: HashAlgorithm) -> String {
    let (label, optional) = match algorithm {
        HashAlgorithm::Md5 => ("MD5", "?"),
        HashAlgorithm::Sha1 => ("SHA1", "?"),
        HashAlgorithm::Sha256 => ("SHA256", "?"),
        HashAlgorithm::Sha512 => ("SHA512", "?"),
        _ => ("IMPHASH", ""),
    };
    format!("(.*[,;])? *({label} *= *){optional}")
}
