//! The folder of one vault: files of mode 0600, written whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use symbolon_store::replace_file;

use crate::error::HolderError;
use crate::name::VaultName;

/// `vaults/NAME` of a home.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

/// Holds a vault for this process, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Folder {
    /// Where the vault of this name is, whether it is there or not.
    pub fn of(home: &Path, name: &VaultName) -> Self {
        Self { path: vaults(home).join(name.as_str()) }
    }

    /// A new folder beside it, which [`Folder::publish`] puts into place.
    pub fn draft(home: &Path, name: &VaultName) -> Result<Self, HolderError> {
        let path = vaults(home).join(format!(".{name}.new"));
        let io = HolderError::io(&path);
        // What a run that was cut short left behind: nobody was told that it is a vault.
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(io)?;
        Ok(Self { path })
    }

    /// Puts a draft into place.
    pub fn publish(self, to: &Self) -> Result<(), HolderError> {
        let io = HolderError::io(&to.path);
        if to.exists() {
            return Err(io(io::ErrorKind::AlreadyExists.into()));
        }
        let above = to.path.parent().unwrap_or(Path::new("."));
        fs::rename(&self.path, &to.path).and_then(|()| File::open(above)?.sync_all()).map_err(io)
    }

    /// Every vault of a home, in the order of their names.
    pub fn all(home: &Path) -> Result<Vec<VaultName>, HolderError> {
        let path = vaults(home);
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(HolderError::io(&path))?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let name = entry.map_err(HolderError::io(&path))?.file_name();
            all.extend(name.to_str().and_then(|name| name.parse().ok()));
        }
        all.sort();
        Ok(all)
    }

    pub fn exists(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Refuses a folder that is another user's, or that others can reach.
    pub fn check(&self) -> Result<(), HolderError> {
        let meta = fs::symlink_metadata(&self.path).map_err(HolderError::io(&self.path))?;
        let is_own = meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw();
        let mode = meta.mode() & 0o7777;
        if is_own && mode & 0o077 == 0 {
            return Ok(());
        }
        Err(HolderError::TooOpen { path: self.path.clone(), mode })
    }

    /// Takes the vault for this process; waits some seconds for another command to end.
    pub fn lock(&self) -> Result<Lock, HolderError> {
        let path = self.file("lock");
        let io = HolderError::io(&path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(&io)?;
        let until = Instant::now() + LOCK_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::Error(error)) => return Err(io(error)),
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(LOCK_STEP);
                }
                Err(TryLockError::WouldBlock) => return Err(HolderError::Busy),
            }
        }
    }

    /// A file's bytes, `max` at most; `None` where there is none.
    pub fn read(&self, name: &str, max: u64) -> Result<Option<Vec<u8>>, HolderError> {
        let path = self.file(name);
        let io = HolderError::io(&path);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(&io)?,
        };
        let mut bytes = Vec::new();
        file.take(max + 1).read_to_end(&mut bytes).map_err(&io)?;
        if bytes.len() as u64 > max {
            return Err(HolderError::Damaged { what: format!("{} (too long)", path.display()) });
        }
        Ok(Some(bytes))
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), HolderError> {
        let path = self.file(name);
        replace_file(&path, bytes).map_err(HolderError::io(&path))
    }

    /// Removes a file where it is there.
    pub fn remove(&self, name: &str) -> Result<(), HolderError> {
        let path = self.file(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(HolderError::io(&path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Puts a file aside under another name, in place of what was put aside before.
    pub fn set_aside(&self, name: &str, to: &str) -> Result<(), HolderError> {
        let path = self.file(name);
        match fs::rename(&path, self.file(to)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(HolderError::io(&path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Puts one file in the place of another.
    pub fn put_in_place(&self, name: &str, to: &str) -> Result<(), HolderError> {
        let path = self.file(name);
        let renamed = fs::rename(&path, self.file(to));
        renamed.and_then(|()| File::open(&self.path)?.sync_all()).map_err(HolderError::io(&path))
    }

    /// Removes all of a draft.
    pub fn give_up(self) {
        // What is left is removed by the next draft of this name.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn vaults(home: &Path) -> PathBuf {
    home.join("vaults")
}

/// A sync of a large vault takes seconds; an editor holds no lock.
const LOCK_WAIT: Duration = Duration::from_secs(10);
const LOCK_STEP: Duration = Duration::from_millis(20);
