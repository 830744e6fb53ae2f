//! What custody asks of a TPM. The shell's `device` crate does it with hardware.

use symbolon_secret::Secret;

/// Keeps 32 bytes so that only the same machine gives them back.
pub trait Sealer: Send + Sync {
    /// Gives a blob that is not secret.
    ///
    /// # Errors
    /// [`SealerError`].
    fn seal(&self, secret: &Secret<[u8; 32]>) -> Result<Vec<u8>, SealerError>;

    /// Gives the 32 bytes that were sealed into `blob`.
    ///
    /// # Errors
    /// [`SealerError`].
    fn unseal(&self, blob: &[u8]) -> Result<Secret<[u8; 32]>, SealerError>;
}

/// Why a TPM did not seal or unseal. Never carries a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealerError {
    /// There is none, or this user may not use it.
    #[error("no TPM answers at {place}")]
    Absent {
        /// Device or address that was tried.
        place: String,
        /// What the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another TPM sealed it, or this one was cleared.
    #[error("this TPM did not seal it, or was cleared since")]
    OtherTpm,
    /// It is bound to the state that the machine booted with, and that state changed.
    #[error("the machine booted another state than the one it was sealed for")]
    OtherState,
    /// The blob is not one of ours.
    #[error("the sealed blob is damaged")]
    Damaged,
    /// The TPM refused for another reason.
    #[error("the TPM could not {what}")]
    Failed {
        /// The step.
        what: &'static str,
        /// What it said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
