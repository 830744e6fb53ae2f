//! How elements, keys and bytes are written in JSON.

use symbolon_circuits::{Element, IssuerPublicKey, Nonce, PROOF_BYTES_MAX, Proof};
use symbolon_codec::{b64url, hex};

use crate::MalformedError;

fn member(what: &str) -> MalformedError {
    MalformedError::Member(what.to_owned())
}

fn hex_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mut bytes = [0; N];
    (is_lower && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

/// 32 lower-case digits.
pub fn nonce(text: &str) -> Result<Nonce, MalformedError> {
    hex_of(text).map(Nonce).ok_or_else(|| member("a nonce is 32 hex digits"))
}

pub fn nonce_text(nonce: Nonce) -> String {
    hex::encode(nonce.0)
}

/// 64 lower-case digits, little-endian, below the field's order.
pub fn element(text: &str) -> Result<Element, MalformedError> {
    let bytes = hex_of(text).ok_or_else(|| member("an element is 64 hex digits"))?;
    Element::from_bytes(&bytes).map_err(|error| MalformedError::Member(error.to_string()))
}

pub fn element_text(element: Element) -> String {
    hex::encode(element.to_bytes())
}

/// An issuer's key, of 64 lower-case hex digits: a point of its group.
///
/// # Errors
/// [`MalformedError`].
pub fn issuer(text: &str) -> Result<IssuerPublicKey, MalformedError> {
    let bytes = hex_of(text).ok_or_else(|| member("an issuer's key is 64 hex digits"))?;
    IssuerPublicKey::from_bytes(&bytes).map_err(|error| MalformedError::Member(error.to_string()))
}

pub fn issuer_text(issuer: IssuerPublicKey) -> String {
    hex::encode(issuer.to_bytes())
}

pub fn proof(text: &str) -> Result<Proof, MalformedError> {
    let bytes = b64url::decode(text, PROOF_BYTES_MAX)?;
    Proof::from_bytes(&bytes).map_err(|error| MalformedError::Member(error.to_string()))
}

pub fn proof_text(proof: &Proof) -> String {
    b64url::encode(proof.as_bytes())
}

/// A value of `serde` whose members are all known.
pub fn known<T: serde::de::DeserializeOwned>(
    value: serde_json::Value,
) -> Result<T, MalformedError> {
    serde_json::from_value(value).map_err(|error| MalformedError::Member(error.to_string()))
}
