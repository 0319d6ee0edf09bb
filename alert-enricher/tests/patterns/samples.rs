//! Tests for the values of an observation: every path, and every operator that holds there.

use serde_json::Value;

/// Every property of an observation with its value, as a path. References are followed.
pub(crate) fn properties(objects: &[(String, Value)]) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (_, object) in objects {
        let object_type = object["type"].as_str().unwrap();
        walk(objects, &format!("{object_type}:"), object, 0, &mut all);
    }
    all
}

fn walk(objects: &[(String, Value)], path: &str, value: &Value, depth: usize, all: &mut Vec<(String, Value)>) {
    let Value::Object(members) = value else {
        all.push((path.to_owned(), value.clone()));
        return;
    };
    for (name, value) in members {
        let separator = if path.ends_with(':') { "" } else { "." };
        let plain = name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_')
            && !name.starts_with(|char: char| char.is_ascii_digit());
        let name = if plain { name.clone() } else { format!("'{name}'") };
        let path = format!("{path}{separator}{name}");
        let follow = |reference: &Value, path: &str, all: &mut Vec<(String, Value)>| {
            let found = objects.iter().find(|(key, _)| Some(key.as_str()) == reference.as_str());
            if let Some((_, object)) = found.filter(|_| depth < 3) {
                walk(objects, path, object, depth + 1, all);
            }
        };
        match value {
            _ if name.ends_with("_ref") => follow(value, &path, all),
            Value::Array(list) if name.ends_with("_refs") => {
                for reference in list {
                    follow(reference, &format!("{path}[*]"), all);
                }
            }
            Value::Array(list) => {
                for value in list {
                    walk(objects, &format!("{path}[*]"), value, depth, all);
                }
            }
            _ => walk(objects, &path, value, depth, all),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        if char.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(char);
    }
    out
}

/// A part of a text by characters.
fn part(text: &str, from: usize, to: usize) -> String {
    text.chars().skip(from).take(to.saturating_sub(from)).collect()
}

/// Tests of which most hold for this value.
pub(crate) fn tests(path: &str, value: &Value) -> Vec<String> {
    let mut tests = vec![format!("EXISTS {path}"), format!("NOT EXISTS {path}")];
    let mut test = |operator: &str, literal: &str| tests.push(format!("{path} {operator} {literal}"));
    match value {
        Value::String(text) => {
            let length = text.chars().count();
            let (third, half) = (length / 3, length / 2);
            for text in [text.clone(), text.to_uppercase(), text.to_lowercase(), format!(" {text}")] {
                test("=", &quoted(&text));
            }
            let whole = quoted(text);
            test("NOT !=", &whole);
            test("IN", &format!("('other', {whole}, 'one more')"));
            test("IN", &format!("({whole}, 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l')"));
            test("!=", "'other'");
            test("NOT =", "'other'");
            test("NOT IN", "('other', 'one more')");
            test("NOT LIKE", "'other%'");
            test("NOT MATCHES", "'^other'");
            test("<=", &whole);
            test(">=", &whole);
            test(">", "''");
            let (head, middle, tail) = (part(text, 0, half), part(text, third, third * 2), part(text, half, length));
            for like in [
                "%".to_owned(),
                text.clone(),
                text.to_uppercase(),
                format!("{head}%"),
                format!("%{middle}%"),
                format!("%{tail}"),
                format!("{}_{}", part(text, 0, half), part(text, half + 1, length)),
                format!("{}%{}", part(text, 0, third), part(text, third * 2, length)),
            ] {
                test("LIKE", &quoted(&like));
            }
            for expression in [
                ".".to_owned(),
                escaped(&middle),
                format!("^{}", escaped(&head)),
                format!("{}$", escaped(&tail)),
                format!("(?i){}", escaped(&middle.to_uppercase())),
                format!("^({}|other).*$", escaped(&head)),
                format!("^.{{{half}}}{}", escaped(&tail)),
                format!("{}[^x]*{}", escaped(&part(text, 0, third)), escaped(&part(text, third * 2, length))),
                format!("^[\\w\\W]{{1,{}}}$", length.max(1)),
                "\\d+".to_owned(),
                "[a-f]".to_owned(),
                "\\\\".to_owned(),
            ] {
                test("MATCHES", &quoted(&expression));
            }
            if let Ok(address) = text.parse::<std::net::IpAddr>() {
                let lengths: &[u8] = if address.is_ipv4() { &[8, 13, 24, 31, 32] } else { &[7, 16, 33, 48, 64, 128] };
                for length in lengths {
                    test("ISSUBSET", &quoted(&format!("{text}/{length}")));
                    test("=", &quoted(&format!("{text}/{length}")));
                    test("ISSUPERSET", &quoted(&format!("{text}/{length}")));
                }
                test("ISSUPERSET", &whole);
            }
            test("=", "5");
            test("!=", "5");
            if text.len() >= 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T' {
                for operator in ["=", "<=", ">=", "<", ">", "!="] {
                    test(operator, &format!("t{whole}"));
                }
                test(">", "t'1970-01-01T00:00:00Z'");
            }
        }
        Value::Number(number) => {
            for operator in ["=", "<=", ">=", "NOT !=", "NOT <", "!="] {
                test(operator, &number.to_string());
            }
            test("IN", &format!("(1, {number}, 3)"));
            test("!=", "-5");
            test(">", "-1");
            test("<", "99999999999.5");
            test("=", &quoted(&number.to_string()));
            if let Some(number) = number.as_i64() {
                test(">", &(number - 1).to_string());
                test("<", &(number + 1).to_string());
                test(">", &format!("{}.5", number - 1));
                test("<=", &format!("{number}.5"));
                test("=", &format!("{number}.0"));
            }
        }
        _ => {}
    }
    tests
}
