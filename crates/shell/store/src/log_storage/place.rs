//! Where a home keeps its log: in its folder, or in the database that `log.database` names.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use symbolon_log::note::NOTE_BYTES_MAX;
use symbolon_log::{Storage, parse_vkey};
use symbolon_secret::Secret;

use super::LogStorage;
use super::error::LogDatabaseError;
use super::postgres::PostgresStorage;
use crate::faults::Faults;
use crate::folder::{FolderStorage, replace_file};
use crate::manifest::LogKept;
use crate::{DatabaseAddress, Home, Manifest};

/// Where a home keeps its log. Logs of several origins may share one database.
#[derive(Debug, Clone)]
pub enum LogPlace {
    /// `log/` in the home.
    Folder(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<DatabaseAddress>),
}

/// Bytes of the longest file with an address.
const ADDRESS_BYTES_MAX: usize = 4096;

impl LogPlace {
    /// Of a home. The manifest and `log.database` must say the same: a log that is looked for in the
    /// wrong place would begin anew there.
    ///
    /// # Errors
    /// [`LogDatabaseError`], where it is a database.
    pub fn of(home: &Home) -> Result<Self, LogDatabaseError> {
        let path = home.log_database();
        // A home that is being made has no manifest yet; one that is damaged is refused elsewhere.
        let said = Manifest::read(home).ok().map(|manifest| manifest.log);
        match (path.exists(), said) {
            (true, Some(LogKept::Folder)) => Err(LogDatabaseError::InFolder),
            (true, _) => Ok(Self::Postgres(Box::new(DatabaseAddress::from_file(&path)?))),
            (false, Some(LogKept::Postgres)) => Err(LogDatabaseError::AddressMissing),
            (false, _) => Ok(Self::Folder(home.log())),
        }
    }

    /// Copies the file that names a database, 0600 both, to its place in the home.
    ///
    /// # Errors
    /// [`LogDatabaseError::Address`] or [`LogDatabaseError::Io`].
    pub fn keep(home: &Home, file: &Path) -> Result<Self, LogDatabaseError> {
        let address = DatabaseAddress::from_file(file)?;
        let opened = File::open(file).map_err(LogDatabaseError::Io)?;
        let text = Secret::<[u8]>::read_fd(opened.as_fd(), ADDRESS_BYTES_MAX);
        let text = text.map_err(LogDatabaseError::Io)?;
        // EXPOSE: it may hold a password, and goes from a file of mode 0600 to another.
        replace_file(&home.log_database(), text.expose()).map_err(LogDatabaseError::Io)?;
        Ok(Self::Postgres(Box::new(address)))
    }

    /// What the manifest says of it.
    pub fn kept(&self) -> LogKept {
        match self {
            Self::Folder(_) => LogKept::Folder,
            Self::Postgres(_) => LogKept::Postgres,
        }
    }

    /// Opens a log for its one writer, failing as planned.
    ///
    /// # Errors
    /// What the system says; a database's with a [`LogDatabaseError`] within.
    pub fn writer(&self, origin: &str, faults: Faults) -> io::Result<LogStorage> {
        Ok(match self {
            Self::Folder(folder) => FolderStorage::open_with(folder, faults)?.into(),
            Self::Postgres(address) => PostgresStorage::open(address, origin, faults)?.into(),
        })
    }

    /// As [`LogPlace::writer`], of a log that is not there yet.
    ///
    /// # Errors
    /// As [`LogPlace::writer`].
    pub fn new_writer(&self, origin: &str) -> io::Result<LogStorage> {
        Ok(match self {
            Self::Folder(folder) => FolderStorage::open(folder)?.into(),
            Self::Postgres(address) => PostgresStorage::open_new(address, origin)?.into(),
        })
    }

    /// Takes a log that was not finished out of a database; a folder is taken away as one.
    ///
    /// # Errors
    /// As [`LogPlace::writer`].
    pub(crate) fn remove(&self, origin: &str) -> io::Result<()> {
        match self {
            Self::Folder(_) => Ok(()),
            Self::Postgres(address) => {
                Ok(PostgresStorage::open(address, origin, Faults::none())?.remove()?)
            }
        }
    }

    /// Opens a log that another process may write.
    ///
    /// # Errors
    /// As [`LogPlace::writer`].
    pub fn reader(&self, origin: &str) -> io::Result<LogStorage> {
        Ok(match self {
            Self::Folder(folder) => FolderStorage::open_reader(folder)?.into(),
            Self::Postgres(address) => PostgresStorage::open_reader(address, origin)?.into(),
        })
    }
}

impl std::fmt::Display for LogPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(_) => f.write_str("the home's folder"),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

/// The newest signed checkpoint of a home's own log, as it was written; `None` where there is none yet.
///
/// # Errors
/// What the system says, or that `operator.pub` is none.
pub fn newest_checkpoint(home: &Home) -> io::Result<Option<Vec<u8>>> {
    let text = std::fs::read_to_string(home.operator_pub())?;
    let (origin, _) = parse_vkey(text.trim_end()).map_err(io::Error::other)?;
    let storage = LogPlace::of(home)?.reader(&origin)?;
    storage.get("checkpoint", NOTE_BYTES_MAX as u64 + 1)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use symbolon_custody::VaultId;

    use super::*;

    #[test]
    fn a_log_is_looked_for_where_manifest_and_address_say() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(&folder.path().join("home")).unwrap();
        let file = folder.path().join("url");
        fs::write(&file, "postgres://u:geheim@localhost/d\n").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        let refused = LogPlace::keep(&home, &file).unwrap_err();
        assert!(matches!(refused, LogDatabaseError::Address(_)), "{refused}");
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();

        let manifest = |log| Manifest::new(VaultId::from([1; 16]), 1).with_log(log).write(&home);
        manifest(LogKept::Folder).unwrap();
        assert!(!fs::read_to_string(home.manifest()).unwrap().contains("log"), "as of before");
        assert!(matches!(LogPlace::of(&home).unwrap(), LogPlace::Folder(_)));
        let kept = LogPlace::keep(&home, &file).unwrap();
        assert!(matches!(LogPlace::of(&home), Err(LogDatabaseError::InFolder)));
        manifest(kept.kept()).unwrap();
        let found = LogPlace::of(&home).unwrap();
        assert_eq!(found.to_string(), "postgres at localhost:5432, database d");
        assert!(!format!("{found:?}").contains("geheim"));
        assert_eq!(fs::read(home.log_database()).unwrap(), fs::read(&file).unwrap());
        home.check().unwrap();
        fs::remove_file(home.log_database()).unwrap();
        assert!(matches!(LogPlace::of(&home), Err(LogDatabaseError::AddressMissing)));
    }
}
