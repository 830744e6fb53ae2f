//! Base64 (RFC 4648 section 4), padded; bounded on the way in.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::CodecError;

/// Bytes as padded base64.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Padded base64 as bytes, `max` of them at most.
///
/// # Errors
/// [`CodecError::TooLong`] or [`CodecError::Encoding`]; non-canonical trailing bits are refused.
pub fn decode(text: &str, max: usize) -> Result<Vec<u8>, CodecError> {
    bounded(text, max)?;
    STANDARD.decode(text).map_err(|_| CodecError::Encoding("base64"))
}

/// Bytes as unpadded base64url.
pub fn encode_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Unpadded base64url as bytes, `max` of them at most.
///
/// # Errors
/// As [`decode`].
pub fn decode_url(text: &str, max: usize) -> Result<Vec<u8>, CodecError> {
    bounded(text, max)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| CodecError::Encoding("base64url"))
}

fn bounded(text: &str, max: usize) -> Result<(), CodecError> {
    let found = text.len() / 4 * 3;
    if found > max.saturating_add(2) { Err(CodecError::TooLong { found, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_text_is_read() {
        assert_eq!(decode("YQ==", 8).unwrap(), b"a");
        for bad in ["YQ", "YR==", "YQ= =", "Y*==", "YQ==\n"] {
            assert!(decode(bad, 8).is_err(), "{bad:?}");
        }
        assert_eq!(decode_url("_-8", 8).unwrap(), [0xff, 0xef]);
        assert!(matches!(decode(&encode(&[0; 100]), 10), Err(CodecError::TooLong { .. })));
    }
}
