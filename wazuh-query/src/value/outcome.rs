//! What became of a connection or a request, in the words of products.

use crate::catalogue::Tells;

/// What became of a connection or a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It went through.
    Allowed,
    /// It was stopped.
    Blocked,
}

const BLOCKED: &[&str] = &[
    "block",
    "blocked",
    "deny",
    "denied",
    "discard",
    "discarded",
    "drop",
    "dropped",
    "prevented",
    "quarantined",
    "refused",
    "reject",
    "rejected",
    "reset",
    "sinkhole",
    "sinkholed",
];
const ALLOWED: &[&str] =
    &["accept", "accepted", "allow", "allowed", "close", "pass", "passed", "passthrough", "permit", "permitted"];
/// The filtering platform of Windows: packets, connections, binding, listening.
const BLOCKED_EVENTS: &[&str] = &["5152", "5153", "5155", "5157", "5159"];
const ALLOWED_EVENTS: &[&str] = &["5154", "5156", "5158"];
/// Groups that the stock rules for firewalls have.
const BLOCKED_GROUPS: &[&str] = &["firewall_drop", "firewall_block"];

impl Outcome {
    /// The word that events have for it: `allowed`, `blocked`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Blocked => "blocked",
        }
    }

    /// Reads the text of a field that tells it. Most texts of such fields say something else.
    ///
    /// ```
    /// use wazuh_query::catalogue::Tells;
    /// use wazuh_query::value::Outcome;
    ///
    /// assert_eq!(Outcome::read(Tells::Outcome, "reset-both"), Some(Outcome::Blocked));
    /// assert_eq!(Outcome::read(Tells::OutcomeByEvent, "5156"), Some(Outcome::Allowed));
    /// assert_eq!(Outcome::read(Tells::Outcome, "login"), None);
    /// ```
    pub fn read(tells: Tells, text: &str) -> Option<Self> {
        match tells {
            Tells::Outcome => of_words(text),
            Tells::OutcomeByEvent if BLOCKED_EVENTS.contains(&text) => Some(Self::Blocked),
            Tells::OutcomeByEvent if ALLOWED_EVENTS.contains(&text) => Some(Self::Allowed),
            Tells::OutcomeByGroup if BLOCKED_GROUPS.contains(&text) => Some(Self::Blocked),
            _ => None,
        }
    }
}

/// Reads the words of a product: `Blocked`, `reset-both`, `not allowed`.
fn of_words(text: &str) -> Option<Outcome> {
    let words = || text.split(|char: char| !char.is_ascii_alphanumeric());
    let has = |known: &[&str]| words().any(|word| known.iter().any(|known| word.eq_ignore_ascii_case(known)));
    if has(BLOCKED) {
        return Some(Outcome::Blocked);
    }
    match (has(ALLOWED), has(&["not"])) {
        (true, true) => Some(Outcome::Blocked),
        (true, false) => Some(Outcome::Allowed),
        (false, _) => None,
    }
}
