//! What stands between one pair of brackets, as queries.

use std::collections::BTreeMap;

use stix_model::pattern::{ComparisonExpression, ComparisonTest, LiteralValue, Span};

use super::compare::{Test, ask};
use super::places::Places;
use super::plan::Decides;
use super::property::{Entity, Property, resolve};
use super::reason::{OverApproximation, Unmappable, Widening};
use super::{PatternOptions, limit};
use crate::catalogue::Schema;
use crate::dsl::{Clause, Query};

/// Levels of AND and OR that become levels of the query. The cluster allows twenty, of which lists of fields, nested
/// objects and what every search adds take some.
const MAX_LEVELS: usize = 8;

/// The translation of one bracket, as far as it is not about time.
#[derive(Debug)]
pub(super) struct Bracket {
    /// Queries that together find every alert that can satisfy it.
    pub queries: Vec<Query>,
    pub decides: Decides,
    pub widened: Vec<OverApproximation>,
    pub unmappable: Vec<Unmappable>,
}

pub(super) fn bracket(
    places: &Places,
    schema: Schema,
    options: PatternOptions,
    expression: &ComparisonExpression,
) -> Bracket {
    let mut work = Work { places, schema, options, widened: Vec::new(), unmappable: Vec::new() };
    let piece = work.piece(expression, 0);
    // What cannot be verified is still searched for what it would need beside.
    let query = piece.verifiable.unwrap_or(piece.candidates);
    let mut left_out = false;
    let nothing_known = query == Query::MatchAll && !piece.decides.is_decidable();
    let queries = if nothing_known { Vec::new() } else { limit::divide(query, &mut left_out) };
    let mut decides = piece.decides;
    if left_out {
        work.widen(expression.span(), Widening::Size);
        decides = Decides::all([decides], false);
    }
    let Work { mut widened, unmappable, .. } = work;
    widened.sort_by_key(|one| (one.span.start, one.span.end, one.widening));
    widened.dedup_by_key(|one| (one.span.start, one.span.end, one.widening));
    Bracket { queries, decides, widened, unmappable }
}

/// The translation of a part of a bracket.
struct Piece {
    /// The alerts that can satisfy the part by what they hold. `None` when none can.
    verifiable: Option<Query>,
    /// The alerts that could satisfy it if that of which they say nothing were so.
    candidates: Query,
    decides: Decides,
}

struct Work<'p> {
    places: &'p Places,
    schema: Schema,
    options: PatternOptions,
    widened: Vec<OverApproximation>,
    unmappable: Vec<Unmappable>,
}

impl Work<'_> {
    fn widen(&mut self, span: Span, widening: Widening) {
        self.widened.push(OverApproximation { span, widening });
    }

    fn piece(&mut self, expression: &ComparisonExpression, level: usize) -> Piece {
        match expression {
            ComparisonExpression::Test(test) => self.test(test),
            ComparisonExpression::Or(operands, _) => {
                let pieces = self.alternatives(operands, level);
                any(pieces)
            }
            ComparisonExpression::And(_, span) if level >= MAX_LEVELS => {
                self.widen(*span, Widening::Nesting);
                let pieces: Vec<Piece> = expression.tests().map(|test| self.test(test)).collect();
                let decides = self.decided(expression);
                let queries = |pieces: &[Piece]| Query::any(pieces.iter().filter_map(|piece| piece.verifiable.clone()));
                let verifiable = decides.is_decidable().then(|| queries(&pieces));
                let candidates = Query::any(pieces.into_iter().map(|piece| piece.candidates));
                Piece { verifiable, candidates, decides }
            }
            ComparisonExpression::And(operands, span) => {
                let pieces: Vec<Piece> = operands.iter().map(|operand| self.piece(operand, level + 1)).collect();
                if self.options.same_object {
                    self.widen(*span, Widening::Object);
                }
                all(pieces, !self.options.same_object)
            }
        }
    }

    /// What can be said of a part that is not translated as it is written.
    fn decided(&self, expression: &ComparisonExpression) -> Decides {
        match expression {
            ComparisonExpression::Test(test) if self.sources(test).is_none() => {
                Decides::NotWithout(vec![test.path.span])
            }
            ComparisonExpression::Test(_) => Decides::AfterVerification,
            ComparisonExpression::And(operands, _) => {
                Decides::all(operands.iter().map(|operand| self.decided(operand)), false)
            }
            ComparisonExpression::Or(operands, _) => Decides::any(operands.iter().map(|operand| self.decided(operand))),
        }
    }

    /// The pieces of an OR. Tests for the values of one property are one test for all of them: a query for each would
    /// soon have too many clauses.
    fn alternatives(&mut self, operands: &[ComparisonExpression], level: usize) -> Vec<Piece> {
        let mut lists: BTreeMap<Property, (Vec<&LiteralValue>, Vec<Span>)> = BTreeMap::new();
        let mut pieces = Vec::new();
        for operand in operands {
            if let ComparisonExpression::Test(test) = operand
                && let Test::Equal(values) = Test::of(test)
                && let Some(property) = self.sources(test)
            {
                let list = lists.entry(property).or_default();
                list.0.extend(values);
                list.1.push(test.span);
            } else if let ComparisonExpression::Or(operands, _) = operand {
                // An OR inside of an OR is no level of its own.
                pieces.extend(self.alternatives(operands, level));
            } else {
                pieces.push(self.piece(operand, level + 1));
            }
        }
        for (property, (values, spans)) in lists {
            pieces.push(self.asked(property, &Test::Equal(values), &spans));
        }
        pieces
    }

    /// The property that a test is about, if any field holds it.
    fn sources(&self, test: &ComparisonTest) -> Option<Property> {
        resolve(&test.path).filter(|property| !self.places.sources(*property).is_empty())
    }

    fn test(&mut self, test: &ComparisonTest) -> Piece {
        let Some(property) = self.sources(test) else {
            self.unmappable.push(Unmappable::new(&test.path, self.schema));
            let decides = Decides::NotWithout(vec![test.path.span]);
            return Piece { verifiable: None, candidates: Query::MatchAll, decides };
        };
        let asked = Test::of(test);
        // What has no such property is still an object of the type.
        if matches!(asked, Test::Absent)
            && let Some(entity) = Entity::of_type(&test.path.object_type)
        {
            return self.asked(Property::Presence(entity), &asked, &[test.span]);
        }
        self.asked(property, &asked, &[test.span])
    }

    fn asked(&mut self, property: Property, test: &Test<'_>, spans: &[Span]) -> Piece {
        let sources = self.places.sources(property);
        let mut asked = ask(property, &sources, test);
        if asked.query.clause_count() > limit::TEST {
            let exists = sources.iter().map(|source| Query::any_field(&source.fields, Clause::Exists));
            asked = super::compare::Asked { query: Query::any(exists), wider: Some(Widening::Length) };
        }
        if let Some(widening) = asked.wider {
            for span in spans {
                self.widen(*span, widening);
            }
        }
        let decides = if asked.wider.is_none() { Decides::Exactly } else { Decides::AfterVerification };
        Piece { verifiable: Some(asked.query.clone()), candidates: asked.query, decides }
    }
}

fn any(pieces: Vec<Piece>) -> Piece {
    let decides = Decides::any(pieces.iter().map(|piece| piece.decides.clone()));
    let verifiable: Vec<Query> = pieces.iter().filter_map(|piece| piece.verifiable.clone()).collect();
    let verifiable = decides.is_decidable().then(|| either(verifiable));
    Piece { verifiable, candidates: either(pieces.into_iter().map(|piece| piece.candidates)), decides }
}

fn all(pieces: Vec<Piece>, exact: bool) -> Piece {
    let decides = Decides::all(pieces.iter().map(|piece| piece.decides.clone()), exact);
    let verifiable: Option<Vec<Query>> = pieces.iter().map(|piece| piece.verifiable.clone()).collect();
    Piece {
        verifiable: verifiable.map(both),
        candidates: both(pieces.into_iter().map(|piece| piece.candidates)),
        decides,
    }
}

fn either(queries: impl IntoIterator<Item = Query>) -> Query {
    let queries: Vec<Query> = queries.into_iter().collect();
    if queries.contains(&Query::MatchAll) { Query::MatchAll } else { Query::any(queries) }
}

fn both(queries: impl IntoIterator<Item = Query>) -> Query {
    let mut queries: Vec<Query> = queries.into_iter().collect();
    queries.retain(|query| *query != Query::MatchAll);
    if queries.is_empty() { Query::MatchAll } else { Query::all(queries) }
}
