//! Reading server-sent events.
//!
//! Lines end with CR LF, LF or CR and nothing else: the JSON in them may hold U+2028, which other readers of lines take
//! for an end.

use crate::StreamId;

/// One event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) id: Option<StreamId>,
    pub(crate) event: String,
    pub(crate) data: String,
    /// The data was larger than is read, and was left out.
    pub(crate) oversize: bool,
}

/// Reads events from bytes as they come, in whatever portions.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is about something else")]
pub(crate) struct Parser {
    largest: usize,
    bytes: Vec<u8>,
    /// How far `bytes` was looked through for the end of a line.
    looked: usize,
    /// The line that is being read is too long: the rest of it is thrown away.
    throwing: bool,
    /// The last byte was CR: an LF that follows belongs to it.
    after_cr: bool,
    started: bool,
    frame: Frame,
    any_data: bool,
}

impl Parser {
    pub(crate) fn new(largest: usize) -> Self {
        Self {
            largest,
            bytes: Vec::new(),
            looked: 0,
            throwing: false,
            after_cr: false,
            started: false,
            frame: Frame::default(),
            any_data: false,
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next event that is complete.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut start = 0;
        let mut found = None;
        while found.is_none() {
            let rest = &self.bytes[self.looked..];
            let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.looked = self.bytes.len();
                break;
            };
            let end = self.looked + end;
            let line = start..end;
            let cr = self.bytes[end] == b'\r';
            start = end + 1;
            self.looked = start;
            if std::mem::take(&mut self.after_cr) && !cr && line.is_empty() && !self.throwing {
                // The LF of a CR LF.
                continue;
            }
            self.after_cr = cr;
            if std::mem::take(&mut self.throwing) {
                continue;
            }
            found = self.line(line);
        }
        self.bytes.drain(..start);
        self.looked -= start;
        if self.bytes.len() > self.largest {
            // Name and beginning of the line tell whether it is data.
            if !self.throwing {
                self.frame.oversize = true;
                self.frame.data.clear();
            }
            self.throwing = true;
            self.bytes.clear();
            self.looked = 0;
        }
        found
    }

    fn line(&mut self, line: std::ops::Range<usize>) -> Option<Frame> {
        let mut bytes = &self.bytes[line];
        if !std::mem::replace(&mut self.started, true) {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        if bytes.is_empty() {
            let frame = std::mem::take(&mut self.frame);
            let any = std::mem::take(&mut self.any_data) || frame.oversize || frame.id.is_some();
            return any.then_some(frame);
        }
        let colon = bytes.iter().position(|byte| *byte == b':').unwrap_or(bytes.len());
        let (name, value) = (&bytes[..colon], bytes.get(colon + 1..).unwrap_or_default());
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"id" => self.frame.id = std::str::from_utf8(value).ok().and_then(|id| id.parse().ok()),
            b"event" => self.frame.event = String::from_utf8_lossy(value).into_owned(),
            b"data" if self.frame.data.len() + value.len() > self.largest => {
                self.frame.oversize = true;
                self.frame.data = String::new();
            }
            b"data" if self.frame.oversize => {}
            b"data" => {
                if std::mem::replace(&mut self.any_data, true) {
                    self.frame.data.push('\n');
                }
                self.frame.data.push_str(&String::from_utf8_lossy(value));
            }
            // Comments, `retry`, and names to come.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parser: &mut Parser, portions: &[&[u8]]) -> Vec<Frame> {
        let mut frames = Vec::new();
        for portion in portions {
            parser.push(portion);
            frames.extend(std::iter::from_fn(|| parser.next()));
        }
        frames
    }

    fn whole(bytes: &[u8]) -> Vec<Frame> {
        read(&mut Parser::new(1_000), &[bytes])
    }

    /// Acceptance 19: U+2028 does not end a line.
    #[test]
    fn lines_end_where_they_end() {
        let text = "id: 5-1\nevent: create\ndata: {\"a\":\"x\u{2028}y\u{85}z\"}\n\n";
        let frame = &whole(text.as_bytes())[0];
        assert_eq!(frame.data, "{\"a\":\"x\u{2028}y\u{85}z\"}");
        assert_eq!((frame.id, frame.event.as_str()), ("5-1".parse().ok(), "create"));
    }

    #[test]
    fn portions_do_not_matter() {
        let text = "\u{feff}id: 5-1\r\nevent:create\rdata: a\u{e4}\r\ndata:b\n\n: comment\r\n\r\nevent: heartbeat\nid: 5-2\n\nretry: 5\ndata\n\n";
        let expect = whole(text.as_bytes());
        assert_eq!(expect.len(), 3, "{expect:?}");
        assert_eq!(expect[0].data, "a\u{e4}\nb");
        assert_eq!((expect[1].event.as_str(), expect[1].id), ("heartbeat", "5-2".parse().ok()));
        for size in 1..12 {
            let portions: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            assert_eq!(read(&mut Parser::new(1_000), &portions), expect, "{size}");
        }
    }

    #[test]
    fn too_large_events_are_left_out() {
        for line in ["data: ", "data: x\ndata: "] {
            let text =
                format!("id: 1-0\nevent: create\n{line}{}\ndata: more\n\nid: 2-0\ndata: y\n\n", "z".repeat(5_000));
            for size in [7, 100, 10_000] {
                let portions: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
                let frames = read(&mut Parser::new(1_000), &portions);
                assert_eq!(frames.len(), 2, "{size}");
                assert!(frames[0].oversize && frames[0].data.is_empty() && frames[0].id.is_some());
                assert!(!frames[1].oversize && frames[1].data == "y");
            }
        }
    }

    #[test]
    fn odd_bytes() {
        assert_eq!(whole(b"data: \xff\xfe\nid: nonsense\n\n")[0].id, None);
        assert!(whole(b"\n\n\r\r\r\n:\n\n").is_empty());
        assert!(whole(b"data: never ended").is_empty());
    }
}
