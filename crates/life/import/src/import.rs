//! The import as a whole.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use symbolon_capability::catalog::{Catalog, CatalogError, ServiceId};

use crate::{
    document::{Document, shown},
    error::ImportError,
    file::{Effect, File, RatePart, ServicePart, Tool},
    name::{self, Key, Wanted},
    node::Node,
    operation::{self, Found},
    read::read,
    report::{Remark, Report},
    security,
    server::Place,
    text::{self, Text},
};

/// What is said beside the document.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'o> {
    /// The service's id.
    pub id: &'o str,
    /// The base URL, where the document's own is not meant.
    pub base_url: Option<&'o str>,
    /// The security scheme, where the one that most operations take is not meant.
    pub auth: Option<&'o str>,
    /// Whether a connection may name a base URL of its own.
    pub self_hosted: bool,
    /// The file that an earlier import of this service wrote: its tools keep their names.
    pub previous: Option<&'o str>,
}

/// What an import made.
#[derive(Debug)]
pub struct Imported {
    /// The catalogue file, in JSON (`specs/openapi.md`). The same document makes the same bytes.
    pub file: String,
    /// What is in it, and what is not.
    pub report: Report,
}

/// The most operations of a document.
pub const OPERATIONS_MAX: usize = 10_000;

/// Makes a catalogue file of an OpenAPI document. Nothing is fetched.
///
/// # Errors
/// [`ImportError`]; what is wrong with a single operation leaves that one out and stands in the report.
pub fn import(bytes: &[u8], options: &Options<'_>) -> Result<Imported, ImportError> {
    let id = ServiceId::try_from(options.id).map_err(ImportError::Id)?;
    let before = options.previous.map(names_of).transpose()?.unwrap_or_default();
    let root = read(bytes)?;
    let document = Document::new(&root)?;
    let mut report = Report {
        service: id.to_string(),
        format: document.dialect.name().to_owned(),
        ..Report::default()
    };
    let found = operations(&document, &mut report)?;
    let nodes: Vec<&Node> = found.iter().map(|one| one.operation).collect();
    let security = security::choose(&document, options.auth, &nodes, &mut report.notes)?;
    let place = Place::read(&document, options.base_url, &mut report.notes)?;
    let wanted: Vec<Wanted<'_>> = found
        .iter()
        .map(|one| Wanted {
            method: one.method,
            path: one.path,
            operation_id: one.operation.text("operationId"),
        })
        .collect();
    let names = name::tools(id.as_str(), &wanted, &before);
    let mut service = service_part(
        &document,
        options,
        &id,
        place.base_url.clone(),
        security.auth.clone(),
        &mut report,
    );
    check(&service, &[])?;
    let mut tools: Vec<Tool> = Vec::new();
    let mut paths: HashMap<(&str, String), String> = HashMap::new();
    for (one, name) in found.iter().zip(names) {
        let made = operation::read(&document, &security, id.as_str(), &place, name, one);
        let made = made.and_then(|made| {
            let shape = (one.method, shape(&made.tool.path));
            if let Some(first) = paths.get(&shape) {
                return Err(format!("no request can tell it from {first}"));
            }
            check(&service, &[&made.tool]).map_err(|e| reason(&e))?;
            paths.insert(shape, made.tool.id.clone());
            Ok(made)
        });
        match made {
            Ok(made) => {
                let tool = format!("{id}.{}", made.tool.id);
                report.loosened.extend(made.losses.into_iter().map(|why| Remark::new(&tool, why)));
                report.marked.extend(made.marked.into_iter().map(|text| Remark::new(&tool, text)));
                tools.push(made.tool);
            }
            Err(why) => report.left_out.push(Remark::new(one.shown(), why)),
        }
    }
    service.verify = verify(&tools);
    if tools.is_empty() {
        return Err(ImportError::Nothing { why: commonest(&report.left_out) });
    }
    let all: Vec<&Tool> = tools.iter().collect();
    let file = text_of(&service, &all);
    Catalog::empty().with_imported(&file).map_err(ImportError::Refused)?;
    report.imported = tools.len();
    let count = |effect| tools.iter().filter(|t| t.effect == effect).count();
    (report.read, report.write, report.destructive) =
        (count(Effect::Read), count(Effect::Write), count(Effect::Destructive));
    report.base_url.clone_from(&service.base_url);
    report.auth = service.auth["scheme"].as_str().unwrap_or_default().to_owned();
    Ok(Imported { file, report })
}

/// What keeps most operations out, with the first of them.
fn commonest(left_out: &[Remark]) -> String {
    let times = |one: &Remark| left_out.iter().filter(|other| other.why == one.why).count();
    // Of equals the first.
    let most = left_out.iter().take(REASONS_MAX).rev().max_by_key(|one| times(one));
    most.map_or("it has none".to_owned(), |one| format!("{}: {}", one.at, one.why))
}

/// As many are counted.
const REASONS_MAX: usize = 200;

/// Every operation, in the order of the document.
fn operations<'n>(
    document: &Document<'n>,
    report: &mut Report,
) -> Result<Vec<Found<'n>>, ImportError> {
    let mut all = Vec::new();
    let paths = document.root().get("paths").map(Node::members).unwrap_or_default();
    for (path, item) in paths {
        let item = match document.resolve(item) {
            Ok(item) => item,
            Err(why) => {
                report.found += 1;
                report.left_out.push(Remark::new(shown(path), why));
                continue;
            }
        };
        for (word, operation) in item.members() {
            let method = match &**word {
                "get" => "GET",
                "head" => "HEAD",
                "post" => "POST",
                "put" => "PUT",
                "patch" => "PATCH",
                "delete" => "DELETE",
                "options" | "trace" => {
                    report.found += 1;
                    let at = format!("{} {}", word.to_uppercase(), shown(path));
                    report.left_out.push(Remark::new(at, "its method is never called"));
                    continue;
                }
                _ => continue,
            };
            report.found += 1;
            if report.found > OPERATIONS_MAX {
                return Err(ImportError::TooMany { max: OPERATIONS_MAX });
            }
            all.push(Found { method, path, item, operation });
        }
    }
    if document.root().get("webhooks").is_some_and(|hooks| !hooks.members().is_empty()) {
        report.notes.push("webhooks are calls that the service makes: not imported".to_owned());
    }
    Ok(all)
}

fn service_part(
    document: &Document<'_>,
    options: &Options<'_>,
    id: &ServiceId,
    base_url: String,
    auth: serde_json::Value,
    report: &mut Report,
) -> ServicePart {
    let info = document.root().get("info");
    let title = info.and_then(|info| info.text("title")).map(|title| text::read(title, 64));
    let name = match title {
        Some(Text::Plain(title)) if !title.is_empty() => title,
        Some(Text::Marked(title)) => {
            report.marked.push(Remark::new("info.title", title));
            id.to_string()
        }
        _ => id.to_string(),
    };
    report.name.clone_from(&name);
    let docs = document.root().get("externalDocs").and_then(|docs| docs.text("url"));
    let is_docs = |url: &&str| {
        url.starts_with("https://") && url.len() <= 256 && !url.chars().any(char::is_control)
    };
    let docs = docs.filter(is_docs).map_or_else(|| base_url.replace(['{', '}'], ""), str::to_owned);
    ServicePart {
        id: id.to_string(),
        name,
        base_url,
        self_hosted: options.self_hosted,
        docs,
        auth,
        verify: None,
        rate: RatePart { burst: 20, per_second: 5.0 },
    }
}

/// The catalogue's own word on it, schemas compiled.
pub(crate) fn check(service: &ServicePart, tools: &[&Tool]) -> Result<(), ImportError> {
    let text = text_of(service, tools);
    Catalog::empty().with_draft(&text).map(drop).map_err(ImportError::Refused)
}

pub(crate) fn reason(error: &ImportError) -> String {
    let ImportError::Refused(error) = error else { return error.to_string() };
    match error {
        CatalogError::Operation { problem, .. } => problem.to_string(),
        CatalogError::Parameter { parameter, problem, .. } => {
            format!("parameter {parameter}: {problem}")
        }
        other => other.to_string(),
    }
}

pub(crate) fn text_of(service: &ServicePart, tools: &[&Tool]) -> String {
    // INFALLIBLE: strings, numbers and lists alone, and every key is a string.
    serde_json::to_string(&File { service, operation: tools }).expect("a file of ours is JSON")
}

/// The path without the names of its parameters: equal where no request can tell two apart.
fn shape(path: &str) -> String {
    let mut out = String::new();
    for (at, piece) in path.split('{').enumerate() {
        match piece.split_once(':') {
            Some((_, kind)) if at > 0 => out.push_str(kind),
            _ => out.push_str(piece),
        }
        out.push('{');
    }
    out
}

/// A read that needs nothing, of the shortest path: what shows that a credential works.
fn verify(tools: &[Tool]) -> Option<String> {
    let is_free = |t: &&Tool| {
        t.effect == Effect::Read
            && !t.path.contains('{')
            && t.query.0.iter().all(|(_, p)| !p.required)
    };
    tools.iter().filter(is_free).min_by_key(|t| t.path.len()).map(|t| t.id.clone())
}

/// Names by method and path of the file of an earlier import.
fn names_of(text: &str) -> Result<HashMap<Key, String>, ImportError> {
    #[derive(Deserialize)]
    struct Before {
        operation: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        id: String,
        method: String,
        path: String,
    }
    let before: Before = serde_json::from_str(text).map_err(ImportError::Previous)?;
    let mut seen = HashSet::new();
    let new = before.operation.into_iter().filter(|one| seen.insert(one.id.clone()));
    Ok(new.map(|one| (name::key(&one.method, &one.path), one.id)).collect())
}
