//! Finding the objects in a JSON text that arrives in pieces.

/// Finds the outermost objects of a text; lists around them are opened. It looks at quotes and brackets only: whether
/// an object is valid JSON is for its reader to find out.
///
/// All offsets count from the start of what is held; [`release`](Self::release) says what is no longer needed.
#[derive(Debug)]
pub(super) struct Splitter {
    /// Up to where the text was looked at.
    at: usize,
    /// The start of the object that is being read.
    start: Option<usize>,
    /// Open brackets since its start.
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The last byte before `at`, outside of strings, that is no white space.
    last: u8,
    /// The line at `at`.
    line: u64,
    /// The line at `start`.
    start_line: u64,
    /// The rest of the line belongs to no object.
    odd: bool,
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            at: 0,
            start: None,
            depth: 0,
            in_string: false,
            escaped: false,
            last: 0,
            line: 1,
            start_line: 1,
            odd: false,
        }
    }
}

/// What was found.
pub(super) enum Step<'t> {
    /// An object, with the line on which it starts.
    Value { number: u64, text: &'t [u8] },
    /// Text on this line that belongs to no object.
    Odd { number: u64 },
    /// The text ends before anything else was found.
    More,
}

impl Splitter {
    /// Looks for the next object.
    pub(super) fn step<'t>(&mut self, text: &'t [u8]) -> Step<'t> {
        while let Some(byte) = text.get(self.at).copied() {
            self.at += 1;
            if byte == b'\n' {
                self.line += 1;
                if self.in_string {
                    // A string holds no line end: a quote is missing, and what follows would be read inside out.
                    return self.give_up();
                }
                self.odd = false;
                continue;
            }
            let Some(start) = self.start else {
                match byte {
                    b'{' if !self.odd => {
                        self.start = Some(self.at - 1);
                        self.start_line = self.line;
                        self.depth = 1;
                        self.last = byte;
                    }
                    b' ' | b'\t' | b'\r' | b',' | b'[' | b']' => {}
                    _ if !self.odd => {
                        self.odd = true;
                        return Step::Odd { number: self.line };
                    }
                    _ => {}
                }
                continue;
            };
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' if text.get(self.at.wrapping_sub(2)) == Some(&b'\n')
                    && !matches!(self.last, b'[' | b',' | b':') =>
                {
                    // No object can stand here: the one before it is not finished.
                    self.at -= 1;
                    return self.give_up();
                }
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.start = None;
                        return Step::Value { number: self.start_line, text: &text[start..self.at] };
                    }
                }
                _ => {}
            }
            if !byte.is_ascii_whitespace() {
                self.last = byte;
            }
        }
        Step::More
    }

    fn give_up<'t>(&mut self) -> Step<'t> {
        self.start = None;
        self.depth = 0;
        self.in_string = false;
        self.escaped = false;
        self.odd = false;
        Step::Odd { number: self.start_line }
    }

    /// How much of the text is no longer needed; offsets count from behind it from now on.
    pub(super) fn release(&mut self) -> usize {
        let done = self.start.unwrap_or(self.at);
        self.at -= done;
        self.start = self.start.map(|start| start - done);
        done
    }

    /// Whether an object is unfinished.
    pub(super) fn is_inside(&self) -> bool {
        self.start.is_some()
    }

    /// The line of the unfinished object, else the current one.
    pub(super) fn number(&self) -> u64 {
        if self.is_inside() { self.start_line } else { self.line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits a text that arrives in pieces of `piece` bytes.
    fn split(text: &str, piece: usize) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut found = Vec::new();
        let (mut held, mut rest) = (Vec::new(), text.as_bytes());
        loop {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            held.extend_from_slice(now);
            rest = later;
            loop {
                match splitter.step(&held) {
                    Step::Value { number, text } => found.push(format!("{number} {}", String::from_utf8_lossy(text))),
                    Step::Odd { number } => found.push(format!("{number} odd")),
                    Step::More => break,
                }
            }
            held.drain(..splitter.release());
            if rest.is_empty() {
                if splitter.is_inside() {
                    found.push(format!("{} unfinished", splitter.number()));
                }
                return found;
            }
        }
    }

    #[test]
    fn pieces_do_not_matter() {
        for (text, wanted) in [
            (r#"[{"a":"}{\"]["},{"b":[{},{"c":1}]}]"#, vec![r#"1 {"a":"}{\"]["}"#, r#"1 {"b":[{},{"c":1}]}"#]),
            ("{\n \"a\": 1\n}\n{\n \"b\": 2\n}\n", vec!["1 {\n \"a\": 1\n}", "4 {\n \"b\": 2\n}"]),
            ("[\n{\"a\":1},\n{\"b\":", vec!["2 {\"a\":1}", "3 unfinished"]),
            ("[1, 2]\n{\"a\":1}", vec!["1 odd", "2 {\"a\":1}"]),
            ("{\n \"a\": \"x\n}\n{\"b\":1}\n", vec!["1 odd", "3 odd", "4 {\"b\":1}"]),
            ("{\n \"a\": [\n{\"b\":1}\n]}\n", vec!["1 {\n \"a\": [\n{\"b\":1}\n]}"]),
            ("{\n \"a\": 1\n{\"b\":1}\n", vec!["1 odd", "3 {\"b\":1}"]),
            ("}}{\"a\":1}\n{\"b\":1}", vec!["1 odd", "2 {\"b\":1}"]),
        ] {
            for piece in [1, 2, 3, 5, 1_000] {
                assert_eq!(split(text, piece), wanted, "{text} in pieces of {piece}");
            }
        }
    }
}
