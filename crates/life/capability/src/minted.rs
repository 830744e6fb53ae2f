//! Credentials that a service made through a connection, as they are kept (`specs/minted.md`).

use std::fmt;
use std::future::Future;

use symbolon_codec::Digest32;
use symbolon_crypto::{labels, sha256_parts};

use crate::{AgentName, ConnectionName, StoreError};

/// The name of a minted credential: a hash of its placeholder, which nobody keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MintedId(Digest32);

impl MintedId {
    /// Of the credential that this placeholder stands for.
    #[must_use]
    pub fn of(placeholder: &str) -> Self {
        Self(sha256_parts(&[labels::MINTED.as_str().as_bytes(), placeholder.as_bytes()]))
    }

    /// As the store has it.
    #[must_use]
    pub const fn from_digest(digest: Digest32) -> Self {
        Self(digest)
    }

    /// All 256 bits.
    #[must_use]
    pub const fn digest(&self) -> &Digest32 {
        &self.0
    }

    /// The bits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0.0
    }
}

/// What people and receipts see: the first 16 hexadecimal digits.
impl fmt::Display for MintedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One minted credential, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintedRow {
    /// Its name.
    pub id: MintedId,
    /// The connection that it was minted through.
    pub connection: ConnectionName,
    /// Whose it is.
    pub agent: AgentName,
    /// The operation that made it.
    pub tool: String,
    /// The intent of the call that made it: its place in the log.
    pub intent: u64,
    /// When it was kept, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// When it ends; `None` where nobody said.
    pub expires_unix_ms: Option<u64>,
    /// In wire form, sealed as [`crate::Connection::minted_aad`] says.
    pub token: Vec<u8>,
}

impl MintedRow {
    /// Whether its end has come.
    #[must_use]
    pub fn is_over(&self, now_unix_ms: u64) -> bool {
        self.expires_unix_ms.is_some_and(|end| end <= now_unix_ms)
    }
}

/// Keeps minted credentials. Every change is one transaction and is durable when it returns.
pub trait MintedStore: Send + Sync + 'static {
    /// All of them, the oldest first.
    fn minted(&self) -> impl Future<Output = Result<Vec<MintedRow>, StoreError>> + Send;
    /// Keeps `rows`, all or none, and forgets those that were over at `now_unix_ms`.
    fn add_minted(
        &self,
        rows: &[MintedRow],
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Forgets one; [`StoreError::Missing`] where there is none of that name.
    fn delete_minted(&self, id: &MintedId) -> impl Future<Output = Result<(), StoreError>> + Send;
}
