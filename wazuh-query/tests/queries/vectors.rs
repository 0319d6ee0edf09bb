//! Known inputs and the expressions that they must give.

use serde_json::json;
use wazuh_query::catalogue::{Catalogue, Schema};
use wazuh_query::dsl::{Clause, Query};

use crate::with;

/// Every distinct regular expression of a query.
fn regexps(query: &Query) -> Vec<String> {
    let clauses = |clause: &Clause| match clause {
        Clause::Regexp { value, .. } => Some(value.clone()),
        _ => None,
    };
    let mut found: Vec<String> = match query {
        Query::AnyField { clause, .. } | Query::Field { clause, .. } => clauses(clause).into_iter().collect(),
        Query::AnyFieldAll { clauses: all, .. } => all.iter().filter_map(clauses).collect(),
        Query::Bool(query) => {
            [&query.filter, &query.should, &query.must_not].into_iter().flatten().flat_map(regexps).collect()
        }
        _ => Vec::new(),
    };
    found.dedup();
    found
}

#[track_caller]
fn check(object: serde_json::Value, options: &wazuh_query::options::SearchOptions, wanted: &[&str]) {
    let mut object = object;
    object["id"] = json!(format!("{}--00000000-0000-4000-8000-000000000001", object["type"].as_str().unwrap()));
    let object: stix_model::Object = object.to_string().parse().unwrap();
    let builder = wazuh_query::builder::QueryBuilder::new(&Catalogue::builtin(), Schema::Wazuh4, options.clone());
    let built = builder.build(&object, &()).unwrap();
    assert_eq!(regexps(&built.query), wanted);
}

#[test]
fn files() {
    for (name, wanted) in [
        ("invoice.exe", r"(.*[/\\])?invoice\.exe"),
        (r"C:\Tools\nc.exe", r"C:\\+Tools\\+nc\.exe"),
        (r"\\fs01\pub\a.txt", r"\\+fs01\\+pub\\+a\.txt"),
        ("/opt/app/run.sh", r"/opt/app/run\.sh"),
        ("opt/run.sh", r"(.*[/\\])?opt/run\.sh"),
        (".profile", r"(.*[/\\])?\.profile"),
        ("~$plan.docx", r"(.*[/\\])?\~$plan\.docx"),
        (r"C:\Data\[old]\x.txt", r"C:\\+Data\\+\[old\]\\+x\.txt"),
        ("c#.dll", r"(.*[/\\])?c\#\.dll"),
        ("résumé.pdf", r"(.*[/\\])?résumé\.pdf"),
        (r"D:\a\.git", r"D:\\+a\\+\.git"),
    ] {
        check(json!({"type": "file", "name": name}), &with(|_| ()), &[wanted]);
    }
    check(
        json!({"type": "file", "name": "a", "x_opencti_additional_names": ["b"]}),
        &with(|_| ()),
        &[r"(.*[/\\])?a|(.*[/\\])?b"],
    );
}

#[test]
fn directories() {
    for (path, wanted) in [
        (r"C:\Users\Public\", r"C:\\+Users\\+Public([/\\]+.*)?"),
        ("/var/spool", r"/var/spool([/\\]+.*)?"),
        ("Temp", r"(.*[/\\])?Temp([/\\]+.*)?"),
    ] {
        check(json!({"type": "directory", "path": path}), &with(|_| ()), &[wanted]);
    }
}

#[test]
fn registry_keys() {
    for (key, wanted) in [
        (
            r"HKLM\SOFTWARE\Acme",
            &[
                r"(HKEY_LOCAL_MACHINE|HKLM)\\+SOFTWARE\\+Acme(\\+.*)?",
                r"\\+REGISTRY\\+MACHINE\\+SOFTWARE\\+Acme(\\+.*)?",
            ][..],
        ),
        (
            r"HKCU\Software\Acme",
            &[
                r"(HKEY_CURRENT_USER|HKCU)\\+Software\\+Acme(\\+.*)?",
                r"(HKEY_USERS|HKU)\\+S-1-[0-9]+(-[0-9]+)+(_Classes)?\\+Software\\+Acme(\\+.*)?",
                r"\\+REGISTRY\\+USER\\+S-1-[0-9]+(-[0-9]+)+(_Classes)?\\+Software\\+Acme(\\+.*)?",
            ],
        ),
        (r"hklm\a", &[r"(HKEY_LOCAL_MACHINE|HKLM)\\+a(\\+.*)?", r"\\+REGISTRY\\+MACHINE\\+a(\\+.*)?"]),
        (r"Software\Acme", &[r".+\\+Software\\+Acme(\\+.*)?"]),
        (
            r"HKCR\CLSID\{1F4D}",
            &[
                r"(HKEY_CLASSES_ROOT|HKCR)\\+CLSID\\+\{1F4D\}(\\+.*)?",
                r"(HKEY_LOCAL_MACHINE|HKLM)\\+SOFTWARE\\+Classes\\+CLSID\\+\{1F4D\}(\\+.*)?",
                r"\\+REGISTRY\\+MACHINE\\+SOFTWARE\\+Classes\\+CLSID\\+\{1F4D\}(\\+.*)?",
            ],
        ),
    ] {
        check(json!({"type": "windows-registry-key", "key": key}), &with(|_| ()), wanted);
    }
}

#[test]
fn urls() {
    let url = json!({"type": "url", "value": "https://shop.example.net:8443/cart/?id=7"});
    let without_host = with(|options| options.lookup_url_without_host = true);
    check(url.clone(), &without_host, &[r"([^:/]+://)?[^/]*/?/cart/\?id=7"]);
    let ignore_slash = with(|options| options.lookup_url_ignore_trailing_slash = true);
    // Both can be listed, which costs the cluster less than an expression.
    check(url, &ignore_slash, &[]);
}
