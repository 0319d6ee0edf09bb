//! The life sign as a task of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{ConnectorApi, ConnectorInfo, ConnectorState, Error, ErrorKind, Notice, Notices, Registered, Registration};

/// What a life sign brought about.
#[derive(Debug)]
#[non_exhaustive]
pub enum Beat {
    /// The platform agrees with the state.
    Steady,
    /// The platform has another state, which counts from now on: somebody reset it.
    StateChanged(ConnectorState),
    /// The platform had forgotten the connector. Queues and credentials may be others now.
    RegisteredAgain(Box<Registered>),
}

/// Gives a life sign regularly, keeps the connector's state in step with the platform and registers again when the
/// platform has forgotten the connector.
///
/// [`Heartbeat::beat`] is one life sign; `Heartbeat::run` (with any network feature) does it every
/// [`Heartbeat::INTERVAL`].
pub struct Heartbeat {
    api: Arc<dyn ConnectorApi>,
    registration: Registration,
    state: Mutex<ConnectorState>,
    info: Mutex<ConnectorInfo>,
    notices: Notices,
}

impl Heartbeat {
    /// How often the platform expects a life sign. It shows a connector as gone after five minutes.
    pub const INTERVAL: Duration = Duration::from_secs(40);

    /// The life sign of a registered connector.
    pub fn new(
        api: Arc<dyn ConnectorApi>,
        registration: Registration,
        registered: &Registered,
        notices: Notices,
    ) -> Self {
        let state = Mutex::new(registered.state.clone());
        Self { api, registration, state, info: Mutex::default(), notices }
    }

    /// The state as it is now.
    pub fn state(&self) -> ConnectorState {
        locked(&self.state).clone()
    }

    /// Replaces the state; the next life sign takes it to the platform.
    pub fn set_state(&self, state: ConnectorState) {
        *locked(&self.state) = state;
    }

    /// Changes what the life sign tells about the connector.
    pub fn update_info(&self, change: impl FnOnce(&mut ConnectorInfo)) {
        change(&mut locked(&self.info));
    }

    /// Gives one life sign.
    pub async fn beat(&self) -> Result<Beat, Error> {
        let sent = self.state();
        let info = locked(&self.info).clone();
        match self.api.ping(&self.registration.id, &sent, &info).await {
            Ok(answer) if answer == sent => Ok(Beat::Steady),
            Ok(answer) => {
                let mut state = locked(&self.state);
                // A state that was set while the answer was on its way is newer, unless the platform was reset.
                if *state == sent || answer.json().is_none() {
                    *state = answer.clone();
                    return Ok(Beat::StateChanged(answer));
                }
                Ok(Beat::Steady)
            }
            Err(error) if matches!(error.kind(), ErrorKind::UnknownConnector(_)) => {
                let registered = self.api.register(&self.registration).await?;
                self.notices.give(&Notice::RegisteredAgain);
                Ok(Beat::RegisteredAgain(Box::new(registered)))
            }
            Err(error) => Err(error),
        }
    }

    /// Gives life signs until the future is dropped. A failure is told and does not end it.
    #[cfg(any(feature = "graphql", feature = "amqp", feature = "callback"))]
    pub async fn run(&self, mut on_beat: impl FnMut(Beat) + Send) {
        loop {
            match self.beat().await {
                Ok(beat) => on_beat(beat),
                Err(error) => self.notices.give(&Notice::HeartbeatFailed { error: &error }),
            }
            tokio::time::sleep(Self::INTERVAL).await;
        }
    }
}

impl std::fmt::Debug for Heartbeat {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Heartbeat").field("registration", &self.registration).finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
