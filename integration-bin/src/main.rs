//! `custom-opencti`: is anything in this Wazuh alert known to `OpenCTI`?
//!
//! Wazuh's integrator runs this program for every alert, with the alert's file, a token and an address. What is known to
//! threat intelligence goes back to the manager as an event of its own. With a command as the first argument it is a
//! program for people.

mod arguments;
mod commands;
mod daemon;
mod intelligence;
mod journal;
mod knowledge;
mod process;
mod settings;
mod socket;
mod spool;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    if commands::is_for_people(&arguments) {
        return commands::run();
    }
    commands::alert::run(&arguments)
}
