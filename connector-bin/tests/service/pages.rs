//! The pages that name tests name those that exist.

use std::collections::BTreeSet;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// The texts in code spans.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The names of all tests of the workspace: functions below an attribute that ends in `test]`, or in `proptest!`.
fn tests() -> BTreeSet<String> {
    fn visit(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                let name = entry.file_name();
                // Built files and the history hold no sources.
                if name != "target" && !name.to_string_lossy().starts_with('.') {
                    visit(&path, names);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                names.extend(tests_in(&std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut names = BTreeSet::new();
    visit(root(), &mut names);
    names
}

fn tests_in(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[") && (line.starts_with("#[test]") || line.starts_with("#[tokio::test")) {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
            if is_test {
                names.push(rest.split(['(', '<']).next().unwrap_or_default().to_owned());
            }
            is_test = false;
        }
    }
    names
}

/// Looks for the test of a `FILE::TEST`.
#[track_caller]
fn is_in(file: &str, test: &str) {
    let source = std::fs::read_to_string(root().join(file)).unwrap_or_else(|_| panic!("there is no {file}"));
    assert!(tests_in(&source).iter().any(|name| name == test), "there is no test {test} in {file}");
}

/// The identifiers of a register, from the first cells of tables, sorted. A cell may hold several: `B-45, B-46`.
fn listed<'p>(page: &'p str, register: &str) -> Vec<&'p str> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | ")).map(|(cell, _)| cell);
    let mut ids: Vec<&str> = cells.flat_map(|cell| cell.split(", ")).filter(|id| id.starts_with(register)).collect();
    ids.sort_unstable();
    ids
}

/// Every test of `docs/conformance.md` exists in the file that is named, and no item of the lists is left out.
#[test]
fn the_tests_of_conformance_exist() {
    let page = page("conformance.md");
    for item in 1..=19 {
        assert!(page.contains(&format!("\n| {item} | ")), "item {item} is missing");
    }
    let pinned = page.split("## The protocol").next().unwrap();
    assert_eq!(pinned.matches("config/tests/conformance.rs::").count(), 15, "a row of the configuration is missing");
    let mut count = 0;
    for (file, test) in spans(&page).filter_map(|span| span.split_once("::")) {
        if file == "FILE" {
            continue;
        }
        is_in(file, test);
        count += 1;
    }
    assert!(count > 70, "{count} tests are named");
}

/// Every test of `docs/defects.md` exists, and every defect is listed once.
#[test]
fn the_tests_of_defects_exist() {
    let page = page("defects.md");
    let mut defects: Vec<String> = (1..=87).map(|number| format!("B-{number:02}")).collect();
    defects.extend(["B-40a", "B-40b", "B-40c"].map(str::to_owned));
    defects.sort_unstable();
    assert_eq!(listed(&page, "B-"), defects);
    let searches: Vec<String> = (1..=80).map(|number| format!("Q-{number:02}")).collect();
    assert_eq!(listed(&page, "Q-"), searches);
    let known = tests();
    let mut count = 0;
    let mut in_files = 0;
    for span in spans(&page) {
        if let Some((file, test)) = span.split_once(".rs::") {
            is_in(&format!("{file}.rs"), test);
            in_files += 1;
            continue;
        }
        let exists = match span.strip_suffix('…') {
            Some(start) => known.iter().any(|name| name.starts_with(start)),
            None => known.contains(span),
        };
        let word = span.trim_end_matches('…');
        let is_name = word.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_');
        // Fields and options have shorter names than tests.
        let is_test = is_name && (word.starts_with("b_") || word.matches('_').count() >= 3);
        assert!(exists || !is_test, "there is no test {span}");
        count += usize::from(is_test);
    }
    assert!(count > 90, "{count} tests are named");
    assert!(in_files > 110, "{in_files} tests are named with their files");
}
