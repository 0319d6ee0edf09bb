//! Finds where JSON values begin and end in a stream, without parsing them.

use std::io::{self, Read};

use super::reader::{ReadError, ReadErrorKind};

const BUFFER: usize = 64 * 1024;

/// A buffered reader that copies whole JSON values.
///
/// It checks no more than it needs to find the end of a value: brackets that match, strings that end on their line, a
/// comma or colon between values. The rest is left to the parser, so that nonsense inside an object costs that object.
pub(super) struct Scanner<R> {
    reader: R,
    buffer: Box<[u8]>,
    position: usize,
    filled: usize,
    /// Bytes before the buffer.
    before: u64,
    /// Line breaks seen between values and inside them.
    lines: u64,
    /// True if only white space came since the last line break.
    line_start: bool,
}

impl<R: Read> Scanner<R> {
    pub(super) fn new(reader: R) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { reader, buffer, position: 0, filled: 0, before: 0, lines: 0, line_start: true }
    }

    /// The line, from 0.
    pub(super) fn line(&self) -> u64 {
        self.lines
    }

    /// True if the next byte is the first of its line.
    pub(super) fn at_line_start(&self) -> bool {
        self.line_start
    }

    pub(super) fn error(&self, kind: ReadErrorKind) -> ReadError {
        ReadError::new(self.before + self.position as u64, kind)
    }

    pub(super) fn syntax<T>(&mut self, expected: &'static str) -> Result<T, ReadError> {
        let end = self.peek()?.is_none();
        Err(self.error(if end { ReadErrorKind::UnexpectedEnd } else { ReadErrorKind::Syntax(expected) }))
    }

    /// What is in the buffer; empty only at the end of input.
    fn chunk(&mut self) -> Result<&[u8], ReadError> {
        if self.position == self.filled {
            self.before += self.filled as u64;
            (self.position, self.filled) = (0, 0);
            self.filled = loop {
                match self.reader.read(&mut self.buffer) {
                    Ok(count) => break count.min(BUFFER),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(self.error(ReadErrorKind::Io(error))),
                }
            };
        }
        Ok(self.buffer.get(self.position..self.filled).unwrap_or_default())
    }

    pub(super) fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        self.chunk().map(|chunk| chunk.first().copied())
    }

    /// Passes over one byte that is no line break.
    pub(super) fn bump(&mut self) {
        self.position = self.filled.min(self.position + 1);
        self.line_start = false;
    }

    pub(super) fn skip_space(&mut self) -> Result<(), ReadError> {
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(());
            }
            let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let space = chunk.iter().position(|byte| !is_space(byte)).unwrap_or(chunk.len());
            let breaks = chunk.iter().take(space).filter(|byte| **byte == b'\n').count();
            let ended = space < chunk.len();
            self.position += space;
            self.lines += breaks as u64;
            self.line_start |= breaks > 0;
            if ended {
                return Ok(());
            }
        }
    }

    /// Passes over the rest of the line.
    pub(super) fn skip_line(&mut self) -> Result<(), ReadError> {
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(());
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let count = chunk.len();
            if let Some(end) = end {
                self.position += end + 1;
                self.lines += 1;
                self.line_start = true;
                return Ok(());
            }
            self.position += count;
        }
    }

    pub(super) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), ReadError> {
        if self.peek()? != Some(byte) {
            return self.syntax(expected);
        }
        self.bump();
        Ok(())
    }

    /// Appends the value that begins here.
    pub(super) fn copy_value(&mut self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        match self.peek()? {
            Some(b'{' | b'[' | b'"') => self.copy_nested(out),
            None | Some(b',' | b':' | b'}' | b']') => self.syntax("expected a value"),
            Some(_) => self.copy_scalar(out),
        }
    }

    pub(super) fn copy_string(&mut self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        if self.peek()? == Some(b'"') { self.copy_nested(out) } else { self.syntax("expected a string") }
    }

    /// Appends an object, list or string.
    fn copy_nested(&mut self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let mut nesting = Nesting::default();
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return self.syntax("");
            }
            let (mut taken, mut breaks) = (0, 0);
            let mut step = Step::More;
            for byte in chunk {
                step = nesting.step(*byte);
                if let Step::Error(_) = step {
                    break;
                }
                taken += 1;
                breaks += u64::from(*byte == b'\n');
                if let Step::Done = step {
                    break;
                }
            }
            out.extend_from_slice(chunk.get(..taken).unwrap_or_default());
            let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
            let last_line = chunk.get(..taken).and_then(|taken| taken.rsplit(|byte| *byte == b'\n').next());
            let line_start = last_line.is_some_and(|line| line.iter().all(blank)) && (breaks > 0 || self.line_start);
            self.position += taken;
            self.lines += breaks;
            self.line_start = line_start;
            match step {
                Step::More => {}
                Step::Done => return Ok(()),
                Step::Error(expected) => return self.syntax(expected),
            }
        }
    }

    /// Appends a number, `true`, `false`, `null`, or whatever stands in their place.
    fn copy_scalar(&mut self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        while let Some(byte) = self.peek()? {
            if matches!(byte, b',' | b':' | b'}' | b']' | b'{' | b'[' | b'"' | b' ' | b'\t' | b'\r' | b'\n') {
                break;
            }
            out.push(byte);
            self.bump();
        }
        Ok(())
    }
}

enum Step {
    More,
    Done,
    Error(&'static str),
}

/// Where in a value the scanner stands.
#[derive(Default)]
struct Nesting {
    /// The closing brackets to come.
    closing: Vec<u8>,
    in_string: bool,
    escaped: bool,
    after_value: bool,
}

impl Nesting {
    fn step(&mut self, byte: u8) -> Step {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_string = false;
                    return self.after_value();
                }
                b'\n' => return Step::Error("line break in a string"),
                _ => {}
            }
            return Step::More;
        }
        match byte {
            b'{' | b'[' | b'"' if self.after_value => return Step::Error("expected `,` between values"),
            b'{' => self.closing.push(b'}'),
            b'[' => self.closing.push(b']'),
            b'"' => self.in_string = true,
            b'}' | b']' => {
                if self.closing.pop() != Some(byte) {
                    return Step::Error("brackets do not match");
                }
                return self.after_value();
            }
            b',' | b':' => self.after_value = false,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => self.after_value = true,
        }
        Step::More
    }

    fn after_value(&mut self) -> Step {
        self.after_value = true;
        if self.closing.is_empty() { Step::Done } else { Step::More }
    }
}
