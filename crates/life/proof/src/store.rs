//! Where sessions are kept, so that any number of servers share them.

use std::future::Future;

use symbolon_circuits::{IssuerPublicKey, Nonce};
use symbolon_codec::Digest32;
use symbolon_custody::Origin;

use crate::StoreError;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    /// Where: proofs for it are no proofs for another.
    pub audience: Origin,
    /// Which of a server's services; none where the server asks for itself.
    pub asker: Option<Asker>,
}

/// A service that asks by way of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asker {
    /// Its id: sessions are shown to it alone.
    pub service: [u8; 16],
    /// The account that set it up. What one operator's holders came with is nothing to another's, also
    /// where both say that they are the same audience.
    pub operator: [u8; 16],
}

/// A session as it is kept: what was asked, as a hash, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSession {
    /// Its name.
    pub nonce: Nonce,
    /// Who asks.
    pub party: RelyingParty,
    /// Who is asked, by the relying party's name for them.
    pub account: String,
    /// Of the request.
    pub request_hash: Digest32,
    /// When it ends, in Unix milliseconds.
    pub expires_unix_ms: u64,
    /// For `returning/1`: the binding that was registered, as its canonical bytes.
    pub binding: Option<[u8; 32]>,
    /// What it was used up with.
    pub outcome: Option<Outcome>,
}

/// What a session was used up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The holder and their claims at this account.
    pub binding: [u8; 32],
    /// [`crate::Evidence`] as JSON.
    pub evidence: String,
}

/// What a session is used up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Of the session.
    pub nonce: Nonce,
    /// Where holders are to come once.
    pub unique: Option<Unique>,
    /// What is kept of it.
    pub outcome: Outcome,
}

/// A holder who came in an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unique {
    /// The account of who asked ([`Asker::operator`]); none where the server asked for itself.
    pub operator: Option<[u8; 16]>,
    /// Where they came.
    pub audience: Origin,
    /// When, by the relying party's count.
    pub epoch: u32,
    /// The holder there and then.
    pub nullifier: [u8; 32],
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
    /// Forgets sessions that ended at this time or before; gives how many. Nullifiers are kept.
    fn purge_proofs(
        &self,
        ended_unix_ms: u64,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
}
