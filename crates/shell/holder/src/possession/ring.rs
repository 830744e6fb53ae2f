//! The keys of this device, in their folder.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use symbolon_ambient::Rng;
use symbolon_codec::{Fields, b64url};
use symbolon_crypto::{AeadKey, SigningKey, labels, sha256};
use symbolon_device::{DeviceKey, Facts, FingerprintError, KeyFileError};
use symbolon_possession::{Audience, Domain, KeyAccount, PossessedKey, StrongKey};
use symbolon_secret::{MemoryError, Secret};
use symbolon_store::replace_file;

use super::KeyCard;

/// `api-keys` of a home.
#[derive(Debug)]
pub struct KeyRing {
    folder: PathBuf,
}

/// A key, open for one command.
#[derive(Debug)]
pub struct OpenKey {
    /// As it proves itself.
    pub possessed: PossessedKey,
    /// What this device signs with.
    pub device: SigningKey,
    /// The seed of that, to be sealed again beside another key.
    pub seed: Secret<[u8; 32]>,
}

impl KeyRing {
    /// Of this home; nothing is made yet.
    pub fn of(home: &Path) -> Self {
        Self { folder: home.join("api-keys") }
    }

    /// Every key, in the order of their services.
    ///
    /// # Errors
    /// [`RingError`].
    pub fn all(&self) -> Result<Vec<KeyCard>, RingError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(self.io())?,
        };
        self.check()?;
        let mut all = Vec::new();
        for entry in entries {
            let path = entry.map_err(self.io())?.path();
            if path.extension().is_some_and(|it| it == "json") {
                all.push(read(&path)?);
            }
        }
        all.sort_by(|a, b| (&a.audience, &a.account).cmp(&(&b.audience, &b.account)));
        Ok(all)
    }

    /// The key for a service and an account there.
    ///
    /// # Errors
    /// [`RingError::Missing`], or as [`KeyRing::all`].
    pub fn find(&self, audience: &Audience, account: &KeyAccount) -> Result<KeyCard, RingError> {
        let missing = || RingError::Missing { audience: audience.to_string() };
        let path = self.file(audience, account);
        if !path.exists() {
            return Err(missing());
        }
        self.check()?;
        read(&path)
    }

    /// Seals a key and keeps it, in place of what was there for the service and account.
    ///
    /// # Errors
    /// [`RingError`].
    pub fn keep(
        &self,
        mut card: KeyCard,
        key: &StrongKey,
        possessed: &PossessedKey,
        seed: &Secret<[u8; 32]>,
        rng: &dyn Rng,
    ) -> Result<KeyCard, RingError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(self.io())?;
        self.check()?;
        let plain = key.with_bytes(|text| {
            // EXPOSE: key, value and seed are put together in a secret page, to be sealed.
            let (value, seed) = (possessed.value().expose(), seed.expose());
            Secret::<[u8]>::make_slice(VALUE_BYTES + SEED_BYTES + text.len(), |out| {
                out[..VALUE_BYTES].copy_from_slice(value);
                out[VALUE_BYTES..TEXT_AT].copy_from_slice(seed);
                out[TEXT_AT..].copy_from_slice(text);
            })
        });
        let under = self.under(true, rng)?;
        // EXPOSE: sealing reads the page where it is.
        let sealed = under.seal(&labels::POSSESSED_KEY, &[&card.context()], plain.expose(), rng);
        card.sealed = b64url::encode(&sealed);
        let audience = Audience::parse(&card.audience).map_err(|_| damaged("the address"))?;
        let account = KeyAccount::parse(&card.account).map_err(|_| damaged("the account"))?;
        let text = serde_json::to_vec_pretty(&card).map_err(|_| damaged("the key's file"))?;
        let path = self.file(&audience, &account);
        replace_file(&path, &text).map_err(|source| RingError::Io { path, source })?;
        Ok(card)
    }

    /// Opens a key.
    ///
    /// # Errors
    /// [`RingError::Damaged`] also where another machine, or another file, sealed it.
    pub fn open(&self, card: &KeyCard) -> Result<OpenKey, RingError> {
        let bad = || damaged("the sealed key");
        let sealed = b64url::decode(&card.sealed, SEALED_BYTES_MAX).map_err(|_| bad())?;
        let under = self.under(false, &symbolon_ambient::SystemRng)?;
        let plain = under.open(&labels::POSSESSED_KEY, &[&card.context()], &sealed);
        let plain = plain.map_err(|_| bad())?;
        if plain.len() <= TEXT_AT {
            return Err(bad());
        }
        // EXPOSE: value, seed and key move from one secret page to others.
        let bytes = plain.expose();
        let value = Secret::<[u8; VALUE_BYTES]>::make(|b| b.copy_from_slice(&bytes[..VALUE_BYTES]));
        let seed = || {
            let seed = &bytes[VALUE_BYTES..TEXT_AT];
            Secret::<[u8; SEED_BYTES]>::make(|b| b.copy_from_slice(seed))
        };
        let text = &bytes[TEXT_AT..];
        let text = Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text));
        let key = StrongKey::of(text).map_err(|_| bad())?;
        let domain = domain(card).ok_or_else(bad)?;
        let possessed = PossessedKey::from_parts(&key, value, &domain).map_err(|_| bad())?;
        let device = SigningKey::from_seed(seed());
        let is_own = b64url::encode(device.verifying_key().as_bytes()) == card.public;
        if is_own { Ok(OpenKey { possessed, device, seed: seed() }) } else { Err(bad()) }
    }

    /// Forgets a key.
    ///
    /// # Errors
    /// [`RingError::Io`].
    pub fn forget(&self, card: &KeyCard) -> Result<(), RingError> {
        let audience = Audience::parse(&card.audience).map_err(|_| damaged("the address"))?;
        let account = KeyAccount::parse(&card.account).map_err(|_| damaged("the account"))?;
        let path = self.file(&audience, &account);
        fs::remove_file(&path).map_err(|source| RingError::Io { path, source })
    }

    /// The key that seals, of the device's key file; made where `make` says so.
    fn under(&self, make: bool, rng: &dyn Rng) -> Result<AeadKey, RingError> {
        let path = self.folder.join(DEVICE_KEY);
        let facts = Facts::read();
        let key = match DeviceKey::read(&path) {
            Err(KeyFileError::Missing { .. }) if make => DeviceKey::make(&path, &facts, rng)?,
            other => other?,
        };
        Ok(key.derive_aead(&key.fingerprint(&facts)?, &labels::KEK_POSSESSION, &[]))
    }

    fn file(&self, audience: &Audience, account: &KeyAccount) -> PathBuf {
        let name = Fields::new(audience.as_str()).str(account.as_str()).finish();
        let name = sha256(&name).to_string();
        self.folder.join(format!("{}.json", &name[..32]))
    }

    /// Refuses a folder that is another user's, or that others can reach.
    fn check(&self) -> Result<(), RingError> {
        let about = fs::symlink_metadata(&self.folder).map_err(self.io())?;
        let is_own = about.is_dir() && about.uid() == rustix::process::geteuid().as_raw();
        if is_own && about.mode() & 0o077 == 0 {
            return Ok(());
        }
        Err(RingError::TooOpen { path: self.folder.clone() })
    }

    fn io(&self) -> impl Fn(io::Error) -> RingError + use<> {
        let path = self.folder.clone();
        move |source| RingError::Io { path: path.clone(), source }
    }
}

/// What a key's scalar is derived for.
pub(crate) fn domain(card: &KeyCard) -> Option<Domain> {
    Some(Domain {
        issuer: card.issuer.to_string(),
        service: card.service.parse().ok()?,
        audience: Audience::parse(&card.audience).ok()?,
        account: KeyAccount::parse(&card.account).ok()?,
    })
}

fn read(path: &Path) -> Result<KeyCard, RingError> {
    let io = |source| RingError::Io { path: path.to_owned(), source };
    if fs::metadata(path).map_err(io)?.len() > FILE_BYTES_MAX {
        return Err(damaged("a key's file (too long)"));
    }
    serde_json::from_slice(&fs::read(path).map_err(io)?).map_err(|_| damaged("a key's file"))
}

fn damaged(what: &'static str) -> RingError {
    RingError::Damaged { what }
}

/// Why a key of this device was not kept or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RingError {
    /// None for this service.
    #[error("this device has no key for {audience}")]
    Missing {
        /// The service's address.
        audience: String,
    },
    /// Not what was written, or by another machine.
    #[error("{what} on this device is damaged, or was made on another machine")]
    Damaged {
        /// Which part.
        what: &'static str,
    },
    /// Others can reach the folder, or it is another user's.
    #[error("{} is not this user's alone", path.display())]
    TooOpen {
        /// The folder.
        path: PathBuf,
    },
    /// The device key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The machine has no fingerprint.
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// No secret page was left.
    #[error("no secret memory is left: {0}")]
    Memory(#[from] MemoryError),
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

const DEVICE_KEY: &str = "device.key";
const VALUE_BYTES: usize = 64;
const SEED_BYTES: usize = 32;
const TEXT_AT: usize = VALUE_BYTES + SEED_BYTES;
const SEALED_BYTES_MAX: usize = 4096;
const FILE_BYTES_MAX: u64 = 16 * 1024;
