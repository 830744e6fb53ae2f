//! Dividing a log into shards, and giving up those that are over (`specs/log.md`, "Shards").

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crate::LogError;
use crate::checkpoint::Checkpoint;
use crate::log::{Log, lock};
use crate::shard::{Every, Kept, Shard, Shards};
use crate::storage::Storage;
use crate::tile::TILE_WIDTH;

impl<S: Storage> Log<S> {
    /// How the log is divided.
    pub fn shards(&self) -> Arc<Shards> {
        self.shards.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says how long a shard is written to. The first word makes all there is the first shard.
    ///
    /// # Errors
    /// [`LogError::Storage`], which poisons the log, or [`LogError::Poisoned`].
    pub fn set_every(&self, every: Every, now_ms: u64) -> Result<(), LogError> {
        self.divide(|shards, _, _| {
            Ok((shards.every() != every).then(|| shards.with_every(every, now_ms)))
        })
        .map(drop)
    }

    /// Begins a shard where a period has begun since the last one did. Says whether it did.
    ///
    /// # Errors
    /// As [`Log::set_every`].
    pub fn turn_if_due(&self, now_ms: u64) -> Result<bool, LogError> {
        if !self.shards().is_due(now_ms) {
            return Ok(false);
        }
        self.divide(|shards, first, offset| match shards.is_due(now_ms) {
            true => shards.with_next(now_ms, first, offset).map(Some),
            false => Ok(None),
        })
    }

    /// Begins a shard now. Says whether it did: one without an entry stays.
    ///
    /// # Errors
    /// As [`Log::set_every`]; [`LogError::Shards`] where there are too many.
    pub fn turn(&self, now_ms: u64) -> Result<bool, LogError> {
        self.divide(|shards, first, offset| match shards.all().last() {
            Some(last) if last.first == first => Ok(None),
            None if first == 0 => Ok(None),
            _ => shards.with_next(now_ms, first, offset).map(Some),
        })
    }

    /// Divides a log that is written again as it was divided: where the next entry begins one of these shards, it does so
    /// here. Says whether it does.
    ///
    /// # Errors
    /// As [`Log::set_every`]; [`LogError::Shards`] where it does not begin where the list says.
    pub fn turn_as(&self, shards: &Shards) -> Result<bool, LogError> {
        self.divide(|now, first, offset| match shards.all().iter().find(|s| s.first == first) {
            Some(next) if now.all().last().is_some_and(|last| last.first < first) => {
                let fits = next.offset == offset && shards.until(first - 1) == *now;
                let wrong = LogError::Shards("its entries are not those that were divided so");
                if fits { Ok(Some(shards.until(first))) } else { Err(wrong) }
            }
            _ => Ok(None),
        })
    }

    /// Another list of shards, with everything that was appended durable and under a checkpoint before it: opening cuts
    /// nothing off that lies in a shard which is over.
    fn divide(
        &self,
        change: impl FnOnce(&Shards, u64, u64) -> Result<Option<Shards>, LogError>,
    ) -> Result<bool, LogError> {
        let _one = lock(&self.syncing);
        let mut writer = lock(&self.writer);
        let (written, _) = self.write_pending(&mut writer)?;
        if written > self.durable_size() {
            self.storage.sync().map_err(|e| self.poison("sync entries", e))?;
            self.durable.store(written, Ordering::Release);
        }
        let Some(new) = change(&self.shards(), written, writer.offset)? else { return Ok(false) };
        match self.checkpoint() {
            Ok(_) | Err(LogError::NoKey) => {}
            Err(error) => return Err(error),
        }
        let turned = self.storage.turn(&new);
        turned.map_err(|e| self.poison("begin a shard", e))?;
        *self.shards.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        Ok(true)
    }

    /// Gives up the entries of all shards up to this one: a copy of them is somewhere else. Hashes stay, and so does what
    /// they prove; of the last shard the entries of a bundle that the next one shares stay too.
    ///
    /// # Errors
    /// [`LogError::Shard`] for one that is written to, or that no signed checkpoint covers; where the entries, or the hashes
    /// that stay, are not those under the checkpoint, what says so; [`LogError::Storage`].
    pub fn give_up(&self, shard: usize) -> Result<Kept, LogError> {
        let (first, signed) = self.may_give_up(shard)?;
        // All of it is read, which nobody waits for: what is over does not change.
        let kept = self.settle(first, &signed)?;
        let _one = lock(&self.syncing);
        self.may_give_up(shard)?;
        let new = self.shards().with_kept(kept);
        let ready = self.storage.set_aside(&new);
        ready.map_err(LogError::storage("set aside what is left of a shard"))?;
        let gone = self.storage.give_up(&new);
        gone.map_err(|e| self.poison("give up a shard", e))?;
        *self.shards.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        Ok(kept)
    }

    /// The first entry that would stay, and a checkpoint that covers those before it.
    fn may_give_up(&self, shard: usize) -> Result<(u64, Checkpoint), LogError> {
        self.check_poison()?;
        let shards = self.shards();
        let refuse = |why| {
            let shard = shards.all().get(shard).map(Shard::name).unwrap_or_default();
            LogError::Shard { shard, why }
        };
        let end = shards.end(shard).ok_or_else(|| refuse("is still written to"))?;
        let signed = self.latest_checkpoint();
        let signed = signed.and_then(|note| Checkpoint::dangerous_read_unverified(&note).ok());
        let signed = signed.filter(|checkpoint| checkpoint.size >= end);
        let signed = signed.ok_or_else(|| refuse("is not under a signed checkpoint yet"))?;
        let first = end / TILE_WIDTH * TILE_WIDTH;
        if shards.kept().map_or(0, |kept| kept.first) >= first {
            return Err(refuse("has no bundle of 256 entries here to be taken away"));
        }
        Ok((first, signed))
    }
}
