//! Why an object could not be read.

use std::fmt;

use crate::identifier::shorten;

/// An object that could not be read: where it stood, which one it was, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ObjectError {
    index: Option<usize>,
    id: Option<Box<str>>,
    object_type: Option<Box<str>>,
    field: Option<Box<str>>,
    kind: ObjectErrorKind,
}

/// What is wrong with an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectErrorKind {
    /// Not a JSON object, or not JSON at all.
    #[error("not a JSON object: {0}")]
    NotAnObject(Box<str>),
    /// A required property is absent, null or empty.
    #[error("required property is missing")]
    Missing,
    /// A property has a value of the wrong shape.
    #[error("{0}")]
    BadValue(Box<str>),
    /// The identifier names a type that is not the type of the object.
    #[error("identifier does not start with the object's type")]
    TypeMismatch,
}

impl ObjectError {
    /// The position among the objects of the input, from 0, where there is one.
    pub fn index(&self) -> Option<usize> {
        self.index
    }

    /// The identifier as it was written, if it could be found.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The `type` as it was written, if it could be found.
    pub fn object_type(&self) -> Option<&str> {
        self.object_type.as_deref()
    }

    /// The property that is at fault, if it is one.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// What is wrong.
    pub fn kind(&self) -> &ObjectErrorKind {
        &self.kind
    }

    pub(crate) fn new(object_type: Option<&str>, id: Option<&str>, problem: Problem) -> Self {
        Self {
            index: None,
            id: id.map(shorten),
            object_type: object_type.map(shorten),
            field: problem.field.map(Into::into),
            kind: problem.kind,
        }
    }

    pub(crate) fn at(mut self, index: usize) -> Self {
        self.index = Some(index);
        self
    }
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.index {
            write!(f, "object {index}: ")?;
        }
        match (&self.id, &self.object_type) {
            (Some(id), _) => write!(f, "`{id}`: ")?,
            (None, Some(object_type)) => write!(f, "{object_type}: ")?,
            (None, None) => {}
        }
        if let Some(field) = &self.field {
            write!(f, "property `{field}`: ")?;
        }
        self.kind.fmt(f)
    }
}

/// A problem with one property, before it is known which object it belongs to.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) field: Option<String>,
    pub(crate) kind: ObjectErrorKind,
}

impl Problem {
    pub(crate) fn missing() -> Self {
        Self { field: None, kind: ObjectErrorKind::Missing }
    }

    pub(crate) fn bad(message: impl fmt::Display) -> Self {
        Self { field: None, kind: ObjectErrorKind::BadValue(shorten(&message.to_string())) }
    }

    pub(crate) fn not_an_object(message: impl fmt::Display) -> Self {
        Self { field: None, kind: ObjectErrorKind::NotAnObject(shorten(&message.to_string())) }
    }

    /// Names the property; an inner name is appended (`external_references.url`).
    pub(crate) fn in_field(mut self, name: &str) -> Self {
        self.field = Some(match self.field {
            Some(inner) => format!("{name}.{inner}"),
            None => name.to_owned(),
        });
        self
    }
}
