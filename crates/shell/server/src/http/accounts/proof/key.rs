//! A program's or device's Ed25519 key.

use serde::Deserialize;
use serde_json::Value;
use symbolon_account::{AccountStore, ChallengeId, Purpose};
use symbolon_broker::CallError;
use symbolon_codec::{Fields, b64url};
use symbolon_crypto::{VerifyingKey, labels};

use super::{super::bytes::Exactly, Begun, Step, fault, read};
use crate::http::accounts::service::Service;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyProof {
    public_key: Exactly<32>,
    signature: Exactly<64>,
}

impl<S: AccountStore> Service<S> {
    pub(super) fn ask_key(&self) -> Begun {
        let mut nonce = [0; 32];
        self.rng.fill(&mut nonce);
        let nonce_text = b64url::encode(&nonce);
        Begun { nonce: Some(nonce_text), ..Step::Key(Exactly(nonce)).into() }
    }

    /// The key that signed the challenge.
    pub(super) fn shown_key(
        &self,
        id: ChallengeId,
        purpose: Purpose,
        nonce: Exactly<32>,
        proof: Value,
    ) -> Result<Vec<u8>, CallError> {
        let KeyProof { public_key, signature } = read(proof)?;
        let key = VerifyingKey::from_bytes(&public_key.0).map_err(|_| fault::proof())?;
        let signed = Fields::new(labels::KEY_PROOF.as_str())
            .bytes(id.as_bytes())
            .str(purpose.as_str())
            .str(self.origin.as_str())
            .bytes(&nonce.0)
            .finish();
        key.verify(&signed, &signature.0).map_err(|_| fault::proof())?;
        Ok(public_key.0.to_vec())
    }
}
