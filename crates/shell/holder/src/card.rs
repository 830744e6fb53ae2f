//! `vault.json`: what is known of a vault without a key. Nothing in it is secret.

use serde::{Deserialize, Serialize};
use symbolon_crypto::opaque::ServerKey;
use symbolon_custody::{OldKey, Vault, Wrap, WrapId};

use crate::device::DeviceSeal;
use crate::server::ServerUrl;

/// A vault, its wraps, and the account that it is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// Of this format: 1.
    pub version: u32,
    /// The id and every wrap that opens the vault here.
    pub custody: Vault,
    /// Those wraps that are this device's alone: no server gets them.
    pub here: Vec<WrapId>,
    /// Where a sealed copy is kept; absent for a vault of this device alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
}

/// An account at a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The server.
    pub server: ServerUrl,
    /// The name to sign in with.
    pub handle: String,
    /// The account's id, 32 hex digits.
    pub id: String,
    /// The server's OPAQUE key as it was first seen, 64 hex digits: another is refused. Nothing where no
    /// password was used here.
    pub opaque_key: String,
    /// The key that this device signs requests with, sealed.
    pub device: DeviceSeal,
}

impl Account {
    /// The pinned key of the server.
    pub fn pinned(&self) -> Option<ServerKey> {
        ServerKey::from_hex(&self.opaque_key).ok()
    }
}

impl Card {
    /// Of a vault and its wraps that are this device's alone.
    pub fn new(custody: Vault, here: Vec<WrapId>) -> Self {
        Self { version: VERSION, custody, here, account: None }
    }

    /// The wraps that a server may keep.
    pub fn elsewhere(&self) -> Vec<&Wrap> {
        self.custody.wraps().iter().filter(|wrap| !self.here.contains(&wrap.id())).collect()
    }

    /// With a server's list of wraps, of the same data key, beside those that are known. What opened the
    /// vault here goes on opening it: a server that leaves wraps out takes no way in away.
    pub fn with_wraps(&self, theirs: Vec<Wrap>, ring: Vec<OldKey>) -> Option<Self> {
        let mut wraps = self.custody.wraps().to_vec();
        let known: Vec<WrapId> = wraps.iter().map(Wrap::id).collect();
        wraps.extend(theirs.into_iter().filter(|wrap| !known.contains(&wrap.id())));
        let (id, created) = (self.custody.id(), self.custody.created_unix_ms());
        let custody = Vault::from_parts(id, created, wraps).ok()?.with_ring(ring).ok()?;
        (custody.epoch() == self.custody.epoch()).then(|| Self { custody, ..self.clone() })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        // INFALLIBLE: strings, numbers and lists have a JSON form.
        serde_json::to_vec_pretty(self).expect("a card has a JSON form")
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|card: &Self| card.version == VERSION)
    }
}

pub(crate) const CARD: &str = "vault.json";
/// Sixty-four wraps and as many old keys have far less.
pub(crate) const CARD_BYTES_MAX: u64 = 1 << 20;
const VERSION: u32 = 1;
