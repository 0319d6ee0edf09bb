//! Replays the seeds, and what broke a law on this machine, as an ordinary test.

use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

#[test]
fn seeds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, target) in fuzz::TARGETS {
        let seeds = files(root.join("seeds").join(name));
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for path in seeds.into_iter().chain(files(root.join("artifacts").join(name))) {
            eprintln!("{}", path.display());
            target(&fs::read(&path).expect("a readable file"));
        }
    }
}

#[test]
fn every_target_is_declared() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let targets: Vec<String> = files(root.join("fuzz_targets"))
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    assert_eq!(targets, fuzz::TARGETS.map(|(name, _)| name));
}
