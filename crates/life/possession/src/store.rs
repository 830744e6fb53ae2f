//! What a server keeps of keys that are proven, as a trait: `shell/store` keeps it.

use std::future::Future;

use symbolon_account::{AccountError, AccountId, AccountStore, Event};
use symbolon_codec::Digest32;
use symbolon_crypto::schnorr::Point;

use crate::{
    ApiKey, ApiKeyId, Device, DeviceId, KeyAccount, Rotated, Service, ServiceId, TimelyNonce,
    TokenId,
};

/// Services, keys and devices, under the same rules as [`AccountStore`]: a change is one transaction with its
/// event, durable when it returns. A nonce that comes with a change is used by it: of any number of callers with
/// one nonce, at whatever server, one has its change, and the others [`AccountError::Exists`].
pub trait KeyStore: AccountStore {
    /// Keeps a service, [`crate::SERVICES_MAX`] of an account at most.
    fn put_service(
        &self,
        service: &Service,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// A service.
    fn service(
        &self,
        id: ServiceId,
    ) -> impl Future<Output = Result<Option<Service>, AccountError>> + Send;
    /// The service of a secret.
    fn service_of(
        &self,
        secret_hash: &Digest32,
    ) -> impl Future<Output = Result<Option<Service>, AccountError>> + Send;
    /// An account's services, oldest first.
    fn services_of(
        &self,
        account: AccountId,
    ) -> impl Future<Output = Result<Vec<Service>, AccountError>> + Send;
    /// Gives one of an account's services another secret; the one before is worth nothing.
    fn set_service_secret(
        &self,
        account: AccountId,
        id: ServiceId,
        secret_hash: Digest32,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Forgets one of an account's services with its keys and devices.
    fn remove_service(
        &self,
        account: AccountId,
        id: ServiceId,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;

    /// Keeps a key of a service, [`crate::KEYS_MAX`] at most; [`AccountError::Exists`] where its point is there.
    fn put_key(
        &self,
        service: &Service,
        key: &ApiKey,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// The key of a point.
    fn key_at(
        &self,
        service: ServiceId,
        account: &KeyAccount,
        point: &Point,
    ) -> impl Future<Output = Result<Option<ApiKey>, AccountError>> + Send;
    /// A service's keys behind an id, in the order of their ids, `limit` at most.
    fn keys_of(
        &self,
        service: ServiceId,
        after: Option<ApiKeyId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ApiKey>, AccountError>> + Send;
    /// One of a service's keys.
    fn key_of(
        &self,
        service: ServiceId,
        id: ApiKeyId,
    ) -> impl Future<Output = Result<Option<ApiKey>, AccountError>> + Send;
    /// Revokes one of a service's keys, with all of its devices and tokens; `nonce` where its holder does it.
    fn revoke_key(
        &self,
        service: &Service,
        id: ApiKeyId,
        nonce: Option<&TimelyNonce>,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Puts another point in the place of a key's own; [`AccountError::Conflict`] where that is no longer what was
    /// proven, [`AccountError::Exists`] also where the new one is another key's.
    fn rotate_key(
        &self,
        service: &Service,
        id: ApiKeyId,
        rotated: &Rotated,
        nonce: &TimelyNonce,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;

    /// Keeps a device of a key, [`crate::DEVICES_MAX`] at most that were not removed. One that is there keeps its
    /// id, and has its new name; a device that was removed does not come back by the same key.
    fn enrol(
        &self,
        service: &Service,
        device: &Device,
        nonce: &TimelyNonce,
        event: &Event,
    ) -> impl Future<Output = Result<Enrolled, AccountError>> + Send;
    /// A device with its key and service, revoked ones too.
    fn known(
        &self,
        device: DeviceId,
    ) -> impl Future<Output = Result<Option<Known>, AccountError>> + Send;
    /// A key's devices, oldest first, removed ones too.
    fn devices_of(
        &self,
        key: ApiKeyId,
    ) -> impl Future<Output = Result<Vec<Device>, AccountError>> + Send;
    /// Writes down that a device logged in.
    fn log_in(
        &self,
        device: &Device,
        nonce: &TimelyNonce,
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Uses a nonce up, where nothing is changed beside.
    fn spend(&self, nonce: &TimelyNonce) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Removes one of a key's devices, with its tokens; `nonce` where the key's holder does it.
    fn remove_device(
        &self,
        service: &Service,
        key: ApiKeyId,
        device: DeviceId,
        nonce: Option<&TimelyNonce>,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;

    /// Takes a token back; again is no error.
    fn revoke_token(
        &self,
        id: TokenId,
        expires_unix_ms: u64,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Whether a token was taken back.
    fn is_token_revoked(
        &self,
        id: TokenId,
    ) -> impl Future<Output = Result<bool, AccountError>> + Send;
    /// Removes what has expired.
    fn purge_keys(
        &self,
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<PurgedKeys, AccountError>> + Send;
}

/// A device as it is kept now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    /// It is new.
    New(DeviceId),
    /// It was there.
    Again(DeviceId),
}

/// A device with what it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The device.
    pub device: Device,
    /// Its key.
    pub key: ApiKey,
    /// Its key's service.
    pub service: Service,
}

impl Known {
    /// Whether neither device nor key was revoked.
    pub const fn is_live(&self) -> bool {
        self.device.revoked_unix_ms.is_none() && self.key.revoked_unix_ms.is_none()
    }
}

/// How many rows were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PurgedKeys {
    /// Nonces.
    pub nonces: u64,
    /// Tokens that were taken back.
    pub tokens: u64,
}
