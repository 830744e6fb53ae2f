//! That one execution key is an operator's.

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;
use symbolon_crypto::VerifyingKey;
use symbolon_log::{ProofError, verify_inclusion};

use crate::execution::leaf;
use crate::head::{Head, HeadError};

/// Shows that one execution key is the operator's; which run it is of is committed to, not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    pub(crate) key: VerifyingKey,
    pub(crate) run: Digest32,
    pub(crate) position: u64,
    pub(crate) path: Vec<Digest32>,
    pub(crate) head: Head,
}

/// Why an opening was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// The head.
    #[error("{0}")]
    Head(#[from] HeadError),
    /// The key is not in the chain where the opening says.
    #[error("the execution key is not in the operator's chain: {0}")]
    Inclusion(ProofError),
}

impl Opening {
    /// The execution key that it opens.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// What [`crate::Run::commitment`] gives for its run.
    pub fn run(&self) -> &Digest32 {
        &self.run
    }

    /// How many keys came before it.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Checks that the key is one of this root's.
    ///
    /// # Errors
    /// [`OpeningError`].
    pub fn verify(&self, root: &VerifyingKey) -> Result<(), OpeningError> {
        let said = self.head.check(root)?;
        let leaf = leaf(&self.key, &self.run);
        verify_inclusion(&leaf, self.position, said.size, &self.path, &said.tree)
            .map_err(OpeningError::Inclusion)
    }
}
