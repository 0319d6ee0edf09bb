//! What an operator may want to know while things go on by themselves.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Error;

/// Something happened that the client deals with by itself. `Display` gives one line for a log; it holds no secret.
///
/// The client writes no log: a program turns notices into log lines and counters.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// A connection stands.
    Connected {
        /// To what: `broker (consumer)`, `broker (publisher)`, `live stream`.
        to: &'static str,
    },
    /// A connection is lost or cannot be made, and will be tried again.
    Disconnected {
        /// From what.
        from: &'static str,
        /// Why.
        error: &'a Error,
        /// When it is tried again.
        again_in: Duration,
    },
    /// A request failed and is sent again.
    Retrying {
        /// The name of the operation.
        operation: &'static str,
        /// Why.
        error: &'a Error,
        /// When.
        again_in: Duration,
    },
    /// The platform does not accept the input that suits its version, and got the smallest one instead.
    FellBack {
        /// The name of the operation.
        operation: &'static str,
        /// What the platform said.
        error: &'a Error,
    },
    /// A message or event was dropped because it cannot be read.
    Dropped {
        /// What it was.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// Messages were not confirmed and are sent again.
    SendingAgain {
        /// How many.
        messages: usize,
    },
    /// An event that had been delivered before was left out.
    Repeated,
    /// The life sign failed; the next one is on its way.
    HeartbeatFailed {
        /// Why.
        error: &'a Error,
    },
    /// The connector was registered again, because the platform had forgotten it.
    RegisteredAgain,
}

impl fmt::Display for Notice<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { to } => write!(formatter, "{to}: connected"),
            Self::Disconnected { from, error, again_in } => {
                write!(formatter, "{from}: {error}; next try in {:.1} s", again_in.as_secs_f64())
            }
            Self::Retrying { operation, error, again_in } => {
                write!(formatter, "{operation}: {error}; next try in {:.1} s", again_in.as_secs_f64())
            }
            Self::FellBack { operation, error } => {
                write!(formatter, "{operation}: {error}; sending the smallest input instead")
            }
            Self::Dropped { what, why } => write!(formatter, "{what} dropped: {why}"),
            Self::SendingAgain { messages } => write!(formatter, "{messages} messages not confirmed, sending again"),
            Self::Repeated => write!(formatter, "an event of the live stream came twice"),
            Self::HeartbeatFailed { error } => write!(formatter, "life sign: {error}"),
            Self::RegisteredAgain => write!(formatter, "the connector was registered again"),
        }
    }
}

/// Where notices go. Called from whatever task meets the event, so it must not block.
#[derive(Clone, Default)]
pub struct Notices(Option<Arc<dyn Fn(&Notice<'_>) + Send + Sync>>);

impl Notices {
    /// Calls a function for each notice.
    pub fn to(listener: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Gives one notice to the listener, if there is one.
    pub fn give(&self, notice: &Notice<'_>) {
        if let Some(listener) = &self.0 {
            listener(notice);
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "Notices(listener)" } else { "Notices(none)" })
    }
}
