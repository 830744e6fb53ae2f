//! The tools of a mounted MCP server as a catalogue file (`specs/mount.md`).

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_capability::catalog::{Catalog, Effect as Mark, ServiceId};
use symbolon_codec::Digest32;

use crate::{
    body,
    document::{Document, shown},
    error::ImportError,
    file::{Body, Effect, Fields, McpPart, RatePart, ServicePart, Tool},
    import::{check, reason, text_of},
    name::{self, Key, Wanted},
    node::Node,
    report::Remark,
    text::{self, Text},
};

mod definition;

pub use definition::definitions_of;
use definition::{Definition, definitions};

/// The most tools of one server.
pub const TOOLS_MAX: usize = 512;

/// The longest list of one server's tools, all its pages together, in bytes.
pub const LIST_BYTES_MAX: usize = 4 << 20;

/// What is said beside a server's list of tools.
#[derive(Clone, Debug)]
pub struct McpOptions<'o> {
    /// The service's id.
    pub id: &'o str,
    /// Where it is: an origin, without a path.
    pub base_url: &'o str,
    /// The path of its endpoint.
    pub path: &'o str,
    /// How its credential goes in, as a catalogue file has it.
    pub auth: Value,
    /// The owner's own word on what tools do, by their names at the server.
    pub marks: &'o BTreeMap<String, Mark>,
    /// The file of before: its tools keep their names.
    pub previous: Option<&'o str>,
}

/// What a list of tools comes to.
#[derive(Debug)]
pub struct McpService {
    /// The catalogue file, in JSON. The same list makes the same bytes.
    pub file: String,
    /// What stands in it.
    pub tools: Vec<McpTool>,
    /// Tools that cannot be called, and why.
    pub left_out: Vec<Remark>,
    /// Where a type is wider or narrower than the server's, and why.
    pub loosened: Vec<Remark>,
    /// Texts that speak to a model: cut from the tools, shown here.
    pub marked: Vec<Remark>,
}

/// One tool of a mounted server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpTool {
    /// Its name at the server.
    pub tool: String,
    /// Its name in the catalogue.
    pub name: String,
    /// What it is taken to do.
    pub effect: Mark,
    /// Who says so.
    pub word: Word,
    /// Digest of its definition.
    pub definition: Digest32,
}

/// Whose word an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// The owner's.
    Owner,
    /// The server's: a claim.
    Server,
    /// Nobody's: the worst is taken.
    Nobody,
}

/// Makes a catalogue file of `{"tools": […]}`, all pages of a server's answers to `tools/list`
/// joined. Without a list, one in which only the list itself can be asked for.
///
/// # Errors
/// [`ImportError`]; what is wrong with a single tool leaves that one out.
pub fn mount(list: Option<&[u8]>, options: &McpOptions<'_>) -> Result<McpService, ImportError> {
    let id = ServiceId::try_from(options.id).map_err(ImportError::Id)?;
    let service = ServicePart {
        id: id.to_string(),
        name: format!("{id} (MCP)"),
        base_url: options.base_url.to_owned(),
        self_hosted: false,
        docs: "https://modelcontextprotocol.io/specification/2025-11-25/server/tools".to_owned(),
        auth: options.auth.clone(),
        verify: Some(LIST.to_owned()),
        rate: RatePart { burst: 20, per_second: 5.0 },
    };
    let lister = lister(options);
    check(&service, &[&lister])?;
    let mut made = McpService {
        file: String::new(),
        tools: Vec::new(),
        left_out: Vec::new(),
        loosened: Vec::new(),
        marked: Vec::new(),
    };
    let mut tools = vec![lister];
    if let Some(list) = list {
        let found = definitions(list, &mut made.left_out)?;
        let mut before = options.previous.map(names_of).transpose()?.unwrap_or_default();
        // The list's own name is no tool's, whatever a server calls one.
        before.insert(name::key(METHOD, LISTER_PATH), LIST.to_owned());
        let names =
            name::tools(id.as_str(), &found.iter().map(wanted).collect::<Vec<_>>(), &before);
        let work = u32::try_from(WORK_MAX / found.len().max(1)).unwrap_or(u32::MAX);
        for (definition, name) in found.iter().zip(names) {
            let at = shown(&definition.name);
            let one = tool(definition, name, options, work);
            let one = one.and_then(|one| {
                check(&service, &[&tools[0], &one.tool]).map_err(|e| reason(&e)).map(|()| one)
            });
            match one {
                Ok(one) => {
                    let full = format!("{id}.{}", one.tool.id);
                    let remark = |why| Remark::new(&full, why);
                    made.loosened.extend(one.losses.into_iter().map(remark));
                    made.marked.extend(one.marked.into_iter().map(remark));
                    made.tools.push(McpTool {
                        tool: definition.name.clone(),
                        name: full,
                        effect: one.effect,
                        word: one.word,
                        definition: definition.digest,
                    });
                    tools.push(one.tool);
                }
                Err(why) => made.left_out.push(Remark::new(at, why)),
            }
        }
    }
    if list.is_some() && made.tools.is_empty() {
        let why = made.left_out.first().map(|one| format!("{}: {}", one.at, one.why));
        return Err(ImportError::Nothing { why: why.unwrap_or_else(|| "it has none".to_owned()) });
    }
    let all: Vec<&Tool> = tools.iter().collect();
    made.file = text_of(&service, &all);
    Catalog::empty().with_draft(&made.file).map_err(ImportError::Refused)?;
    Ok(made)
}

fn wanted(definition: &Definition) -> Wanted<'_> {
    // A name is read by models too, and what speaks to one in it is not handed on.
    let speaks = matches!(text::read(&spoken(&definition.name), 128), Text::Marked(_));
    let is_word = !name::word(&definition.name).is_empty();
    let name = if is_word && !speaks { &definition.name } else { "tool" };
    Wanted { method: METHOD, path: &definition.name, operation_id: Some(name) }
}

fn spoken(name: &str) -> String {
    name.replace(['_', '-', '.', '/'], " ")
}

/// A tool of the catalogue, and what is to be told of it.
struct Made {
    tool: Tool,
    effect: Mark,
    word: Word,
    losses: Vec<String>,
    marked: Vec<String>,
}

fn tool(
    definition: &Definition,
    id: String,
    options: &McpOptions<'_>,
    work: u32,
) -> Result<Made, String> {
    let nothing = Node::Map(Vec::new());
    let schema = definition.node.get("inputSchema").unwrap_or(&nothing);
    let document = Document::of_schema(schema, work);
    let mut names = HashSet::new();
    let read = body::arguments(&document, schema, &mut names)?;
    if read.body.body.0.iter().any(|(name, shape)| {
        let wire = shape.wire.as_deref().unwrap_or(name);
        matches!(text::read(&spoken(wire), 128), Text::Marked(_))
    }) {
        return Err("the name of a parameter speaks to a model".to_owned());
    }
    let mut marked = Vec::new();
    let mut say = |said: Option<&str>, max: usize| match said.map(|said| text::read(said, max)) {
        Some(Text::Plain(said)) => said,
        Some(Text::Marked(said)) => {
            marked.push(said);
            String::new()
        }
        None => String::new(),
    };
    let annotated = definition.node.get("annotations").and_then(|a| a.text("title"));
    let title = say(definition.text("title").or(annotated), 80);
    let description = say(definition.text("description"), 400);
    let plain = say(Some(&spoken(&definition.name)), 80);
    let plain = if plain.is_empty() { "A tool of a mounted server".to_owned() } else { plain };
    let short = text::cut(&description, 80);
    let titled = [&title, &short, &plain].into_iter().find(|t| !t.is_empty());
    let (effect, word) = effect(definition, options.marks);
    let level = match effect {
        Mark::Read => "read",
        Mark::Write => "write",
        Mark::Destructive => "admin",
    };
    let tool = Tool {
        id,
        title: titled.cloned().unwrap_or_default(),
        description: [description, title, plain]
            .into_iter()
            .find(|t| !t.is_empty())
            .unwrap_or_default(),
        method: "POST",
        path: options.path.to_owned(),
        scope: format!("{}.tools.{level}", options.id),
        effect: own(effect),
        body: read.body,
        mcp: Some(McpPart {
            tool: Some(definition.name.clone()),
            definition: Some(definition.digest),
        }),
        ..empty()
    };
    Ok(Made { tool, effect, word, losses: read.losses, marked })
}

/// What the owner says; else what the server claims, with the protocol's own defaults: what is not
/// said to be read-only may write, and what is not said to only add may destroy.
fn effect(definition: &Definition, marks: &BTreeMap<String, Mark>) -> (Mark, Word) {
    if let Some(mark) = marks.get(&definition.name) {
        return (*mark, Word::Owner);
    }
    match (definition.hint("readOnlyHint"), definition.hint("destructiveHint")) {
        (Some(true), Some(true)) => (Mark::Destructive, Word::Server),
        (Some(true), _) => (Mark::Read, Word::Server),
        (_, Some(false)) => (Mark::Write, Word::Server),
        (_, Some(true)) => (Mark::Destructive, Word::Server),
        (_, None) => (Mark::Destructive, Word::Nobody),
    }
}

const fn own(mark: Mark) -> Effect {
    match mark {
        Mark::Read => Effect::Read,
        Mark::Write => Effect::Write,
        Mark::Destructive => Effect::Destructive,
    }
}

/// The operation that asks for the list: what shows that a credential works, and what a refresh calls.
fn lister(options: &McpOptions<'_>) -> Tool {
    Tool {
        id: LIST.to_owned(),
        title: "Count the server's tools".to_owned(),
        description: "Asks the mounted server for its list of tools, and says how many there are."
            .to_owned(),
        method: "POST",
        path: options.path.to_owned(),
        scope: format!("{}.tools.read", options.id),
        effect: Effect::Read,
        mcp: Some(McpPart { tool: None, definition: None }),
        ..empty()
    }
}

fn empty() -> Tool {
    Tool {
        id: String::new(),
        title: String::new(),
        description: String::new(),
        method: "POST",
        path: String::new(),
        scope: String::new(),
        effect: Effect::Destructive,
        segments: Fields::default(),
        query: Fields::default(),
        body: Body::default(),
        idempotency_key: None,
        headers: Fields::default(),
        mcp: None,
    }
}

/// Names by tool of a file of before.
fn names_of(text: &str) -> Result<HashMap<Key, String>, ImportError> {
    #[derive(Deserialize)]
    struct Before {
        operation: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        id: String,
        mcp: Option<Pin>,
    }
    #[derive(Deserialize)]
    struct Pin {
        tool: Option<String>,
    }
    let before: Before = serde_json::from_str(text).map_err(ImportError::Previous)?;
    let named = before.operation.into_iter().filter_map(|one| {
        let tool = one.mcp?.tool?;
        Some((name::key(METHOD, &tool), one.id))
    });
    Ok(named.collect())
}

/// Stands for an HTTP method in what a tool is known by.
const METHOD: &str = "MCP";
/// No tool has an empty name.
const LISTER_PATH: &str = "";
const LIST: &str = "list_tools";
/// Of the schemas of one list.
const WORK_MAX: usize = 4_000_000;

#[cfg(test)]
mod tests;
