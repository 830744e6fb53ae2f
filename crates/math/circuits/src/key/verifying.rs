//! The key that proofs of a statement are checked with.

use std::marker::PhantomData;

use ff::PrimeField;
use midnight_proofs::utils::SerdeFormat;
use midnight_zk_stdlib::MidnightVK;
use symbolon_crypto::sha256;

use super::pins::Pins;
use crate::Fr;
use crate::statements::Statement;
use crate::value::{Domain, Element, hash, parts, tag};

/// The verifying key of a statement. There is one, it comes with the program, and it was held
/// against its hash and its constraint system when it was read.
pub struct VerifyingKey<S> {
    pub(crate) key: MidnightVK,
    statement: PhantomData<fn() -> S>,
}

/// Bytes of the representative at the end of a verifying key's file.
const REPRESENTATIVE: usize = 32;

impl<S: Statement> VerifyingKey<S> {
    /// The key that is pinned. Nothing where the program's bytes are not what they were, or the
    /// library builds another constraint system than the one that the key was made for.
    pub fn pinned() -> Option<Self> {
        let pins = super::pins::<S>();
        if sha256(pins.verifying).0 != pins.verifying_sha256 {
            return None;
        }
        let (bytes, representative) = pins.verifying.split_last_chunk::<REPRESENTATIVE>()?;
        let key = MidnightVK::read(&mut &*bytes, SerdeFormat::Processed).ok()?;
        let good = key.vk().transcript_repr().to_repr().as_ref() == representative;
        good.then_some(Self { key, statement: PhantomData })
    }

    /// What is pinned of the keys.
    pub fn pins() -> &'static Pins {
        super::pins::<S>()
    }

    /// The file's SHA-256, for people.
    pub fn sha256() -> [u8; 32] {
        Self::pins().verifying_sha256
    }

    /// The file's Poseidon hash, for other circuits: over the domain, the file's length, and its
    /// bytes in parts of 31, each a number little-endian.
    pub fn poseidon() -> Element {
        let file = Self::pins().verifying;
        let head = [tag(Domain::VerifyingKey, 0), Fr::from(file.len() as u64)];
        Element(hash(&head.into_iter().chain(parts(file)).collect::<Vec<_>>()))
    }
}

/// A verifying key's file.
#[cfg(feature = "prove")]
pub(crate) fn write(key: &MidnightVK) -> Vec<u8> {
    let mut bytes = Vec::new();
    // INFALLIBLE: a vector takes all that is written.
    key.write(&mut bytes, SerdeFormat::Processed).expect("written to memory");
    bytes.extend_from_slice(key.vk().transcript_repr().to_repr().as_ref());
    bytes
}

impl<S: Statement> std::fmt::Debug for VerifyingKey<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({})", Self::pins().statement)
    }
}
