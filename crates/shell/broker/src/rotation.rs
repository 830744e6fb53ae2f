//! The operator's key gives way to another (`specs/identity.md`, "Rotation"). What is decided is written down whole, and the
//! rest is done by whoever opens the home next: it needs no key.

use std::path::Path;

use serde::{Deserialize, Serialize};
use symbolon_ambient::SystemRng;
use symbolon_codec::{hex, json};
use symbolon_crypto::SigningKey;
use symbolon_log::{
    Checkpoint, Handover, SUCCESSION_BYTES_MAX, Storage, Succession, parse_vkey, vkey,
};
use symbolon_store::{ExecutionHead, Faults, Home, LogPlace, SqliteStore, replace_file};
use symbolon_trust::{Chain, Head};

use crate::Broker;
use crate::api::{CallError, Fault};
use crate::broker::Open;
use crate::errors;

/// A key that gave way, and the one that came after it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RotationView {
    /// Text of `operator.pub` as it was.
    pub before: String,
    /// And as it is now.
    pub key: String,
    /// Entries in the log's last checkpoint by the key of before.
    pub entries: u64,
}

/// What was decided, as its file has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    format: String,
    /// The next key's seed, sealed as the one before was; hex.
    seed: String,
    handover: String,
    /// The newest head of the chain of execution keys, signed anew; none where there is no such key.
    head: Option<SignedHead>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedHead {
    bytes: String,
    signature: String,
}

impl Broker {
    /// Makes another key the operator's, and ends this broker: no more calls are taken, the log's last checkpoint names the
    /// next key and both sign it, and all of that is durable when this returns. What is left to do is
    /// [`finish_rotation`]'s, or that of the next broker.
    ///
    /// # Errors
    /// [`CallError`]: locked, or revoked, and nothing has ended; else [`Broker::is_over`], and nothing was rotated.
    pub async fn rotate_operator(&self) -> Result<RotationView, CallError> {
        let open = self.acting()?;
        self.expect_room()?;
        self.settle().await;
        let _changes = self.changes.lock().await;
        // Held until the store is closed: a run's key that comes now finds a closed one behind it.
        let _chain = self.run_keys.hold().await;
        let decided = self.decide_rotation(&open).await;
        self.store.close().await;
        decided
    }

    /// Whether it takes no calls any more.
    pub fn is_over(&self) -> bool {
        self.calls.is_closed()
    }

    /// One more handover can be told to others.
    fn expect_room(&self) -> Result<(), CallError> {
        let line = read_line(&self.home, &self.vkey)?;
        if line.handovers().len() < symbolon_log::HANDOVERS_MAX {
            return Ok(());
        }
        let message = "the operator's key gave way as often as can be told";
        Err(CallError::caller("too_many_rotations", message)
            .next("symbolon --home NEW_HOME init, for another operator"))
    }

    async fn decide_rotation(&self, open: &Open) -> Result<RotationView, CallError> {
        // Its own word may have come while calls ended.
        if let Some(revocation) = self.revoked() {
            return Err(crate::revocation::refused(&revocation));
        }
        if self.home.operator_rotation().exists() {
            return Err(stopped("which another rotation closed"));
        }
        let note = self.log.log().latest_checkpoint().ok_or_else(|| stopped("no checkpoint"))?;
        let last = Checkpoint::open(&note, &self.operator, self.log.log().origin())
            .map_err(|e| stopped(&e.to_string()))?;
        if last.size != self.log.size() {
            return Err(stopped("its last checkpoint does not cover it"));
        }
        let next = SigningKey::make(&SystemRng);
        let handover = Handover::sign(&last, &open.operator, &next);
        // As whoever finishes it will read it: what is decided can be done.
        let mut line = read_line(&self.home, &self.vkey)?;
        let read = Handover::open(handover.note(), &self.operator, line.origin());
        let read = read.and_then(|read| line.push(read));
        read.map_err(|error| stopped(&error.to_string()))?;
        let context = [self.manifest.vault.as_bytes().as_slice()];
        let seed = next.seal_seed(&open.unlocked.operator_key(), &context, &SystemRng);
        let decided = Decided {
            format: FORMAT.to_owned(),
            seed: hex::encode(&seed),
            handover: handover.note().to_owned(),
            head: self.next_head(open, &next).await?,
        };
        // Strings always serialize.
        let bytes = serde_json::to_vec(&decided).unwrap_or_default();
        replace_file(&self.home.operator_rotation(), &bytes).map_err(errors::io)?;
        let key = vkey(&last.origin, handover.successor());
        let key = key.map_err(|e| CallError::bug(e.to_string()))?;
        Ok(RotationView { before: self.vkey.clone(), key, entries: last.size })
    }

    /// The chain of execution keys as the next key signs it.
    async fn next_head(
        &self,
        open: &Open,
        next: &SigningKey,
    ) -> Result<Option<SignedHead>, CallError> {
        let (leaves, head) = self.store.execution_chain().await?;
        let Some(head) = head.map(|it| Head::new(it.bytes, it.signature)) else { return Ok(None) };
        let chain = Chain::restore(leaves, Some(&head), &open.operator.verifying_key());
        let mut chain = chain.map_err(|e| {
            CallError::environment("state_damaged", format!("the chain of execution keys: {e}"))
                .next("put state.db back from a backup: symbolon restore --help")
        })?;
        let head = chain.head(next);
        Ok(Some(SignedHead {
            bytes: hex::encode(head.bytes()),
            signature: hex::encode(head.signature()),
        }))
    }
}

/// Does what is left of a rotation that was decided, where there is one: in a home that no broker has.
///
/// # Errors
/// [`CallError`]: a broker has it, the disk, or a file that is damaged; it can be done again.
pub async fn finish_rotation(home: &Path) -> Result<(), CallError> {
    let home = Home::open(home)?;
    let _lock = home.lock()?;
    finish(&home).await
}

/// As [`finish_rotation`], under the home's lock.
pub(crate) async fn finish(home: &Home) -> Result<(), CallError> {
    finish_until(home, usize::MAX).await
}

/// The steps in their order, each of which can be done again; not more than `steps` of them.
async fn finish_until(home: &Home, steps: usize) -> Result<(), CallError> {
    let path = home.operator_rotation();
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(errors::io(error)),
    };
    let decided = Decided::parse(&bytes).ok_or_else(damaged)?;
    let pinned = std::fs::read_to_string(home.operator_pub()).map_err(errors::io)?;
    let mut line = read_line(home, pinned.trim_end())?;
    if line.handovers().last().is_none_or(|it| it.note() != decided.handover) {
        let handover = Handover::open(&decided.handover, line.newest(), line.origin());
        line.push(handover.map_err(|_| damaged())?).map_err(|_| damaged())?;
    }
    let key = vkey(line.origin(), line.newest()).map_err(|e| CallError::bug(e.to_string()))?;
    for step in 0..steps.min(STEPS) {
        match step {
            0 => replace_file(&home.operator_succession(), &line.to_bytes()).map_err(errors::io)?,
            1 => publish(home, line.origin(), &decided.handover)?,
            2 => decided.store(home).await?,
            3 => replace_file(&home.operator_pub(), format!("{key}\n").as_bytes())
                .map_err(errors::io)?,
            _ => gone(home, &path).map_err(errors::io)?,
        }
    }
    Ok(())
}

impl Decided {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let value = json::parse_bounded(bytes, DECIDED_BYTES_MAX, 3).ok()?;
        let read: Self = serde_json::from_value(value).ok()?;
        (read.format == FORMAT).then_some(read)
    }

    async fn store(&self, home: &Home) -> Result<(), CallError> {
        let seed = hex::decode(&self.seed).map_err(|_| damaged())?;
        let head = match &self.head {
            None => None,
            Some(head) => {
                let mut signature = [0; 64];
                hex::decode_to_slice(&head.signature, &mut signature).map_err(|_| damaged())?;
                let bytes = hex::decode(&head.bytes).map_err(|_| damaged())?;
                Some(ExecutionHead { bytes, signature })
            }
        };
        let store = SqliteStore::open(&home.database()).await?;
        let done = store.replace_operator(&seed, head.as_ref()).await;
        store.close().await;
        Ok(done?)
    }
}

/// Not there any more, whenever the power is lost after this: what it says must not be done once more later on.
fn gone(home: &Home, path: &Path) -> std::io::Result<()> {
    std::fs::remove_file(path)?;
    std::fs::File::open(home.path())?.sync_all()
}

/// The handover becomes the log's newest checkpoint, which both keys signed.
fn publish(home: &Home, origin: &str, note: &str) -> Result<(), CallError> {
    let place = LogPlace::of(home).map_err(errors::log_database)?;
    let storage = place.writer(origin, Faults::default()).map_err(errors::log_storage)?;
    storage.publish("checkpoint", note.as_bytes()).map_err(errors::io)
}

/// The keys of the home's operator: those of its file, or the one that never gave way.
fn read_line(home: &Home, pinned: &str) -> Result<Succession, CallError> {
    let damaged = |what: &dyn std::fmt::Display| {
        CallError::environment("operator_succession", format!("operator.succession: {what}"))
            .next("put operator.succession back from a backup")
    };
    let (origin, key) = parse_vkey(pinned).map_err(|e| {
        CallError::environment("operator_pub", format!("operator.pub: {e}"))
            .next("put operator.pub back from a backup")
    })?;
    match std::fs::read(home.operator_succession()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(Succession::new(&origin, key))
        }
        Err(error) => Err(damaged(&error)),
        Ok(bytes) if bytes.len() > SUCCESSION_BYTES_MAX => Err(damaged(&"it is too long")),
        Ok(bytes) => {
            let line = Succession::parse(&bytes).map_err(|e| damaged(&e))?;
            match line.origin() == origin && line.place(&key).is_some() {
                true => Ok(line),
                false => Err(damaged(&"it is of another operator")),
            }
        }
    }
}

fn damaged() -> CallError {
    let message = "operator.rotation is damaged: a rotation was decided and cannot be finished";
    CallError::environment("operator_rotation", message)
        .next("put the home back from a backup: symbolon restore --help")
}

fn stopped(what: &str) -> CallError {
    let message = format!("nothing was rotated, and the broker has ended: the log, {what}");
    CallError::new("rotation", Fault::Environment, 500, message).next("symbolon doctor")
}

const FORMAT: &str = "symbolon/operator-rotation/v1";
const STEPS: usize = 5;
const DECIDED_BYTES_MAX: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Method;
    use crate::broker::Options;
    use std::sync::Arc;
    use symbolon_codec::Digest32;
    use symbolon_trust::Revocation;

    async fn open(home: &Path) -> Arc<Broker> {
        let broker = Broker::start(home, Options::default()).await.unwrap();
        assert!(broker.unlock_unattended().await.unwrap());
        broker
    }

    /// A home with an entry in its log and an execution key.
    async fn home() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        Broker::init(&home, Method::Device, None).await.unwrap();
        let broker = open(&home).await;
        broker.log_capsule(&Digest32([1; 32])).await.unwrap();
        broker.open_execution(&[7; 64]).await.unwrap();
        broker.close().await;
        (folder, home)
    }

    fn copy(from: &Path, to: &Path) {
        let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
        assert!(done.success());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn wherever_it_is_cut_the_next_broker_goes_on_by_the_next_key() {
        let (folder, home) = home().await;
        let broker = open(&home).await;
        let was = broker.operator();
        let view = broker.rotate_operator().await.unwrap();
        assert!(broker.is_over());
        assert_eq!((&view.before, view.entries), (&was.key, 1));
        assert!(broker.log_capsule(&Digest32([2; 32])).await.is_err());
        drop(broker);
        for steps in 0..=STEPS {
            let cut = folder.path().join(format!("cut-{steps}"));
            copy(&home, &cut);
            let at = Home::open(&cut).unwrap();
            finish_until(&at, steps).await.unwrap();
            let broker = open(&cut).await;
            assert!(!at.operator_rotation().exists());
            assert_eq!(broker.operator().key, view.key, "{steps}");
            assert_eq!(broker.operator().log, was.log);
            let logged = broker.log_capsule(&Digest32([2; 32])).await.unwrap();
            let line = read_line(&at, &view.key).unwrap();
            assert_eq!((logged.index, line.keys().count()), (1, 2));
            assert_eq!(line.open(&logged.checkpoint).unwrap().1, 1);
            let old = broker.prove_capsule(&Digest32([1; 32]), 0).await.unwrap();
            assert_eq!(line.open(&old.checkpoint).unwrap().1, 1);
            // The chain of execution keys goes on, and the next key signs it.
            let run = broker.open_execution(&[7; 64]).await.unwrap();
            assert_eq!((run.run.number, run.opening.position()), (1, 1));
            run.opening.verify(&broker.operator().operator).unwrap();
            broker.close().await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_can_be_done_again_and_the_line_says_all_of_them() {
        let (_folder, home) = home().await;
        let mut keys = Vec::new();
        for _ in 0..3 {
            let broker = open(&home).await;
            keys.push(broker.operator().key);
            broker.rotate_operator().await.unwrap();
            drop(broker);
            finish_rotation(&home).await.unwrap();
        }
        let broker = open(&home).await;
        keys.push(broker.operator().key);
        let line = read_line(&Home::open(&home).unwrap(), &keys[3]).unwrap();
        let all = line.keys().map(|key| vkey(line.origin(), key).unwrap());
        assert_eq!(all.collect::<Vec<_>>(), keys);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_revoked_meanwhile_is_not_handed_over_and_what_is_handed_over_not_revoked_here()
    {
        let (_folder, home) = home().await;
        let at = Home::open(&home).unwrap();
        // The operator's word comes while calls end.
        let broker = open(&home).await;
        let signed = broker.sign_revocation(5).unwrap().revocation;
        let changes = broker.changes.lock().await;
        let rotating = tokio::spawn({
            let broker = broker.clone();
            async move { broker.rotate_operator().await }
        });
        while !broker.is_over() {
            tokio::task::yield_now().await;
        }
        let read = Revocation::parse(signed.as_bytes()).unwrap();
        *broker.revocation.write().unwrap() = Some(std::sync::Arc::new(read));
        drop(changes);
        assert_eq!(rotating.await.unwrap().unwrap_err().code, "operator_revoked");
        assert!(!at.operator_rotation().exists());
        drop(broker);
        // It comes after what was decided, to the broker that did: the home opens, as the next key's.
        let broker = open(&home).await;
        let before = broker.operator().key;
        broker.rotate_operator().await.unwrap();
        let late = broker.revoke_operator(&signed).await.unwrap_err();
        assert_eq!(late.code, "other_operator", "{late:?}");
        assert!(!at.operator_revocation().exists());
        drop(broker);
        assert_ne!(open(&home).await.operator().key, before);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_locked_or_revoked_hands_over_nothing_and_what_is_damaged_starts_nothing() {
        let (_folder, home) = home().await;
        let broker = Broker::start(&home, Options::default()).await.unwrap();
        assert_eq!(broker.rotate_operator().await.unwrap_err().code, "locked");
        assert!(!broker.is_over());
        broker.unlock_unattended().await.unwrap();
        let revocation = broker.sign_revocation(5).unwrap().revocation;
        assert!(Revocation::is_one(revocation.as_bytes()));
        broker.revoke_operator(&revocation).await.unwrap();
        assert_eq!(broker.rotate_operator().await.unwrap_err().code, "operator_revoked");
        assert!(!broker.is_over());
        broker.close().await;
        drop(broker);
        let at = Home::open(&home).unwrap();
        std::fs::remove_file(at.operator_revocation()).unwrap();
        let broker = open(&home).await;
        broker.rotate_operator().await.unwrap();
        drop(broker);
        let whole = std::fs::read(at.operator_rotation()).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        for bad in [
            text.replace("rotation/v1", "rotation/v2"),
            text.replacen("symbolon/successor/v1", "symbolon/successor/v2", 1),
            text[..text.len() / 2].to_owned(),
        ] {
            std::fs::write(at.operator_rotation(), bad).unwrap();
            let found = Broker::start(&home, Options::default()).await.unwrap_err();
            assert_eq!(found.code, "operator_rotation");
        }
        std::fs::write(at.operator_rotation(), whole).unwrap();
        open(&home).await;
    }
}
