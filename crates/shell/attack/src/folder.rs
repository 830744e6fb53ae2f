//! `--prepare`: what another broker needs to be attacked, kept in a folder.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::SERVICE;
use crate::canary::Canary;
use crate::home::make_canary;
use crate::upstream::{Identity, IdentityError};

/// A folder with the canary, the hostile upstream's authority and its catalogue file.
#[derive(Debug)]
pub struct Folder {
    /// The upstream's certificates.
    pub identity: Identity,
    /// The credential to give to the target.
    pub canary: Canary,
}

/// Why the folder does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The authority in it is none.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The canary in it is too short to be looked for.
    #[error("the canary is shorter than {} bytes", Canary::BYTES_MIN)]
    Canary,
}

impl Folder {
    /// Makes it anew, readable by its owner alone. It must not be there.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn make(path: &Path) -> Result<Self, FolderError> {
        let made = fs::DirBuilder::new().mode(0o700).create(path);
        made.map_err(|cause| FolderError::File { path: path.to_owned(), cause })?;
        let (identity, canary) = (Identity::make()?, make_canary());
        for (name, bytes) in [
            (CANARY, canary.bytes()),
            (CA, identity.authority_pem().as_bytes()),
            (CA_KEY, identity.key_pem().as_bytes()),
            (CATALOG, SERVICE.as_bytes()),
        ] {
            write(&path.join(name), bytes)?;
        }
        Ok(Self { identity, canary })
    }

    /// Opens one that was made.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        let identity = Identity::load(&text(&path.join(CA))?, &text(&path.join(CA_KEY))?)?;
        Ok(Self { identity, canary: read_canary(&path.join(CANARY))? })
    }
}

/// The canary in a file, an end of line taken off.
///
/// # Errors
/// [`FolderError`].
pub fn read_canary(path: &Path) -> Result<Canary, FolderError> {
    let text = text(path)?;
    let bytes = text.trim_end_matches(['\r', '\n']).as_bytes().to_vec();
    if bytes.len() < Canary::BYTES_MIN { Err(FolderError::Canary) } else { Ok(Canary::new(bytes)) }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(bytes));
    written.map_err(|cause| FolderError::File { path: path.to_owned(), cause })
}

fn text(path: &Path) -> Result<String, FolderError> {
    let file = |cause| FolderError::File { path: path.to_owned(), cause };
    if fs::metadata(path).map_err(file)?.len() > FILE_MAX {
        return Err(file(io::ErrorKind::FileTooLarge.into()));
    }
    fs::read_to_string(path).map_err(file)
}

const CANARY: &str = "canary";
const CA: &str = "upstream-ca.pem";
const CA_KEY: &str = "upstream-ca-key.pem";
const CATALOG: &str = "attack.toml";
const FILE_MAX: u64 = 1 << 20;
