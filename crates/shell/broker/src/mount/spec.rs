//! What a mounted server is: kept sealed, and opened for as long as the vault is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use symbolon_ambient::SystemRng;
use symbolon_capability::catalog::Effect;
use symbolon_capability::{ConnectionName, MountRow, MountStore};

use crate::Broker;
use crate::api::CallError;
use crate::broker::Open;

/// How a mounted server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MountPlace {
    /// A program that speaks on its standard streams.
    Stdio(MountProgram),
    /// Streamable HTTP.
    Http {
        /// The endpoint.
        url: String,
    },
}

/// A program that is a server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MountProgram {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The folder that it runs in.
    pub folder: String,
    /// All of its environment, but for what follows.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Variables that hold the placeholder of a connection, each with its name.
    #[serde(default)]
    pub placeholders: BTreeMap<String, String>,
    /// What the program itself may do by these: scope patterns, as `symbolon run --grant` has them.
    #[serde(default)]
    pub grants: Vec<String>,
}

/// What is kept of a mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MountSpec {
    pub place: MountPlace,
    /// The owner's own word on what tools do.
    #[serde(default)]
    pub marks: BTreeMap<String, Effect>,
}

/// A mount of an open vault.
#[derive(Debug)]
pub(crate) struct Kept {
    pub row: MountRow,
    pub spec: Arc<MountSpec>,
}

impl MountSpec {
    pub(crate) fn seal(
        &self,
        open: &Open,
        vault: &[u8],
        name: ConnectionName,
        created_unix_ms: u64,
    ) -> Result<MountRow, CallError> {
        let text = serde_json::to_vec(self).map_err(|e| CallError::bug(e.to_string()))?;
        let mut row = MountRow { name, created_unix_ms, body: Vec::new() };
        row.body = open.unlocked.state_key().seal_with(&row.aad(vault), &text, &SystemRng);
        Ok(row)
    }

    fn open(open: &Open, vault: &[u8], row: &MountRow) -> Option<Self> {
        let plain = open.unlocked.state_key().open_with(&row.aad(vault), &row.body).ok()?;
        // EXPOSE: no credential; a command and where it runs, which its owner typed.
        serde_json::from_slice(plain.expose()).ok()
    }
}

impl Broker {
    /// Mounts that open, by name. One that does not is told of and starts nothing.
    pub(crate) async fn kept_mounts(&self, open: &Open) -> Result<Vec<Kept>, CallError> {
        let vault = self.manifest.vault.as_bytes();
        let kept = |row: MountRow| match MountSpec::open(open, vault, &row) {
            Some(spec) => Some(Kept { spec: Arc::new(spec), row }),
            None => {
                tracing::error!("the mount {} does not open: its row was changed", row.name);
                None
            }
        };
        Ok(self.store.mounts().await?.into_iter().filter_map(kept).collect())
    }
}
