//! Queries within the limits of the cluster.

use crate::dsl::{BoolQuery, Query, limits};

/// Clauses of one query, with room for the filters that every search adds.
const ROOM: usize = limits::CLAUSES - 64;
/// Clauses that one test may have, in all the queries that it is divided into.
pub(super) const TEST: usize = 32 * ROOM;

/// Divides a query into several that together find the same, each within the limit of clauses.
///
/// What cannot be divided is left out where that finds more; `narrowed` says whether something was.
pub(super) fn divide(query: Query, left_out: &mut bool) -> Vec<Query> {
    within(query, ROOM, left_out)
}

fn within(query: Query, room: usize, left_out: &mut bool) -> Vec<Query> {
    if query.clause_count() <= room {
        return vec![query];
    }
    match query {
        Query::Bool(parts) if parts.filter.is_empty() && parts.must_not.is_empty() => {
            let smaller = parts.should.into_iter().flat_map(|part| within(part, room, left_out));
            pack(smaller.collect(), room)
        }
        Query::Bool(parts) if parts.should.is_empty() && parts.must_not.is_empty() => all(parts.filter, room, left_out),
        Query::AnyField { fields, clause } => {
            let lists = fields.chunks(room.max(1));
            lists.map(|fields| Query::AnyField { fields, clause: clause.clone() }).collect()
        }
        other => vec![other],
    }
}

/// Puts alternatives together as long as they fit.
fn pack(alternatives: Vec<Query>, room: usize) -> Vec<Query> {
    let mut packed = Vec::new();
    let (mut current, mut size) = (Vec::new(), 0);
    for query in alternatives {
        let count = query.clause_count();
        if size + count > room && !current.is_empty() {
            packed.push(Query::any(std::mem::take(&mut current)));
            size = 0;
        }
        size += count;
        current.push(query);
    }
    packed.push(Query::any(current));
    packed
}

/// All of several queries: the largest is divided, and each part joined with the others.
fn all(mut factors: Vec<Query>, room: usize, left_out: &mut bool) -> Vec<Query> {
    // What finds least is kept longest: the presence of a value says little.
    factors.sort_by_key(|query| (asks_presence(query), query.clause_count()));
    let sizes = |factors: &[Query]| factors.iter().map(Query::clause_count).sum::<usize>();
    while factors.len() > 1 && sizes(&factors) > room {
        let largest = factors.iter().map(Query::clause_count).max().unwrap_or(0);
        let others = sizes(&factors) - largest;
        if others <= room / 2 && !factors.last().is_some_and(asks_presence) {
            break;
        }
        factors.pop();
        *left_out = true;
    }
    let largest = (0..factors.len()).max_by_key(|place| factors[*place].clause_count());
    let Some(largest) = largest.map(|place| factors.remove(place)) else { return Vec::new() };
    let room = room.saturating_sub(sizes(&factors)).max(1);
    let parts = within(largest, room, left_out);
    parts.into_iter().map(|part| Query::all(factors.iter().cloned().chain([part]))).collect()
}

fn asks_presence(query: &Query) -> bool {
    use crate::dsl::Clause;
    match query {
        Query::AnyField { clause, .. } | Query::Field { clause, .. } => *clause == Clause::Exists,
        Query::Bool(parts) => {
            let BoolQuery { filter, should, must_not } = &**parts;
            filter.iter().chain(should).chain(must_not).any(asks_presence)
        }
        _ => false,
    }
}
