//! What an option is: its names, what its values are, its default and its description.

use super::kind::Kind;

/// Where an option comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// The original connector has it.
    Original,
    /// Official connectors have it.
    Convention,
    /// It is ours.
    New,
}

/// One option.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(super) struct Spec {
    /// The key in the file: `group.name`, or a name at the root.
    pub(super) key: &'static str,
    pub(super) kind: Kind,
    /// As it would stand in a variable; empty for none.
    pub(super) default: &'static str,
    /// The service does not start without it.
    pub(super) required: bool,
    /// `none` and `null` switch it off, also where there is a default.
    pub(super) optional: bool,
    /// Its value is not shown.
    pub(super) secret: bool,
    /// It may stand in the file. Variables of the system may not.
    pub(super) in_file: bool,
    #[cfg_attr(not(test), expect(dead_code, reason = "the reference is made from it, in a test"))]
    pub(super) since: Since,
    variable: &'static str,
    variables: &'static [&'static str],
    /// Further keys in the same group.
    pub(super) keys: &'static [&'static str],
    doc: &'static str,
}

impl Spec {
    pub(super) const fn new(key: &'static str, kind: Kind) -> Self {
        Self {
            key,
            kind,
            default: "",
            required: false,
            optional: false,
            secret: matches!(kind, Kind::Secret | Kind::Headers),
            in_file: true,
            since: Since::Original,
            variable: "",
            variables: &[],
            keys: &[],
            doc: "",
        }
    }

    pub(super) const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) const fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    /// A variable of the system, which the file does not have.
    pub(super) const fn environment_only(self) -> Self {
        Self { in_file: false, ..self }
    }

    pub(super) const fn convention(self) -> Self {
        Self { since: Since::Convention, ..self }
    }

    pub(super) const fn ours(self) -> Self {
        Self { since: Since::New, ..self }
    }

    /// The name of the variable where it does not follow from the key.
    pub(super) const fn variable(self, variable: &'static str) -> Self {
        Self { variable, ..self }
    }

    /// Further names of the variable.
    pub(super) const fn also(self, variables: &'static [&'static str]) -> Self {
        Self { variables, ..self }
    }

    pub(super) const fn also_keys(self, keys: &'static [&'static str]) -> Self {
        Self { keys, ..self }
    }

    pub(super) const fn doc(self, doc: &'static str) -> Self {
        Self { doc, ..self }
    }

    /// The description, one paragraph.
    pub(super) fn description(&self) -> &'static str {
        self.doc.trim()
    }

    /// The group, empty at the root, and the name in it.
    pub(super) fn place(&self) -> (&'static str, &'static str) {
        self.key.split_once('.').unwrap_or(("", self.key))
    }

    /// The name of the variable that the documentation uses.
    pub(super) fn main_variable(&self) -> String {
        if !self.variable.is_empty() {
            return self.variable.to_owned();
        }
        let (group, name) = self.place();
        format!("{}{}", variable_prefix(group), name.to_ascii_uppercase())
    }

    /// All names of the variable, the documented one first.
    pub(super) fn variables(&self) -> impl Iterator<Item = String> {
        std::iter::once(self.main_variable()).chain(self.variables.iter().map(|name| (*name).to_owned()))
    }

    /// Whether an empty list is a value of it.
    pub(super) fn is_list(&self) -> bool {
        self.kind.is_list()
    }
}

/// What the variables of a group start with.
pub(super) fn variable_prefix(group: &str) -> String {
    match group {
        "" => "WAZUH_".to_owned(),
        "opencti" | "connector" | "mq" => format!("{}_", group.to_ascii_uppercase()),
        _ => format!("WAZUH_{}_", group.to_ascii_uppercase()),
    }
}

/// The variable that holds a whole group as JSON.
pub(super) fn group_variable(group: &str) -> String {
    format!("WAZUH_{}", group.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_the_key() {
        let variables = |spec: Spec| spec.variables().collect::<Vec<_>>();
        assert_eq!(variables(Spec::new("max_tlp", Kind::Tlp)), ["WAZUH_MAX_TLP"]);
        assert_eq!(variables(Spec::new("opencti.url", Kind::Url)), ["OPENCTI_URL"]);
        assert_eq!(variables(Spec::new("search.lookup_agent_ip", Kind::Boolean)), ["WAZUH_SEARCH_LOOKUP_AGENT_IP"]);
        let spec = Spec::new("connector.queue_protocol", Kind::Text).also(&["QUEUE_PROTOCOL"]);
        assert_eq!(variables(spec), ["CONNECTOR_QUEUE_PROTOCOL", "QUEUE_PROTOCOL"]);
        assert_eq!(spec.place(), ("connector", "queue_protocol"));
    }
}
