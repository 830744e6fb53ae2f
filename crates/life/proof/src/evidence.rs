//! What is kept of a proof that was taken.

use serde::Serialize;
use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::{labels, sha256};

use crate::{Presentation, text};

/// A presentation whose statement has a key.
pub(crate) trait Witnessed {
    fn verifying_key(&self) -> [u8; 32];
}

/// Hashes that say what was shown under which policy and by which key, and what the holder agreed to.
/// It names neither account nor binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    r#type: &'static str,
    statement: &'static str,
    audience: String,
    request: String,
    policy: String,
    proofs: Vec<String>,
    proof_set: String,
    verifying_key: String,
    consent: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    /// Shown by claims that anybody could have made.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    demo: bool,
    verified_unix_ms: u64,
}

impl Evidence {
    pub(crate) fn of(presentation: &Presentation, verified_unix_ms: u64) -> Self {
        let request = &presentation.request;
        let hash = proof_hash(presentation);
        Self {
            r#type: "symbolon/evidence/v1",
            statement: request.policy.statement(),
            audience: request.audience.as_str().to_owned(),
            request: request.hash().to_string(),
            policy: request.policy.hash().to_string(),
            proofs: vec![hash.to_string()],
            proof_set: proof_set(&[hash]).to_string(),
            verifying_key: Digest32(presentation.verifying_key()).to_string(),
            consent: consent(presentation).to_string(),
            issuer: presentation.issuer.map(text::issuer_text),
            demo: presentation.is_demo(),
            verified_unix_ms,
        }
    }

    /// Whether it was shown by claims that anybody could have made: of nobody.
    pub const fn is_demo(&self) -> bool {
        self.demo
    }

    /// As JSON.
    pub fn to_value(&self) -> serde_json::Value {
        // INFALLIBLE: strings and numbers are JSON.
        serde_json::to_value(self).expect("strings and numbers are JSON")
    }
}

fn proof_hash(presentation: &Presentation) -> Digest32 {
    let fields = Fields::new(labels::PROOF_BYTES.as_str());
    sha256(&fields.bytes(presentation.proof.as_bytes()).finish())
}

/// Of hashes in ascending order.
fn proof_set(hashes: &[Digest32]) -> Digest32 {
    let mut sorted: Vec<[u8; 32]> = hashes.iter().map(|hash| hash.0).collect();
    sorted.sort_unstable();
    let fields = Fields::new(labels::PROOF_SET.as_str());
    sha256(&sorted.iter().fold(fields, |fields, hash| fields.bytes(hash)).finish())
}

fn consent(presentation: &Presentation) -> Digest32 {
    let request = &presentation.request;
    let fields = Fields::new(labels::PROOF_CONSENT.as_str()).bytes(&request.hash().0);
    sha256(&fields.str(&request.words()).u64(presentation.agreed_unix_ms).finish())
}
