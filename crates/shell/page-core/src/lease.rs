//! The vault's data key, lent to its server for minutes: `specs/lease.md`.

use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_ambient::Rng;
use symbolon_codec::b64url;
use symbolon_crypto::RecipientKey;
use symbolon_custody::{Asked, NONCE_BYTES, Purpose, Purposes, Terms, VaultId};

use crate::{Failed, Opened};

/// `GET /api/vault/lease-key`.
#[derive(Deserialize)]
struct LeaseKey {
    key: String,
    nonce: String,
    origin: String,
    vault: VaultId,
    epoch: u32,
}

impl Opened {
    /// What `POST /api/vault/leases` takes. `asked` is what the server asked, and `origin` the page's own:
    /// nothing is sealed for another.
    ///
    /// # Errors
    /// `shape`; `other_server` for another origin or vault; `stale` for another data key; `lease` for no
    /// purpose or too many minutes.
    pub fn lend(
        &self,
        asked: &str,
        origin: &str,
        purposes: &[&str],
        minutes: u32,
        rng: &dyn Rng,
    ) -> Result<Value, Failed> {
        let shape = || Failed::shape("question for a lease");
        let asked: LeaseKey = serde_json::from_str(asked).map_err(|_| shape())?;
        if asked.origin != origin || asked.vault != self.vault_id() {
            return Err(Failed {
                code: "other_server",
                message: "The server asks for a key in another's name; nothing was lent.".into(),
                next: Some("Close this page, and open the address that you know.".into()),
            });
        }
        if asked.epoch != self.unlocked().epoch() {
            return Err(Failed {
                code: "stale",
                message: "The vault's key was changed on another device.".into(),
                next: Some("Lock the vault and open it again.".into()),
            });
        }
        let named: Option<Vec<_>> = purposes.iter().map(|word| Purpose::parse(word)).collect();
        let purposes = named.and_then(Purposes::new).ok_or_else(shape)?;
        if !(1..=purposes.minutes_max()).contains(&minutes) {
            return Err(Failed {
                code: "lease",
                message: format!("This is lent for 1 to {} minutes.", purposes.minutes_max()),
                next: None,
            });
        }
        let nonce = bytes::<NONCE_BYTES>(&asked.nonce).ok_or_else(shape)?;
        let to = bytes::<32>(&asked.key).ok_or_else(shape)?;
        let to = RecipientKey::from_bytes(&to).map_err(|_| shape())?;
        let on = Asked { origin, key: &to, nonce: &nonce, minutes };
        let terms = Terms::lease(asked.vault, asked.epoch, &on, purposes);
        let sealed = self.unlocked().hand_over(&to, &terms, rng);
        let sealed = sealed.map_err(|error| Failed::new("memory", &error))?;
        Ok(json!({
            "nonce": b64url::encode(&nonce),
            "purposes": purposes.iter().map(Purpose::as_str).collect::<Vec<_>>(),
            "minutes": minutes,
            "sealed": b64url::encode(&sealed),
        }))
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    b64url::decode(text, N).ok().and_then(|bytes| bytes.try_into().ok())
}
