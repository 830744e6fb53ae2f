//! Elements of the scalar field of BLS12-381: what circuits count in.

use ff::{FromUniformBytes, PrimeField};
use symbolon_crypto::{Label, sha256_parts};
use symbolon_secret::Secret;

use crate::Fr;

/// Bytes of an element.
pub const ELEMENT_BYTES: usize = 32;
/// The longest text that is hashed to an element, in bytes.
pub const TEXT_BYTES_MAX: usize = 65_536;

/// A public element of the field: an integer below the order, 32 bytes little-endian.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Element(pub(crate) Fr);

/// Bytes that are no element: the integer is not below the field's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an element: the integer is not below the field's order")]
pub struct NotCanonical;

impl Element {
    /// Reads the canonical bytes, and no others.
    pub fn from_bytes(bytes: &[u8; ELEMENT_BYTES]) -> Result<Self, NotCanonical> {
        canonical(bytes).map(Self).ok_or(NotCanonical)
    }

    /// The canonical bytes, little-endian.
    pub fn to_bytes(self) -> [u8; ELEMENT_BYTES] {
        self.0.to_repr().as_ref().try_into().unwrap_or_default()
    }

    /// `hash_to_field` of RFC 9380 section 5.2 with `expand_message_xmd` over SHA-256, m = 1 and
    /// L = 48; `label` is the DST. `text` is up to [`TEXT_BYTES_MAX`] bytes; what is longer is the
    /// caller's to refuse.
    pub fn hash(label: &Label, text: &[u8]) -> Self {
        let [a, b] = expand(label.as_str().as_bytes(), text);
        let mut wide = [0; 64];
        for (i, byte) in a.iter().chain(&b[..16]).rev().enumerate() {
            wide[i] = *byte;
        }
        Self(Fr::from_uniform_bytes(&wide))
    }
}

impl std::fmt::Debug for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("0x")?;
        self.to_bytes().iter().rev().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// Bytes in parts of 31, each a number little-endian: lists of one length are the same where the bytes are.
pub(crate) fn parts(bytes: &[u8]) -> impl Iterator<Item = Fr> + '_ {
    bytes.chunks(31).map(|part| {
        let mut whole = [0; ELEMENT_BYTES];
        whole[..part.len()].copy_from_slice(part);
        // INFALLIBLE: 31 bytes are below the field's order.
        canonical(&whole).unwrap_or_default()
    })
}

/// An element that nobody may see, in secret memory.
pub struct Hidden(Secret<[u8; ELEMENT_BYTES]>);

impl Hidden {
    /// A uniform element.
    pub fn make(rng: &impl symbolon_ambient::Rng) -> Self {
        let wide = Secret::<[u8; 64]>::make(|bytes| rng.fill(bytes));
        // EXPOSE: reduced into secret memory.
        Self::keep(&Fr::from_uniform_bytes(wide.expose()))
    }

    /// From canonical bytes, and no others.
    pub fn from_secret(bytes: Secret<[u8; ELEMENT_BYTES]>) -> Result<Self, NotCanonical> {
        // EXPOSE: compared with the order.
        canonical(bytes.expose()).map(|_| Self(bytes)).ok_or(NotCanonical)
    }

    /// The canonical bytes, to seal them.
    pub fn secret(&self) -> &Secret<[u8; ELEMENT_BYTES]> {
        &self.0
    }

    /// As [`Element::hash`], of a text that nobody may see.
    pub fn hash(label: &Label, text: &Secret<[u8]>) -> Self {
        // EXPOSE: hashed into secret memory.
        Self::keep(&Element::hash(label, text.expose()).0)
    }

    pub(crate) fn keep(element: &Fr) -> Self {
        Self(Secret::make(|bytes| bytes.copy_from_slice(element.to_repr().as_ref())))
    }

    /// The element, in ordinary memory: the prover has no other.
    pub(crate) fn element(&self) -> Fr {
        // EXPOSE: what is proven goes into the prover; INFALLIBLE: checked where it came in.
        canonical(self.0.expose()).unwrap_or_default()
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden")
    }
}

fn canonical(bytes: &[u8; ELEMENT_BYTES]) -> Option<Fr> {
    let mut repr = <Fr as PrimeField>::Repr::default();
    repr.as_mut().copy_from_slice(bytes);
    Fr::from_repr(repr).into()
}

/// `expand_message_xmd` (RFC 9380 section 5.3.1) with SHA-256, for 48 bytes: two blocks, of which
/// the second is used by half.
fn expand(dst: &[u8], text: &[u8]) -> [[u8; 32]; 2] {
    let dst_len = [u8::try_from(dst.len()).unwrap_or(u8::MAX)];
    let b0 = sha256_parts(&[&[0; 64], text, &48u16.to_be_bytes(), &[0], dst, &dst_len]).0;
    let b1 = sha256_parts(&[&b0, &[1], dst, &dst_len]).0;
    let mixed: Vec<u8> = b0.iter().zip(b1).map(|(a, b)| a ^ b).collect();
    [b1, sha256_parts(&[&mixed, &[2], dst, &dst_len]).0]
}
