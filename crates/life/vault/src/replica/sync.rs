//! Taking in what a server has, whole or not at all.

use std::collections::{BTreeMap, HashMap};

use symbolon_ambient::Rng;
use symbolon_codec::Digest32;

use super::commit_error;
use super::edit::Put;
use super::entry::{Entry, Shown, View};
use super::known::Known;
use super::merge::{Kept, Merged};
use super::{Replica, SyncError};
use crate::item::Body;
use crate::seal;
use crate::wire::{Head, ItemId, SealedRevision, SignedHead, root};

/// What was taken in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Items that are other than before, without those of conflicts.
    pub changed: Vec<ItemId>,
    /// Items that were written here and elsewhere.
    pub conflicts: Vec<Conflict>,
}

/// Two versions of an item, both kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The item, which is what the server has.
    pub item: ItemId,
    /// The item that is what was written here.
    pub copy: ItemId,
}

/// An entry that is ready to be taken in.
struct Staged {
    id: ItemId,
    entry: Entry,
    body: Option<Body>,
}

impl Replica {
    /// Takes in the server's head and the revisions that lead to it: all that were committed after the
    /// head that is known here, in any order, older ones of an item too. Where it errs nothing changed.
    ///
    /// # Errors
    /// [`SyncError`]: what tells a server that lies from one whose disk is bad.
    pub fn apply(
        &mut self,
        head: &SignedHead,
        revisions: &[SealedRevision],
        rng: &dyn Rng,
    ) -> Result<Applied, SyncError> {
        let new = self.check_head(head)?;
        let incoming = self.newest(revisions)?;
        self.check_root(&new, &incoming, revisions)?;
        let sent: HashMap<Digest32, &SealedRevision> = self.sent_among(revisions);
        let mut applied = Applied::default();
        let mut staged = Vec::with_capacity(incoming.len());
        for (id, revision) in &incoming {
            self.stage(*id, revision, &sent, rng, &mut applied, &mut staged)?;
        }
        for Staged { id, entry, body } in staged {
            self.put_entry(id, entry, body.as_ref());
        }
        self.head = Some(*head);
        Ok(applied)
    }

    fn check_head(&self, signed: &SignedHead) -> Result<Head, SyncError> {
        let found = signed.head();
        if found.vault != self.vault() {
            return Err(SyncError::OtherVault);
        }
        let keys = self.keys.of(found.epoch).ok_or(SyncError::NoKey(found.epoch))?;
        signed.verify(&keys.head.verifying_key()).map_err(|_| SyncError::Signature)?;
        let Some(known) = self.head.as_ref().map(SignedHead::head) else { return Ok(*found) };
        let counter = found.counter;
        if counter < known.counter {
            return Err(SyncError::Rollback { known: known.counter, found: counter });
        }
        let is_other = counter == known.counter && found != known;
        let is_beside = counter == known.counter + 1 && found.previous != known.digest();
        if is_other || is_beside || found.epoch < known.epoch {
            return Err(SyncError::Fork { counter });
        }
        Ok(*found)
    }

    /// Of each item the latest revision that is not known yet.
    fn newest<'r>(
        &self,
        revisions: &'r [SealedRevision],
    ) -> Result<BTreeMap<ItemId, &'r SealedRevision>, SyncError> {
        let mut newest: BTreeMap<ItemId, &SealedRevision> = BTreeMap::new();
        for revision in revisions {
            let (item, number) = (revision.item(), revision.number());
            if revision.header().vault != self.vault() {
                return Err(SyncError::OtherVault);
            }
            if let Some(base) = self.entries.get(&item).and_then(|entry| entry.base.as_ref()) {
                let known = base.header().number;
                if number == known && revision.digest() != base.digest() {
                    return Err(SyncError::OtherRevision { item, number });
                }
                if number <= known {
                    continue;
                }
            }
            match newest.get(&item) {
                Some(own) if own.number() > number => {}
                Some(own) if own.number() == number && own.digest() != revision.digest() => {
                    return Err(SyncError::OtherRevision { item, number });
                }
                _ => drop(newest.insert(item, revision)),
            }
        }
        Ok(newest)
    }

    fn check_root(
        &self,
        head: &Head,
        incoming: &BTreeMap<ItemId, &SealedRevision>,
        revisions: &[SealedRevision],
    ) -> Result<(), SyncError> {
        let known = self.entries.iter().filter(|(id, _)| !incoming.contains_key(id));
        let known = known.filter_map(|(id, entry)| {
            let base = entry.base.as_ref()?;
            Some((*id, base.header().number, base.digest()))
        });
        let new = incoming.iter().map(|(id, revision)| (*id, revision.number(), revision.digest()));
        let mut all: Vec<_> = known.chain(new).collect();
        if root(&mut all) == head.root {
            return Ok(());
        }
        // The list is wrong. If one of its revisions is not the holder's, that says more.
        for revision in revisions {
            let cause = seal::open(&self.keys, revision).err();
            let cause = cause.filter(|c| *c != seal::OpenError::Erased);
            if let Some(cause) = cause {
                let (item, number) = (revision.item(), revision.number());
                return Err(SyncError::Item { item, number, cause });
            }
        }
        Err(SyncError::Root)
    }

    /// What was sent from here and came through, by its digest.
    fn sent_among<'r>(
        &self,
        revisions: &'r [SealedRevision],
    ) -> HashMap<Digest32, &'r SealedRevision> {
        let mut found = HashMap::new();
        for revision in revisions {
            let sent = self.entries.get(&revision.item()).and_then(|entry| entry.sent);
            if let Some(digest) = sent.filter(|digest| *digest == revision.digest()) {
                found.insert(digest, revision);
            }
        }
        found
    }

    fn stage(
        &self,
        id: ItemId,
        theirs: &SealedRevision,
        sent: &HashMap<Digest32, &SealedRevision>,
        rng: &dyn Rng,
        applied: &mut Applied,
        staged: &mut Vec<Staged>,
    ) -> Result<(), SyncError> {
        let entry = self.entries.get(&id);
        let waiting = entry.and_then(|entry| Some((entry, entry.local.as_ref()?)));
        let Some((entry, local)) = waiting else {
            let (entry, body) = self.taken(theirs);
            applied.changed.push(id);
            staged.push(Staged { id, entry, body });
            return Ok(());
        };
        let came_through = entry.sent.and_then(|digest| sent.get(&digest).copied()).cloned();
        let base = match (came_through, &entry.base) {
            (Some(revision), _) => Some(revision),
            (None, Some(base)) => Some(base.revision().map_err(SyncError::Local)?),
            (None, None) => None,
        };
        match self.merge(base.as_ref(), local, theirs)? {
            Merged::Theirs => {
                let (entry, body) = self.taken(theirs);
                applied.changed.push(id);
                staged.push(Staged { id, entry, body });
            }
            Merged::Ours(kept) => {
                let put = kept.put(id);
                let entry = self.settle(Known::new(theirs), &put, kept.updated_unix_ms, rng)?;
                applied.changed.push(id);
                staged.push(Staged { id, entry, body: Some(kept.item.body.clone()) });
            }
            Merged::Erase => {
                let base = Known::new(theirs);
                let local = Some(self.on_top(&base, local, rng).map_err(commit_error)?);
                let entry = Entry { base: Some(base), local, sent: None, view: View::Erased };
                staged.push(Staged { id, entry, body: None });
            }
            Merged::Copy(kept) => {
                let (entry, body) = self.taken(theirs);
                staged.push(Staged { id, entry, body });
                let copy = ItemId::make(rng);
                let local = self.seal_on(None, &kept.put(copy), kept.updated_unix_ms, rng)?;
                let view = View::Shown(Box::new(Shown::of(&kept.item, kept.conflict_of)));
                let entry = Entry { base: None, local: Some(local), sent: None, view };
                staged.push(Staged { id: copy, entry, body: Some(kept.item.body.clone()) });
                applied.conflicts.push(Conflict { item: id, copy });
            }
        }
        Ok(())
    }
}

impl Kept {
    fn put(&self, id: ItemId) -> Put<'_> {
        Put {
            id,
            item: &self.item,
            parent: self.parent,
            state: self.state,
            conflict_of: self.conflict_of,
            created_unix_ms: self.created_unix_ms,
        }
    }
}
