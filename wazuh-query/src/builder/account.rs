//! User accounts.

use stix_model::sco::UserAccount;

use super::{Draft, NotSearchable, Note, Query, QueryBuilder};
use crate::dsl::Clause;
use crate::value::{self, Account};

/// Accounts that every machine has: to find them says nothing.
const EVERYWHERE: &[&str] = &["0", "S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-0-0", "S-1-1-0", "S-1-5-7"];

impl QueryBuilder {
    /// An account: by its login, or by an identifier that is its own.
    pub(super) fn user_account(&self, account: &UserAccount, notes: &mut Vec<Note>) -> Draft {
        let given =
            |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let login = given(&account.account_login);
        let login = login.as_deref().and_then(Account::read);
        // `kim(uid=1003)` carries the number itself.
        let embedded = login.as_ref().and_then(|login| login.user_id).map(str::to_owned);
        let user_id = embedded.or_else(|| given(&account.user_id));
        let mut queries = Vec::new();
        if let Some(login) = &login {
            queries.extend(self.login(login, user_id.as_deref()));
        }
        if let Some(user_id) = user_id {
            if value::is_sid(&user_id) {
                if !EVERYWHERE.contains(&user_id.as_str()) {
                    queries.extend(Self::folded(&self.fields.sid, [user_id]));
                } else if login.is_none() {
                    return Err(NotSearchable::TooBroad("every machine has this account"));
                }
            } else if login.is_some() {
                // Numbers are given per machine: beside a name they would find other people.
                notes.push(Note::NotRequired("user_id"));
            } else if EVERYWHERE.contains(&user_id.as_str()) {
                return Err(NotSearchable::TooBroad("every machine has this account"));
            } else {
                queries.push(Self::exact(&self.fields.user_id, [user_id]));
            }
        }
        if queries.is_empty() { Err(NotSearchable::Missing("account_login and no user_id")) } else { Ok(queries) }
    }

    fn login(&self, login: &Account<'_>, user_id: Option<&str>) -> Vec<Query> {
        let full = login.login.to_string();
        let doubled = full.replace('\\', "\\\\");
        let bare = login.bare_name().to_owned();
        let is_number = |user_id: &&str| user_id.bytes().all(|byte| byte.is_ascii_digit());
        let with_number = user_id.filter(is_number).map(|user_id| format!("{bare}(uid={user_id})"));
        let mut queries =
            Self::folded(&self.fields.user_name, [full, doubled, bare.clone()].into_iter().chain(with_number));
        if user_id.is_none() {
            let any_number = Clause::Prefix { value: format!("{bare}(uid="), case_insensitive: true };
            queries.push(Query::any_field(&self.fields.user_name, any_number));
        }
        queries
    }
}
