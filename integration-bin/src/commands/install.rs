//! `install`: puts the program and its rules into a manager's folder, or says what it would do.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::ExitCode;

use super::InstallArguments;
use super::alert::home;
use super::manager::{BLOCK, Manager, RULES, is_manager};

/// Whose a file is to be, and who may do what with it.
#[derive(Clone, Copy)]
struct Rights {
    owner: u32,
    group: u32,
    mode: u32,
}

pub(super) fn run(arguments: &InstallArguments) -> ExitCode {
    let manager = Manager { home: arguments.home.clone().unwrap_or_else(home) };
    match install(arguments, &manager) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn install(arguments: &InstallArguments, manager: &Manager) -> io::Result<()> {
    let Manager { home } = manager;
    if !is_manager(home) {
        return Err(io::Error::other(format!("{} is no manager's folder; --home names another one", home.display())));
    }
    // The manager's user and group are called `wazuh`, and `ossec` before 4.3: its folders tell.
    let group = fs::metadata(home).map_err(|error| at(home, &error))?.gid();
    let logs = home.join("logs");
    let user = fs::metadata(&logs).map_err(|error| at(&logs, &error))?.uid();
    let root = if arguments.write { 0 } else { user };
    let mut out = io::stdout().lock();
    let mut step = |line: String| writeln!(out, "{}{line}", if arguments.write { "" } else { "would " });

    let program = manager.program();
    let source = std::env::current_exe()?;
    let is_there = fs::canonicalize(&program).is_ok_and(|there| there == source);
    if is_there {
        step(format!("keep {}: it is this program", program.display()))?;
    } else {
        if let Some(before) = kept_aside(&program)? {
            step(format!("keep what is there as {}", before.display()))?;
            if arguments.write {
                fs::rename(&program, &before).map_err(|error| at(&before, &error))?;
            }
        }
        step(format!("copy {} to {}, owner root, mode 0750", source.display(), program.display()))?;
    }
    if arguments.write {
        let rights = Rights { owner: root, group, mode: 0o750 };
        let content = fs::read(&source).map_err(|error| at(&source, &error))?;
        put(&program, &content, rights)?;
    }

    let state = home.join("queue/custom-opencti");
    step(format!("make {}, where alerts wait, mode 0750", state.display()))?;
    if arguments.write {
        fs::create_dir_all(&state).map_err(|error| at(&state, &error))?;
        give(&state, Rights { owner: user, group, mode: 0o750 })?;
    }

    let rules = manager.rules();
    match manager.rules_files()?.first() {
        Some(there) if *there != rules || fs::read(there).is_ok_and(|text| text == RULES.as_bytes()) => {
            step(format!("keep the rules in {}", there.display()))?;
        }
        Some(there) => step(format!("keep the rules in {}: they were changed", there.display()))?,
        None => {
            step(format!("write {}, mode 0660", rules.display()))?;
            if arguments.write {
                put(&rules, RULES.as_bytes(), Rights { owner: user, group, mode: 0o660 })?;
            }
        }
    }

    if !manager.blocks().is_ok_and(|blocks| !blocks.is_empty()) {
        let place = manager.configuration();
        writeln!(out, "\nPut this into {}, then restart the manager:\n\n{BLOCK}", place.display())?;
    }
    if !arguments.write {
        writeln!(out, "The rules:\n\n{RULES}\nNothing was changed; --write does it.")?;
    }
    out.flush()
}

/// Where a program that is there goes: the one of old must not be lost. `None` if there is none, or one of ours.
fn kept_aside(program: &Path) -> io::Result<Option<std::path::PathBuf>> {
    let Ok(mut file) = fs::File::open(program) else { return Ok(None) };
    let mut head = [0; 4];
    let length = io::Read::read(&mut file, &mut head).map_err(|error| at(program, &error))?;
    // A script begins otherwise.
    let is_binary = head.get(..length).is_some_and(|head| head == b"\x7fELF");
    Ok((!is_binary).then(|| program.with_file_name("custom-opencti.script")))
}

/// Writes a file so that it is whole at any time, with its rights.
fn put(path: &Path, content: &[u8], rights: Rights) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = path.with_file_name(format!(".{name}.new"));
    let written = fs::write(&new, content).and_then(|()| give(&new, rights)).and_then(|()| fs::rename(&new, path));
    written.map_err(|error| {
        // What is half there is of no use.
        let _gone = fs::remove_file(&new);
        at(path, &error)
    })
}

fn give(path: &Path, rights: Rights) -> io::Result<()> {
    chown(path, Some(rights.owner), Some(rights.group)).map_err(|error| at(path, &error))?;
    fs::set_permissions(path, fs::Permissions::from_mode(rights.mode)).map_err(|error| at(path, &error))
}
