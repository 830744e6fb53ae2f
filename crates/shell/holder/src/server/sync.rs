//! Taking in what a server has, and sending what waits.

use http::Method;
use serde::Deserialize;
use symbolon_ambient::{Clock, Rng};
use symbolon_crypto::SigningKey;
use symbolon_vault::replica::{CommitMakeError, Conflict, SyncError};
use symbolon_vault::wire::{SealedRevision, SignedHead};

use super::client::{By, Client};
use super::error::ClientError;
use crate::card::{CARD, Card};
use crate::error::HolderError;
use crate::open::OpenVault;

/// What a sync did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Items that came, or changed by what came.
    pub received: usize,
    /// Items that were sent.
    pub sent: usize,
    /// Items that were written here and elsewhere; both are kept.
    pub conflicts: Vec<Conflict>,
}

/// Why a sync ended early. What it had taken in and sent until then is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SyncFailure {
    /// The server, or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What the server sent is not this vault's, or not all of it, or older than what was seen.
    #[error(transparent)]
    Server(#[from] SyncError),
    /// What waits could not be sent.
    #[error(transparent)]
    Commit(#[from] CommitMakeError),
    /// This device's files.
    #[error(transparent)]
    Holder(#[from] HolderError),
    /// The vault has no server.
    #[error("this vault is on this device alone")]
    NoServer,
    /// Others write all the time.
    #[error("the vault was changed elsewhere at each of {rounds} tries")]
    Busy {
        /// How often it was tried.
        rounds: usize,
    },
}

impl SyncFailure {
    /// Whether the server is away: what waits is sent later.
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Client(error) if error.is_offline())
    }
}

#[derive(Deserialize)]
struct Changes {
    revisions: Vec<Change>,
    next: u64,
    more: bool,
    head: SignedHead,
}

#[derive(Deserialize)]
struct Change {
    counter: u64,
    revision: SealedRevision,
}

impl OpenVault {
    /// Takes in what the server has and sends what waits, until neither is left. Each step is on the disk
    /// before the next begins.
    ///
    /// # Errors
    /// [`SyncFailure`].
    pub async fn sync(
        &mut self,
        client: &mut Client,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Synced, SyncFailure> {
        let account = self.card.account.as_ref().ok_or(SyncFailure::NoServer)?;
        let key_id = account.device.key_id.clone();
        let key = account.device.open(&self.unlocked)?;
        let by = By::Device(&key_id, &key);
        let mut done = Synced::default();
        for _ in 0..ROUNDS_MAX {
            self.fetch(client, by, rng, &mut done).await?;
            if self.send(client, by, rng, clock, &mut done).await? {
                return Ok(done);
            }
        }
        Err(SyncFailure::Busy { rounds: ROUNDS_MAX })
    }

    /// Takes the server's list of wraps, where its data key is the one that is known here.
    ///
    /// # Errors
    /// [`SyncFailure`]; [`SyncError::NoKey`] where the data key was rotated elsewhere.
    pub async fn refresh_wraps(&mut self, client: &mut Client) -> Result<(), SyncFailure> {
        let account = self.card.account.as_ref().ok_or(SyncFailure::NoServer)?;
        let key: SigningKey = account.device.open(&self.unlocked)?;
        let view = client.vault(By::Device(&account.device.key_id, &key)).await?;
        if view.id != self.card.custody.id() {
            return Err(SyncError::OtherVault.into());
        }
        let unreadable = || client.other("wraps of no known form".into());
        let (wraps, ring) = view.parts().ok_or_else(unreadable)?;
        let epoch = wraps.iter().map(symbolon_custody::Wrap::epoch).max().unwrap_or(0);
        if epoch > self.unlocked.epoch() {
            return Err(SyncError::NoKey(epoch).into());
        }
        let card = self.card.with_wraps(wraps, ring).ok_or_else(unreadable)?;
        self.put_card(card)?;
        Ok(())
    }

    fn put_card(&mut self, card: Card) -> Result<(), HolderError> {
        if card != self.card {
            self.folder.write(CARD, &card.encode())?;
            self.card = card;
        }
        Ok(())
    }

    async fn fetch(
        &mut self,
        client: &mut Client,
        by: By<'_>,
        rng: &dyn Rng,
        done: &mut Synced,
    ) -> Result<(), SyncFailure> {
        let mut tries = 0;
        loop {
            let (head, revisions) = self.changes(client, by).await?;
            self.check_seen(&head)?;
            match self.replica.apply(&head, &revisions, rng) {
                Ok(applied) => {
                    done.received += applied.changed.len();
                    done.conflicts.extend_from_slice(&applied.conflicts);
                    if !revisions.is_empty() || self.condition != crate::Condition::Whole {
                        self.save(rng)?;
                    }
                    return Ok(());
                }
                // A commit between two pages takes revisions away that the first head names.
                Err(SyncError::Root) if tries < ROUNDS_MAX => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A damaged replica has forgotten the head that it saw; the file beside it has not.
    fn check_seen(&self, head: &SignedHead) -> Result<(), SyncFailure> {
        let Some(seen) = self.seen()? else { return Ok(()) };
        let (known, found) = (seen.head(), head.head());
        if found.vault != known.vault {
            return Err(SyncError::OtherVault.into());
        }
        if found.counter < known.counter {
            let (known, found) = (known.counter, found.counter);
            return Err(SyncError::Rollback { known, found }.into());
        }
        if found.counter == known.counter && found != known {
            return Err(SyncError::Fork { counter: found.counter }.into());
        }
        Ok(())
    }

    /// Every change after the known head, up to the head that the server gave last.
    async fn changes(
        &self,
        client: &mut Client,
        by: By<'_>,
    ) -> Result<(SignedHead, Vec<SealedRevision>), SyncFailure> {
        let mut after = self.replica.head().map_or(0, |head| head.head().counter);
        let mut all = Vec::new();
        loop {
            let target = format!("/api/vault/changes?after={after}&limit=1000");
            let page: Changes = client.get(by, &target).await?;
            all.extend(page.revisions);
            if !page.more {
                let newest = page.head.head().counter;
                let upto = all.into_iter().filter(|change: &Change| change.counter <= newest);
                return Ok((page.head, upto.map(|change| change.revision).collect()));
            }
            if page.next <= after {
                return Err(client.other("changes without an end".into()).into());
            }
            after = page.next;
        }
    }

    /// Sends commit after commit; `false` where somebody else's came first.
    async fn send(
        &mut self,
        client: &mut Client,
        by: By<'_>,
        rng: &dyn Rng,
        clock: &dyn Clock,
        done: &mut Synced,
    ) -> Result<bool, SyncFailure> {
        while let Some(commit) = self.replica.commit(clock)? {
            // What came through unseen is told by what was sent.
            self.save(rng)?;
            match client.send(by, Method::POST, "/api/vault/commit", &commit).await {
                Ok(_) => {}
                Err(error) if error.is_code("conflict") => return Ok(false),
                Err(error) => return Err(error.into()),
            }
            self.replica.accepted(&commit, rng)?;
            done.sent += commit.revisions().len();
            self.save(rng)?;
        }
        Ok(true)
    }
}

const ROUNDS_MAX: usize = 8;
