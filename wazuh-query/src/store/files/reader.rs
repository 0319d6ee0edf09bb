//! Reading alert files document by document.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use memchr::{memchr, memchr_iter};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::split::{Splitter, Step};
use super::walk::STANDARD_INPUT;

/// One document of a file.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The file.
    pub path: &'a Path,
    /// The line on which the document starts, counted from 1.
    pub number: u64,
    /// The document's text, without white space around it. Usually JSON, but that is for the caller to find out.
    pub text: &'a str,
}

/// Something that is wrong with a file or a line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or folder.
    pub path: PathBuf,
    /// The line, where the problem has one.
    pub line: Option<u64>,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What is wrong with a file or a line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Reading stopped here, usually in the middle of a compressed file. What stands before it was read.
    Damaged(String),
    /// The file is empty.
    Empty,
    /// A folder without any file of alerts.
    NoAlerts,
    /// Text outside of any document.
    NotJson,
    /// Bytes that are not UTF-8. The document was used, with `U+FFFD` in their place.
    NotUtf8,
    /// The file was read before under another name.
    SameFile,
    /// A document that is longer than the limit, in bytes. It was left out.
    TooLong(u64),
    /// The file ends in the middle of a document.
    Unfinished,
    /// The file or folder cannot be read.
    Unreadable(String),
}

impl ProblemKind {
    /// Whether documents are missing because of it.
    pub fn loses_data(&self) -> bool {
        !matches!(self, Self::Empty | Self::NotUtf8 | Self::SameFile)
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(error) => write!(formatter, "damaged from here on: {error}"),
            Self::Empty => formatter.write_str("empty"),
            Self::NoAlerts => formatter.write_str("no file of alerts in this folder"),
            Self::NotJson => formatter.write_str("text that belongs to no document"),
            Self::NotUtf8 => formatter.write_str("not valid UTF-8; the document was used nevertheless"),
            Self::SameFile => formatter.write_str("the same file as one that was read already"),
            Self::TooLong(bytes) => write!(formatter, "a document of at least {bytes} bytes was left out"),
            Self::Unfinished => formatter.write_str("the file ends in the middle of a document"),
            Self::Unreadable(error) => write!(formatter, "cannot be read: {error}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        write!(formatter, ": {}", self.kind)
    }
}

/// What reading a file came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileReport {
    /// Documents that were handed out.
    pub documents: u64,
    /// Bytes of text, after decompression.
    pub bytes: u64,
    /// The first problems.
    pub problems: Vec<Problem>,
    /// All problems.
    pub problem_count: u64,
    /// Whether the caller stopped before the end.
    pub stopped: bool,
}

impl FileReport {
    const KEPT: usize = 100;

    fn problem(&mut self, path: &Path, line: Option<u64>, kind: ProblemKind) {
        self.problem_count += 1;
        if self.problems.len() < Self::KEPT {
            self.problems.push(Problem { path: path.to_owned(), line, kind });
        }
    }
}

/// Reads alert files in constant memory, however large they are.
///
/// Understood are: one alert a line (`alerts.json`), one search hit with its `_source` a line, a list of either, an
/// answer of the search API, and single documents over several lines; each also compressed with gzip, in one or
/// several members, whatever the file is called.
///
/// The buffer is kept, so one reader for many files allocates once.
///
/// ```
/// use std::ops::ControlFlow;
/// use std::path::Path;
/// use wazuh_query::store::files::AlertReader;
///
/// let text = "{\"id\":\"1\"}\n{\"id\":\"2\"}\n";
/// let mut lines = Vec::new();
/// let report = AlertReader::new().read(Path::new("example"), text.as_bytes(), |line| {
///     lines.push((line.number, line.text.to_owned()));
///     ControlFlow::Continue(())
/// });
/// assert_eq!(lines, [(1, "{\"id\":\"1\"}".to_owned()), (2, "{\"id\":\"2\"}".to_owned())]);
/// assert_eq!(report.problem_count, 0);
/// ```
#[derive(Debug)]
pub struct AlertReader {
    buffer: Vec<u8>,
    longest_line: usize,
    longest_document: usize,
}

impl Default for AlertReader {
    fn default() -> Self {
        Self::new()
    }
}

/// Large enough that system calls do not show, small enough to stay in a processor's cache.
const BUFFER: usize = 256 << 10;

impl AlertReader {
    /// The longest line that is handed out unless told otherwise: 16 MiB.
    pub const LONGEST_LINE: usize = 16 << 20;
    /// The longest document over several lines, such as an answer of the search API: 512 MiB.
    pub const LONGEST_DOCUMENT: usize = 512 << 20;

    /// A reader with the usual limits.
    pub fn new() -> Self {
        Self { buffer: Vec::new(), longest_line: Self::LONGEST_LINE, longest_document: Self::LONGEST_DOCUMENT }
    }

    /// Leaves out lines that are longer than `bytes`.
    #[must_use]
    pub fn longest_line(self, bytes: usize) -> Self {
        Self { longest_line: bytes.max(1), ..self }
    }

    /// Leaves out documents over several lines that are longer than `bytes`.
    #[must_use]
    pub fn longest_document(self, bytes: usize) -> Self {
        Self { longest_document: bytes.max(1), ..self }
    }

    /// Reads a file, or standard input if `path` is `-`.
    pub fn read_path(&mut self, path: &Path, visit: impl FnMut(Line<'_>) -> ControlFlow<()>) -> FileReport {
        if path == Path::new(STANDARD_INPUT) {
            return self.read(path, io::stdin().lock(), visit);
        }
        match File::open(path) {
            Ok(file) => self.read(path, file, visit),
            Err(error) => {
                let mut report = FileReport::default();
                report.problem(path, None, ProblemKind::Unreadable(error.to_string()));
                report
            }
        }
    }

    /// Reads the text of a file. `path` is what problems and lines name.
    pub fn read(
        &mut self,
        path: &Path,
        mut file: impl Read,
        visit: impl FnMut(Line<'_>) -> ControlFlow<()>,
    ) -> FileReport {
        let mut magic = [0; 2];
        let mut held = 0;
        while held < magic.len() {
            match file.read(&mut magic[held..]) {
                Ok(0) => break,
                Ok(count) => held += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The same error comes again when the text is read.
                Err(_) => break,
            }
        }
        let whole = Cursor::new(magic).take(held as u64).chain(file);
        if magic == [0x1f, 0x8b] {
            self.text(path, MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole)), visit)
        } else {
            self.text(path, whole, visit)
        }
    }

    fn text(&mut self, path: &Path, file: impl Read, visit: impl FnMut(Line<'_>) -> ControlFlow<()>) -> FileReport {
        if self.buffer.len() < BUFFER {
            self.buffer.resize(BUFFER, 0);
        }
        let mut text = Text { buffer: &mut self.buffer, file, start: 0, end: 0, ended: false, error: None, bytes: 0 };
        let mut out = Out { path, visit, report: FileReport::default() };
        // Two lines tell the shape; that they might not fit is no reason to wait for more.
        while !text.ended && text.end < BUFFER / 2 {
            text.fill(BUFFER);
        }
        if text.held().starts_with(b"\xef\xbb\xbf") {
            text.start += 3;
        }
        if text.bytes == 0 && text.error.is_none() {
            out.report.problem(path, None, ProblemKind::Empty);
            return out.report;
        }
        let flow = match shape(text.held()) {
            Shape::Lines => text.lines(self.longest_line, &mut out),
            Shape::Values => text.values(self.longest_document, &mut out),
        };
        out.report.stopped = flow.is_break();
        out.report.bytes = text.bytes;
        // One very long line must not cost its memory for ever.
        self.buffer.truncate(4 << 20);
        self.buffer.shrink_to(4 << 20);
        out.report
    }
}

/// How the documents of a file stand in it.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    /// One a line.
    Lines,
    /// Somewhere in a JSON text.
    Values,
}

fn shape(head: &[u8]) -> Shape {
    let head = head.trim_ascii_start();
    let (first, rest) = match memchr(b'\n', head) {
        Some(end) => (&head[..end], &head[end + 1..]),
        None => (head, &head[head.len()..]),
    };
    if head.starts_with(b"[") || starts_like_an_answer(head) {
        return Shape::Values;
    }
    if !head.starts_with(b"{") || rest.is_empty() {
        return Shape::Lines;
    }
    let unfinished = serde_json::from_slice::<serde::de::IgnoredAny>(first).is_err_and(|error| error.is_eof());
    // The first line of a rotated file may be cut; then the next line is a document of its own.
    if unfinished && !rest.trim_ascii_start().starts_with(b"{") { Shape::Values } else { Shape::Lines }
}

/// Whether an object starts with one of the keys that only an answer of the search API has at its start.
fn starts_like_an_answer(head: &[u8]) -> bool {
    let Some(rest) = head.strip_prefix(b"{") else { return false };
    let keys: [&[u8]; 7] = [
        b"\"took\"",
        b"\"timed_out\"",
        b"\"_shards\"",
        b"\"hits\"",
        b"\"_scroll_id\"",
        b"\"pit_id\"",
        b"\"responses\"",
    ];
    let rest = rest.trim_ascii_start();
    keys.iter().any(|key| rest.starts_with(key))
}

/// The part of a file that is in memory.
struct Text<'b, R> {
    buffer: &'b mut Vec<u8>,
    file: R,
    start: usize,
    end: usize,
    ended: bool,
    error: Option<String>,
    bytes: u64,
}

impl<R: Read> Text<'_, R> {
    fn held(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads more behind what is held, which moves to the start of the buffer. The buffer grows up to `longest`.
    fn fill(&mut self, longest: usize) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            let wanted = self.buffer.len().saturating_mul(2).min(longest.saturating_add(BUFFER));
            self.buffer.resize(wanted.max(self.end + 1), 0);
        }
        loop {
            match self.file.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.end += count;
                    self.bytes += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.error = Some(error.to_string());
                    self.ended = true;
                }
            }
            return;
        }
    }

    fn lines<F: FnMut(Line<'_>) -> ControlFlow<()>>(
        &mut self,
        longest: usize,
        out: &mut Out<'_, F>,
    ) -> ControlFlow<()> {
        let mut number = 0;
        // Bytes of the last line that were looked at already.
        let mut seen = 0;
        loop {
            let held = &self.buffer[self.start..self.end];
            let mut line = 0;
            for end in memchr_iter(b'\n', &held[seen..]) {
                let end = seen + end;
                number += 1;
                out.document(number, &held[line..end])?;
                line = end + 1;
            }
            self.start += line;
            seen = self.end - self.start;
            if self.ended {
                break;
            }
            if seen > longest {
                number += 1;
                let length = self.skip_line(seen as u64);
                out.report.problem(out.path, Some(number), ProblemKind::TooLong(length));
                seen = 0;
                continue;
            }
            self.fill(longest);
        }
        if let Some(error) = self.error.take() {
            // The line that was being read is incomplete.
            out.report.problem(out.path, Some(number + 1), ProblemKind::Damaged(error));
            return ControlFlow::Continue(());
        }
        out.document(number + 1, self.held())
    }

    /// Drops everything up to the end of the line. Returns its length.
    fn skip_line(&mut self, mut length: u64) -> u64 {
        self.start = self.end;
        while !self.ended {
            self.start = 0;
            self.end = 0;
            self.fill(BUFFER);
            if let Some(end) = memchr(b'\n', self.held()) {
                self.start = end + 1;
                return length + end as u64;
            }
            length += self.end as u64;
            self.start = self.end;
        }
        length
    }

    fn values<F: FnMut(Line<'_>) -> ControlFlow<()>>(
        &mut self,
        longest: usize,
        out: &mut Out<'_, F>,
    ) -> ControlFlow<()> {
        let mut splitter = Splitter::default();
        loop {
            let held = &self.buffer[self.start..self.end];
            loop {
                match splitter.step(held) {
                    Step::Value { number, text } => out.value(number, text)?,
                    Step::Odd { number } => out.report.problem(out.path, Some(number), ProblemKind::NotJson),
                    Step::More => break,
                }
            }
            self.start += splitter.release();
            if self.ended {
                break;
            }
            if self.end - self.start > longest {
                let (number, length) = (splitter.number(), self.end - self.start);
                out.report.problem(out.path, Some(number), ProblemKind::TooLong(length as u64));
                return ControlFlow::Continue(());
            }
            self.fill(longest);
        }
        if let Some(error) = self.error.take() {
            out.report.problem(out.path, Some(splitter.number()), ProblemKind::Damaged(error));
        } else if splitter.is_inside() {
            out.report.problem(out.path, Some(splitter.number()), ProblemKind::Unfinished);
        }
        ControlFlow::Continue(())
    }
}

/// Where documents go.
struct Out<'p, F> {
    path: &'p Path,
    visit: F,
    report: FileReport,
}

impl<F: FnMut(Line<'_>) -> ControlFlow<()>> Out<'_, F> {
    fn document(&mut self, number: u64, bytes: &[u8]) -> ControlFlow<()> {
        let mut bytes = bytes.trim_ascii();
        // A crash leaves zeros where a file system had reserved room.
        while let Some(rest) = bytes.strip_prefix(b"\0") {
            bytes = rest;
        }
        if bytes.is_empty() {
            return ControlFlow::Continue(());
        }
        let text = self.decoded(number, bytes);
        self.report.documents += 1;
        (self.visit)(Line { path: self.path, number, text: &text })
    }

    fn decoded<'t>(&mut self, number: u64, bytes: &'t [u8]) -> Cow<'t, str> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            Cow::Borrowed(text)
        } else {
            self.report.problem(self.path, Some(number), ProblemKind::NotUtf8);
            String::from_utf8_lossy(bytes)
        }
    }

    /// Hands out an object, or the hits in it if it is an answer of the search API.
    fn value(&mut self, number: u64, bytes: &[u8]) -> ControlFlow<()> {
        if !starts_like_an_answer(bytes) {
            return self.document(number, bytes);
        }
        let text = self.decoded(number, bytes);
        let Some(hits) = hits_of(&text) else { return self.document(number, bytes) };
        let (mut number, mut counted) = (number, 0);
        for hit in hits {
            // The hits are parts of the text, in its order.
            let place = (hit.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
            number += memchr_iter(b'\n', text.as_bytes().get(counted..place).unwrap_or_default()).count() as u64;
            counted = place;
            self.report.documents += 1;
            (self.visit)(Line { path: self.path, number, text: hit.get() })?;
        }
        ControlFlow::Continue(())
    }
}

/// The hits of an answer to one search or to a batch.
fn hits_of(text: &str) -> Option<Vec<&RawValue>> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        hits: Hits<'a>,
    }
    #[derive(Deserialize)]
    struct Hits<'a> {
        #[serde(borrow)]
        hits: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Batch<'a> {
        #[serde(borrow)]
        responses: Vec<&'a RawValue>,
    }
    if let Ok(answer) = serde_json::from_str::<Answer<'_>>(text) {
        return Some(answer.hits.hits);
    }
    let batch: Batch<'_> = serde_json::from_str(text).ok()?;
    let answers = batch.responses.into_iter().filter_map(|raw| serde_json::from_str::<Answer<'_>>(raw.get()).ok());
    Some(answers.flat_map(|answer| answer.hits.hits).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        for (text, wanted) in [
            ("{\"a\":1}\n{\"a\":2}\n", Shape::Lines),
            ("{\"a\":1}", Shape::Lines),
            ("{\n  \"a\": 1\n}\n", Shape::Values),
            ("{\"a\":\n{\"b\":1}\n", Shape::Lines),
            ("[{\"a\":1}]", Shape::Values),
            ("\n[\n{\"a\":1}]", Shape::Values),
            ("{ \"took\": 3, \"hits\": {}}", Shape::Values),
            ("{\"took\":3,\"hits\":{}}\n", Shape::Values),
            ("not json\n{\"a\":1}\n", Shape::Lines),
            ("", Shape::Lines),
        ] {
            assert_eq!(shape(text.as_bytes()), wanted, "{text}");
        }
    }
}
