//! Verifying.

use std::panic::{AssertUnwindSafe, catch_unwind};

use symbolon_ambient::Rng;

use crate::air::{Sponge, public_values};
use crate::config::{Inner, config};
use crate::proof::Proof;
use crate::statement::{Context, Digest, Statement};

/// Why a proof is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It is of another binary.
    #[error("the proof is of a binary with another digest")]
    Digest,
    /// It was made for somebody else, or for another nonce.
    #[error("the proof was made for another audience or another nonce")]
    Context,
    /// It does not hold.
    #[error("the proof does not hold")]
    Refused,
}

/// Checks that a proof shows what the caller asks about: a binary with this digest, to this context. What the proof
/// says of itself is only compared; gives the statement, of which the number of blocks is what the proof adds.
///
/// # Errors
/// [`VerifyError`]. Damaged proofs are refused and do not panic.
pub fn verify<'a>(
    proof: &'a Proof,
    digest: &Digest,
    context: &Context,
) -> Result<&'a Statement, VerifyError> {
    let statement = proof.statement();
    if statement.digest != *digest {
        return Err(VerifyError::Digest);
    }
    if statement.context != *context {
        return Err(VerifyError::Context);
    }
    // Shapes were checked when it was read, and the library returns errors for the rest. Should it have missed one, that
    // one is a refusal too.
    match catch_unwind(AssertUnwindSafe(|| holds(statement, proof.inner()))) {
        Ok(true) => Ok(statement),
        _ => Err(VerifyError::Refused),
    }
}

/// The library's own verification.
pub(crate) fn holds(statement: &Statement, inner: &Inner) -> bool {
    let public = public_values(statement.blocks, &statement.digest);
    let config = config(statement, &Nothing);
    p3_uni_stark::verify(&config, &Sponge::default(), inner, &public).is_ok()
}

/// A verifier masks nothing: the library wants a generator where none is used.
struct Nothing;

impl Rng for Nothing {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0);
    }
}
