//! Joining brackets over several observations: against an implementation that tries everything.

use proptest::prelude::*;
use stix_model::Timestamp;
use stix_model::pattern::matcher::{Bound, CompiledPattern, MatchError, MatchOptions, Seen};
use stix_model::pattern::{ObservationExpression, ObservationOperator, Pattern, QualifierKind};

/// A binding: the occurrences that it has, as numbers of observation and occurrence, sorted, with F and L.
type Binding = (Vec<(usize, u64)>, Timestamp, Timestamp);

/// All bindings of an expression, as the standard defines them.
fn bindings(
    expression: &ObservationExpression,
    next: &mut usize,
    seen: &[Seen],
    satisfied: &[Vec<usize>],
) -> Vec<Binding> {
    match expression {
        ObservationExpression::Observation { .. } => {
            let candidates = &satisfied[*next];
            *next += 1;
            let occurrences =
                candidates.iter().flat_map(|one| (0..seen[*one].number_observed).map(|time| (*one, time)));
            occurrences.map(|(one, time)| (vec![(one, time)], seen[one].first, seen[one].last)).collect()
        }
        ObservationExpression::Combined { operator, operands, .. } => {
            let mut lists = operands.iter().map(|operand| bindings(operand, next, seen, satisfied)).collect::<Vec<_>>();
            if *operator == ObservationOperator::Or {
                return lists.concat();
            }
            let mut all = lists.remove(0);
            for list in lists {
                let ordered = *operator == ObservationOperator::FollowedBy;
                let pairs = all.iter().flat_map(|one| list.iter().map(move |other| (one, other)));
                all = pairs
                    .filter(|(one, other)| !ordered || one.1 <= other.2)
                    .filter_map(|(one, other)| joined(one, other))
                    .collect();
                unique(&mut all);
            }
            all
        }
        ObservationExpression::Qualified { expression, qualifier, .. } => {
            let mut inner = bindings(expression, next, seen, satisfied);
            match qualifier.kind {
                QualifierKind::Within { seconds } => {
                    inner.retain(|(_, first, last)| first.since(*last).as_secs_f64() <= seconds);
                }
                QualifierKind::StartStop { start, stop } => {
                    inner.retain(|(_, first, last)| *last >= start && *first < stop && start < stop);
                }
                QualifierKind::Repeats { times } => {
                    unique(&mut inner);
                    let mut all = inner.clone();
                    for _ in 1..times {
                        let pairs = all.iter().flat_map(|one| inner.iter().map(move |other| (one, other)));
                        all = pairs.filter_map(|(one, other)| joined(one, other)).collect();
                        unique(&mut all);
                    }
                    return all;
                }
            }
            inner
        }
    }
}

fn joined(one: &Binding, other: &Binding) -> Option<Binding> {
    let mut occurrences = [one.0.as_slice(), other.0.as_slice()].concat();
    occurrences.sort_unstable();
    let count = occurrences.len();
    occurrences.dedup();
    (occurrences.len() == count).then(|| (occurrences, one.1.max(other.1), one.2.min(other.2)))
}

fn unique(all: &mut Vec<Binding>) {
    all.sort();
    all.dedup();
}

/// Whether what was found is a binding: every bracket outside of alternatives is served, nothing serves twice.
fn is_sound(bound: &[Bound], seen: &[Seen], satisfied: &[Vec<usize>]) {
    let mut used = vec![0; seen.len()];
    for one in bound {
        assert!(satisfied[one.bracket].contains(&one.observation), "{one:?}");
        assert!(one.times > 0);
        used[one.observation] += one.times;
    }
    for (used, seen) in used.iter().zip(seen) {
        assert!(*used <= seen.number_observed, "{bound:?}");
    }
}

fn compile(pattern: &str) -> (Pattern, CompiledPattern) {
    let pattern = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    let compiled = CompiledPattern::new(&pattern, &MatchOptions::standard()).unwrap();
    (pattern, compiled)
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_700_000_000_000 + second * 1000).unwrap()
}

/// Texts of observation expressions of some operators and qualifiers over the brackets `[a:b = 0]` and so on.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = (0..4_u8).prop_map(|number| format!("[a:b = {number}]"));
    leaf.prop_recursive(3, 6, 3, |inner| {
        let operator = prop_oneof![Just("AND"), Just("OR"), Just("FOLLOWEDBY"), Just("FOLLOWEDBY")];
        let joined = (prop::collection::vec(inner.clone(), 2..=3), operator)
            .prop_map(|(operands, operator)| format!("({})", operands.join(&format!(" {operator} "))));
        let qualified = (inner, 0..6_u8, 1..4_u8).prop_map(|(inner, kind, number)| match kind {
            0 | 1 => format!("({inner} REPEATS {} TIMES)", number.min(3)),
            2 | 3 => format!("({inner} WITHIN {number} SECONDS)"),
            4 => format!("({inner} WITHIN {number} SECONDS REPEATS 2 TIMES)"),
            _ => format!("({inner} START t'2023-11-14T22:13:2{number}Z' STOP t'2023-11-14T22:13:27Z')"),
        });
        prop_oneof![2 => joined, 2 => qualified]
    })
}

fn observed() -> impl Strategy<Value = Vec<(Seen, u8)>> {
    let one =
        (0..9_i64, prop_oneof![3 => Just(0_i64), 1 => 1..5_i64], prop_oneof![4 => Just(1_u64), 1 => Just(2)], 0..16_u8);
    let one = one.prop_map(|(first, long, number_observed, satisfies)| {
        (Seen { first: second(first), last: second(first + long), number_observed }, satisfies)
    });
    prop::collection::vec(one, 0..7)
}

/// How many occurrences an expression binds at most: the naive way takes too long for many.
fn size(expression: &ObservationExpression) -> u64 {
    match expression {
        ObservationExpression::Observation { .. } => 1,
        ObservationExpression::Combined { operands, .. } => operands.iter().map(size).sum(),
        ObservationExpression::Qualified { expression, qualifier, .. } => match qualifier.kind {
            QualifierKind::Repeats { times } => size(expression) * times,
            _ => size(expression),
        },
    }
}

fn agrees(pattern: &str, observed: &[(Seen, u8)]) -> Result<(), TestCaseError> {
    let (pattern, compiled) = compile(pattern);
    let seen: Vec<Seen> = observed.iter().map(|(seen, _)| *seen).collect();
    let numbers: Vec<u32> =
        pattern.tests().map(|test| test.to_string().chars().last().unwrap().to_digit(10).unwrap()).collect();
    let satisfied: Vec<Vec<usize>> = numbers
        .iter()
        .map(|number| (0..observed.len()).filter(|place| observed[*place].1 >> number & 1 == 1).collect())
        .collect();
    let found = compiled.combine(&seen, &satisfied);
    let found = found.map_err(|error| TestCaseError::fail(format!("{pattern}: {error}")))?;
    if let Some(bound) = &found {
        is_sound(bound, &seen, &satisfied);
    }
    if size(&pattern.expression) > 9 {
        return Ok(());
    }
    let all = bindings(&pattern.expression, &mut 0, &seen, &satisfied);
    prop_assert_eq!(found.is_some(), !all.is_empty(), "{} {:?} {:?}", pattern, seen, satisfied);
    // What was found is one of the bindings, up to which of its occurrences an observation gives.
    if let Some(bound) = found {
        let mut used = vec![0; seen.len()];
        for one in bound {
            used[one.observation] += one.times;
        }
        let is_same = |binding: &&Binding| {
            let mut others = vec![0; seen.len()];
            for (one, _) in &binding.0 {
                others[*one] += 1;
            }
            others == used
        };
        prop_assert!(all.iter().any(|binding| is_same(&binding)), "{} {:?} {:?}", pattern, seen, satisfied);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn everything_tried_gives_the_same(pattern in expressions(), observed in observed()) {
        agrees(&pattern, &observed)?;
    }

    /// Sequences, windows and repetitions over few kinds of observations, where choices interfere most.
    #[test]
    fn repeated_sequences(
        observed in observed(),
        kinds in (0..3_u8, 0..3_u8, 0..3_u8),
        (times, seconds) in (1..4_u8, 1..5_u8),
        shape in 0..6_u8,
    ) {
        let (one, two, three) = kinds;
        let pattern = match shape {
            0 => format!("([a:b = {one}] FOLLOWEDBY [a:b = {two}]) REPEATS {times} TIMES"),
            1 => format!("(([a:b = {one}] FOLLOWEDBY [a:b = {two}]) WITHIN {seconds} SECONDS) REPEATS {times} TIMES"),
            2 => format!("([a:b = {one}] FOLLOWEDBY [a:b = {two}] FOLLOWEDBY [a:b = {three}]) WITHIN {seconds} SECONDS"),
            3 => format!("(([a:b = {one}] REPEATS 2 TIMES) WITHIN {seconds} SECONDS) REPEATS {times} TIMES"),
            4 => format!("(([a:b = {one}] AND [a:b = {two}]) OR ([a:b = {three}] FOLLOWEDBY [a:b = {one}])) REPEATS {times} TIMES"),
            _ => format!("(([a:b = {one}] AND [a:b = {two}]) WITHIN {seconds} SECONDS) FOLLOWEDBY [a:b = {three}] REPEATS {times} TIMES"),
        };
        agrees(&pattern, &observed)?;
    }

    #[test]
    fn or_and_and_commute(one in expressions(), other in expressions(), observed in observed()) {
        let numbers = |text: &str| compile(text).0.tests().map(|test| test.to_string().chars().last().unwrap().to_digit(10).unwrap()).collect::<Vec<_>>();
        let seen: Vec<Seen> = observed.iter().map(|(seen, _)| *seen).collect();
        for operator in ["OR", "AND"] {
            let matched = [format!("{one} {operator} {other}"), format!("{other} {operator} {one}")].map(|text| {
                let satisfied: Vec<Vec<usize>> = numbers(&text)
                    .iter()
                    .map(|number| (0..observed.len()).filter(|place| observed[*place].1 >> number & 1 == 1).collect())
                    .collect();
                compile(&text).1.combine(&seen, &satisfied).map(|bound| bound.is_some())
            });
            prop_assert_eq!(&matched[0], &matched[1], "{} {} {}", one, operator, other);
        }
    }
}

fn points(count: usize) -> Vec<Seen> {
    let point = |place: usize| second(i64::try_from(place).unwrap());
    (0..count).map(|place| Seen { first: point(place), last: point(place), number_observed: 1 }).collect()
}

/// Every nth observation, from one on.
fn every(step: usize, from: usize, count: usize) -> Vec<usize> {
    (from..count).step_by(step).collect()
}

#[test]
fn ten_thousand_observations() {
    let seen = points(10_000);
    let all = every(1, 0, 10_000);
    let (even, odd) = (every(2, 0, 10_000), every(2, 1, 10_000));
    let tens = every(10, 3, 10_000);
    let x = "[a:b = 1]";
    let chain = |count: usize| vec![x; count].join(" FOLLOWEDBY ");
    let conjunction = |count: usize| vec![x; count].join(" AND ");
    let cases: Vec<(String, Vec<&Vec<usize>>, bool)> = vec![
        (chain(40), vec![&all; 40], true),
        (format!("({}) WITHIN 39 SECONDS", chain(40)), vec![&all; 40], true),
        (format!("({}) WITHIN 38 SECONDS", chain(40)), vec![&all; 40], false),
        (format!("({}) WITHIN 99 SECONDS", conjunction(101)), vec![&all; 101], false),
        (format!("{x} REPEATS 10000 TIMES"), vec![&all], true),
        (format!("{x} REPEATS 10001 TIMES"), vec![&all], false),
        (format!("{x} REPEATS 5000 TIMES WITHIN 9998 SECONDS"), vec![&even], true),
        (format!("{x} REPEATS 5000 TIMES WITHIN 9997 SECONDS"), vec![&even], false),
        (format!("(({x} REPEATS 1000000 TIMES) REPEATS 1000000 TIMES) REPEATS 1000000 TIMES"), vec![&all], false),
        (format!("({x} FOLLOWEDBY {x}) REPEATS 1000000 TIMES"), vec![&all, &all], false),
        (format!("({x} FOLLOWEDBY {x}) REPEATS 5000 TIMES"), vec![&all, &all], true),
        (format!("({x} FOLLOWEDBY {x}) REPEATS 5000 TIMES"), vec![&even, &odd], true),
        (format!("({x} FOLLOWEDBY {x}) REPEATS 5000 TIMES"), vec![&odd, &even], false),
        (format!("({x} FOLLOWEDBY {x}) REPEATS 4999 TIMES"), vec![&odd, &even], true),
        (format!("(({x} AND {x}) WITHIN 1 SECONDS) REPEATS 5000 TIMES"), vec![&even, &odd], true),
        (format!("({x} FOLLOWEDBY {x} FOLLOWEDBY {x}) WITHIN 20 SECONDS"), vec![&tens, &tens, &tens], true),
        (format!("({x} FOLLOWEDBY {x} FOLLOWEDBY {x}) WITHIN 19 SECONDS"), vec![&tens, &tens, &tens], false),
        (format!("({x} FOLLOWEDBY {x} FOLLOWEDBY {x}) WITHIN 10 SECONDS"), vec![&tens, &all, &tens], true),
        (format!("({x} REPEATS 3 TIMES WITHIN 2 SECONDS) REPEATS 3333 TIMES"), vec![&all], true),
        (format!("({x} REPEATS 3 TIMES WITHIN 1 SECONDS) REPEATS 2 TIMES"), vec![&all], false),
    ];
    for (pattern, satisfied, expected) in cases {
        let (_, compiled) = compile(&pattern);
        let satisfied: Vec<Vec<usize>> = satisfied.into_iter().cloned().collect();
        let found = compiled.combine(&seen, &satisfied).unwrap_or_else(|error| panic!("{pattern:.100}: {error}"));
        assert_eq!(found.is_some(), expected, "{pattern:.100}");
        if let Some(bound) = found {
            is_sound(&bound, &seen, &satisfied);
        }
    }
}

#[test]
fn one_observation_made_often_stands_for_many() {
    let often = Seen { first: second(0), last: second(60), number_observed: 1_000_000_000_000 };
    for (pattern, expected) in [
        ("[a:b = 1] REPEATS 1000000000000 TIMES", true),
        ("[a:b = 1] REPEATS 1000000000001 TIMES", false),
        ("([a:b = 1] FOLLOWEDBY [a:b = 2]) REPEATS 500000000000 TIMES", true),
        ("([a:b = 1] FOLLOWEDBY [a:b = 2]) REPEATS 500000000001 TIMES", false),
        ("(([a:b = 1] AND [a:b = 2]) WITHIN 1 SECONDS REPEATS 1000000 TIMES) REPEATS 1000 TIMES", true),
    ] {
        let (pattern, compiled) = compile(pattern);
        let satisfied = vec![vec![0]; pattern.observations().count()];
        let found = compiled.combine(&[often], &satisfied).unwrap();
        assert_eq!(found.is_some(), expected, "{pattern}");
        let used = found.iter().flatten().map(|bound| bound.times).sum::<u64>();
        assert!(used <= often.number_observed);
    }
}

#[test]
fn what_cannot_be_decided_is_said() {
    // Pairs out of a thousand observations at intervals that overlap at random, each of one kind or the other.
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let seen: Vec<Seen> = (0..1000)
        .map(|_| {
            let first = i64::try_from(random(1000)).unwrap();
            let last = first + i64::try_from(random(40)).unwrap();
            Seen { first: second(first), last: second(last), number_observed: 1 }
        })
        .collect();
    let satisfied: Vec<Vec<usize>> = (0..3).map(|_| (0..1000).filter(|_| random(2) == 0).collect()).collect();
    let (_, compiled) =
        compile("(([a:b = 1] FOLLOWEDBY [a:b = 2] FOLLOWEDBY [a:b = 3]) WITHIN 5 SECONDS) REPEATS 332 TIMES");
    match compiled.combine(&seen, &satisfied) {
        Ok(Some(bound)) => is_sound(&bound, &seen, &satisfied),
        Ok(None) => {}
        Err(error) => assert!(matches!(error, MatchError::TooManyCombinations { .. }), "{error}"),
    }
}
