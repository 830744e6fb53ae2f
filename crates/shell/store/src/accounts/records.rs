//! Each table, and what its rows are.

use symbolon_account::oauth::{Client, Grant, Token};
use symbolon_account::{
    Account, AccountError, AccountId, AccountState, AuditEvent, Challenge, Credential,
    CredentialId, Event, Handle, Purpose, Session, SignIn,
};
use symbolon_authorship::Registration;
use symbolon_codec::Digest32;
use symbolon_possession::{ApiKey, Device, Service};
use symbolon_proof::{StoredSession, Unique};

use super::rows_of_authorship::ShownName;
use super::rows_of_keys::{RevokedToken, SpentNonce};
use super::rows_of_proofs::RevokedIssuer;
use super::rows_of_vaults::{ChunkRow, ItemRow, RevisionRow, ShareRow, VaultRow, VaultState};
use super::value::{Cells, Kind, Record, Table, Value, bytes, int, maybe_bytes, maybe_int, text};

/// Every table; what a row names stands in a table before its own.
pub(super) const TABLES: &[&Table] = &[
    Account::TABLE,
    Credential::TABLE,
    Challenge::TABLE,
    Nonce::TABLE,
    Session::TABLE,
    VaultRow::TABLE,
    VaultState::TABLE,
    ItemRow::TABLE,
    RevisionRow::TABLE,
    ChunkRow::TABLE,
    ShareRow::TABLE,
    AuditEvent::TABLE,
    ServerSecret::TABLE,
    Retired::TABLE,
    Client::TABLE,
    Grant::TABLE,
    Token::TABLE,
    Service::TABLE,
    ApiKey::TABLE,
    Device::TABLE,
    SpentNonce::TABLE,
    RevokedToken::TABLE,
    StoredSession::TABLE,
    Unique::TABLE,
    RevokedIssuer::TABLE,
    Registration::TABLE,
    ShownName::TABLE,
];

impl Record for Account {
    const TABLE: &'static Table = &Table {
        name: "account",
        columns: &[
            ("id", Kind::Bytes),
            ("handle", Kind::Text),
            ("created_unix_ms", Kind::Int),
            ("state", Kind::Text),
            ("events", Kind::Int),
            ("events_head", Kind::Bytes),
        ],
        key: &["id"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.id.as_bytes()),
            Value::Text(self.handle.as_ref().map(|h| h.as_str().to_owned())),
            int(self.created_unix_ms)?,
            text(self.state.as_str()),
            int(self.events)?,
            bytes(self.events_head.as_bytes()),
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        let id = cells.id()?;
        let handle = cells.maybe_text()?;
        Ok(Self {
            id,
            handle: handle.map(|h| Handle::parse(&h).map_err(|_| cells.wrong())).transpose()?,
            created_unix_ms: cells.int()?,
            state: cells.word(AccountState::parse)?,
            events: cells.int()?,
            events_head: cells.digest()?,
        })
    }
}

impl Record for Credential {
    const TABLE: &'static Table = &Table {
        name: "credential",
        columns: &[
            ("id", Kind::Bytes),
            ("account", Kind::Bytes),
            ("method", Kind::Text),
            ("subject", Kind::Bytes),
            ("state", Kind::Bytes),
            ("name", Kind::Text),
            ("created_unix_ms", Kind::Int),
            ("last_used_unix_ms", Kind::Int),
        ],
        key: &["id"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.id.as_bytes()),
            bytes(self.account.as_bytes()),
            text(self.method.as_str()),
            bytes(&self.subject),
            bytes(&self.state),
            text(&self.name),
            int(self.created_unix_ms)?,
            maybe_int(self.last_used_unix_ms)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            id: cells.id()?,
            account: cells.id()?,
            method: cells.word(SignIn::parse)?,
            subject: cells.bytes()?,
            state: cells.bytes()?,
            name: cells.text()?,
            created_unix_ms: cells.int()?,
            last_used_unix_ms: cells.maybe_int()?,
        })
    }
}

impl Record for Challenge {
    const TABLE: &'static Table = &Table {
        name: "challenge",
        columns: &[
            ("id", Kind::Bytes),
            ("purpose", Kind::Text),
            ("method", Kind::Text),
            ("account", Kind::Bytes),
            ("state", Kind::Bytes),
            ("expires_unix_ms", Kind::Int),
        ],
        key: &["id"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.id.as_bytes()),
            text(self.purpose.as_str()),
            text(self.method.as_str()),
            maybe_bytes(self.account.as_ref().map(|id| &id.as_bytes()[..])),
            bytes(&self.state),
            int(self.expires_unix_ms)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            id: cells.id()?,
            purpose: cells.word(Purpose::parse)?,
            method: cells.word(SignIn::parse)?,
            account: cells.maybe_id::<AccountId>()?,
            state: cells.bytes()?,
            expires_unix_ms: cells.int()?,
        })
    }
}

/// A nonce that was seen.
#[derive(Debug)]
pub(super) struct Nonce {
    pub credential: CredentialId,
    pub nonce: Vec<u8>,
    pub expires_unix_ms: u64,
}

impl Record for Nonce {
    const TABLE: &'static Table = &Table {
        name: "nonce",
        columns: &[
            ("credential", Kind::Bytes),
            ("nonce", Kind::Bytes),
            ("expires_unix_ms", Kind::Int),
        ],
        key: &["credential", "nonce"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        let expires = int(self.expires_unix_ms)?;
        Ok(vec![bytes(self.credential.as_bytes()), bytes(&self.nonce), expires])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self { credential: cells.id()?, nonce: cells.bytes()?, expires_unix_ms: cells.int()? })
    }
}

impl Record for Session {
    const TABLE: &'static Table = &Table {
        name: "session",
        columns: &[
            ("id", Kind::Bytes),
            ("token_hash", Kind::Bytes),
            ("account", Kind::Bytes),
            ("method", Kind::Text),
            ("created_unix_ms", Kind::Int),
            ("seen_unix_ms", Kind::Int),
            ("expires_unix_ms", Kind::Int),
            ("confirmed_until_unix_ms", Kind::Int),
            ("user_agent", Kind::Text),
            ("revoked_unix_ms", Kind::Int),
        ],
        key: &["id"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.id.as_bytes()),
            bytes(self.token_hash.as_bytes()),
            bytes(self.account.as_bytes()),
            text(self.method.as_str()),
            int(self.created_unix_ms)?,
            int(self.seen_unix_ms)?,
            int(self.expires_unix_ms)?,
            maybe_int(self.confirmed_until_unix_ms)?,
            text(&self.user_agent),
            maybe_int(self.revoked_unix_ms)?,
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            id: cells.id()?,
            token_hash: cells.digest()?,
            account: cells.id()?,
            method: cells.word(SignIn::parse)?,
            created_unix_ms: cells.int()?,
            seen_unix_ms: cells.int()?,
            expires_unix_ms: cells.int()?,
            confirmed_until_unix_ms: cells.maybe_int()?,
            user_agent: cells.text()?,
            revoked_unix_ms: cells.maybe_int()?,
        })
    }
}

impl Record for AuditEvent {
    const TABLE: &'static Table = &Table {
        name: "event",
        columns: &[
            ("account", Kind::Bytes),
            ("number", Kind::Int),
            ("prev", Kind::Bytes),
            ("at_unix_ms", Kind::Int),
            ("kind", Kind::Text),
            ("detail", Kind::Text),
        ],
        key: &["account", "number"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![
            bytes(self.account.as_bytes()),
            int(self.number)?,
            bytes(self.prev.as_bytes()),
            int(self.event.at_unix_ms)?,
            text(&self.event.kind),
            text(&self.event.detail),
        ])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self {
            account: cells.id()?,
            number: cells.int()?,
            prev: cells.digest()?,
            event: Event { at_unix_ms: cells.int()?, kind: cells.text()?, detail: cells.text()? },
        })
    }
}

/// A secret of the server, sealed.
#[derive(Debug)]
pub(super) struct ServerSecret {
    pub name: String,
    pub envelope: Vec<u8>,
}

impl Record for ServerSecret {
    const TABLE: &'static Table = &Table {
        name: "server_secret",
        columns: &[("name", Kind::Text), ("envelope", Kind::Bytes)],
        key: &["name"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![text(&self.name), bytes(&self.envelope)])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self { name: cells.text()?, envelope: cells.bytes()? })
    }
}

/// The handle of an account that was deleted, hashed under the server's key.
#[derive(Debug)]
pub(super) struct Retired {
    pub handle: Digest32,
    pub at_unix_ms: u64,
}

impl Record for Retired {
    const TABLE: &'static Table = &Table {
        name: "retired",
        columns: &[("handle", Kind::Bytes), ("at_unix_ms", Kind::Int)],
        key: &["handle"],
        has_sealed: false,
    };

    fn values(&self) -> Result<Vec<Value>, AccountError> {
        Ok(vec![bytes(self.handle.as_bytes()), int(self.at_unix_ms)?])
    }

    fn read(cells: &mut Cells) -> Result<Self, AccountError> {
        Ok(Self { handle: cells.digest()?, at_unix_ms: cells.int()? })
    }
}
