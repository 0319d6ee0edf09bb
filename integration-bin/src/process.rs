//! From an alert to the events that are raised for it.

use std::path::{Path, PathBuf};
use std::time::Instant;

use alert_enricher::event::queue::{Origin, message};
use alert_enricher::event::{Document, Limits};
use alert_enricher::knowledge::{AskOptions, Asked, EventOptions, JudgeOptions, Judged, NotAsked, ask, judge};
use wazuh_query::alert::{Alert, ReadError};
use wazuh_query::catalogue::Catalogue;

use crate::intelligence::{Intelligence, LookupError};
use crate::journal::Journal;
use crate::knowledge::look_up;
use crate::settings::{Settings, SettingsError};

/// Where events are from, as the manager sees it.
const LOCATION: &str = "opencti";

/// Why an alert could not be processed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    /// The text is no alert.
    #[error("not an alert: {0}")]
    Alert(#[from] ReadError),
    /// Threat intelligence could not be asked.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

/// What came of an alert.
#[derive(Debug)]
pub(crate) struct Processed {
    /// What was asked, or why nothing was.
    pub(crate) asked: Result<Vec<Asked>, NotAsked>,
    /// What was found.
    pub(crate) judged: Judged,
    /// The events as messages for the manager's queue.
    pub(crate) messages: Vec<String>,
    /// The events alone.
    pub(crate) events: Vec<String>,
}

/// Threat intelligence that is connected to only if there is something to ask.
pub(crate) struct Lazy<'s> {
    settings: &'s Settings,
    url: Option<String>,
    token: Option<String>,
    state: PathBuf,
    journal: Option<Journal>,
    made: Option<Intelligence>,
}

impl<'s> Lazy<'s> {
    pub(crate) fn new(settings: &'s Settings, url: Option<&str>, token: Option<&str>, state: &Path) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self { settings, url: owned(url), token: owned(token), state: state.to_owned(), journal: None, made: None }
    }

    /// The same, with a log for what an administrator has to know about answers.
    pub(crate) fn telling(self, journal: &Journal) -> Self {
        Self { journal: Some(journal.clone()), ..self }
    }

    /// Begins anew with the next question: what is in files changed.
    pub(crate) fn forget(&mut self) {
        self.made = None;
    }

    pub(crate) fn get(&mut self) -> Result<&mut Intelligence, LookupError> {
        let made = if let Some(made) = self.made.take() {
            made
        } else {
            let made = Intelligence::new(self.settings, self.url.as_deref(), self.token.as_deref(), &self.state)?;
            made.telling(self.journal.as_ref())
        };
        Ok(self.made.insert(made))
    }
}

/// Processes alerts.
pub(crate) struct Processor {
    pub(crate) catalogue: Catalogue,
    ask: AskOptions,
    judge: JudgeOptions,
    settings: Settings,
}

impl Processor {
    pub(crate) fn new(settings: &Settings) -> Result<Self, SettingsError> {
        Self::with(Catalogue::builtin(), settings)
    }

    /// One that knows the fields of this alert alone, which is made in a tenth of the time.
    pub(crate) fn for_alert(text: &str, settings: &Settings) -> Result<Self, SettingsError> {
        Self::with(Catalogue::builtin_for(text), settings)
    }

    fn with(builtin: Catalogue, settings: &Settings) -> Result<Self, SettingsError> {
        Ok(Self {
            catalogue: settings.catalogue(builtin)?,
            ask: settings.ask()?,
            judge: settings.judge()?,
            settings: settings.clone(),
        })
    }

    /// What is asked of an alert; cheap, and without a connection.
    pub(crate) fn asked(&self, alert: &Alert<'_>) -> Result<Vec<Asked>, NotAsked> {
        ask(alert, &self.catalogue, &self.ask)
    }

    /// Looks an alert up and makes the events. `intelligence` is made only if there is something to ask.
    pub(crate) fn process(
        &self,
        text: &str,
        intelligence: &mut Lazy<'_>,
        deadline: Instant,
    ) -> Result<Processed, ProcessError> {
        let alert = Alert::read(text, &self.catalogue)?;
        let asked = match self.asked(&alert) {
            Ok(asked) => asked,
            Err(why) => {
                return Ok(Processed {
                    asked: Err(why),
                    judged: Judged::default(),
                    messages: Vec::new(),
                    events: Vec::new(),
                });
            }
        };
        self.judged(&alert, asked, intelligence.get()?, deadline)
    }

    /// The same for values that were found already.
    pub(crate) fn judged(
        &self,
        alert: &Alert<'_>,
        asked: Vec<Asked>,
        intelligence: &mut Intelligence,
        deadline: Instant,
    ) -> Result<Processed, ProcessError> {
        let judged = self.judge(alert, &asked, intelligence, deadline)?;
        let options = EventOptions { platform: intelligence.address.clone() };
        let (mut messages, mut events) = (Vec::new(), Vec::new());
        for event in &judged.events {
            let document = event.document(alert, &self.catalogue, &options);
            messages.extend(self.message(&document, Some(alert)));
            events.push(document.render(&Limits::default()).json);
        }
        Ok(Processed { asked: Ok(asked), judged, messages, events })
    }

    /// Looks values up and says what is to be raised.
    pub(crate) fn judge(
        &self,
        alert: &Alert<'_>,
        asked: &[Asked],
        intelligence: &mut Intelligence,
        deadline: Instant,
    ) -> Result<Judged, LookupError> {
        let search_patterns = self.settings.search_patterns.unwrap_or(true);
        let found = look_up(asked, search_patterns, |lookup| intelligence.look_up(lookup, deadline))?;
        found.warnings.iter().for_each(|line| intelligence.warn(line));
        Ok(judge(alert, asked, &found.knowledge, &self.catalogue, &self.judge))
    }

    /// A document as a message for the manager's queue, attributed to the agent of the alert.
    pub(crate) fn message(&self, document: &Document, alert: Option<&Alert<'_>>) -> Option<String> {
        let json = document.render(&Limits::default()).json;
        let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let origin = alert.map_or_else(Origin::default, |alert| Origin {
            id: text(&alert.agent.id),
            name: text(&alert.agent.name),
            ip: text(&alert.agent.ip),
        });
        // The limits of a document are far below that of a message.
        message(&origin, LOCATION, &json, self.settings.escaping()).ok()
    }
}
