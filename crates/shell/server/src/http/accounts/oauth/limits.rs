//! How often clients may ask, and how often one assistant may call.

use symbolon_account::{
    oauth::GrantId,
    rate::{Buckets, Rate},
};
use symbolon_ambient::Clock;
use symbolon_broker::CallError;
use symbolon_codec::Digest32;
use symbolon_crypto::sha256;

use super::super::limits::{Address, KEYS_MAX, too_often};

/// The buckets.
#[derive(Debug)]
pub(in crate::http::accounts) struct OauthLimits {
    register: Buckets<Address>,
    token: Buckets<(Digest32, Address)>,
    calls: Buckets<GrantId>,
}

impl OauthLimits {
    pub fn new() -> Self {
        Self {
            register: Buckets::new(Rate::per_minute(20, 1), KEYS_MAX),
            token: Buckets::new(Rate::per_minute(60, 60), KEYS_MAX),
            calls: Buckets::new(Rate::per_second(60, 2), KEYS_MAX),
        }
    }

    /// Before a registration is read.
    pub fn register(&self, address: Address, clock: &dyn Clock) -> Result<(), CallError> {
        self.register.take(address, clock).map_err(too_often)
    }

    /// Before a code or a token is looked at.
    pub fn token(
        &self,
        client: &str,
        address: Address,
        clock: &dyn Clock,
    ) -> Result<(), CallError> {
        self.token.take((sha256(client.as_bytes()), address), clock).map_err(too_often)
    }

    /// Before a message of an assistant is read.
    pub fn call(&self, grant: GrantId, clock: &dyn Clock) -> Result<(), CallError> {
        self.calls.take(grant, clock).map_err(too_often)
    }
}
