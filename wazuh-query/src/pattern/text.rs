//! From `LIKE` patterns and regular expressions to expressions of the index.
//!
//! Both kinds become the tree of the crate `regex-syntax`, which is written out as a Lucene expression. What Lucene
//! cannot say, or would need too large an automaton for, is widened: the expression then finds more, never less.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Dot, Hir, HirKind, Look, Repetition};
use stix_model::pattern::matcher::engine_expression;

use super::lucene::{Spelling, Writer};
use crate::dsl::limits;
use crate::regexp::Regexp;

/// Nesting of a regular expression beyond this is not looked into.
pub(super) const MAX_NESTING: u32 = 100;
/// Characters of a text that is asked for where the whole expression cannot be.
const MAX_LITERAL: usize = 200;
/// What the automaton of an expression may cost, well below what the cluster refuses.
const MAX_EFFORT: usize = 20_000;

/// A text to look for: a tree, and whether it begins and ends where the value does.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    tree: Hir,
    from_start: bool,
    to_end: bool,
}

/// An expression of the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expression {
    pub text: String,
    /// Whether it finds nothing but what was asked for.
    pub exact: bool,
}

impl Wanted {
    /// A pattern of `LIKE`: `%` for any characters, `_` for one, the whole value.
    pub(super) fn like(pattern: &str) -> Self {
        let any = || Hir::dot(Dot::AnyChar);
        let mut parts = Vec::new();
        let mut literal = String::new();
        for char in pattern.chars() {
            if !matches!(char, '%' | '_') {
                literal.push(char);
                continue;
            }
            if !literal.is_empty() {
                parts.push(Hir::literal(std::mem::take(&mut literal).into_bytes()));
            }
            parts.push(if char == '_' {
                any()
            } else {
                Hir::repetition(Repetition { min: 0, max: None, greedy: true, sub: Box::new(any()) })
            });
        }
        if !literal.is_empty() {
            parts.push(Hir::literal(literal.into_bytes()));
        }
        Self { tree: Hir::concat(parts), from_start: true, to_end: true }
    }

    /// A regular expression that occurs somewhere. `None` where it is none that is understood.
    pub(super) fn matches(expression: &str) -> Option<Self> {
        // Read as the matcher reads it, which verifies what is found.
        let expression = engine_expression(expression).ok()?;
        let tree =
            ParserBuilder::new().nest_limit(MAX_NESTING).dot_matches_new_line(true).build().parse(&expression).ok()?;
        let properties = tree.properties();
        let from_start = properties.look_set_prefix().contains(Look::Start);
        let to_end = properties.look_set_suffix().contains(Look::End);
        Some(Self { tree, from_start, to_end })
    }

    /// The expression for a field in which something stands before the value, and something may stand behind it.
    ///
    /// `None` where only the presence of a value can be asked for.
    pub(super) fn expression(&self, before: &str, after: &str, spelling: Spelling) -> Option<Expression> {
        let mut writer = Writer { out: String::new(), exact: true, spelling };
        // What need not be there says nothing where anything may be.
        if self.from_start || !before.ends_with(")?") {
            writer.out.push_str(before);
        }
        if !self.from_start {
            writer.out.push_str(".*");
        }
        writer.write(&self.tree, 0);
        // Nothing has to stand behind a value.
        writer.out.push_str(if self.to_end { after } else { ".*" });
        let Writer { out, exact, .. } = writer;
        if fits(&out, spelling) {
            return Some(Expression { text: out, exact });
        }
        let literal = self.literals().into_iter().max_by_key(String::len)?;
        containing(&literal, spelling)
    }

    /// Texts that every value has, in the order in which they occur.
    pub(super) fn literals(&self) -> Vec<String> {
        let mut found = Literals::default();
        found.add(&self.tree, 0);
        found.end();
        found.all
    }

    /// Whether every value has a separator of paths in it.
    pub(super) fn names_directory(&self) -> bool {
        self.literals().iter().any(|literal| literal.contains(['/', '\\']))
    }

    /// The literal beginning of the value, where it begins with one and anything may follow: `198.51.` of `198.51.%`.
    pub(super) fn prefix(&self) -> Option<String> {
        if !self.from_start {
            return None;
        }
        let first = match self.tree.kind() {
            HirKind::Concat(parts) => parts.first()?,
            _ => &self.tree,
        };
        match first.kind() {
            HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(str::to_owned),
            _ => None,
        }
    }
}

/// An expression for values that have a text in them.
pub(super) fn containing(literal: &str, spelling: Spelling) -> Option<Expression> {
    if literal.is_empty() {
        return None;
    }
    let mut writer = Writer { out: ".*".to_owned(), exact: false, spelling };
    for char in literal.chars().take(MAX_LITERAL) {
        writer.char(char);
    }
    writer.out.push_str(".*");
    fits(&writer.out, spelling).then_some(Expression { text: writer.out, exact: false })
}

/// A text as an expression, in all its spellings. `None` when it is too long.
pub(super) fn spelled(text: &str, spelling: Spelling) -> Expression {
    let mut writer = Writer { out: String::with_capacity(text.len() + 8), exact: true, spelling };
    for char in text.chars() {
        writer.char(char);
    }
    Expression { text: writer.out, exact: writer.exact }
}

fn fits(expression: &str, spelling: Spelling) -> bool {
    expression.chars().count() <= limits::REGEXP_CHARS
        && Regexp::new(expression, spelling.any_case).is_ok_and(|regexp| regexp.costs_at_most(MAX_EFFORT))
}

/// Collects the texts that stand in every match.
#[derive(Default)]
struct Literals {
    all: Vec<String>,
    current: String,
}

impl Literals {
    fn end(&mut self) {
        if !self.current.is_empty() {
            self.all.push(std::mem::take(&mut self.current));
        }
    }

    fn add(&mut self, tree: &Hir, depth: u32) {
        if depth > MAX_NESTING * 2 {
            self.end();
            return;
        }
        match tree.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                // Characters beyond ASCII may be written in several ways.
                Ok(text) => {
                    for char in text.chars() {
                        if char.is_ascii() { self.current.push(char) } else { self.end() }
                    }
                }
                Err(_) => self.end(),
            },
            HirKind::Capture(capture) => self.add(&capture.sub, depth + 1),
            HirKind::Concat(parts) => {
                for part in parts {
                    self.add(part, depth + 1);
                }
            }
            HirKind::Repetition(repetition) if repetition.min > 0 => {
                self.end();
                self.add(&repetition.sub, depth + 1);
                self.end();
            }
            HirKind::Repetition(_) | HirKind::Alternation(_) | HirKind::Class(_) => self.end(),
        }
    }
}
