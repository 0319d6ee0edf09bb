//! What a search found: exact counts of everything, and some of the alerts.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet, btree_map};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use stix_model::{Identifier, Timestamp};
use wazuh_query::alert::Alert;
use wazuh_query::catalogue::{Catalogue, Holds, Schema};
use wazuh_query::dsl::Aggregation;
use wazuh_query::value::trim;

use super::options::EnrichmentOptions;
use super::sighter::{Origin, Sighter, account_fields};

/// How often something was seen, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// When first.
    pub first: Option<Timestamp>,
    /// When last.
    pub last: Option<Timestamp>,
}

impl Tally {
    /// Adds up.
    pub fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.widen(other);
    }

    /// Extends the time only.
    fn widen(&mut self, other: Self) {
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.into_iter().chain(other.last).max();
    }
}

/// Whether a vulnerability is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It is.
    Active,
    /// It was resolved.
    Solved,
}

impl Status {
    /// By the field, or by the rule: alerts of Wazuh before 4.8 have no status.
    fn of(status: Option<&str>, rule: &str) -> Option<Self> {
        match status.map(str::trim) {
            Some(status) if status.eq_ignore_ascii_case("active") => Some(Self::Active),
            Some(status) if status.eq_ignore_ascii_case("solved") || status.eq_ignore_ascii_case("obsolete") => {
                Some(Self::Solved)
            }
            _ => match rule {
                "23503" | "23504" | "23505" | "23506" => Some(Self::Active),
                // 23507: all vulnerabilities of an agent were cleared.
                "23502" | "23507" => Some(Self::Solved),
                _ => None,
            },
        }
    }
}

/// The alerts of one rule at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Where.
    pub sighter: Sighter,
    /// The agent's number, where there is one.
    pub agent_id: Option<String>,
    /// The rule's identifier as text, however it was written.
    pub rule: String,
    /// The rule's level, 0 to 16.
    pub level: u8,
    /// What the rule says.
    pub description: String,
    /// What a vulnerability's alert says about it.
    pub status: Option<Status>,
    /// How often, and when.
    pub tally: Tally,
}

/// One alert.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    /// The index or file that it came from.
    pub index: &'a str,
    /// Its identifier there.
    pub id: &'a str,
    /// Where it was raised.
    pub sighter: Sighter,
    /// What is in it. It is large, and shared by what is made of a document.
    pub alert: Arc<Alert<'a>>,
    /// Its text.
    pub source: &'a str,
}

impl Document<'_> {
    /// The rule's identifier, empty if there is none.
    pub fn rule(&self) -> &str {
        self.alert.rule.id.as_deref().unwrap_or_default()
    }

    /// The rule's level, 0 if there is none.
    pub fn level(&self) -> u8 {
        self.alert.rule.level.map_or(0, wazuh_query::alert::RuleLevel::number)
    }

    /// What the rule says.
    pub fn description(&self) -> &str {
        self.alert.rule.description.as_deref().unwrap_or_default()
    }

    /// When it was raised; the epoch if it does not say.
    pub fn time(&self) -> Timestamp {
        self.alert.timestamp.unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// What a search for one indicator or observable found.
#[derive(Clone, Debug, Default)]
pub struct Hits<'a> {
    /// All alerts, those of excluded rules included.
    pub total: u64,
    /// The counts, by place and rule; without excluded rules.
    pub groups: Vec<Group>,
    /// Some alerts, the earliest first; without excluded rules.
    pub documents: Vec<Document<'a>>,
    /// Documents that were returned, those that could not be used included.
    pub returned: u64,
    /// Whether the counts are lower bounds: a part of the data did not answer, or counts had to be guessed.
    pub at_least: bool,
    /// Documents that could not be read.
    pub unreadable: u64,
}

impl Hits<'_> {
    /// Whether nothing is left, be it that nothing was found or that everything is of excluded rules.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// How many alerts there are, without those of excluded rules.
    pub fn count(&self) -> u64 {
        self.groups.iter().map(|group| group.tally.count).sum()
    }

    /// Calls places by other names; groups that become the same are added up.
    pub(crate) fn rename(&mut self, rename: impl Fn(&mut Sighter)) {
        let mut groups = Groups::default();
        for mut group in self.groups.drain(..) {
            rename(&mut group.sighter);
            groups.add(group);
        }
        self.groups = groups.finish();
        for document in &mut self.documents {
            rename(&mut document.sighter);
        }
    }

    /// Alerts that were not returned.
    pub fn beyond(&self) -> u64 {
        self.total.saturating_sub(self.returned)
    }
}

/// One bucket of the aggregation, as any store answers it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// The values of the fields, in their order; numbers as text.
    pub key: Vec<Option<String>>,
    /// How often, and when.
    pub tally: Tally,
}

/// How a search answered, beside what it found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchFacts {
    /// How long it took.
    pub took: Duration,
    /// How many documents were asked for at most.
    pub limit: u64,
    /// From when on alerts were searched.
    pub since: Option<Timestamp>,
    /// What had to match beside the entity, as text.
    pub include: Vec<String>,
    /// What must not match, as text.
    pub exclude: Vec<String>,
    /// Why a part of the data did not answer, if so.
    pub failures: Vec<String>,
    /// Parts of the entity that could not be searched, with the reason.
    pub not_searched: Vec<String>,
}

/// A present state in the inventory of an agent: a vulnerability that is there now, software that is installed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The agent's number.
    pub agent_id: String,
    /// The agent's name.
    pub agent_name: String,
    /// Name and version of the package.
    pub package: Option<(String, Option<String>)>,
    /// Since when it is known.
    pub since: Option<Timestamp>,
    /// The CVSS base score of the vulnerability.
    pub score: Option<f64>,
}

/// Everything that was found for an entity.
#[derive(Clone, Debug, Default)]
pub struct Findings<'a> {
    /// What each indicator and observable was found in, in the order of the plan.
    pub targets: Vec<(Identifier, Hits<'a>)>,
    /// What all of them together were found in, if it was asked for. Several targets are found in the same alerts, so
    /// their counts cannot be added up; without this, counts of incidents are lower bounds.
    pub all: Option<Hits<'a>>,
    /// Present states of the entity; `None` if the inventory was not asked.
    pub states: Option<Vec<State>>,
    /// How the search answered.
    pub search: SearchFacts,
}

/// Makes [`Hits`] of what a store answers.
#[derive(Clone, Debug)]
pub struct HitReader<'c> {
    catalogue: &'c Catalogue,
    options: &'c EnrichmentOptions,
    /// The services behind the fields of accounts, and their fields.
    accounts: Vec<(String, String)>,
    status: Option<String>,
}

impl<'c> HitReader<'c> {
    /// Fields that [`SearchProfile::aggregation`](wazuh_query::profile::SearchProfile::aggregation) counts by: number
    /// and name of the agent; identifier, level and description of the rule.
    const ENVELOPE: usize = 5;

    /// A reader of alerts of `schema`.
    pub fn new(catalogue: &'c Catalogue, options: &'c EnrichmentOptions, schema: Schema) -> Self {
        let accounts = account_fields(catalogue, schema);
        let accounts = accounts.map(|field| (field.decoder.to_string(), field.path.to_string())).collect();
        let status = catalogue.select(schema, |field| field.holds == Holds::VulnerabilityStatus).next();
        Self { catalogue, options, accounts, status: status.map(|field| field.path.to_string()) }
    }

    /// The aggregation of a search profile, which also tells accounts at services and the state of vulnerabilities
    /// apart.
    pub fn aggregation(&self, of_profile: Aggregation) -> Aggregation {
        match of_profile {
            Aggregation::Buckets { mut fields, timestamp, size, after } => {
                fields.extend(self.accounts.iter().map(|(_, path)| path.clone()));
                fields.extend(self.status.clone());
                Aggregation::Buckets { fields, timestamp, size, after }
            }
            other => other,
        }
    }

    /// Reads an answer: how many alerts there are in all, the buckets of [`aggregation`](Self::aggregation), and the
    /// index, identifier and text of each alert that was returned.
    ///
    /// An alert that cannot be read is counted and costs nothing else. Without buckets the counts are those of the
    /// alerts, and lower bounds if not all of them were returned.
    pub fn read<'a>(
        &self,
        total: u64,
        buckets: impl IntoIterator<Item = Bucket>,
        documents: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    ) -> Hits<'a> {
        let mut hits = Hits { total, ..Hits::default() };
        let mut groups = Groups::default();
        let mut is_counted = false;
        for bucket in buckets {
            is_counted = true;
            if let Some(group) = self.group(&bucket) {
                groups.add(group);
            }
        }
        let documents = documents.into_iter();
        // More alerts than this are not asked for at once.
        hits.documents.reserve(documents.size_hint().0.min(10_000));
        let mut seen: hashbrown::HashSet<(&str, &str), RandomState> = hashbrown::HashSet::default();
        for (index, id, source) in documents {
            hits.returned += 1;
            let Ok(alert) = Alert::read(source, self.catalogue) else {
                hits.unreadable += 1;
                continue;
            };
            let rule = trim(alert.rule.id.as_deref().unwrap_or_default());
            if self.options.rule_exclude_list.contains(rule) || !seen.insert((index, id)) {
                continue;
            }
            let sighter = Sighter::new(Origin::of(&alert, self.catalogue), self.options);
            hits.documents.push(Document { index, id, sighter, alert: Arc::new(alert), source });
        }
        sort(&mut hits.documents);
        if !is_counted {
            for document in &hits.documents {
                self.count(document, &mut groups);
            }
            hits.at_least = hits.returned < total;
        }
        hits.groups = groups.finish();
        hits
    }

    /// Reads the answer of an alert store.
    #[cfg(feature = "store")]
    pub fn response<'a>(&self, response: &'a wazuh_query::store::SearchResponse) -> Hits<'a> {
        let buckets = response.buckets.iter().map(|bucket| Bucket {
            key: (0..bucket.key.len()).map(|place| bucket.text(place)).collect(),
            tally: Tally { count: bucket.count, first: bucket.first_seen, last: bucket.last_seen },
        });
        let documents = response.hits.iter().map(|hit| (hit.index.as_str(), hit.id.as_str(), hit.source.get()));
        let mut hits = self.read(response.total, buckets, documents);
        hits.at_least |= response.is_partial();
        hits
    }

    fn group(&self, bucket: &Bucket) -> Option<Group> {
        let key = |place: usize| bucket.key.get(place)?.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let rule = key(2).unwrap_or_default().to_owned();
        if self.options.rule_exclude_list.contains(&rule) {
            return None;
        }
        let account = self
            .accounts
            .iter()
            .enumerate()
            .find_map(|(place, (service, _))| Some((service.as_str(), key(Self::ENVELOPE + place)?)));
        let origin = Origin { agent_id: key(0), agent_name: key(1), account };
        let status = self.status.as_ref().and_then(|_| key(Self::ENVELOPE + self.accounts.len()));
        let level = key(3).and_then(wazuh_query::alert::RuleLevel::read);
        Some(Group {
            sighter: Sighter::new(origin, self.options),
            agent_id: origin.agent_id.map(str::to_owned),
            status: Status::of(status, &rule),
            rule,
            level: level.map_or(0, wazuh_query::alert::RuleLevel::number),
            description: key(4).unwrap_or_default().to_owned(),
            tally: bucket.tally,
        })
    }

    /// Counts an alert to the group that it belongs to.
    fn count(&self, document: &Document<'_>, groups: &mut Groups) {
        let alert = &document.alert;
        let is_status = |field| self.catalogue.field(field).holds == Holds::VulnerabilityStatus;
        let status = alert.leaves.iter().find(|leaf| is_status(leaf.field)).map(|leaf| &*leaf.text);
        let rule = trim(document.rule());
        let status = Status::of(status, rule);
        let key = Key { sighter: &document.sighter, rule, status, agent_id: alert.agent.id.as_deref() };
        let tally = Tally { count: 1, first: alert.timestamp, last: alert.timestamp };
        if let Some(known) = groups.known(key) {
            known.tally.add(tally);
            known.take(document.level(), document.description());
            return;
        }
        groups.push(Group {
            sighter: document.sighter.clone(),
            agent_id: alert.agent.id.as_deref().map(str::to_owned),
            status,
            rule: rule.to_owned(),
            level: document.level(),
            description: document.description().to_owned(),
            tally,
        });
    }
}

impl Group {
    /// Takes in what another alert or bucket of the same group says: the highest level, and what all descriptions have
    /// in common.
    fn take(&mut self, level: u8, description: &str) {
        self.level = self.level.max(level);
        if self.description != description {
            self.description = in_common(&self.description, description);
        }
    }

    fn key(&self) -> Key<'_> {
        let Self { sighter, rule, status, agent_id, .. } = self;
        Key { sighter, rule, status: *status, agent_id: agent_id.as_deref() }
    }
}

/// What makes a group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key<'a> {
    sighter: &'a Sighter,
    rule: &'a str,
    status: Option<Status>,
    agent_id: Option<&'a str>,
}

/// Groups in the making. They are found by what is in them, so nothing is kept twice.
#[derive(Debug, Default)]
struct Groups {
    made: Vec<Group>,
    places: HashTable<usize>,
    hasher: RandomState,
}

impl Groups {
    fn known(&mut self, key: Key<'_>) -> Option<&mut Group> {
        let is_it = |place: &usize| self.made.get(*place).is_some_and(|group| group.key() == key);
        let place = *self.places.find(self.hasher.hash_one(key), is_it)?;
        self.made.get_mut(place)
    }

    fn push(&mut self, group: Group) {
        let Self { made, places, hasher } = self;
        let place = made.len();
        made.push(group);
        let hash = |place: &usize| made.get(*place).map_or(0, |group| hasher.hash_one(group.key()));
        places.insert_unique(hash(&place), place, hash);
    }

    fn add(&mut self, group: Group) {
        match self.known(group.key()) {
            Some(known) => {
                known.tally.add(group.tally);
                known.take(group.level, &group.description);
            }
            None => self.push(group),
        }
    }

    /// The groups, by place and rule.
    fn finish(mut self) -> Vec<Group> {
        self.made.sort_unstable_by(|one, other| one.key().cmp(&other.key()));
        self.made
    }
}

/// What two texts begin with, with a mark where they part.
pub(crate) fn in_common(one: &str, other: &str) -> String {
    const MARK: &str = "[…]";
    if one == other {
        return one.to_owned();
    }
    let one = one.strip_suffix(MARK).unwrap_or(one);
    let other = other.strip_suffix(MARK).unwrap_or(other);
    let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other);
    let length: usize = same.map(|(char, _)| char.len_utf8()).sum();
    format!("{}{MARK}", &one[..length])
}

/// The alerts of one rule, at all the places that are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleSeen<'g> {
    pub level: u8,
    pub description: Cow<'g, str>,
    pub tally: Tally,
}

/// The alerts at one place, or at several: in all, and by rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen<'g> {
    pub tally: Tally,
    pub rules: BTreeMap<&'g str, RuleSeen<'g>>,
}

impl<'g> Seen<'g> {
    pub(crate) fn of(groups: impl IntoIterator<Item = &'g Group>) -> Self {
        let mut seen = Self::default();
        for group in groups {
            seen.tally.add(group.tally);
            match seen.rules.entry(&group.rule) {
                btree_map::Entry::Vacant(entry) => {
                    let Group { level, description, tally, .. } = group;
                    entry.insert(RuleSeen { level: *level, description: Cow::Borrowed(description), tally: *tally });
                }
                btree_map::Entry::Occupied(mut entry) => {
                    let rule = entry.get_mut();
                    rule.tally.add(group.tally);
                    rule.level = rule.level.max(group.level);
                    if rule.description != group.description {
                        rule.description = in_common(&rule.description, &group.description).into();
                    }
                }
            }
        }
        seen
    }

    /// The highest level of its rules.
    pub(crate) fn level(&self) -> u8 {
        self.rules.values().map(|rule| rule.level).max().unwrap_or(0)
    }
}

/// Sorts alerts by time and identifier. They are large, so their places are sorted, and each is moved once.
fn sort(documents: &mut [Document<'_>]) {
    documents.sort_by_cached_key(|document| (document.time(), document.id));
}

/// What several targets were found in together.
///
/// Where every alert of every target was returned, alerts are counted one by one. Otherwise the same alerts may be behind
/// the counts of several targets, and the highest of them is certain.
pub(crate) fn union<'a>(targets: &[(Identifier, Hits<'a>)], reader: &HitReader<'_>) -> Hits<'a> {
    let mut all = Hits::default();
    let mut places: HashSet<(&str, &str)> = HashSet::new();
    for (_, hits) in targets {
        all.at_least |= hits.at_least;
        all.unreadable += hits.unreadable;
        for document in &hits.documents {
            if places.insert((document.index, document.id)) {
                all.documents.push(document.clone());
            }
        }
    }
    sort(&mut all.documents);
    let is_complete = |hits: &Hits<'_>| {
        let counted: u64 = hits.groups.iter().map(|group| group.tally.count).sum();
        counted == hits.documents.len() as u64
    };
    let mut groups = Groups::default();
    if targets.iter().all(|(_, hits)| is_complete(hits)) {
        for document in &all.documents {
            reader.count(document, &mut groups);
        }
    } else {
        for group in targets.iter().flat_map(|(_, hits)| &hits.groups) {
            match groups.known(group.key()) {
                None => groups.push(group.clone()),
                Some(known) => {
                    all.at_least = true;
                    known.tally.count = known.tally.count.max(group.tally.count);
                    known.tally.widen(group.tally);
                    known.take(group.level, &group.description);
                }
            }
        }
    }
    all.groups = groups.finish();
    all.total = all.groups.iter().map(|group| group.tally.count).sum();
    all.returned = all.documents.len() as u64 + all.unreadable;
    all
}

#[cfg(test)]
mod tests {
    use stix_model::Tlp;

    use super::*;

    fn options() -> EnrichmentOptions {
        EnrichmentOptions::new(Tlp::Amber, "https://siem.example.org")
    }

    fn alert(id: u32, time: &str, rule: &str, level: u8, agent: &str) -> (String, String) {
        let text = serde_json::json!({
            "timestamp": time, "id": format!("1.{id}"),
            "rule": {"id": rule, "level": level, "description": format!("rule {rule} no {id}")},
            "agent": {"id": "001", "name": agent}, "data": {"srcip": "198.51.100.7"},
        });
        (format!("doc{id}"), text.to_string())
    }

    fn bucket(key: &[Option<&str>], count: u64) -> Bucket {
        Bucket {
            key: key.iter().map(|text| text.map(str::to_owned)).collect(),
            tally: Tally { count, ..Tally::default() },
        }
    }

    #[test]
    fn counts_come_from_buckets() {
        let (catalogue, options) = (Catalogue::builtin(), options());
        let reader = HitReader::new(&catalogue, &options, Schema::Wazuh4);
        let (id, text) = alert(1, "2026-03-14T09:26:53.589+0000", "5710", 5, "web01");
        let key = |rule, description| [Some("001"), Some("web01"), Some(rule), Some("5"), Some(description)];
        let buckets =
            [bucket(&key("5710", "login of kim"), 70), bucket(&key("5710", "login of kai"), 30), bucket(&[None; 5], 3)];
        let hits = reader.read(103, buckets, [("i", id.as_str(), text.as_str())]);
        let found: Vec<_> = hits
            .groups
            .iter()
            .map(|group| (group.rule.as_str(), group.tally.count, group.description.as_str()))
            .collect();
        assert_eq!(found, [("", 3, ""), ("5710", 100, "login of k[…]")]);
        assert_eq!((hits.beyond(), hits.at_least), (102, false));
        let Aggregation::Buckets { fields, .. } = reader.aggregation(Aggregation::Buckets {
            fields: vec!["x".to_owned()],
            timestamp: "t".to_owned(),
            size: 1,
            after: None,
        }) else {
            panic!()
        };
        assert!(fields.contains(&"data.github.org".to_owned()));
        assert_eq!(fields.last().map(String::as_str), Some("data.vulnerability.status"));
    }

    #[test]
    fn accounts_are_told_apart_in_buckets() {
        let (catalogue, options) = (Catalogue::builtin(), options());
        let reader = HitReader::new(&catalogue, &options, Schema::Wazuh4);
        let place = reader.accounts.iter().position(|(service, _)| service == "github").unwrap();
        let mut key = vec![Some("000"), Some("manager"), Some("91101"), Some("3"), Some("x")];
        key.resize(HitReader::ENVELOPE + place, None);
        key.push(Some("example"));
        let hits = reader.read(4, [bucket(&key, 4)], []);
        assert_eq!(hits.groups[0].sighter, Sighter::Account("github".to_owned(), "example".to_owned()));
    }

    /// B-28: rules are excluded however their identifiers are written. B-81: a broken alert costs itself.
    #[test]
    fn b_28_b_81_excluded_and_broken_alerts() {
        let catalogue = Catalogue::builtin();
        let options = EnrichmentOptions { rule_exclude_list: ["5503".to_owned()].into(), ..options() };
        let reader = HitReader::new(&catalogue, &options, Schema::Wazuh4);
        let as_number = r#"{"rule":{"id":5503,"level":5},"agent":{"id":"001","name":"web01"}}"#;
        let as_text = r#"{"rule":{"id":"5503","level":5},"agent":{"id":"001","name":"web01"}}"#;
        let other = r#"{"rule":{"id":5710,"level":5},"agent":{"id":"001","name":"web01"}}"#;
        let documents = [
            ("i", "1", as_number),
            ("i", "2", as_text),
            ("i", "3", other),
            ("i", "4", "{"),
            ("i", "5", "[]"),
            ("i", "3", other),
        ];
        let hits = reader.read(6, [bucket(&[None, None, Some("5503")], 9)], documents);
        assert!(hits.is_empty() && hits.unreadable == 2);
        let hits = reader.read(6, [], documents);
        assert_eq!(hits.documents.len(), 1);
        assert_eq!(hits.groups[0].rule, "5710");
    }

    #[test]
    fn alerts_of_several_targets_count_once() {
        let (catalogue, options) = (Catalogue::builtin(), options());
        let reader = HitReader::new(&catalogue, &options, Schema::Wazuh4);
        let alerts = [
            alert(1, "2026-03-14T09:26:53.589+0000", "5710", 5, "web01"),
            alert(2, "2026-03-14T08:26:53.589+0000", "5710", 7, "web01"),
        ];
        let ids = ["1.1.1.1", "2.2.2.2"].map(|text| stix_model::sco::Ipv4Addr::new(text).id().clone());
        let read = |range: std::ops::Range<usize>| {
            let documents = alerts[range].iter().map(|(id, text)| ("i", id.as_str(), text.as_str()));
            reader.read(documents.len() as u64, [], documents)
        };
        let exact = union(&[(ids[0].clone(), read(0..2)), (ids[1].clone(), read(1..2))], &reader);
        assert_eq!((exact.total, exact.documents.len(), exact.at_least), (2, 2, false));
        assert_eq!(exact.groups[0].level, 7);
        assert_eq!(exact.groups[0].tally.first.unwrap().to_string(), "2026-03-14T08:26:53.589Z");
        // Where not every alert is at hand, the highest count is certain.
        let key = [Some("001"), Some("web01"), Some("5710"), Some("5"), Some("x")];
        let counted = |count| reader.read(count, [bucket(&key, count)], []);
        let bounds = union(&[(ids[0].clone(), counted(50)), (ids[1].clone(), counted(70))], &reader);
        assert_eq!((bounds.total, bounds.at_least), (70, true));
    }

    /// B-39: the status of a vulnerability, by field and by rule.
    #[test]
    fn b_39_states_of_vulnerabilities() {
        assert_eq!(Status::of(Some("Solved"), "23505"), Some(Status::Solved));
        assert_eq!(Status::of(Some("Active"), "23502"), Some(Status::Active));
        assert_eq!(Status::of(None, "23507"), Some(Status::Solved));
        assert_eq!(Status::of(None, "23506"), Some(Status::Active));
        assert_eq!(Status::of(Some("VALID"), "5710"), None);
    }
}
