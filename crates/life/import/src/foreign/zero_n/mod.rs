//! Files of 0nMCP: connections in three dialects, sealed ones, SWITCH files, workflows, containers and
//! deeds (`specs/legacy-0n.md`).

mod connection;
mod container;
mod sealed;
mod workflow;

use symbolon_capability::catalog::Catalog;
use symbolon_secret::Secret;

use super::environment::{self, Variable};
use super::error::ForeignError;
use super::findings::{Findings, Severity};
use super::page::Value;
use super::{json, yaml};

pub use container::{LegacyContainer, inspect as inspect_container};

/// What stands around one file.
pub(super) struct About<'a> {
    /// Its name, as it is shown.
    pub name: &'a str,
    pub catalog: &'a Catalog,
    pub passphrase: Option<&'a Secret<[u8]>>,
}

pub(super) fn read(
    bytes: &[u8],
    about: &About<'_>,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    if bytes.starts_with(container::MAGIC) {
        return container::read(bytes, about, found);
    }
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    if !is_json && workflow::is_yaml(bytes) {
        return workflow::take(bytes, about, found);
    }
    let root = if is_json { json::read(bytes)? } else { yaml::read(bytes)? };
    document(&root, bytes, about, found)
}

/// One document, whatever its dialect, and the bytes that it was read of.
fn document(
    root: &Value<'_>,
    bytes: &[u8],
    about: &About<'_>,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    let (kind, body) = kind(root)?;
    if root.get("signature").is_some() || root.at(&["$0n", "signature"]).is_some() {
        found.risk(
            Severity::Medium,
            "own_signature",
            about.name,
            "it is signed by a key that it names itself, which anybody can make: the signature was not believed",
            "ask its author for the key by another way",
        );
    }
    match &*kind {
        "connection" => connection::read(root, body, about, found),
        "environment" => {
            let variables = body.members().iter().filter_map(|(name, value)| {
                let value = value.get("value").or(Some(value))?.text()?;
                Some(Variable { from: about.name.to_owned(), name: name.clone(), value })
            });
            environment::convert(&variables.collect::<Vec<_>>(), about.catalog, found)
        }
        "workflow" => workflow::take(bytes, about, found),
        "switch" => {
            switch(body, about, found)?;
            workflow::commands(bytes, about, found)
        }
        "config" => Ok(()),
        "snapshot" | "execution" | "task" | "brain" | "brand" | "bundle" | "deed" | "vault" => {
            found.leave(about.name, format!("a {kind} holds nothing that is used here"));
            Ok(())
        }
        "encrypted" => {
            found.leave(about.name, "it says neither by which cipher nor by which derivation");
            Ok(())
        }
        _ => Err(ForeignError::Format("this is no file of 0nMCP: its type is not known")),
    }
}

/// Which of the three dialects it is, and where its own part begins.
fn kind<'v, 'p>(root: &'v Value<'p>) -> Result<(String, &'v Value<'p>), ForeignError> {
    if let Some(head) = root.get("$0n") {
        let kind = head.public("type").unwrap_or_default();
        return Ok((kind, root));
    }
    if let Some(manifest) = root.get("manifest") {
        let kind = manifest.public("type").unwrap_or_default();
        let body = match &*kind {
            "switch" => root,
            other => root.get(other).ok_or(ForeignError::Format(
                "its manifest names a type, and the part of that name is not there",
            ))?,
        };
        return Ok((kind, body));
    }
    if root.get("commands").is_some() {
        return Ok(("switch".to_owned(), root));
    }
    if root.get("service").is_some() {
        return Ok(("connection".to_owned(), root));
    }
    Err(ForeignError::Format("this is no file of 0nMCP: it has no `$0n`, `manifest` or `service`"))
}

/// A SWITCH file: connections in it or beside it, servers with their environment.
fn switch(body: &Value<'_>, about: &About<'_>, found: &mut Findings) -> Result<(), ForeignError> {
    let members = |name| body.get(name).map(Value::members).unwrap_or_default();
    for (name, connection) in members("connections") {
        let at = format!("{}, connection {}", about.name, crate::document::shown(name));
        if connection.get("$ref").is_some() {
            found.leave(at, "it names another file, which is read where it is given");
            continue;
        }
        let within = About { name: &at, ..*about };
        connection::read(connection, connection, &within, found)?;
    }
    for (name, server) in members("mcp_servers") {
        let from = format!("{}, server {}", about.name, crate::document::shown(name));
        let env = server.get("env").into_iter().flat_map(Value::texts);
        let variables: Vec<Variable<'_>> = env
            .map(|(name, value)| Variable { from: from.clone(), name: name.to_owned(), value })
            .collect();
        environment::convert(&variables, about.catalog, found)?;
        let why = "a server with keys in its environment; `symbolon mcp` takes the place of it";
        found.leave(from, why);
    }
    Ok(())
}
