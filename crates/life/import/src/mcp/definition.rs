//! Definitions of tools, as their server gives them.

use std::collections::HashMap;

use serde_json::Value;
use symbolon_capability::catalog::is_mcp_tool;
use symbolon_codec::json::{canonical, parse_bounded};
use symbolon_codec::{CodecError, Digest32};
use symbolon_crypto::sha256;

use super::{LIST_BYTES_MAX, TOOLS_MAX};
use crate::{document::shown, error::ImportError, node::Node, read, report::Remark};

/// Digests of the definitions in a list, by name: what calls are held against. A name that stands
/// twice has the digest of neither.
///
/// # Errors
/// [`ImportError`] where it is no list of tools within bounds.
pub fn definitions_of(list: &[u8]) -> Result<HashMap<String, Digest32>, ImportError> {
    let found = definitions(list, &mut Vec::new())?;
    Ok(found.into_iter().map(|one| (one.name, one.digest)).collect())
}

/// A tool as its server describes it.
pub(super) struct Definition {
    pub name: String,
    pub node: Node,
    pub digest: Digest32,
}

impl Definition {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.node.text(name)
    }

    /// What the server says of a tool, where it says yes or no.
    pub fn hint(&self, name: &str) -> Option<bool> {
        match self.node.get("annotations")?.get(name)? {
            Node::Bool(flag) => Some(*flag),
            _ => None,
        }
    }
}

/// Every tool of a list that has a name to itself.
pub(super) fn definitions(
    list: &[u8],
    left_out: &mut Vec<Remark>,
) -> Result<Vec<Definition>, ImportError> {
    let bad = |what: &str| ImportError::List { what: what.to_owned() };
    let value = parse_bounded(list, LIST_BYTES_MAX, DEPTH_MAX).map_err(|e| match e {
        CodecError::TooLong { found, max } => ImportError::TooLarge { found, max },
        other => bad(&other.to_string()),
    })?;
    let values = value.get("tools").and_then(Value::as_array);
    let values = values.ok_or_else(|| bad("it has no `tools`"))?;
    // Once more, in the order in which a person reads it.
    let root = read::read(list)?;
    let nodes = root.get("tools").map(Node::items).unwrap_or_default();
    if values.len() > TOOLS_MAX {
        return Err(bad(&format!("a server has at most {TOOLS_MAX} tools")));
    }
    let mut times: HashMap<&str, usize> = HashMap::new();
    for name in nodes.iter().filter_map(|node| node.text("name")) {
        *times.entry(name).or_default() += 1;
    }
    let mut found = Vec::new();
    for (number, (node, value)) in nodes.iter().zip(values).enumerate() {
        let why = match node.text("name") {
            None => "it has no name",
            Some(name) if !is_mcp_tool(name) => "its name is too long, or has control characters",
            Some(name) if times.get(name) != Some(&1) => "its name stands twice",
            Some(name) => {
                let digest = sha256(&canonical(&pinned(value)));
                found.push(Definition { name: name.to_owned(), node: node.clone(), digest });
                continue;
            }
        };
        let at = node.text("name").map_or_else(|| format!("tool {}", number + 1), shown);
        left_out.push(Remark::new(at, why));
    }
    Ok(found)
}

/// Of a definition what says how a tool is called and what it does. The rest (`_meta`, icons) may
/// change with every session.
fn pinned(value: &Value) -> Value {
    let of = |name: &&str| Some(((*name).to_owned(), value.get(*name)?.clone()));
    Value::Object(PINNED.iter().filter_map(of).collect())
}

const PINNED: [&str; 7] =
    ["name", "title", "description", "inputSchema", "outputSchema", "annotations", "execution"];
const DEPTH_MAX: usize = 96;
