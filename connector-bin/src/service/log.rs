//! The log: one line per event on standard error, as JSON or as text. Nothing secret is given to it.

use std::io::Write as _;

use serde_json::{Map, Value};

use crate::config::LogLevel;

/// Writes events of a level or more severe ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    level: LogLevel,
    json: bool,
}

/// What belongs to an event: the work, the entity.
pub(crate) type Fields<'f> = &'f [(&'static str, &'f str)];

impl Log {
    pub(crate) fn new(level: LogLevel, json: bool) -> Self {
        Self { level, json }
    }

    pub(crate) fn error(self, message: &str, fields: Fields<'_>) {
        self.write(LogLevel::Error, "ERROR", message, fields);
    }

    pub(crate) fn warning(self, message: &str, fields: Fields<'_>) {
        self.write(LogLevel::Warning, "WARNING", message, fields);
    }

    pub(crate) fn info(self, message: &str, fields: Fields<'_>) {
        self.write(LogLevel::Info, "INFO", message, fields);
    }

    fn write(self, level: LogLevel, name: &str, message: &str, fields: Fields<'_>) {
        if level < self.level {
            return;
        }
        let line = self.line(&super::now().to_string(), name, message, fields);
        // There is nobody to tell that the log cannot be written.
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }

    fn line(self, time: &str, name: &str, message: &str, fields: Fields<'_>) -> String {
        let fields = fields.iter().filter(|(_, value)| !value.is_empty());
        if self.json {
            let text = |text: &str| Value::from(text);
            let attributes: Map<String, Value> =
                fields.map(|(name, value)| ((*name).to_owned(), text(value))).collect();
            let mut line = Map::from_iter([
                ("timestamp".to_owned(), text(time)),
                ("level".to_owned(), text(name)),
                ("name".to_owned(), text("wazuh")),
                ("message".to_owned(), text(message)),
            ]);
            if !attributes.is_empty() {
                line.insert("attributes".to_owned(), attributes.into());
            }
            return Value::from(line).to_string();
        }
        let mut line = format!("{time} {name} {message}");
        for (name, value) in fields {
            line.push_str(&format!(" {name}={value}"));
        }
        // An event is one line, whatever is in it.
        line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let fields: Fields<'_> = &[("work", "work_1"), ("entity", "")];
        let text = Log::new(LogLevel::Info, false);
        assert_eq!(text.line("now", "INFO", "a\nb", fields), "now INFO a b work=work_1");
        let json = Log::new(LogLevel::Info, true).line("now", "INFO", "a\n\"b\"", fields);
        let read: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json.lines().count(), 1);
        assert_eq!(read["message"], "a\n\"b\"");
        assert_eq!(read["attributes"], serde_json::json!({"work": "work_1"}));
    }
}
