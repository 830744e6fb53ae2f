//! Digests that cannot be confirmed by guessing.

use std::fmt;

use symbolon_ambient::Rng;
use symbolon_codec::Digest32;
use symbolon_crypto::sha256_parts;

/// 256 random bits for one call, kept by the holder beside the receipt and in no statement.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// Random.
    pub fn make(rng: &dyn Rng) -> Self {
        let mut bytes = [0; 32];
        rng.fill(&mut bytes);
        Self(bytes)
    }

    /// As it was kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// To be kept.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Digest of the parameters, given as canonical JSON.
    pub fn parameters(&self, canonical_json: &[u8]) -> Digest32 {
        self.digest("symbolon/parameters/v1", canonical_json)
    }

    /// Digest of a request, given its own digest: the statement's subject.
    pub fn request(&self, request: &Digest32) -> Digest32 {
        self.digest("symbolon/request/v1", request.as_bytes())
    }

    /// Digest of a body that was sent on as it came, given its SHA-256.
    pub fn body(&self, body: &Digest32) -> Digest32 {
        self.digest("symbolon/body/v1", body.as_bytes())
    }

    /// SHA-256 of the canonical fields, without building them.
    fn digest(&self, tag: &str, value: &[u8]) -> Digest32 {
        let length = |bytes: &[u8]| (bytes.len() as u32).to_be_bytes();
        let tag = tag.as_bytes();
        sha256_parts(&[&length(tag), tag, &length(&self.0), &self.0, &length(value), value])
    }
}

impl fmt::Debug for Salt {
    /// Whoever has it can check guesses, so it is not shown by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt")
    }
}

#[cfg(test)]
mod tests {
    use symbolon_codec::Fields;
    use symbolon_crypto::sha256;

    use super::*;

    #[test]
    fn the_digest_is_of_the_fields_and_depends_on_the_salt() {
        let salt = Salt::from_bytes([7; 32]);
        let json = br#"{"repo":"symbolon"}"#;
        let fields = Fields::new("symbolon/parameters/v1").bytes(&[7; 32]).bytes(json).finish();
        assert_eq!(salt.parameters(json), sha256(&fields));
        assert_ne!(salt.parameters(json), Salt::from_bytes([8; 32]).parameters(json));
        let request = sha256(b"request");
        assert_ne!(salt.request(&request), salt.parameters(request.as_bytes()));
        assert_ne!(salt.request(&request), salt.body(&request));
    }
}
