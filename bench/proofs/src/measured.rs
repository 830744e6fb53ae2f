//! One statement: its key, proofs of it, and their checks, one by one and 128 at once.

use symbolon_ambient::SystemRng;
use symbolon_circuits::{
    Claimed, Proof, ProvingKey, Statement, VerifyingKey, prove, verify, verify_batch,
};

use crate::{ProofRow, ProofsError};

/// Proofs that are checked at once.
const BATCH: usize = 128;
/// So often proofs are checked one by one, at least.
const CHECKS: usize = 20;

pub(crate) struct Measure<'a> {
    pub(crate) runs: usize,
    pub(crate) clock: &'a dyn Fn() -> f64,
}

impl Measure<'_> {
    pub(crate) fn case<'w, S: Statement>(
        &self,
        statement: &S,
        witness: impl Fn() -> S::Witness<'w>,
    ) -> Result<ProofRow, ProofsError> {
        let (key_make_ms, made) = self.timed(ProvingKey::<S>::make);
        let stored = made.map_err(ProofsError::new)?.write();
        let (key_read_ms, read) = self.timed(|| ProvingKey::<S>::read(&stored));
        let key = read.map_err(ProofsError::new)?;
        let pinned = VerifyingKey::<S>::pinned();
        let verifying = pinned.ok_or_else(|| ProofsError::new("the verifying key is damaged"))?;

        let mut proofs = Vec::with_capacity(self.runs);
        let mut prove_ms = Vec::with_capacity(self.runs);
        for _ in 0..self.runs {
            let (ms, proof) = self.timed(|| prove(&key, statement, witness(), &SystemRng));
            prove_ms.push(ms);
            proofs.push(proof.map_err(ProofsError::new)?);
        }
        let mut correct = true;
        let mut verify_ms = Vec::new();
        for proof in proofs.iter().cycle().take(self.runs.max(CHECKS)) {
            let (ms, checked) = self.timed(|| verify(&verifying, statement, proof));
            verify_ms.push(ms);
            correct &= checked.is_ok();
        }
        let batch = |proofs: &[Proof]| {
            let one = |proof| Claimed::new(&verifying, statement, proof);
            verify_batch(&proofs.iter().cycle().take(BATCH).map(one).collect::<Vec<_>>()).is_ok()
        };
        let mut batch_ms = Vec::new();
        for _ in 0..3 {
            let (ms, good) = self.timed(|| batch(&proofs));
            batch_ms.push(ms / BATCH as f64);
            correct &= good;
        }
        // A proof of one byte changed is refused, alone and among others.
        let mut changed = proofs[0].as_bytes().to_vec();
        changed[100] ^= 1;
        proofs[0] = Proof::from_bytes(&changed).map_err(ProofsError::new)?;
        correct &= verify(&verifying, statement, &proofs[0]).is_err() && !batch(&proofs);

        Ok(ProofRow {
            suite: "proofs",
            case: S::NAME.to_owned(),
            target: if cfg!(target_arch = "wasm32") { "wasm" } else { "native" },
            prove_ms: middle(&mut prove_ms),
            prove_min_ms: prove_ms[0],
            verify_ms: middle(&mut verify_ms),
            verify_batched_ms: middle(&mut batch_ms),
            proof_bytes: changed.len(),
            key_make_ms,
            key_read_ms,
            key_bytes: stored.len(),
            correct,
        })
    }

    fn timed<T>(&self, work: impl FnOnce() -> T) -> (f64, T) {
        let start = (self.clock)();
        let done = work();
        ((self.clock)() - start, done)
    }
}

/// Sorts, and gives the one in the middle.
fn middle(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
