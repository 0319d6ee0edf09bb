//! E-mail addresses and messages.

use super::{identified_by, unset};
use crate::{Extra, Identifier, Timestamp};

stix_object! {
    /// An e-mail address (STIX 2.1, section 6.5).
    ScoCommon EmailAddr = "email-addr" {
        /// The address, without a display name.
        value: String,
        /// The name shown beside it.
        display_name: Option<String>,
        /// The account it belongs to.
        belongs_to_ref: Option<Identifier>,
    }
}

stix_object! {
    /// An e-mail message (STIX 2.1, section 6.6). Identified by sender, subject and body.
    ScoCommon EmailMessage = "email-message" {
        /// True if it has several parts.
        is_multipart: bool,
        /// When it was sent.
        date: Option<Timestamp>,
        /// Its `Content-Type`.
        content_type: Option<String>,
        /// Who wrote it.
        from_ref: Option<Identifier>,
        /// Who transmitted it.
        sender_ref: Option<Identifier>,
        /// Addresses in `To`.
        to_refs: Vec<Identifier>,
        /// Addresses in `Cc`.
        cc_refs: Vec<Identifier>,
        /// Addresses in `Bcc`.
        bcc_refs: Vec<Identifier>,
        /// Its `Message-ID`.
        message_id: Option<String>,
        /// Its subject.
        subject: Option<String>,
        /// Its `Received` lines, in order.
        received_lines: Vec<String>,
        /// Other header fields; values are lists of strings.
        additional_header_fields: Extra,
        /// The body, unless it has several parts.
        body: Option<String>,
        /// The parts.
        body_multipart: Vec<EmailMimePart>,
        /// The whole message as bytes.
        raw_email_ref: Option<Identifier>,
    }
}

stix_part! {
    /// A part of a message (STIX 2.1, section 6.6.2).
    EmailMimePart {
        /// The content, if it is text.
        body: Option<String>,
        /// The content, if it is not text.
        body_raw_ref: Option<Identifier>,
        /// Its `Content-Type`.
        content_type: Option<String>,
        /// Its `Content-Disposition`.
        content_disposition: Option<String>,
    }
}

identified_by!(EmailAddr.value);
unset!(EmailMessage);
