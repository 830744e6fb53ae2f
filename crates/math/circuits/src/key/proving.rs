//! The key that proofs of a statement are made with.

use std::marker::PhantomData;

use midnight_curves::Bls12;
use midnight_proofs::poly::kzg::params::ParamsKZG;
use midnight_proofs::utils::SerdeFormat;
use midnight_zk_stdlib::{MidnightPK, MidnightVK, setup_pk, setup_vk};
use symbolon_crypto::sha256;

use super::pins::pins;
use super::srs::powers;
use super::verifying;
use crate::statements::Statement;
use crate::statements::relation::Shape;

/// The proving key of a statement, with the part of the reference string that it needs.
///
/// It is a few megabytes, and public: made once in seconds, then stored and read in a fraction of one.
pub struct ProvingKey<S: Statement> {
    pub(crate) params: ParamsKZG<Bls12>,
    pub(crate) key: MidnightPK<Shape>,
    statement: PhantomData<fn() -> S>,
}

/// Why there is no proving key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The bytes are not those whose hash is pinned: of another version, or damaged.
    #[error("the stored proving key is not the pinned one")]
    NotPinned,
    /// The reference string in the program is not the ceremony's.
    #[error("the reference string in the program is damaged")]
    ReferenceString,
}

impl<S: Statement> ProvingKey<S> {
    /// Makes it from the reference string: seconds of work.
    pub fn make() -> Result<Self, KeyError> {
        Self::make_both().map(|(key, _)| key)
    }

    /// Reads a stored key: the bytes of [`write`](Self::write), whose SHA-256 is pinned.
    pub fn read(bytes: &[u8]) -> Result<Self, KeyError> {
        if sha256(bytes).0 != pins::<S>().proving_sha256 {
            return Err(KeyError::NotPinned);
        }
        let (params, key) = read_unpinned(bytes).ok_or(KeyError::NotPinned)?;
        Ok(Self { params, key, statement: PhantomData })
    }

    /// The bytes to store: the reference string's part, then the key, both as the library lays
    /// them out raw.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let format = SerdeFormat::RawBytesUnchecked;
        // INFALLIBLE: a vector takes all that is written.
        self.params.write_custom(&mut bytes, format).expect("written to memory");
        // INFALLIBLE: as above.
        self.key.write(&mut bytes, format).expect("written to memory");
        bytes
    }

    /// Makes the key, and the file of the verifying key that belongs to it.
    #[doc(hidden)]
    pub fn make_both() -> Result<(Self, Vec<u8>), KeyError> {
        let made = generate(Shape::of::<S>(), S::K).ok_or(KeyError::ReferenceString)?;
        let (params, key, file) = made;
        Ok((Self { params, key, statement: PhantomData }, file))
    }

    /// Bytes of each proof, by the constraint system.
    #[doc(hidden)]
    pub fn proof_bytes(&self) -> usize {
        proof_bytes(Shape::of::<S>(), S::K)
    }
}

/// Both keys of a circuit, the verifying one as its file. These three are the same for all
/// statements, so that the library is compiled once.
fn generate(shape: Shape, k: u32) -> Option<(ParamsKZG<Bls12>, MidnightPK<Shape>, Vec<u8>)> {
    let params = powers::read(k)?;
    let verifying: MidnightVK = setup_vk(&params, &shape);
    let key = setup_pk(&shape, &verifying);
    Some((params, key, verifying::write(&verifying)))
}

/// The library reads what it wrote without checking it, so the hash is checked before.
fn read_unpinned(mut bytes: &[u8]) -> Option<(ParamsKZG<Bls12>, MidnightPK<Shape>)> {
    let format = SerdeFormat::RawBytesUnchecked;
    let params = ParamsKZG::read_custom(&mut bytes, format).ok()?;
    let key = MidnightPK::read(&mut bytes, format).ok()?;
    bytes.is_empty().then_some((params, key))
}

fn proof_bytes(shape: Shape, k: u32) -> usize {
    midnight_zk_stdlib::cost_model(&shape, Some(k)).size + LEFT_OUT
}

/// What the library's model leaves out of a proof: a point and two scalars. Each statement's proofs
/// are held against the sum (tests).
const LEFT_OUT: usize = 48 + 2 * 32;

impl<S: Statement> std::fmt::Debug for ProvingKey<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProvingKey({})", pins::<S>().statement)
    }
}
