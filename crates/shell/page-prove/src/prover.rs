//! Keys and proofs.

use std::hint::black_box;

use symbolon_ambient::{Rng, SystemRng};
use symbolon_circuits::identity::Identity;
use symbolon_circuits::{Hidden, Holder, ProvingKey, VerifyingKey};
use symbolon_codec::Digest32;
use symbolon_proof::{Policy, PresentError, Presentation};

use crate::{Holding, Refused, request};

/// What proves `identity/1`.
#[derive(Debug)]
pub struct Prover(ProvingKey<Identity>);

impl Prover {
    /// Makes the key: seconds of work.
    ///
    /// # Errors
    /// `key` where the module is damaged, or was built otherwise than it has to be.
    pub fn make() -> Result<Self, Refused> {
        Self::sound()?;
        Ok(Self(ProvingKey::make()?))
    }

    /// Reads a key that was stored.
    ///
    /// # Errors
    /// `not_pinned` for any other bytes.
    pub fn read(stored: &[u8]) -> Result<Self, Refused> {
        Self::sound()?;
        Ok(Self(ProvingKey::read(stored)?))
    }

    /// A proof is of a constraint system as the library writes it down: where it does so otherwise than it did when
    /// the keys were pinned, as where a module is built without `Debug`, nobody would take what is proven.
    fn sound() -> Result<(), Refused> {
        VerifyingKey::<Identity>::pinned().map(drop).ok_or_else(Refused::unsound)
    }

    /// The bytes to store.
    pub fn write(&self) -> Vec<u8> {
        self.0.write()
    }

    /// The name to store them under: another key, another name.
    pub fn name() -> String {
        let pins = VerifyingKey::<Identity>::pins();
        format!("{}/{}", pins.statement, Digest32(pins.proving_sha256))
    }

    /// SHA-256 of the verifying key that its proofs are checked with, in hex digits.
    pub fn verifying_key() -> String {
        Digest32(VerifyingKey::<Identity>::sha256()).to_string()
    }

    /// Whether what is asked holds: known before seconds are spent on a key.
    ///
    /// # Errors
    /// As [`prove`](Self::prove).
    pub fn check(asked: &str, holding: &Holding) -> Result<(), Refused> {
        let held = holding.held().ok_or_else(Refused::nothing_issued)?;
        let request = request(asked)?;
        if matches!(request.policy, Policy::Returning(_)) {
            return Err(PresentError::AnotherStatement(request.policy.statement()).into());
        }
        Ok(Presentation::check(&request, &held)?)
    }

    /// Answers a request; the holder agreed to its words at this moment. Gives the presentation's JSON.
    ///
    /// # Errors
    /// [`Refused`]; what does not hold is found before the prover begins.
    pub fn prove(
        &self,
        asked: &str,
        holding: &Holding,
        agreed_unix_ms: u64,
        rng: &impl Rng,
    ) -> Result<Vec<u8>, Refused> {
        let request = request(asked)?;
        let held = holding.held().ok_or_else(Refused::nothing_issued)?;
        let shown = Presentation::identity(&request, &held, &self.0, agreed_unix_ms, rng)?;
        Ok(shown.to_bytes())
    }
}

/// Hashes a holder so many times: work of the prover's kind, by which its time is foretold.
pub fn measure(rounds: u32) {
    let Ok(day) = "2000-01-01".parse() else { return };
    let holder = Holder::new(Hidden::make(&SystemRng), day);
    for _ in 0..rounds {
        black_box(black_box(&holder).commitment());
    }
}
