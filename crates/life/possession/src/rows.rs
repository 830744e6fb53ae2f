//! What a server keeps: services, the points of their keys, the devices of these.

use symbolon_account::{AccountError, AccountId};
use symbolon_ambient::id;
use symbolon_codec::Digest32;
use symbolon_crypto::VerifyingKey;
use symbolon_crypto::schnorr::Point;
use symbolon_token::{LIFE_SECONDS_MAX, LIFE_SECONDS_MIN, Scopes};

use crate::{Audience, KeyAccount};

id! {
    /// A service that lets its clients prove keys.
    ServiceId
}
id! {
    /// An API key, by its point.
    ApiKeyId
}
id! {
    /// A device of an API key.
    DeviceId
}
id! {
    /// A token, by its `jti`.
    TokenId
}

/// Services of one account.
pub const SERVICES_MAX: usize = 50;
/// Keys of one service.
pub const KEYS_MAX: usize = 100_000;
/// Devices of one key.
pub const DEVICES_MAX: usize = 50;
/// Characters of the longest name of a service, a key or a device.
pub const NAME_CHARS_MAX: usize = 80;

/// A service: who relies on tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// The account of its operator.
    pub account: AccountId,
    /// Its address.
    pub audience: Audience,
    /// What its operator calls it.
    pub name: String,
    /// Everything that a token for it may be good for.
    pub scopes: Scopes,
    /// How long its tokens live, in seconds.
    pub token_seconds: u64,
    /// Its secret, hashed under a key of the server.
    pub secret_hash: Digest32,
    /// When it was set up, in Unix milliseconds.
    pub created_unix_ms: u64,
}

impl Service {
    /// It keeps its bounds.
    ///
    /// # Errors
    /// [`AccountError::Malformed`].
    pub fn check(&self) -> Result<(), AccountError> {
        check_name(&self.name)?;
        if self.scopes.is_empty() {
            return Err(AccountError::Malformed("a service has a scope at least"));
        }
        if !(LIFE_SECONDS_MIN..=LIFE_SECONDS_MAX).contains(&self.token_seconds) {
            return Err(AccountError::Malformed("a token lives for 300 to 900 seconds"));
        }
        Ok(())
    }
}

/// A key that a service issued, as its point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, which stays when the key is rotated.
    pub id: ApiKeyId,
    /// Whose.
    pub service: ServiceId,
    /// The account there that it is of, or none.
    pub account: KeyAccount,
    /// What the service calls it.
    pub name: String,
    /// What its tokens may be good for, among the service's scopes.
    pub scopes: Scopes,
    /// The point of its scalar.
    pub point: Point,
    /// When it was registered, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When its point last changed, in Unix milliseconds.
    pub rotated_unix_ms: Option<u64>,
    /// When it was revoked, in Unix milliseconds.
    pub revoked_unix_ms: Option<u64>,
}

impl ApiKey {
    /// It keeps its bounds.
    ///
    /// # Errors
    /// [`AccountError::Malformed`].
    pub fn check(&self, service: &Service) -> Result<(), AccountError> {
        check_name(&self.name)?;
        if self.scopes.is_empty() || !self.scopes.is_within(&service.scopes) {
            return Err(AccountError::Malformed("a key's scopes are among its service's"));
        }
        Ok(())
    }
}

/// A device that may prove a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// Whose.
    pub key: ApiKeyId,
    /// What it signs with.
    pub public: VerifyingKey,
    /// What its holder calls it.
    pub name: String,
    /// When it was enrolled, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When it last logged in, in Unix milliseconds, to the minute.
    pub used_unix_ms: Option<u64>,
    /// When it was removed, in Unix milliseconds.
    pub revoked_unix_ms: Option<u64>,
}

impl Device {
    /// It keeps its bounds.
    ///
    /// # Errors
    /// [`AccountError::Malformed`].
    pub fn check(&self) -> Result<(), AccountError> {
        check_name(&self.name)
    }
}

fn check_name(name: &str) -> Result<(), AccountError> {
    let chars = name.chars().count();
    let is_good = (1..=NAME_CHARS_MAX).contains(&chars)
        && name.trim() == name
        && !name.chars().any(char::is_control);
    if is_good { Ok(()) } else { Err(AccountError::Malformed("a name has 1 to 80 characters")) }
}
