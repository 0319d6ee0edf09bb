//! Domain names, host names, URLs, e-mail addresses, user agents.

use stix_model::sco::EmailMessage;

use super::reason::shown;
use super::{Draft, NotSearchable, Query, QueryBuilder, Resolve, required};
use crate::dsl::{Clause, limits};
use crate::regexp::{escape, escape_wildcard};
use crate::value;
use stix_model::Object;

/// What may stand before and after a name inside a longer text without being part of it.
const NO_NAME: &str = r"[^A-Za-z0-9_\-.]";

impl QueryBuilder {
    /// A domain name or a host name.
    pub(super) fn host(&self, value: &str) -> Draft {
        let value = required(value, "value")?;
        let Some(name) = value::hostname(value) else {
            // An address may be filed as a name; it is searched as what it is.
            return match value::address(value) {
                Some(_) => self.address(value, &mut Vec::new()),
                None => Err(NotSearchable::Invalid { value: shown(value), expected: "the name of a host" }),
            };
        };
        let names = [Some(name.to_string()), value::to_ascii(&name)];
        let names = || names.iter().flatten();
        let mut queries = Self::folded(&self.fields.host, names().cloned().chain(as_stored(value)));
        queries.extend(Self::folded(&self.fields.domain, names().map(|name| format!("{name}."))));
        if self.options.lookup_agent_name {
            queries.extend(Self::folded(&self.fields.agent_host, names().cloned()));
        }
        for name in names() {
            let escaped = escape(name);
            let answer = format!(r"(.*; *)?(type: *[0-9]+ +)?{escaped}\.? *(;.*)?");
            queries.push(Self::regexp(&self.fields.dns_results, answer, true));
            if self.options.lookup_hosts_in_urls && name.is_ascii() && value::domain(name).is_some() {
                queries.extend(self.url_host(name));
            }
            if self.options.lookup_hostnames_in_cmd_line {
                let inside = format!("(.*{NO_NAME})?{escaped}({NO_NAME}.*)?");
                queries.push(Self::regexp(&self.fields.command_line, inside.clone(), true));
                queries.push(Self::regexp(&self.fields.argument, inside, true));
            }
        }
        Ok(queries)
    }

    /// A host as part of a URL, in lower case as clients send it.
    ///
    /// Beginnings of texts are looked up like terms; an expression would make the cluster build an automaton for each
    /// of the many fields.
    pub(super) fn url_host(&self, host: &str) -> Vec<Query> {
        let starts = ["http", "https"].map(|scheme| format!("{scheme}://{host}"));
        let longer = starts.iter().flat_map(|start| [format!("{start}/"), format!("{start}:")]);
        let prefixes =
            longer.map(|value| Query::any_field(&self.fields.url, Clause::Prefix { value, case_insensitive: false }));
        let mut queries: Vec<Query> = prefixes.collect();
        queries.push(Self::exact(&self.fields.url, starts));
        queries
    }

    /// A URL.
    pub(super) fn url(&self, value: &str) -> Draft {
        let value = required(value, "value")?;
        let ignore_slash = self.options.lookup_url_ignore_trailing_slash;
        if self.options.lookup_url_without_host {
            let Some(path) = path_and_query(value) else {
                return Err(NotSearchable::Option {
                    what: "the URL has no path, and only paths are searched",
                    option: "lookup_url_without_host",
                });
            };
            let path = if ignore_slash { path.trim_end_matches('/') } else { path };
            let slash = if ignore_slash { "/?" } else { "" };
            // A scheme holds neither `:` nor `/`. To allow them costs the cluster hundreds of megabytes per query.
            let expression = format!("([^:/]+://)?[^/]*/?{}{slash}", escape(path));
            if expression.chars().count() > limits::REGEXP_CHARS {
                return Err(NotSearchable::TooLong { value: shown(value), limit: limits::REGEXP_CHARS });
            }
            let fields = [&self.fields.url, &self.fields.url_path];
            return Ok(fields.map(|fields| Self::regexp(fields, expression.clone(), false)).into());
        }
        let mut values = value::url_spellings(value);
        values.extend(escaped_twice(value));
        if ignore_slash {
            let bases = values.iter().map(|spelling| spelling.trim_end_matches('/'));
            let both: Vec<String> = bases.flat_map(|base| [base.to_owned(), format!("{base}/")]).collect();
            values.extend(both);
        }
        Ok(vec![Self::exact(&self.fields.url, values)])
    }

    /// An e-mail address.
    pub(super) fn email_addr(&self, value: &str) -> Draft {
        let value = required(value, "value")?;
        if !value.contains('@') {
            return Err(NotSearchable::Invalid { value: shown(value), expected: "an e-mail address" });
        }
        let mut queries = Self::folded(&self.fields.email, [value.to_owned()]);
        queries.push(Query::any_field(&self.fields.mailbox, mailbox(value)));
        queries.push(Self::either_case(&self.fields.login, value));
        Ok(queries)
    }

    /// An e-mail message: by subject, narrowed by the sender where it is known.
    pub(super) fn email_message(&self, message: &EmailMessage, references: &dyn Resolve) -> Draft {
        let subject = message.subject.as_deref().map(str::trim).filter(|subject| !subject.is_empty());
        let Some(subject) = subject else {
            return Err(NotSearchable::Missing("subject"));
        };
        let subject = Query::any(Self::folded(&self.fields.email_subject, [subject.to_owned()]));
        let mut all = vec![subject];
        if let Some(id) = message.from_ref.as_ref().or(message.sender_ref.as_ref()) {
            match references.resolve(id) {
                Some(Object::EmailAddr(sender)) if !self.fields.sender.is_empty() => {
                    let mut any = Self::folded(&self.fields.sender, [sender.value.clone()]);
                    any.push(Query::any_field(&self.fields.sender, mailbox(&sender.value)));
                    all.push(Query::any(any));
                }
                Some(Object::EmailAddr(_)) => {}
                Some(other) => {
                    let object_type = other.object_type().to_owned();
                    return Err(NotSearchable::ReferenceType { property: "from_ref", object_type });
                }
                None => return Err(NotSearchable::Unresolved { property: "from_ref", id: id.clone() }),
            }
        }
        Ok(vec![Query::all(all)])
    }

    /// A user agent.
    pub(super) fn user_agent(&self, value: &str) -> Draft {
        let value = required(value, "value")?;
        Ok(vec![Self::exact(&self.fields.user_agent, [value.to_owned()].into_iter().chain(escaped_twice(value)))])
    }
}

/// The value as it was written, where folding case is not enough to find it: other letters than ASCII have case too.
fn as_stored(value: &str) -> Option<String> {
    (!value.is_ascii()).then(|| value.trim_end_matches('.').to_owned())
}

/// An address in angle brackets, behind a display name or without one.
fn mailbox(address: &str) -> Clause {
    Clause::Wildcard { value: format!("*<{}>", escape_wildcard(address)), case_insensitive: true }
}

/// Path and query of a URL; `None` when there is nothing but a host.
fn path_and_query(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let slash = rest.find('/')?;
    // `http://h?u=/x` has no path either.
    if rest.get(..slash)?.contains(['?', '#']) {
        return None;
    }
    let path = rest.get(slash..)?;
    (path.len() > 1).then_some(path)
}

/// The value as the Windows event channel stores it, if that makes a difference.
fn escaped_twice(value: &str) -> Option<String> {
    value.contains(['\\', '"']).then(|| value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Used by the builders of other types for texts in fields of the event channel.
pub(super) fn both_notations(value: &str) -> impl Iterator<Item = String> {
    [Some(value.to_owned()), escaped_twice(value)].into_iter().flatten()
}

/// A clause for a text in any of the notations of alerts, in any case.
pub(super) fn folded_clauses(value: &str) -> impl Iterator<Item = Clause> {
    both_notations(value).map(Clause::folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_urls() {
        assert_eq!(path_and_query("https://shop.example.net:8443/cart/?id=7"), Some("/cart/?id=7"));
        for url in ["https://example.net", "https://example.net/", "http://h?u=http://x/y"] {
            assert_eq!(path_and_query(url), None, "{url}");
        }
    }
}
