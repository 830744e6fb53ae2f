//! The file that holds a server's key: apart from the database, so that a copy of that is no
//! copy of this.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use symbolon_account::ServerKey;
use symbolon_ambient::Rng;
use symbolon_secret::Secret;

/// Why there is no server key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is one already: a new one would make every row unreadable.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is none.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
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
    #[error("{} is not a server key", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// Anything else.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The line before the 32 bytes.
const BEFORE: &[u8] = b"symbolon/server-key/v1\n";

/// Makes the file, 0600, with 32 random bytes.
///
/// # Errors
/// [`KeyFileError::Exists`] or [`KeyFileError::Io`].
pub fn make_server_key(path: &Path, rng: &dyn Rng) -> Result<ServerKey, KeyFileError> {
    let secret = Secret::<[u8; 32]>::make(|b| rng.fill(b));
    let write = || {
        let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = open?;
        file.write_all(BEFORE)?;
        // EXPOSE: written to its own file by one write(2), without a buffer in between.
        file.write_all(secret.expose())?;
        file.sync_all()?;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyFileError::Exists { path: path.to_owned() },
        _ => KeyFileError::Io { path: path.to_owned(), source },
    })?;
    Ok(ServerKey::from_secret(secret))
}

/// Reads the file, straight into secret memory.
///
/// # Errors
/// [`KeyFileError`].
pub fn read_server_key(path: &Path) -> Result<ServerKey, KeyFileError> {
    let io = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing { path: path.to_owned() },
        _ => KeyFileError::Io { path: path.to_owned(), source },
    };
    let file = File::open(path).map_err(io)?;
    let meta = file.metadata().map_err(io)?;
    let us = fs::metadata("/proc/self").map_err(io)?.uid();
    let (mode, owner) = (meta.mode() & 0o777, meta.uid());
    if mode & 0o077 != 0 || owner != us {
        return Err(KeyFileError::TooOpen { path: path.to_owned(), mode, owner });
    }
    let all = Secret::<[u8]>::read_fd(file.as_fd(), BEFORE.len() + 33).map_err(io)?;
    // EXPOSE: the key moves from one secret page to another.
    let key = all.expose().strip_prefix(BEFORE).filter(|key| key.len() == 32);
    let key = key.ok_or_else(|| KeyFileError::Format { path: path.to_owned() })?;
    Ok(ServerKey::from_secret(Secret::<[u8; 32]>::make(|b| b.copy_from_slice(key))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use symbolon_ambient::SeededRng;

    #[test]
    fn a_key_reads_back_is_never_written_over_and_is_nobody_elses_to_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.key");
        assert!(matches!(read_server_key(&path), Err(KeyFileError::Missing { .. })));
        let made = make_server_key(&path, &SeededRng::new(1)).unwrap();
        assert_eq!(read_server_key(&path).unwrap().row_tag(b"x"), made.row_tag(b"x"));
        let again = make_server_key(&path, &SeededRng::new(2));
        assert!(matches!(again, Err(KeyFileError::Exists { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let open = read_server_key(&path);
        assert!(matches!(open, Err(KeyFileError::TooOpen { mode: 0o640, .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let whole = fs::read(&path).unwrap();
        for bad in [&whole[..54], &[&whole[..], b"x"].concat(), b""] {
            fs::write(&path, bad).unwrap();
            assert!(matches!(read_server_key(&path), Err(KeyFileError::Format { .. })));
        }
    }
}
