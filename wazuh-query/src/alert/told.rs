//! What an alert tells of the event as a whole, and under which names its values are repeated.

use std::borrow::Cow;

use super::{Alert, Leaf};
use crate::catalogue::{Catalogue, Field, Holds, Join, Tells};
use crate::value::Outcome;

/// So many values are put together under one name.
const MEMBERS: usize = 64;

/// A value that has a name of its own to be shown under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown<'s> {
    /// The name, as the row of the field says.
    pub name: &'s str,
    /// The text.
    pub text: Cow<'s, str>,
}

/// Whether a leaf is kept among those that tell something. Most event numbers and groups tell nothing.
pub(super) fn is_told(field: &Field, text: &str) -> bool {
    match field.tells {
        Tells::Nothing => field.holds == Holds::Opaque && !field.shown.is_empty(),
        Tells::Direction => is_to_client(text) || !field.shown.is_empty(),
        Tells::OutcomeByEvent | Tells::OutcomeByGroup => Outcome::read(field.tells, text).is_some(),
        Tells::Outcome => true,
    }
}

/// Suricata's word for a packet from the server.
fn is_to_client(text: &str) -> bool {
    text == "to_client"
}

impl Alert<'_> {
    /// What became of the connection or the request, where the alert tells it.
    ///
    /// ```
    /// use wazuh_query::alert::Alert;
    /// use wazuh_query::catalogue::Catalogue;
    /// use wazuh_query::value::Outcome;
    ///
    /// let catalogue = Catalogue::builtin();
    /// let alert = Alert::read(r#"{"rule":{"id":"81618"},"data":{"action":"deny"}}"#, &catalogue)?;
    /// assert_eq!(alert.outcome(&catalogue), Some(Outcome::Blocked));
    /// # Ok::<(), wazuh_query::alert::ReadError>(())
    /// ```
    pub fn outcome(&self, catalogue: &Catalogue) -> Option<Outcome> {
        let told = self.told.iter().filter_map(|leaf| {
            let field = catalogue.field(leaf.field);
            Some((field.rank, Outcome::read(field.tells, &leaf.text)?))
        });
        // Of equals the first.
        told.min_by_key(|(rank, _)| *rank).map(|(_, outcome)| outcome)
    }

    /// Whether source and destination are those of an answer, so that the connection was opened the other way round.
    pub fn is_answer(&self, catalogue: &Catalogue) -> bool {
        self.told.iter().any(|leaf| catalogue.field(leaf.field).tells == Tells::Direction && is_to_client(&leaf.text))
    }

    /// The values whose rows give them a name to be shown under, each name once.
    pub fn shown<'s>(&'s self, catalogue: &'s Catalogue) -> Vec<Shown<'s>> {
        let field = |leaf: &Leaf<'_>| catalogue.field(leaf.field);
        // What holds something by itself stands among the leaves.
        let told = self.told.iter().filter(|leaf| field(leaf).holds == Holds::Opaque);
        let mut named: Vec<(&'s Field, &'s str)> = self
            .leaves
            .iter()
            .chain(told)
            .map(|leaf| (field(leaf), &*leaf.text))
            .filter(|(field, text)| !field.shown.is_empty() && !text.is_empty())
            .collect();
        named.sort_by_key(|(field, _)| field.rank);
        let mut shown: Vec<Shown<'s>> = Vec::new();
        for (place, (field, text)) in named.iter().copied().enumerate() {
            let name = &*field.shown;
            if shown.iter().any(|known| known.name == name) {
                continue;
            }
            let rest = || named[place..].iter().copied().filter(|(other, _)| *other.shown == *name);
            let text = match field.join {
                Join::First => Cow::Borrowed(text),
                Join::List => joined(rest().map(|(_, text)| text), ";"),
                Join::Words => joined(words(rest()).into_iter(), " "),
            };
            if !text.is_empty() {
                shown.push(Shown { name, text });
            }
        }
        shown
    }
}

/// The arguments of a command in their order, up to the first that is missing. What has no place comes behind them.
fn words<'t>(values: impl Iterator<Item = (&'t Field, &'t str)>) -> Vec<&'t str> {
    let (mut placed, mut others) = (Vec::new(), Vec::new());
    for (field, text) in values {
        match field.holds {
            Holds::Argument(place) => placed.push((usize::from(place), text)),
            _ => others.push(text),
        }
    }
    placed.sort_by_key(|(place, _)| *place);
    placed.dedup_by_key(|(place, _)| *place);
    let first = placed.first().map_or(0, |(place, _)| *place);
    let unbroken = placed.into_iter().zip(first..).take_while(|((place, _), wanted)| place == wanted);
    unbroken.map(|((_, text), _)| text).chain(others).collect()
}

fn joined<'t>(values: impl Iterator<Item = &'t str>, between: &str) -> Cow<'t, str> {
    let mut values = values.take(MEMBERS);
    let Some(first) = values.next() else { return Cow::Borrowed("") };
    let mut text = Cow::Borrowed(first);
    for value in values {
        let text = text.to_mut();
        text.push_str(between);
        text.push_str(value);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{CatalogueFile, Schema};

    fn outcome(text: &str) -> Option<Outcome> {
        let catalogue = Catalogue::builtin();
        Alert::read(text, &catalogue).unwrap().outcome(&catalogue)
    }

    #[test]
    fn what_became_of_a_connection() {
        for (text, wanted) in [
            (r#"{"data":{"alert":{"action":"allowed"}}}"#, Some(Outcome::Allowed)),
            (r#"{"data":{"action":"pass","alert":{"action":"blocked"}}}"#, Some(Outcome::Blocked)),
            (r#"{"data":{"action":"login","act":"denied"}}"#, Some(Outcome::Blocked)),
            (r#"{"data":{"action":"reset-both"}}"#, Some(Outcome::Blocked)),
            (r#"{"data":{"action":"client-rst"}}"#, None),
            (r#"{"data":{"action":"Not allowed"}}"#, Some(Outcome::Blocked)),
            (r#"{"data":{"aws":{"action":"ACCEPT"}}}"#, Some(Outcome::Allowed)),
            (r#"{"data":{"win":{"system":{"eventID":"5157"}}}}"#, Some(Outcome::Blocked)),
            (r#"{"data":{"win":{"system":{"eventID":"4624"}}}}"#, None),
            (
                r#"{"rule":{"groups":["firewall","firewall_drop"]},"data":{"srcip":"203.0.113.7"}}"#,
                Some(Outcome::Blocked),
            ),
            (
                r#"{"wazuh":{"agent":{"id":"1"}},"event":{"action":"network_flow","type":["connection","denied"]}}"#,
                Some(Outcome::Blocked),
            ),
            (r#"{"rule":{"id":"1"},"data":{"action":{"a":1}}}"#, None),
        ] {
            assert_eq!(outcome(text), wanted, "{text}");
        }
    }

    #[test]
    fn every_row_that_tells_is_read() {
        let catalogue = Catalogue::builtin();
        let mut count = 0;
        for field in catalogue.fields().iter().filter(|field| field.tells != Tells::Nothing) {
            let value = match field.tells {
                Tells::OutcomeByEvent => "5157",
                Tells::OutcomeByGroup => "firewall_drop",
                Tells::Direction => "to_client",
                _ => "Blocked",
            };
            let text = with(field, value);
            let alert = Alert::read(&text, &catalogue).unwrap();
            if field.tells == Tells::Direction {
                assert!(alert.is_answer(&catalogue), "{text}");
            } else {
                assert_eq!(alert.outcome(&catalogue), Some(Outcome::Blocked), "{text}");
                assert!(!alert.is_answer(&catalogue), "{text}");
            }
            count += 1;
        }
        assert!(count >= 13, "{count} rows tell something");
    }

    #[test]
    fn every_row_with_a_name_is_shown_under_it() {
        let catalogue = Catalogue::builtin();
        for field in catalogue.fields().iter().filter(|field| !field.shown.is_empty()) {
            assert!(!matches!(field.holds, Holds::Envelope(_)), "{} is never among the values", field.path);
            let text = with(field, "value");
            let alert = Alert::read(&text, &catalogue).unwrap();
            assert_eq!(alert.shown(&catalogue), [Shown { name: &field.shown, text: "value".into() }], "{text}");
        }
    }

    #[test]
    fn rows_of_one_name_are_joined_alike() {
        let catalogue = Catalogue::builtin();
        for field in catalogue.fields().iter().filter(|field| !field.shown.is_empty()) {
            let mut alike = catalogue.select(field.schema, |other| other.shown == field.shown);
            // The first value of a decoder that has one only is no list.
            let fits = |other: &Field| [other.join, field.join].contains(&Join::First) || other.join == field.join;
            assert!(alike.all(fits), "{}", field.path);
        }
    }

    /// An alert in which the field has this text.
    fn with(field: &Field, text: &str) -> String {
        let value = field.path.rsplit('.').fold(format!("{text:?}"), |below, name| format!("{{{name:?}:{below}}}"));
        let envelope = match field.schema {
            Schema::Wazuh4 => r#""id":"1""#,
            Schema::Wazuh5 => r#""wazuh":{"event":{"id":"1"}}"#,
        };
        format!("{{{envelope},{}", &value[1..])
    }

    #[test]
    fn commands_and_answers_are_put_together() {
        let catalogue = Catalogue::builtin();
        let text = r#"{"data":{"audit":{"execve":{"a0":"curl","a1":"-s","a10":"no","a2":"http://evil.example"},"pid":7},
            "dns":{"question":{"name":"evil.example"},"answers":[{"data":"203.0.113.7"},{"data":8},{}]}}}"#;
        let alert = Alert::read(text, &catalogue).unwrap();
        let shown = alert.shown(&catalogue);
        let of = |name: &str| shown.iter().find(|shown| shown.name == name).map(|shown| &*shown.text);
        assert_eq!(of("execve"), Some("curl -s http://evil.example"));
        assert_eq!(of("queryName"), Some("evil.example"));
        assert_eq!(of("queryResults"), Some("203.0.113.7;8"));
        assert_eq!(of("pid"), Some("7"));
    }

    #[test]
    fn a_site_says_what_its_fields_tell() {
        let file: CatalogueFile = serde_json::from_str(
            r#"{"fields":[{"path":"data.acme.verdict","holds":"opaque","tells":"outcome","shown":"acme.verdict"},
                {"path":"data.acme.args","holds":"opaque","shown":"command","join":"words"},
                {"path":"data.acme.way","holds":"name","tells":"direction"}]}"#,
        )
        .unwrap();
        let mut catalogue = Catalogue::builtin();
        catalogue.extend(file).unwrap();
        let text = r#"{"data":{"action":"allowed","acme":{"verdict":"Dropped","args":["ls","-l"],"way":"to_client"}}}"#;
        let alert = Alert::read(text, &catalogue).unwrap();
        assert_eq!(alert.outcome(&catalogue), Some(Outcome::Blocked));
        assert!(alert.is_answer(&catalogue));
        let shown: Vec<_> = alert.shown(&catalogue).into_iter().map(|shown| (shown.name, shown.text)).collect();
        assert_eq!(shown, [("acme.verdict", "Dropped".into()), ("command", "ls -l".into())]);
        let leaf = alert.leaves.iter().find(|leaf| leaf.text == "to_client").unwrap();
        assert_eq!(catalogue.field(leaf.field).path, "data.acme.way");
    }

    #[test]
    fn a_name_that_cannot_be_shown_is_refused() {
        let file = r#"{"fields":[{"path":"data.acme.verdict","holds":"opaque","shown":"a..b"}]}"#;
        let file: CatalogueFile = serde_json::from_str(file).unwrap();
        let error = Catalogue::builtin().extend(file).unwrap_err();
        assert!(error.to_string().contains("the name `a..b` cannot be shown"), "{error}");
    }
}
