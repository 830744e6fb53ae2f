//! Compiled components in the home, believed under a tag of the home's own key alone.

use std::fs;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
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
    /// The key has another length than 32 bytes.
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
        if !path.exists() {
            let key = Secret::<[u8; 32]>::make(|out| SystemRng.fill(out));
            // EXPOSE: the key of what is compiled is kept in a file that its owner alone can read.
            symbolon_store::replace_file(&path, key.expose()).map_err(file(&path))?;
        }
        let opened = fs::File::open(&path).map_err(file(&path))?;
        let rights = opened.metadata().map_err(file(&path))?;
        if rights.mode() & 0o077 != 0 || rights.uid() != rustix::process::geteuid().as_raw() {
            return Err(CacheError::Rights(path));
        }
        let key = Secret::<[u8]>::read_fd(opened.as_fd(), 64).map_err(file(&path))?;
        if key.len() != 32 {
            return Err(CacheError::Key(path));
        }
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
        fs::write(&key, b"short").unwrap();
        assert!(matches!(Cache::open(home.path()), Err(CacheError::Key(_))));
    }
}
