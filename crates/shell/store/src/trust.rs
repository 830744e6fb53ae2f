//! What a home knows of operators (`specs/trust.md`, "The file").

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use symbolon_trust::score::{SCORES_BYTES_MAX, Scores, ScoresError};

use crate::folder::{make_folder, replace_file};
use crate::home::Home;

/// Scores in a file of the home, which several processes may use at once. Nothing is kept open.
#[derive(Debug, Clone)]
pub struct TrustFile {
    path: PathBuf,
    lock: PathBuf,
}

/// Why scores could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustFileError {
    /// The system.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// The file is damaged. It is left as it is.
    #[error("{}: {source}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// How.
        source: ScoresError,
    },
}

impl TrustFile {
    /// Of a home. The file is made by the first update.
    pub fn of(home: &Home) -> Self {
        Self { path: home.trust(), lock: home.run().join("trust.lock") }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is known. A file that is not there knows nothing; one that is damaged is an error, and never nothing.
    ///
    /// # Errors
    /// [`TrustFileError`].
    pub fn read(&self) -> Result<Scores, TrustFileError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Scores::new()),
            Err(error) => return Err(io_at(&self.path)(error)),
        };
        let mut bytes = Vec::new();
        let most = SCORES_BYTES_MAX as u64 + 1;
        file.take(most).read_to_end(&mut bytes).map_err(io_at(&self.path))?;
        let damaged = |source| TrustFileError::Damaged { path: self.path.clone(), source };
        Scores::parse(&bytes).map_err(damaged)
    }

    /// Changes what is known, under a lock against other processes: whole or not at all, also over a crash, and on
    /// the disk when this returns. Nothing is written where nothing changed. A node gathers what it saw for some
    /// seconds and gives it in one update.
    ///
    /// # Errors
    /// [`TrustFileError`]; the file of before is untouched then.
    pub fn update<T>(&self, change: impl FnOnce(&mut Scores) -> T) -> Result<T, TrustFileError> {
        let folder = self.lock.parent().unwrap_or(&self.lock);
        make_folder(folder).map_err(io_at(folder))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(&self.lock).map_err(io_at(&self.lock))?;
        lock.lock().map_err(io_at(&self.lock))?;
        let before = self.read()?;
        let mut after = before.clone();
        let out = change(&mut after);
        if after != before {
            replace_file(&self.path, &after.to_bytes()).map_err(io_at(&self.path))?;
        }
        Ok(out)
    }
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> TrustFileError {
    let path = path.to_owned();
    |source| TrustFileError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use symbolon_trust::score::{Behaviour, Evidence, Observed, Operator};

    #[test]
    fn what_two_processes_saw_is_there_and_damage_is_no_empty_memory() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(&folder.path().join("home")).unwrap();
        let file = TrustFile::of(&home);
        assert_eq!(file.read().unwrap(), Scores::new());
        let seen = |key: u8| {
            let evidence = Evidence::behaviour(Behaviour::Flood);
            file.update(|scores| scores.observe(Operator([key; 32]), evidence, 5)).unwrap()
        };
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|key| scope.spawn(move || seen(key))).collect();
            all.into_iter().for_each(|it| assert_eq!(it.join().unwrap(), Observed::Kept));
        });
        assert_eq!(file.read().unwrap().operators().len(), 16);
        // Its files are its owner's alone.
        home.check().unwrap();

        let mut bytes = fs::read(file.path()).unwrap();
        bytes[100] ^= 1;
        fs::write(file.path(), &bytes).unwrap();
        let damaged = |error| matches!(error, TrustFileError::Damaged { .. });
        assert!(damaged(file.read().unwrap_err()));
        assert!(damaged(file.update(|_| ()).unwrap_err()));
        assert_eq!(fs::read(file.path()).unwrap(), bytes);
    }
}
