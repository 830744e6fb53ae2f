//! A proof's bytes.

/// The longest proof that is read, in bytes.
pub const PROOF_BYTES_MAX: usize = 4608;

/// The bytes of a proof, not yet checked. What they mean only [`crate::verify`] says.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof(pub(crate) Vec<u8>);

/// Bytes that cannot be a proof: none, or more than [`PROOF_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a proof has 1 to {PROOF_BYTES_MAX} bytes")]
pub struct ProofLength;

impl Proof {
    /// Takes bytes from a stranger.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofLength> {
        if bytes.is_empty() || bytes.len() > PROOF_BYTES_MAX {
            return Err(ProofLength);
        }
        Ok(Self(bytes.to_vec()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proof({} bytes)", self.0.len())
    }
}
