//! Which tool of the catalogue an action of 0nMCP is.

use std::sync::Arc;

use symbolon_capability::catalog::{Catalog, Operation};

/// What an action is here.
pub(super) enum Found {
    /// The tool of the same name.
    Same(Arc<Operation>),
    /// A tool of the same words, or of the same path; no other of the service has them.
    Taken(Arc<Operation>),
    /// None; names of tools that come near.
    None(Vec<String>),
}

/// Looks for the action of a service.
pub(super) fn find(catalog: &Catalog, service: &str, action: &str) -> Found {
    let squeezed = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = squeezed(service);
    let service_of = catalog.services().iter().find(|own| squeezed(own.id().as_str()) == wanted);
    let Some(known) = service_of else {
        return Found::None(near(catalog, None, action));
    };
    let id = known.id().as_str();
    if let Some(operation) = catalog.operation(&format!("{id}.{action}")) {
        return Found::Same(operation.clone());
    }
    let words = words(action);
    let is_same = |operation: &&Arc<Operation>| {
        let name = operation.name().as_str();
        let of = name.strip_prefix(id).unwrap_or(name);
        self::words(of) == words || operation.path().to_string().trim_matches('/') == action
    };
    let mut same = known.operations().iter().filter(is_same);
    match (same.next(), same.next()) {
        (Some(one), None) => Found::Taken(one.clone()),
        _ => Found::None(near(catalog, Some(id), action)),
    }
}

/// The name of a tool that is not there: what it would be called, for whoever looks at the flow.
pub(super) fn unknown(service: &str, action: &str) -> String {
    let plain = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '_' | '.' | '-') => c,
        _ => '_',
    };
    let name: String = format!("{service}.{action}").chars().map(plain).take(64).collect();
    name
}

fn near(catalog: &Catalog, service: Option<&str>, action: &str) -> Vec<String> {
    let query = split(action).join(" ");
    let hits = catalog.search(&query, HITS);
    let names = hits.iter().map(|hit| hit.operation().name().as_str());
    let is_of = |name: &&str| {
        service.is_none_or(|id| name.strip_prefix(id).is_some_and(|rest| rest.starts_with('.')))
    };
    names.filter(is_of).take(NEAR).map(str::to_owned).collect()
}

/// Words of a name in an order of their own: `create_customer` and `customers.create` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = split(name).into_iter().map(|word| root(&word)).collect();
    words.sort_unstable();
    words
}

/// `chat.postMessage` as `chat`, `post`, `message`.
fn split(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// One word for each thing that a verb can mean, and the singular of a noun.
fn root(word: &str) -> String {
    let word = match word {
        "retrieve" | "fetch" | "read" => "get",
        "find" | "query" => "search",
        "remove" => "delete",
        "modify" | "edit" => "update",
        other => other,
    };
    let singular = word.strip_suffix('s').filter(|rest| rest.len() > 2 && !rest.ends_with('s'));
    singular.unwrap_or(word).to_owned()
}

const HITS: usize = 50;
const NEAR: usize = 3;
