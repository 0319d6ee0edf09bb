//! Links into the dashboard.

/// Addresses of pages of the Wazuh dashboard.
///
/// The page of an alert and of a rule are templates below [`app_url`](Self::app_url), since dashboards differ: `{index}`,
/// `{id}` and `{rule}` are replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// Where the dashboard is, with its path if it has one. A slash at the end does not matter.
    pub app_url: String,
    /// The index pattern that the dashboard shows.
    pub index: String,
    /// The page of an alert.
    pub alert: String,
    /// The page of a rule.
    pub rule: String,
}

impl Links {
    /// The page of an alert in dashboards of Wazuh 4.x: the document in its context.
    pub const ALERT: &str = "app/discover#/context/{index}/{id}?_a=(columns:!(_source),filters:!())";
    /// The page of a rule in dashboards of Wazuh 4.8 and later. Earlier ones have it at
    /// `app/wazuh#/manager/?tab=rules&redirectRule={rule}`.
    pub const RULE: &str = "app/rules#/manager/?tab=rules&redirectRule={rule}";

    /// Links into the dashboard at `app_url`.
    pub fn new(app_url: impl Into<String>) -> Self {
        Self {
            app_url: app_url.into(),
            index: "wazuh-alerts-*".to_owned(),
            alert: Self::ALERT.to_owned(),
            rule: Self::RULE.to_owned(),
        }
    }

    /// The page of the alert with this `_id`.
    pub fn alert(&self, id: &str) -> String {
        self.page(&self.alert, &[("{index}", &self.index), ("{id}", id)])
    }

    /// The page of the rule with this identifier.
    pub fn rule(&self, rule: &str) -> String {
        self.page(&self.rule, &[("{rule}", rule)])
    }

    fn page(&self, template: &str, values: &[(&str, &str)]) -> String {
        let mut page = String::with_capacity(self.app_url.len() + template.len() + 64);
        page.push_str(self.app_url.trim_end_matches('/'));
        page.push('/');
        let mut rest = template.trim_start_matches('/');
        while let Some(start) = rest.find('{') {
            let (before, from) = rest.split_at(start);
            page.push_str(before);
            let value = values.iter().find(|(name, _)| from.starts_with(name));
            let Some((name, value)) = value else {
                page.push('{');
                rest = &from[1..];
                continue;
            };
            encode(value, &mut page);
            rest = &from[name.len()..];
        }
        page.push_str(rest);
        page
    }
}

/// Percent-encodes what could end the part of a URL that the value stands in, or a link in Markdown.
fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'*' | b',' => {
                out.push(char::from(byte));
            }
            _ => {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(char::from(DIGITS[usize::from(byte >> 4)]));
                out.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-80: a path without a slash at its end is lost, the index pattern is fixed, the route is old.
    #[test]
    fn b_80_links_keep_the_path_and_are_settings() {
        for url in ["https://siem.example.org/wazuh", "https://siem.example.org/wazuh/"] {
            let links = Links::new(url);
            assert_eq!(
                links.alert("Ab_-9"),
                "https://siem.example.org/wazuh/app/discover#/context/wazuh-alerts-*/Ab_-9?_a=(columns:!(_source),filters:!())"
            );
            assert_eq!(
                links.rule("5710"),
                "https://siem.example.org/wazuh/app/rules#/manager/?tab=rules&redirectRule=5710"
            );
        }
        let links = Links {
            index: "soc:wazuh-alerts-4.x-*".to_owned(),
            rule: "/r/{rule}/{other}".to_owned(),
            ..Links::new("https://h")
        };
        assert!(links.alert("x").contains("/soc%3Awazuh-alerts-4.x-*/x?"));
        assert_eq!(links.rule("5710"), "https://h/r/5710/{other}");
    }

    #[test]
    fn hostile_identifiers_stay_in_their_place() {
        let link = Links::new("https://h").alert("a/../?b#c) [x](http://evil)\n{index}");
        let tail = link.strip_prefix("https://h/app/discover#/context/wazuh-alerts-*/").unwrap();
        let id = tail.split('?').next().unwrap();
        assert_eq!(id, "a%2F..%2F%3Fb%23c%29%20%5Bx%5D%28http%3A%2F%2Fevil%29%0A%7Bindex%7D");
    }
}
