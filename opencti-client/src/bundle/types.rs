//! The types that the platform's own splitter accepts.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Types of STIX, of the platform, and of what the platform keeps for itself.
const TYPES: &str = "attack-pattern campaign case-incident x-opencti-case-incident case-rfi x-opencti-case-rfi case-rft \
    x-opencti-case-rft channel course-of-action data-component x-mitre-data-component data-source x-mitre-data-source \
    event external-reference feedback grouping identity incident indicator infrastructure intrusion-set \
    kill-chain-phase label language location malware malware-analysis marking-definition narrative note observed-data \
    opinion report security-coverage security-coverage-result task x-opencti-task threat-actor tool vocabulary \
    vulnerability relationship sighting pir user group capability role settings extension-definition";

const OBSERVABLES: &str = "artifact autonomous-system directory domain-name email-addr email-message \
    email-mime-part-type file ipv4-addr ipv6-addr mac-addr mutex network-traffic process software url user-account \
    windows-registry-key windows-registry-value-type x509-certificate ai-prompt bank-account credential \
    cryptocurrency-wallet cryptographic-key hostname iccid imei imsi media-content payment-card persona phone-number \
    simple-observable ssh-key text tracking-number user-agent";

static ACCEPTED: LazyLock<HashSet<&str>> =
    LazyLock::new(|| TYPES.split_whitespace().chain(OBSERVABLES.split_whitespace()).collect());

/// Whether objects of a type are imported.
pub fn is_accepted_type(object_type: &str) -> bool {
    ACCEPTED.contains(object_type)
}

/// Whether what a reference points to can be imported. A text without `--` is taken for an internal identifier.
pub(super) fn is_accepted_reference(reference: &str) -> bool {
    reference.split_once("--").is_none_or(|(object_type, _)| is_accepted_type(object_type))
}
