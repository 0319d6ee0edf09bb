//! Patterns: the corpus, the canonical form, errors, hostile text.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use stix_model::pattern::{ObservationExpression, PathStep, Pattern, PatternErrorKind, PatternVersion, PropertyTest};

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
fn comparison(test: &stix_model::pattern::ComparisonTest, text: &str) -> Option<String> {
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
