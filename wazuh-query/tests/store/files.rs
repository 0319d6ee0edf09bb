//! Alert files as they are found: compressed, cut, damaged, in every shape that tools write.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::dsl::{Query, SearchRequest};
use wazuh_query::store::files::{AlertFiles, AlertReader, FileReport, ProblemKind, alert_files};
use wazuh_query::store::{AlertStore, StoreErrorKind};

fn read_with(reader: AlertReader, bytes: &[u8]) -> (Vec<String>, FileReport) {
    let mut reader = reader;
    let mut lines = Vec::new();
    let report = reader.read(Path::new("f"), bytes, |line| {
        lines.push(format!("{} {}", line.number, line.text));
        ControlFlow::Continue(())
    });
    (lines, report)
}

fn read(bytes: &[u8]) -> (Vec<String>, Vec<String>) {
    let (lines, report) = read_with(AlertReader::new(), bytes);
    assert_eq!(report.documents, lines.len() as u64);
    (lines, report.problems.iter().map(ToString::to_string).collect())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn every_shape_gives_the_same_documents() {
    let documents = [r#"{"id":"1","a":"x"}"#, r#"{"id":"2","a":"}{\"\\"}"#, r#"{"id":"3"}"#];
    let texts = |bytes: &[u8]| -> Vec<String> {
        let (lines, problems) = read(bytes);
        assert_eq!(problems, none(), "{}", String::from_utf8_lossy(bytes));
        lines.iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
    };
    let lines = documents.join("\n");
    for shape in [
        lines.clone(),
        format!("{lines}\n"),
        format!("\u{feff}{}\r\n\r\n", documents.join("\r\n")),
        format!("[{}]", documents.join(",")),
        format!("[\n  {}\n]\n", documents.join(",\n  ")),
        format!("{{\"took\":1,\"hits\":{{\"total\":3,\"hits\":[{}]}}}}", documents.join(",")),
        format!("{{\n \"took\":1,\n \"hits\":{{\n\"hits\":[\n{}\n]}}}}\n", documents.join(",\n")),
        format!(
            "{{\"responses\":[{{\"hits\":{{\"hits\":[{}]}}}},{{\"error\":1}},{{\"hits\":{{\"hits\":[{}]}}}}]}}",
            documents[..2].join(","),
            documents[2]
        ),
    ] {
        assert_eq!(texts(shape.as_bytes()), documents, "{shape}");
        assert_eq!(texts(&gzip(shape.as_bytes())), documents, "{shape}");
    }
    // Several members in one file.
    let members = [
        gzip(format!("{}\n{}", documents[0], &documents[1][..5]).as_bytes()),
        gzip(&documents[1].as_bytes()[5..]),
        gzip(format!("\n{}", documents[2]).as_bytes()),
    ];
    assert_eq!(texts(&members.concat()), documents);
    let pretty: serde_json::Value = serde_json::from_str(documents[1]).unwrap();
    let pretty = serde_json::to_string_pretty(&pretty).unwrap();
    assert_eq!(texts(format!("{pretty}\n{pretty}\n").as_bytes()), [pretty.clone(), pretty]);
}

#[test]
fn a_cut_compressed_file_gives_what_stands_before_the_cut() {
    let text: String = (0..20_000)
        .map(|number| format!("{{\"id\":\"{number}\",\"x\":\"{}\"}}\n", number * 7919))
        .collect::<Vec<_>>()
        .concat();
    let whole = gzip(text.as_bytes());
    let (lines, problems) = read(&whole[..whole.len() / 2]);
    assert!(lines.len() > 5_000 && lines.len() < 15_000, "{}", lines.len());
    // Every line is whole.
    assert!(lines.iter().all(|line| line.ends_with("\"}")));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with(&format!("f:{}: damaged from here on", lines.len() + 1)), "{problems:?}");
    // Rubbish behind the end costs nothing.
    let (lines, problems) = read(&[&whole[..], b"rubbish"].concat());
    assert_eq!((lines.len(), problems.len()), (20_000, 1));
}

#[test]
fn odd_bytes() {
    let (lines, problems) = read(b"{\"a\":\"\xff\"}\n{\"a\":1}\n");
    assert_eq!(lines, ["1 {\"a\":\"\u{fffd}\"}", "2 {\"a\":1}"]);
    assert_eq!(problems, ["f:1: not valid UTF-8; the document was used nevertheless"]);
    // A crash leaves zeros.
    let (lines, _) = read(b"{\"a\":1}\n\0\0\0\0{\"a\":2}\n");
    assert_eq!(lines, ["1 {\"a\":1}", "2 {\"a\":2}"]);
    assert_eq!(read(b""), (none(), vec!["f: empty".to_owned()]));
    assert_eq!(read(&gzip(b"")), (none(), vec!["f: empty".to_owned()]));
    assert_eq!(read(b"\n \n"), (none(), none()));
    // The first line of a rotated file may be the end of a document.
    assert_eq!(read(b"\"x\"}\n{\"a\":1}\n").0, ["1 \"x\"}", "2 {\"a\":1}"]);
    let (lines, problems) = read(b"{\n \"a\": 1\n");
    assert_eq!((lines, problems), (none(), vec!["f:1: the file ends in the middle of a document".to_owned()]));
}

#[test]
fn lines_that_are_too_long_are_left_out_and_named() {
    let long = "x".repeat(700_000);
    let text = format!("{{\"a\":1}}\n{{\"a\":\"{long}\"}}\n{{\"a\":2}}\n{{\"b\":\"{long}\"}}");
    let (lines, report) = read_with(AlertReader::new().longest_line(300_000), text.as_bytes());
    assert_eq!(lines, ["1 {\"a\":1}", "3 {\"a\":2}"]);
    let problems: Vec<_> = report.problems.iter().map(|problem| (problem.line, problem.kind.clone())).collect();
    assert_eq!(problems, [(Some(2), ProblemKind::TooLong(700_008)), (Some(4), ProblemKind::TooLong(700_008))]);
    // Within the limit the buffer grows.
    let (lines, report) = read_with(AlertReader::new(), text.as_bytes());
    assert_eq!((lines.len(), report.problem_count), (4, 0));
    assert_eq!(report.bytes, text.len() as u64);
}

#[test]
fn a_caller_can_stop() {
    let mut count = 0;
    let report = AlertReader::new().read(Path::new("f"), &b"{}\n{}\n{}\n"[..], |_| {
        count += 1;
        if count == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!((count, report.documents, report.stopped), (2, 2, true));
}

#[test]
fn folders_are_walked_in_order_and_files_counted_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("2026/Jan")).unwrap();
    for name in [
        "alerts.json",
        "alerts.log",
        "2026/Jan/ossec-alerts-02.json.gz",
        "2026/Jan/ossec-alerts-01.json.gz",
        "2026/Jan/ossec-alerts-01.json.sum",
        "x.NDJSON",
    ] {
        fs::write(path(name), name).unwrap();
    }
    #[cfg(unix)]
    {
        fs::hard_link(path("alerts.json"), path("2026/Jan/ossec-alerts-03.json")).unwrap();
        std::os::unix::fs::symlink(folder.path(), path("2026/loop")).unwrap();
        std::os::unix::fs::symlink("nowhere", path("gone.json")).unwrap();
    }
    let (files, problems) = alert_files([folder.path(), &path("missing.json"), Path::new("-")]);
    let names: Vec<_> =
        files.iter().map(|file| file.strip_prefix(folder.path()).unwrap_or(file).display().to_string()).collect();
    #[cfg(unix)]
    assert_eq!(
        names,
        [
            "2026/Jan/ossec-alerts-01.json.gz",
            "2026/Jan/ossec-alerts-02.json.gz",
            "2026/Jan/ossec-alerts-03.json",
            "x.NDJSON",
            "-"
        ]
    );
    let kinds: Vec<_> = problems
        .iter()
        .map(|problem| (problem.path.file_name().unwrap().to_str().unwrap(), problem.kind.loses_data()))
        .collect();
    #[cfg(unix)]
    assert_eq!(kinds, [("alerts.json", false), ("gone.json", true), ("missing.json", true)]);
    let empty = tempfile::tempdir().unwrap();
    let (files, problems) = alert_files([empty.path()]);
    assert!(files.is_empty());
    assert_eq!(problems[0].kind, ProblemKind::NoAlerts);
}

fn store(path: &Path) -> AlertFiles {
    AlertFiles::new([path], Arc::new(Catalogue::builtin()), Schema::Wazuh4)
}

fn all() -> SearchRequest {
    SearchRequest { size: 10, ..SearchRequest::counting(Query::MatchAll, None) }
}

#[tokio::test]
async fn damaged_files_are_partial_answers_and_odd_lines_cost_themselves() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.json"), "{\"rule\":{\"id\":\"1\"}}\nnot json\n[1]\n{\"rule\":{\"id\":\"2\"}}\n")
        .unwrap();
    let response = store(folder.path()).search(&all()).await.unwrap();
    assert_eq!((response.total, response.skipped.count, response.is_partial()), (2, 2, false));
    assert!(
        response.skipped.examples[0].ends_with("a.json:2: expected ident at line 1 column 2"),
        "{:?}",
        response.skipped
    );

    let whole = gzip("{\"rule\":{\"id\":\"3\"}}\n".repeat(5_000).as_bytes());
    fs::write(folder.path().join("b.json.gz"), &whole[..whole.len() - 12]).unwrap();
    let response = store(folder.path()).search(&all()).await.unwrap();
    assert!(response.is_partial() && response.total > 2);
    assert_eq!((response.shards.total, response.shards.failed, response.shards.successful), (2, 1, 1));
    assert!(response.shards.reasons().contains("b.json.gz: line "), "{}", response.shards.reasons());
    assert!(store(folder.path()).count(&Query::MatchAll).await.is_err());
}

#[tokio::test]
async fn nothing_to_read_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    for (path, what) in [
        (folder.path().to_owned(), "no file of alerts in this folder"),
        (folder.path().join("x.json"), "cannot be read"),
    ] {
        let error = store(&path).search(&all()).await.unwrap_err();
        assert!(matches!(error.kind(), StoreErrorKind::File { .. }) && error.to_string().contains(what), "{error}");
    }
    // An empty file is a manager without alerts.
    fs::write(folder.path().join("alerts.json"), "").unwrap();
    assert_eq!(store(folder.path()).search(&all()).await.unwrap().total, 0);
}

proptest! {
    /// Whatever the bytes are, nothing panics, and lines come out as they stand there.
    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        read_with(AlertReader::new().longest_line(64).longest_document(64), &bytes);
    }

    #[test]
    fn arbitrary_json_like_text(text in r#"[\[\]{}",:\\ \na1]{0,200}"#) {
        read_with(AlertReader::new(), text.as_bytes());
        read_with(AlertReader::new(), format!("[{text}").as_bytes());
    }

    #[test]
    fn lines_come_out_as_they_stand(lines in proptest::collection::vec("\\{[ -~]{0,40}\\}", 1..20)) {
        prop_assume!(serde_json::from_str::<serde_json::Value>(&lines[0]).is_ok() || lines.len() == 1 || lines[1].starts_with('{'));
        prop_assume!(!lines[0].trim_start_matches('{').trim_start().starts_with('"'));
        let (found, _) = read_with(AlertReader::new(), lines.join("\n").as_bytes());
        let wanted: Vec<_> = lines.iter().enumerate().map(|(place, line)| format!("{} {line}", place + 1)).collect();
        prop_assert_eq!(found, wanted);
    }
}
