//! Statements proven and checked: one by one, and 128 at once, on every processor that there is.

use std::time::Instant;

use symbolon_ambient::SystemRng;
use symbolon_circuits::{
    Binding, Claim, ClaimSet, ClaimType, Claimed, Facts, Hidden, Holder, IssuerKey, Nonce, Proof,
    ProvingKey, Session, Signature, Statement, VerifyingKey, age, binding, claimed, document,
    identity, nationality, possession, prove, returning, validity, verify, verify_batch,
};
use symbolon_secret::Secret;

use crate::row::{ProofRow, Report};
use crate::{BenchError, Options};

/// Proofs that are checked at once.
const BATCH: usize = 128;
/// Proofs made in each case.
const RUNS: usize = 7;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let runs = options.iterations.unwrap_or(RUNS).clamp(1, 1000);
    let person = Person::make()?;
    let Person { claims, holder, signature, issuer } = &person;
    let date = "2026-11-22".parse().map_err(BenchError::new)?;
    let group = "EU/1".parse().map_err(BenchError::new)?;
    let facts = Facts { date, years: 18, group };
    let session = Session::new(Nonce::make(&SystemRng), b"https://shop.example", b"customer-7");
    let session = session.map_err(BenchError::new)?;
    let binding = Binding::of(&session, holder, claims);
    let mut case = Case { runs, report };

    let statement = age::Age { session, binding, date, years: 18 };
    case.run(&statement, || age::Witness { claims, holder })?;
    let statement = validity::Validity { session, binding, date };
    case.run(&statement, || validity::Witness { claims, holder })?;
    let statement = nationality::Nationality { session, binding, group };
    case.run(&statement, || nationality::Witness { claims, holder })?;
    let statement = binding::Bound { session, binding, date };
    case.run(&statement, || binding::Witness { claims, holder })?;

    let key = possession::ApiKey::new(&secret("sk_live_0123456789abcdef"));
    let key = key.map_err(BenchError::new)?;
    let blind = Hidden::make(&SystemRng);
    let commitment = key.commitment(&blind, &session);
    let device = possession::Key::device(b"a device's public key");
    let statement = possession::Key { session, commitment, device };
    case.run(&statement, || possession::Witness { key: &key, blind: &blind })?;

    let kind = ClaimType::NATIONALITY;
    let predicate = claimed::Predicate::equals(kind, b"DEU").map_err(BenchError::new)?;
    let statement = claimed::Says { session, binding, kind, predicate };
    case.run(&statement, || claimed::Witness { claims, holder })?;
    let statement = returning::Returning { session, binding, facts };
    case.run(&statement, || returning::Witness { claims, holder })?;

    let nullifier = identity::Nullifier::of(&session, holder, 3);
    let unique = Some(identity::Uniqueness { epoch: 3, nullifier });
    let statement = identity::Identity { session, binding, facts, issuer: issuer.public(), unique };
    case.run(&statement, || identity::Witness { claims, holder, signature })
}

struct Case<'a> {
    runs: usize,
    report: &'a mut Report,
}

impl Case<'_> {
    fn run<'w, S: Statement>(
        &mut self,
        statement: &S,
        witness: impl Fn() -> S::Witness<'w>,
    ) -> Result<(), BenchError> {
        let (key_make_ms, made) = timed(ProvingKey::<S>::make);
        let stored = made.map_err(BenchError::new)?.write();
        let (key_read_ms, read) = timed(|| ProvingKey::<S>::read(&stored));
        let key = read.map_err(BenchError::new)?;
        let pinned = VerifyingKey::<S>::pinned();
        let verifying = pinned.ok_or_else(|| BenchError::new("the verifying key is damaged"))?;

        let mut proofs = Vec::with_capacity(self.runs);
        let mut prove_ms = Vec::with_capacity(self.runs);
        for _ in 0..self.runs {
            let (ms, proof) = timed(|| prove(&key, statement, witness(), &SystemRng));
            prove_ms.push(ms);
            proofs.push(proof.map_err(BenchError::new)?);
        }
        let mut correct = true;
        let mut verify_ms = Vec::new();
        for proof in proofs.iter().cycle().take(self.runs.max(20)) {
            let (ms, checked) = timed(|| verify(&verifying, statement, proof));
            verify_ms.push(ms);
            correct &= checked.is_ok();
        }
        let batch = |proofs: &[Proof]| {
            let one = |proof| Claimed::new(&verifying, statement, proof);
            verify_batch(&proofs.iter().cycle().take(BATCH).map(one).collect::<Vec<_>>()).is_ok()
        };
        let mut batch_ms = Vec::new();
        for _ in 0..3 {
            let (ms, good) = timed(|| batch(&proofs));
            batch_ms.push(ms / BATCH as f64);
            correct &= good;
        }
        // A proof of one byte changed is refused, alone and among others.
        let mut changed = proofs[0].as_bytes().to_vec();
        changed[100] ^= 1;
        proofs[0] = Proof::from_bytes(&changed).map_err(BenchError::new)?;
        correct &= verify(&verifying, statement, &proofs[0]).is_err() && !batch(&proofs);

        self.report.proof(&ProofRow {
            suite: "proofs",
            case: S::NAME.to_owned(),
            prove_ms: middle(&mut prove_ms),
            prove_min_ms: prove_ms[0],
            verify_ms: middle(&mut verify_ms),
            verify_batched_ms: middle(&mut batch_ms),
            proof_bytes: changed.len(),
            key_make_ms,
            key_read_ms,
            key_bytes: stored.len(),
            correct,
        });
        Ok(())
    }
}

/// Sorts, and gives the one in the middle.
fn middle(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed().as_secs_f64() * 1e3, done)
}

struct Person {
    claims: ClaimSet,
    holder: Holder,
    issuer: IssuerKey,
    signature: Signature,
}

impl Person {
    fn make() -> Result<Self, BenchError> {
        let claim =
            |kind, text| Claim::make(kind, &secret(text), &SystemRng).map_err(BenchError::new);
        let first = [
            claim(ClaimType::BIRTH_DATE, "2000-05-17")?,
            claim(ClaimType::NATIONALITY, "DEU")?,
            claim(ClaimType::DOCUMENT_EXPIRY, "2030-01-31")?,
        ];
        let until = "2027-12-31".parse().map_err(BenchError::new)?;
        let holder = Holder::new(Hidden::make(&SystemRng), until);
        let document = document(&secret("DEU"), &secret("L898902C3"));
        let claims = ClaimSet::new(document, first, holder.commitment(), Vec::new());
        let claims = claims.map_err(BenchError::new)?;
        let issuer = IssuerKey::make(&SystemRng);
        let signature = issuer.sign(&claims.root(), &SystemRng);
        Ok(Self { claims, holder, issuer, signature })
    }
}

fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |bytes| bytes.copy_from_slice(text.as_bytes()))
}
