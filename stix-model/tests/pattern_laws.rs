//! What holds for any pattern and any text.

use std::time::Duration;

use proptest::prelude::*;
use stix_model::Timestamp;
use stix_model::pattern::{
    ComparisonExpression, ComparisonOperator, ComparisonTest, Literal, LiteralValue, MAX_DEPTH, ObjectPath,
    ObservationExpression, ObservationOperator, PathStep, Pattern, PatternVersion, PropertyTest, Qualifier,
    QualifierKind, Span,
};

const KEYWORDS: [&str; 19] = [
    "AND",
    "OR",
    "NOT",
    "FOLLOWEDBY",
    "LIKE",
    "MATCHES",
    "ISSUPERSET",
    "ISSUBSET",
    "EXISTS",
    "LAST",
    "IN",
    "START",
    "STOP",
    "SECONDS",
    "true",
    "false",
    "WITHIN",
    "REPEATS",
    "TIMES",
];

fn text() -> impl Strategy<Value = Box<str>> {
    prop_oneof![
        "[a-zA-Z0-9%_ .:/-]{0,12}",
        r"\PC{0,6}",
        r"['\\\n\t\r/*]{0,6}",
        Just("198.51.100.7".to_owned()),
        Just(r"C:\Windows\it's".to_owned()),
    ]
    .prop_map(Into::into)
}

fn name() -> impl Strategy<Value = Box<str>> {
    // `hashes` would make digests of the values.
    prop_oneof![
        4 => "[a-z_][a-z0-9_]{0,8}".prop_map(Into::into),
        1 => prop::sample::select(&KEYWORDS[..]).prop_map(Into::into),
        1 => prop::sample::select(&["SHA-256", "windows-pebinary-ext", "", "it's", r"\", "a b", "é"][..]).prop_map(Into::into),
        1 => text(),
    ]
    .prop_filter("no digests", |name| **name != *"hashes")
}

fn path() -> impl Strategy<Value = ObjectPath> {
    let object_type =
        "[a-zA-Z_][a-zA-Z0-9_-]{0,10}".prop_filter("no keyword", |word| !KEYWORDS.contains(&word.as_str()));
    let step = prop_oneof![
        4 => name().prop_map(PathStep::Property),
        1 => any::<u64>().prop_map(PathStep::Index),
        1 => Just(PathStep::Any),
    ];
    (object_type, name(), prop::collection::vec(step, 0..4)).prop_map(|(object_type, first, rest)| ObjectPath {
        object_type: object_type.into(),
        steps: std::iter::once(PathStep::Property(first)).chain(rest).collect(),
        span: Span::default(),
    })
}

fn moment() -> impl Strategy<Value = Timestamp> {
    let first = Timestamp::MIN.unix_seconds();
    let last = Timestamp::MAX.unix_seconds();
    (first..=last, prop_oneof![Just(0), Just(500_000_000), 0..1_000_000_000_u32])
        .prop_map(|(seconds, nanoseconds)| Timestamp::from_parts(seconds, nanoseconds).expect("in range"))
}

fn finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>().prop_filter("finite", |number| number.is_finite()),
        -1e6..1e6,
        Just(0.0),
        Just(-0.0),
        Just(5.0),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
    ]
}

fn literal(booleans: bool) -> impl Strategy<Value = Literal> {
    let bytes = || prop::collection::vec(any::<u8>(), 1..9).prop_map(Into::into);
    prop_oneof![
        4 => text().prop_map(LiteralValue::String),
        2 => any::<i64>().prop_map(LiteralValue::Integer),
        2 => finite().prop_map(LiteralValue::Float),
        1 => moment().prop_map(LiteralValue::Timestamp),
        1 => bytes().prop_map(LiteralValue::Hex),
        1 => bytes().prop_map(LiteralValue::Binary),
        1 => any::<bool>()
            .prop_map(move |value| if booleans { LiteralValue::Boolean(value) } else { LiteralValue::Hex([].into()) }),
    ]
    .prop_map(|value| Literal { value, span: Span::default() })
}

fn test(version: PatternVersion) -> impl Strategy<Value = ComparisonTest> {
    use ComparisonOperator as Op;
    let equal = prop::sample::select(&[Op::Equal, Op::NotEqual][..]);
    let order = prop::sample::select(&[Op::Less, Op::LessOrEqual, Op::Greater, Op::GreaterOrEqual][..]);
    let strings = prop::sample::select(&[Op::Like, Op::Matches, Op::IsSubset, Op::IsSuperset][..]);
    let string = text().prop_map(|text| Literal { value: LiteralValue::String(text), span: Span::default() });
    let exists = match version {
        PatternVersion::V2_0 => PropertyTest::In(Vec::new()),
        PatternVersion::V2_1 => PropertyTest::Exists,
    };
    let what = prop_oneof![
        4 => (equal, literal(true)).prop_map(|(operator, literal)| PropertyTest::Compare(operator, literal)),
        2 => (order, literal(false)).prop_map(|(operator, literal)| PropertyTest::Compare(operator, literal)),
        2 => (strings, string).prop_map(|(operator, literal)| PropertyTest::Compare(operator, literal)),
        1 => prop::collection::vec(literal(true), 0..4).prop_map(PropertyTest::In),
        1 => Just(exists),
    ];
    (path(), any::<bool>(), what).prop_map(|(path, negated, test)| ComparisonTest {
        path,
        negated,
        test,
        span: Span::default(),
    })
}

fn comparison(version: PatternVersion) -> impl Strategy<Value = ComparisonExpression> {
    test(version).prop_map(ComparisonExpression::Test).prop_recursive(4, 12, 3, |inside| {
        (any::<bool>(), prop::collection::vec(inside, 2..4)).prop_map(|(all, operands)| {
            if all {
                ComparisonExpression::And(operands, Span::default())
            } else {
                ComparisonExpression::Or(operands, Span::default())
            }
        })
    })
}

fn qualifier() -> impl Strategy<Value = Qualifier> {
    let seconds = prop_oneof![finite().prop_map(f64::abs), (0_u32..100_000).prop_map(f64::from)];
    prop_oneof![
        seconds.prop_map(|seconds| QualifierKind::Within { seconds }),
        any::<u64>().prop_map(|times| QualifierKind::Repeats { times }),
        (moment(), moment()).prop_map(|(start, stop)| QualifierKind::StartStop { start, stop }),
    ]
    .prop_map(|kind| Qualifier { kind, span: Span::default() })
}

fn observations(version: PatternVersion) -> impl Strategy<Value = ObservationExpression> {
    let operators = [ObservationOperator::And, ObservationOperator::Or, ObservationOperator::FollowedBy];
    let one = comparison(version)
        .prop_map(|comparison| ObservationExpression::Observation { comparison, span: Span::default() });
    one.prop_recursive(4, 10, 3, move |inside| {
        prop_oneof![
            (prop::sample::select(operators.to_vec()), prop::collection::vec(inside.clone(), 2..4)).prop_map(
                |(operator, operands)| ObservationExpression::Combined { operator, operands, span: Span::default() }
            ),
            (inside, prop::collection::vec(qualifier(), 1..4)).prop_map(|(inside, qualifiers)| {
                qualifiers.into_iter().fold(inside, |expression, qualifier| ObservationExpression::Qualified {
                    expression: Box::new(expression),
                    qualifier,
                    span: Span::default(),
                })
            }),
        ]
    })
}

fn pattern() -> impl Strategy<Value = Pattern> {
    prop_oneof![Just(PatternVersion::V2_0), Just(PatternVersion::V2_1)]
        .prop_flat_map(|version| observations(version).prop_map(move |expression| Pattern { version, expression }))
}

/// Text that is nearly a pattern.
fn pieces() -> impl Strategy<Value = String> {
    let pieces = [
        "[",
        "]",
        "(",
        ")",
        ".",
        ":",
        ",",
        "*",
        "=",
        "==",
        "!=",
        "<>",
        "<=",
        ">",
        "'",
        "''",
        "'x'",
        "\\",
        "\\'",
        "a",
        "b",
        "file:name",
        "a:b = 1",
        "[a:b = 1]",
        "h'ff'",
        "b'QQ=='",
        "t'2026-01-02T03:04:05Z'",
        "t'",
        "h'f'",
        "5",
        "-1",
        "+",
        ".5",
        "007",
        "true",
        "//",
        "/*",
        "*/",
        "\n",
        "\t",
        "\u{2003}",
        "\u{feff}",
        "é",
        "hashes.MD5",
        "WITHIN 5 SECONDS",
        "REPEATS 2 TIMES",
        "\u{1b}",
        "\0",
    ];
    let piece = prop::sample::select([&pieces[..], &KEYWORDS[..]].concat());
    let piece =
        (piece, any::<bool>()).prop_map(|(piece, space)| if space { format!("{piece} ") } else { piece.to_owned() });
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

fn check_text(text: &str) -> Result<(), TestCaseError> {
    for version in [PatternVersion::V2_0, PatternVersion::V2_1] {
        match Pattern::parse_as(text, version) {
            Ok(pattern) => {
                let printed = pattern.to_string();
                let again = Pattern::parse_as(&printed, version);
                prop_assert_eq!(again.as_ref(), Ok(&pattern), "{}", &printed);
                for observation in pattern.observations() {
                    let part = observation.span.text(text);
                    let part = Pattern::parse_as(part, version).map(|pattern| pattern.expression.to_string());
                    prop_assert_eq!(part, Ok(format!("[{}]", observation.comparison)));
                }
                for test in pattern.tests() {
                    let path = test.path.to_string().parse::<ObjectPath>();
                    prop_assert_eq!(path.as_ref(), Ok(&test.path));
                    let part = Pattern::parse_as(&format!("[{}]", test.span.text(text)), version);
                    prop_assert_eq!(part.as_ref().ok().and_then(|part| part.tests().next()), Some(test));
                }
            }
            Err(error) => {
                let range = error.span().range();
                prop_assert!(range.start <= range.end && range.end <= text.len(), "{:?} in {:?}", range, text);
                prop_assert!(text.get(range).is_some(), "{:?}", error);
                let rendered = error.render(text);
                prop_assert_eq!(rendered.lines().count(), 3, "{}", &rendered);
                prop_assert!(rendered.lines().all(|line| line.chars().count() < 1_200), "{}", &rendered);
                let hostile = |char: char| char.is_control() && char != '\n' || matches!(char, '\u{202a}'..='\u{202e}');
                prop_assert!(!rendered.contains(hostile), "{}", &rendered);
                prop_assert!(!error.to_string().contains('\n'));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_parses_back(pattern in pattern()) {
        let printed = pattern.to_string();
        let read = Pattern::parse_as(&printed, pattern.version);
        prop_assert_eq!(read.as_ref(), Ok(&pattern), "{}", &printed);
        prop_assert_eq!(read.map(|read| read.to_string()), Ok(printed.clone()), "printing is idempotent");
        check_text(&printed)?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in r"\PC{0,80}|(?s:.){0,80}") {
        check_text(&text)?;
    }

    #[test]
    fn nearly_patterns_are_read_or_refused(text in pieces()) {
        check_text(&text)?;
    }

    #[test]
    fn cut_patterns_are_read_or_refused(pattern in pattern(), share in 0.0..1.0) {
        let printed = pattern.to_string();
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "a place")]
        let cut = printed.floor_char_boundary((printed.len() as f64 * share) as usize);
        check_text(printed.get(..cut).expect("a boundary"))?;
    }

    #[test]
    fn parentheses_that_change_nothing_leave_no_trace(pattern in pattern(), count in 0..MAX_DEPTH / 2) {
        let text = format!("{}{pattern}{}", "( ".repeat(count), " )".repeat(count));
        prop_assert_eq!(Pattern::parse_as(&text, pattern.version), Ok(pattern));
    }

    #[test]
    fn comments_and_white_space_leave_no_trace(pattern in pattern()) {
        let text = pattern.to_string().replacen('[', "[ /* ' [ */ // ]\n\u{2003}", 1);
        prop_assert_eq!(Pattern::parse_as(&format!(" {text}\r\n// end"), pattern.version), Ok(pattern));
    }

    #[test]
    fn moments_print_and_parse(start in moment(), later in 0_u64..1 << 40) {
        let stop = start.saturating_add(Duration::from_millis(later));
        let text = format!("[a:b = t'{start}'] START t'{start}' STOP t'{stop}'");
        let pattern = Pattern::parse(&text);
        prop_assert_eq!(pattern.map(|pattern| pattern.to_string()), Ok(text));
    }
}
