//! What lies in a manager's folder, for the commands that look after it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The rules for the events, as they are installed.
pub(crate) const RULES: &str = include_str!("../../../deploy/wazuh4/opencti_rules.xml");
/// The block of the manager's configuration.
pub(crate) const BLOCK: &str = include_str!("../../../deploy/wazuh4/ossec.conf");
/// The name of the program, and of the integration.
pub(crate) const NAME: &str = "custom-opencti";
/// The number of the rule that all others hang on.
const FIRST_RULE: &str = "id=\"100210\"";

/// One `<integration>` block that runs this program.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// The name, which may be any that begins with `custom-`.
    pub(crate) name: String,
    pub(crate) api_key: Option<String>,
    pub(crate) hook_url: Option<String>,
    pub(crate) alert_format: Option<String>,
    pub(crate) options: Option<String>,
}

/// A manager's folder.
pub(crate) struct Manager {
    pub(crate) home: PathBuf,
}

impl Manager {
    pub(crate) fn program(&self) -> PathBuf {
        self.home.join("integrations").join(NAME)
    }

    pub(crate) fn rules(&self) -> PathBuf {
        self.home.join("etc/rules/opencti_rules.xml")
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.home.join("etc/ossec.conf")
    }

    /// The blocks of the manager's configuration that run this program, or one of its names.
    pub(crate) fn blocks(&self) -> io::Result<Vec<Block>> {
        let text = String::from_utf8_lossy(&fs::read(self.configuration())?).into_owned();
        let text = without_comments(&text);
        let blocks = text.split("<integration>").skip(1).filter_map(|rest| rest.split("</integration>").next());
        let read = |block: &str| Block {
            name: element(block, "name").unwrap_or_default(),
            api_key: element(block, "api_key"),
            hook_url: element(block, "hook_url"),
            alert_format: element(block, "alert_format"),
            options: element(block, "options"),
        };
        Ok(blocks.map(read).filter(|block| block.name == NAME).collect())
    }

    /// The files of the manager's own rules that hold rules for the events.
    pub(crate) fn rules_files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.home.join("etc/rules"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "xml") {
                let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
                if without_comments(&text).contains(FIRST_RULE) {
                    files.push(path);
                }
            }
        }
        files.sort();
        Ok(files)
    }
}

fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, part) in text.split("<!--").enumerate() {
        out.push_str(if place == 0 { part } else { part.split_once("-->").map_or("", |(_, rest)| rest) });
    }
    out
}

/// The text of the first element with this name. Entities that XML has by itself are replaced.
fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = inner.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    Some(plain.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Whether a path lies in a manager's folder at all, for a line that people understand.
pub(crate) fn is_manager(home: &Path) -> bool {
    ["etc", "logs", "queue"].iter().all(|name| home.join(name).is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_without_comments() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("etc/rules")).unwrap();
        let manager = Manager { home: folder.path().to_owned() };
        let other = "<integration><name>slack</name><hook_url>x</hook_url></integration>";
        let block = BLOCK.replace("TOKEN", " a&amp;b ");
        let commented = without_comments(BLOCK);
        fs::write(manager.configuration(), format!("<ossec_config>{other}{block}<!-- {commented} --></ossec_config>"))
            .unwrap();
        let blocks = manager.blocks().unwrap();
        assert_eq!(blocks.len(), 1);
        assert_eq!(blocks[0].api_key.as_deref(), Some("a&b"));
        assert_eq!(blocks[0].hook_url.as_deref(), Some("https://opencti.example/graphql"));
        assert_eq!(blocks[0].alert_format.as_deref(), Some("json"));
        assert!(manager.rules_files().unwrap().is_empty());
        fs::write(manager.rules(), RULES).unwrap();
        assert_eq!(manager.rules_files().unwrap(), [manager.rules()]);
    }
}
