//! SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104). SHA-NI is used where the processor has it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Digest;
use symbolon_codec::Digest32;
use symbolon_secret::{Secret, on_stack};

/// SHA-256 of one piece.
pub fn sha256(bytes: &[u8]) -> Digest32 {
    sha256_parts(&[bytes])
}

/// SHA-256 of pieces joined without separators; where borders matter, hash
/// [`symbolon_codec::Fields`].
pub fn sha256_parts(parts: &[&[u8]]) -> Digest32 {
    let mut h = Sha256::new();
    for p in parts {
        h.update(p);
    }
    h.finish()
}

/// SHA-256 in steps.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        Digest::update(&mut self.0, bytes);
    }

    /// Takes in one field of the canonical list: its length as four bytes, then its bytes.
    pub fn field(&mut self, bytes: &[u8]) {
        self.update(&(bytes.len() as u32).to_be_bytes());
        self.update(bytes);
    }

    /// The digest of all that was taken in.
    pub fn finish(self) -> Digest32 {
        Digest32(self.0.finalize().into())
    }
}

impl std::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sha256")
    }
}

/// SHA3-512 (FIPS 202) of one piece.
pub fn sha3_512(bytes: &[u8]) -> [u8; 64] {
    sha3::Sha3_512::digest(bytes).into()
}

/// HMAC-SHA256 of pieces joined without separators.
///
/// The key's block and the inner state stay on the secret stack; the result is public.
pub fn hmac_sha256<K: AsRef<[u8]> + ?Sized>(key: &Secret<K>, parts: &[&[u8]]) -> Digest32 {
    on_stack(|| {
        // EXPOSE: HMAC reads the key, on the secret stack.
        let mut mac = hmac_with(key.expose().as_ref());
        for p in parts {
            mac.update(p);
        }
        Digest32(mac.finalize().into_bytes().into())
    })
}

/// HMAC takes keys of any length, so there is no error to give on.
fn hmac_with(key: &[u8]) -> Hmac<sha2::Sha256> {
    match Hmac::new_from_slice(key) {
        Ok(mac) => mac,
        // INFALLIBLE: the only error is a length that HMAC does not have.
        Err(_) => unreachable!("HMAC takes keys of any length (RFC 2104, section 2)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fips_180_4_and_rfc_4231() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc").to_string(), abc);
        assert_eq!(sha256_parts(&[b"a", b"", b"bc"]).to_string(), abc);

        // FIPS 202's example of an empty message.
        let empty = symbolon_codec::hex::encode(sha3_512(b""));
        assert!(empty.starts_with("a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859"));

        let key = Secret::<[u8]>::make_slice(20, |b| b.fill(0x0b));
        assert_eq!(
            hmac_sha256(&key, &[b"Hi ", b"There"]).to_string(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        let long = Secret::<[u8]>::make_slice(131, |b| b.fill(0xaa));
        assert_eq!(
            hmac_sha256(&long, &[b"Test Using Larger Than Block-Size Key - Hash Key First"])
                .to_string(),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
