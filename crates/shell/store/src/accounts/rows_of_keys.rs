//! Rows of keys that are proven: services, keys, devices, what was used and taken back.

use symbolon_account::AccountError;
use symbolon_crypto::VerifyingKey;
use symbolon_crypto::schnorr::Point;
use symbolon_possession::token::Scopes;
use symbolon_possession::{ApiKey, Audience, Device, KeyAccount, Service};

use super::value::{Cells, Kind, Record, Table, Value, bytes, int, maybe_int, text};

impl Record for Service {
    const TABLE: &'static Table = &Table {
        name: "key_service",
        columns: &[
            ("id", Kind::Bytes),
            ("account", Kind::Bytes),
            ("audience", Kind::Text),
            ("name", Kind::Text),
            ("scopes", Kind::Text),
            ("token_seconds", Kind::Int),
            ("secret_hash", Kind::Bytes),
            ("created_unix_ms", Kind::Int),
        ],
        key: &["id"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.id.as_bytes()),
            bytes(self.account.as_bytes()),
            text(self.audience.as_str()),
            text(&self.name),
            text(self.scopes.as_str()),
            int(self.token_seconds)?,
            bytes(self.secret_hash.as_bytes()),
            int(self.created_unix_ms)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            id: cells.id()?,
            account: cells.id()?,
            audience: cells.word(|text| Audience::parse(text).ok())?,
            name: cells.text()?,
            scopes: cells.word(|text| Scopes::parse(text).ok())?,
            token_seconds: cells.int()?,
            secret_hash: cells.digest()?,
            created_unix_ms: cells.int()?,
        })
    }
}

impl Record for ApiKey {
    const TABLE: &'static Table = &Table {
        name: "api_key",
        columns: &[
            ("id", Kind::Bytes),
            ("service", Kind::Bytes),
            ("account", Kind::Text),
            ("name", Kind::Text),
            ("scopes", Kind::Text),
            ("point", Kind::Bytes),
            ("created_unix_ms", Kind::Int),
            ("rotated_unix_ms", Kind::Int),
            ("revoked_unix_ms", Kind::Int),
        ],
        key: &["id"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.id.as_bytes()),
            bytes(self.service.as_bytes()),
            text(self.account.as_str()),
            text(&self.name),
            text(self.scopes.as_str()),
            bytes(self.point.as_bytes()),
            int(self.created_unix_ms)?,
            maybe_int(self.rotated_unix_ms)?,
            maybe_int(self.revoked_unix_ms)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            id: cells.id()?,
            service: cells.id()?,
            account: cells.word(|text| KeyAccount::parse(text).ok())?,
            name: cells.text()?,
            scopes: cells.word(|text| Scopes::parse(text).ok())?,
            point: Point::from_bytes(&cells.array()?).map_err(|_| cells.wrong())?,
            created_unix_ms: cells.int()?,
            rotated_unix_ms: cells.maybe_int()?,
            revoked_unix_ms: cells.maybe_int()?,
        })
    }
}

impl Record for Device {
    const TABLE: &'static Table = &Table {
        name: "key_device",
        columns: &[
            ("id", Kind::Bytes),
            ("api_key", Kind::Bytes),
            ("public", Kind::Bytes),
            ("name", Kind::Text),
            ("created_unix_ms", Kind::Int),
            ("used_unix_ms", Kind::Int),
            ("revoked_unix_ms", Kind::Int),
        ],
        key: &["id"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.id.as_bytes()),
            bytes(self.key.as_bytes()),
            bytes(self.public.as_bytes()),
            text(&self.name),
            int(self.created_unix_ms)?,
            maybe_int(self.used_unix_ms)?,
            maybe_int(self.revoked_unix_ms)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            id: cells.id()?,
            key: cells.id()?,
            public: VerifyingKey::from_bytes(&cells.array()?).map_err(|_| cells.wrong())?,
            name: cells.text()?,
            created_unix_ms: cells.int()?,
            used_unix_ms: cells.maybe_int()?,
            revoked_unix_ms: cells.maybe_int()?,
        })
    }
}

/// A nonce that was used. Its end is its own: the same nonce has the same.
#[derive(Debug)]
pub(super) struct SpentNonce {
    pub id: [u8; 16],
    pub expires_unix_ms: u64,
}

/// A token that was taken back before its end.
#[derive(Debug)]
pub(super) struct RevokedToken {
    pub id: [u8; 16],
    pub expires_unix_ms: u64,
}

macro_rules! remembered {
    ($row:ty, $table:literal, $key:expr) => {
        impl Record for $row {
            const TABLE: &'static Table = &Table {
                name: $table,
                columns: &[("id", Kind::Bytes), ("expires_unix_ms", Kind::Int)],
                key: $key,
                has_sealed: false,
            };

            fn values(&self) -> Result<Vec<Value>, AccountError> {
                Ok(vec![bytes(&self.id), int(self.expires_unix_ms)?])
            }

            fn read(cells: &mut Cells) -> Result<Self, AccountError> {
                Ok(Self { id: cells.array()?, expires_unix_ms: cells.int()? })
            }
        }
    };
}
remembered!(SpentNonce, "key_nonce", &["expires_unix_ms", "id"]);
remembered!(RevokedToken, "revoked_token", &["id"]);
