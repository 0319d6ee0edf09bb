//! What goes wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Something that goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The answer comes late.
    Slow(Duration),
    /// The answer never comes.
    Hang,
    /// Another status, with a text.
    Status(u16, String),
    /// 429 with the wish to be asked again after some seconds.
    TooMany(u64),
    /// 200 with a page.
    Html,
    /// 200 with an error of a code.
    Error(String, String),
    /// Half of the answer, then the connection is cut.
    Truncated,
    /// Half of the answer as if it were the whole.
    Half,
    /// The connection is cut before anything is done.
    Cut,
    /// The request is carried out, and the connection is cut before the answer.
    LostAnswer,
    /// A redirection.
    Redirect(String),
}

impl Fault {
    /// 200 with an error of a code.
    pub fn error(code: &str, message: &str) -> Self {
        Self::Error(code.to_owned(), message.to_owned())
    }
}

/// What goes wrong with the next requests.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<VecDeque<Planned>>>);

#[derive(Debug)]
struct Planned {
    operation: Option<String>,
    /// How often yet; `None` is for ever.
    times: Option<usize>,
    fault: Fault,
}

impl Faults {
    /// The next request fails.
    pub fn next(&self, fault: Fault) -> &Self {
        self.times(1, fault)
    }

    /// Some requests fail.
    pub fn times(&self, times: usize, fault: Fault) -> &Self {
        self.plan(None, Some(times), fault)
    }

    /// All requests fail until [`Faults::clear`].
    pub fn always(&self, fault: Fault) -> &Self {
        self.plan(None, None, fault)
    }

    /// The next request for an operation fails, by the name in its document.
    pub fn on(&self, operation: &str, fault: Fault) -> &Self {
        self.plan(Some(operation.to_owned()), Some(1), fault)
    }

    /// All requests for an operation fail until [`Faults::clear`].
    pub fn always_on(&self, operation: &str, fault: Fault) -> &Self {
        self.plan(Some(operation.to_owned()), None, fault)
    }

    /// Nothing fails any more.
    pub fn clear(&self) -> &Self {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self
    }

    fn plan(&self, operation: Option<String>, times: Option<usize>, fault: Fault) -> &Self {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(Planned { operation, times, fault });
        self
    }

    /// What goes wrong with a request for an operation.
    pub(super) fn take(&self, operation: &str) -> Option<Fault> {
        let mut planned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = planned
            .iter()
            .position(|plan| plan.operation.as_deref().is_none_or(|name| name == operation) && plan.times != Some(0))?;
        let plan = &mut planned[place];
        let fault = plan.fault.clone();
        if let Some(times) = &mut plan.times {
            *times -= 1;
            if *times == 0 {
                planned.remove(place);
            }
        }
        Some(fault)
    }
}
