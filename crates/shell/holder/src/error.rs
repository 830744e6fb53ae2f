//! Why a vault of this device was not opened, changed or kept.

use std::io;
use std::path::{Path, PathBuf};

use symbolon_custody::{EnrolError, RingError, UnlockError, WrapError};
use symbolon_device::{FingerprintError, KeyFileError};
use symbolon_vault::replica::{EditError, SnapshotError};

use crate::name::VaultName;

/// Why a vault of this device was not opened, changed or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HolderError {
    /// No vault of this name.
    #[error("there is no vault `{name}` on this device")]
    Missing {
        /// What was asked for.
        name: VaultName,
    },
    /// A vault of this name.
    #[error("there is a vault `{name}` on this device already")]
    Exists {
        /// What was to be made.
        name: VaultName,
    },
    /// Another command has it.
    #[error("another command is changing this vault")]
    Busy,
    /// Others can reach the folder, or it is another user's.
    #[error("{} is not this user's alone (mode {mode:04o})", path.display())]
    TooOpen {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file is not what was written.
    #[error("{what} is damaged")]
    Damaged {
        /// Which.
        what: String,
    },
    /// The replica is damaged, its copy too, and no server keeps another.
    #[error("the vault's items on this device are damaged, and there is no copy of them")]
    Lost,
    /// A file of a later version, or of another vault.
    #[error("the vault's items cannot be read here: {0}")]
    Snapshot(SnapshotError),
    /// The secret does not open the vault, or a wrap is damaged.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// A wrap was not made or taken away.
    #[error(transparent)]
    Wrap(#[from] WrapError),
    /// The first wrap was not made.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// A data key of before is not there.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// The device key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The machine has no fingerprint.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// An item.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl HolderError {
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path: path.clone(), source }
    }
}
