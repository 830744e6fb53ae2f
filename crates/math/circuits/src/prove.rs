//! Making a proof.

use blake2b_simd::State;
use midnight_curves::Bls12;
use midnight_proofs::poly::kzg::params::ParamsKZG;
use midnight_zk_stdlib::MidnightPK;
use rand_core_06::{CryptoRng, Error, RngCore};
use symbolon_ambient::Rng;

use crate::Fr;
use crate::key::ProvingKey;
use crate::proof::Proof;
use crate::statements::relation::{Held, Shape};
use crate::statements::{Statement, WitnessError};

/// Why there is no proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The witness does not show the statement; the prover was not begun.
    #[error("the statement does not hold: {0}")]
    Witness(#[from] WitnessError),
    /// The library gave no proof of a statement that holds: a bug of ours or its.
    #[error("the prover gave no proof")]
    Prover,
}

/// Proves a statement. The native twin looks first: what does not hold is refused before the
/// prover begins, with the number of the constraint.
pub fn prove<S: Statement>(
    key: &ProvingKey<S>,
    statement: &S,
    witness: S::Witness<'_>,
    rng: &impl Rng,
) -> Result<Proof, ProveError> {
    let opened = open(statement, witness)?;
    dangerous_prove(key, &statement.publics(), opened, rng)
}

/// Whether a witness shows a statement, as [`prove`] looks before it begins: no key is needed for it.
///
/// # Errors
/// [`WitnessError`], with the number of the first constraint that does not hold.
pub fn holds<S: Statement>(statement: &S, witness: S::Witness<'_>) -> Result<(), WitnessError> {
    open(statement, witness).map(drop)
}

fn open<S: Statement>(statement: &S, witness: S::Witness<'_>) -> Result<S::Opened, WitnessError> {
    let opened = statement.open(witness)?;
    match S::broken(&statement.publics(), &opened).first() {
        Some(number) => Err(WitnessError::Constraint(*number)),
        None => Ok(opened),
    }
}

/// Proves without looking first: what does not hold panics in the library, or gives no proof.
pub(crate) fn dangerous_prove<S: Statement>(
    key: &ProvingKey<S>,
    publics: &[Fr],
    opened: S::Opened,
    rng: &impl Rng,
) -> Result<Proof, ProveError> {
    let ProvingKey { params, key, .. } = key;
    run(params, key, Shape::of::<S>(), publics.to_vec(), Held::new::<S>(opened), rng)
}

/// The same for all statements, so that it is compiled once.
fn run(
    params: &ParamsKZG<Bls12>,
    key: &MidnightPK<Shape>,
    shape: Shape,
    publics: Vec<Fr>,
    held: Held,
    rng: &dyn Rng,
) -> Result<Proof, ProveError> {
    midnight_zk_stdlib::prove::<_, State>(params, key, &shape, &publics, held, Entropy(rng))
        .map(Proof)
        .map_err(|_| ProveError::Prover)
}

/// Our generator, as the library asks it.
struct Entropy<'a>(&'a dyn Rng);

impl RngCore for Entropy<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        self.0.fill(out);
        Ok(())
    }
}

/// `Rng` is for bytes that nobody can predict.
impl CryptoRng for Entropy<'_> {}
