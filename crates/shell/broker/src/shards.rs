//! How the home's log is divided by periods, and what of it is taken away.

use serde::{Deserialize, Serialize};
pub use symbolon_log::Every;
use symbolon_log::{LogError, Shards};
use symbolon_store::Audit;

use crate::Broker;
use crate::api::CallError;
use crate::errors;

/// A shard of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardView {
    /// Its name, `2026-11.0`: the period in which it began, and its first entry.
    pub name: String,
    /// The day on which it began, in UTC.
    pub began: String,
    /// Place of its first entry.
    pub first: u64,
    /// Place after its last entry, so far.
    pub next: u64,
    /// Bytes of its records; nothing for the one that is written to.
    pub bytes: Option<u64>,
    /// Whether entries are added to it.
    pub is_open: bool,
    /// Entries of it that are here.
    pub here: u64,
}

/// How the log is divided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardsView {
    /// How long a shard is written to.
    pub every: Every,
    /// Where the log is kept, in a phrase.
    pub place: String,
    /// The oldest first. None where the log was never divided.
    pub shards: Vec<ShardView>,
}

impl ShardsView {
    fn of(shards: &Shards, size: u64, place: &str) -> Self {
        let all = shards.all();
        let view = |(at, shard): (usize, &symbolon_log::Shard)| {
            let next = shards.end(at).unwrap_or(size.max(shard.first));
            ShardView {
                name: shard.name(),
                began: shard.began(),
                first: shard.first,
                next,
                bytes: all.get(at + 1).map(|after| after.offset - shard.offset),
                is_open: at + 1 == all.len(),
                here: next.saturating_sub(shards.first().max(shard.first)),
            }
        };
        let shards_of = all.iter().enumerate().map(view).collect();
        Self { every: shards.every(), place: place.to_owned(), shards: shards_of }
    }
}

impl Broker {
    /// How the log is divided.
    pub fn log_shards(&self) -> ShardsView {
        ShardsView::of(&self.log.log().shards(), self.log.size(), &self.log_place)
    }

    /// Says how long a shard is written to, begins one now, or both.
    ///
    /// # Errors
    /// [`CallError`]: a log that cannot be written.
    pub async fn divide_log(
        &self,
        every: Option<Every>,
        now: bool,
    ) -> Result<ShardsView, CallError> {
        let log = self.log.clone();
        let work = move || {
            if let Some(every) = every {
                log.set_every(every)?;
            }
            if now {
                log.turn()?;
            }
            Ok(())
        };
        blocking(work).await?.map_err(not_divided)?;
        Ok(self.log_shards())
    }

    /// Gives up the entries of a shard and of those before it, once the audit's files have them: somebody has a copy. Their
    /// hashes stay, and receipts of them are as good as before.
    ///
    /// # Errors
    /// [`CallError`]: no such shard, one that is written to or not under a signed checkpoint; a log that cannot be written.
    pub async fn give_up_shard(&self, name: &str) -> Result<ShardsView, CallError> {
        let log = self.log.clone();
        let at = log.log().shards().find(name).ok_or_else(|| {
            CallError::caller("no_shard", format!("this log has no shard {name}"))
                .status(404)
                .next("symbolon log shards")
        })?;
        let audit = Audit::open(&self.home);
        let work = move || {
            // What can be searched today can be searched afterwards.
            let kept = audit.and_then(|audit| audit.follow_whole(&|_, _| ()));
            kept.map_err(|fault| {
                let says = format!("the audit's files do not have the shard yet: {fault}");
                CallError::environment("audit", says).next("symbolon audit verify")
            })?;
            log.log().give_up(at).map(drop).map_err(not_divided)
        };
        blocking(work).await??;
        Ok(self.log_shards())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CallError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| CallError::bug(e.to_string()))
}

fn not_divided(error: LogError) -> CallError {
    match error {
        LogError::Shard { .. } => {
            CallError::caller("shard", error.to_string()).status(409).next("symbolon log shards")
        }
        error => errors::log_read(error),
    }
}
