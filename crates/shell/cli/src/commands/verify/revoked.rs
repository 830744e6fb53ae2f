//! Revocations of an operator that a verifier was given (`specs/identity.md`, "Revocation").

use std::path::PathBuf;

use symbolon_codec::time::rfc3339;
use symbolon_crypto::VerifyingKey;
use symbolon_receipt::{Finality, OperatorKey};
use symbolon_trust::{REVOCATION_BYTES_MAX, Revocation};

use crate::facts;
use crate::failure::Failure;

/// Those that were given, of keys of the operator that is trusted.
#[derive(Debug)]
pub struct Revocations(Vec<Revocation>);

impl Revocations {
    /// One of another operator is refused rather than passed over: it would say nothing, and look as if it had.
    pub fn read(files: &[PathBuf], operator: &OperatorKey) -> Result<Self, Failure> {
        let mut all = Vec::new();
        for file in files {
            let read = Revocation::parse(&facts::read(file, REVOCATION_BYTES_MAX)?);
            let read = read.map_err(|error| {
                Failure::refused("revocation_form", format!("{}: {error}", file.display()))
                    .next("--revocation with the file as its operator gave it")
            })?;
            if !operator.keys().contains(read.root()) {
                let what = format!("{} is of the operator {}", file.display(), read.root());
                return Err(Failure::refused("other_operator", what)
                    .next("--revocation with one of the operator that --key names"));
            }
            all.push(read);
        }
        Ok(Self(all))
    }

    /// The strictest of these keys: one that is revoked vouches for no other any more.
    pub fn on(&self, keys: &[VerifyingKey]) -> Revoked {
        let strictest = keys.iter().filter_map(|key| Revocation::strictest(key, &self.0));
        Revoked(strictest.min_by_key(|it| it.since_ms()).cloned())
    }
}

/// What is believed no more since when, of what a document rests on.
#[derive(Debug)]
pub struct Revoked(Option<Revocation>);

impl Revoked {
    /// Since when nothing stands by itself, in ms.
    pub fn since_ms(&self) -> Option<u64> {
        self.0.as_ref().map(Revocation::since_ms)
    }

    /// For what no witness's time is looked at.
    pub fn refuse(&self, what: &str) -> Result<(), Failure> {
        match self.since_ms() {
            None => Ok(()),
            Some(since) => {
                Err(refused(since, &format!("nothing in {what} shows that it was there before")))
            }
        }
    }

    /// For a receipt, whose checkpoint witnesses may have seen before.
    pub fn expect_seen(&self, finality: Option<&Finality>) -> Result<(), Failure> {
        let Some(since) = self.since_ms() else { return Ok(()) };
        let Some(finality) = finality else {
            return Err(refused(since, "no witness of yours was named who saw the receipt before"));
        };
        let (seen, needed) = (finality.signed_before(since), finality.needed());
        if seen >= needed {
            return Ok(());
        }
        Err(refused(
            since,
            &format!("{seen} of your witnesses saw the receipt before, not {needed}"),
        ))
    }
}

fn refused(since_ms: u64, why: &str) -> Failure {
    if since_ms == 0 {
        let what = "not verified: the operator revoked this key, and nothing under it stands";
        return Failure::refused("operator_revoked", what).next("ask the operator for its new key");
    }
    let what = format!(
        "not verified: the operator revoked this key since {}, and {why}",
        rfc3339(since_ms)
    );
    Failure::refused("operator_revoked", what)
        .next("--witness KEY of those that you believe, where the receipt is older")
}
