//! The names of tools that the platform knows: they are recognised in command lines.

use std::collections::BTreeSet;

use opencti_client::{Context, EntityReader, Error, Select};
use serde_json::Value;
use stix_model::id::Properties as _;

/// So many tools are read.
const MOST: usize = 10_000;

/// Names and aliases, in small letters.
pub(crate) async fn names(entities: &dyn EntityReader) -> Result<BTreeSet<String>, Error> {
    let page = entities.list(&Select::types(&["Tool"]), MOST, &Context::new()).await?;
    let mut names = BTreeSet::new();
    for tool in page.items {
        let text = |value: &Value| value.as_str().map(|name| name.trim().to_lowercase());
        let name = tool.object.property("name");
        let aliases = tool.object.property("aliases");
        names.extend(name.as_ref().and_then(text));
        names.extend(aliases.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(text));
    }
    names.remove("");
    Ok(names)
}
