//! A machine as 32 bytes.

use std::fmt;

use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::{labels, sha256};

use crate::facts::{FactSet, Facts};

/// A machine's fingerprint: the same after every reboot, another on another machine. Not a
/// secret, and not a proof of anything beyond what its strength says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// SHA-256 over the facts (`specs/custody.md`).
    pub digest: Digest32,
    /// What it is worth.
    pub strength: Strength,
    /// What it was taken over.
    pub facts: FactSet,
}

/// What a fingerprint is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Strength {
    /// Model and processor alone: another machine of the same kind has the same.
    Model,
    /// The system's or the board's own number: who can read it here can claim it elsewhere.
    Machine,
    /// With a key of the machine's TPM: another machine does not have it.
    Tpm,
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Model => "model only (the same on machines of one kind)",
            Self::Machine => "machine id and hardware (can be copied by who can read them)",
            Self::Tpm => "TPM 2.0",
        })
    }
}

impl Fingerprint {
    /// Of this machine, over all that this user can read. Take it once, at start.
    ///
    /// # Errors
    /// [`FingerprintError::NoFacts`].
    pub fn read() -> Result<Self, FingerprintError> {
        let facts = Facts::read();
        facts.fingerprint(facts.set())
    }
}

impl Facts {
    /// The fingerprint over the facts in `set`.
    ///
    /// # Errors
    /// [`FingerprintError`].
    pub fn fingerprint(&self, set: FactSet) -> Result<Fingerprint, FingerprintError> {
        self.fingerprint_with(set, None)
    }

    /// As [`Facts::fingerprint`], with the name of a TPM's storage key as the last fact.
    pub(crate) fn fingerprint_with(
        &self,
        set: FactSet,
        tpm: Option<&[u8]>,
    ) -> Result<Fingerprint, FingerprintError> {
        if set.is_empty() && tpm.is_none() {
            return Err(FingerprintError::NoFacts);
        }
        let picked = self.pick(set).map_err(|fact| FingerprintError::Unreadable { fact })?;
        let mut fields = Fields::new(labels::FINGERPRINT.as_str());
        for (name, value) in picked {
            fields = fields.str(name).str(value);
        }
        if let Some(name) = tpm {
            fields = fields.str("tpm").bytes(name);
        }
        let strength = match tpm {
            Some(_) => Strength::Tpm,
            None if set.is_unique() => Strength::Machine,
            None => Strength::Model,
        };
        Ok(Fingerprint { digest: sha256(&fields.finish()), strength, facts: set })
    }
}

/// Why there is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FingerprintError {
    /// Nothing about this machine can be read.
    #[error("nothing tells this machine apart; make a machine id: systemd-machine-id-setup")]
    NoFacts,
    /// A fact that was there when the device key was made cannot be read now.
    #[error(
        "this machine's {fact} was readable when the device key was made and is not now; run as \
         the user who made it, or open the vault by another method"
    )]
    Unreadable {
        /// Its name.
        fact: &'static str,
    },
}
