//! How the hits of the queries decide the whole pattern.

use serde_json::{Value, json};
use stix_model::Timestamp;
use stix_model::pattern::{ObservationExpression, ObservationOperator, QualifierKind, Span};

/// Between which alerts a pattern with several observations is evaluated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Between the alerts of all agents.
    AcrossAgents,
    /// Between the alerts of one agent at a time.
    #[default]
    PerAgent,
}

impl Scope {
    /// The name in output and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::AcrossAgents => "across-agents",
            Self::PerAgent => "per-agent",
        }
    }
}

/// How observations decide a pattern. The numbers are places in
/// [`Translation::observations`](super::Translation::observations).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Plan {
    /// An alert satisfies this observation.
    Observation(usize),
    /// All of these, by different alerts.
    All(Vec<Plan>),
    /// Any of these.
    Any(Vec<Plan>),
    /// All of these, by different alerts, none before the one that is written before it.
    InOrder(Vec<Plan>),
    /// The alerts lie within so many seconds.
    Within {
        /// The seconds.
        seconds: f64,
        /// Which alerts.
        of: Box<Plan>,
    },
    /// So many times, each time by other alerts.
    Repeats {
        /// How many times.
        times: u64,
        /// What.
        of: Box<Plan>,
    },
    /// The alerts were raised from `start` on and before `stop`. The queries ask for nothing else.
    During {
        /// The first moment that counts.
        start: Timestamp,
        /// The first moment that does not count any more.
        stop: Timestamp,
        /// Which alerts.
        of: Box<Plan>,
    },
}

impl Plan {
    /// The plan for an expression whose first observation has the number `next`, which is counted on.
    pub(super) fn new(expression: &ObservationExpression, next: &mut usize) -> Self {
        match expression {
            ObservationExpression::Observation { .. } => {
                *next += 1;
                Self::Observation(*next - 1)
            }
            ObservationExpression::Combined { operator, operands, .. } => {
                let parts = operands.iter().map(|operand| Self::new(operand, next)).collect();
                match operator {
                    ObservationOperator::And => Self::All(parts),
                    ObservationOperator::Or => Self::Any(parts),
                    ObservationOperator::FollowedBy => Self::InOrder(parts),
                }
            }
            ObservationExpression::Qualified { expression, qualifier, .. } => {
                let of = Box::new(Self::new(expression, next));
                match qualifier.kind {
                    QualifierKind::Within { seconds } => Self::Within { seconds, of },
                    QualifierKind::Repeats { times } => Self::Repeats { times, of },
                    QualifierKind::StartStop { start, stop } => Self::During { start, stop, of },
                }
            }
        }
    }

    /// Whether one alert is enough wherever something is satisfied at all.
    pub fn is_single(&self) -> bool {
        match self {
            Self::Observation(_) => true,
            Self::Any(parts) => parts.iter().all(Self::is_single),
            Self::All(_) | Self::InOrder(_) => false,
            Self::Within { of, .. } | Self::During { of, .. } => of.is_single(),
            Self::Repeats { times, of } => *times <= 1 && of.is_single(),
        }
    }

    /// The observations without which nothing is satisfied, in order: when one of their queries finds nothing, the
    /// others need not be asked.
    pub fn required(&self) -> Vec<usize> {
        let mut required = match self {
            Self::Observation(place) => vec![*place],
            Self::All(parts) | Self::InOrder(parts) => parts.iter().flat_map(Self::required).collect(),
            Self::Any(parts) => match <&[Self; 1]>::try_from(parts.as_slice()) {
                Ok([one]) => one.required(),
                Err(_) => Vec::new(),
            },
            Self::Within { of, .. } | Self::Repeats { of, .. } | Self::During { of, .. } => of.required(),
        };
        required.sort_unstable();
        required.dedup();
        required
    }

    /// As JSON: `{"all": [0, {"within": {"seconds": 60.0, "of": 1}}]}`.
    pub fn to_value(&self) -> Value {
        let list = |parts: &[Self]| parts.iter().map(Self::to_value).collect::<Vec<_>>();
        match self {
            Self::Observation(place) => json!(place),
            Self::All(parts) => json!({"all": list(parts)}),
            Self::Any(parts) => json!({"any": list(parts)}),
            Self::InOrder(parts) => json!({"in_order": list(parts)}),
            Self::Within { seconds, of } => json!({"within": {"seconds": seconds, "of": of.to_value()}}),
            Self::Repeats { times, of } => json!({"repeats": {"times": times, "of": of.to_value()}}),
            Self::During { start, stop, of } => {
                json!({"during": {"start": start.to_string(), "stop": stop.to_string(), "of": of.to_value()}})
            }
        }
    }
}

/// What can be said from the alerts about whether a pattern was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decides {
    /// What the queries find is what was seen.
    Exactly,
    /// What the queries find has to be verified; what is left was seen, and nothing else was.
    AfterVerification,
    /// What was verified was seen. Where nothing is found, these parts may still have been: alerts say nothing of them.
    PositivesOnly(Vec<Span>),
    /// Nothing: these parts are needed, and alerts say nothing of them.
    NotWithout(Vec<Span>),
}

impl Decides {
    /// A name for output that programs read.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exactly => "exactly",
            Self::AfterVerification => "after-verification",
            Self::PositivesOnly(_) => "positives-only",
            Self::NotWithout(_) => "not-without",
        }
    }

    /// The parts of which alerts say nothing.
    pub fn unknown(&self) -> &[Span] {
        match self {
            Self::Exactly | Self::AfterVerification => &[],
            Self::PositivesOnly(spans) | Self::NotWithout(spans) => spans,
        }
    }

    /// Whether a hit can be verified at all.
    pub fn is_decidable(&self) -> bool {
        !matches!(self, Self::NotWithout(_))
    }

    /// What can be said of all of several parts.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>, exact: bool) -> Self {
        let (mut needed, mut unknown) = (Vec::new(), Vec::new());
        let mut exact = exact;
        for part in parts {
            exact &= part == Self::Exactly;
            match part {
                Self::NotWithout(spans) => needed.extend(spans),
                Self::PositivesOnly(spans) => unknown.extend(spans),
                Self::Exactly | Self::AfterVerification => {}
            }
        }
        if !needed.is_empty() {
            Self::NotWithout(needed)
        } else if !unknown.is_empty() {
            Self::PositivesOnly(unknown)
        } else if exact {
            Self::Exactly
        } else {
            Self::AfterVerification
        }
    }

    /// What can be said of any of several parts.
    pub(super) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        let (mut decidable, mut exact, mut unknown) = (false, true, Vec::new());
        for part in parts {
            exact &= part == Self::Exactly;
            decidable |= part.is_decidable();
            unknown.extend_from_slice(part.unknown());
        }
        match (decidable, unknown.is_empty()) {
            (false, _) => Self::NotWithout(unknown),
            (true, false) => Self::PositivesOnly(unknown),
            (true, true) if exact => Self::Exactly,
            (true, true) => Self::AfterVerification,
        }
    }
}
