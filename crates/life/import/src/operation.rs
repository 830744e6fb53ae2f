//! One operation of a document as a tool.

use crate::{
    body,
    document::{Document, shown},
    file::{Effect, Tool},
    name::word,
    node::Node,
    parameters,
    security::Security,
    server::Place,
    text::{self, Text},
};

/// An operation as it stands in the document.
pub(crate) struct Found<'n> {
    pub method: &'static str,
    pub path: &'n str,
    /// The item of its path, which says what all its operations share.
    pub item: &'n Node,
    pub operation: &'n Node,
}

impl Found<'_> {
    /// Which one, for the report.
    pub fn shown(&self) -> String {
        format!("{} {}", self.method, shown(self.path))
    }
}

/// A tool, and what is to be told of it.
pub(crate) struct Made {
    pub tool: Tool,
    pub losses: Vec<String>,
    /// Texts that speak to a model.
    pub marked: Vec<String>,
}

/// Makes the tool.
///
/// # Errors
/// Why it cannot be called, in words.
pub(crate) fn read<'n>(
    document: &Document<'n>,
    security: &Security<'n>,
    service: &str,
    place: &Place,
    id: String,
    found: &Found<'n>,
) -> Result<Made, String> {
    let operation = found.operation;
    for node in [operation, found.item] {
        if node.get("servers").is_some_and(|servers| !place.is_of(servers)) {
            return Err("it is served elsewhere".to_owned());
        }
    }
    security.fits(document, operation)?;
    let list = |node: &'n Node| node.get("parameters").map(Node::items).unwrap_or_default();
    let read = parameters::read(
        document,
        found.path,
        list(found.item),
        list(operation),
        security.own_query(),
    )?;
    let mut losses = read.losses;
    let mut names = read.names;
    let has_body = !matches!(found.method, "GET" | "HEAD");
    let room = PARAMETERS_MAX.checked_sub(names.len()).ok_or("it has too many parameters")?;
    let mut body = body::Read::default();
    if has_body {
        body = body::read(document, operation, &read.body, &mut names, room)?;
        losses.append(&mut body.losses);
    } else if operation.get("requestBody").is_some() || !read.body.is_empty() {
        losses.push("a body of a read cannot be given".to_owned());
    }
    let effect = effect(found);
    let mut marked = Vec::new();
    let mut say =
        |name: &str, max: usize| match operation.text(name).map(|said| text::read(said, max)) {
            Some(Text::Plain(said)) => said,
            Some(Text::Marked(said)) => {
                marked.push(said);
                String::new()
            }
            None => String::new(),
        };
    let plain = format!("{} {}", found.method, found.path);
    let (summary, description) = (say("summary", 80), say("description", 400));
    let plain = match text::read(&plain, 80) {
        Text::Plain(plain) => plain,
        Text::Marked(_) => found.method.to_owned(),
    };
    let short = text::cut(&description, 80);
    let title = [&summary, &short, &plain].into_iter().find(|t| !t.is_empty());
    let described = if description.is_empty() { &summary } else { &description };
    let tool = Tool {
        id,
        title: title.cloned().unwrap_or_default(),
        description: if described.is_empty() { plain.clone() } else { described.clone() },
        method: found.method,
        path: read.path,
        scope: scope(document, security, service, found, effect),
        effect,
        segments: read.segments,
        query: read.query,
        body: body.body,
        idempotency_key: read.idempotency_key,
        headers: read.headers,
        mcp: None,
    };
    Ok(Made { tool, losses, marked })
}

/// What it does to the world. A `POST` is never taken for a read: a word in a document would then open it
/// to every read grant.
fn effect(found: &Found<'_>) -> Effect {
    match found.method {
        "GET" | "HEAD" => Effect::Read,
        "DELETE" => Effect::Destructive,
        _ => {
            let id = found.operation.text("operationId").map(word).unwrap_or_default();
            let last = found
                .path
                .rsplit('/')
                .find(|part| !part.contains('{'))
                .map(word)
                .unwrap_or_default();
            let destroys =
                id.split(['_', '-']).chain(last.split(['_', '-'])).any(|w| DESTROYING.contains(&w));
            if destroys { Effect::Destructive } else { Effect::Write }
        }
    }
}

/// `<service>.<noun>.<level>`: the noun is the first security scope's, else the first tag's, else the
/// path's first word; the level follows the effect.
fn scope<'n>(
    document: &Document<'n>,
    security: &Security<'n>,
    service: &str,
    found: &Found<'n>,
    effect: Effect,
) -> String {
    let named = security.scopes(document, found.operation);
    let of_scope = named.first().map(|scope| {
        let tail = scope.rsplit('/').next().unwrap_or_default();
        let words = noun(tail);
        let kept: Vec<&str> = words.split('_').filter(|w| !LEVELS.contains(w)).collect();
        kept.join("_")
    });
    let tag = found
        .operation
        .get("tags")
        .map(Node::items)
        .and_then(<[Node]>::first)
        .and_then(Node::as_text);
    let path = found.path.split('/').find(|part| {
        let is_version = part.starts_with('v') && part[1..].bytes().all(|b| b.is_ascii_digit());
        !part.is_empty() && !part.contains('{') && !is_version
    });
    let is_free =
        |noun: &String| !noun.is_empty() && !matches!(noun.as_str(), "read" | "write" | "admin");
    let noun = [of_scope, tag.map(noun), path.map(noun)].into_iter().flatten().find(is_free);
    let noun = noun.unwrap_or_else(|| "api".to_owned());
    let level = match effect {
        Effect::Read => "read",
        Effect::Write => "write",
        Effect::Destructive => "admin",
    };
    let room = SCOPE_CHARS_MAX - service.len() - level.len() - 2;
    let noun: String = noun.chars().take(room).collect();
    format!("{service}.{}.{level}", noun.trim_end_matches('_'))
}

fn noun(text: &str) -> String {
    word(text).replace('-', "_")
}

const PARAMETERS_MAX: usize = 64;
const SCOPE_CHARS_MAX: usize = 64;

/// Words of security scopes that say how much, not of what.
const LEVELS: [&str; 12] = [
    "read", "write", "admin", "delete", "create", "update", "readonly", "manage", "all", "edit",
    "view", "full",
];

const DESTROYING: [&str; 20] = [
    "delete",
    "remove",
    "destroy",
    "purge",
    "erase",
    "wipe",
    "drop",
    "cancel",
    "revoke",
    "terminate",
    "void",
    "refund",
    "reset",
    "rotate",
    "transfer",
    "archive",
    "expire",
    "detach",
    "uninstall",
    "reject",
];
