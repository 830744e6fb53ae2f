//! The issuer that anybody can be.

use symbolon_circuits::{IssuerKey, IssuerPublicKey};
use symbolon_crypto::{labels, sha256};
use symbolon_secret::Secret;

/// The demo issuer's key: SHA-256 of its label with the five highest bits cleared, which is below the
/// order of the group. Everybody knows it, so its claims say nothing; they are for trying things out,
/// and are marked wherever they appear.
pub fn demo_issuer() -> IssuerKey {
    let mut bytes = sha256(labels::DEMO_ISSUER.as_str().as_bytes()).0;
    bytes[31] &= 0x07;
    // INFALLIBLE: below 2^251, not zero, and the same each time; a test makes it.
    IssuerKey::from_secret(&Secret::make(|page| *page = bytes)).expect("a scalar")
}

/// Whether a key is the demo issuer's.
pub fn is_demo(issuer: &IssuerPublicKey) -> bool {
    *issuer == demo_issuer().public()
}
