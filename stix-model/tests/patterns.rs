//! Patterns: the corpus, the canonical form, errors, hostile text.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use stix_model::pattern::{
    ComparisonTest, LiteralValue, MAX_DEPTH, MAX_LENGTH, ObjectPath, ObservationExpression, ObservationOperator,
    PathStep, Pattern, PatternErrorKind, PatternVersion, PropertyTest,
};

/// The lines of a file of test cases.
fn cases(text: &str) -> Vec<Value> {
    text.lines().filter(|line| !line.is_empty()).map(|line| serde_json::from_str(line).expect("a case")).collect()
}

fn version(case: &Value) -> PatternVersion {
    PatternVersion::named(case["stix_version"].as_str().expect("a version")).expect("a known version")
}

/// Checks one row: the verdict, what the tree holds, and that the canonical form is the same pattern.
fn check(case: &Value) -> Result<(), String> {
    let text = case["pattern"].as_str().expect("a pattern");
    let read = Pattern::parse_as(text, version(case));
    let is_valid = case["expected"] == "valid";
    let pattern = match read {
        Err(error) if is_valid => return Err(format!("rejected: {}", error.render(text))),
        Ok(_) if !is_valid => return Err(format!("accepted, but {}", case["reasons"])),
        Err(error) => {
            let reasons = case["reasons"].to_string();
            let expected = match error.kind() {
                PatternErrorKind::HashValue => "hash-value",
                PatternErrorKind::DuplicateQualifier => "duplicate-qualifier",
                _ => "syntax",
            };
            return if reasons.contains(expected) { Ok(()) } else { Err(format!("{error}, not {reasons}")) };
        }
        Ok(pattern) => pattern,
    };
    let printed = pattern.to_string();
    let again = Pattern::parse_as(&printed, pattern.version).map_err(|error| error.render(&printed))?;
    if again != pattern || again.to_string() != printed {
        return Err(format!("printed as {printed}"));
    }
    if case.get("comparisons").is_none() {
        return Ok(());
    }
    let sorted = |value: &Value| {
        // The tree has one spelling for each operator.
        let spelled = |row: &Value| row.to_string().replace(r#""=="#, r#""="#).replace(r#""<>"#, r#""!="#);
        let mut rows: Vec<_> = value.as_array().into_iter().flatten().map(spelled).collect();
        rows.sort();
        rows
    };
    let mut comparisons: Vec<_> = pattern.tests().filter_map(|test| comparison(test, text)).collect();
    comparisons.sort();
    if comparisons != sorted(&case["comparisons"]) {
        return Err(format!("{comparisons:#?} is not {:#?}", sorted(&case["comparisons"])));
    }
    let (mut operators, mut qualifiers) = (BTreeSet::new(), BTreeSet::new());
    collect(&pattern.expression, text, &mut operators, &mut qualifiers);
    let listed = |name: &str| -> BTreeSet<String> {
        case[name].as_array().into_iter().flatten().map(|one| one.as_str().expect("text").to_owned()).collect()
    };
    if operators != listed("observation_ops") || qualifiers != listed("qualifiers") {
        return Err(format!("{operators:?} {qualifiers:?}"));
    }
    Ok(())
}

/// A test in the form of the corpus. `EXISTS` is not listed there.
fn comparison(test: &ComparisonTest, text: &str) -> Option<String> {
    let steps: Vec<Value> = test
        .path
        .steps
        .iter()
        .map(|step| match step {
            PathStep::Property(name) => Value::from(&**name),
            PathStep::Index(index) => Value::from(*index),
            PathStep::Any => Value::from("*"),
        })
        .collect();
    let (operator, value) = match &test.test {
        PropertyTest::Compare(operator, literal) => (operator.keyword(), literal.span.text(text).to_owned()),
        PropertyTest::In(literals) => {
            let values: Vec<_> = literals.iter().map(|literal| literal.span.text(text)).collect();
            ("IN", format!("({})", values.join(",")))
        }
        PropertyTest::Exists => return None,
    };
    let not = if test.negated { "NOT " } else { "" };
    let row = serde_json::json!({
        "type": test.path.object_type, "path": steps, "op": format!("{not}{operator}"), "value": value,
    });
    Some(row.to_string())
}

fn collect(
    expression: &ObservationExpression,
    text: &str,
    operators: &mut BTreeSet<String>,
    qualifiers: &mut BTreeSet<String>,
) {
    match expression {
        ObservationExpression::Observation { .. } => {}
        ObservationExpression::Combined { operator, operands, .. } => {
            operators.insert(operator.keyword().to_owned());
            for operand in operands {
                collect(operand, text, operators, qualifiers);
            }
        }
        ObservationExpression::Qualified { expression, qualifier, .. } => {
            let words: Vec<_> = qualifier.span.text(text).split_whitespace().collect();
            qualifiers.insert(words.join(" "));
            collect(expression, text, operators, qualifiers);
        }
    }
}

fn check_all(name: &str, cases: &[Value]) {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for case in cases.iter().filter(|case| case["disputed"] != true) {
        checked += 1;
        if let Err(error) = check(case) {
            wrong.push(format!("{} {}: {error}", case["id"], case["pattern"]));
        }
    }
    assert!(checked > 0, "{name} has cases");
    assert!(wrong.is_empty(), "{} of {checked} cases of {name}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn corpus() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/stix-patterns/patterns.ndjson");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: the corpus is not here");
        return;
    };
    check_all("the corpus", &cases(&text));
}

/// Patterns of our own. The verdicts are those of the reference validator, but where docs/patterns.md says otherwise.
#[test]
fn fixtures() {
    check_all("the fixtures", &cases(include_str!("fixtures/patterns.ndjson")));
}

#[test]
fn errors_as_they_are_shown() {
    let long = format!("[a:b = '{}' AND a:c = '{}' {}]", "x".repeat(300), "y".repeat(300), "z".repeat(300));
    let texts = [
        "",
        "ipv4-addr:value = '198.51.100.7'",
        "[ipv4-addr:value = '198.51.100.7'",
        "[ipv4-addr:value = '198.51.100.7'] or [a:b = 1]",
        "[file.name = 'x']",
        "[file:name 'x']",
        "[file:name = \"x\"]",
        "[file:name = x]",
        "[file:hashes.SHA-256 = 'x']",
        "[file:name = 'it's']",
        "[file:name = 'C:\\Windows']",
        "[file:name = 'x]",
        "[file:name = 1 /* and",
        "// why\n[a:b = 1]",
        "[NOT file:name = 'x']",
        "[file:size = 007]",
        "[file:size > true]",
        "[file:name LIKE 5]",
        "[file:name IN ('a' 'b')]",
        "[a:b[-1] = 1]",
        "[a:AND = 1]",
        "[a:b = 1 && a:c = 2]",
        "[a:b = t'2026-02-30T00:00:00Z']",
        "[a:b = t'2026-02-03']",
        "[a:b = h'abc']",
        "[a:b = b'abc']",
        "[file:hashes.MD5 = 'd41d8']",
        "[a:b = 1] WITHIN 5 MINUTES",
        "[a:b = 1] REPEATS -5 TIMES",
        "[a:b = 1] START '2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'",
        "[a:b = 1] WITHIN 5 SECONDS REPEATS 2 TIMES WITHIN 5 SECONDS",
        "[a:b = 1 AND\n\ta:c = 2 AND\n\ta:d == = 3 OR\n\ta:e = 4]",
        "[a:b = 'äöü 漢字' \u{202e}\u{1b}[31m]",
        &long,
        &format!("{}a:b = 1{}", "[(".to_owned() + &"(".repeat(150), ")".repeat(151) + "]"),
        &format!("[a:b = '{}']", "x".repeat(MAX_LENGTH)),
    ];
    let mut shown = String::new();
    for text in texts {
        let error = Pattern::parse(text).expect_err(text);
        shown.push_str(&format!("{}\n\n", error.render(text)));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn precedence_and_parentheses() {
    // Comparisons: AND before OR. Observations: AND before OR before FOLLOWEDBY.
    for (text, canonical) in [
        ("[a:a=1 OR a:b=1 AND a:c=1]", "[a:a = 1 OR a:b = 1 AND a:c = 1]"),
        ("[a:a=1 OR (a:b=1 AND a:c=1)]", "[a:a = 1 OR a:b = 1 AND a:c = 1]"),
        ("[(a:a=1 OR a:b=1) AND a:c=1]", "[(a:a = 1 OR a:b = 1) AND a:c = 1]"),
        ("[(a:a=1 OR a:b=1) OR a:c=1]", "[(a:a = 1 OR a:b = 1) OR a:c = 1]"),
        ("[((a:a=1)) AND ((a:b=1))]", "[a:a = 1 AND a:b = 1]"),
        (
            "[a:a=1] FOLLOWEDBY [a:b=1] OR [a:c=1] AND [a:d=1]",
            "[a:a = 1] FOLLOWEDBY [a:b = 1] OR [a:c = 1] AND [a:d = 1]",
        ),
        ("[a:a=1] AND ([a:b=1] OR [a:c=1])", "[a:a = 1] AND ([a:b = 1] OR [a:c = 1])"),
        ("[a:a=1] AND ([a:b=1] AND [a:c=1])", "[a:a = 1] AND ([a:b = 1] AND [a:c = 1])"),
        ("([a:a=1] AND [a:b=1])", "[a:a = 1] AND [a:b = 1]"),
        ("[a:a=1] AND [a:b=1] REPEATS 2 TIMES", "[a:a = 1] AND [a:b = 1] REPEATS 2 TIMES"),
        ("([a:a=1] AND [a:b=1]) REPEATS 2 TIMES", "([a:a = 1] AND [a:b = 1]) REPEATS 2 TIMES"),
        (
            "([a:a=1]) REPEATS 2 TIMES REPEATS 2 TIMES REPEATS 2 TIMES",
            "([a:a = 1] REPEATS 2 TIMES) REPEATS 2 TIMES REPEATS 2 TIMES",
        ),
        (
            "(([a:a=1] REPEATS 2 TIMES) WITHIN 1.50 SECONDS) REPEATS 2 TIMES",
            "([a:a = 1] REPEATS 2 TIMES WITHIN 1.5 SECONDS) REPEATS 2 TIMES",
        ),
    ] {
        let pattern = Pattern::parse(text).unwrap_or_else(|error| panic!("{}", error.render(text)));
        assert_eq!(pattern.to_string(), canonical, "{text}");
        assert_eq!(Pattern::parse(canonical).as_ref(), Ok(&pattern), "{text}");
    }
    let ObservationExpression::Combined { operator, operands, .. } =
        Pattern::parse("[a:a=1] AND [a:b=1] OR [a:c=1] FOLLOWEDBY [a:d=1]").expect("a pattern").expression
    else {
        panic!("three operators");
    };
    assert_eq!((operator, operands.len()), (ObservationOperator::FollowedBy, 2));
    assert_eq!(operands.first().and_then(ObservationExpression::operator), Some(ObservationOperator::Or));
}

#[test]
fn literals_and_their_canonical_form() {
    for (written, value, canonical) in [
        ("+5", LiteralValue::Integer(5), "5"),
        ("-0", LiteralValue::Integer(0), "0"),
        ("-9223372036854775808", LiteralValue::Integer(i64::MIN), "-9223372036854775808"),
        ("9223372036854775808", LiteralValue::Float(9_223_372_036_854_775_808.0), "9223372036854775808.0"),
        (".5", LiteralValue::Float(0.5), "0.5"),
        ("-007.250", LiteralValue::Float(-7.25), "-7.25"),
        ("true", LiteralValue::Boolean(true), "true"),
        (r"'it\'s \\ here'", LiteralValue::String(r"it's \ here".into()), r"'it\'s \\ here'"),
        (r"'\\\''", LiteralValue::String(r"\'".into()), r"'\\\''"),
        ("h'00fF'", LiteralValue::Hex([0, 255].into()), "h'00ff'"),
        ("h''", LiteralValue::Hex([].into()), "h''"),
        ("b'ABI='", LiteralValue::Binary([0, 18].into()), "b'ABI='"),
        ("b'AB\r\nI=\n'", LiteralValue::Binary([0, 18].into()), "b'ABI='"),
        ("b'/+8='", LiteralValue::Binary([255, 239].into()), "b'/+8='"),
        ("b'QQ=='", LiteralValue::Binary([65].into()), "b'QQ=='"),
        ("b'QUJD'", LiteralValue::Binary([65, 66, 67].into()), "b'QUJD'"),
        (
            "t'2026-01-02T03:04:05.1234567890123Z'",
            LiteralValue::Timestamp("2026-01-02T03:04:05.123456789Z".parse().expect("a time")),
            "t'2026-01-02T03:04:05.123456789Z'",
        ),
    ] {
        let text = format!("[a:b = {written}]");
        let pattern = Pattern::parse(&text).unwrap_or_else(|error| panic!("{}", error.render(&text)));
        let test = pattern.tests().next().expect("a test");
        let PropertyTest::Compare(_, literal) = &test.test else { panic!("{test:?}") };
        assert_eq!(literal.value, value, "{written}");
        assert_eq!(literal.span.text(&text), written);
        assert_eq!(pattern.to_string(), format!("[a:b = {canonical}]"));
    }
    let huge = format!("[a:b = {}]", "9".repeat(400));
    let test = Pattern::parse(&huge).expect("a number").to_string();
    assert_eq!(Pattern::parse(&test).map(|pattern| pattern.to_string()), Ok(test));
}

#[test]
fn paths() {
    for (text, canonical) in [
        ("file:hashes.'SHA-256'", "file:hashes.'SHA-256'"),
        ("file:'name'", "file:name"),
        ("a : b [ 0 ] [*] . 'c d'", "a:b[0][*].'c d'"),
        ("a:'AND'.'it\\'s'.''", "a:'AND'.'it\\'s'.''"),
        ("a:'b.c'", "a:'b.c'"),
    ] {
        let path: ObjectPath = text.parse().expect(text);
        assert_eq!(path.to_string(), canonical);
    }
    for text in ["", "file", "file:", "file:name = 1", "file:name]", "file:a-b", ":name"] {
        text.parse::<ObjectPath>().expect_err(text);
    }
}

#[test]
fn versions() {
    let start = "[a:b = 1] START '2026-01-01T00:00:00Z' STOP '2026-02-01T00:00:00Z'";
    assert_eq!(Pattern::parse(start).map_err(|error| error.kind()), Err(PatternErrorKind::Syntax));
    let read = Pattern::read(start).expect("STIX 2.0");
    assert_eq!(read.version, PatternVersion::V2_0);
    assert_eq!(
        read.to_string(),
        "[a:b = 1] START t'2026-01-01T00:00:00.000Z' STOP t'2026-02-01T00:00:00.000Z'",
        "the form that both versions have"
    );
    assert_eq!(Pattern::read("[EXISTS a:b]").map(|pattern| pattern.version), Ok(PatternVersion::V2_1));
    assert_eq!(Pattern::read("[a:b = ]"), Pattern::parse("[a:b = ]"));
    assert_eq!(serde_json::to_string(&read).ok(), Some(format!("\"{read}\"")));
}

#[track_caller]
fn refused(text: &str, version: PatternVersion, kind: PatternErrorKind) {
    let error = Pattern::parse_as(text, version).expect_err("hostile");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.render(text).len() < 4_000, "{}", error.render(text));
}

#[test]
fn hostile_text_is_refused_or_read() {
    use PatternErrorKind::{Literal, Syntax, TooDeep, TooLong};
    for version in [PatternVersion::V2_0, PatternVersion::V2_1] {
        refused(&"(".repeat(MAX_LENGTH), version, TooDeep);
        refused(&format!("[{}", "(".repeat(MAX_LENGTH - 1)), version, TooDeep);
        refused(&"[".repeat(MAX_LENGTH), version, Syntax);
        refused(&" ".repeat(MAX_LENGTH), version, Syntax);
        refused(&"\u{2028}".repeat(MAX_LENGTH / 3), version, Syntax);
        refused(&"a".repeat(MAX_LENGTH + 1), version, TooLong);
        refused(&format!("[a:b = 1]{}", "/ /".repeat(300_000)), version, Syntax);
        refused(&format!("[a:b = 1]{}", "/* ".repeat(300_000)), version, Literal);
        refused(&format!("[a:b = '{}", "\\\\".repeat(400_000)), version, Literal);
        let qualified = |count: usize| format!("([a:b = 1]){}", " REPEATS 1 TIMES".repeat(count));
        refused(&qualified(60_000), version, TooDeep);
        // A test, its brackets, and the rest.
        for (count, is_read) in [(MAX_DEPTH - 2, true), (MAX_DEPTH - 1, false)] {
            assert_eq!(Pattern::parse_as(&qualified(count), version).is_ok(), is_read, "{count}");
        }
    }
    let nested = |count: usize| format!("[{}a:b = 1{}]", "(".repeat(count), ")".repeat(count));
    assert!(Pattern::parse(&nested(MAX_DEPTH)).is_ok());
    refused(&nested(MAX_DEPTH + 1), PatternVersion::V2_1, TooDeep);
    let around = |count: usize| format!("{}[a:b = 1]{}", "(".repeat(count), ")".repeat(count));
    assert!(Pattern::parse(&around(MAX_DEPTH)).is_ok());
    refused(&around(MAX_DEPTH + 1), PatternVersion::V2_1, TooDeep);
    // As deep as a tree can be, and back.
    let mut deep = "[a:b = 1]".to_owned();
    for _ in 0..MAX_DEPTH / 2 - 1 {
        deep = format!("([a:b = 1] AND {deep}) REPEATS 1 TIMES");
    }
    let pattern = Pattern::parse(&deep).expect("not too deep");
    assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern));
    // Wide is allowed.
    for text in [
        format!("[a:b IN ({}1)]", "1,".repeat(400_000)),
        format!("[a:b{} = 1]", "[0]".repeat(300_000)),
        format!("[{}a:b = 1]", "a:b=1 OR ".repeat(100_000)),
        format!("{}[a:b=1]", "[a:b=1]AND".repeat(90_000)),
        format!("[a:b = '{}']", "\\\\".repeat(500_000)),
    ] {
        let pattern = Pattern::parse(&text).expect("wide");
        assert!(pattern.tests().count() > 0);
    }
}
