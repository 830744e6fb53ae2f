//! Proofs that this home holds its operator's key.

use serde::{Deserialize, Serialize};
use symbolon_ambient::SystemRng;
use symbolon_codec::{Digest32, hex};
use symbolon_crypto::{VerifyingKey, prove_identity};
use symbolon_trust::{OnionAddress, capsule_statement};

use crate::Broker;
use crate::api::CallError;

/// A proof of the operator's key, with whose it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdentityProofView {
    /// The operator's public key.
    pub operator: VerifyingKey,
    /// Its Tor v3 address.
    pub onion: String,
    /// 64 bytes in hex; absent where nothing was asked to be proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

impl Broker {
    /// Proves the operator's key over the transcript of a capsule's receipt, under the label of such
    /// receipts; without a transcript it says whose key that would be.
    ///
    /// # Errors
    /// [`CallError`]: locked.
    pub fn prove_operator(
        &self,
        transcript: Option<&Digest32>,
    ) -> Result<IdentityProofView, CallError> {
        let open = self.opened()?;
        let operator = open.operator.verifying_key();
        let proof = transcript.map(|transcript| {
            let statement = capsule_statement(transcript);
            hex::encode(prove_identity(&open.operator, &statement, &SystemRng))
        });
        Ok(IdentityProofView { operator, onion: OnionAddress::of(&operator).to_string(), proof })
    }
}
