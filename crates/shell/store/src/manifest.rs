//! `home.json`: what makes a folder a home. Nothing in it is secret.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use symbolon_custody::VaultId;

use crate::{Home, folder::replace_file};

/// Written last when a home is made, so a folder that has one is whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format of this home.
    pub format: u32,
    /// The vault's name.
    pub vault: VaultId,
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// Where the log is. A program that does not know this member refuses the home, rather than begin
    /// the log anew in its folder.
    #[serde(default, skip_serializing_if = "LogKept::is_folder")]
    pub log: LogKept,
}

/// Where a home keeps its log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKept {
    /// In `log/`.
    #[default]
    Folder,
    /// In the database that `log.database` names.
    Postgres,
}

impl LogKept {
    fn is_folder(&self) -> bool {
        *self == Self::Folder
    }
}

/// The format that this program writes, and the only one that it reads.
pub const FORMAT: u32 = 1;

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The folder has none: nobody made a home there.
    #[error("there is no home at {}", .0.display())]
    Missing(PathBuf),
    /// Not what was written.
    #[error("{} is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// Made by a later program.
    #[error("the home has format {found}, and this program knows format {FORMAT}")]
    Format {
        /// The home's.
        found: u32,
    },
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Manifest {
    /// Of a new home.
    pub fn new(vault: VaultId, created_unix_ms: u64) -> Self {
        Self { format: FORMAT, vault, created_unix_ms, log: LogKept::Folder }
    }

    /// The same, of a home whose log is kept there.
    #[must_use]
    pub fn with_log(self, log: LogKept) -> Self {
        Self { log, ..self }
    }

    /// Reads a home's manifest.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn read(home: &Home) -> Result<Self, ManifestError> {
        let path = home.manifest();
        let text = fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => ManifestError::Missing(home.path().to_owned()),
            _ => ManifestError::Io { path: path.clone(), source },
        })?;
        let manifest: Self = serde_json::from_slice(&text)
            .map_err(|source| ManifestError::Damaged { path, source })?;
        if manifest.format == FORMAT {
            Ok(manifest)
        } else {
            Err(ManifestError::Format { found: manifest.format })
        }
    }

    /// Writes it, durably, in one step.
    ///
    /// # Errors
    /// [`ManifestError::Io`].
    pub fn write(&self, home: &Home) -> Result<(), ManifestError> {
        let path = home.manifest();
        let text = serde_json::to_vec_pretty(self)
            .map_err(|source| ManifestError::Damaged { path: path.clone(), source })?;
        replace_file(&path, &text).map_err(|source| ManifestError::Io { path, source })
    }
}
