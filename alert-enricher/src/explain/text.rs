//! An explanation for people.

use std::fmt;

use wazuh_query::catalogue::Schema;

use super::{Different, Explanation, Outcome, Verdict};

/// Text of alerts and indicators without what a terminal would act on.
fn plain(text: &str) -> String {
    const LONGEST: usize = 160;
    let mut plain: String =
        text.chars().take(LONGEST).map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect();
    if text.chars().count() > LONGEST {
        plain.push('…');
    }
    plain
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matches => formatter.write_str("it is in the alert"),
            Self::DoesNotCount(standing) => write!(formatter, "it is in the alert, but does not count: {standing}"),
            Self::MatchesPart { met, of } => write!(
                formatter,
                "it satisfies {met} of {of} observations of the pattern; other alerts have to bring the rest"
            ),
            Self::DoesNotMatch => formatter.write_str("it is not in the alert"),
            Self::NotSearchable(why) => write!(formatter, "alerts cannot be searched for it: {why}"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.indicator)?;
        if let Some(name) = &self.name {
            write!(formatter, " ({})", plain(name))?;
        }
        write!(
            formatter,
            "\n  alert {}",
            self.alert.as_deref().map_or_else(|| "without identifier".to_owned(), plain)
        )?;
        match self.time {
            Some(time) => write!(formatter, " of {time}")?,
            None => formatter.write_str(" without a time")?,
        }
        writeln!(formatter, ": {}", plain(&self.verdict.to_string()))?;
        match (self.valid_from, self.valid_until) {
            (Some(from), Some(until)) => writeln!(formatter, "  valid from {from} until {until}")?,
            (Some(from), None) => writeln!(formatter, "  valid from {from}")?,
            (None, Some(until)) => writeln!(formatter, "  valid until {until}")?,
            (None, None) => {}
        }
        for compared in &self.comparisons {
            write!(formatter, "  {} `{}`: ", compared.kind, plain(&compared.comparison))?;
            match &compared.outcome {
                Outcome::Matched { field, value, normalisation } => {
                    writeln!(formatter, "met by {field} = `{}` ({normalisation})", plain(value))?;
                }
                Outcome::Worthless { why } => writeln!(formatter, "not compared, it is worthless: {why}")?,
                Outcome::NoField { schema } => writeln!(formatter, "no field of {} holds such values", name(*schema))?,
                Outcome::Absent { fields } => {
                    writeln!(formatter, "the alert has none of the {fields} fields that can hold such values")?;
                }
                Outcome::Satisfied { path, value, field, normalisation } => {
                    let place = field.as_deref().unwrap_or(path);
                    match value {
                        Some(value) => writeln!(formatter, "met by {place} = `{}` ({normalisation})", plain(value))?,
                        None => writeln!(formatter, "met: {place} is absent")?,
                    }
                }
                Outcome::NotThere { reached, missing } if reached.is_empty() => {
                    writeln!(formatter, "the alert has no `{missing}`")?;
                }
                Outcome::NotThere { reached, .. } => {
                    writeln!(formatter, "the alert has `{}`, but not this property", plain(reached))?;
                }
                Outcome::OtherType { seen, expected } => {
                    writeln!(formatter, "values of another type, where {expected} is expected")?;
                    list(formatter, seen, 0)?;
                }
                Outcome::Present { seen } => {
                    writeln!(formatter, "it is there, and should not be")?;
                    list(formatter, seen, 0)?;
                }
                Outcome::Broken { why } => writeln!(formatter, "cannot be evaluated: {}", plain(why))?,
                Outcome::Differs { seen, more } => {
                    writeln!(formatter, "other values")?;
                    list(formatter, seen, *more)?;
                }
            }
        }
        Ok(())
    }
}

fn list(formatter: &mut fmt::Formatter<'_>, seen: &[Different], more: usize) -> fmt::Result {
    for different in seen {
        writeln!(formatter, "    {} = `{}`: {}", different.field, plain(&different.value), different.how)?;
    }
    if more > 0 {
        writeln!(formatter, "    and {more} more")?;
    }
    Ok(())
}

fn name(schema: Schema) -> &'static str {
    match schema {
        Schema::Wazuh4 => "Wazuh 4.x",
        Schema::Wazuh5 => "Wazuh 5.x",
    }
}
