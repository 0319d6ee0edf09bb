//! The places of a run, told apart by the identities that they become.
//!
//! The platform takes names that differ in case or in white space around them for one name, and an agent may be called as
//! an account or the SIEM is. What is counted at such places belongs to one identity, hence to one sighting.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use foldhash::fast::RandomState;
use stix_model::{Identifier, Timestamp};

use super::hits::{Findings, Hits};
use super::options::EnrichmentOptions;
use super::sighter::Sighter;

/// The identity of each place that is named anywhere, and which of them stands for others.
#[derive(Debug)]
pub(crate) struct Identities {
    ids: BTreeMap<Sighter, Identifier>,
    /// Places that are told by another name of the same identity: the first one in the order of output.
    renamed: BTreeMap<Sighter, Sighter>,
}

impl Identities {
    /// Those of the SIEM, of all findings, and of the places where inventories say that something is.
    pub(crate) fn of(findings: &Findings<'_>, installed_at: &[Sighter], options: &EnrichmentOptions) -> Self {
        let mut named: hashbrown::HashSet<&Sighter, RandomState> = hashbrown::HashSet::default();
        named.insert(&Sighter::Siem);
        named.extend(installed_at);
        for hits in all_hits(findings) {
            named.extend(hits.groups.iter().map(|group| &group.sighter));
            named.extend(hits.documents.iter().map(|document| &document.sighter));
        }
        let mut named: Vec<&Sighter> = named.into_iter().collect();
        named.sort_unstable();
        let mut first: BTreeMap<Identifier, &Sighter> = BTreeMap::new();
        let (mut ids, mut renamed) = (BTreeMap::new(), BTreeMap::new());
        for sighter in named {
            let id = sighter.identity(options, &[]).id().clone();
            if let Some(other) = first.get(&id) {
                renamed.insert(sighter.clone(), (*other).clone());
            } else {
                first.insert(id.clone(), sighter);
                ids.insert(sighter.clone(), id);
            }
        }
        Self { ids, renamed }
    }

    /// The findings with one place per identity: what was counted under several of its names is added up.
    pub(crate) fn together<'f, 'a>(
        &self,
        findings: &'f Findings<'a>,
        installed_at: &mut [Sighter],
    ) -> Cow<'f, Findings<'a>> {
        if self.renamed.is_empty() {
            return Cow::Borrowed(findings);
        }
        for sighter in installed_at {
            self.rename(sighter);
        }
        let mut findings = findings.clone();
        for hits in findings.targets.iter_mut().map(|(_, hits)| hits).chain(&mut findings.all) {
            hits.rename(|sighter| self.rename(sighter));
        }
        Cow::Owned(findings)
    }

    fn rename(&self, sighter: &mut Sighter) {
        if let Some(other) = self.renamed.get(sighter) {
            sighter.clone_from(other);
        }
    }
}

fn all_hits<'f, 'a>(findings: &'f Findings<'a>) -> impl Iterator<Item = &'f Hits<'a>> {
    findings.targets.iter().map(|(_, hits)| hits).chain(&findings.all)
}

/// The places where something was seen, each with the numbers of its agents and the first time it saw something.
#[derive(Debug)]
pub(crate) struct Places<'r> {
    ids: &'r Identities,
    pub seen: BTreeMap<&'r Sighter, Place<'r>>,
}

/// What is known of a place.
#[derive(Debug, Default)]
pub(crate) struct Place<'r> {
    pub agents: BTreeSet<&'r str>,
    pub first: Option<Timestamp>,
}

impl<'r> Places<'r> {
    pub(crate) fn new(ids: &'r Identities) -> Self {
        Self { ids, seen: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, sighter: &'r Sighter, agent: Option<&'r str>, first: Option<Timestamp>) {
        let place = self.seen.entry(sighter).or_default();
        place.agents.extend(agent.filter(|_| matches!(sighter, Sighter::Agent(_))));
        place.first = place.first.into_iter().chain(first).min();
    }

    /// The identifiers of these places.
    pub(crate) fn identities(&self) -> BTreeMap<&'r Sighter, Identifier> {
        let known = |sighter: &&'r Sighter| Some((*sighter, self.ids.ids.get(*sighter)?.clone()));
        self.seen.keys().filter_map(known).collect()
    }
}
