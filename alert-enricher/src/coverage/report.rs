//! Counted alerts beside what is asked for.

use std::fmt;

use serde::Serialize;
use wazuh_query::catalogue::{Field, Schema};

use super::{Coverage, Demand};
use crate::indicator::Kind;

/// Whether indicators of a kind could be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sight {
    /// Alerts carry such values: no hit means that the indicator is in none of them.
    Seen,
    /// Fields for such values exist, but no alert carries one: no hit means nothing.
    Blind,
    /// Alerts have no field for such values.
    NoField,
}

impl fmt::Display for Sight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Seen => "seen",
            Self::Blind => "blind",
            Self::NoField => "no field",
        })
    }
}

/// A field, and how many alerts carry it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldCoverage {
    /// The path in the alert.
    pub field: String,
    /// Who writes it.
    pub decoder: String,
    /// Alerts with such a value in this field.
    pub alerts: u64,
    /// The same as a share of all alerts, 0 to 1.
    pub share: f64,
    /// Whether a search in the indexer looks into the field; a hunt in files always does.
    pub searched: bool,
}

/// What can be seen of one kind of value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KindCoverage {
    /// The kind.
    pub kind: Kind,
    /// Indicators that ask for it.
    pub indicators: u64,
    /// Whether they could be seen.
    pub sight: Sight,
    /// Alerts with such a value in any field.
    pub alerts: u64,
    /// The same as a share of all alerts, 0 to 1.
    pub share: f64,
    /// The fields that alerts carry, the most frequent first.
    pub fields: Vec<FieldCoverage>,
    /// Fields of the catalogue for this kind that no alert carries.
    pub absent_fields: u64,
}

/// What can be seen of one property that patterns compare.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PropertyCoverage {
    /// The property, as patterns write it.
    pub property: String,
    /// Patterns that compare it.
    pub patterns: u64,
    /// Whether it could be seen.
    pub sight: Sight,
    /// The fields that alerts carry, the most frequent first.
    pub fields: Vec<FieldCoverage>,
    /// Fields of the catalogue for this property that no alert carries.
    pub absent_fields: u64,
}

/// Indicators that cannot be searched at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unsearched {
    /// Why.
    pub reason: String,
    /// How many.
    pub indicators: u64,
}

/// What a source of alerts could show of a set of indicators.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CoverageReport {
    /// Alerts that were looked at.
    pub alerts: u64,
    /// Texts that are no alerts.
    pub unreadable: u64,
    /// Indicators, searchable or not.
    pub indicators: u64,
    /// One entry for each kind that is asked for.
    pub kinds: Vec<KindCoverage>,
    /// One entry for each property that patterns compare.
    pub properties: Vec<PropertyCoverage>,
    /// Indicators that cannot be searched, by reason, the most frequent first.
    pub unsearched: Vec<Unsearched>,
}

pub(super) fn report(coverage: &Coverage, demand: &Demand) -> CoverageReport {
    let mut kinds: Vec<KindCoverage> =
        demand.kinds.iter().map(|(kind, indicators)| of_kind(coverage, *kind, *indicators)).collect();
    kinds.sort_by_key(|entry| (std::cmp::Reverse(entry.indicators), entry.kind));
    let mut properties: Vec<PropertyCoverage> = demand
        .properties
        .iter()
        .map(|(property, (patterns, fields))| of_property(coverage, property, *patterns, fields))
        .collect();
    properties.sort_by(|one, other| other.patterns.cmp(&one.patterns).then_with(|| one.property.cmp(&other.property)));
    let mut unsearched: Vec<Unsearched> = demand
        .unsearchable
        .iter()
        .map(|(reason, indicators)| Unsearched { reason: reason.clone(), indicators: *indicators })
        .collect();
    unsearched.sort_by_key(|entry| std::cmp::Reverse(entry.indicators));
    let Coverage { alerts, unreadable, .. } = *coverage;
    CoverageReport { alerts, unreadable, indicators: demand.indicators, kinds, properties, unsearched }
}

fn of_kind(coverage: &Coverage, kind: Kind, indicators: u64) -> KindCoverage {
    let holds = |field: &Field| Kind::of_field(field.holds) & kind.bit() != 0;
    let (fields, absent_fields) = fields(coverage, Some(kind), holds);
    let alerts = coverage.kinds[kind as usize].alerts;
    let sight = sight(alerts, fields.len() as u64 + absent_fields);
    KindCoverage { kind, indicators, sight, alerts, share: share(alerts, coverage.alerts), fields, absent_fields }
}

fn of_property(coverage: &Coverage, property: &str, patterns: u64, paths: &[String]) -> PropertyCoverage {
    let (fields, absent_fields) = fields(coverage, None, |field| paths.iter().any(|path| *path == field.path));
    let carried = fields.iter().map(|field| field.alerts).max().unwrap_or(0);
    let sight = sight(carried, paths.len() as u64);
    PropertyCoverage { property: property.to_owned(), patterns, sight, fields, absent_fields }
}

/// The carried fields for which `wanted` holds, and the number of those that no alert carries. Fields of a schema that
/// no alert follows are passed over, unless there are no alerts at all.
fn fields(coverage: &Coverage, kind: Option<Kind>, wanted: impl Fn(&Field) -> bool) -> (Vec<FieldCoverage>, u64) {
    let follows =
        |schema: Schema| coverage.alerts == 0 || coverage.schemas[usize::from(schema == Schema::Wazuh5)].alerts > 0;
    let mut carried = Vec::new();
    let mut absent = 0;
    for (place, field) in coverage.fields.fields().iter().enumerate() {
        if !follows(field.schema) || !wanted(field) {
            continue;
        }
        let alerts = coverage.field(place, kind);
        if alerts == 0 {
            absent += 1;
            continue;
        }
        carried.push(FieldCoverage {
            field: field.path.to_string(),
            decoder: field.decoder.to_string(),
            alerts,
            share: share(alerts, coverage.alerts),
            searched: field.uses.search,
        });
    }
    carried.sort_by(|one, other| other.alerts.cmp(&one.alerts).then_with(|| one.field.cmp(&other.field)));
    (carried, absent)
}

fn sight(alerts: u64, fields: u64) -> Sight {
    match (alerts, fields) {
        (0, 0) => Sight::NoField,
        (0, _) => Sight::Blind,
        _ => Sight::Seen,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share is shown to a tenth of a percent")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Fields that the text names for each kind; the JSON names all.
const SHOWN: usize = 5;

/// For people: one block per kind, the fields indented below it.
impl fmt::Display for CoverageReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{:<32} {:>10} {:>10} {:>7}  SIGHT", "KIND AND FIELD", "INDICATORS", "ALERTS", "SHARE")?;
        for entry in &self.kinds {
            let KindCoverage { kind, indicators, alerts, share, sight, .. } = entry;
            writeln!(formatter, "{:<32} {indicators:>10} {alerts:>10} {:>6.1}%  {sight}", kind.name(), share * 100.0)?;
            write_fields(formatter, &entry.fields, entry.absent_fields)?;
        }
        if !self.properties.is_empty() {
            writeln!(formatter, "\n{:<44} {:>8}  SIGHT", "PROPERTY IN PATTERNS", "PATTERNS")?;
            for entry in &self.properties {
                writeln!(formatter, "{:<44} {:>8}  {}", entry.property, entry.patterns, entry.sight)?;
                write_fields(formatter, &entry.fields, entry.absent_fields)?;
            }
        }
        if !self.unsearched.is_empty() {
            writeln!(formatter, "\n{:>10}  NOT SEARCHABLE BECAUSE", "INDICATORS")?;
            for entry in &self.unsearched {
                writeln!(formatter, "{:>10}  {}", entry.indicators, entry.reason)?;
            }
        }
        Ok(())
    }
}

fn write_fields(formatter: &mut fmt::Formatter<'_>, fields: &[FieldCoverage], absent: u64) -> fmt::Result {
    for field in fields.iter().take(SHOWN) {
        let note = if field.searched { "" } else { "  not indexed: found in files only" };
        writeln!(formatter, "  {:<41} {:>10} {:>6.1}%{note}", field.field, field.alerts, field.share * 100.0)?;
    }
    let more = fields.len().saturating_sub(SHOWN);
    match (more, absent) {
        (0, 0) => Ok(()),
        (0, absent) => writeln!(formatter, "  {absent} fields that no alert carries"),
        (more, 0) => writeln!(formatter, "  {more} more fields"),
        (more, absent) => writeln!(formatter, "  {more} more fields, and {absent} that no alert carries"),
    }
}
