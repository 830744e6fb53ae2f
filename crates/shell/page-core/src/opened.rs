//! A vault that is open in this Worker.

use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_ambient::{Clock, Rng};
use symbolon_codec::b64url;
use symbolon_custody::{OldKey, Unlocked, Vault, VaultId, Wrap};
use symbolon_vault::{EpochKeys, Keys, Replica};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::wasm_bindgen;

use crate::Failed;
use crate::custody::{Change, Way};

/// A vault whose data key is at hand. Dropping it wipes the key, and locks.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
#[derive(Debug)]
pub struct Opened {
    custody: Vault,
    unlocked: Unlocked,
}

/// `GET /api/vault`, as far as opening needs it. What it says is believed as far as the wraps open.
#[derive(Deserialize)]
struct VaultView {
    id: VaultId,
    wraps: Vec<Wrap>,
    #[serde(default)]
    ring: String,
}

impl Opened {
    /// A new vault, which its first way opens. No server has it yet: [`Opened::sign_up`].
    ///
    /// # Errors
    /// What the way is refused for.
    pub fn create(first: &Way, rng: &dyn Rng, clock: &dyn Clock) -> Result<Self, Failed> {
        let (custody, unlocked) = Vault::create(&first.enrol()?, rng, clock)?;
        Ok(Self { custody, unlocked })
    }

    /// The vault that a server describes, opened by what was brought.
    ///
    /// # Errors
    /// `shape` for what is no vault; `wrong_secret`, `other_passkey`, `other_wallet`, `changed_signature`,
    /// `no_such_method`, `damaged`.
    pub fn unlock(view: &str, way: &Way) -> Result<Self, Failed> {
        let custody = custody_of(view)?;
        let unlocked = custody.unlock(&way.opener())?;
        Ok(Self { custody, unlocked })
    }

    /// What `POST /api/account` takes of a vault that was just made.
    ///
    /// # Errors
    /// `ring`.
    pub fn sign_up(&self, clock: &dyn Clock) -> Result<Value, Failed> {
        let replica = Replica::create(self.keys()?, clock);
        let keys = replica.keys();
        Ok(json!({
            "id": keys.vault(),
            "head_key": b64url::encode(keys.head_key().as_bytes()),
            "share_key": b64url::encode(keys.share_key().as_bytes()),
            "wraps": self.custody.wraps(),
            "head": replica.head(),
        }))
    }

    /// Takes a change that the server took.
    pub fn adopt(&mut self, change: Change) {
        self.custody = change.vault;
        if let Some(unlocked) = change.unlocked {
            self.unlocked = unlocked;
        }
    }

    /// The wraps that a server has now, where another device of the account changed them.
    ///
    /// # Errors
    /// `shape`; `stale` where the data key is another one by now, or the vault is.
    pub fn refresh(&mut self, view: &str) -> Result<(), Failed> {
        let custody = custody_of(view)?;
        if custody.id() != self.custody.id() || custody.epoch() != self.unlocked.epoch() {
            return Err(Failed {
                code: "stale",
                message: "The vault's key was changed on another device.".into(),
                next: Some("Lock the vault and open it again.".into()),
            });
        }
        self.custody = custody;
        Ok(())
    }

    /// What there is to know of it without a secret.
    pub fn overview(&self) -> Value {
        let wraps = self.custody.wraps().iter().map(|wrap| {
            json!({
                "id": wrap.id(),
                "method": wrap.method(),
                "created_unix_ms": wrap.created_unix_ms(),
                "account": wrap.account(),
                "origin": wrap.origin(),
                "passkey": wrap.passkey().map(b64url::encode),
            })
        });
        let by = self.unlocked.opened_by();
        json!({
            "vault": self.custody.id(),
            "epoch": self.unlocked.epoch(),
            "opened_by": by.map(|(wrap, _)| wrap),
            "wraps": wraps.collect::<Vec<_>>(),
            "warnings": self.custody.warnings().iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }

    /// The keys of every data key that is at hand.
    ///
    /// # Errors
    /// `ring`.
    pub fn keys(&self) -> Result<Keys, Failed> {
        keys(&self.custody, &self.unlocked)
    }

    /// The data key's subkeys.
    pub const fn unlocked(&self) -> &Unlocked {
        &self.unlocked
    }

    /// Its wraps and its ring.
    pub const fn custody(&self) -> &Vault {
        &self.custody
    }

    /// The vault.
    pub fn vault_id(&self) -> VaultId {
        self.custody.id()
    }
}

/// The keys of a vault's present epoch, and of those before it.
pub(crate) fn keys(custody: &Vault, unlocked: &Unlocked) -> Result<Keys, Failed> {
    let mut keys = Keys::new(unlocked, unlocked.epoch());
    for old in custody.ring() {
        keys.add_older(old.epoch(), EpochKeys::derive(&unlocked.earlier(old.epoch())?));
    }
    Ok(keys)
}

/// The wraps and the ring. The day that a vault was made is that of its first wrap.
fn custody_of(view: &str) -> Result<Vault, Failed> {
    let shape = || Failed::shape("vault that the server describes");
    let VaultView { id, wraps, ring } = serde_json::from_str(view).map_err(|_| shape())?;
    let ring = b64url::decode(&ring, RING_BYTES_MAX).map_err(|_| shape())?;
    // Text, as the rest: a second reader, of bytes, would be some kilobytes more to load.
    let ring: Vec<OldKey> = match std::str::from_utf8(&ring).map_err(|_| shape())? {
        "" => Vec::new(),
        text => serde_json::from_str(text).map_err(|_| shape())?,
    };
    let created = wraps.iter().map(Wrap::created_unix_ms).min().unwrap_or_default();
    Ok(Vault::from_parts(id, created, wraps)?.with_ring(ring)?)
}

/// 64 keys in JSON.
const RING_BYTES_MAX: usize = 64 << 10;
