//! The built program, as a person runs it.
#![allow(
    clippy::unwrap_used,
    clippy::format_push_string,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say what they did"
)]

mod bad_input;
mod commands;
mod config;
mod explain;
mod pattern_check;
mod pattern_hunt;
mod pattern_match;
mod pattern_translate;
#[path = "../../../wazuh-query/tests/store/server.rs"]
#[allow(dead_code, reason = "tests of the adapter use the rest")]
mod server;
mod store;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What a run printed, and how it ended.
struct Run {
    code: i32,
    out: String,
    err: String,
}

/// The program with a clean environment.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opencti-wazuh-connector"));
    command.env_clear().env("COLUMNS", "160").stdin(Stdio::null());
    command
}

fn finish(output: Output) -> Run {
    Run {
        code: output.status.code().expect("the program ended by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(arguments: &[&str]) -> Run {
    finish(program().args(arguments).current_dir(samples()).output().unwrap())
}

/// Runs the program with a text on standard input.
fn run_with_input(arguments: &[&str], input: &[u8]) -> Run {
    use std::io::Write as _;
    let mut command = program();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        // A program that refuses its input closes the pipe early.
        let _closed = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    finish(output)
}

/// The sample data of the project.
fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/data")
}

/// The first alerts of the samples.
fn some_alerts(count: usize) -> Vec<String> {
    let text = std::fs::read_to_string(samples().join("alerts.json")).unwrap();
    text.lines().take(count).map(str::to_owned).collect()
}
