//! How often what may be asked: by address before anything is looked up, by account once it is known, and by
//! the name that somebody tries to sign in with.

use std::net::{IpAddr, Ipv6Addr};

use http::{Method, StatusCode};
use symbolon_account::{
    AccountId, Handle,
    rate::{Buckets, Rate},
};
use symbolon_ambient::Clock;
use symbolon_broker::CallError;

use super::super::failure::failure;

/// Rates of each kind of route.
#[derive(Debug, Clone)]
pub struct RateLimits {
    /// Of one address: challenges, sign-ups, sign-ins.
    pub entry_by_address: Rate,
    /// Of one name from one address: sign-ins with a password.
    pub name_by_address: Rate,
    /// Of one name from everywhere. Looser, so that a stranger cannot keep its owner out.
    pub name: Rate,
    /// Of one address: everything.
    pub any_by_address: Rate,
    /// Of one account: what reads.
    pub reads: Rate,
    /// Of one account: what changes.
    pub writes: Rate,
    /// Of one account: what changes its ways in.
    pub custody: Rate,
    /// Of one device of an API key: proofs.
    pub key_login: Rate,
    /// Of one service: introspections of its tokens.
    pub introspections: Rate,
    /// Of one address: proofs of facts, each of a batch. The longest batch has 128, and never fits into less.
    pub proof_answers: Rate,
    /// Of one address: questions that the server asks for itself.
    pub proof_questions: Rate,
    /// Of one service: sessions that it begins.
    pub proof_sessions: Rate,
    /// Of one account: acts of an author, each an entry of the log for ever.
    pub authorship_acts: Rate,
    /// Of one address: questions who registered a text, each with proofs of the log.
    pub authorship_looks: Rate,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            entry_by_address: Rate::per_minute(60, 60),
            name_by_address: Rate::per_minute(10, 6),
            name: Rate::per_minute(100, 60),
            any_by_address: Rate::per_second(600, 100),
            reads: Rate::per_second(400, 100),
            writes: Rate::per_second(200, 50),
            custody: Rate::per_minute(30, 30),
            key_login: Rate::per_minute(60, 60),
            introspections: Rate::per_second(5000, 2000),
            proof_answers: Rate::per_second(128, 10),
            proof_questions: Rate::per_minute(60, 30),
            proof_sessions: Rate::per_second(200, 20),
            authorship_acts: Rate::per_minute(60, 20),
            authorship_looks: Rate::per_second(100, 10),
        }
    }
}

/// What a route is to the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Entry,
    Read,
    Write,
    Custody,
    /// By the secret of a service, for everybody who calls that: its limit is the service's, not its address's.
    Service,
}

impl Kind {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let enters = matches!(path, "/api/account" | "/api/account/challenge" | "/api/session");
        let changes = !matches!(*method, Method::GET | Method::HEAD);
        match changes {
            true if path == "/api/keys/introspect" => Self::Service,
            true if path == "/api/session/confirm" || enters && *method == Method::POST => {
                Self::Entry
            }
            true if path.starts_with("/api/account")
                || path == "/api/oauth/consent"
                || path == "/api/vault/wraps"
                || path.starts_with("/api/keys/services") =>
            {
                Self::Custody
            }
            true if path == "/api/vault/leases" => Self::Custody,
            true => Self::Write,
            false => Self::Read,
        }
    }
}

/// The buckets.
#[derive(Debug)]
pub(super) struct Limits {
    entry_by_address: Buckets<Address>,
    name_by_address: Buckets<(Handle, Address)>,
    name: Buckets<Handle>,
    any_by_address: Buckets<Address>,
    reads: Buckets<AccountId>,
    writes: Buckets<AccountId>,
    custody: Buckets<AccountId>,
}

impl Limits {
    pub(super) fn new(rates: &RateLimits) -> Self {
        Self {
            entry_by_address: Buckets::new(rates.entry_by_address, KEYS_MAX),
            name_by_address: Buckets::new(rates.name_by_address, KEYS_MAX),
            name: Buckets::new(rates.name, KEYS_MAX),
            any_by_address: Buckets::new(rates.any_by_address, KEYS_MAX),
            reads: Buckets::new(rates.reads, KEYS_MAX),
            writes: Buckets::new(rates.writes, KEYS_MAX),
            custody: Buckets::new(rates.custody, KEYS_MAX),
        }
    }

    /// Before anything is looked up for this address.
    pub(super) fn address(
        &self,
        address: Address,
        kind: Kind,
        clock: &dyn Clock,
    ) -> Result<(), CallError> {
        if kind == Kind::Service {
            return self.any_by_address.look(&address, clock).map_err(too_often);
        }
        self.any_by_address.take(address, clock).map_err(too_often)?;
        if kind == Kind::Entry {
            self.entry_by_address.take(address, clock).map_err(too_often)?;
        }
        Ok(())
    }

    /// After somebody came as a service and is none: secrets are tried no faster from an address than anything else.
    pub(super) fn stranger(&self, address: Address, clock: &dyn Clock) {
        // An empty bucket is what the next look finds.
        let _ = self.any_by_address.take(address, clock);
    }

    /// Before a password is tried for this name, whether anybody has it or not.
    pub(super) fn name(
        &self,
        name: &Handle,
        address: Address,
        clock: &dyn Clock,
    ) -> Result<(), CallError> {
        self.name_by_address.take((name.clone(), address), clock).map_err(too_often)?;
        self.name.take(name.clone(), clock).map_err(too_often)
    }

    /// Before a route works for this account.
    pub(super) fn account(
        &self,
        account: AccountId,
        kind: Kind,
        clock: &dyn Clock,
    ) -> Result<(), CallError> {
        let buckets = match kind {
            Kind::Read => &self.reads,
            Kind::Write | Kind::Service => &self.writes,
            Kind::Custody | Kind::Entry => &self.custody,
        };
        buckets.take(account, clock).map_err(too_often)
    }
}

/// An address as the limits see it: of IPv6 the network, since one host has all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Address(IpAddr);

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let network = u128::from(v6) & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(network))
            }
            v4 => v4,
        })
    }
}

pub(super) fn too_often(seconds: u64) -> CallError {
    let says = "This is asked too often.";
    let next = format!("Ask again in {seconds} s.");
    let error = failure("rate_limited", StatusCode::TOO_MANY_REQUESTS, says, Some(&next));
    CallError { retry_after_seconds: Some(seconds), ..error }
}

/// Keys of each kind that have buckets of their own at once: some 10 MB of all.
pub(super) const KEYS_MAX: usize = 20_000;

#[cfg(test)]
mod tests {
    use symbolon_ambient::ManualClock;

    use super::*;

    #[test]
    fn routes_have_their_kinds() {
        let kind = |method: &str, path| Kind::of(&method.parse().unwrap(), path);
        assert_eq!(kind("POST", "/api/account/challenge"), Kind::Entry);
        assert_eq!(kind("POST", "/api/account"), Kind::Entry);
        assert_eq!(kind("DELETE", "/api/account"), Kind::Custody);
        assert_eq!(kind("POST", "/api/session"), Kind::Entry);
        assert_eq!(kind("POST", "/api/session/confirm"), Kind::Entry);
        assert_eq!(kind("GET", "/api/session"), Kind::Read);
        assert_eq!(kind("DELETE", "/api/session"), Kind::Write);
        assert_eq!(kind("POST", "/api/account/credentials"), Kind::Custody);
        assert_eq!(kind("PUT", "/api/vault/wraps"), Kind::Custody);
        assert_eq!(kind("POST", "/api/oauth/consent"), Kind::Custody);
        assert_eq!(kind("POST", "/api/oauth/request"), Kind::Write);
        assert_eq!(kind("GET", "/api/oauth/grants"), Kind::Read);
        assert_eq!(kind("POST", "/oauth/token"), Kind::Write);
        assert_eq!(kind("POST", "/api/vault/leases"), Kind::Custody);
        assert_eq!(kind("DELETE", "/api/vault/leases/x"), Kind::Write);
        assert_eq!(kind("POST", "/api/vault/commit"), Kind::Write);
        assert_eq!(kind("HEAD", "/api/vault/blobs/x/0"), Kind::Read);
        assert_eq!(kind("POST", "/api/keys/introspect"), Kind::Service);
        assert_eq!(kind("POST", "/api/keys/login"), Kind::Write);
    }

    #[test]
    fn services_come_as_often_as_they_are_called_and_strangers_do_not() {
        let (limits, clock) = (Limits::new(&RateLimits::default()), ManualClock::at(0));
        let address = Address::from(IpAddr::from([192, 0, 2, 1]));
        let come = |kind| limits.address(address, kind, &clock);
        assert!((0..10_000).all(|_| come(Kind::Service).is_ok()));
        assert!((0..600).all(|_| come(Kind::Service).is_ok() && {
            limits.stranger(address, &clock);
            true
        }));
        assert_eq!(come(Kind::Service).unwrap_err().retry_after_seconds, Some(1));
        assert!(come(Kind::Read).is_err(), "it is one bucket");
        clock.advance_ms(1_000);
        assert!(come(Kind::Service).is_ok());
    }

    #[test]
    fn a_name_is_tried_rarely_from_one_address_and_still_from_another() {
        let (limits, clock) = (Limits::new(&RateLimits::default()), ManualClock::at(0));
        let name = Handle::parse("alice").unwrap();
        let try_from = |address: [u8; 4]| limits.name(&name, IpAddr::from(address).into(), &clock);
        assert_eq!((0..50).filter(|_| try_from([192, 0, 2, 1]).is_ok()).count(), 10);
        let refused = try_from([192, 0, 2, 1]).unwrap_err();
        assert_eq!((refused.http_status, refused.retry_after_seconds), (429, Some(10)));
        assert!(try_from([192, 0, 2, 2]).is_ok());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let of = |text: &str| Address::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
