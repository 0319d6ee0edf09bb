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
    account: UserAccount,
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
                if self.account.account_login.as_ref().is_some_and(|known| *known != login) {
                    let mut other = Self::default();
                    other.account.account_login = Some(login);
                    other.account.user_id = account.user_id.map(str::to_owned);
                    other.fields.push(field);
                    return Some(other);
                }
                self.account.account_login = Some(login);
                if let Some(user_id) = account.user_id {
                    self.account.user_id = Some(user_id.to_owned());
                }
                self.fields.push(field);
            }
            Reading::Sid(sid) => {
                self.account.user_id.get_or_insert(sid.to_owned());
                self.fields.push(field);
            }
            Reading::Text(text) if holds == Holds::UserId => {
                self.account.user_id.get_or_insert(text.into_owned());
                self.fields.push(field);
            }
            Reading::Text(text) if holds == Holds::UserDomain => {
                self.domain.get_or_insert(text.into_owned());
            }
            _ => {}
        }
        None
    }

    fn finish(self) -> Option<(UserAccount, Vec<FieldId>)> {
        let Self { mut account, domain, fields } = self;
        if account.account_login.is_none() && account.user_id.is_none() {
            return None;
        }
        if let (Some(login), Some(domain)) = (&account.account_login, domain)
            && !login.contains(['\\', '@'])
        {
            account.display_name = Some(format!("{domain}\\{login}"));
        }
        Some((account.identified(), fields))
    }
}
