//! Checking proofs, one by one and many at once.

use midnight_zk_stdlib::MidnightVK;

use crate::Fr;
use crate::key::{Pins, VerifyingKey, pins, verifier};
use crate::proof::Proof;
use crate::reading::{Ahead, long};
use crate::statements::Statement;
use crate::statements::relation::Shape;

/// Proofs that are checked at once, at most.
pub const BATCH_MAX: usize = 1024;

/// A proof that does not show its statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The proof is not as long as proofs of this statement are.
    #[error("a proof of this statement has {expected} bytes, this one {found}")]
    Length {
        /// As long as they are.
        expected: usize,
        /// As long as this one is.
        found: usize,
    },
    /// It shows something else, or nothing: of other public inputs, of another statement, changed.
    #[error("the proof does not show the statement")]
    Refused,
}

/// Why a batch was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// Nothing was to be checked. (The library calls that proven.)
    #[error("an empty batch proves nothing")]
    Empty,
    /// More than [`BATCH_MAX`].
    #[error("more than {BATCH_MAX} proofs in a batch")]
    TooMany,
    /// These are not good, by their places; the others are.
    #[error("proofs that are not good: {0:?}")]
    Refused(Vec<usize>),
}

/// A statement, its proof and the key that it is checked with.
pub struct Claimed<'a> {
    key: &'a MidnightVK,
    pub(crate) publics: Vec<Fr>,
    proof: &'a Proof,
    pins: &'static Pins,
}

impl<'a> Claimed<'a> {
    /// That `proof` shows `statement`.
    pub fn new<S: Statement>(key: &'a VerifyingKey<S>, statement: &S, proof: &'a Proof) -> Self {
        Self { key: &key.key, publics: statement.publics(), proof, pins: pins::<S>() }
    }

    /// Checks this one alone.
    pub fn check(&self) -> Result<(), VerifyError> {
        self.length()?;
        let (publics, proof) = (&self.publics, self.long().ok_or(VerifyError::Refused)?);
        midnight_zk_stdlib::verify::<Shape, Ahead>(verifier(), self.key, publics, None, &proof)
            .map_err(|_| VerifyError::Refused)
    }

    /// The proof, each point of it checked.
    fn long(&self) -> Option<Vec<u8>> {
        long(&self.proof.0, self.pins.layout)
    }

    fn length(&self) -> Result<(), VerifyError> {
        let (expected, found) = (self.pins.proof_bytes, self.proof.0.len());
        if expected == found { Ok(()) } else { Err(VerifyError::Length { expected, found }) }
    }
}

/// Checks that a proof shows a statement.
///
/// That the nonce was drawn by the caller and is spent, that the issuer is one it trusts, that the
/// date is its today and the binding one it knows: all that is the caller's (`specs/statements`).
pub fn verify<S: Statement>(
    key: &VerifyingKey<S>,
    statement: &S,
    proof: &Proof,
) -> Result<(), VerifyError> {
    Claimed::new(key, statement, proof).check()
}

/// Checks many at once, each of a statement of its own; a good batch costs a fraction of its
/// proofs checked alone, a bad one costs both.
pub fn verify_batch(batch: &[Claimed<'_>]) -> Result<(), BatchError> {
    if batch.is_empty() {
        return Err(BatchError::Empty);
    }
    if batch.len() > BATCH_MAX {
        return Err(BatchError::TooMany);
    }
    if batch.iter().all(|one| one.length().is_ok()) && together(batch) {
        return Ok(());
    }
    let bad = |(place, one): (usize, &Claimed<'_>)| one.check().is_err().then_some(place);
    let refused: Vec<usize> = batch.iter().enumerate().filter_map(bad).collect();
    // A batch that is not good has a proof that is not, unless the library erred: then none is.
    Err(BatchError::Refused(if refused.is_empty() { (0..batch.len()).collect() } else { refused }))
}

fn together(batch: &[Claimed<'_>]) -> bool {
    let keys: Vec<MidnightVK> = batch.iter().map(|one| one.key.clone()).collect();
    let publics: Vec<Vec<Fr>> = batch.iter().map(|one| one.publics.clone()).collect();
    let proofs: Option<Vec<Vec<u8>>> = batch.iter().map(Claimed::long).collect();
    proofs.is_some_and(|proofs| {
        midnight_zk_stdlib::batch_verify::<Ahead>(verifier(), &keys, &publics, &proofs).is_ok()
    })
}
