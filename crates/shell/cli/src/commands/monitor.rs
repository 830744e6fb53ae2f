//! `symbolon monitor`

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use symbolon_ambient::{Clock, SystemClock};
use symbolon_codec::parse_duration_seconds;
use symbolon_crypto::VerifyingKey;
use symbolon_log::parse_vkey;
use symbolon_log::{
    CheckpointError, ForkProof, MemoryStorage, Mirror, MirrorError, Observed, Storage, Succession,
    WitnessKey,
};
use symbolon_store::FolderStorage;
use symbolon_trust::score::Evidence;
use symbolon_witness::{Client, Looked, MonitorError, PeerUrl, look};

use super::{Ctx, trust, witnesses};
use crate::failure::Failure;
use crate::{facts, out, runtime};

/// Follow somebody's log, and prove it where they rewrite it
///
/// Every leaf of the log is read once and kept as a hash. A new checkpoint must be signed and continue the last; two that
/// do not fit together are written to a file that convinces anybody (`symbolon verify fork.json --key operator.pub`).
/// With --once the exit code says it: 0 where all is well, 1 where the log forked, went back or shows tiles that are not
/// its own, 4 where it cannot be reached.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon monitor https://log.example --key operator.pub --state log.example --once
  symbolon monitor https://log.example --key operator.pub --state log.example --every 5m
  symbolon verify fork.json --key operator.pub")]
pub struct Args {
    /// Where the log is
    #[arg(value_name = "URL")]
    url: PeerUrl,
    /// The operator's operator.pub, from the operator
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A folder for what was seen, so that the next run goes on from there [default: nothing is kept]
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// Look once
    #[arg(long)]
    once: bool,
    /// Time between looks
    #[arg(long, value_name = "TIME", value_parser = every, default_value = "60s", conflicts_with = "once")]
    every: u64,
    /// Where the proof of a fork is written
    #[arg(long, value_name = "FILE", default_value = "fork.json")]
    proof: PathBuf,
    /// A witness whose times are looked at; can be repeated
    #[arg(long = "witness", value_name = "KEY", value_parser = witnesses::key)]
    witnesses: Vec<WitnessKey>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let read = facts::read(&self.key, KEY_BYTES_MAX)?;
        let parsed = parse_vkey(String::from_utf8_lossy(&read).trim());
        let (origin, key) = parsed.map_err(|error| {
            let what = format!("{} is not an operator's key: {error}", self.key.display());
            Failure::refused("operator_key", what).next("--key with the operator's operator.pub")
        })?;
        if self.proof.exists() {
            let what = format!("{} is there already", self.proof.display());
            let next = format!("symbolon verify {} --key operator.pub", self.proof.display());
            return Err(Failure::refused("exists", what).next(next));
        }
        let (_lock, storage) = match &self.state {
            Some(folder) => {
                let (lock, storage) = state(folder)?;
                (Some(lock), storage)
            }
            None => (None, Arc::new(MemoryStorage::new()) as Arc<dyn Storage>),
        };
        let mirror = Mirror::open(storage, &origin, key).map_err(|e| failed(e.into()))?;
        self.follow(ctx, mirror)
    }

    fn follow(self, ctx: &Ctx, mut mirror: Mirror<Arc<dyn Storage>>) -> Result<(), Failure> {
        runtime::install_tls();
        let runtime = runtime::single()?;
        let mut client = Client::new(self.url.clone(), ANSWER_WAIT);
        loop {
            let before = mirror.note().map(str::to_owned);
            let failure = match look(&runtime, &mut client, &mut mirror) {
                Ok(looked) => {
                    self.learn(ctx, mirror.keys(), &looked);
                    let clocks = self.clocks(before.as_deref(), &looked);
                    self.tell(ctx, &looked, &clocks)?
                }
                Err(error) => Some(failed(error)),
            };
            match failure {
                None if self.once => return Ok(()),
                None => {}
                Some(failure) if self.once || failure.code == FORK || failure.code == STATE => {
                    return Err(failure);
                }
                Some(failure) => {
                    out::say_error(&failure.message);
                }
            }
            thread::sleep(Duration::from_secs(self.every));
        }
    }

    /// What it says of the operator, for `symbolon trust`.
    fn learn(&self, ctx: &Ctx, keys: &Succession, looked: &Looked) {
        let origin = keys.origin();
        let of = |key: &VerifyingKey| match &looked.observed {
            Observed::Forked(proof) => {
                proof.verify(key, Some(origin)).ok().map(|fork| Evidence::of(&fork))
            }
            Observed::Advanced { .. } => {
                Evidence::cosigned(&looked.note, origin, key, &self.witnesses).ok()
            }
            _ => None,
        };
        if let Some((key, evidence)) = keys.keys().find_map(|key| Some((key, of(key)?))) {
            trust::keep(ctx, key, evidence);
        }
    }

    /// Says what was seen; gives what is wrong with it.
    fn tell(
        &self,
        ctx: &Ctx,
        looked: &Looked,
        clocks: &[String],
    ) -> Result<Option<Failure>, Failure> {
        let (word, mut said, failure) = match &looked.observed {
            Observed::Unchanged => ("unchanged", json!({}), None),
            Observed::Advanced { from, to } => {
                ("advanced", json!({ "from": from, "to": to }), None)
            }
            Observed::RolledBack { known, shown } => {
                let what = format!("the log showed {shown} entries after {known}");
                let failure = Failure::refused("rolled_back", what)
                    .next("ask its operator, and others what they were shown");
                ("rolled_back", json!({ "known": known, "shown": shown }), Some(failure))
            }
            Observed::Forked(proof) => {
                self.write(proof)?;
                let path = self.proof.display().to_string();
                let what = format!("the log has two histories; the proof is in {path}");
                let failure = Failure::refused(FORK, what)
                    .next(format!("symbolon verify {path} --key operator.pub, by anybody"));
                ("forked", json!({ "proof": path }), Some(failure))
            }
            _ => ("unknown", json!({}), None),
        };
        if ctx.json {
            said["observed"] = word.into();
            said["clocks"] = Value::from(clocks.to_vec());
            said["new_key"] = looked.is_new_key.into();
            out::json(&said)?;
            return Ok(failure.map(Failure::already_told));
        }
        clocks.iter().for_each(|what| out::say_error(what));
        if looked.is_new_key {
            out::text("the log's key gave way to another, by a checkpoint that both signed")?;
        }
        match &looked.observed {
            Observed::Advanced { from, to } => {
                out::text(&format!("{to} entries, continuing {from}: every new leaf was read"))?;
            }
            Observed::Unchanged => out::text("nothing new")?,
            _ => {}
        }
        Ok(failure)
    }

    fn write(&self, proof: &ForkProof) -> Result<(), Failure> {
        facts::NewFile::make(&self.proof)?.write(&proof.to_json())
    }

    /// What is odd about the times of witnesses.
    fn clocks(&self, before: Option<&str>, looked: &Looked) -> Vec<String> {
        let now = SystemClock.unix_ms() / 1000;
        let mut odd = Vec::new();
        for witness in &self.witnesses {
            let time = |note: &str| witness.verify(note).ok().map(|it| it.unix_seconds());
            let Some(new) = time(&looked.note) else { continue };
            if new > now + AHEAD_SECONDS {
                let ahead = new - now;
                odd.push(format!("{} signed {ahead} seconds from now", witness.name()));
            }
            let old = before.and_then(time);
            let has_grown = matches!(looked.observed, Observed::Advanced { .. });
            if let Some(old) = old.filter(|old| has_grown && new < *old) {
                let back = old - new;
                odd.push(format!("the clock of {} went back {back} seconds", witness.name()));
            }
        }
        odd
    }
}

/// The folder for this process alone.
fn state(folder: &Path) -> Result<(File, Arc<dyn Storage>), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| Failure::file("make", folder, &error))?;
    let lock = File::create(folder.join("lock"));
    let lock = lock.map_err(|error| Failure::file("use", folder, &error))?;
    if lock.try_lock().is_err() {
        let what = format!("another monitor uses {}", folder.display());
        return Err(Failure::environment("state_in_use", what)
            .next("the same command with another --state"));
    }
    let storage = FolderStorage::open(folder);
    let storage = storage.map_err(|error| Failure::file("use", folder, &error))?;
    Ok((lock, Arc::new(storage)))
}

fn failed(error: MonitorError) -> Failure {
    let says = error.to_string();
    match error {
        MonitorError::Client(_) => Failure::environment("log_unreachable", says)
            .next("the same command later, or with another URL"),
        MonitorError::Mirror(MirrorError::OtherKey) => Failure::environment(STATE, says)
            .next("--key with the operator.pub that it began with: it follows by itself to the next; or a new --state"),
        MonitorError::Mirror(MirrorError::State) => Failure::environment(STATE, says)
            .next("the same command with a new --state, which reads the whole log again"),
        MonitorError::Mirror(MirrorError::Storage(_)) => {
            Failure::environment(STATE, says).next("df -h")
        }
        MonitorError::Mirror(MirrorError::Checkpoint(CheckpointError::Retired { .. })) => {
            let what = format!("a key of the log's signed after it gave way to another: {says}");
            Failure::refused("log_key_retired", what).next(
                "ask the log's operator who has the old key and runs the log; then the same command with the same --state",
            )
        }
        MonitorError::Mirror(MirrorError::Checkpoint(CheckpointError::TwoRoots { .. })) => {
            let what = format!("the log shows another history than its handover: {says}");
            Failure::refused("log_two_roots", what)
                .next("keep what it shows at /checkpoint and /succession, and ask the log's operator")
        }
        MonitorError::Mirror(MirrorError::Checkpoint(_)) => {
            Failure::refused("log_checkpoint", format!("the log's checkpoint is refused: {says}"))
                .next("--key with the operator.pub of that log's operator")
        }
        MonitorError::Mirror(_) => {
            Failure::refused("log_tiles", says).next("ask the log's operator")
        }
        _ => Failure::refused("log_answer", says).next("the address of a log, with its path"),
    }
}

fn every(text: &str) -> Result<u64, String> {
    match parse_duration_seconds(text).map_err(|error| error.to_string())? {
        seconds @ 1..=86_400 => Ok(seconds),
        _ => Err("between 1s and 1d".to_owned()),
    }
}

const FORK: &str = "fork";
const STATE: &str = "monitor_state";
const KEY_BYTES_MAX: usize = 4096;
const ANSWER_WAIT: Duration = Duration::from_secs(20);
/// A clock may be that far ahead of ours.
const AHEAD_SECONDS: u64 = 300;
