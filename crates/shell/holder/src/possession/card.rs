//! What stands in the clear of a key on this device.

use serde::{Deserialize, Serialize};
use symbolon_codec::Fields;

use crate::ServerUrl;

/// A key's file: what it is for, and the sealed rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyCard {
    /// The service's address.
    pub audience: String,
    /// The account there that the key is of, or empty.
    pub account: String,
    /// Who issues tokens for it.
    pub issuer: ServerUrl,
    /// The service's id there, 32 hex digits.
    pub service: String,
    /// What the service calls the key.
    pub key_name: String,
    /// The key's id, 32 hex digits.
    pub key: String,
    /// This device's id, 32 hex digits.
    pub device: String,
    /// What this device is called there.
    pub device_name: String,
    /// What tokens may be good for.
    pub scopes: String,
    /// The key that this device signs with, base64url.
    pub public: String,
    /// When it was enrolled, in Unix milliseconds.
    pub enrolled_unix_ms: u64,
    /// Key, function's value and seed, sealed, base64url.
    pub(crate) sealed: String,
}

impl KeyCard {
    /// What the sealed part is bound to.
    pub(super) fn context(&self) -> Vec<u8> {
        Fields::new(&self.issuer.to_string())
            .str(&self.service)
            .str(&self.audience)
            .str(&self.account)
            .str(&self.public)
            .finish()
    }
}
