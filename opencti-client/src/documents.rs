//! The GraphQL documents that are sent, and to which versions.
//!
//! They stand in files beside the source and are validated in tests against the platform's schemas.

use crate::{Feature, PlatformVersion};

/// A GraphQL document with one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document {
    /// A name for log lines and errors.
    pub name: &'static str,
    /// The text.
    pub text: &'static str,
    /// What a version must be able to do to understand it.
    pub needs: Option<Feature>,
    /// Whether sending it twice is the same as sending it once.
    pub idempotent: bool,
}

impl Document {
    /// Whether a version of the platform understands it.
    pub fn suits(&self, version: PlatformVersion) -> bool {
        self.needs.is_none_or(|feature| version.has(feature))
    }
}

macro_rules! documents {
    ($($(#[$doc:meta])* $name:ident = $label:literal, [$($file:literal),+] $(if $feature:ident)? $(! $once:ident)?;)+) => {
        $(
            $(#[$doc])*
            pub const $name: Document = Document {
                name: $label,
                text: concat!($(include_str!(concat!("../graphql/", $file, ".graphql"))),+),
                needs: documents!(@needs $($feature)?),
                idempotent: documents!(@idempotent $($once)?),
            };
        )+

        /// All of them.
        pub const ALL: &[Document] = &[$($name),+];
    };
    (@needs) => { None };
    (@needs $feature:ident) => { Some(Feature::$feature) };
    (@idempotent) => { true };
    (@idempotent once) => { false };
}

documents! {
    /// The platform's version.
    ABOUT = "reading the version", ["about"];
    /// Who the token belongs to.
    ACCOUNT = "reading the account", ["account"];
    /// Registration.
    REGISTER = "registration", ["register"];
    /// Registration, with the keys for delivered messages.
    REGISTER_WITH_KEYS = "registration", ["register_with_keys"] if CallbackKeys;
    /// Life sign with information about the connector.
    PING = "life sign", ["ping"] if ConnectorInfo;
    /// Life sign.
    PING_PLAIN = "life sign", ["ping_plain"];
    /// How full the connector's own queue is.
    QUEUE = "reading the queue", ["queue"];
    /// Opens a work.
    WORK_OPEN = "opening a work", ["work_open"] !once;
    /// The message was received.
    WORK_RECEIVED = "reporting receipt", ["work_received"];
    /// The connector is done.
    WORK_PROCESSED = "reporting the end", ["work_processed"];
    /// Announces parts.
    WORK_EXPECT = "announcing parts", ["work_expect"] !once;
    /// Reports a part.
    WORK_REPORT = "reporting a part", ["work_report"] !once;
    /// Shows that a work goes on.
    WORK_PING = "keeping the work alive", ["work_ping"];
    /// Whether a work was cancelled.
    WORK_ALIVE = "asking for the work", ["work_alive"] if WorkAlive;
    /// How a work stands.
    WORK_STATE = "reading the work", ["work_state"];
    /// Answers a playbook step.
    PLAYBOOK_ANSWER = "answering the playbook", ["playbook_answer"];
    /// Gives a bundle to the platform, for a work.
    PUSH = "pushing the bundle", ["push"] if PushWithWork;
    /// Gives a bundle to the platform.
    PUSH_PLAIN = "pushing the bundle", ["push_plain"];
    /// One entity.
    ENTITY = "reading the entity", ["entity", "fragments/entity", "fragments/common"];
    /// Entities by type, or by identifier.
    ENTITIES = "listing entities", ["entities", "fragments/entity", "fragments/common"];
    /// What a container holds.
    CONTENTS = "reading the container", ["contents", "fragments/entity", "fragments/common"];
    /// Entities from which relations lead to one.
    RELATED_TOWARDS = "reading related entities", ["related_towards", "fragments/entity", "fragments/common"];
    /// Entities to which relations lead from one.
    RELATED_FROM = "reading related entities", ["related_from", "fragments/entity", "fragments/common"];
    /// Relations of an entity.
    RELATIONS = "reading relations", ["relations"];
    /// Where an entity was sighted.
    SIGHTINGS = "reading sightings", ["sightings"];
    /// Removes an object.
    REMOVE = "removing an object", ["remove"];
    /// Looks values up.
    LOOK_UP = "look-up", ["look_up", "fragments/common"];
}
