//! The table of figures.

use std::io::{self, Write};

use crate::measure::Rate;

/// A table of figures, printed as they come.
#[derive(Debug)]
pub struct Table<W> {
    out: W,
}

impl<W: Write> Table<W> {
    /// A table with its header.
    pub fn new(mut out: W) -> io::Result<Self> {
        writeln!(out, "{:<44} {:>14} {:>14} {:>14}", "figure", "best", "median", "required")?;
        Ok(Self { out })
    }

    /// A figure that has to reach a mark.
    pub fn at_least(&mut self, name: &str, rate: Rate, required: Option<f64>, decimals: usize) -> io::Result<()> {
        let mark = required.map_or_else(String::new, |required| format!(">= {}", thousands(required, 0)));
        let verdict = required.map_or("", |required| if rate.best >= required { "ok" } else { "MISSED" });
        let (best, median) = (thousands(rate.best, decimals), thousands(rate.median, decimals));
        self.row(name, &best, &median, &mark, verdict)
    }

    /// A figure that has to stay below a mark.
    pub fn below(&mut self, name: &str, value: f64, median: &str, mark: f64, unit: &str) -> io::Result<()> {
        let verdict = if value < mark { "ok" } else { "MISSED" };
        self.row(name, &format!("{value:.1}"), median, &format!("< {mark} {unit}"), verdict)
    }

    /// A figure in words.
    pub fn row(&mut self, name: &str, best: &str, median: &str, required: &str, verdict: &str) -> io::Result<()> {
        let line = format!("{name:<44} {best:>14} {median:>14} {required:>14}  {verdict}");
        writeln!(self.out, "{}", line.trim_end())?;
        self.out.flush()
    }

    /// A remark.
    pub fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "  {text}")
    }
}

/// A number with commas.
pub fn thousands(value: f64, decimals: usize) -> String {
    let digits = format!("{value:.decimals$}");
    let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
    let mut out = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}
