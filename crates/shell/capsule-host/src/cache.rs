//! Compiled components in the home, believed under a tag of the home's own key alone.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use symbolon_ambient::{Rng, SystemRng};
use symbolon_capsule::ComponentDigest;
use symbolon_codec::{Digest32, Fields, FieldsReader, hex};
use symbolon_crypto::{hmac_sha256, labels::CAPSULE_CACHE};
use symbolon_secret::Secret;

use crate::engine::Runtime;
use crate::error::RunError;

/// Native code that may be loaded: made by this engine, or with a tag that held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled(Vec<u8>);

impl Compiled {
    /// Compiles here and now.
    ///
    /// # Errors
    /// [`RunError::Component`].
    pub fn make(runtime: &Runtime, component: &[u8]) -> Result<Self, RunError> {
        runtime.compile(component).map(Self)
    }

    /// Code that came over the pipe of a child that compiled it, or of the parent that checked it.
    pub(crate) fn handed_over(code: Vec<u8>) -> Self {
        Self(code)
    }

    pub(crate) fn code(&self) -> &[u8] {
        &self.0
    }

    /// How long the code is, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.0.len()
    }
}

/// Why the cache cannot be used at all. A file of it that is damaged is no error: it is made anew.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// A folder or file.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Others can read or write the key.
    #[error("{}: others than its owner have rights to it", .0.display())]
    Rights(PathBuf),
    /// The key is longer than 32 bytes: it is no key of ours.
    #[error("{}: this is not the key of compiled capsules", .0.display())]
    Key(PathBuf),
}

/// The folder `capsules` of a home.
pub struct Cache {
    compiled: PathBuf,
    key: Secret<[u8]>,
}

impl Cache {
    /// Opens the folder below `home`, and makes it with a new key where it is not there.
    ///
    /// # Errors
    /// [`CacheError`].
    pub fn open(home: &Path) -> Result<Self, CacheError> {
        let folder = home.join("capsules");
        let compiled = folder.join("compiled");
        let file = |path: &Path| {
            let path = path.to_owned();
            move |error| CacheError::File { path, error }
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&compiled)
            .map_err(file(&compiled))?;
        let path = folder.join("compiled.key");
        let made = |how| make_key(&path, how).map_err(file(&path));
        let key = match read_key(&path)? {
            Found::Key(key) => key,
            other => {
                // Of runs that come here at once one makes the key of all.
                made(if matches!(other, Found::Cut) { Make::Over } else { Make::New })?;
                match read_key(&path)? {
                    Found::Key(key) => key,
                    Found::Cut | Found::None => return Err(CacheError::Key(path)),
                }
            }
        };
        Ok(Self { compiled, key })
    }

    /// Code of a component that was compiled before by the same engine, if its tag holds.
    pub fn get(&self, engine: &str, component: &ComponentDigest) -> Option<Compiled> {
        let path = self.path(component);
        let opened = fs::File::open(&path).ok()?;
        let found = opened.metadata().ok()?;
        // What others could have written is not looked at.
        let own = found.uid() == rustix::process::geteuid().as_raw();
        if !own || found.permissions().mode() & 0o077 != 0 || found.len() > CODE_BYTES_MAX as u64 {
            return None;
        }
        let mut bytes = Vec::with_capacity(found.len() as usize);
        opened.take(CODE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).ok()?;
        let mut r = FieldsReader::new(CAPSULE_CACHE.as_str(), &bytes).ok()?;
        let version = r.str(256).ok()?;
        let digest: [u8; 64] = r.array().ok()?;
        let tag: [u8; 32] = r.array().ok()?;
        let code = r.bytes(CODE_BYTES_MAX).ok()?;
        let same = version == engine && digest == *component.as_bytes();
        let held = same && self.tag(engine, component, code) == Digest32(tag);
        held.then(|| Compiled(code.to_vec()))
    }

    /// Keeps code for later.
    ///
    /// # Errors
    /// What the system says.
    pub fn put(
        &self,
        engine: &str,
        component: &ComponentDigest,
        compiled: &Compiled,
    ) -> io::Result<()> {
        let code = compiled.code();
        let bytes = Fields::new(CAPSULE_CACHE.as_str())
            .str(engine)
            .bytes(component.as_bytes())
            .bytes(self.tag(engine, component, code).as_bytes())
            .bytes(code)
            .finish();
        symbolon_store::replace_file(&self.path(component), &bytes)
    }

    fn tag(&self, engine: &str, component: &ComponentDigest, code: &[u8]) -> Digest32 {
        let head =
            Fields::new(CAPSULE_CACHE.as_str()).str(engine).bytes(component.as_bytes()).finish();
        hmac_sha256(&self.key, &[&head, code])
    }

    fn path(&self, component: &ComponentDigest) -> PathBuf {
        self.compiled.join(hex::encode(&component.as_bytes()[..16]))
    }
}

/// What stands where the key should.
enum Found {
    Key(Secret<[u8]>),
    /// Less than a key: what a crash left. Nothing can be under a tag of it.
    Cut,
    None,
}

/// Over what a key is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Make {
    /// Nothing: a key that is there stays.
    New,
    /// What a crash left.
    Over,
}

fn read_key(path: &Path) -> Result<Found, CacheError> {
    let file = |error| CacheError::File { path: path.to_owned(), error };
    let opened = match fs::File::open(path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::None),
        Err(error) => return Err(file(error)),
    };
    let rights = opened.metadata().map_err(file)?;
    if rights.mode() & 0o077 != 0 || rights.uid() != rustix::process::geteuid().as_raw() {
        return Err(CacheError::Rights(path.to_owned()));
    }
    if rights.len() < KEY_BYTES as u64 {
        return Ok(Found::Cut);
    }
    let key = Secret::<[u8]>::read_fd(opened.as_fd(), 2 * KEY_BYTES).map_err(file)?;
    match key.len() {
        KEY_BYTES => Ok(Found::Key(key)),
        _ => Err(CacheError::Key(path.to_owned())),
    }
}

/// A new key, whole or not at all, under a name of its own first.
fn make_key(path: &Path, how: Make) -> io::Result<()> {
    let key = Secret::<[u8; KEY_BYTES]>::make(|out| SystemRng.fill(out));
    let unique: [u8; 8] = SystemRng.bytes();
    let new = path.with_extension(format!("key.{}.new", hex::encode(unique)));
    let put = || {
        let mut file =
            fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        // EXPOSE: the key of what is compiled is kept in a file that its owner alone can read.
        file.write_all(key.expose())?;
        file.sync_all()?;
        match how {
            Make::Over => fs::rename(&new, path),
            Make::New => match fs::hard_link(&new, path) {
                // Another run was first.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            },
        }
    };
    let made = put();
    // Where it took the key's name it is gone already.
    let _ = fs::remove_file(&new);
    made?;
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

const KEY_BYTES: usize = 32;
const CODE_BYTES_MAX: usize = 512 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_comes_back_for_its_engine_and_component_alone_and_never_changed() {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::open(home.path()).unwrap();
        let (component, other) = (ComponentDigest::of(b"a"), ComponentDigest::of(b"b"));
        let code = Compiled(b"native code".to_vec());
        assert_eq!(cache.get("engine", &component), None);
        cache.put("engine", &component, &code).unwrap();
        assert_eq!(cache.get("engine", &component), Some(code.clone()));
        // Opened again, the home has the same key.
        assert_eq!(Cache::open(home.path()).unwrap().get("engine", &component), Some(code));
        assert_eq!(cache.get("another", &component), None);
        fs::copy(cache.path(&component), cache.path(&other)).unwrap();
        assert_eq!(cache.get("engine", &other), None);

        let path = cache.path(&component);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut wrong = good.clone();
            wrong[at] ^= 1;
            fs::write(&path, &wrong).unwrap();
            assert_eq!(cache.get("engine", &component), None, "byte {at}");
        }
        fs::write(&path, &good).unwrap();
        assert!(cache.get("engine", &component).is_some());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(cache.get("engine", &component), None);
    }

    #[test]
    fn another_homes_files_and_a_key_that_others_can_read_are_not_believed() {
        let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (cache, foreign) =
            (Cache::open(home.path()).unwrap(), Cache::open(other.path()).unwrap());
        let component = ComponentDigest::of(b"a");
        foreign.put("engine", &component, &Compiled(b"code".to_vec())).unwrap();
        fs::copy(foreign.path(&component), cache.path(&component)).unwrap();
        assert_eq!(cache.get("engine", &component), None);
        let key = home.path().join("capsules/compiled.key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Cache::open(home.path()), Err(CacheError::Rights(_))));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&key, [7; KEY_BYTES + 1]).unwrap();
        assert!(matches!(Cache::open(home.path()), Err(CacheError::Key(_))));
    }

    #[test]
    fn runs_that_are_first_at_once_have_one_key() {
        let component = ComponentDigest::of(b"a");
        for _ in 0..8 {
            let home = tempfile::tempdir().unwrap();
            let tag = || Cache::open(home.path()).unwrap().tag("engine", &component, b"code");
            let tags: Vec<_> = std::thread::scope(|scope| {
                let all: Vec<_> = (0..8).map(|_| scope.spawn(tag)).collect();
                all.into_iter().map(|it| it.join().unwrap()).collect()
            });
            assert!(tags.iter().all(|it| *it == tag()), "{tags:?}");
            let left = fs::read_dir(home.path().join("capsules")).unwrap().count();
            assert_eq!(left, 2, "the folder and the key");
        }
    }

    #[test]
    fn what_a_crash_left_of_a_key_is_replaced() {
        for left in [&b""[..], b"short", &[7; KEY_BYTES - 1]] {
            let home = tempfile::tempdir().unwrap();
            Cache::open(home.path()).unwrap();
            let key = home.path().join("capsules/compiled.key");
            fs::write(&key, left).unwrap();
            Cache::open(home.path()).unwrap();
            assert_eq!(fs::read(&key).unwrap().len(), KEY_BYTES);
            assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
        }
    }
}
