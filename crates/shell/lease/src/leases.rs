//! The leases of a process.

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use symbolon_account::{AccountId, AccountStore, Event, Vault};
use symbolon_ambient::{Clock, Rng};
use symbolon_crypto::{HpkeError, RecipientKey, RecipientSecret};
use symbolon_custody::{Asked, HandedOver, NONCE_BYTES, OldKey, Purpose, Terms};
use symbolon_secret::{MemoryError, Secret};
use symbolon_vault::Keys;

use crate::error::GrantError;
use crate::guest::Guest;
use crate::lease::{Ended, Granted, Held, Lease, LeaseId, LeaseView};
use crate::leased::Leased;
use crate::offer::{Invitation, Offer};
use crate::room::{ROOM_BYTES, Room};

/// What holders lent to this process. Nothing of it outlives the process, and nobody else has its key.
pub struct Leases<S> {
    store: Arc<S>,
    origin: String,
    own: RecipientSecret,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    room: Arc<Room>,
    table: Mutex<Table>,
    guests: Mutex<Vec<Arc<dyn Guest>>>,
}

#[derive(Default)]
struct Table {
    leases: HashMap<LeaseId, Arc<Lease>>,
    /// What was asked and not answered, the oldest first.
    asked: VecDeque<Question>,
}

/// A nonce that was given out.
struct Question {
    nonce: [u8; NONCE_BYTES],
    account: AccountId,
    until_mono_ns: u64,
}

impl<S: AccountStore> Leases<S> {
    /// With a key of its own, made now. `origin` is where holders reach the process.
    ///
    /// # Errors
    /// [`MemoryError`]: no secret page was left.
    pub fn new(
        store: Arc<S>,
        origin: &str,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, MemoryError> {
        let seed = Secret::<[u8; 32]>::try_make(|page| {
            rng.fill(page);
            Ok::<_, MemoryError>(())
        })?;
        let own = RecipientSecret::derive(&seed);
        let (origin, table) = (origin.to_owned(), Mutex::default());
        let (room, guests) = (Room::new(ROOM_BYTES), Mutex::default());
        Ok(Self { store, origin, own, clock, rng, room, table, guests })
    }

    /// The process's key.
    pub const fn key(&self) -> RecipientKey {
        self.own.public()
    }

    /// Somebody who keeps something of connections, and lets go of it with the last lease for them.
    pub fn add_guest(&self, guest: Arc<dyn Guest>) {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner).push(guest);
    }

    /// What an account's holder seals to. The oldest of an account's questions gives way to the newest,
    /// and beyond [`ASKED_MAX`] the oldest of all.
    pub fn invite(&self, account: AccountId) -> Invitation {
        let mut nonce = [0; NONCE_BYTES];
        self.rng.fill(&mut nonce);
        let now = self.clock.mono_ns();
        let mut table = self.table();
        table.asked.retain(|question| question.until_mono_ns > now);
        let own = |question: &Question| question.account == account;
        if table.asked.iter().filter(|question| own(question)).count() >= ASKED_OF_ACCOUNT_MAX {
            table.take_question(own);
        } else if table.asked.len() >= ASKED_MAX {
            table.asked.pop_front();
        }
        table.asked.push_back(Question { nonce, account, until_mono_ns: now + ASKED_NS });
        Invitation { key: self.key(), origin: self.origin.clone(), nonce }
    }

    /// Takes what a holder handed over, where it is the data key of the account's vault. It is in the
    /// account's events before anything is done with it.
    ///
    /// # Errors
    /// [`GrantError`]; the nonce is used up whatever comes.
    pub async fn grant(&self, account: AccountId, offer: &Offer) -> Result<LeaseView, GrantError> {
        let taken = self.table().take_question(|question| question.nonce == offer.nonce);
        let is_ours = |question: &Question| {
            question.account == account && self.clock.mono_ns() < question.until_mono_ns
        };
        if !taken.as_ref().is_some_and(is_ours) {
            return Err(GrantError::Nonce);
        }
        let max = offer.purposes.minutes_max();
        if !(1..=max).contains(&offer.minutes) {
            return Err(GrantError::Minutes { max });
        }
        let vault = self.store.vault_of(account).await?;
        let held = self.opened(&vault, offer)?;
        let lease = Arc::new(Lease::new(Granted {
            id: LeaseId::make(&*self.rng),
            account,
            vault: vault.id,
            keys_version: vault.keys_version,
            purposes: offer.purposes,
            granted_unix_ms: self.clock.unix_ms(),
            ends_mono_ns: self.clock.mono_ns() + u64::from(offer.minutes) * MINUTE_NS,
            held,
        }));
        // In the table first: whatever ends an account's leases from now on ends this one.
        self.table().add(&lease)?;
        let purposes: Vec<_> = lease.purposes.iter().map(Purpose::as_str).collect();
        let detail = serde_json::json!({
            "lease": lease.id.to_string(), "purposes": purposes, "minutes": offer.minutes });
        if let Err(error) =
            self.store.append_event(account, &self.event("lease-granted", &detail)).await
        {
            self.table().leases.remove(&lease.id);
            lease.end(Ended::Stopped).await;
            return Err(error.into());
        }
        lease.begin();
        Ok(lease.view(&*self.clock))
    }

    fn opened(&self, vault: &Vault, offer: &Offer) -> Result<Held, GrantError> {
        let ring: Vec<OldKey> = match &vault.keys.ring[..] {
            [] => Vec::new(),
            ring => serde_json::from_slice(ring).map_err(|e| GrantError::Ring(e.to_string()))?,
        };
        let epochs = ring.iter().map(OldKey::epoch).collect();
        let key = self.key();
        let asked =
            Asked { origin: &self.origin, key: &key, nonce: &offer.nonce, minutes: offer.minutes };
        let terms = Terms::lease(vault.id, vault.keys.epoch, &asked, offer.purposes);
        let handed = HandedOver::open(&self.own, &terms, ring, &offer.sealed);
        let handed = handed.map_err(|error| match error {
            HpkeError::NoPage => GrantError::NoPage,
            _ => GrantError::NotOpened,
        })?;
        let unlocked = handed.prove(|unlocked| {
            let head_key = Keys::new(unlocked, unlocked.epoch()).head_key();
            *head_key.as_bytes() == vault.keys.head_key
        });
        let held = Held::new(unlocked.ok_or(GrantError::OtherKey)?, epochs);
        // A ring that does not open says so now, and not with the first note.
        held.keys()?;
        Ok(held)
    }

    /// The account's vault for one purpose, where a lease for it is live: of several the one that lives
    /// longest.
    pub fn open(&self, account: AccountId, purpose: Purpose) -> Option<Arc<Leased<S>>> {
        let table = self.table();
        let fits = |lease: &&Arc<Lease>| {
            lease.account == account && lease.purposes.has(purpose) && lease.is_live(&*self.clock)
        };
        let lease = table.leases.values().filter(fits).max_by_key(|lease| lease.ends_mono_ns)?;
        Some(Arc::new(Leased {
            lease: lease.clone(),
            purpose,
            store: self.store.clone(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            room: self.room.clone(),
        }))
    }

    /// An account's live leases, the one that ends first before the others.
    pub fn list(&self, account: AccountId) -> Vec<LeaseView> {
        let table = self.table();
        let own = table.leases.values().filter(|lease| lease.account == account);
        let live = own.filter(|lease| lease.is_live(&*self.clock));
        let mut views: Vec<_> = live.map(|lease| lease.view(&*self.clock)).collect();
        views.sort_unstable_by_key(|view| (view.left_ms, view.id));
        views
    }

    /// Ends one of an account's leases; `false` where there is none of this id. Its keys are wiped when
    /// this returns.
    pub async fn end(&self, account: AccountId, id: LeaseId, why: Ended) -> bool {
        let lease = {
            let mut table = self.table();
            let is_own = table.leases.get(&id).is_some_and(|lease| lease.account == account);
            if is_own { table.leases.remove(&id) } else { None }
        };
        match lease {
            Some(lease) => self.bury(&lease, why).await,
            None => return false,
        }
        true
    }

    /// Ends all leases of an account; gives how many. Questions that wait for an answer are gone too.
    pub async fn end_all(&self, account: AccountId, why: Ended) -> usize {
        let found = {
            let mut table = self.table();
            table.asked.retain(|question| question.account != account);
            table.take(|lease| lease.account == account)
        };
        self.bury_all(found, |_| why).await
    }

    /// Has every guest forget an account that is about to be deleted.
    ///
    /// # Errors
    /// The first guest's that could not.
    pub async fn forget(&self, account: AccountId) -> Result<(), Box<dyn Error + Send + Sync>> {
        let guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for guest in guests {
            guest.forget(account).await?;
        }
        Ok(())
    }

    /// Wipes what is over: to be called every second or so.
    pub async fn sweep(&self) -> usize {
        let found = self.table().take(|lease| lease.over(&*self.clock).is_some());
        self.bury_all(found, |lease| lease.over(&*self.clock).unwrap_or(Ended::Time)).await
    }

    /// Ends every lease: the process stops.
    pub async fn close(&self) {
        let found = self.table().take(|_| true);
        self.bury_all(found, |_| Ended::Stopped).await;
    }

    async fn bury_all(&self, found: Vec<Arc<Lease>>, why: impl Fn(&Lease) -> Ended) -> usize {
        // None of them begins anything while the first is waited for.
        found.iter().for_each(|lease| lease.mark(why(lease)));
        for lease in &found {
            self.bury(lease, why(lease)).await;
        }
        found.len()
    }

    async fn bury(&self, lease: &Lease, why: Ended) {
        lease.end(why).await;
        let connections = Purpose::Connections;
        if lease.purposes.has(connections) && self.open(lease.account, connections).is_none() {
            let guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner).clone();
            for guest in guests {
                guest.let_go(lease.account).await;
            }
        }
        let why = lease.over(&*self.clock).unwrap_or(why);
        let detail = serde_json::json!({ "lease": lease.id.to_string(), "why": why.as_str() });
        // The lease is over whatever the store says.
        let event = self.event("lease-ended", &detail);
        if let Err(error) = self.store.append_event(lease.account, &event).await {
            tracing::warn!(%error, "the end of a lease was not written down");
        }
    }

    fn event(&self, kind: &str, detail: &serde_json::Value) -> Event {
        let (at_unix_ms, detail) = (self.clock.unix_ms(), detail.to_string());
        Event { at_unix_ms, kind: kind.to_owned(), detail }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Every change of the table is one call of its map.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn add(&mut self, lease: &Arc<Lease>) -> Result<(), GrantError> {
        let own = self.leases.values().filter(|other| other.account == lease.account).count();
        let bounds = [(own, LEASES_OF_ACCOUNT_MAX), (self.leases.len(), LEASES_MAX)];
        if let Some((_, max)) = bounds.into_iter().find(|(found, max)| found >= max) {
            return Err(GrantError::Full { max });
        }
        self.leases.insert(lease.id, lease.clone());
        Ok(())
    }

    fn take(&mut self, which: impl Fn(&Lease) -> bool) -> Vec<Arc<Lease>> {
        self.leases.extract_if(|_, lease| which(lease)).map(|(_, lease)| lease).collect()
    }

    /// Takes the oldest of them.
    fn take_question(&mut self, which: impl Fn(&Question) -> bool) -> Option<Question> {
        let place = self.asked.iter().position(which)?;
        self.asked.remove(place)
    }
}

impl<S> fmt::Debug for Leases<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leases").field("origin", &self.origin).finish_non_exhaustive()
    }
}

const MINUTE_NS: u64 = 60_000_000_000;
/// How long a question waits for its answer.
const ASKED_NS: u64 = 5 * MINUTE_NS;
/// Questions of one account that wait.
const ASKED_OF_ACCOUNT_MAX: usize = 8;
/// Questions of all accounts that wait.
const ASKED_MAX: usize = 10_000;
/// Live leases of one account.
const LEASES_OF_ACCOUNT_MAX: usize = 8;
/// Live leases of a process: each holds secret pages.
const LEASES_MAX: usize = 256;
