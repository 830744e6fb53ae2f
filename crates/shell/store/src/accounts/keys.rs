//! Keys that are proven: services, their keys and devices, and nonces that are used once.

use symbolon_account::{AccountError, AccountId, Event};
use symbolon_codec::Digest32;
use symbolon_crypto::schnorr::Point;
use symbolon_possession::{
    ApiKey, ApiKeyId, DEVICES_MAX, Device, DeviceId, Enrolled, KEYS_MAX, KeyAccount, KeyStore,
    Known, PurgedKeys, Rotated, SERVICES_MAX, Service, ServiceId, TimelyNonce, TokenId,
};
use symbolon_proof::StoredSession;

use super::audit::note;
use super::db::Db;
use super::rows_of_keys::{RevokedToken, SpentNonce};
use super::value::{Kind, Record, Value, bytes, damaged, int};
use super::{Accounts, logins::USED};

const NO_SERVICE: AccountError = AccountError::Missing("the service");
const NO_KEY: AccountError = AccountError::Missing("the key");
const NO_DEVICE: AccountError = AccountError::Missing("the device");

impl KeyStore for Accounts {
    async fn put_service(&self, service: &Service, event: &Event) -> Result<(), AccountError> {
        service.check()?;
        let (service, event) = (service.clone(), event.clone());
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    note(db, service.account, &event).await?;
                    let of_account = vec![bytes(service.account.as_bytes())];
                    let found = count::<Service>(db, "WHERE account = $1", of_account).await? + 1;
                    at_most("services", found, SERVICES_MAX)?;
                    db.insert(&service, "the service").await
                })
            })
            .await
    }

    async fn service(&self, id: ServiceId) -> Result<Option<Service>, AccountError> {
        let id = vec![bytes(id.as_bytes())];
        self.engine.reader().await?.one("WHERE id = $1", id).await
    }

    async fn service_of(&self, secret_hash: &Digest32) -> Result<Option<Service>, AccountError> {
        let hash = vec![bytes(secret_hash.as_bytes())];
        self.engine.reader().await?.one("WHERE secret_hash = $1", hash).await
    }

    async fn services_of(&self, account: AccountId) -> Result<Vec<Service>, AccountError> {
        let tail = "WHERE account = $1 ORDER BY created_unix_ms, id";
        self.engine.reader().await?.find(tail, vec![bytes(account.as_bytes())]).await
    }

    async fn set_service_secret(
        &self,
        account: AccountId,
        id: ServiceId,
        secret_hash: Digest32,
        event: &Event,
    ) -> Result<(), AccountError> {
        let event = event.clone();
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    note(db, account, &event).await?;
                    let service = own_service(db, account, id).await?;
                    db.update(&Service { secret_hash, ..service }).await
                })
            })
            .await
    }

    async fn remove_service(
        &self,
        account: AccountId,
        id: ServiceId,
        event: &Event,
    ) -> Result<(), AccountError> {
        let event = event.clone();
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    note(db, account, &event).await?;
                    own_service(db, account, id).await?;
                    let of_service = || vec![bytes(id.as_bytes())];
                    let of_keys = "WHERE api_key IN (SELECT id FROM api_key WHERE service = $1)";
                    db.delete::<Device>(of_keys, of_service()).await?;
                    db.delete::<ApiKey>("WHERE service = $1", of_service()).await?;
                    db.delete::<StoredSession>("WHERE service = $1", of_service()).await?;
                    db.delete::<Service>("WHERE id = $1", of_service()).await.map(drop)
                })
            })
            .await
    }

    async fn put_key(
        &self,
        service: &Service,
        key: &ApiKey,
        event: &Event,
    ) -> Result<(), AccountError> {
        key.check(service)?;
        let (service, key, event) = (service.clone(), key.clone(), event.clone());
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    note(db, service.account, &event).await?;
                    own_service(db, service.account, service.id).await?;
                    let of_service = vec![bytes(service.id.as_bytes())];
                    let found = count::<ApiKey>(db, "WHERE service = $1", of_service).await? + 1;
                    at_most("keys", found, KEYS_MAX)?;
                    db.insert(&key, "a key of this point").await
                })
            })
            .await
    }

    async fn key_at(
        &self,
        service: ServiceId,
        account: &KeyAccount,
        point: &Point,
    ) -> Result<Option<ApiKey>, AccountError> {
        let args = vec![bytes(service.as_bytes()), bytes(point.as_bytes())];
        let tail = "WHERE service = $1 AND point = $2";
        let found: Option<ApiKey> = self.engine.reader().await?.one(tail, args).await?;
        Ok(found.filter(|key| key.account == *account))
    }

    async fn keys_of(
        &self,
        service: ServiceId,
        after: Option<ApiKeyId>,
        limit: usize,
    ) -> Result<Vec<ApiKey>, AccountError> {
        let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
        let args = vec![bytes(service.as_bytes()), bytes(&after), int(limit as u64)?];
        let tail = "WHERE service = $1 AND id > $2 ORDER BY id LIMIT $3";
        self.engine.reader().await?.find(tail, args).await
    }

    async fn key_of(
        &self,
        service: ServiceId,
        id: ApiKeyId,
    ) -> Result<Option<ApiKey>, AccountError> {
        let args = vec![bytes(id.as_bytes()), bytes(service.as_bytes())];
        self.engine.reader().await?.one("WHERE id = $1 AND service = $2", args).await
    }

    async fn revoke_key(
        &self,
        service: &Service,
        id: ApiKeyId,
        nonce: Option<&TimelyNonce>,
        event: &Event,
    ) -> Result<(), AccountError> {
        let (service, event, nonce) = (service.clone(), event.clone(), nonce.map(spent));
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    note(db, service.account, &event).await?;
                    use_up(db, nonce).await?;
                    let key = live_key(db, &service, id).await?;
                    db.update(&ApiKey { revoked_unix_ms: Some(event.at_unix_ms), ..key }).await
                })
            })
            .await
    }

    async fn rotate_key(
        &self,
        service: &Service,
        id: ApiKeyId,
        rotated: &Rotated,
        nonce: &TimelyNonce,
        event: &Event,
    ) -> Result<(), AccountError> {
        let (old, new) = (*rotated.before(), *rotated.after());
        let (service, event, nonce) = (service.clone(), event.clone(), spent(nonce));
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    note(db, service.account, &event).await?;
                    use_up(db, Some(nonce)).await?;
                    let key = live_key(db, &service, id).await?;
                    if key.point != old {
                        return Err(AccountError::Conflict("the key"));
                    }
                    let args = vec![bytes(service.id.as_bytes()), bytes(new.as_bytes())];
                    let tail = "WHERE service = $1 AND point = $2";
                    if db.one::<ApiKey>(tail, args).await?.is_some() {
                        return Err(AccountError::Exists("a key of this point"));
                    }
                    let rotated_unix_ms = Some(event.at_unix_ms);
                    db.update(&ApiKey { point: new, rotated_unix_ms, ..key }).await
                })
            })
            .await
    }

    async fn enrol(
        &self,
        service: &Service,
        device: &Device,
        nonce: &TimelyNonce,
        event: &Event,
    ) -> Result<Enrolled, AccountError> {
        device.check()?;
        let (service, device, event) = (service.clone(), device.clone(), event.clone());
        let nonce = spent(nonce);
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    note(db, service.account, &event).await?;
                    use_up(db, Some(nonce)).await?;
                    live_key(db, &service, device.key).await?;
                    let of_key = vec![bytes(device.key.as_bytes())];
                    let all: Vec<Device> = db.find_locked("WHERE api_key = $1", of_key).await?;
                    let own = all.iter().find(|one| one.public == device.public);
                    match own {
                        Some(one) if one.revoked_unix_ms.is_some() => Err(NO_DEVICE),
                        Some(one) => {
                            db.update(&Device { name: device.name, ..one.clone() }).await?;
                            Ok(Enrolled::Again(one.id))
                        }
                        None => {
                            let live = |one: &&Device| one.revoked_unix_ms.is_none();
                            let found = all.iter().filter(live).count() + 1;
                            at_most("devices", found, DEVICES_MAX)?;
                            db.insert(&device, "the device").await?;
                            Ok(Enrolled::New(device.id))
                        }
                    }
                })
            })
            .await
    }

    async fn known(&self, device: DeviceId) -> Result<Option<Known>, AccountError> {
        self.logins.known(device).await
    }

    async fn devices_of(&self, key: ApiKeyId) -> Result<Vec<Device>, AccountError> {
        let tail = "WHERE api_key = $1 ORDER BY created_unix_ms, id";
        self.engine.reader().await?.find(tail, vec![bytes(key.as_bytes())]).await
    }

    async fn log_in(
        &self,
        device: &Device,
        nonce: &TimelyNonce,
        now_unix_ms: u64,
    ) -> Result<(), AccountError> {
        let nonce = spent(nonce);
        let seen = device.used_unix_ms.unwrap_or(0);
        if now_unix_ms.saturating_sub(seen) < SEEN_EVERY_MS {
            return self.logins.spend(nonce).await;
        }
        let id = device.id;
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    use_up(db, Some(nonce)).await?;
                    let args = vec![bytes(id.as_bytes())];
                    let device = db.one_locked::<Device>("WHERE id = $1", args).await?;
                    let device = device.filter(|one| one.revoked_unix_ms.is_none());
                    let device = device.ok_or(NO_DEVICE)?;
                    db.update(&Device { used_unix_ms: Some(now_unix_ms), ..device }).await
                })
            })
            .await
    }

    async fn spend(&self, nonce: &TimelyNonce) -> Result<(), AccountError> {
        self.logins.spend(spent(nonce)).await
    }

    async fn remove_device(
        &self,
        service: &Service,
        key: ApiKeyId,
        device: DeviceId,
        nonce: Option<&TimelyNonce>,
        event: &Event,
    ) -> Result<(), AccountError> {
        let (service, event, nonce) = (service.clone(), event.clone(), nonce.map(spent));
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    note(db, service.account, &event).await?;
                    use_up(db, nonce).await?;
                    live_key(db, &service, key).await?;
                    let args = vec![bytes(device.as_bytes())];
                    let device = db.one_locked::<Device>("WHERE id = $1", args).await?;
                    let is_own = |one: &Device| one.key == key && one.revoked_unix_ms.is_none();
                    let device = device.filter(is_own).ok_or(NO_DEVICE)?;
                    db.update(&Device { revoked_unix_ms: Some(event.at_unix_ms), ..device }).await
                })
            })
            .await
    }

    async fn revoke_token(&self, id: TokenId, expires_unix_ms: u64) -> Result<(), AccountError> {
        let row = RevokedToken { id: *id.as_bytes(), expires_unix_ms };
        self.engine.write(move |db| Box::pin(async move { db.upsert_all(&[row]).await })).await
    }

    async fn is_token_revoked(&self, id: TokenId) -> Result<bool, AccountError> {
        let args = vec![bytes(id.as_bytes())];
        let found = self.engine.reader().await?.one::<RevokedToken>("WHERE id = $1", args).await?;
        Ok(found.is_some())
    }

    async fn purge_keys(&self, now_unix_ms: u64) -> Result<PurgedKeys, AccountError> {
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    const EXPIRED: &str = "WHERE expires_unix_ms <= $1";
                    let nonces = db.delete::<SpentNonce>(EXPIRED, vec![int(now_unix_ms)?]).await?;
                    let tokens =
                        db.delete::<RevokedToken>(EXPIRED, vec![int(now_unix_ms)?]).await?;
                    Ok(PurgedKeys { nonces, tokens })
                })
            })
            .await
    }
}

fn spent(nonce: &TimelyNonce) -> SpentNonce {
    SpentNonce { id: nonce.id(), expires_unix_ms: nonce.until_unix_ms() }
}

async fn use_up(db: &mut Db, nonce: Option<SpentNonce>) -> Result<(), AccountError> {
    match nonce {
        Some(nonce) => db.insert(&nonce, USED).await,
        None => Ok(()),
    }
}

/// A service, held until the transaction ends: its account was held first, for the event.
async fn own_service(
    db: &mut Db,
    account: AccountId,
    id: ServiceId,
) -> Result<Service, AccountError> {
    let found = db.one_locked::<Service>("WHERE id = $1", vec![bytes(id.as_bytes())]).await?;
    found.filter(|service| service.account == account).ok_or(NO_SERVICE)
}

async fn live_key(db: &mut Db, service: &Service, id: ApiKeyId) -> Result<ApiKey, AccountError> {
    let found = db.one_locked::<ApiKey>("WHERE id = $1", vec![bytes(id.as_bytes())]).await?;
    let is_own = |key: &ApiKey| key.service == service.id && key.revoked_unix_ms.is_none();
    found.filter(is_own).ok_or(NO_KEY)
}

async fn count<R: Record>(
    db: &mut Db,
    tail: &str,
    args: Vec<Value>,
) -> Result<usize, AccountError> {
    let table = R::TABLE.name;
    let rows = db.rows(format!("SELECT count(*) FROM {table} {tail}"), args, &[Kind::Int]).await?;
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Int(Some(n))) => Ok(usize::try_from(*n).unwrap_or(usize::MAX)),
        _ => Err(damaged(table)),
    }
}

fn at_most(what: &'static str, found: usize, max: usize) -> Result<(), AccountError> {
    if found > max { Err(AccountError::TooLong { what, found, max }) } else { Ok(()) }
}

/// Of a device's last login so much may be missing.
const SEEN_EVERY_MS: u64 = 60_000;
