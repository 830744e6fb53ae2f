//! Making a home, opening it, closing it, and the ways in.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_capability::Store;
use symbolon_codec::time::rfc3339;
use symbolon_crypto::{RecoveryCode, SigningKey, labels};
use symbolon_custody::{
    Change, Enrol, Opener, UnlockError, Unlocked, Vault, VaultId, Wrap, WrapId,
};
use symbolon_device::{DeviceKey, Facts};
use symbolon_secret::Secret;
use symbolon_store::{Home, LogPlace, Manifest, SqliteStore};

use crate::Broker;
use crate::api::*;
use crate::approvals::Ending;
use crate::broker::Open;
use crate::errors;
use crate::minted;

impl Broker {
    /// Makes a new home: vault, first way in, recovery code, operator key, log. Gives the recovery
    /// code's words, which are shown once and kept nowhere.
    ///
    /// # Errors
    /// [`CallError`]: there is a home already, no passphrase, the disk.
    pub async fn init(
        home: &std::path::Path,
        method: Method,
        passphrase: Option<Secret<[u8]>>,
    ) -> Result<Secret<[u8]>, CallError> {
        Self::init_with(home, method, passphrase, None).await
    }

    /// As [`Broker::init`]; the log is kept in the PostgreSQL database that a file, 0600, names.
    ///
    /// # Errors
    /// As [`Broker::init`], and what the database says.
    pub async fn init_with(
        home: &std::path::Path,
        method: Method,
        passphrase: Option<Secret<[u8]>>,
        log_database: Option<&std::path::Path>,
    ) -> Result<Secret<[u8]>, CallError> {
        let home = Home::create(home)?;
        let lock = home.lock()?;
        if home.manifest().exists() {
            let message = format!("there is a home at {} already", home.path().display());
            return Err(CallError::caller("exists", message).status(409).next("symbolon status"));
        }
        let unfinished = clear_unfinished(&home)?;
        let place = match log_database {
            Some(file) => LogPlace::keep(&home, file).map_err(errors::log_database)?,
            None => LogPlace::Folder(home.log()),
        };
        let key = Key::enrol(&home, method, passphrase)?;
        let made = key.with(|opener| Vault::create(&Enrol::new(opener), &SystemRng, &SystemClock));
        let (vault, unlocked) = made?.map_err(errors::enrol)?;
        let recovery = RecoveryCode::make(&SystemRng);
        let change = vault
            .add_wrap(&unlocked, &Enrol::new(Opener::Recovery(&recovery)), &SystemRng, &SystemClock)
            .map_err(errors::wrap)?;

        let store = SqliteStore::create(&home.database()).await?;
        store.change_wraps(change.vault.wraps(), &[]).await?;
        let operator = SigningKey::make(&SystemRng);
        let seed =
            operator.seal_seed(&unlocked.operator_key(), &[vault.id().as_bytes()], &SystemRng);
        store.put_operator_seed(&seed).await?;
        store.close().await;
        let origin = origin(vault.id());
        let vkey = symbolon_log::vkey(&origin, &operator.verifying_key())
            .map_err(|e| CallError::bug(e.to_string()))?;
        symbolon_store::replace_file(&home.operator_pub(), format!("{vkey}\n").as_bytes())
            .map_err(errors::io)?;
        drop(place.new_writer(&origin).map_err(errors::log_storage)?);
        let manifest = Manifest::new(vault.id(), vault.created_unix_ms());
        manifest.with_log(place.kept()).write(&home)?;
        std::fs::remove_file(unfinished).map_err(errors::io)?;
        drop(lock);
        Ok(recovery.phrase())
    }

    /// Opens the vault. `secret`: the passphrase or the recovery code's words.
    ///
    /// # Errors
    /// [`CallError`]: the wrong secret, no such way in, damage.
    pub async fn unlock(
        &self,
        method: Method,
        secret: Option<Secret<[u8]>>,
    ) -> Result<(), CallError> {
        let _one = self.changes.lock().await;
        if self.opened().is_ok() {
            return Ok(());
        }
        let vault = self.vault().await?;
        let home = self.home.clone();
        // Argon2id takes a moment: not on a thread that serves.
        let unlocked =
            tokio::task::spawn_blocking(move || open_vault(&home, &vault, method, secret))
                .await
                .map_err(|e| CallError::bug(e.to_string()))??;
        self.put_open(unlocked).await
    }

    /// Tries the ways that need nobody: device, TPM. False where there is none.
    ///
    /// # Errors
    /// [`CallError`] where there is one and it does not open.
    pub async fn unlock_unattended(&self) -> Result<bool, CallError> {
        let methods = self.vault().await?.methods();
        let mut failed = None;
        for method in [Method::Device, Method::Tpm].into_iter().filter(|m| methods.contains(m)) {
            match self.unlock(method, None).await {
                Ok(()) => return Ok(true),
                Err(e) => failed = Some(e),
            }
        }
        failed.map_or(Ok(false), Err)
    }

    /// Wipes every key. Calls on their way keep what they hold until they end; new ones are refused.
    pub fn lock(&self) {
        self.end_all(Option::take);
    }

    /// Nothing is done any more, though the vault may stay open: what is there is read and handed over.
    pub(crate) fn stand_down(&self) {
        self.end_all(|slot| slot.clone());
    }

    fn end_all(&self, take: impl FnOnce(&mut Option<Arc<Open>>) -> Option<Arc<Open>>) {
        // Under the one guard that a rebuild looks under, so that a rebuild which began before does
        // not put into force what was locked away.
        let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
        self.engine.install(None);
        self.executions.suspend();
        self.held.clear();
        self.flows.clear();
        self.taps.clear();
        self.desk.forget_confirmations();
        self.log.set_signer(None);
        let open = take(&mut slot);
        drop(slot);
        self.end_approvals(Ending::Locked);
        if let Some(open) = open {
            let live = open.live.read().unwrap_or_else(PoisonError::into_inner);
            for live in live.values() {
                live.close_idle();
                if let Some(mount) = &live.mount {
                    mount.stop();
                }
            }
        }
        self.generation.send_modify(|g| *g += 1);
    }

    /// The ways to unlock.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn wraps(&self) -> Result<Vec<WrapView>, CallError> {
        Ok(self.store.wraps().await?.iter().map(view).collect())
    }

    /// Adds a way to unlock. For a recovery code gives the new words, shown once.
    ///
    /// # Errors
    /// [`CallError`]: locked, too many, no passphrase, the disk.
    pub async fn add_wrap(
        &self,
        method: Method,
        secret: Option<Secret<[u8]>>,
    ) -> Result<(WrapView, Option<Secret<[u8]>>), CallError> {
        let _one = self.changes.lock().await;
        let open = self.opened()?;
        let vault = self.vault().await?;
        let key = Key::enrol(&self.home, method, secret)?;
        let change = key.with(|opener| {
            vault.add_wrap(&open.unlocked, &Enrol::new(opener), &SystemRng, &SystemClock)
        })?;
        self.keep(change.map_err(errors::wrap)?, key).await
    }

    /// Removes a way to unlock, never the last.
    ///
    /// # Errors
    /// [`CallError`]: locked, no such way, the last one.
    pub async fn remove_wrap(&self, id: &str) -> Result<(), CallError> {
        let _one = self.changes.lock().await;
        let open = self.opened()?;
        let vault = self.vault().await?;
        let change = vault.remove_wrap(&open.unlocked, wrap_id(id)?).map_err(errors::wrap)?;
        self.store.change_wraps(&[], &[id.to_owned()]).await?;
        if !change.vault.methods().contains(&Method::Device) {
            let _ = std::fs::remove_file(self.home.device_key());
        }
        self.count_setup().await
    }

    /// Puts a new secret in the place of an old one, in one transaction.
    ///
    /// # Errors
    /// [`CallError`]: locked, no such way, no passphrase, the disk.
    pub async fn rotate_wrap(
        &self,
        id: &str,
        secret: Option<Secret<[u8]>>,
    ) -> Result<(WrapView, Option<Secret<[u8]>>), CallError> {
        let _one = self.changes.lock().await;
        let open = self.opened()?;
        let vault = self.vault().await?;
        let old = wrap_id(id)?;
        let method = vault.wraps().iter().find(|w| w.id() == old).map(Wrap::method);
        let method = method.ok_or_else(|| no_such_wrap(id))?;
        let key = Key::rotate(&self.home, method, secret)?;
        let change = key.with(|opener| {
            vault.rotate_wrap(&open.unlocked, old, &Enrol::new(opener), &SystemRng, &SystemClock)
        })?;
        self.keep(change.map_err(errors::wrap)?, key).await
    }

    async fn keep(
        &self,
        change: Change,
        key: Key,
    ) -> Result<(WrapView, Option<Secret<[u8]>>), CallError> {
        let added = self.put_change(&change).await?;
        Ok((added, key.words(&self.home)?))
    }

    /// Makes a change with a new way durable.
    pub(crate) async fn put_change(&self, change: &Change) -> Result<WrapView, CallError> {
        let added = change.inserted.first().ok_or_else(|| CallError::bug("nothing was added"))?;
        let removed: Vec<String> = change.removed.iter().map(ToString::to_string).collect();
        self.store.change_wraps(std::slice::from_ref(added), &removed).await?;
        self.count_setup().await?;
        Ok(view(added))
    }

    pub(crate) async fn vault(&self) -> Result<Vault, CallError> {
        let wraps = self.store.wraps().await?;
        Vault::from_parts(self.manifest.vault, self.manifest.created_unix_ms, wraps)
            .map_err(|e| CallError::environment("state_damaged", e.to_string()))
    }

    pub(crate) async fn put_open(&self, unlocked: Unlocked) -> Result<(), CallError> {
        let seed = self.store.operator_seed().await?;
        let seed = seed.ok_or_else(|| {
            CallError::environment("state_damaged", "the operator key is missing")
        })?;
        let operator = SigningKey::open_seed(
            &unlocked.operator_key(),
            &[self.manifest.vault.as_bytes()],
            &seed,
        )
        .map_err(|e| CallError::environment("state_damaged", format!("the operator key: {e}")))?;
        if operator.verifying_key() != self.operator {
            return Err(CallError::environment(
                "operator_pub",
                "operator.pub is not the key of this vault",
            )
            .next("put operator.pub back from a backup"));
        }
        let operator = Arc::new(operator);
        let connections_key = Arc::new(unlocked.connections_key());
        let live = RwLock::new(HashMap::new());
        let receipt_salt = unlocked.derive_secret(&labels::RECEIPT_SALT);
        let flows_key = Arc::new(unlocked.derive_aead(&labels::KEY_FLOWS));
        let open = Arc::new(Open {
            unlocked,
            connections_key,
            flows_key,
            operator: operator.clone(),
            receipt_salt,
            live,
            minted: minted::Index::default(),
            lent: RwLock::default(),
        });
        {
            let mut slot = self.open.write().unwrap_or_else(PoisonError::into_inner);
            *slot = Some(open.clone());
            self.log.set_signer(Some(operator).filter(|_| self.revoked().is_none()));
        }
        // Open without a policy would look unlocked and refuse everything.
        self.rebuild(&open).await.inspect_err(|_| self.lock())
    }
}

/// The log's name: C2SP signed notes and checkpoints carry it.
pub(crate) fn origin(vault: VaultId) -> String {
    format!("symbolon.local/log/{vault}")
}

/// What opens or enrols a way in, held for as long as it is used.
enum Key {
    Passphrase(Secret<[u8]>),
    Device {
        key: DeviceKey,
        facts: Facts,
        file: Option<std::path::PathBuf>,
    },
    #[cfg(feature = "tpm")]
    Tpm(symbolon_device::Tpm),
    Recovery(RecoveryCode),
}

impl Key {
    /// For a new way in.
    fn enrol(home: &Home, method: Method, secret: Option<Secret<[u8]>>) -> Result<Self, CallError> {
        match method {
            Method::Passphrase => {
                let passphrase = secret.ok_or_else(no_passphrase)?;
                if passphrase.len() < PASSPHRASE_BYTES_MIN {
                    let message =
                        format!("a passphrase has at least {PASSPHRASE_BYTES_MIN} characters");
                    return Err(CallError::caller("passphrase", message)
                        .next("use a few words that you will remember"));
                }
                Ok(Self::Passphrase(passphrase))
            }
            Method::Device => {
                let facts = Facts::read();
                let key = DeviceKey::make(&home.device_key(), &facts, &SystemRng)
                    .map_err(errors::key_file)?;
                Ok(Self::Device { key, facts, file: None })
            }
            Method::Recovery => Ok(Self::Recovery(RecoveryCode::make(&SystemRng))),
            Method::Tpm => Self::tpm(),
            _ => Err(in_the_page(method)),
        }
    }

    /// For the place of an old way in: a device key file is made beside the old one and put in
    /// its place when the store has the new wrap.
    fn rotate(
        home: &Home,
        method: Method,
        secret: Option<Secret<[u8]>>,
    ) -> Result<Self, CallError> {
        if method != Method::Device {
            return Self::enrol(home, method, secret);
        }
        let facts = Facts::read();
        let file = next_device_key(home);
        let _ = std::fs::remove_file(&file);
        let key = DeviceKey::make(&file, &facts, &SystemRng).map_err(errors::key_file)?;
        Ok(Self::Device { key, facts, file: Some(file) })
    }

    /// To open.
    fn present(
        home: &Home,
        method: Method,
        secret: Option<Secret<[u8]>>,
    ) -> Result<Self, CallError> {
        match method {
            Method::Passphrase => secret.map(Self::Passphrase).ok_or_else(no_passphrase),
            Method::Device => {
                let key = DeviceKey::read(&home.device_key()).map_err(errors::key_file)?;
                Ok(Self::Device { key, facts: Facts::read(), file: None })
            }
            Method::Recovery => {
                let words = secret.ok_or_else(|| {
                    CallError::caller("recovery", "the recovery code's words are needed")
                })?;
                let code = RecoveryCode::parse(&words).map_err(|e| {
                    CallError::caller("recovery", e.to_string())
                        .next("look at the 24 words again, and their order")
                })?;
                Ok(Self::Recovery(code))
            }
            Method::Tpm => Self::tpm(),
            _ => Err(in_the_page(method)),
        }
    }

    #[cfg(feature = "tpm")]
    fn tpm() -> Result<Self, CallError> {
        symbolon_device::Tpm::from_env()
            .map(Self::Tpm)
            .map_err(|e| CallError::environment("tpm", e.to_string()))
    }

    #[cfg(not(feature = "tpm"))]
    fn tpm() -> Result<Self, CallError> {
        Err(CallError::environment("tpm", "this build has no TPM support")
            .next("cargo build --features tpm"))
    }

    fn with<R>(&self, f: impl FnOnce(Opener<'_>) -> R) -> Result<R, CallError> {
        Ok(match self {
            Self::Passphrase(p) => f(Opener::Passphrase(p)),
            Self::Device { key, facts, .. } => {
                let here = key
                    .fingerprint(facts)
                    .map_err(|e| CallError::environment("fingerprint", e.to_string()))?;
                f(key.opener(&here))
            }
            #[cfg(feature = "tpm")]
            Self::Tpm(sealer) => f(Opener::Tpm(sealer)),
            Self::Recovery(code) => f(Opener::Recovery(code)),
        })
    }

    /// What is shown once; and the new device key file goes to its place.
    fn words(self, home: &Home) -> Result<Option<Secret<[u8]>>, CallError> {
        match self {
            Self::Recovery(code) => Ok(Some(code.phrase())),
            Self::Device { file: Some(file), .. } => {
                std::fs::rename(file, home.device_key()).map_err(errors::io)?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

fn open_vault(
    home: &Home,
    vault: &Vault,
    method: Method,
    secret: Option<Secret<[u8]>>,
) -> Result<Unlocked, CallError> {
    let first = Key::present(home, method, secret)?.with(|opener| vault.unlock(&opener))?;
    let rotated = next_device_key(home);
    match first {
        // A rotation that was cut short after its transaction left the new key beside the old one.
        Err(UnlockError::WrongSecret { .. }) if method == Method::Device && rotated.exists() => {
            let key = DeviceKey::read(&rotated).map_err(errors::key_file)?;
            let key = Key::Device { key, facts: Facts::read(), file: None };
            let unlocked = key.with(|opener| vault.unlock(&opener))?.map_err(errors::unlock)?;
            std::fs::rename(rotated, home.device_key()).map_err(errors::io)?;
            Ok(unlocked)
        }
        other => other.map_err(errors::unlock),
    }
}

fn next_device_key(home: &Home) -> std::path::PathBuf {
    home.device_key().with_extension("next")
}

/// Takes away what a run of `init` that was cut short left behind, and marks that one is on its
/// way. Only what stands beside that mark is taken away: a home whose manifest is lost is a home.
fn clear_unfinished(home: &Home) -> Result<std::path::PathBuf, CallError> {
    let mark = home.path().join("init.unfinished");
    if mark.exists() {
        let files = [home.database(), home.device_key(), home.operator_pub(), home.log_database()];
        for file in files {
            match std::fs::remove_file(&file) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(errors::io(e)),
                _ => {}
            }
        }
    } else if let Some(error) = lost_manifest(home) {
        return Err(error);
    }
    symbolon_store::replace_file(&mark, b"").map_err(errors::io)?;
    Ok(mark)
}

/// A folder with a vault in it and no manifest: damage, not a place for a new home.
pub(crate) fn lost_manifest(home: &Home) -> Option<CallError> {
    let unfinished = home.path().join("init.unfinished").exists();
    let there = [home.database(), home.operator_pub(), home.log().join("checkpoint")];
    (!unfinished && there.iter().any(|f| f.exists())).then(|| {
        let message =
            format!("{} has a vault and no home.json; nothing was changed", home.path().display());
        CallError::environment("home_damaged", message).next("put home.json back from a backup")
    })
}

pub(crate) fn view(wrap: &Wrap) -> WrapView {
    WrapView {
        id: wrap.id().to_string(),
        method: wrap.method().as_str().to_owned(),
        created: rfc3339(wrap.created_unix_ms()),
    }
}

pub(crate) fn wrap_id(text: &str) -> Result<WrapId, CallError> {
    text.parse().map_err(|_| no_such_wrap(text))
}

pub(crate) fn no_such_wrap(text: &str) -> CallError {
    let text: String = text.chars().take(64).collect();
    CallError::caller("no_wrap", format!("there is no way to unlock named {text}"))
        .status(404)
        .next("symbolon custody list")
}

/// A passkey is asked by a browser; other ways of a person's vault open no home.
fn in_the_page(method: Method) -> CallError {
    let message = format!("a {method} is no way for a terminal; a passkey is used in the page");
    CallError::caller("in_the_page", message).next("symbolon page")
}

fn no_passphrase() -> CallError {
    CallError::caller("passphrase", "a passphrase is needed").next("symbolon unlock")
}

const PASSPHRASE_BYTES_MIN: usize = 8;
