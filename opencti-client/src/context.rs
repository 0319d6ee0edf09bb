//! In whose name, and into which draft.

/// What one message says about in whose name, and in which draft, its work is done.
///
/// It belongs to one task: two messages that are worked on at the same time have two contexts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Context {
    /// The draft workspace to read from and write to. Without one the platform is told so, because it would otherwise
    /// use the draft that the token's user has open.
    pub draft: Option<String>,
    /// The user on whose behalf to act. The platform honours it only if the token's user may bypass restrictions, and
    /// ignores it otherwise.
    pub applicant: Option<String>,
}

impl Context {
    /// Neither a draft nor another user.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same in a draft.
    #[must_use]
    pub fn in_draft(mut self, draft: impl Into<String>) -> Self {
        self.draft = Some(draft.into());
        self
    }

    /// The same on behalf of a user.
    #[must_use]
    pub fn on_behalf_of(mut self, applicant: impl Into<String>) -> Self {
        self.applicant = Some(applicant.into());
        self
    }
}
