//! Where sessions are kept, so that any number of servers share them.

use std::future::Future;

use symbolon_circuits::{IssuerPublicKey, Nonce};
use symbolon_codec::Digest32;

use crate::StoreError;

/// A session as it is kept: what was asked, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredSession {
    /// Its name.
    pub nonce: Nonce,
    /// Of the request.
    pub request_hash: Digest32,
    /// When it ends, in Unix milliseconds.
    pub expires_unix_ms: u64,
    /// For `returning/1`: the binding that was registered, as its canonical bytes.
    pub binding: Option<[u8; 32]>,
    /// Whether it was used.
    pub is_spent: bool,
}

/// What a session is used up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Of the session.
    pub nonce: Nonce,
    /// Audience, epoch and nullifier, where holders are to come once.
    pub unique: Option<(String, u32, [u8; 32])>,
}

/// What came of an [`Acceptance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is taken: nobody else's will be.
    Taken,
    /// The session was used, or is not there.
    Spent,
    /// The nullifier was taken before; the session is not used.
    SeenBefore,
}

/// Sessions, nullifiers and issuers whose keys were revoked. Each call is durable when it returns.
pub trait ProofStore: Send + Sync + 'static {
    /// Keeps a new session.
    fn begin(&self, session: &StoredSession)
    -> impl Future<Output = Result<(), StoreError>> + Send;
    /// A session that was begun, also where it was used or is over.
    fn find(
        &self,
        nonce: Nonce,
    ) -> impl Future<Output = Result<Option<StoredSession>, StoreError>> + Send;
    /// Uses a session up, and keeps the nullifier: both or neither, and of any number at once one.
    fn accept(
        &self,
        acceptance: &Acceptance,
    ) -> impl Future<Output = Result<Accepted, StoreError>> + Send;
    /// Whether an issuer's key was revoked.
    fn is_revoked(
        &self,
        issuer: IssuerPublicKey,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
