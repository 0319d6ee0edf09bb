//! The checklist of the protocol, in `docs/opencti-client.md`, names tests that exist.

use std::path::Path;

#[test]
fn every_named_test_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("../docs/opencti-client.md")).unwrap();
    let (_, checklist) = page.split_once("## Checklist").unwrap();
    for item in 1..=19 {
        assert!(checklist.contains(&format!("\n| {item} | ")), "{item} is missing");
    }
    let mut tests = 0;
    for name in checklist.split('`').filter(|text| text.contains("::")) {
        let (module, test) = name.split_once("::").unwrap();
        let path = match module.strip_prefix("src/") {
            Some(module) => root.join("src").join(module),
            None => root.join("tests/it").join(module),
        };
        let source = [path.with_extension("rs"), path.join("mod.rs")]
            .iter()
            .find_map(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_else(|| panic!("{name}: there is no such module"));
        assert!(source.contains(&format!("fn {test}()")), "{name}: there is no such test");
        tests += 1;
    }
    assert!(tests > 40, "{tests} tests are named");
}
