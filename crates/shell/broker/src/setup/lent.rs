//! Connections of the owner's vault, used while its key is lent: `specs/lease.md`.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use symbolon_capability::{Connection, ConnectionName, Store};
use symbolon_secret::Secret;

use crate::Broker;
use crate::api::*;
use crate::broker::Open;
use crate::upstream::Live;

/// A connection as the owner's vault has it.
#[derive(Debug)]
pub struct LentConnection {
    /// What is asked of whoever makes a connection.
    pub new: NewConnection,
    /// Its credential.
    pub credential: Secret<[u8]>,
}

/// Connections, each with its sealed credential.
pub(crate) type SealedConnections = Vec<(Connection, Vec<u8>)>;

/// What this process knows of the owner's vault. No credential is in here.
#[derive(Default)]
pub(crate) struct Lent(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Whose connections are taken.
    account: Option<[u8; 16]>,
    /// Every name that was lent in this process, with its service; whether it is lent now.
    names: BTreeMap<ConnectionName, (String, bool)>,
}

impl Lent {
    /// Whether a connection is one that is lent now.
    pub fn has(&self, name: &ConnectionName) -> bool {
        self.known().names.get(name).is_some_and(|(_, is_here)| *is_here)
    }

    /// Those that were lent and are not among the living.
    pub fn away(
        &self,
        live: &HashMap<ConnectionName, Arc<Live>>,
    ) -> HashMap<ConnectionName, String> {
        let known = self.known();
        let away = known.names.iter().filter(|(name, _)| !live.contains_key(name));
        away.map(|(name, (service, _))| (name.clone(), service.clone())).collect()
    }

    fn set(&self, all: &[(Connection, Vec<u8>)]) {
        let names = &mut self.known().names;
        names.values_mut().for_each(|(_, is_here)| *is_here = false);
        for (connection, _) in all {
            let is_new = !names.contains_key(&connection.name);
            if is_new && names.len() >= NAMES_MAX {
                names.retain(|_, (_, is_here)| *is_here);
            }
            names.insert(connection.name.clone(), (connection.service.clone(), true));
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Broker {
    /// Takes connections from the vault of this account while its owner lends it, and from no other's.
    /// For this process: a lease does not outlive it either.
    pub fn take_from(&self, account: [u8; 16]) {
        self.lent.known().account = Some(account);
    }

    pub(crate) fn take_from_nobody(&self) {
        self.lent.known().account = None;
    }

    /// Whose connections are taken.
    pub fn takes_from(&self) -> Option<[u8; 16]> {
        self.lent.known().account
    }

    /// Whether the connections that were lent are in force. A lock takes them away.
    pub fn has_lent(&self) -> bool {
        let open = self.opened();
        open.is_ok_and(|open| open.lent.read().unwrap_or_else(PoisonError::into_inner).is_some())
    }

    /// Puts the connections of the owner's vault into force, in place of those that were lent before.
    /// They are sealed in memory as the broker's own are, and written nowhere. One that cannot be used,
    /// or whose name one of the broker's own has, is left out and named, with why.
    ///
    /// # Errors
    /// [`CallError`]: locked, or the store. Then none that was lent is in force.
    pub async fn lend(
        &self,
        all: Vec<LentConnection>,
    ) -> Result<Vec<(String, CallError)>, CallError> {
        let _one = self.changes.lock().await;
        let open = self.opened()?;
        let mut refused = Vec::new();
        let mut sealed = SealedConnections::new();
        let own = self.store.connections().await?;
        for LentConnection { new, credential } in all.into_iter().take(LENT_MAX) {
            let name = new.name.clone().unwrap_or_else(|| new.service.clone());
            let is_taken = |(c, _): &(Connection, Vec<u8>)| c.name.as_str() == name;
            if own.iter().chain(&sealed).any(is_taken) {
                let message = "a connection of this name is there already";
                refused.push((name, CallError::caller("exists", message)));
                continue;
            }
            match self.seal_connection(&open, &new, credential) {
                Ok((connection, envelope, _)) => sealed.push((connection, envelope)),
                Err(error) => refused.push((name, error)),
            }
        }
        self.put_lent(&open, Some(sealed)).await?;
        Ok(refused)
    }

    /// Lets go of everything that was lent: new calls of it are refused, and its credentials are gone.
    /// Calls on their way keep what they hold until they end.
    ///
    /// # Errors
    /// [`CallError`] of the store: then the broker is locked, so that nothing of it is used.
    pub async fn give_back(&self) -> Result<(), CallError> {
        let _one = self.changes.lock().await;
        match self.opened() {
            Ok(open) => self.put_lent(&open, None).await,
            // A lock has let go of it.
            Err(_) => {
                self.lent.set(&[]);
                Ok(())
            }
        }
    }

    async fn put_lent(
        &self,
        open: &Arc<Open>,
        all: Option<SealedConnections>,
    ) -> Result<(), CallError> {
        self.lent.set(all.as_deref().unwrap_or_default());
        *open.lent.write().unwrap_or_else(PoisonError::into_inner) = all;
        self.rebuild(open).await.inspect_err(|_| self.lock())
    }

    /// Looks whether a connection could be used, with a live call where it says so. Nothing is kept.
    ///
    /// # Errors
    /// As [`Broker::connect`].
    pub async fn try_connection(
        &self,
        new: NewConnection,
        credential: Secret<[u8]>,
    ) -> Result<ConnectionView, CallError> {
        let open = self.opened()?;
        let (connection, _, live) = self.seal_connection(&open, &new, credential)?;
        let verified = match new.verify {
            true => Some(self.check_call(&live).await?),
            false => None,
        };
        Ok(self.connection_view(&connection, verified))
    }

    /// The broker's own connections, and those that are lent.
    pub(crate) async fn all_connections(
        &self,
        open: &Open,
    ) -> Result<SealedConnections, CallError> {
        let mut all = self.store.connections().await?;
        let lent = open.lent.read().unwrap_or_else(PoisonError::into_inner);
        for (connection, envelope) in lent.iter().flatten() {
            // One that the owner made here meanwhile goes before.
            if all.iter().all(|(own, _)| own.name != connection.name) {
                all.push((connection.clone(), envelope.clone()));
            }
        }
        Ok(all)
    }

    /// The same; of a locked broker its own alone.
    pub(crate) async fn known_connections(&self) -> Result<SealedConnections, CallError> {
        match self.opened() {
            Ok(open) => self.all_connections(&open).await,
            Err(_) => Ok(self.store.connections().await?),
        }
    }
}

/// Connections of one vault that are used.
pub const LENT_MAX: usize = 256;
/// Names that are remembered so that a call is told why.
const NAMES_MAX: usize = 1024;
