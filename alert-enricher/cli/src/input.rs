//! STIX objects and indicators from files.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use flate2::bufread::MultiGzDecoder;
use stix_model::bundle::read_objects;
use stix_model::related::Relations;
use stix_model::{Identifier, Object};

use crate::Warnings;
use alert_enricher::indicator::Skipped;
use alert_enricher::store::{Builder, FileStore, Store, Worthless};

/// Opens a file, or standard input for `-`. Compressed files are unpacked; the first bytes tell.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>> {
    let inner: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        if path.is_dir() {
            anyhow::bail!("{} is a folder", path.display());
        }
        Box::new(File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?)
    };
    let mut reader = BufReader::with_capacity(256 * 1024, inner);
    let head = reader.fill_buf().with_context(|| format!("{} cannot be read", path.display()))?;
    if head.starts_with(&[0x1f, 0x8b]) {
        return Ok(Box::new(BufReader::with_capacity(256 * 1024, MultiGzDecoder::new(reader))));
    }
    Ok(Box::new(reader))
}

/// Calls `take` with every STIX object of a file. What is none is named in `warnings`; the rest is read.
pub fn stix_objects(path: &Path, warnings: &mut Warnings, mut take: impl FnMut(Object)) -> Result<()> {
    let reader = open(path)?;
    let name = path.display();
    let read = read_objects(reader, |object| match object {
        Ok(object) => take(object),
        Err(error) => warnings.add(&format!("{name}: {error}")),
    });
    if let Err(error) = read {
        warnings.add(&format!("{name}: {error}"));
    }
    Ok(())
}

/// The lines of a list, without comments and empty ones.
pub fn lines(path: &Path) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for line in open(path)?.lines() {
        let line = line.with_context(|| format!("{} cannot be read", path.display()))?;
        let line = line.split(" #").next().unwrap_or_default().trim();
        if !line.is_empty() && !line.starts_with('#') {
            lines.push(line.to_owned());
        }
    }
    Ok(lines)
}

/// How a file of indicators is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Stix,
    Csv,
    List,
}

/// What was read from files of indicators.
#[derive(Debug)]
pub struct Indicators {
    /// The indicators.
    pub store: Store,
    /// What could not be used.
    pub skipped: Vec<Skipped>,
}

/// Reads every indicator of the files and folders: sources, and stores.
pub fn indicators(paths: &[PathBuf], worthless: Worthless, warnings: &mut Warnings) -> Result<Indicators> {
    indicators_of(paths, worthless, None, warnings)
}

/// The same, of some objects alone. What is not STIX does not say what it belongs to, and is left out with a warning.
#[expect(clippy::implicit_hasher, reason = "sets of identifiers come from `scope`")]
pub fn indicators_of(
    paths: &[PathBuf],
    worthless: Worthless,
    scope: Option<&HashSet<Identifier>>,
    warnings: &mut Warnings,
) -> Result<Indicators> {
    let mut builder = Builder::new(worthless);
    let mut stores = Vec::new();
    read_all(paths, warnings, |file, warnings| match open_store(file)? {
        Some(_) if scope.is_some() => {
            warnings.add(&format!("{}: left out, a store does not say what its indicators belong to", file.display()));
            Ok(())
        }
        Some(store) => {
            stores.push(store);
            Ok(())
        }
        None => read_indicators(file, &mut builder, scope, warnings),
    })?;
    let built = builder.finish()?;
    let skipped = built.skipped().to_vec();
    // A single store is used where it is; several are put together.
    let mut stores = stores.into_iter();
    let Some(first) = stores.next() else { return Ok(Indicators { store: built.into_store(), skipped }) };
    for other in stores {
        first.store().join(&other.store().snapshot())?;
    }
    let others = built.into_store().snapshot();
    if !others.is_empty() {
        first.store().join(&others)?;
    }
    Ok(Indicators { store: first.into_store(), skipped })
}

/// Reads the sources of a store into a builder.
pub fn sources(paths: &[PathBuf], builder: &mut Builder, warnings: &mut Warnings) -> Result<()> {
    read_all(paths, warnings, |file, warnings| {
        if open_store(file)?.is_some() {
            anyhow::bail!("{} is a store, not a source of one", file.display());
        }
        builder.source(file.display().to_string());
        read_indicators(file, builder, None, warnings)
    })
}

fn read_all(
    paths: &[PathBuf],
    warnings: &mut Warnings,
    mut read: impl FnMut(&Path, &mut Warnings) -> Result<()>,
) -> Result<()> {
    let files = indicator_files(paths, warnings);
    let mut failed = None;
    let mut any = false;
    for file in &files {
        match read(file, warnings) {
            Ok(()) => any = true,
            Err(error) if files.len() == 1 => failed = Some(error),
            Err(error) => warnings.add(&format!("{error:#}")),
        }
    }
    match failed {
        Some(error) => Err(error),
        None if any => Ok(()),
        None => anyhow::bail!("no file of indicators could be read"),
    }
}

/// The store in a file, if it is one.
fn open_store(path: &Path) -> Result<Option<FileStore>> {
    if path == Path::new("-") || path.is_dir() {
        return Ok(None);
    }
    let mut head = [0; 8];
    let mut file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let is_store = file.read_exact(&mut head).is_ok() && FileStore::is_store(&head);
    Ok(if is_store { Some(FileStore::open(path)?) } else { None })
}

/// What belongs to the objects with these identifiers or names, in the files of indicators.
pub fn scope(paths: &[PathBuf], from: &[String]) -> Result<HashSet<Identifier>> {
    let mut relations = Relations::default();
    objects(paths, |object| relations.add(&object))?;
    relations.of(from).context("--from")
}

/// Calls `take` with every STIX object of the files of indicators, lists and tables left out. What cannot be read was
/// named when the indicators were.
pub fn objects(paths: &[PathBuf], mut take: impl FnMut(Object)) -> Result<()> {
    for path in indicator_files(paths, &mut Warnings::default()) {
        let Ok(mut input) = open(&path) else { continue };
        let head = input.fill_buf()?;
        if shape(&path, head) == Shape::Stix {
            let _ends_early = read_objects(input, |object| {
                if let Ok(object) = object {
                    take(object);
                }
            });
        }
    }
    Ok(())
}

fn read_indicators(
    path: &Path,
    builder: &mut Builder,
    scope: Option<&HashSet<Identifier>>,
    warnings: &mut Warnings,
) -> Result<()> {
    let mut input = open(path)?;
    let head = input.fill_buf().with_context(|| format!("{} cannot be read", path.display()))?;
    let shape = shape(path, head);
    let name = path.display();
    match shape {
        Shape::Stix => {
            let read = read_objects(input, |object| match object {
                Ok(object) if scope.is_some_and(|scope| !scope.contains(object.id())) => {}
                Ok(object) => builder.object(&object),
                Err(error) => warnings.add(&format!("{name}: {error}")),
            });
            if let Err(error) = read {
                warnings.add(&format!("{name}: {error}"));
            }
        }
        Shape::Csv | Shape::List if scope.is_some() => {
            warnings.add(&format!("{name}: left out, a list does not say what its values belong to"));
        }
        Shape::Csv => read_csv(path, input, builder, warnings),
        Shape::List => {
            let mut line = Vec::new();
            loop {
                line.clear();
                let read = input.read_until(b'\n', &mut line).with_context(|| format!("{name} cannot be read"));
                match read {
                    Ok(0) => break,
                    Ok(_) => builder.line(&String::from_utf8_lossy(&line)),
                    Err(error) => {
                        warnings.add(&format!("{error:#}"));
                        break;
                    }
                }
            }
        }
    }
    Ok(())
}

/// JSON starts with a brace or bracket; a table has the ending, or a first line with commas and a known column.
fn shape(path: &Path, head: &[u8]) -> Shape {
    let text = String::from_utf8_lossy(head.get(..head.len().min(4_096)).unwrap_or(head));
    let text = text.trim_start_matches('\u{feff}').trim_start();
    // `[.]` may start a line of a list, too; a JSON array goes on with an object.
    let is_json =
        text.starts_with('{') || text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', ']']));
    if is_json {
        return Shape::Stix;
    }
    let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let has_column = first.contains(',') && first.split(',').any(|column| value_column(column).is_some());
    let is_table = Path::new(name.trim_end_matches(".gz")).extension().is_some_and(|ending| ending == "csv");
    if is_table || has_column { Shape::Csv } else { Shape::List }
}

fn value_column(name: &str) -> Option<()> {
    let folded = name.trim().trim_matches('"').to_ascii_lowercase();
    matches!(folded.as_str(), "value" | "indicator" | "ioc" | "observable" | "observable_value").then_some(())
}

/// A table: the column `value` (or `indicator`, `ioc`), and if there are any, `type`, `description` and `score`.
/// Without a header the first column has the values.
fn read_csv(path: &Path, input: impl Read, builder: &mut Builder, warnings: &mut Warnings) {
    let mut table = csv::ReaderBuilder::new().has_headers(false).flexible(true).comment(Some(b'#')).from_reader(input);
    let (mut value, mut kind, mut description, mut score) = (0, None, None, None);
    let mut record = csv::ByteRecord::new();
    let mut first = true;
    loop {
        match table.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                warnings.add(&format!("{}: {error}", path.display()));
                if matches!(error.kind(), csv::ErrorKind::Io(_)) {
                    return;
                }
                continue;
            }
        }
        let cell = |place: usize| record.get(place).map(|cell| String::from_utf8_lossy(cell).trim().to_owned());
        if std::mem::take(&mut first) {
            let names: Vec<String> = record
                .iter()
                .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_ascii_lowercase())
                .collect();
            if let Some(place) = names.iter().position(|name| value_column(name).is_some()) {
                let column = |wanted: &[&str]| names.iter().position(|name| wanted.contains(&name.as_str()));
                value = place;
                kind = column(&["type", "kind", "indicator_type", "entity_type"]);
                description = column(&["description", "name", "comment"]);
                score = column(&["score", "x_opencti_score"]);
                continue;
            }
        }
        let Some(text) = cell(value).filter(|text| !text.is_empty()) else { continue };
        let kind = kind.and_then(cell);
        let description = description.and_then(cell);
        let score = score.and_then(cell).and_then(|score| score.parse::<u8>().ok()).filter(|score| *score <= 100);
        builder.value(&text, kind.as_deref(), description.as_deref(), score);
    }
}

/// The files of a list of files and folders, in a fixed order.
fn indicator_files(paths: &[PathBuf], warnings: &mut Warnings) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        match path.read_dir() {
            Ok(entries) => {
                let mut inside: Vec<PathBuf> = entries
                    .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                    .filter(|path| path.is_file())
                    .collect();
                inside.sort();
                files.extend(inside);
            }
            Err(error) => warnings.add(&format!("{}: {error}", path.display())),
        }
    }
    files
}
