//! A proof and its file.

use symbolon_codec::fields::{Fields, FieldsReader};

use crate::air::height_log2;
use crate::config::{Inner, QUERIES};
use crate::statement::{AUDIENCE_BYTES_MAX, BLOCKS_MAX, Context, Statement};

/// The longest file of a proof.
pub const FILE_BYTES_MAX: usize = 3 << 20;
const TAG: &str = "symbolon/sha3-proof/v1";
/// Commitments that are opened: random, trace, quotient.
const COMMITMENTS: usize = 3;

/// A proof of [`Statement`], which it carries beside it: what is shown of it is true after [`crate::verify`] alone.
pub struct Proof {
    statement: Statement,
    inner: Inner,
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proof").field("statement", &self.statement).finish_non_exhaustive()
    }
}

/// Why bytes are no proof, before any of its mathematics was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Longer than [`FILE_BYTES_MAX`].
    #[error("a proof has {FILE_BYTES_MAX} bytes at most, this one {found}")]
    Long {
        /// Its bytes.
        found: usize,
    },
    /// Not fields of this format and version, or bytes after them.
    #[error("this is no proof of a binary of version 1")]
    Form,
    /// An audience, or a number of blocks, that no statement has.
    #[error("a proof's audience or its number of blocks is out of bounds")]
    Statement,
    /// The proof system's part cannot be read, or could be written otherwise.
    #[error("the proof's numbers are not spelled as they should be")]
    Spelling,
    /// The proof system's part is of another shape than the statement's proofs have.
    #[error("the proof is not of the shape that such a statement has")]
    Shape,
}

impl Proof {
    pub(crate) const fn new(statement: Statement, inner: Inner) -> Self {
        Self { statement, inner }
    }

    /// What it claims. Take nothing of it for true before [`crate::verify`].
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    pub(crate) const fn inner(&self) -> &Inner {
        &self.inner
    }

    /// Whether bytes say that they are such a proof, of whatever version.
    pub fn is_one(bytes: &[u8]) -> bool {
        bytes.get(4..).is_some_and(|rest| rest.starts_with(b"symbolon/sha3-proof/"))
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// [`ProofError::Spelling`] where the library cannot write its own proof.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ProofError> {
        let inner = postcard::to_allocvec(&self.inner).map_err(|_| ProofError::Spelling)?;
        let context = &self.statement.context;
        Ok(Fields::new(TAG)
            .str(context.audience())
            .bytes(context.nonce())
            .bytes(&self.statement.digest)
            .u64(self.statement.blocks as u64)
            .bytes(&inner)
            .finish())
    }

    /// Reads a file, within bounds, and refuses every other spelling of the same proof.
    ///
    /// # Errors
    /// [`ProofError`], each in the order of `specs/sha3-stark.md`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(ProofError::Long { found: bytes.len() });
        }
        let form = |_| ProofError::Form;
        let mut fields = FieldsReader::new(TAG, bytes).map_err(form)?;
        let audience = fields.str(AUDIENCE_BYTES_MAX).map_err(form)?;
        let nonce = fields.array().map_err(form)?;
        let digest = fields.array().map_err(form)?;
        let blocks = fields.u64().map_err(form)?;
        let inner = fields.bytes(FILE_BYTES_MAX).map_err(form)?;
        fields.end().map_err(form)?;

        let context = Context::new(audience, nonce).map_err(|_| ProofError::Statement)?;
        let blocks = usize::try_from(blocks).map_err(|_| ProofError::Statement)?;
        if !(1..=BLOCKS_MAX).contains(&blocks) {
            return Err(ProofError::Statement);
        }
        let statement = Statement { digest, blocks, context };

        let (parsed, rest) =
            postcard::take_from_bytes::<Inner>(inner).map_err(|_| ProofError::Spelling)?;
        if !rest.is_empty() {
            return Err(ProofError::Spelling);
        }
        let again = postcard::to_allocvec(&parsed).map_err(|_| ProofError::Spelling)?;
        if again != inner {
            return Err(ProofError::Spelling);
        }
        let proof = Self { statement, inner: parsed };
        proof.check_shape()?;
        Ok(proof)
    }

    /// The counts that the verifier's own loops run over. It checks the inner ones itself, and returns an error.
    fn check_shape(&self) -> Result<(), ProofError> {
        let (random, fri) = &self.inner.opening_proof;
        let fits = self.inner.degree_bits == height_log2(self.statement.blocks) + 1
            && self.inner.opened_values.preprocessed.is_none()
            && self.inner.opened_values.random.is_some()
            && self.inner.commitments.random.is_some()
            && random.len() == COMMITMENTS
            && fri.input_openings.len() == COMMITMENTS
            && fri.input_openings.iter().all(|batch| batch.opened_values.len() == QUERIES)
            && fri.commit_phase_openings.len() == fri.commit_phase_commits.len()
            && fri.commit_phase_openings.iter().all(|step| step.sibling_values.len() == QUERIES);
        if fits { Ok(()) } else { Err(ProofError::Shape) }
    }
}
