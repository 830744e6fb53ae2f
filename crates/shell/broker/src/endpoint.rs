//! Keys of the operator's that leave the broker for a command of its owner: the one that this home's node in the mesh answers
//! with, and the operator's word for it (`specs/mesh.md`); the one that checkpoints are anchored with (`specs/anchor.md`).

use serde::{Deserialize, Serialize};
use symbolon_ambient::{Clock, SystemClock};
use symbolon_codec::hex;
use symbolon_crypto::labels::ANCHOR_EVM_KEY;
use symbolon_mesh::{Certificate, derive_endpoint};
use symbolon_secret::Secret;

use crate::Broker;
use crate::api::CallError;

/// What a node shows of its key. The seed travels beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EndpointView {
    /// The certificate, in hex.
    pub certificate: String,
}

impl Broker {
    /// The seed of the node's key, a hardened child of the operator's, and a certificate for it that is good for 90
    /// days from now.
    ///
    /// # Errors
    /// [`CallError`]: locked.
    pub fn node_endpoint(&self) -> Result<(EndpointView, Secret<[u8]>), CallError> {
        let open = self.acting()?;
        let key = derive_endpoint(&open.operator, 0);
        let now = SystemClock.unix_ms();
        // A clock that is behind takes it all the same: mesh leaves five minutes for that.
        let signed = Certificate::sign(&open.operator, key.verifying_key(), now, now + VALIDITY_MS);
        let signed = signed.map_err(|e| CallError::bug(e.to_string()))?;
        let view = EndpointView { certificate: hex::encode(signed.bytes()) };
        Ok((view, key.seed()))
    }

    /// The key of secp256k1 that checkpoints are anchored with on a chain: a hardened child of the operator's.
    ///
    /// # Errors
    /// [`CallError`]: locked.
    pub fn anchor_key(&self) -> Result<Secret<[u8]>, CallError> {
        let open = self.opened()?;
        Ok(open.operator.derive_child(&ANCHOR_EVM_KEY, b"").seed())
    }
}

/// A node asks anew each time that it starts.
const VALIDITY_MS: u64 = 90 * 24 * 3600 * 1000;
