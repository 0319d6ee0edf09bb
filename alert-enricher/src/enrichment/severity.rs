//! How severe an incident is, and how urgent a case: bands of rule levels.

use std::fmt;
use std::str::FromStr;

/// A band of rule levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// The lowest level of the band.
    pub from: u8,
    /// The severity of its incidents: a value of the platform's vocabulary `incident_severity_ov`.
    pub severity: String,
    /// The priority of its cases: a value of the platform's vocabulary `case_priority_ov`.
    pub priority: String,
}

/// How severe something is: the place of its band, the mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Severity(usize);

/// The bands of rule levels. They are contiguous, so a higher level is never less severe.
///
/// ```
/// use alert_enricher::enrichment::Severities;
///
/// let bands = Severities::default();
/// assert_eq!(bands.to_string(), "0=low/P4,7=medium/P3,11=high/P2,14=critical/P1");
/// assert_eq!(bands.name(bands.of_level(10)), "medium");
/// assert_eq!(bands.priority(bands.of_level(15)), "P1");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Severities(Vec<Band>);

impl Severities {
    /// The bands, in any order. The mildest one also takes the levels below it.
    ///
    /// Fails without a band, with two that begin at the same level, and with an empty name.
    pub fn new(mut bands: Vec<Band>) -> Result<Self, SeverityError> {
        bands.sort_by_key(|band| band.from);
        if bands.is_empty() {
            return Err(SeverityError::Empty);
        }
        if let Some(pair) = bands.windows(2).find(|pair| pair[0].from == pair[1].from) {
            return Err(SeverityError::Twice(pair[0].from));
        }
        if let Some(band) = bands.iter().find(|band| band.severity.is_empty() || band.priority.is_empty()) {
            return Err(SeverityError::Unnamed(band.from));
        }
        Ok(Self(bands))
    }

    /// The severity of a rule level, 0 to 16.
    pub fn of_level(&self, level: u8) -> Severity {
        Severity(self.0.iter().rposition(|band| band.from <= level).unwrap_or(0))
    }

    /// The severity of a CVSS base score, 0 to 10, by the bands of CVSS itself: below 4 low, below 7 medium, below 9
    /// high. They are brought to the levels at which the default bands have the same names.
    pub fn of_score(&self, score: f64) -> Severity {
        let level = match score {
            score if score >= 9.0 => 14,
            score if score >= 7.0 => 11,
            score if score >= 4.0 => 7,
            _ => 0,
        };
        self.of_level(level)
    }

    /// The name of a severity.
    pub fn name(&self, severity: Severity) -> &str {
        self.0.get(severity.0).map_or("", |band| &band.severity)
    }

    /// The priority that goes with a severity.
    pub fn priority(&self, severity: Severity) -> &str {
        self.0.get(severity.0).map_or("", |band| &band.priority)
    }
}

impl Default for Severities {
    fn default() -> Self {
        let band = |from, severity: &str, priority: &str| Band {
            from,
            severity: severity.to_owned(),
            priority: priority.to_owned(),
        };
        Self(vec![band(0, "low", "P4"), band(7, "medium", "P3"), band(11, "high", "P2"), band(14, "critical", "P1")])
    }
}

impl fmt::Display for Severities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Band { from, severity, priority }) in self.0.iter().enumerate() {
            let separator = if place > 0 { "," } else { "" };
            write!(formatter, "{separator}{from}={severity}/{priority}")?;
        }
        Ok(())
    }
}

impl FromStr for Severities {
    type Err = SeverityError;

    /// Bands with their lowest level: `0=low/P4,7=medium/P3,11=high/P2,14=critical/P1`.
    fn from_str(text: &str) -> Result<Self, SeverityError> {
        let band = |part: &str| {
            let expected = || SeverityError::Form(part.to_owned());
            let (from, names) = part.split_once('=').ok_or_else(expected)?;
            let (severity, priority) = names.split_once('/').ok_or_else(expected)?;
            let from: u8 = from.trim().parse().map_err(|_| expected())?;
            Ok(Band { from, severity: severity.trim().to_owned(), priority: priority.trim().to_owned() })
        };
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        Self::new(parts.map(band).collect::<Result<_, _>>()?)
    }
}

/// Why bands of severity cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SeverityError {
    /// There is no band.
    #[error("at least one band is needed, such as `0=low/P4`")]
    Empty,
    /// Two bands begin at the same level.
    #[error("two bands begin at level {0}")]
    Twice(u8),
    /// A band has no severity or no priority.
    #[error("the band from level {0} needs a severity and a priority")]
    Unnamed(u8),
    /// A part that is no band.
    #[error("`{0}`: expected `LEVEL=SEVERITY/PRIORITY`")]
    Form(String),
}

/// The middle of the CVSS band that a word names: what stands in where a score is not told.
pub(crate) fn score_of_word(word: &str) -> Option<f64> {
    const WORDS: [(&str, f64); 4] = [("low", 2.0), ("medium", 5.45), ("high", 7.95), ("critical", 9.5)];
    let word = word.trim();
    WORDS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, score)| score)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-71: the original leaves gaps at levels 10, 13 and 15.
    #[test]
    fn b_71_every_level_has_its_band() {
        let bands = Severities::default();
        let names: Vec<_> = (0..=16).map(|level| bands.name(bands.of_level(level))).collect();
        let wanted = ["low"; 7].into_iter().chain(["medium"; 4]).chain(["high"; 3]).chain(["critical"; 3]);
        assert_eq!(names, wanted.collect::<Vec<_>>());
    }

    #[test]
    fn severity_and_priority_are_monotone() {
        for bands in ["0=low/P4,7=medium/P3,11=high/P2,14=critical/P1", "9=b/2,3=a/1", "5=only/P1"] {
            let bands: Severities = bands.parse().unwrap();
            for level in 1..=u8::MAX {
                assert!(bands.of_level(level - 1) <= bands.of_level(level), "{bands} at {level}");
            }
            for score in 1..=100 {
                assert!(bands.of_score(f64::from(score - 1) / 10.0) <= bands.of_score(f64::from(score) / 10.0));
            }
        }
    }

    /// B-83: the vocabulary of a site.
    #[test]
    fn b_83_bands_are_settings() {
        let bands: Severities = "12 = Schlimm/Sofort, 0=Egal/Irgendwann".parse().unwrap();
        assert_eq!(bands.name(bands.of_level(12)), "Schlimm");
        assert_eq!(bands.priority(bands.of_level(11)), "Irgendwann");
        assert_eq!("".parse::<Severities>(), Err(SeverityError::Empty));
        assert_eq!("0=a/1,0=b/2".parse::<Severities>(), Err(SeverityError::Twice(0)));
        assert_eq!("0=a/".parse::<Severities>(), Err(SeverityError::Unnamed(0)));
        assert!(matches!("low".parse::<Severities>(), Err(SeverityError::Form(_))));
    }

    #[test]
    fn scores() {
        let bands = Severities::default();
        let name = |score| bands.name(bands.of_score(score));
        assert_eq!(
            [0.0, 3.9, 4.0, 6.9, 7.0, 8.9, 9.0, 10.0].map(name),
            ["low", "low", "medium", "medium", "high", "high", "critical", "critical"]
        );
        assert_eq!(score_of_word(" HIGH"), Some(7.95));
        assert_eq!(score_of_word("none"), None);
    }
}
