//! What is wrong with a configuration, and what might have been meant.

use std::fmt;

/// Everything that is wrong with a configuration.
#[derive(Debug)]
pub(crate) struct ConfigErrors(pub(super) Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration has mistakes:")?;
        self.0.iter().try_for_each(|mistake| write!(formatter, "\n  {mistake}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// The known name that is nearest to an unknown one, if it is near enough to be what was meant.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let fold = |text: &str| text.replace(['-', '_', ' '], "").to_ascii_lowercase();
    let wanted = fold(name);
    let limit = (wanted.chars().count() / 5).max(1);
    let distance = |candidate: &str| strsim::damerau_levenshtein(&wanted, &fold(candidate));
    let near = known.into_iter().map(|candidate| (distance(candidate), candidate));
    near.filter(|(distance, _)| *distance <= limit).min().map(|(_, candidate)| candidate)
}

/// ``; did you mean `…`?``, or nothing.
pub(super) fn suggestion<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    nearest(name, known).map(|known| format!("; did you mean `{known}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_suggested() {
        let known = ["search", "opensearch", "enrich", "max_tlp"];
        assert_eq!(nearest("serach", known), Some("search"));
        assert_eq!(nearest("max-tlp", known), Some("max_tlp"));
        assert_eq!(nearest("MaxTlps", known), Some("max_tlp"));
        assert_eq!(nearest("logging", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(suggestion("opensaerch", known), "; did you mean `opensearch`?");
    }
}
