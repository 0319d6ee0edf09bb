//! Canonical JSON (RFC 8785).

use serde_json::{Number, Value};

/// Appends `value` in canonical form.
///
/// Numbers are IEEE 754 doubles, as the RFC has it: integers beyond 2^53 lose digits. The depth is bounded by whoever
/// built the value; parsed values are at most 128 levels deep.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(name, out);
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
    }
}

/// The first byte that must be escaped, eight bytes at a time.
fn first_escape(text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The highest bit of each byte that is zero; borrows reach further only behind the first of them.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (words, remainder) = text.as_chunks();
    for (place, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let found = control | zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return Some(place * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let is_escaped = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f);
    remainder.iter().position(is_escaped).map(|place| text.len() / 8 * 8 + place)
}

/// Appends a string with the fewest escapes.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = first_escape(rest) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, tail)) = tail.split_first() else { break };
        write_escape(*byte, out);
        rest = tail;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        b'"' | b'\\' => byte,
        _ => {
            let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

fn write_number(number: &Number, out: &mut Vec<u8>) {
    const EXACT: u64 = 1 << 53;
    match (number.as_u64(), number.as_i64()) {
        (Some(integer), _) if integer <= EXACT => out.extend_from_slice(integer.to_string().as_bytes()),
        (_, Some(integer)) if integer.unsigned_abs() <= EXACT => {
            out.extend_from_slice(integer.to_string().as_bytes());
        }
        _ => write_double(number.as_f64().unwrap_or(0.0), out),
    }
}

/// The shortest digits that read back as `number`, laid out as ECMAScript's `Number::toString` does.
fn write_double(number: f64, out: &mut Vec<u8>) {
    if number == 0.0 || !number.is_finite() {
        return out.push(b'0');
    }
    if number < 0.0 {
        out.push(b'-');
    }
    // Rust's `{:e}` gives the same shortest digits as `d.ddde±x`.
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    // The decimal point stands after `point` digits.
    let point = exponent + 1;
    if (1..=21).contains(&point) {
        for place in 0..point.max(count) {
            if place == point {
                out.push(b'.');
            }
            out.push(usize::try_from(place).ok().and_then(|place| digits.get(place)).copied().unwrap_or(b'0'));
        }
    } else if (-5..=0).contains(&point) {
        out.extend_from_slice(b"0.");
        out.extend((point..0).map(|_| b'0'));
        out.extend_from_slice(&digits);
    } else {
        let (first, rest) = digits.split_at(1.min(digits.len()));
        out.extend_from_slice(first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
        out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
        out.extend_from_slice(exponent.unsigned_abs().to_string().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, canonical: &str) {
        let mut out = Vec::new();
        write(&serde_json::from_str(json).expect("JSON"), &mut out);
        assert_eq!(String::from_utf8(out).as_deref(), Ok(canonical));
    }

    #[test]
    fn numbers_take_the_ecmascript_form() {
        check("[10, -20, 1.0, -0.0, 0.5]", "[10,-20,1,0,0.5]");
        check("[1e-6, 1e-7, 1.5e-7, 48.8566, -2.3522]", "[0.000001,1e-7,1.5e-7,48.8566,-2.3522]");
        check(
            "[1e20, 1e21, 1.25e21, 123456789012345680000]",
            "[100000000000000000000,1e+21,1.25e+21,123456789012345680000]",
        );
        check(
            "[9007199254740993, 18446744073709551615, -9007199254740993]",
            "[9007199254740992,18446744073709552000,-9007199254740992]",
        );
        check("[5e-324, 1.7976931348623157e308]", "[5e-324,1.7976931348623157e+308]");
    }

    #[test]
    fn members_are_sorted_by_utf16_code_units() {
        // U+1F600 starts with the surrogate D83D, which sorts before U+FB33.
        check(r#"{"\ufb33":1,"\ud83d\ude00":2,"b":3,"a":4}"#, "{\"a\":4,\"b\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}");
    }

    #[test]
    fn strings_escape_only_what_they_must() {
        check(
            r#""\u0000\u0008\t\n\u000b\f\r\u001f\"\\\/\u007f\u2028""#,
            "\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\u{7f}\u{2028}\"",
        );
    }
}
