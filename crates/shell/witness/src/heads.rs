//! What a witness remembers, in files.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use symbolon_codec::{Digest32, b64};
use symbolon_crypto::sha256;
use symbolon_log::{Head, SUCCESSION_BYTES_MAX, Succession, WitnessStore};
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

    fn keys_path(&self, origin: &str) -> PathBuf {
        self.path(origin).with_extension("keys")
    }

    fn read_keys(&self, origin: &str) -> io::Result<Option<Succession>> {
        let bytes = match fs::read(self.keys_path(origin)) {
            Ok(bytes) if bytes.len() > SUCCESSION_BYTES_MAX => return Err(damaged("keys")),
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let keys = Succession::parse(&bytes).map_err(|_| damaged("keys"))?;
        if keys.origin() == origin { Ok(Some(keys)) } else { Err(damaged("keys")) }
    }

    fn read(&self, origin: &str) -> io::Result<Option<Head>> {
        let text = match fs::read(self.path(origin)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let head = std::str::from_utf8(&text).ok().and_then(|text| parse(text, origin));
        head.map(Some).ok_or_else(|| damaged("head"))
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

    fn keys(&self, origin: &str) -> io::Result<Option<Succession>> {
        self.read_keys(origin)
    }

    fn follow(&self, keys: &Succession) -> io::Result<bool> {
        let _alone = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.read_keys(keys.origin())?;
        if known.as_ref().is_some_and(|known| !keys.goes_on_from(known)) {
            return Ok(false);
        }
        if known.as_ref() != Some(keys) {
            replace_file(&self.keys_path(keys.origin()), &keys.to_bytes())?;
        }
        Ok(true)
    }
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("damaged: what is kept of a log's {what}"))
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
    use symbolon_ambient::SeededRng;
    use symbolon_crypto::SigningKey;
    use symbolon_log::{Checkpoint, Handover};

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
    fn keys_are_followed_one_way_and_damage_is_never_taken_for_none() {
        let key = |seed| SigningKey::make(&SeededRng::new(seed));
        let line = |keys: &[u64]| {
            let mut line = Succession::new("a", key(keys[0]).verifying_key());
            for (size, pair) in (1..).zip(keys.windows(2)) {
                let root = Digest32([7; 32]);
                let at = Checkpoint { origin: "a".into(), size, root };
                line.push(Handover::sign(&at, &key(pair[0]), &key(pair[1]))).unwrap();
            }
            line
        };
        let dir = tempfile::tempdir().unwrap();
        let heads = FolderHeads::open(dir.path()).unwrap();
        assert_eq!(heads.keys("a").unwrap(), None);
        assert!(heads.follow(&line(&[1, 2])).unwrap());
        assert!(heads.follow(&line(&[1, 2, 3])).unwrap());
        assert!(!heads.follow(&line(&[1, 2])).unwrap());
        assert!(!heads.follow(&line(&[1, 4])).unwrap());
        assert_eq!(heads.keys("a").unwrap(), Some(line(&[1, 2, 3])));
        let whole = fs::read(heads.keys_path("a")).unwrap();
        for cut in 0..whole.len() - 1 {
            fs::write(heads.keys_path("a"), &whole[..cut]).unwrap();
            assert!(heads.keys("a").is_err() && heads.follow(&line(&[1, 2, 3, 4])).is_err());
        }
        fs::write(heads.keys_path("b"), &whole).unwrap();
        assert!(heads.keys("b").is_err());
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
