//! The arguments that Wazuh's integrator gives: `ALERT_FILE API_KEY HOOK_URL [debug] [OPTIONS_FILE] [TIMEOUT] [RETRIES]`.
//!
//! Which of them there are depends on the manager's version. All but the first three may be empty, and among them
//! stands a redirection that no shell ever sees, as a plain argument.

use std::path::PathBuf;
use std::time::Duration;

/// What the integrator said.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// The file with the alert; absent when the integrator could not write it.
    pub(crate) alert: Option<PathBuf>,
    /// `<api_key>`: a token for threat intelligence.
    pub(crate) api_key: Option<String>,
    /// `<hook_url>`: where threat intelligence is.
    pub(crate) hook_url: Option<String>,
    /// Whether `integrator.debug` is on.
    pub(crate) debug: bool,
    /// The file with what `<options>` holds.
    pub(crate) options: Option<PathBuf>,
    /// `<timeout>`.
    pub(crate) timeout: Option<Duration>,
    /// `<retries>`.
    pub(crate) retries: Option<u32>,
}

/// The key is a secret.
impl std::fmt::Debug for Arguments {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Arguments")
            .field("alert", &self.alert)
            .field("api_key", &self.api_key.as_ref().map(|_| "***"))
            .field("debug", &self.debug)
            .field("options", &self.options)
            .field("timeout", &self.timeout)
            .field("retries", &self.retries)
            .finish_non_exhaustive()
    }
}

impl Arguments {
    /// Reads the arguments behind the program's name. `None` if there are fewer than the three that every version gives.
    pub(crate) fn read(arguments: &[String]) -> Option<Self> {
        let [alert, api_key, hook_url, rest @ ..] = arguments else { return None };
        let text = |text: &String| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        let mut read = Self {
            alert: text(alert).map(PathBuf::from),
            api_key: text(api_key),
            hook_url: text(hook_url),
            ..Self::default()
        };
        let mut numbers = Vec::new();
        for argument in rest.iter().map(|argument| argument.trim()) {
            if argument == "debug" {
                read.debug = true;
            } else if argument.ends_with(".options") {
                read.options = Some(PathBuf::from(argument));
            } else if let Ok(number) = argument.parse::<u32>() {
                numbers.push(number);
            }
            // Everything else is empty, or the redirection.
        }
        read.timeout =
            numbers.first().filter(|seconds| **seconds > 0).map(|seconds| Duration::from_secs((*seconds).into()));
        read.retries = numbers.get(1).copied();
        Some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Arguments {
        Arguments::read(&arguments.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    const ALERT: &str = "/tmp/custom-opencti-1710408413-1804289383.alert";
    const OPTIONS: &str = "/tmp/custom-opencti-1710408413-846930886.options";

    #[test]
    fn every_version_of_the_manager() {
        let old = read(&[ALERT, "key", "http://opencti:8080", " > /dev/null 2>&1"]);
        assert_eq!((old.alert.unwrap().to_str(), old.api_key.as_deref()), (Some(ALERT), Some("key")));
        assert_eq!((old.hook_url.as_deref(), old.debug, old.options), (Some("http://opencti:8080"), false, None));

        assert!(read(&[ALERT, "key", "url", "debug"]).debug);
        let middle = read(&[ALERT, "key", "url", "", OPTIONS, "> /dev/null 2>&1"]);
        assert_eq!((middle.debug, middle.options.unwrap().to_str()), (false, Some(OPTIONS)));

        let new = read(&[ALERT, "key", "url", "", "", "10", "3", "> /dev/null 2>&1"]);
        assert_eq!((new.timeout, new.retries, new.options), (Some(Duration::from_secs(10)), Some(3), None));
        let new = read(&[ALERT, "key", "url", "debug", OPTIONS, "30", "0"]);
        assert_eq!((new.timeout, new.retries, new.debug), (Some(Duration::from_secs(30)), Some(0), true));
    }

    #[test]
    fn what_may_be_missing() {
        let read = read(&["", "", "", ""]);
        assert_eq!((read.alert, read.api_key, read.hook_url), (None, None, None));
        assert_eq!(Arguments::read(&["alert".to_owned()]), None);
    }

    #[test]
    fn the_key_is_not_shown() {
        assert!(!format!("{:?}", read(&[ALERT, "s3cret", "http://user:s3cret@opencti"])).contains("s3cret"));
    }
}
