//! `custom-opencti`: is anything in this Wazuh alert known to `OpenCTI`?
//!
//! Wazuh will run this program for every alert; it looks the alert's observables up in `OpenCTI` and injects a new
//! alert when threat intelligence knows them. The look-up is not built yet, and so the program refuses to run rather
//! than to pretend that an alert is harmless.

use std::process::ExitCode;

fn main() -> ExitCode {
    eprintln!("custom-opencti {}: the look-up in OpenCTI is not part of this version", env!("CARGO_PKG_VERSION"));
    ExitCode::from(1)
}
