//! The replica of a lease and the rows that the server keeps.

use symbolon_account::{AccountError, AccountState, AccountStore, Vault};
use symbolon_vault::Replica;
use symbolon_vault::replica::{Conflict, SyncError};
use symbolon_vault::wire::{SealedRevision, SignedHead};
use tokio::sync::OwnedMutexGuard;

use crate::error::LeaseError;
use crate::lease::{Ended, Held, Loaded};
use crate::leased::Leased;
use crate::room::Share;
use crate::rows::commit_rows;

/// A lease that one caller works with: the replica is out of it until it is put back.
pub(crate) struct Working<'l, S> {
    leased: &'l Leased<S>,
    held: OwnedMutexGuard<Option<Held>>,
    loaded: Loaded,
    /// What was written here and elsewhere while this worked.
    pub conflicts: Vec<Conflict>,
}

impl<S: AccountStore> Leased<S> {
    /// The vault as the server has it now.
    pub(crate) async fn work(&self) -> Result<Working<'_, S>, LeaseError> {
        self.check_live()?;
        let mut held = self.lease.hold().await;
        let over = self.lease.over(&*self.clock);
        let Some(inner) = held.as_mut().filter(|_| over.is_none()) else {
            return Err(LeaseError::Ended(over.unwrap_or(Ended::Stopped)));
        };
        let loaded = match inner.replica.take() {
            Some(loaded) => loaded,
            None => {
                let keys = inner.keys().map_err(|_| LeaseError::Bug("a ring that opened"))?;
                Loaded { replica: Replica::join(keys), share: Share::none(self.room.clone()) }
            }
        };
        let mut work = Working { leased: self, held, loaded, conflicts: Vec::new() };
        work.fetch().await?;
        Ok(work)
    }

    fn check_live(&self) -> Result<(), LeaseError> {
        match self.lease.over(&*self.clock) {
            Some(why) => Err(LeaseError::Ended(why)),
            None => Ok(()),
        }
    }
}

impl<S: AccountStore> Working<'_, S> {
    pub fn replica(&self) -> &Replica {
        &self.loaded.replica
    }

    /// Keeps the replica for the next; without this it is loaded anew.
    pub fn keep(mut self) {
        if let Some(inner) = self.held.as_mut() {
            inner.replica = Some(self.loaded);
        }
    }

    /// Changes the vault: one or more commits, each signed by its head key. Where another commit comes
    /// first, it is taken in and the change is made on it.
    pub async fn change<T>(
        &mut self,
        edit: impl FnOnce(&mut Replica) -> Result<T, LeaseError>,
    ) -> Result<T, LeaseError> {
        let made = edit(&mut self.loaded.replica)?;
        let Leased { store, clock, rng, .. } = self.leased;
        for _ in 0..ROUNDS_MAX {
            let Some(commit) = self.loaded.replica.commit(&**clock)? else { return Ok(made) };
            self.leased.check_live()?;
            let rows = commit_rows(&commit);
            let bytes = rows.revisions.iter().map(|row| row.info.size_bytes).sum();
            self.take_room(bytes)?;
            rows.check()?;
            match store.commit(rows).await {
                Ok(()) => self.loaded.replica.accepted(&commit, &**rng)?,
                Err(AccountError::Conflict(_)) => self.fetch().await?,
                Err(error) => return Err(error.into()),
            }
        }
        if self.loaded.replica.pending() == 0 {
            return Ok(made);
        }
        Err(LeaseError::Busy { rounds: ROUNDS_MAX })
    }

    /// Takes in what the server has and the replica has not.
    async fn fetch(&mut self) -> Result<(), LeaseError> {
        for _ in 0..ROUNDS_MAX {
            let vault = self.vault().await?;
            let head = SignedHead::decode(&vault.head.bytes)?;
            let known = self.loaded.replica.head().map(|known| known.head().counter);
            let revisions = match known {
                Some(counter) if counter == head.head().counter => Vec::new(),
                known => self.changes(known.unwrap_or(0), head.head().counter).await?,
            };
            match self.apply(head, revisions).await {
                // A commit between two pages takes revisions away that the first head names.
                Err(LeaseError::Sync(SyncError::Root)) => {}
                done => return done,
            }
        }
        Err(LeaseError::Sync(SyncError::Root))
    }

    /// The vault's row, where its keys are those that were lent and its account may be used.
    async fn vault(&mut self) -> Result<Vault, LeaseError> {
        let Leased { store, lease, .. } = self.leased;
        let account = store.account(lease.account).await;
        let vault = match account {
            Ok(account) if account.state != AccountState::Active => {
                return Err(self.end(Ended::Account));
            }
            Ok(_) => store.vault_of(lease.account).await,
            Err(error) => Err(error),
        };
        match vault {
            Ok(vault) if vault.id == lease.vault && vault.keys_version == lease.keys_version => {
                Ok(vault)
            }
            Ok(_) => Err(self.end(Ended::Keys)),
            Err(AccountError::Missing(_)) => Err(self.end(Ended::Account)),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the lease from within: its keys are gone, and the next sweep writes it down.
    fn end(&mut self, why: Ended) -> LeaseError {
        self.leased.lease.mark(why);
        *self.held = None;
        LeaseError::Ended(why)
    }

    /// Current revisions that came after one commit, up to another.
    async fn changes(&mut self, after: u64, upto: u64) -> Result<Vec<SealedRevision>, LeaseError> {
        let Leased { store, lease, .. } = self.leased;
        let (mut after, mut all) = (after, Vec::new());
        loop {
            let page = store.changes(lease.vault, after, PAGE).await?;
            let bytes = page.revisions.iter().map(|one| one.info.size_bytes).sum();
            self.take_room(bytes)?;
            for row in page.revisions.iter().filter(|row| row.counter <= upto) {
                all.push(SealedRevision::decode(&row.sealed)?);
            }
            if !page.more || page.next >= upto {
                return Ok(all);
            }
            if page.next <= after {
                return Err(LeaseError::Bug("changes without an end"));
            }
            after = page.next;
        }
    }

    fn take_room(&mut self, bytes: u64) -> Result<(), LeaseError> {
        if self.loaded.share.grow(bytes) { Ok(()) } else { Err(LeaseError::TooLarge) }
    }

    /// Opening many items takes a while: not on a thread that has connections to serve.
    async fn apply(
        &mut self,
        head: SignedHead,
        revisions: Vec<SealedRevision>,
    ) -> Result<(), LeaseError> {
        let rng = self.leased.rng.clone();
        if revisions.len() <= QUICK {
            let applied = self.loaded.replica.apply(&head, &revisions, &*rng)?;
            self.conflicts.extend(applied.conflicts);
            return Ok(());
        }
        let keys = self.held.as_ref().ok_or(LeaseError::Bug("a lease without keys"))?.keys();
        let keys = keys.map_err(|_| LeaseError::Bug("a ring that opened"))?;
        let mut replica = std::mem::replace(&mut self.loaded.replica, Replica::join(keys));
        let work = move || {
            let applied = replica.apply(&head, &revisions, &*rng);
            (replica, applied)
        };
        let done = tokio::task::spawn_blocking(work).await;
        let (replica, applied) = done.map_err(|_| LeaseError::Bug("opening items"))?;
        self.loaded.replica = replica;
        self.conflicts.extend(applied?.conflicts);
        Ok(())
    }
}

const ROUNDS_MAX: usize = 16;
/// Revisions that are read at once.
const PAGE: usize = 256;
/// Revisions that are opened within a millisecond or so.
const QUICK: usize = 16;
