//! Reading bundles object by object.

use std::io::{self, Read};

use super::{Bundle, scanner::Scanner};
use crate::{Identifier, Object, ObjectError, error::Problem, wire::Props};

/// Why input as a whole could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("at byte {offset}: {kind}")]
pub struct ReadError {
    offset: u64,
    #[source]
    kind: ReadErrorKind,
}

impl ReadError {
    pub(super) fn new(offset: u64, kind: ReadErrorKind) -> Self {
        Self { offset, kind }
    }

    /// Where it happened, in bytes from the start.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What happened.
    pub fn kind(&self) -> &ReadErrorKind {
        &self.kind
    }
}

/// What went wrong while reading.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The reader failed.
    #[error("{0}")]
    Io(io::Error),
    /// The text is not JSON.
    #[error("{0}")]
    Syntax(&'static str),
    /// The text is cut off, or empty where a bundle is required.
    #[error("unexpected end of input")]
    UnexpectedEnd,
}

/// Reads objects one by one; only one is held in memory at a time.
///
/// Accepts a bundle, a list of objects or bundles, a single object, and any of these one after the other, with or
/// without line breaks between them (NDJSON). Each object is handed to `receive` in order; one that cannot be read is
/// handed over as an error that names it, and reading goes on. So it does after a line that is not JSON at all.
///
/// Observed data that holds its observables in place, as STIX 2.0 had them, is handed over after those observables.
///
/// Fails when the reader fails, and when the text is not JSON in a way that makes it impossible to go on; what was read
/// until then has been handed over.
///
/// ```
/// use stix_model::bundle::read_objects;
///
/// let json = br#"{"type":"ipv4-addr","value":"198.51.100.3"}
/// {"type":"ipv4-addr"}
/// {"type":"domain-name","value":"example.com"}"#;
/// let (mut read, mut failed) = (Vec::new(), Vec::new());
/// read_objects(&json[..], |object| match object {
///     Ok(object) => read.push(object.id().to_string()),
///     Err(error) => failed.push(error.to_string()),
/// })?;
/// assert_eq!(read.len(), 2);
/// assert_eq!(failed, ["object 1: ipv4-addr: property `value`: required property is missing"]);
/// # Ok::<(), stix_model::bundle::ReadError>(())
/// ```
pub fn read_objects<R: Read>(reader: R, receive: impl FnMut(Result<Object, ObjectError>)) -> Result<(), ReadError> {
    Reader::new(reader, receive).run()
}

pub(super) fn read_bundle(json: &[u8]) -> Result<(Bundle, Vec<ObjectError>), ReadError> {
    let (mut bundle, mut errors) = (Bundle::default(), Vec::new());
    let mut reader = Reader::new(json, |object| match object {
        Ok(object) => bundle.objects.push(object),
        Err(error) => errors.push(error),
    });
    reader.run()?;
    if reader.values == 0 {
        return Err(reader.scanner.error(ReadErrorKind::UnexpectedEnd));
    }
    let head = reader.head.take();
    let head = head.as_deref().and_then(|json| Props::parse(json).ok());
    if let Some(mut head) = head {
        for name in ["type", "spec_version", "objects"] {
            head.remove(name);
        }
        // A bundle is never referred to: a missing or malformed identifier is replaced.
        if let Ok(id) = head.take::<Identifier>("id") {
            bundle.id = id;
        }
        bundle.extra = head.into_extra();
    }
    if bundle.id.is_nil() {
        bundle.id = super::builder::bundle_id(&bundle.objects);
    }
    Ok((bundle, errors))
}

struct Reader<R, F> {
    scanner: Scanner<R>,
    receive: F,
    /// The number of objects met.
    index: usize,
    /// The number of values read to their end at the top level.
    values: usize,
    /// The properties of the first bundle, without its objects.
    head: Option<String>,
}

impl<R: Read, F: FnMut(Result<Object, ObjectError>)> Reader<R, F> {
    fn new(reader: R, receive: F) -> Self {
        Self { scanner: Scanner::new(reader), receive, index: 0, values: 0, head: None }
    }

    fn run(&mut self) -> Result<(), ReadError> {
        let mut failure = None;
        self.skip_byte_order_mark()?;
        loop {
            self.scanner.skip_space()?;
            let line = self.scanner.line();
            let result = match self.scanner.peek()? {
                None => break,
                Some(b'[') => self.list(true),
                Some(b'{') => self.object_or_bundle(),
                Some(_) => self.scanner.syntax("expected `{` or `[`"),
            };
            match result {
                Ok(()) => self.values += 1,
                Err(error) => {
                    self.recover(line, error, &mut failure)?;
                }
            }
        }
        // A damaged line among others costs that line. Alone it is the whole input.
        match failure {
            Some(error) if self.values == 0 => Err(error),
            _ => Ok(()),
        }
    }

    /// Goes on after a value that broke on the line it began on: with the next line, or with this byte if a new value
    /// begins here at the start of a line.
    fn recover(&mut self, line: u64, error: ReadError, failure: &mut Option<ReadError>) -> Result<(), ReadError> {
        if matches!(error.kind, ReadErrorKind::Io(_)) {
            return Err(error);
        }
        let begins_here = self.scanner.line() > line
            && self.scanner.at_line_start()
            && matches!(self.scanner.peek()?, Some(b'{' | b'['));
        if !begins_here {
            if self.scanner.line() > line {
                return Err(error);
            }
            self.scanner.skip_line()?;
        }
        self.fail(Problem::not_an_object(&error));
        failure.get_or_insert(error);
        Ok(())
    }

    fn skip_byte_order_mark(&mut self) -> Result<(), ReadError> {
        for byte in [0xef, 0xbb, 0xbf] {
            if self.scanner.peek()? == Some(byte) {
                self.scanner.bump();
            }
        }
        Ok(())
    }

    /// Reads a list of objects; at the top level it may hold bundles, too.
    fn list(&mut self, top: bool) -> Result<(), ReadError> {
        let mut json = Vec::new();
        self.scanner.bump();
        self.scanner.skip_space()?;
        if self.scanner.peek()? == Some(b']') {
            self.scanner.bump();
            return Ok(());
        }
        loop {
            self.scanner.skip_space()?;
            if top && self.scanner.peek()? == Some(b'{') {
                self.object_or_bundle()?;
            } else {
                json.clear();
                self.scanner.copy_value(&mut json)?;
                self.emit(&json);
            }
            self.scanner.skip_space()?;
            match self.scanner.peek()? {
                Some(b',') => self.scanner.bump(),
                Some(b']') => {
                    self.scanner.bump();
                    return Ok(());
                }
                _ => return self.scanner.syntax("expected `,` or `]`"),
            }
        }
    }

    /// Reads `{…}`, taking the elements of a bundle's `objects` one by one wherever in it they stand.
    fn object_or_bundle(&mut self) -> Result<(), ReadError> {
        let (mut json, mut key) = (vec![b'{'], Vec::new());
        let (mut object_type, mut streamed) = (None, false);
        self.scanner.bump();
        self.scanner.skip_space()?;
        let mut more = self.scanner.peek()? != Some(b'}');
        while more {
            self.scanner.skip_space()?;
            key.clear();
            self.scanner.copy_string(&mut key)?;
            self.scanner.skip_space()?;
            self.scanner.expect(b':', "expected `:`")?;
            self.scanner.skip_space()?;
            let may_be_bundle = object_type.as_deref().is_none_or(|object_type| object_type == "bundle");
            if key == br#""objects""# && may_be_bundle && self.scanner.peek()? == Some(b'[') {
                streamed = true;
                self.list(false)?;
            } else {
                if json.len() > 1 {
                    json.push(b',');
                }
                json.extend_from_slice(&key);
                json.push(b':');
                let value = json.len();
                self.scanner.copy_value(&mut json)?;
                if key == br#""type""# {
                    object_type = json.get(value..).and_then(|value| serde_json::from_slice::<String>(value).ok());
                }
            }
            self.scanner.skip_space()?;
            more = match self.scanner.peek()? {
                Some(b',') => {
                    self.scanner.bump();
                    true
                }
                Some(b'}') => false,
                _ => return self.scanner.syntax("expected `,` or `}`"),
            };
        }
        self.scanner.bump();
        json.push(b'}');
        if streamed || object_type.as_deref() == Some("bundle") {
            if self.head.is_none() {
                self.head = String::from_utf8(json).ok();
            }
        } else {
            self.emit(&json);
        }
        Ok(())
    }

    fn emit(&mut self, json: &[u8]) {
        let object = match str::from_utf8(json) {
            Ok(json) => Object::from_json(json),
            Err(error) => Err(ObjectError::new(None, None, Problem::not_an_object(error))),
        };
        match object {
            Ok(Object::ObservedData(observed)) if !observed.objects.is_empty() => {
                let (observed, observables) = observed.expand();
                for object in observables {
                    (self.receive)(Ok(object));
                }
                (self.receive)(Ok(observed.into()));
            }
            object => (self.receive)(object.map_err(|error| error.at(self.index))),
        }
        self.index += 1;
    }

    fn fail(&mut self, problem: Problem) {
        (self.receive)(Err(ObjectError::new(None, None, problem).at(self.index)));
        self.index += 1;
    }
}
