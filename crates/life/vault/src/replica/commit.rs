//! What waits, as a commit for the server.

use std::collections::BTreeMap;

use symbolon_ambient::{Clock, Rng};
use symbolon_codec::Digest32;
use symbolon_crypto::SigningKey;

use super::edit::Put;
use super::entry::{Entry, View};
use super::known::Known;
use super::{CommitMakeError, EditError, Replica};
use crate::seal::{self, Revise};
use crate::wire::{
    COMMIT_BYTES_MAX, COMMIT_REVISIONS_MAX, Commit, Head, ItemId, SealedRevision, SignedHead,
    State, Succession, root,
};

impl Replica {
    /// The next commit of what waits, or `None` where nothing does. As much as one commit holds: the
    /// rest is in the next, once the server took this one. After a rotation of the data key the first
    /// is the handover to the new keys.
    ///
    /// Keep a snapshot before it is sent: what came through unseen is told by it.
    ///
    /// # Errors
    /// [`CommitMakeError`].
    pub fn commit(&mut self, clock: &dyn Clock) -> Result<Option<Commit>, CommitMakeError> {
        let known = *self.head.as_ref().ok_or(CommitMakeError::NotFetched)?.head();
        if known.epoch < self.keys.epoch() {
            let (succession, key) = self.succession_from(known.epoch)?;
            let head = self.next_head(&known, &BTreeMap::new(), succession.epoch(), clock);
            let head = SignedHead::sign(head, key);
            return Ok(Some(Commit::new(known.counter, head, Some(succession), Vec::new())?));
        }
        if known.epoch > self.keys.epoch() {
            return Err(CommitMakeError::NoKey(known.epoch));
        }
        let mut revisions: Vec<SealedRevision> = Vec::new();
        let mut sent = BTreeMap::new();
        let mut bytes = COMMIT_REST_BYTES;
        for (id, entry) in &self.entries {
            let Some(local) = &entry.local else { continue };
            bytes += local.bytes().len() + 4;
            if revisions.len() == COMMIT_REVISIONS_MAX || bytes > COMMIT_BYTES_MAX {
                break;
            }
            revisions.push(local.revision()?);
            sent.insert(*id, (local.header().number, local.digest()));
        }
        if revisions.is_empty() {
            return Ok(None);
        }
        let head = self.next_head(&known, &sent, self.keys.epoch(), clock);
        let head = SignedHead::sign(head, &self.keys.current().head);
        for (id, (_, digest)) in &sent {
            if let Some(entry) = self.entries.get_mut(id) {
                entry.sent = Some(*digest);
            }
        }
        Ok(Some(Commit::new(known.counter, head, None, revisions)?))
    }

    /// The server took this commit. What was changed since it was made waits for the next.
    ///
    /// # Errors
    /// [`CommitMakeError::Other`] where it does not follow the head that is known here.
    pub fn accepted(&mut self, commit: &Commit, rng: &dyn Rng) -> Result<(), CommitMakeError> {
        let follows = self.head.as_ref().is_some_and(|known| {
            let (known, next) = (known.head(), commit.head().head());
            known.counter == commit.base() && next.previous == known.digest()
        });
        if !follows {
            return Err(CommitMakeError::Other);
        }
        let mut settled = Vec::with_capacity(commit.revisions().len());
        for revision in commit.revisions() {
            let base = Known::new(revision);
            let entry = self.entries.get(&revision.item()).ok_or(CommitMakeError::Other)?;
            let local = match &entry.local {
                Some(local) if local.digest() != base.digest() => {
                    Some(self.on_top(&base, local, rng)?)
                }
                _ => None,
            };
            settled.push((revision.item(), base, local));
        }
        for (id, base, local) in settled {
            if let Some(entry) = self.entries.get_mut(&id) {
                (entry.base, entry.local, entry.sent) = (Some(base), local, None);
            }
        }
        self.head = Some(*commit.head());
        Ok(())
    }

    /// Seals anew, under the epoch in use, what is of an older one and does not wait already: `max`
    /// items at most. Gives how many are left.
    ///
    /// # Errors
    /// [`EditError`]: what of an older epoch does not open stays as it is.
    pub fn reseal(
        &mut self,
        max: usize,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<usize, EditError> {
        let epoch = self.keys.epoch();
        let is_old = |entry: &Entry| {
            let known = entry.current().filter(|_| matches!(entry.view, View::Shown(_)));
            known.is_some_and(|known| known.header().epoch < epoch)
        };
        let old: Vec<ItemId> =
            self.entries.iter().filter(|(_, e)| is_old(e)).map(|(id, _)| *id).collect();
        for id in old.iter().take(max) {
            let item = self.open(*id)?;
            self.put(&self.as_it_is(*id, &item)?, clock, rng)?;
        }
        Ok(old.len().saturating_sub(max))
    }

    /// Whether the data key of an epoch is needed for a current revision or for the head. Where it is
    /// not, its entry in the ring can go, and older revisions under it are lost with it.
    pub fn needs_epoch(&self, epoch: u32) -> bool {
        let of = |known: Option<&Known>| {
            known.is_some_and(|k| k.header().epoch == epoch && k.header().state != State::Erased)
        };
        let is_head = self.head.is_some_and(|head| head.head().epoch == epoch);
        epoch == self.keys.epoch()
            || is_head
            || self.entries.values().any(|e| of(e.base.as_ref()) || of(e.local.as_ref()))
    }

    /// What waits, sealed as the revision after `base`.
    pub(super) fn on_top(
        &self,
        base: &Known,
        local: &Known,
        rng: &dyn Rng,
    ) -> Result<Known, CommitMakeError> {
        let header = *local.header();
        if header.state == State::Erased {
            let to = Revise {
                item: header.item,
                number: base.header().number + 1,
                parent: None,
                created_unix_ms: header.created_unix_ms,
                updated_unix_ms: header.updated_unix_ms,
                state: State::Erased,
            };
            return Ok(Known::new(&seal::erase(&self.keys, &to)?));
        }
        let (item, about) = seal::open(&self.keys, &local.revision()?)?;
        let put = Put {
            id: header.item,
            item: &item,
            parent: header.parent,
            state: header.state,
            conflict_of: about.lineage.conflict_of,
            created_unix_ms: header.created_unix_ms,
        };
        Ok(self.seal_on(Some(base), &put, header.updated_unix_ms, rng)?)
    }

    fn next_head(
        &self,
        known: &Head,
        sent: &BTreeMap<ItemId, (u64, Digest32)>,
        epoch: u32,
        clock: &dyn Clock,
    ) -> Head {
        let bases = self.entries.iter().filter_map(|(id, entry)| {
            let base = entry.base.as_ref()?;
            Some((*id, (base.header().number, base.digest())))
        });
        let mut all: BTreeMap<ItemId, (u64, Digest32)> = bases.collect();
        all.extend(sent.iter().map(|(id, new)| (*id, *new)));
        let mut all: Vec<_> = all.into_iter().map(|(id, (n, digest))| (id, n, digest)).collect();
        Head {
            vault: known.vault,
            counter: known.counter + 1,
            previous: known.digest(),
            root: root(&mut all),
            updated_unix_ms: clock.unix_ms(),
            epoch,
        }
    }

    fn succession_from(&self, epoch: u32) -> Result<(Succession, &SigningKey), CommitMakeError> {
        let next = epoch + 1;
        let before = self.keys.of(epoch).ok_or(CommitMakeError::NoKey(epoch))?;
        let after = self.keys.of(next).ok_or(CommitMakeError::NoKey(next))?;
        let (head, share) = (after.head.verifying_key(), after.share.public());
        let vault = self.keys.vault();
        Ok((Succession::sign(vault, next, head, share, &before.head), &after.head))
    }
}

/// What a commit has beside its revisions, at most.
const COMMIT_REST_BYTES: usize = 2048;
