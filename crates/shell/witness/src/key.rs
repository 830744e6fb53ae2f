//! The file that holds a witness's key.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use symbolon_ambient::Rng;
use symbolon_crypto::SigningKey;
use symbolon_secret::Secret;

/// Why a witness has no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessKeyError {
    /// Others than its owner may read it, or it is somebody else's.
    #[error("{} has mode {mode:04o} and owner {owner}; it must be 0600 and ours", path.display())]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// Its owner's user id.
        owner: u32,
    },
    /// It holds something else.
    #[error("{} is not a witness's key", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// Another process is this witness.
    #[error("another process has the witness at {}", folder.display())]
    InUse {
        /// The witness's folder.
        folder: PathBuf,
    },
    /// Anything else.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl WitnessKeyError {
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// The key in the folder, made there if the folder has none: mode 0600 in a folder of mode 0700, as the key of a server
/// is. A witness signs with nobody there to unlock it.
///
/// # Errors
/// [`WitnessKeyError`].
pub fn load_or_make_key(folder: &Path, rng: &dyn Rng) -> Result<SigningKey, WitnessKeyError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(WitnessKeyError::io(folder))?;
    let path = folder.join("key");
    match File::open(&path) {
        Ok(file) => read(&path, &file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(&path, folder, rng).map_err(WitnessKeyError::io(&path))
        }
        Err(error) => Err(WitnessKeyError::io(&path)(error)),
    }
}

fn make(path: &Path, folder: &Path, rng: &dyn Rng) -> io::Result<SigningKey> {
    let seed = Secret::<[u8; 32]>::make(|bytes| rng.fill(bytes));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(BEFORE)?;
    // EXPOSE: written to its own file by one write(2), without a buffer in between.
    file.write_all(seed.expose())?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    Ok(SigningKey::from_seed(seed))
}

fn read(path: &Path, file: &File) -> Result<SigningKey, WitnessKeyError> {
    let failed = WitnessKeyError::io(path);
    let meta = file.metadata().map_err(&failed)?;
    let us = fs::metadata("/proc/self").map_err(&failed)?.uid();
    let (mode, owner) = (meta.mode() & 0o777, meta.uid());
    if mode & 0o077 != 0 || owner != us {
        return Err(WitnessKeyError::TooOpen { path: path.to_owned(), mode, owner });
    }
    let all = Secret::<[u8]>::read_fd(file.as_fd(), BEFORE.len() + 33).map_err(&failed)?;
    // EXPOSE: the seed moves from one secret page to another.
    let seed = all.expose().strip_prefix(BEFORE).filter(|seed| seed.len() == 32);
    let seed = seed.ok_or_else(|| WitnessKeyError::Format { path: path.to_owned() })?;
    Ok(SigningKey::from_seed(Secret::<[u8; 32]>::make(|bytes| bytes.copy_from_slice(seed))))
}

/// The line before the 32 bytes.
const BEFORE: &[u8] = b"symbolon/witness-key/v1\n";

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use symbolon_ambient::SeededRng;

    #[test]
    fn a_key_is_made_once_and_read_from_a_private_file_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("witness");
        let made = load_or_make_key(&folder, &SeededRng::new(1)).unwrap();
        let read = load_or_make_key(&folder, &SeededRng::new(2)).unwrap();
        assert_eq!(made.verifying_key(), read.verifying_key());
        let path = folder.join("key");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = load_or_make_key(&folder, &SeededRng::new(2));
        assert!(matches!(refused, Err(WitnessKeyError::TooOpen { mode: 0o640, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for damage in [&b""[..], b"symbolon/witness-key/v1\n", b"symbolon/witness-key/v2\n"] {
            fs::write(&path, [damage, &[7; 31]].concat()).unwrap();
            let refused = load_or_make_key(&folder, &SeededRng::new(2));
            assert!(matches!(refused, Err(WitnessKeyError::Format { .. })));
        }
    }
}
