//! A mounted MCP server's list of tools.

use std::collections::{BTreeMap, HashSet};

use symbolon_capability::catalog::Catalog;
use symbolon_import::{McpOptions, definitions_of, mount};

pub fn run(data: &[u8]) {
    let marks = BTreeMap::new();
    let options = McpOptions {
        id: "fuzz",
        base_url: "https://fuzz.example",
        path: "/mcp",
        auth: serde_json::json!({"scheme": "none"}),
        marks: &marks,
        previous: None,
    };
    let Ok(made) = mount(Some(data), &options) else { return };
    let catalog = Catalog::empty().with_draft(&made.file).expect("what was written is taken");
    // One asks for the list itself.
    assert_eq!(catalog.operations().len(), made.tools.len() + 1);
    let known = definitions_of(data).expect("it was a list");
    let mut names = HashSet::new();
    for tool in &made.tools {
        assert_eq!(known.get(&tool.tool), Some(&tool.definition));
        assert!(names.insert(&tool.name) && tool.name.len() <= 64, "{}", tool.name);
    }
    let again = McpOptions { previous: Some(&made.file), ..options };
    let again = mount(Some(data), &again).expect("what was mounted is mounted again");
    assert_eq!(again.tools, made.tools);
}
