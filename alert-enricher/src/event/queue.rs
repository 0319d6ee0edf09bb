//! The message that the manager's queue socket reads: `1:LOCATION:EVENT`, attributed to the manager, or
//! `1:[ID] (NAME) ADDRESS->LOCATION:EVENT`, attributed to an agent.

/// The longest datagram that the manager reads. What is longer is cut without an error, and the event is lost.
pub const DATAGRAM_BYTES: usize = 65_535;

/// How a colon is written in the location.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escaping {
    /// Wazuh 4.4 and later: `|` before a colon or another `|`.
    #[default]
    Bars,
    /// Wazuh 4.0 to 4.3 cut at the first colon, so colons are left out.
    None,
}

/// The agent that an event is attributed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The agent's number as text; `000` and none stand for the manager.
    pub id: Option<String>,
    /// The agent's name.
    pub name: Option<String>,
    /// The agent's address; `any` if it is not known.
    pub ip: Option<String>,
}

/// Messages beyond this would be cut; see [`DATAGRAM_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message has {0} bytes, the manager reads no more than {DATAGRAM_BYTES}")]
pub struct TooLong(pub usize);

/// Puts an event into the form of the queue.
///
/// ```
/// use alert_enricher::event::queue::{Escaping, Origin, message};
///
/// let origin = Origin { id: Some("001".into()), name: Some("web01".into()), ip: Some("2001:db8::15".into()) };
/// assert_eq!(
///     message(&origin, "opencti", r#"{"integration":"opencti"}"#, Escaping::Bars)?,
///     r#"1:[001] (web01) 2001|:db8|:|:15->opencti:{"integration":"opencti"}"#
/// );
/// assert_eq!(message(&Origin::default(), "opencti", "{}", Escaping::Bars)?, "1:opencti:{}");
/// # Ok::<(), alert_enricher::event::queue::TooLong>(())
/// ```
pub fn message(origin: &Origin, location: &str, event: &str, escaping: Escaping) -> Result<String, TooLong> {
    let place = match origin.id.as_deref() {
        None | Some("" | "000") => location.to_owned(),
        Some(id) => {
            let name = origin.name.as_deref().unwrap_or_default();
            let ip = origin.ip.as_deref().filter(|ip| !ip.is_empty()).unwrap_or("any");
            format!("[{}] ({}) {}->{location}", part(id), part(name), part(ip))
        }
    };
    let place = match escaping {
        Escaping::Bars => place.replace('|', "||").replace(':', "|:"),
        Escaping::None => place.replace([':', '|'], "-"),
    };
    let message = format!("1:{place}:{event}");
    if message.len() > DATAGRAM_BYTES { Err(TooLong(message.len())) } else { Ok(message) }
}

/// What could end a part of the location early, or the message, is replaced.
fn part(text: &str) -> String {
    let limited = text.chars().take(128);
    limited
        .map(|char| if matches!(char, '(' | ')' | '[' | ']' | '>') || char.is_control() { '_' } else { char })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a message as the manager does: the first colon behind the type that no bar stands before ends the
    /// location.
    fn location(message: &str) -> (String, &str) {
        let rest = message.strip_prefix("1:").unwrap();
        let (mut place, mut chars) = (String::new(), rest.char_indices());
        while let Some((at, char)) = chars.next() {
            match char {
                '|' => place.push(chars.next().unwrap().1),
                ':' => return (place, &rest[at + 1..]),
                _ => place.push(char),
            }
        }
        panic!("no event in {message}");
    }

    #[test]
    fn the_manager_finds_what_was_meant() {
        let origin = Origin { id: Some("014".into()), name: Some("a|b:c".into()), ip: Some("2001:db8::1".into()) };
        let message = message(&origin, "opencti", r#"{"a":"b:c|d"}"#, Escaping::Bars).unwrap();
        assert_eq!(location(&message), ("[014] (a|b:c) 2001:db8::1->opencti".to_owned(), r#"{"a":"b:c|d"}"#));
    }

    #[test]
    fn hostile_names_stay_names() {
        let origin = Origin { id: Some("014".into()), name: Some("x) 1->root:\n".into()), ip: None };
        let message = message(&origin, "opencti", "{}", Escaping::Bars).unwrap();
        assert_eq!(location(&message).0, "[014] (x_ 1-_root:_) any->opencti");
    }

    #[test]
    fn old_managers_cut_at_the_first_colon() {
        let origin = Origin { id: Some("014".into()), name: Some("web".into()), ip: Some("2001:db8::1".into()) };
        assert_eq!(message(&origin, "opencti", "{}", Escaping::None).unwrap(), "1:[014] (web) 2001-db8--1->opencti:{}");
    }

    #[test]
    fn what_would_be_cut_is_refused() {
        let event = "x".repeat(DATAGRAM_BYTES);
        assert!(message(&Origin::default(), "opencti", &event, Escaping::Bars).is_err());
    }
}
