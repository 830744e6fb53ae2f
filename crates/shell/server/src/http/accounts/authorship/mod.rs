//! Texts that their authors register (`specs/authorship.md`): the log says who was first, and no text is told to it.

mod acts;
mod answer;
mod look;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use symbolon_account::{AccountId, rate::Buckets};
use symbolon_ambient::Clock;
use symbolon_authorship::{Certificate, Entry, Registration, Standing};
use symbolon_broker::{Broker, CallError};
use tokio::sync::Mutex;

pub(super) use acts::{__path_commit, __path_reveal, __path_transfer, commit, reveal, transfer};
pub(super) use look::{__path_log, __path_look, log, look};

use super::fault;
use super::limits::{Address, KEYS_MAX, RateLimits, too_often};
use answer::{no_log, other_log};

/// What the routes share beside the accounts' own.
pub(super) struct Authorship {
    /// Whose log has the acts.
    broker: OnceLock<Arc<Broker>>,
    /// Acts are taken one after the other: what was checked holds until it is written.
    turn: Mutex<()>,
    acts: Buckets<AccountId>,
    looks: Buckets<Address>,
}

impl Authorship {
    pub fn new(rates: &RateLimits) -> Self {
        Self {
            broker: OnceLock::new(),
            turn: Mutex::new(()),
            acts: Buckets::new(rates.authorship_acts, KEYS_MAX),
            looks: Buckets::new(rates.authorship_looks, KEYS_MAX),
        }
    }

    /// From now on acts are entries of this broker's log. The first stays.
    pub fn write_in(&self, broker: Arc<Broker>) {
        let _ = self.broker.set(broker);
    }

    fn broker(&self) -> Result<&Arc<Broker>, CallError> {
        self.broker.get().ok_or_else(no_log)
    }

    fn act(&self, account: AccountId, clock: &dyn Clock) -> Result<(), CallError> {
        self.acts.take(account, clock).map_err(too_often)
    }

    fn asked(&self, address: Address, clock: &dyn Clock) -> Result<(), CallError> {
        self.looks.take(address, clock).map_err(too_often)
    }

    /// What the log's entries of a registration come to.
    async fn standing(&self, of: &Registration) -> Result<Standing, CallError> {
        follow(of, self.broker_of(of)?.logged_acts(of.indices.clone()).await?)
    }

    /// The same, with the certificate of these entries.
    async fn certified(&self, of: &Registration) -> Result<(Standing, Certificate), CallError> {
        let (certificate, acts) = self.broker_of(of)?.certify_acts(of.indices.clone()).await?;
        Ok((follow(of, acts)?, certificate))
    }

    fn broker_of(&self, of: &Registration) -> Result<&Arc<Broker>, CallError> {
        let broker = self.broker()?;
        if of.log == broker.log_origin() { Ok(broker) } else { Err(other_log()) }
    }
}

fn follow(of: &Registration, acts: Vec<(u64, Entry)>) -> Result<Standing, CallError> {
    let wrong = || fault::bug("entries of a registration that do not follow each other");
    let mut acts = acts.into_iter();
    let (index, first) = acts.next().ok_or_else(wrong)?;
    let begun = Standing::begin(index, &first).map_err(|_| wrong())?;
    let all = acts.try_fold(begun, |standing, (index, entry)| standing.after(index, &entry));
    let all = all.map_err(|_| wrong())?;
    match *all.commitment() == of.commitment && all.digest() == of.digest.as_ref() {
        true => Ok(all),
        false => Err(wrong()),
    }
}

/// What an act's body has at most.
pub(super) const AUTHORSHIP_BODY_BYTES_MAX: usize = 4096;
