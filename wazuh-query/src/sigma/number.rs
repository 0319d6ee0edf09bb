//! Numbers, and comparing them: modifiers `lt`, `lte`, `gt` and `gte`.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number of any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// Digits before the point, without leading zeros.
    whole: String,
    /// Digits behind the point, without trailing zeros.
    fraction: String,
}

/// How a field compares to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Decimal {
    /// Reads a number: digits, with a sign, a point and more digits where there are any. A negative zero is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (digits, ""),
        };
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let is_zero = whole.is_empty() && fraction.is_empty();
        (!(negative && is_zero)).then_some(Self { negative, whole, fraction })
    }

    fn size(&self, other: &Self) -> Ordering {
        let whole = self.whole.len().cmp(&other.whole.len()).then_with(|| self.whole.cmp(&other.whole));
        whole.then_with(|| self.fraction.cmp(&other.fraction))
    }

    /// Whether the number compares to `bound` in this way.
    pub(super) fn compares(&self, comparison: Comparison, bound: &Self) -> bool {
        let order = match (self.negative, bound.negative) {
            (false, false) => self.size(bound),
            (true, true) => bound.size(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        };
        match comparison {
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }
    }

    /// The number, if it is a whole number without a sign of at most 15 digits.
    pub(super) fn as_u64(&self) -> Option<u64> {
        if self.negative || !self.fraction.is_empty() || self.whole.len() > 15 {
            return None;
        }
        if self.whole.is_empty() { Some(0) } else { self.whole.parse().ok() }
    }
}

/// The number as JSON writes it.
impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = if self.whole.is_empty() { "0" } else { &self.whole };
        let sign = if self.negative { "-" } else { "" };
        let point = if self.fraction.is_empty() { "" } else { "." };
        write!(formatter, "{sign}{whole}{point}{}", self.fraction)
    }
}

/// A Lucene expression for the texts of all numbers that compare to `bound` in this way: exactly those that
/// [`Decimal::read`] reads.
pub(super) fn expression(comparison: Comparison, bound: u64) -> String {
    // Behind the point: anything, nothing but zeros, or not only zeros.
    const SOME: &str = r"(\.[0-9]+)?";
    const ZERO: &str = r"(\.0+)?";
    const MORE: &str = r"\.[0-9]*[1-9][0-9]*";
    // A negative number, which zero is not.
    const NEGATIVE: &str = r"-([0-9]*[1-9][0-9]*(\.[0-9]+)?|0+\.[0-9]*[1-9][0-9]*)";
    let below = |bound: u64| bound.checked_sub(1).map(|most| format!("0*({}){SOME}", at_most(most)));
    let above = |bound: u64| format!("0*({}){SOME}", at_least(bound + 1));
    // Zero has no digit that is not a leading zero.
    let equal = |rest: &str| if bound == 0 { format!("0+{rest}") } else { format!("0*{bound}{rest}") };
    let parts = match comparison {
        Comparison::Less => vec![Some(NEGATIVE.to_owned()), below(bound)],
        Comparison::LessOrEqual => vec![Some(NEGATIVE.to_owned()), below(bound), Some(equal(ZERO))],
        Comparison::Greater => vec![Some(equal(MORE)), Some(above(bound))],
        Comparison::GreaterOrEqual => vec![Some(equal(SOME)), Some(above(bound))],
    };
    parts.into_iter().flatten().collect::<Vec<_>>().join("|")
}

/// The whole numbers from `bound` on, without leading zeros.
fn at_least(bound: u64) -> String {
    let digits = bound.to_string();
    let mut parts = vec![digits.clone(), format!("[1-9][0-9]{{{},}}", digits.len())];
    for (place, digit) in digits.bytes().enumerate().filter(|(_, digit)| *digit < b'9') {
        let higher = class(digit + 1, b'9');
        parts.push(format!("{}{higher}{}", digits.get(..place).unwrap_or_default(), rest(digits.len() - place - 1)));
    }
    parts.join("|")
}

/// The whole numbers up to `bound`, possibly with leading zeros, zero included.
fn at_most(bound: u64) -> String {
    let digits = bound.to_string();
    let mut parts = vec![digits.clone()];
    if digits.len() > 1 {
        parts.push(format!("[0-9]{{1,{}}}", digits.len() - 1));
    }
    for (place, digit) in digits.bytes().enumerate().filter(|(_, digit)| *digit > b'0') {
        let lower = class(b'0', digit - 1);
        parts.push(format!("{}{lower}{}", digits.get(..place).unwrap_or_default(), rest(digits.len() - place - 1)));
    }
    parts.join("|")
}

fn class(from: u8, to: u8) -> String {
    let (from, to) = (char::from(from), char::from(to));
    if from == to { from.to_string() } else { format!("[{from}-{to}]") }
}

fn rest(length: usize) -> String {
    match length {
        0 => String::new(),
        1 => "[0-9]".to_owned(),
        _ => format!("[0-9]{{{length}}}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::regexp::Regexp;

    const ALL: [Comparison; 4] =
        [Comparison::Less, Comparison::LessOrEqual, Comparison::Greater, Comparison::GreaterOrEqual];

    #[test]
    fn numbers() {
        for text in ["", "-", "1.", ".5", "1e3", "0x1f", "+1", "-0", "-0.00", "1 ", "١"] {
            assert_eq!(Decimal::read(text), None, "{text}");
        }
        let number = |text: &str| Decimal::read(text).unwrap();
        assert!(number("4688").compares(Comparison::Greater, &number("0999.9")));
        assert!(number("-5").compares(Comparison::Less, &number("-4.99")));
        assert!(number("007").compares(Comparison::LessOrEqual, &number("7.0")));
        assert!(number("10000000000000000000000").compares(Comparison::Greater, &number("9")));
    }

    #[track_caller]
    fn agree(text: &str, bound: u64) {
        let number = Decimal::read(text);
        let limit = Decimal::read(&bound.to_string()).unwrap();
        for comparison in ALL {
            let wanted = number.as_ref().is_some_and(|number| number.compares(comparison, &limit));
            let expression = expression(comparison, bound);
            assert_eq!(Regexp::new(&expression, false).unwrap().matches(text), wanted, "{text} {comparison:?} {bound}");
        }
    }

    #[test]
    fn expressions_at_the_borders() {
        for bound in [0_u64, 1, 9, 10, 99, 100, 101, 4_688, 65_535, 999_999_999_999_999] {
            for other in [bound.saturating_sub(1), bound, bound + 1, bound * 10, 0] {
                for text in [format!("{other}"), format!("00{other}"), format!("{other}.0"), format!("{other}.05")] {
                    agree(&text, bound);
                    agree(&format!("-{text}"), bound);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn expressions_find_exactly_the_numbers(text in "-?[0-9]{0,5}(\\.[0-9]{0,2})?", bound in 0_u64..20_000) {
            agree(&text, bound);
        }
    }
}
