//! Observables: the STIX Cyber-observable Objects (STIX 2.1, section 6) and OpenCTI's own.
//!
//! Observables with one identifying property have a constructor that sets the identifier. The others are built from
//! their default and identified at the end:
//!
//! ```
//! use stix_model::sco::File;
//!
//! let hashes = [("MD5", "d41d8cd98f00b204e9800998ecf8427e")].into_iter().collect();
//! let file = File { hashes, ..File::default() }.identified();
//! assert_eq!(file.id().to_string(), "file--02fff920-f614-527c-81d1-6353633a6d21");
//! ```

mod email;
mod file;
mod host;
mod network;
mod opencti;
mod windows;
mod x509;

pub use email::{EmailAddr, EmailMessage, EmailMimePart};
pub use file::{Artifact, Directory, File};
pub use host::{Mutex, Process, Software, UserAccount};
pub use network::{AutonomousSystem, DomainName, Ipv4Addr, Ipv6Addr, MacAddr, NetworkTraffic, Url};
pub use opencti::{
    AiPrompt, BankAccount, Credential, CryptocurrencyWallet, CryptographicKey, Hostname, Iccid, Imei, Imsi,
    MediaContent, PaymentCard, Persona, PhoneNumber, SshKey, Text, TrackingNumber, UserAgent,
};
pub use windows::{WindowsRegistryKey, WindowsRegistryValue};
pub use x509::{X509Certificate, X509V3Extensions};

/// `Default` for an observable: nothing set, a nil identifier.
macro_rules! unset {
    ($($name:ident),+) => {$(
        /// Nothing set and a nil identifier: set properties, then call `identified`.
        impl Default for $name {
            fn default() -> Self {
                Self::blank(crate::Timestamp::UNIX_EPOCH)
            }
        }
    )+};
}
use unset;

/// A constructor for an observable that one string identifies.
macro_rules! identified_by {
    ($($name:ident.$field:ident),+) => {$(
        unset!($name);

        impl $name {
            /// The observable with this value, identified.
            pub fn new(value: impl Into<String>) -> Self {
                let mut object = Self { $field: value.into(), ..Self::default() };
                object.common.id = crate::id::of_string(Self::TYPE, stringify!($field), &object.$field);
                object
            }
        }
    )+};
}
use identified_by;
