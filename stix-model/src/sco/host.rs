//! What runs on a host, and for whom.

use super::{identified_by, unset};
use crate::{Extra, Identifier, Timestamp};

stix_object! {
    /// A mutual exclusion object (STIX 2.1, section 6.11).
    ScoCommon Mutex = "mutex" {
        /// Its name.
        name: String,
    }
}

stix_object! {
    /// A running program (STIX 2.1, section 6.13).
    ///
    /// STIX wants random identifiers (version 4) for processes. Here they are computed as OpenCTI computes them, over the
    /// command line and, beside it, the process number, but marked as version 4; without a command line, over all
    /// properties. So the same process has the same identifier twice, and validators accept it. The identifier that
    /// OpenCTI itself computes is that of [`IdRules::Platform`](crate::id::IdRules::Platform).
    ScoCommon Process = "process" {
        /// True if it is not listed by the usual tools.
        is_hidden: Option<bool>,
        /// Process number.
        pid: Option<i64>,
        /// Start time.
        created_time: Option<Timestamp>,
        /// Working directory.
        cwd: Option<String>,
        /// The whole command line.
        command_line: Option<String>,
        /// Environment variables.
        environment_variables: Extra,
        /// Traffic it opened.
        opened_connection_refs: Vec<Identifier>,
        /// The user it runs as.
        creator_user_ref: Option<Identifier>,
        /// The file it was started from.
        image_ref: Option<Identifier>,
        /// The process that started it.
        parent_ref: Option<Identifier>,
        /// The processes it started.
        child_refs: Vec<Identifier>,
    }
}

stix_object! {
    /// A product (STIX 2.1, section 6.14). Identified by name, CPE, SWID, vendor and version.
    ScoCommon Software = "software" {
        /// Its name.
        name: String,
        /// CPE 2.3 name.
        cpe: Option<String>,
        /// Software identification tag.
        swid: Option<String>,
        /// Languages it supports.
        languages: Vec<String>,
        /// Who makes it.
        vendor: Option<String>,
        /// Its version.
        version: Option<String>,
    }
}

stix_object! {
    /// A user account (STIX 2.1, section 6.16). Identified by type, user ID and login.
    ScoCommon UserAccount = "user-account" {
        /// What the system knows the user by, such as a UID or SID.
        user_id: Option<String>,
        /// A password in clear text.
        credential: Option<String>,
        /// What the user types to log in.
        account_login: Option<String>,
        /// Such as `unix`, `windows-local`, `windows-domain`.
        account_type: Option<String>,
        /// The name shown to others.
        display_name: Option<String>,
        /// True for accounts of services.
        is_service_account: Option<bool>,
        /// True for accounts with elevated rights.
        is_privileged: Option<bool>,
        /// True if it may take elevated rights.
        can_escalate_privs: Option<bool>,
        /// True if it cannot be used.
        is_disabled: Option<bool>,
        /// Creation time.
        account_created: Option<Timestamp>,
        /// End of its life.
        account_expires: Option<Timestamp>,
        /// When the password was last changed.
        credential_last_changed: Option<Timestamp>,
        /// First login.
        account_first_login: Option<Timestamp>,
        /// Last login.
        account_last_login: Option<Timestamp>,
    }
}

identified_by!(Mutex.name);
unset!(Process, Software, UserAccount);
