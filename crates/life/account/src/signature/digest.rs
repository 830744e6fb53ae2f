//! `Content-Digest` (RFC 9530), SHA-256.

use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};
use symbolon_codec::b64;
use symbolon_crypto::sha256;

use super::SignatureError;

/// The header's value for a body.
pub fn digest_of(body: &[u8]) -> String {
    format!("{SHA_256}=:{}:", b64::encode(&sha256(body).0))
}

/// Checks a body against the header: `sha-256` must be in it. Digests by other algorithms are passed over.
///
/// # Errors
/// [`SignatureError::Malformed`], or [`SignatureError::Digest`].
pub fn content_digest(header: &str, body: &[u8]) -> Result<(), SignatureError> {
    if header.len() > HEADER_BYTES_MAX {
        return Err(SignatureError::TooLong(NAME));
    }
    let read: Dictionary =
        Parser::new(header).parse().map_err(|_| SignatureError::Malformed(NAME))?;
    match read.get(SHA_256) {
        Some(ListEntry::Item(Item { bare_item: BareItem::ByteSequence(found), .. })) => {
            let fits = found.as_slice() == sha256(body).0;
            if fits { Ok(()) } else { Err(SignatureError::Digest) }
        }
        _ => Err(SignatureError::Malformed(NAME)),
    }
}

const NAME: &str = "Content-Digest";
const SHA_256: &str = "sha-256";
const HEADER_BYTES_MAX: usize = 1024;
