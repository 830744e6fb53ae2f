//! Mounts as they are told of, and looked at.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};
use symbolon_capability::ConnectionName;
use symbolon_capability::catalog::{Effect, McpRequest, Operation};
use symbolon_codec::time::rfc3339;
use symbolon_import::Word;

use super::spec::{Kept, MountPlace};
use crate::Broker;
use crate::api::CallError;
use crate::upstream::Live;

/// A server to mount.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMount {
    /// Of the service, and of its connection.
    pub name: String,
    /// What it is.
    pub place: MountPlace,
    /// How its credential goes out, as `symbolon connect --auth`; over HTTP alone. None where it
    /// takes none.
    #[serde(default)]
    pub auth: Option<String>,
    /// The owner's own word on what tools do, by their names at the server.
    #[serde(default)]
    pub marks: BTreeMap<String, Effect>,
    /// Extra root certificate in PEM.
    #[serde(default)]
    pub ca_pem: Option<String>,
    /// It may be on a loopback address.
    #[serde(default)]
    pub allow_loopback: bool,
    /// It may be on a private address.
    #[serde(default)]
    pub allow_private: bool,
    /// In the place of the mount of this name.
    #[serde(default)]
    pub replace: bool,
}

/// A mount.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MountView {
    /// Its name.
    pub name: String,
    /// `stdio` or `http`.
    pub transport: String,
    /// The command line, or the endpoint.
    pub place: String,
    /// RFC 3339.
    pub created: String,
    /// Whether its program runs now; over HTTP whether it is in force.
    pub running: bool,
    /// How often its program was started within the last minute that it was.
    pub starts: usize,
    /// Its tools, as they may be called.
    pub tools: Vec<MountToolView>,
    /// The end of what its program said on standard error. A stranger's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub said: String,
    /// Texts that speak to a model: cut from the tools.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marked: Vec<String>,
    /// What is not exactly typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loosened: Vec<String>,
    /// Tools that cannot be called, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// The receipt of the look at its list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
}

/// A tool of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountToolView {
    /// Its name in the catalogue.
    pub name: String,
    /// Its name at the server.
    pub tool: String,
    /// What it is taken to do.
    pub effect: Effect,
    /// Whose word that is, where it was just looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Word>,
    /// The scope that a caller needs.
    pub scope: String,
    /// SHA-256 of its definition.
    pub definition: String,
}

/// What a look at a mount's list found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MountRefreshed {
    /// The mount.
    pub name: String,
    /// What differs from what is in force; nothing where nothing does.
    pub changes: Vec<MountChange>,
    /// Names the list that was found: to be accepted as it is.
    pub list: String,
    /// Whether it is in force now.
    pub accepted: bool,
    /// Texts that speak to a model: cut from the tools.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marked: Vec<String>,
    /// The receipt of the look.
    pub receipt: u64,
}

/// One tool that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountChange {
    /// Its name at the server.
    pub tool: String,
    /// `new`, `gone` or `changed`.
    pub kind: String,
    /// What it is taken to do, before and now.
    pub effects: (Option<Effect>, Option<Effect>),
    /// What its description was, and is.
    pub descriptions: (Option<String>, Option<String>),
    /// Its parameters, before and now.
    pub parameters: (Option<String>, Option<String>),
}

impl Broker {
    /// All mounts, by name.
    ///
    /// # Errors
    /// [`CallError`] while locked, and of the store.
    pub async fn mounts(&self) -> Result<Vec<MountView>, CallError> {
        let open = self.opened()?;
        let kept = self.kept_mounts(&open).await?;
        Ok(kept.iter().map(|kept| self.mount_view(kept)).collect())
    }

    /// One mount, with what its program said.
    ///
    /// # Errors
    /// [`CallError`]: locked, or no such mount.
    pub async fn mount_show(&self, name: &str) -> Result<MountView, CallError> {
        let kept = self.kept_mount(name).await?;
        let said = self.live_of(&kept.row.name).and_then(|live| Some(live.mount.as_ref()?.said()));
        Ok(MountView { said: said.unwrap_or_default(), ..self.mount_view(&kept) })
    }

    /// The mount of this name.
    pub(super) async fn kept_mount(&self, name: &str) -> Result<Kept, CallError> {
        let open = self.opened()?;
        let kept = self.kept_mounts(&open).await?;
        kept.into_iter().find(|kept| kept.row.name.as_str() == name).ok_or_else(|| no_mount(name))
    }

    pub(super) fn live_of(&self, name: &ConnectionName) -> Option<Arc<Live>> {
        let open = self.opened().ok()?;
        let live = open.live.read().unwrap_or_else(PoisonError::into_inner);
        live.get(name).cloned()
    }

    pub(super) fn mount_view(&self, kept: &Kept) -> MountView {
        let live = self.live_of(&kept.row.name);
        let mount = live.as_ref().and_then(|live| live.mount.as_ref());
        let (transport, place, running) = match &kept.spec.place {
            MountPlace::Stdio(program) => {
                let running = mount.is_some_and(|mount| mount.is_running());
                ("stdio", program.command.join(" "), running)
            }
            MountPlace::Http { url } => ("http", url.clone(), mount.is_some()),
        };
        let catalog = self.engine.catalog();
        let operations = catalog.service(kept.row.name.as_str()).map(|s| s.operations());
        MountView {
            name: kept.row.name.to_string(),
            transport: transport.to_owned(),
            place,
            created: rfc3339(kept.row.created_unix_ms),
            running,
            starts: mount.map_or(0, |mount| mount.starts()),
            tools: operations.unwrap_or_default().iter().filter_map(|o| tool_view(o)).collect(),
            said: String::new(),
            marked: Vec::new(),
            loosened: Vec::new(),
            left_out: Vec::new(),
            receipt: None,
        }
    }
}

/// A mounted tool; `None` of the operation that counts them.
pub(super) fn tool_view(operation: &Operation) -> Option<MountToolView> {
    let McpRequest::Call { tool, definition, .. } = operation.mcp()? else { return None };
    Some(MountToolView {
        name: operation.name().to_string(),
        tool: tool.to_string(),
        effect: operation.effect(),
        word: None,
        scope: operation.scope().to_string(),
        definition: definition.to_string(),
    })
}

pub(super) fn no_mount(name: &str) -> CallError {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    CallError::caller("no_mount", format!("there is no mount named {shown}"))
        .status(404)
        .next("symbolon mount ls")
}

pub(super) fn mount_name(name: &str) -> Result<ConnectionName, CallError> {
    ConnectionName::parse(name).map_err(|e| CallError::caller("name", e.to_string()))
}
