//! HMAC (RFC 2104) for signatures that other services define, under keys of theirs.

use hmac::{Hmac, KeyInit};
use symbolon_secret::{Secret, on_stack};

/// The hash inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacHash {
    /// SHA-1: for services that know nothing else.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// A signature: 20, 32 or 64 bytes, not secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MacBytes {
    bytes: [u8; 64],
    len: usize,
}

impl AsRef<[u8]> for MacBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl std::fmt::Debug for MacBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacBytes")
    }
}

/// HMAC of pieces joined without separators, under a key that its caller holds open in secret
/// memory. The key's block and the inner state stay on the secret stack.
pub fn hmac(hash: MacHash, key: &[u8], parts: &[&[u8]]) -> MacBytes {
    let mut out = MacBytes { bytes: [0; 64], len: 0 };
    on_stack(|| {
        out.len = match hash {
            MacHash::Sha1 => run::<Hmac<sha1::Sha1>>(key, parts, &mut out.bytes),
            MacHash::Sha256 => run::<Hmac<sha2::Sha256>>(key, parts, &mut out.bytes),
            MacHash::Sha512 => run::<Hmac<sha2::Sha512>>(key, parts, &mut out.bytes),
        };
    });
    out
}

/// As [`hmac`] with SHA-512, without the other hashes: a page that derives keys from a seed need not load them. Its
/// caller is on the secret stack.
pub(crate) fn hmac_sha512(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    let mut out = [0; 64];
    run::<Hmac<sha2::Sha512>>(key, parts, &mut out);
    out
}

/// As [`hmac`] with SHA-256, under a key in its own pages.
pub fn hmac_under(key: &Secret<[u8; 32]>, parts: &[&[u8]]) -> MacBytes {
    // EXPOSE: HMAC reads the key, on the secret stack.
    on_stack(|| hmac(MacHash::Sha256, key.expose(), parts))
}

/// The signing key of AWS Signature Version 4 for one day, region and service, from a secret access
/// key that its caller holds open in secret memory.
///
/// Source: AWS General Reference, "Create a signed AWS API request", step 4.
pub fn aws4_key(secret: &[u8], date: &str, region: &str, service: &str) -> Secret<[u8; 32]> {
    Secret::<[u8; 32]>::make(|out| {
        on_stack(|| {
            let mut first = [0; 4 + AWS_SECRET_BYTES_MAX];
            let len = secret.len().min(AWS_SECRET_BYTES_MAX);
            first[..4].copy_from_slice(b"AWS4");
            first[4..4 + len].copy_from_slice(&secret[..len]);
            let mut key = hmac(MacHash::Sha256, &first[..4 + len], &[date.as_bytes()]);
            for step in [region, service, "aws4_request"] {
                key = hmac(MacHash::Sha256, key.as_ref(), &[step.as_bytes()]);
            }
            out.copy_from_slice(key.as_ref());
        });
    })
}

/// The longest secret access key that [`aws4_key`] reads; AWS's have 40 characters.
pub const AWS_SECRET_BYTES_MAX: usize = 128;

fn run<M: hmac::Mac + KeyInit>(key: &[u8], parts: &[&[u8]], out: &mut [u8; 64]) -> usize {
    let mut mac = match <M as KeyInit>::new_from_slice(key) {
        Ok(mac) => mac,
        // INFALLIBLE: the only error is a length that HMAC does not have.
        Err(_) => unreachable!("HMAC takes keys of any length (RFC 2104, section 2)"),
    };
    for part in parts {
        mac.update(part);
    }
    let code = mac.finalize().into_bytes();
    out[..code.len()].copy_from_slice(&code);
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_codec::hex;

    /// RFC 4231, test cases 2 and 6; RFC 2202, test case 2.
    #[test]
    fn published_vectors() {
        let sign = |hash, key: &[u8], text: &[u8]| hex::encode(hmac(hash, key, &[text]));
        let (key, text) = (b"Jefe", b"what do ya want for nothing?");
        assert_eq!(sign(MacHash::Sha1, key, text), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(
            sign(MacHash::Sha256, key, text),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            sign(MacHash::Sha512, key, text),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
        );
    }

    /// AWS General Reference, "Deriving the signing key": the worked example.
    #[test]
    fn the_derived_key_of_the_reference() {
        let secret = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let key = aws4_key(secret, "20150830", "us-east-1", "iam");
        // EXPOSE: a published key.
        let shown = hex::encode(key.expose());
        assert_eq!(shown, "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
    }
}
