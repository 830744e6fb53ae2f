//! What must be kept between runs, as a trait: `shell/store` keeps it.

use std::future::Future;

use symbolon_custody::Wrap;

use crate::{AgentName, Connection, ConnectionName, Grant, GrantId};

/// A stored agent key.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The agent.
    pub name: AgentName,
    /// HMAC or hash of its key; the key itself is nowhere.
    pub key_hash: symbolon_codec::Digest32,
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// The agent that made it for this one by delegation; the owner did where absent.
    pub made_by: Option<AgentName>,
}

/// A stored owner's token for HTTP.
#[derive(Debug, Clone)]
pub struct OwnerToken {
    /// Its number; never given again.
    pub id: u64,
    /// The token's hash; the token itself is nowhere.
    pub key_hash: symbolon_codec::Digest32,
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
}

/// A connection to keep, with its sealed credential.
#[derive(Debug, Clone)]
pub struct SealedConnection {
    /// What the owner set up.
    pub connection: Connection,
    /// Its credential's envelope.
    pub envelope: Vec<u8>,
    /// Whether it takes the place of one of its name.
    pub replace: bool,
}

/// Why the store did not do it. Nothing of a change that failed is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Something of that name is there already.
    #[error("{0} exists already")]
    Exists(String),
    /// Nothing of that name is there.
    #[error("{0} does not exist")]
    Missing(String),
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// A stored row is not what was written.
    #[error("the state database is damaged: {0}")]
    Damaged(String),
    /// Anything else the database says.
    #[error("the state database failed: {0}")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// State that outlives the process. Every change is one transaction and is durable when it returns.
pub trait Store: Send + Sync + 'static {
    /// All ways to unlock.
    fn wraps(&self) -> impl Future<Output = Result<Vec<Wrap>, StoreError>> + Send;
    /// Adds and removes ways to unlock, all or nothing.
    fn change_wraps(
        &self,
        add: &[Wrap],
        remove: &[String],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// The operator's sealed signing seed.
    fn operator_seed(&self) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;
    /// Keeps the operator's sealed signing seed.
    fn put_operator_seed(
        &self,
        envelope: &[u8],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// All connections with their sealed credentials, by name.
    fn connections(
        &self,
    ) -> impl Future<Output = Result<Vec<(Connection, Vec<u8>)>, StoreError>> + Send;
    /// Keeps a connection; over one of the same name only where `replace`.
    fn put_connection(
        &self,
        connection: &Connection,
        envelope: &[u8],
        replace: bool,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Keeps several connections, all or none.
    fn put_connections(
        &self,
        all: &[SealedConnection],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Forgets a connection.
    fn delete_connection(
        &self,
        name: &ConnectionName,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// The owner's tokens, by number.
    fn owner_tokens(&self) -> impl Future<Output = Result<Vec<OwnerToken>, StoreError>> + Send;
    /// Keeps an owner's token; gives its number.
    fn add_owner_token(
        &self,
        token: &OwnerToken,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;
    /// Forgets an owner's token.
    fn delete_owner_token(&self, id: u64) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// The account that is the owner's, by its id (`specs/page.md`).
    fn owner_account(&self) -> impl Future<Output = Result<Option<[u8; 16]>, StoreError>> + Send;
    /// Makes an account the owner's, where none is yet or it is the same.
    fn put_owner_account(
        &self,
        account: &[u8; 16],
        joined_unix_ms: u64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// The owner has no account any more.
    fn delete_owner_account(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// All grants, ended ones too, by number.
    fn grants(&self) -> impl Future<Output = Result<Vec<Grant>, StoreError>> + Send;
    /// Keeps a grant and gives it its number.
    fn add_grant(&self, grant: &Grant) -> impl Future<Output = Result<GrantId, StoreError>> + Send;
    /// Takes a grant back, and all that is under it.
    fn revoke_grant(&self, id: GrantId) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// All agents that have a key.
    fn agents(&self) -> impl Future<Output = Result<Vec<Agent>, StoreError>> + Send;
    /// Keeps an agent's key, in place of an earlier one.
    fn put_agent(&self, agent: &Agent) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Forgets an agent's key.
    fn delete_agent(&self, name: &AgentName)
    -> impl Future<Output = Result<(), StoreError>> + Send;
}
