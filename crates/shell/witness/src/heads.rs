//! What a witness remembers, in files.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use symbolon_codec::{Digest32, b64};
use symbolon_crypto::sha256;
use symbolon_log::{Head, WitnessStore};
use symbolon_store::replace_file;

use crate::key::WitnessKeyError;

/// A file for each log, replaced whole and synced before anything is signed.
#[derive(Debug)]
pub struct FolderHeads {
    folder: PathBuf,
    /// One change at a time; another process has no lock.
    changes: Mutex<()>,
    _lock: File,
}

impl FolderHeads {
    /// Takes the folder, which exists, for this process.
    ///
    /// # Errors
    /// [`WitnessKeyError::InUse`] or [`WitnessKeyError::Io`].
    pub fn open(folder: &Path) -> Result<Self, WitnessKeyError> {
        let path = folder.join("lock");
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(&path).map_err(WitnessKeyError::io(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(WitnessKeyError::InUse { folder: folder.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(WitnessKeyError::io(&path)(error)),
        }
        Ok(Self { folder: folder.to_owned(), changes: Mutex::default(), _lock: lock })
    }

    fn path(&self, origin: &str) -> PathBuf {
        self.folder.join(sha256(origin.as_bytes()).to_string())
    }

    fn read(&self, origin: &str) -> io::Result<Option<Head>> {
        let text = match fs::read(self.path(origin)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a damaged head");
        let head = std::str::from_utf8(&text).ok().and_then(|text| parse(text, origin));
        head.map(Some).ok_or_else(damaged)
    }
}

impl WitnessStore for FolderHeads {
    fn latest(&self, origin: &str) -> io::Result<Option<Head>> {
        self.read(origin)
    }

    fn advance(&self, origin: &str, from: Option<&Head>, to: &Head) -> io::Result<bool> {
        let _alone = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if self.read(origin)?.as_ref() != from {
            return Ok(false);
        }
        replace_file(&self.path(origin), text(origin, to).as_bytes())?;
        Ok(true)
    }
}

fn text(origin: &str, head: &Head) -> String {
    format!("{FIRST}\n{origin}\n{}\n{}\n", head.size, b64::encode(head.root.as_bytes()))
}

fn parse(given: &str, origin: &str) -> Option<Head> {
    let mut lines = given.split('\n').skip(2);
    let size = lines.next()?.parse().ok()?;
    let root = Digest32(b64::decode(lines.next()?, 32).ok()?.try_into().ok()?);
    let head = Head { size, root };
    // Written again, so that there is one form and nothing besides.
    (text(origin, &head) == given).then_some(head)
}

const FIRST: &str = "symbolon/witness/v1";

#[cfg(test)]
mod tests {
    use super::*;

    fn head(size: u64) -> Head {
        Head { size, root: Digest32([size as u8; 32]) }
    }

    #[test]
    fn what_was_seen_is_kept_and_two_changes_are_never_both_made() {
        let dir = tempfile::tempdir().unwrap();
        let heads = FolderHeads::open(dir.path()).unwrap();
        assert!(heads.advance("a", None, &head(3)).unwrap());
        assert!(!heads.advance("a", None, &head(4)).unwrap());
        assert!(heads.advance("a", Some(&head(3)), &head(4)).unwrap());
        assert_eq!((heads.latest("a").unwrap(), heads.latest("b").unwrap()), (Some(head(4)), None));
        let second = FolderHeads::open(dir.path());
        assert!(matches!(second, Err(WitnessKeyError::InUse { .. })));
        drop(heads);
        let heads = FolderHeads::open(dir.path()).unwrap();
        assert_eq!(heads.latest("a").unwrap(), Some(head(4)));
    }

    #[test]
    fn a_damaged_file_is_never_taken_for_one_that_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let heads = FolderHeads::open(dir.path()).unwrap();
        heads.advance("a", None, &head(3)).unwrap();
        let whole = fs::read(heads.path("a")).unwrap();
        for cut in 0..whole.len() {
            fs::write(heads.path("a"), &whole[..cut]).unwrap();
            assert!(heads.latest("a").is_err(), "{cut} bytes");
            assert!(heads.advance("a", None, &head(9)).is_err(), "{cut} bytes");
        }
        // Another log's file in its place.
        heads.advance("b", None, &head(3)).unwrap();
        fs::copy(heads.path("b"), heads.path("a")).unwrap();
        assert!(heads.latest("a").is_err());
    }
}
