//! What must be kept of issued tokens between runs.

use std::future::Future;

use crate::{Connection, ConnectionName, StoreError, TokenScope};

/// The tokens of one connection, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedRow {
    /// The access token in wire form, sealed as [`Connection::access_aad`] says. No two are the
    /// same, so it also tells one state of the row from the next.
    pub access: Vec<u8>,
    /// When it expires; `None` where nobody said.
    pub expires_unix_ms: Option<u64>,
    /// The refresh token, sealed as [`Connection::refresh_aad`] says.
    pub refresh: Option<Vec<u8>>,
    /// What the token may do, in the provider's words, where its answers said so (RFC 6749, section 5.1).
    pub scope: Option<TokenScope>,
    /// Why the provider gives no more tokens, in a word of RFC 6749.
    pub problem: Option<String>,
}

/// Keeps issued tokens. Every change is one transaction and is durable when it returns.
pub trait IssuedStore: Send + Sync + 'static {
    /// All of them, by connection.
    fn issued(
        &self,
    ) -> impl Future<Output = Result<Vec<(ConnectionName, IssuedRow)>, StoreError>> + Send;
    /// Those of one connection.
    fn issued_to(
        &self,
        name: &ConnectionName,
    ) -> impl Future<Output = Result<Option<IssuedRow>, StoreError>> + Send;
    /// Keeps a connection together with its first tokens.
    fn put_connection_issued(
        &self,
        connection: &Connection,
        envelope: &[u8],
        replace: bool,
        row: &IssuedRow,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Puts `row` in the place of the row whose access token is `before`; false where that is gone.
    fn replace_issued(
        &self,
        name: &ConnectionName,
        before: &[u8],
        row: &IssuedRow,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
