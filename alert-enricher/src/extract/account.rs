//! User accounts.

use stix_model::Identifier;
use stix_model::sco::UserAccount;
use wazuh_query::catalogue::{FieldId, Holds, Role};
use wazuh_query::value::{Reading, read};

use super::group::Group;
use super::{ExtractType, Work, is_placeholder};

/// What a group tells about one account.
#[derive(Default)]
struct Draft {
    login: Option<String>,
    user_id: Option<String>,
    domain: Option<String>,
    fields: Vec<FieldId>,
}

impl<'a> Work<'_, 'a, '_> {
    /// The accounts of a group, one per role: the owner before and after a change are two people. Answers the
    /// account that acts.
    pub(super) fn account(&mut self, group: &Group<'a>) -> Option<Identifier> {
        if !self.wants(ExtractType::UserAccount) {
            return None;
        }
        let mut drafts: Vec<(Role, Draft)> = Vec::new();
        for leaf in &group.leaves {
            let is_account = matches!(
                leaf.holds,
                Holds::UserName | Holds::UserId | Holds::UserDomain | Holds::Sid | Holds::EmailOrUser
            );
            if !is_account || is_placeholder(leaf.text) {
                continue;
            }
            let place = drafts.iter().position(|(role, _)| *role == leaf.role).unwrap_or_else(|| {
                drafts.push((leaf.role, Draft::default()));
                drafts.len() - 1
            });
            let draft = &mut drafts[place].1;
            let mut another = None;
            read(leaf.holds, leaf.text, &mut |reading| {
                another = draft.take(leaf.holds, leaf.field, reading);
            });
            // Two logins in one group are two accounts.
            drafts.extend(another.map(|draft| (Role::None, draft)));
        }
        let mut actor = None;
        for (role, draft) in drafts {
            let Some(id) = draft.finish().map(|(account, fields)| self.add(account, fields)) else { continue };
            if role != Role::Before {
                actor.get_or_insert(id);
            }
        }
        actor
    }
}

impl Draft {
    /// Takes a reading in. A login beside another one is returned as a draft of its own.
    fn take(&mut self, holds: Holds, field: FieldId, reading: Reading<'_>) -> Option<Self> {
        match reading {
            Reading::Account(account) => {
                let login = account.login.clone().into_owned();
                let user_id = account.user_id.map(str::to_owned);
                if self.login.as_ref().is_some_and(|known| *known != login) {
                    return Some(Self { login: Some(login), user_id, domain: None, fields: vec![field] });
                }
                self.login = Some(login);
                self.user_id = user_id.or(self.user_id.take());
                self.fields.push(field);
            }
            Reading::Sid(sid) => {
                self.user_id.get_or_insert_with(|| sid.to_owned());
                self.fields.push(field);
            }
            Reading::Text(text) if holds == Holds::UserId => {
                self.user_id.get_or_insert_with(|| text.into_owned());
                self.fields.push(field);
            }
            Reading::Text(text) if holds == Holds::UserDomain => {
                self.domain.get_or_insert_with(|| text.into_owned());
            }
            _ => {}
        }
        None
    }

    fn finish(self) -> Option<(UserAccount, Vec<FieldId>)> {
        let Self { login, user_id, domain, fields } = self;
        if login.is_none() && user_id.is_none() {
            return None;
        }
        let display_name = match (&login, domain) {
            (Some(login), Some(domain)) if !login.contains(['\\', '@']) => Some(format!("{domain}\\{login}")),
            _ => None,
        };
        let account = UserAccount { account_login: login, user_id, display_name, ..UserAccount::default() };
        Some((account.identified(), fields))
    }
}
