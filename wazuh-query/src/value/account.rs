//! Logins.

use std::borrow::Cow;

use super::path::normalize_path;

/// A login, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account<'a> {
    /// The login as written, with single backslashes and without `(uid=…)`.
    pub login: Cow<'a, str>,
    /// The number in `name(uid=1003)`.
    pub user_id: Option<&'a str>,
}

impl<'a> Account<'a> {
    /// Reads a login. `None` for the placeholders that producers write when there is no user.
    pub fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if matches!(text, "" | "-" | "(null)" | "(NULL)" | "null" | "?" | "N/A" | "n/a" | "unset") {
            return None;
        }
        if let Some((name, rest)) = text.split_once('(')
            && let Some(user_id) = rest.strip_prefix("uid=").and_then(|rest| rest.strip_suffix(')'))
            && !user_id.is_empty()
            && user_id.bytes().all(|byte| byte.is_ascii_digit())
        {
            let login = name.trim();
            return (!login.is_empty()).then(|| Self { login: login.into(), user_id: Some(user_id) });
        }
        Some(Self { login: normalize_path(text), user_id: None })
    }

    /// The login without domain or realm: `kim` of `CORP\kim` and of `kim@corp.example`.
    pub fn bare_name(&self) -> &str {
        let login: &str = &self.login;
        let login = login.rsplit('\\').next().unwrap_or(login);
        match login.split_once('@') {
            Some((name, _realm)) if !name.is_empty() => name,
            _ => login,
        }
    }

    /// The domain of `CORP\kim`.
    pub fn domain(&self) -> Option<&str> {
        self.login.rsplit_once('\\').map(|(domain, _name)| domain).filter(|domain| !domain.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let account = Account::read("kim(uid=1003)").unwrap();
        assert_eq!((&*account.login, account.user_id), ("kim", Some("1003")));
        let account = Account::read(r"CORP\\kim").unwrap();
        assert_eq!((&*account.login, account.bare_name(), account.domain()), (r"CORP\kim", "kim", Some("CORP")));
        let account = Account::read("kim@corp.example").unwrap();
        assert_eq!(account.bare_name(), "kim");
        assert_eq!(Account::read("(uid=0)"), None);
        assert_eq!(Account::read("-"), None);
        assert_eq!(&*Account::read("odd(name").unwrap().login, "odd(name");
    }
}
