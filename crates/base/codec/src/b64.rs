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

/// As [`decode`], of a secret: into `out`, with no copy elsewhere. Gives the length; `None` where the
/// text is not base64 or `out` is too short.
pub fn decode_into(text: &[u8], out: &mut [u8]) -> Option<usize> {
    STANDARD.decode_slice(text, out).ok()
}

/// Bytes as unpadded base64url.
pub fn encode_url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// As [`encode_url`], of a secret: into `out`, with no copy elsewhere. Gives the length; `None` where
/// `out` is too short.
pub fn encode_url_into(bytes: &[u8], out: &mut [u8]) -> Option<usize> {
    URL_SAFE_NO_PAD.encode_slice(bytes, out).ok()
}

/// Unpadded base64url as bytes, `max` of them at most.
///
/// # Errors
/// As [`decode`].
pub fn decode_url(text: &str, max: usize) -> Result<Vec<u8>, CodecError> {
    bounded(text, max)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| CodecError::Encoding("base64url"))
}

/// As [`decode_url`], of a secret: into `out`, with no copy elsewhere. Gives the length; `None` where the
/// text is not base64url or `out` is too short.
pub fn decode_url_into(text: &[u8], out: &mut [u8]) -> Option<usize> {
    URL_SAFE_NO_PAD.decode_slice(text, out).ok()
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

    #[test]
    fn slices_are_written_as_text_is() {
        for len in 0..100 {
            let bytes: Vec<u8> = (0..len).map(|i| (i * 37) as u8).collect();
            let text = encode(&bytes);
            let mut out = vec![0; text.len()];
            let n = decode_into(text.as_bytes(), &mut out).unwrap();
            assert_eq!(&out[..n], &bytes[..]);
            let text = encode_url(&bytes);
            let mut out = vec![0; text.len()];
            assert_eq!(encode_url_into(&bytes, &mut out), Some(text.len()));
            assert_eq!(out, text.as_bytes());
        }
        assert_eq!(decode_into(b"AA=A", &mut [0; 8]), None);
        assert_eq!(decode_into(b"AAAA", &mut [0; 2]), None);
        assert_eq!(encode_url_into(&[0; 3], &mut [0; 3]), None);
    }
}
