//! The statements, each with a witness.

use symbolon_ambient::SystemRng;
use symbolon_circuits::{
    Binding, ClaimType, Facts, Hidden, Nonce, Session, age, binding, capsule, claimed, identity,
    nationality, possession, returning, validity,
};

use crate::measured::Measure;
use crate::person::{Person, secret};
use crate::{ProofRow, ProofsError};

/// One person, and what they can prove.
pub struct Cases<'a> {
    person: Person,
    measure: Measure<'a>,
}

impl<'a> Cases<'a> {
    /// Their names, the quickest first.
    pub const NAMES: [&'static str; 9] = [
        "age",
        "validity",
        "nationality",
        "binding",
        "key",
        "claim",
        "returning",
        "capsule",
        "identity",
    ];

    /// Makes claims. Each case will make so many proofs; `clock` gives milliseconds.
    ///
    /// # Errors
    /// [`ProofsError`] where claims cannot be made, which is a bug.
    pub fn make(runs: usize, clock: &'a dyn Fn() -> f64) -> Result<Self, ProofsError> {
        Ok(Self { person: Person::make()?, measure: Measure { runs: runs.max(1), clock } })
    }

    /// Measures the case of this name.
    ///
    /// # Errors
    /// [`ProofsError`] where there is none, or no proof.
    pub fn run(&mut self, name: &str) -> Result<ProofRow, ProofsError> {
        let Self { person: Person { claims, holder, issuer, signature }, measure } = self;
        let date = "2026-11-22".parse().map_err(ProofsError::new)?;
        let group = "EU/1".parse().map_err(ProofsError::new)?;
        let facts = Facts { date, years: 18, group };
        let session = Session::new(Nonce::make(&SystemRng), b"https://shop.example", b"customer-7");
        let session = session.map_err(ProofsError::new)?;
        let binding = Binding::of(&session, holder, claims);
        match name {
            "age" => {
                let statement = age::Age { session, binding, date, years: 18 };
                measure.case(&statement, || age::Witness { claims, holder })
            }
            "validity" => {
                let statement = validity::Validity { session, binding, date };
                measure.case(&statement, || validity::Witness { claims, holder })
            }
            "nationality" => {
                let statement = nationality::Nationality { session, binding, group };
                measure.case(&statement, || nationality::Witness { claims, holder })
            }
            "binding" => {
                let statement = binding::Bound { session, binding, date };
                measure.case(&statement, || binding::Witness { claims, holder })
            }
            "key" => {
                let key = possession::ApiKey::new(&secret("sk_live_0123456789abcdef"));
                let key = key.map_err(ProofsError::new)?;
                let blind = Hidden::make(&SystemRng);
                let commitment = key.commitment(&blind, &session);
                let device = possession::Key::device(b"a device's public key");
                let statement = possession::Key { session, commitment, device };
                measure.case(&statement, || possession::Witness { key: &key, blind: &blind })
            }
            "claim" => {
                let kind = ClaimType::NATIONALITY;
                let predicate =
                    claimed::Predicate::equals(kind, b"DEU").map_err(ProofsError::new)?;
                let statement = claimed::Says { session, binding, kind, predicate };
                measure.case(&statement, || claimed::Witness { claims, holder })
            }
            "returning" => {
                let statement = returning::Returning { session, binding, facts };
                measure.case(&statement, || returning::Witness { claims, holder })
            }
            "capsule" => {
                let description = capsule::Description::new(&[7; 64], "hello/1.0.0", b"{}");
                let salt = Hidden::make(&SystemRng);
                let signature = description.sign(issuer, &SystemRng);
                let statement = capsule::Capsule {
                    receipt: capsule::Capsule::receipt(&[1; 32]),
                    policy: description.policy(),
                    publisher: issuer.public(),
                    commitment: description.commit(&salt),
                };
                let (description, salt, signature) = (&description, &salt, &signature);
                measure.case(&statement, || capsule::Witness { description, salt, signature })
            }
            "identity" => {
                let nullifier = identity::Nullifier::of(&session, holder, 3);
                let unique = Some(identity::Uniqueness { epoch: 3, nullifier });
                let issuer = issuer.public();
                let statement = identity::Identity { session, binding, facts, issuer, unique };
                measure.case(&statement, || identity::Witness { claims, holder, signature })
            }
            other => Err(ProofsError::new(format_args!("there is no case {other}"))),
        }
    }
}
