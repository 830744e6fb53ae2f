//! `device.key`: 32 random bytes that are worth something on this machine only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use symbolon_ambient::Rng;
use symbolon_codec::{CodecError, FieldsReader};
use symbolon_crypto::{AeadKey, Label, Sha256, labels};
use symbolon_custody::Opener;
use symbolon_secret::{MemoryError, Secret, on_stack};

use crate::facts::{FactSet, Facts};
use crate::fingerprint::{Fingerprint, FingerprintError};

/// A device key in secret memory.
#[derive(Debug)]
pub struct DeviceKey {
    secret: Secret<[u8; 32]>,
    facts: FactSet,
}

impl DeviceKey {
    /// Makes a key for this machine, and its file: 0600, whole or not there, never in the place
    /// of another.
    ///
    /// # Errors
    /// [`KeyFileError::Exists`], [`KeyFileError::Io`].
    pub fn make(path: &Path, facts: &Facts, rng: &dyn Rng) -> Result<Self, KeyFileError> {
        let key = Self { secret: Secret::<[u8; 32]>::make(|b| rng.fill(b)), facts: facts.set() };
        let io = |source| KeyFileError::Io { path: path.into(), source };
        if fs::symlink_metadata(path).is_ok() {
            return Err(KeyFileError::Exists { path: path.into() });
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let draft = path.with_extension("key.new");
        // What a run that was cut short left behind.
        let _ = fs::remove_file(&draft);
        let written = key.write(&draft).and_then(|()| {
            // Unlike a rename, a link never replaces what is there.
            fs::hard_link(&draft, path)
        });
        let removed = fs::remove_file(&draft);
        match written {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                return Err(KeyFileError::Exists { path: path.into() });
            }
            other => other.map_err(io)?,
        }
        removed.and_then(|()| File::open(folder)?.sync_all()).map_err(io)?;
        Ok(key)
    }

    /// Reads the file, straight into secret memory.
    ///
    /// # Errors
    /// [`KeyFileError`]; the error about permissions has the command that mends them.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let io = |source: io::Error| KeyFileError::Io { path: path.into(), source };
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(path)
            .map_err(|e| match (e.kind(), e.raw_os_error()) {
                (io::ErrorKind::NotFound, _) => KeyFileError::Missing { path: path.into() },
                (_, Some(libc::ELOOP)) => KeyFileError::NotAFile { path: path.into() },
                _ => io(e),
            })?;
        let meta = file.metadata().map_err(io)?;
        if !meta.is_file() {
            return Err(KeyFileError::NotAFile { path: path.into() });
        }
        let mode = meta.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::OpenToOthers { path: path.into(), mode });
        }
        // The kernel's own answer to who we are, without unsafe code.
        let us = fs::metadata("/proc/self").map_err(io)?.uid();
        if meta.uid() != us {
            return Err(KeyFileError::OtherOwner { path: path.into(), owner: meta.uid(), us });
        }
        let content = match Secret::<[u8]>::read_fd(file.as_fd(), FILE_BYTES_MAX) {
            Ok(content) => content,
            Err(e) if e.kind() == io::ErrorKind::InvalidData => return Err(damaged(path)),
            Err(e) => return Err(io(e)),
        };
        Self::parse(&content).map_err(|e| match e {
            ParseError::Damaged => damaged(path),
            ParseError::Memory(e) => KeyFileError::Memory(e),
        })
    }

    /// The fingerprint of this machine over the facts that the key was made with.
    ///
    /// # Errors
    /// [`FingerprintError::Unreadable`].
    pub fn fingerprint(&self, facts: &Facts) -> Result<Fingerprint, FingerprintError> {
        facts.fingerprint(self.facts)
    }

    /// What custody opens a vault with.
    pub fn opener<'a>(&'a self, here: &'a Fingerprint) -> Opener<'a> {
        Opener::Device { secret: &self.secret, fingerprint: &here.digest }
    }

    /// A key for one purpose of this machine's alone, which no vault is opened with.
    pub fn derive_aead(&self, here: &Fingerprint, label: &Label, context: &[u8]) -> AeadKey {
        AeadKey::derive(&self.secret, here.digest.as_bytes(), label, context)
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let content = self.content();
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW)
            .open(path)?;
        // EXPOSE: written to its own file by one write(2), without a buffer in between.
        file.write_all(content.expose())?;
        file.sync_all()
    }

    /// The canonical fields of the spec, put together in a secret page.
    fn content(&self) -> Secret<[u8]> {
        let label = labels::DEVICE_KEY.as_str().as_bytes();
        // EXPOSE: read for the file's bytes, on the secret stack.
        let check = on_stack(|| checksum(self.facts, self.secret.expose()));
        let len = 4 * 4 + label.len() + 1 + 32 + 8;
        Secret::<[u8]>::make_slice(len, |out| {
            on_stack(|| {
                let mut at = 0;
                // EXPOSE: copied from one secret page to another, on the secret stack.
                for field in [label, &[self.facts.to_byte()], self.secret.expose(), &check] {
                    let size = (field.len() as u32).to_be_bytes();
                    out[at..at + 4].copy_from_slice(&size);
                    out[at + 4..at + 4 + field.len()].copy_from_slice(field);
                    at += 4 + field.len();
                }
            });
        })
    }

    fn parse(content: &Secret<[u8]>) -> Result<Self, ParseError> {
        let mut facts = None;
        let secret = Secret::<[u8; 32]>::try_make(|out| {
            on_stack(|| {
                // EXPOSE: copied from one secret page to another, on the secret stack.
                let mut fields = FieldsReader::new(labels::DEVICE_KEY.as_str(), content.expose())?;
                let set = FactSet::from_byte(fields.array::<1>()?[0]);
                out.copy_from_slice(fields.bytes(32).and_then(|s| match s.len() {
                    32 => Ok(s),
                    _ => Err(CodecError::Truncated),
                })?);
                let check = fields.array::<8>()?;
                fields.end()?;
                let set = set.filter(|set| check == checksum(*set, out));
                facts = Some(set.ok_or(ParseError::Damaged)?);
                Ok::<_, ParseError>(())
            })
        })?;
        Ok(Self { secret, facts: facts.ok_or(ParseError::Damaged)? })
    }
}

/// Why a device key could not be made or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is none.
    #[error("there is no device key at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Something is in its place already.
    #[error("there is already something at {}", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// A link, folder or device.
    #[error("{} is not a plain file", path.display())]
    NotAFile {
        /// Which.
        path: PathBuf,
    },
    /// Others can read or change it.
    #[error("{} is open to others (mode {mode:04o}); run: chmod 600 '{}'", path.display(), path.display())]
    OpenToOthers {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another user could change it.
    #[error("{} belongs to user {owner} and this runs as {us}; run: chown {us} '{}'", path.display(), path.display())]
    OtherOwner {
        /// Which.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// Its bytes changed.
    #[error("the device key at {} is damaged; open the vault by another method and make a new one", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// The system refused.
    #[error("the device key at {} could not be read or written", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// No secret page was left for it.
    #[error(transparent)]
    Memory(MemoryError),
}

enum ParseError {
    Damaged,
    Memory(MemoryError),
}

impl From<CodecError> for ParseError {
    fn from(_: CodecError) -> Self {
        Self::Damaged
    }
}

impl From<MemoryError> for ParseError {
    fn from(e: MemoryError) -> Self {
        Self::Memory(e)
    }
}

fn damaged(path: &Path) -> KeyFileError {
    KeyFileError::Damaged { path: path.into() }
}

/// Tells damage from another machine. 64 bits of a hash of 256 random bits give nothing away.
fn checksum(facts: FactSet, secret: &[u8; 32]) -> [u8; 8] {
    let mut h = Sha256::new();
    for field in [labels::DEVICE_KEY.as_str().as_bytes(), &[facts.to_byte()], secret] {
        h.update(&(field.len() as u32).to_be_bytes());
        h.update(field);
    }
    let digest = h.finish().0;
    std::array::from_fn(|i| digest[i])
}

/// The file has 87 bytes.
const FILE_BYTES_MAX: usize = 256;
