//! How far operators are believed: the home's scores, and what this node saw since they were written.

use std::sync::Arc;

use symbolon_crypto::VerifyingKey;
use symbolon_log::WitnessKey;
use symbolon_mesh::{Contradiction, Evidence as Proof, Fault, LogName};
use symbolon_store::{Home, TrustFile, TrustFileError};
use symbolon_trust::score::{Behaviour, Evidence, Kind, Operator, Scores, Verified};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// Scores are read when the node starts and every few seconds, so that what a person says of an operator comes into
/// force; what was seen meanwhile is written then, in one update, by a thread that may wait for the disk.
pub(crate) struct Believed {
    file: Arc<TrustFile>,
    witnesses: Vec<WitnessKey>,
    scores: Scores,
    seen: Vec<Seen>,
    writing: Option<Writing>,
}

type Seen = (Operator, Evidence, u64);

/// An update that is under way.
struct Writing {
    seen: Vec<Seen>,
    written: oneshot::Receiver<Result<Scores, TrustFileError>>,
}

/// Entries that a checkpoint was shown to have at their places.
struct Advanced;

impl Verified for Advanced {
    fn shows(&self) -> Kind {
        Kind::Receipt
    }
}

/// A proof that held.
struct Proven<'a>(&'a Proof);

impl Verified for Proven<'_> {
    fn shows(&self) -> Kind {
        match self.0.contradiction() {
            Contradiction::Histories { .. } => Kind::Fork,
            Contradiction::Entries { .. } => Kind::Equivocation,
            Contradiction::Checkpoint { .. } => Kind::Contradiction,
        }
    }
}

impl Believed {
    /// What the home knows, and the witnesses that it believes.
    pub(crate) fn of(home: &Home, witnesses: Vec<WitnessKey>) -> Result<Self, TrustFileError> {
        let file = Arc::new(TrustFile::of(home));
        Ok(Self { scores: file.read()?, file, witnesses, seen: Vec::new(), writing: None })
    }

    /// Entries of an operator's log came into our copy.
    pub(crate) fn advanced(&mut self, operator: &VerifyingKey, now: u64) {
        self.saw(operator, Evidence::of(&Advanced), now);
    }

    /// Witnesses signed a checkpoint of an operator's log that our copy reaches.
    pub(crate) fn cosigned(&mut self, log: &LogName, note: &str, now: u64) {
        let shown = Evidence::cosigned(note, log.origin(), log.operator(), &self.witnesses);
        if let Ok(evidence) = shown {
            self.saw(log.operator(), evidence, now);
        }
    }

    /// An operator contradicted itself.
    pub(crate) fn proven(&mut self, proof: &Proof, now: u64) {
        self.saw(proof.log().operator(), Evidence::of(&Proven(proof)), now);
    }

    /// A node of an operator did what none does that checks.
    pub(crate) fn faulty(&mut self, operator: &VerifyingKey, fault: &Fault, now: u64) {
        let behaviour = match fault {
            Fault::Flood => Behaviour::Flood,
            _ => Behaviour::Invalid,
        };
        self.saw(operator, Evidence::behaviour(behaviour), now);
    }

    fn saw(&mut self, operator: &VerifyingKey, evidence: Evidence, now: u64) {
        let operator = Operator(*operator.as_bytes());
        // One more stranger than are remembered is not.
        let _ = self.scores.observe(operator, evidence, now);
        if self.seen.len() < SEEN_MAX {
            self.seen.push((operator, evidence, now));
        }
    }

    /// Whether nodes of an operator are let in, by the policy that is in force.
    pub(crate) fn admits(&self, operator: &VerifyingKey, now: u64) -> bool {
        self.scores.admits(&Operator(*operator.as_bytes()), now)
    }

    /// Whether an operator's word counts, by the policy that is in force.
    pub(crate) fn believes(&self, operator: &VerifyingKey, now: u64) -> bool {
        let score = self.scores.score(&Operator(*operator.as_bytes()), now);
        self.scores.bar(now).believes(&score)
    }

    /// What an operator's score adds to its nodes' scores in gossip: nothing from where it began, less below.
    pub(crate) fn penalty(&self, operator: &VerifyingKey, now: u64) -> f64 {
        let score = self.scores.score(&Operator(*operator.as_bytes()), now);
        f64::from(score.points()).min(BEGIN) - BEGIN
    }

    /// Begins to write what was seen and to read what others wrote, where that is not under way.
    pub(crate) fn write(&mut self) {
        if self.writing.is_some() {
            return;
        }
        let (tell, written) = oneshot::channel();
        let (file, seen) = (self.file.clone(), std::mem::take(&mut self.seen));
        let added = seen.clone();
        tokio::task::spawn_blocking(move || {
            let updated = file.update(|scores| {
                add(scores, &added);
                scores.clone()
            });
            // Nobody to tell: the node has ended.
            let _ = tell.send(updated);
        });
        self.writing = Some(Writing { seen, written });
    }

    /// Takes what an update gave, once it is there: whether scores may be others now. What could not be written is kept
    /// for the next time.
    pub(crate) fn take_written(&mut self) -> bool {
        let Some(mut writing) = self.writing.take() else { return false };
        match writing.written.try_recv() {
            Ok(Ok(scores)) => {
                self.scores = scores;
                // What was seen since it began.
                add(&mut self.scores, &self.seen);
                return true;
            }
            Err(TryRecvError::Empty) => {
                self.writing = Some(writing);
                return false;
            }
            Ok(Err(error)) => {
                tracing::error!("what was seen of operators is not written: {error}");
            }
            Err(TryRecvError::Closed) => {
                tracing::error!("what was seen of operators is not written");
            }
        }
        writing.seen.append(&mut self.seen);
        writing.seen.truncate(SEEN_MAX);
        self.seen = writing.seen;
        false
    }
}

fn add(scores: &mut Scores, seen: &[Seen]) {
    for (operator, evidence, at) in seen {
        // One more stranger than are remembered is not.
        let _ = scores.observe(*operator, *evidence, *at);
    }
}

/// Where a score begins.
const BEGIN: f64 = 50.0;
/// Of what is seen between two updates the rest counts until this process ends.
const SEEN_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use symbolon_ambient::SeededRng;
    use symbolon_crypto::SigningKey;

    const NOW: u64 = 1_790_000_000_000;

    fn new() -> (tempfile::TempDir, Home, Believed) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(&folder.path().join("home")).unwrap();
        let believed = Believed::of(&home, Vec::new()).unwrap();
        (folder, home, believed)
    }

    fn operator(seed: u64) -> VerifyingKey {
        SigningKey::make(&SeededRng::new(seed)).verifying_key()
    }

    async fn written(believed: &mut Believed) -> bool {
        for _ in 0..500 {
            if believed.take_written() {
                return true;
            }
            if believed.writing.is_none() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("an update takes no five seconds");
    }

    #[tokio::test]
    async fn what_is_seen_while_an_update_is_written_is_not_lost() {
        let (_folder, home, mut believed) = new();
        let (operator, other) = (operator(1), operator(2));
        believed.faulty(&operator, &Fault::Kind, NOW);
        let after_one = believed.penalty(&operator, NOW);
        assert!(after_one < 0.0);
        believed.write();
        // While the disk is waited for: another thing is seen, and a person says something.
        believed.faulty(&operator, &Fault::Kind, NOW);
        let after_two = believed.penalty(&operator, NOW);
        let distrusted = Operator(*other.as_bytes());
        let distrust = TrustFile::of(&home).update(|scores| scores.distrust(distrusted, NOW));
        assert_ne!(distrust.unwrap(), symbolon_trust::score::Observed::Full);
        assert!(written(&mut believed).await);
        assert_eq!(believed.penalty(&operator, NOW), after_two);
        believed.write();
        assert!(written(&mut believed).await);
        assert!(!believed.admits(&other, NOW), "what was said is in force");
        // Another process finds both.
        assert_eq!(Believed::of(&home, Vec::new()).unwrap().penalty(&operator, NOW), after_two);
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_written_the_next_time() {
        let (_folder, home, mut believed) = new();
        let operator = operator(1);
        believed.faulty(&operator, &Fault::Kind, NOW);
        let before = believed.penalty(&operator, NOW);
        let path = TrustFile::of(&home).path().to_owned();
        std::fs::write(&path, b"damaged").unwrap();
        believed.write();
        assert!(!written(&mut believed).await);
        assert_eq!(believed.penalty(&operator, NOW), before);
        std::fs::remove_file(&path).unwrap();
        believed.write();
        assert!(written(&mut believed).await);
        assert_eq!(Believed::of(&home, Vec::new()).unwrap().penalty(&operator, NOW), before);
    }
}
