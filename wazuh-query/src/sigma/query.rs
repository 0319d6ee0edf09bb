//! From what is asked of alerts to the query that finds them.
//!
//! A query may find more than the rule, never less. Where a part of a rule is turned around by `not`, its query has to
//! find less than the part and never more, so every part is translated towards one of the two sides.

use super::condition::Condition;
use super::formula::{Check, Formula, Leaf};
use super::places::{Kind, Place};
use super::text;
use crate::dsl::{BoolQuery, Clause, FieldSet, Query, limits};

/// What a part of a rule becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Bound {
    /// Every alert.
    All,
    /// No alert.
    None,
    Query(Query),
}

/// On which side of a rule its query may err.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// It may find too much.
    Over,
    /// It may find too little.
    Under,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Over => Self::Under,
            Self::Under => Self::Over,
        }
    }

    /// Where nothing can be asked of an index.
    fn bound(self) -> Bound {
        match self {
            Self::Over => Bound::All,
            Self::Under => Bound::None,
        }
    }
}

/// Translates parts of a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Translator {
    /// Whether everything so far was translated to exactly the same.
    pub(super) inexact: bool,
    /// Asks only whether fields have a value: for rules that would need too many clauses.
    pub(super) coarse: bool,
    /// Takes what nobody knows for true where that finds more: for rules that match nothing for certain.
    pub(super) hopeful: bool,
}

impl Translator {
    /// A condition over search identifiers.
    pub(super) fn condition(&mut self, condition: &Condition, identifiers: &[Formula]) -> Bound {
        self.walk(condition, identifiers, Side::Over)
    }

    /// Something that is asked beside the condition.
    pub(super) fn formula(&mut self, formula: &Formula) -> Bound {
        self.translate(formula, Side::Over)
    }

    fn walk(&mut self, condition: &Condition, identifiers: &[Formula], side: Side) -> Bound {
        match condition {
            Condition::All(parts) => all(parts.iter().map(|part| self.walk(part, identifiers, side))),
            Condition::Any(parts) => any(parts.iter().map(|part| self.walk(part, identifiers, side))),
            Condition::Not(part) => not(self.walk(part, identifiers, side.other())),
            Condition::Identifier(place) => match identifiers.get(*place) {
                Some(formula) => self.translate(formula, side),
                None => side.bound(),
            },
        }
    }

    fn translate(&mut self, formula: &Formula, side: Side) -> Bound {
        match formula {
            Formula::All(parts) => all(parts.iter().map(|part| self.translate(part, side))),
            Formula::Any(parts) => any(parts.iter().map(|part| self.translate(part, side))),
            Formula::Not(part) => not(self.translate(part, side.other())),
            Formula::Leaf(leaf) => self.leaf(leaf, side),
            Formula::Unknown => {
                self.inexact = true;
                // A match for certain does not rest on it.
                if self.hopeful { side.bound() } else { side.other().bound() }
            }
        }
    }

    fn leaf(&mut self, leaf: &Leaf, side: Side) -> Bound {
        let mut exact = true;
        let mut bounds = Vec::new();
        // Places that are asked in the same way share their clauses.
        let mut rest: Vec<&Place> = leaf.places.iter().filter(|place| place.kind != Kind::Refused).collect();
        if rest.is_empty() {
            // An index with a template of its own may have them.
            self.inexact = true;
            return side.bound();
        }
        while let Some(first) = rest.first().copied() {
            let alike = |place: &&Place| {
                place.kind == first.kind && place.spelling == first.spelling && place.part == first.part
            };
            let (group, others): (Vec<&Place>, Vec<&Place>) = rest.into_iter().partition(alike);
            rest = others;
            let fields = Fields::new(&group);
            if first.kind == Kind::Unindexed {
                exact = false;
                bounds.push(Bound::All);
            } else if self.coarse && !leaf.checks.iter().all(|check| matches!(check, Check::Exists)) {
                exact = false;
                bounds.push(fields.with(Clause::Exists));
            } else {
                bounds.push(any(ask(&leaf.checks, first, &fields, &mut exact).into_iter()));
            }
        }
        if !exact {
            self.inexact = true;
            if side == Side::Under {
                return Bound::None;
            }
        }
        any(bounds.into_iter())
    }
}

/// Fields of which one has to satisfy a clause.
struct Fields {
    set: FieldSet,
    /// The only one, unless it stands in a nested object.
    single: Option<Box<str>>,
}

impl Fields {
    fn new(places: &[&Place]) -> Self {
        let single = match places {
            [only] if only.field.nested.is_none() => Some(only.field.path.as_ref().into()),
            _ => None,
        };
        Self { set: places.iter().map(|place| &place.field).collect(), single }
    }

    fn with(&self, clause: Clause) -> Bound {
        Bound::Query(match &self.single {
            Some(field) => Query::field(field.clone(), clause),
            None => Query::any_field(&self.set, clause),
        })
    }
}

/// The queries for fields that are alike; each finds alerts that pass one of the checks.
fn ask(checks: &[Check], place: &Place, fields: &Fields, exact: &mut bool) -> Vec<Bound> {
    let query = |clause| fields.with(clause);
    let mut patterns = Vec::new();
    let mut bounds = Vec::new();
    for check in checks {
        match check {
            Check::Exists => bounds.push(query(Clause::Exists)),
            Check::Text(pattern, _) => patterns.push(pattern),
            Check::Expression(expression) => {
                let written = match place.kind {
                    Kind::Keyword if place.part == super::places::Part::Whole => expression.for_index(place.spelling),
                    _ => None,
                };
                if let Some((value, same)) = written {
                    *exact &= same;
                    bounds.push(query(Clause::Regexp { value, case_insensitive: false }));
                } else {
                    *exact = false;
                    bounds.push(query(Clause::Exists));
                }
            }
            Check::Network(network) => {
                *exact &= place.kind == Kind::Ip;
                let clauses = match place.kind {
                    Kind::Ip => vec![Clause::term(network.to_string())],
                    Kind::Keyword => text::network(network),
                    _ => vec![Clause::Exists],
                };
                bounds.extend(clauses.into_iter().map(query));
            }
            Check::Number(comparison, bound) => {
                let (clause, same) = text::number(place.kind, *comparison, bound);
                *exact &= same;
                bounds.push(query(clause));
            }
            Check::Field { places, .. } => {
                *exact = false;
                let others = Fields::new(&places.iter().collect::<Vec<_>>());
                let both = [query(Clause::Exists), others.with(Clause::Exists)];
                let is_indexed = places.iter().all(|place| !matches!(place.kind, Kind::Refused | Kind::Unindexed));
                bounds.push(if is_indexed { all(both.into_iter()) } else { Bound::All });
            }
        }
    }
    if !patterns.is_empty() {
        let clauses = text::clauses(&patterns, place, exact);
        bounds.extend(clauses.into_iter().map(|all_of| match <[Clause; 1]>::try_from(all_of) {
            Ok([clause]) => query(clause),
            Err(clauses) => Bound::Query(Query::AnyFieldAll { fields: fields.set.clone(), clauses }),
        }));
        if bounds.is_empty() {
            // No such value can stand there.
            bounds.push(Bound::None);
        }
    }
    bounds
}

/// How many clauses a query of a rule may have, so that there is room for the filters that every search adds.
pub(super) const MAX_CLAUSES: usize = limits::CLAUSES - 64;

pub(super) fn all(bounds: impl Iterator<Item = Bound>) -> Bound {
    let (mut filter, mut must_not) = (Vec::new(), Vec::new());
    for bound in bounds {
        match bound {
            Bound::All => {}
            Bound::None => return Bound::None,
            // What is excluded stands beside what is asked for.
            Bound::Query(Query::Bool(inner)) if inner.should.is_empty() => {
                filter.extend(inner.filter);
                must_not.extend(inner.must_not);
            }
            Bound::Query(query) => filter.push(query),
        }
    }
    match (filter.len(), must_not.len()) {
        (0, 0) => Bound::All,
        (1, 0) => Bound::Query(filter.remove(0)),
        _ => Bound::Query(BoolQuery { filter, must_not, ..BoolQuery::default() }.into()),
    }
}

pub(super) fn any(bounds: impl Iterator<Item = Bound>) -> Bound {
    let mut should = Vec::new();
    for bound in bounds {
        match bound {
            Bound::All => return Bound::All,
            Bound::None => {}
            Bound::Query(Query::Bool(inner)) if inner.filter.is_empty() && inner.must_not.is_empty() => {
                should.extend(inner.should);
            }
            Bound::Query(query) => should.push(query),
        }
    }
    if should.is_empty() { Bound::None } else { Bound::Query(Query::any(should)) }
}

fn not(bound: Bound) -> Bound {
    match bound {
        Bound::All => Bound::None,
        Bound::None => Bound::All,
        // Turned around twice.
        Bound::Query(Query::Bool(mut inner))
            if inner.filter.is_empty() && inner.should.is_empty() && inner.must_not.len() == 1 =>
        {
            Bound::Query(inner.must_not.remove(0))
        }
        Bound::Query(query) => Bound::Query(BoolQuery { must_not: vec![query], ..BoolQuery::default() }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(field: &str) -> Bound {
        Bound::Query(Query::field(field, Clause::Exists))
    }

    #[test]
    fn bounds_are_simplified() {
        assert_eq!(all([Bound::All, leaf("a")].into_iter()), leaf("a"));
        assert_eq!(all([Bound::None, leaf("a")].into_iter()), Bound::None);
        assert_eq!(any([Bound::All, leaf("a")].into_iter()), Bound::All);
        assert_eq!(any([Bound::None].into_iter()), Bound::None);
        assert_eq!(not(not(leaf("a"))), leaf("a"));
        let Bound::Query(query) = all([leaf("a"), not(leaf("b")), all([leaf("c"), leaf("d")].into_iter())].into_iter())
        else {
            panic!()
        };
        let Query::Bool(query) = query else { panic!() };
        assert_eq!((query.filter.len(), query.must_not.len()), (3, 1));
    }
}
