//! Proving.

use symbolon_ambient::Rng;

use crate::air::{Sponge, public_values, trace};
use crate::config::config;
use crate::proof::Proof;
use crate::statement::{Context, Statement, TooLong};

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The caller's: the binary is too long.
    #[error(transparent)]
    Binary(#[from] TooLong),
    /// Ours: the library refused its own parameters.
    #[error("the prover refused: {0}")]
    Prover(String),
}

/// Proves that whoever calls holds `binary`, to the context's audience. Takes as much as [`crate::Cost::of`] says; the
/// binary is in ordinary memory while it runs.
///
/// # Errors
/// [`ProveError`].
pub fn prove(binary: &[u8], context: Context, rng: &dyn Rng) -> Result<Proof, ProveError> {
    let statement = Statement::of(binary, context)?;
    let public = public_values(statement.blocks, &statement.digest);
    let config = config(&statement, rng);
    let inner = p3_uni_stark::prove(&config, &Sponge::default(), trace(binary), &public)
        .map_err(|error| ProveError::Prover(format!("{error:?}")))?;
    Ok(Proof::new(statement, inner))
}
