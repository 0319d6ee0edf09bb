//! `check`: whether everything is where it should be, a line each.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use opencti_client::Lookup;

use super::CheckArguments;
use super::alert::home;
use super::manager::{Block, Manager, NAME, is_manager};
use crate::intelligence::Intelligence;
use crate::process::Processor;
use crate::settings::Settings;
use crate::spool::{Bounds, Spool};

/// How a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Good,
    /// It works, but somebody should know.
    Doubtful,
    Bad,
}

#[derive(Default)]
struct Report {
    lines: Vec<(Verdict, &'static str, String)>,
}

impl Report {
    fn add(&mut self, verdict: Verdict, what: &'static str, line: impl Into<String>) {
        self.lines.push((verdict, what, line.into()));
    }

    fn good(&mut self, what: &'static str, line: impl Into<String>) {
        self.add(Verdict::Good, what, line);
    }

    fn bad(&mut self, what: &'static str, line: impl Into<String>) {
        self.add(Verdict::Bad, what, line);
    }
}

pub(super) fn run(arguments: &CheckArguments) -> ExitCode {
    let home = arguments.home.clone().unwrap_or_else(home);
    let mut report = Report::default();
    check(arguments, &Manager { home }, &mut report);
    let mut out = std::io::stdout().lock();
    for (verdict, what, line) in &report.lines {
        let word = match verdict {
            Verdict::Good => "ok",
            Verdict::Doubtful => "note",
            Verdict::Bad => "FAILED",
        };
        let line: String = line.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
        if writeln!(out, "{word:<7}{what:<13}{line}").is_err() {
            break;
        }
    }
    let is_good = report.lines.iter().all(|(verdict, ..)| *verdict != Verdict::Bad);
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn check(arguments: &CheckArguments, manager: &Manager, report: &mut Report) {
    let home = &manager.home;
    if is_manager(home) {
        report.good("manager", home.display().to_string());
    } else {
        report.bad("manager", format!("{} is no manager's folder; --home names another one", home.display()));
    }
    program(manager, report);
    let block = block(manager, report);
    let settings = settings(arguments, &block, home, report);
    if let Some(settings) = &settings {
        intelligence(arguments, settings, &block, report);
        socket(settings, home, report);
        waiting(settings, home, report);
    }
    rules(manager, report);
    log(home, report);
}

fn program(manager: &Manager, report: &mut Report) {
    const WHAT: &str = "program";
    let path = manager.program();
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) => return report.bad(WHAT, format!("{}: {error}; `install` puts it there", path.display())),
    };
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    // The integrator refuses a program that its own user could change.
    if mode & 0o022 != 0 || owner != 0 || mode & 0o110 == 0 {
        let line = format!("{}: owner {owner}, mode {mode:04o}; expected are root and 0750", path.display());
        return report.bad(WHAT, line);
    }
    match fs::metadata(&manager.home) {
        Ok(folder) if folder.gid() != metadata.gid() && mode & 0o001 == 0 => {
            report.bad(WHAT, format!("{}: its group is not the manager's", path.display()));
        }
        _ => report.good(WHAT, path.display().to_string()),
    }
}

/// The first block that runs the program.
fn block(manager: &Manager, report: &mut Report) -> Block {
    const WHAT: &str = "integration";
    let path = manager.configuration();
    let blocks = match manager.blocks() {
        Ok(blocks) => blocks,
        Err(error) => {
            report.bad(WHAT, format!("{}: {error}", path.display()));
            return Block::default();
        }
    };
    let Some(block) = blocks.first().cloned() else {
        report.bad(WHAT, format!("{}: no <integration> block names {NAME}; `install` prints one", path.display()));
        return Block::default();
    };
    if block.alert_format.as_deref().is_none_or(|format| !format.starts_with("json")) {
        report.bad(WHAT, "<alert_format> is not json: the program would get text in place of the alert");
    }
    for (name, value) in [("api_key", &block.api_key), ("hook_url", &block.hook_url)] {
        if value.as_deref().is_some_and(|value| value.contains(char::is_whitespace)) {
            report.bad(WHAT, format!("a blank in <{name}> shifts all arguments behind it"));
        }
    }
    report.good(WHAT, format!("{} in {}", count(blocks.len(), "block"), path.display()));
    block
}

fn settings(arguments: &CheckArguments, block: &Block, home: &Path, report: &mut Report) -> Option<Settings> {
    const WHAT: &str = "settings";
    let (read, from) = match (&arguments.options, &block.options) {
        (Some(path), _) => (Settings::read(Some(path), home), path.display().to_string()),
        (None, Some(text)) => (Settings::parse(text, Path::new("<options>")), "<options>".to_owned()),
        (None, None) => (Settings::read(None, home), "the manager's folder, or defaults".to_owned()),
    };
    let checked = read.and_then(|settings| Processor::new(&settings).map(|_| settings));
    match checked {
        Ok(mut settings) => {
            report.good(WHAT, from);
            if !arguments.intel.is_empty() {
                settings.intel.clone_from(&arguments.intel);
            }
            if arguments.token_file.is_some() {
                settings.token_file.clone_from(&arguments.token_file);
            }
            Some(settings)
        }
        Err(error) => {
            report.bad(WHAT, error.to_string());
            None
        }
    }
}

/// Asks for a value that nobody knows: that takes the rights that all look-ups take.
fn intelligence(arguments: &CheckArguments, settings: &Settings, block: &Block, report: &mut Report) {
    const WHAT: &str = "intelligence";
    let given = std::env::var("OPENCTI_TOKEN").ok().filter(|token| !token.is_empty());
    let token = if arguments.token_file.is_some() { given } else { given.or_else(|| block.api_key.clone()) };
    let url = arguments.url.as_deref().or(block.hook_url.as_deref());
    let nowhere = PathBuf::from("/nonexistent");
    let started = Instant::now();
    let made = Intelligence::new(settings, url, token.as_deref(), &nowhere);
    let mut lookup = Lookup::new();
    lookup.value("192.0.2.255").pattern("[ipv4-addr:value = '192.0.2.255']");
    let asked = made.and_then(|mut intelligence| {
        intelligence.look_up(&lookup, Instant::now() + settings.deadline(None))?;
        Ok(intelligence.version())
    });
    let took = started.elapsed().as_millis();
    match asked {
        Ok(Some(version)) => {
            let place = url.or(settings.url.as_deref()).unwrap_or_default();
            report.good(WHAT, format!("OpenCTI {version} at {place}, asked in {took} ms"));
        }
        Ok(None) => report.good(WHAT, format!("{}, read in {took} ms", count(settings.intel.len(), "file"))),
        Err(error) => report.bad(WHAT, error.to_string()),
    }
}

fn socket(settings: &Settings, home: &Path, report: &mut Report) {
    const WHAT: &str = "queue";
    let path = settings.queue(home);
    let shown = path.display();
    match fs::metadata(&path) {
        Ok(metadata) if !metadata.file_type().is_socket() => return report.bad(WHAT, format!("{shown} is no socket")),
        Ok(_) => {}
        Err(error) => return report.bad(WHAT, format!("{shown}: {error}; is wazuh-manager running?")),
    }
    match UnixDatagram::unbound().and_then(|socket| socket.connect(&path)) {
        Ok(()) => report.good(WHAT, shown.to_string()),
        Err(error) => report.bad(WHAT, format!("{shown}: {error}")),
    }
}

fn waiting(settings: &Settings, home: &Path, report: &mut Report) {
    const WHAT: &str = "spool";
    let folder = settings.state(home).join("spool");
    let shown = folder.display();
    let bytes = Spool::open(&folder, Bounds::of(settings)).and_then(|spool| {
        tempfile_in(&folder)?;
        spool.bytes()
    });
    match bytes {
        Ok(0) => report.good(WHAT, format!("{shown}: nothing waits")),
        Ok(bytes) => report.add(Verdict::Doubtful, WHAT, format!("{shown}: {bytes} bytes of alerts wait")),
        Err(error) => report.bad(WHAT, format!("{shown}: {error}")),
    }
}

/// Makes a file and removes it, as alerts that wait make one.
fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let path = folder.join(format!("check-{}", std::process::id()));
    fs::write(&path, "check")?;
    fs::remove_file(path)
}

fn rules(manager: &Manager, report: &mut Report) {
    const WHAT: &str = "rules";
    match manager.rules_files() {
        Ok(files) => match files.as_slice() {
            [] => report.bad(WHAT, "no rules for the events in etc/rules; `install` puts them there"),
            [file] => report.good(WHAT, file.display().to_string()),
            [file, other, ..] => {
                let line = format!("{} and {} hold rules of the same numbers", file.display(), other.display());
                report.bad(WHAT, line);
            }
        },
        Err(error) => report.bad(WHAT, format!("etc/rules: {error}")),
    }
}

fn log(home: &Path, report: &mut Report) {
    const WHAT: &str = "log";
    let path = home.join("logs/integrations.log");
    match fs::OpenOptions::new().append(true).create(true).open(&path) {
        Ok(_) => report.good(WHAT, path.display().to_string()),
        Err(error) => report.bad(WHAT, format!("{}: {error}", path.display())),
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
