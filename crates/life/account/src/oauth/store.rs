//! What a server keeps of assistants, as a trait: `shell/store` keeps it.

use std::future::Future;

use symbolon_codec::Digest32;

use super::client::{Client, ClientId};
use super::grant::{CodeProof, Grant, GrantId, Refusal};
use super::scope::Scopes;
use super::token::Token;
use crate::{AccountError, AccountId, AccountStore, Event};

/// Clients, grants and tokens, under the same rules as [`AccountStore`]: a change is one transaction with its
/// event, durable when it returns.
pub trait OauthStore: AccountStore {
    /// Keeps a client that registered, where there are fewer than `most`.
    /// [`AccountError::Full`] never: [`AccountError::TooLong`] beyond that.
    fn register_client(
        &self,
        client: &Client,
        most: usize,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// A client that registered.
    fn client(
        &self,
        id: &ClientId,
    ) -> impl Future<Output = Result<Option<Client>, AccountError>> + Send;
    /// Keeps a grant, [`super::GRANTS_MAX`] live ones of an account at most; its client is kept as long.
    fn put_grant(
        &self,
        grant: &Grant,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// An account's grants that live, newest first.
    fn oauth_grants(
        &self,
        account: AccountId,
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<Vec<Grant>, AccountError>> + Send;
    /// Gives tokens of these hashes (access, refresh) for a code: of any number of callers one gets them. A code
    /// that is shown with anything wrong, or again, ends its grant.
    fn redeem_code(
        &self,
        code: &Digest32,
        proof: &CodeProof,
        hashes: [Digest32; 2],
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<Redeemed, AccountError>> + Send;
    /// Gives the next tokens of these hashes for a refresh token, once. One that was used before, or is shown by
    /// another client, ends its grant. `scopes` narrows the access token.
    fn rotate(
        &self,
        refresh: &Digest32,
        client: &ClientId,
        resource: Option<&str>,
        scopes: Option<Scopes>,
        hashes: [Digest32; 2],
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<Rotated, AccountError>> + Send;
    /// A token with its grant, ended ones too.
    fn token(
        &self,
        hash: &Digest32,
    ) -> impl Future<Output = Result<Option<(Token, Grant)>, AccountError>> + Send;
    /// Writes down that a token of a grant was used.
    fn touch_grant(
        &self,
        id: GrantId,
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Ends one of an account's grants.
    fn revoke_grant(
        &self,
        account: AccountId,
        id: GrantId,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Removes what has expired.
    fn purge_oauth(
        &self,
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<PurgedOauth, AccountError>> + Send;
}

/// What a code gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// Tokens of this grant.
    Tokens(Box<Grant>),
    /// Nothing, and the grant is ended.
    Refused(Refusal),
    /// Nobody knows such a code.
    Unknown,
}

/// What a refresh token gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    /// Tokens of this grant; what the access token may do.
    Tokens(Box<Grant>, Scopes),
    /// Nothing.
    Refused(Refusal),
    /// More was asked for than the grant has.
    Scope,
    /// Nobody knows such a token.
    Unknown,
}

/// How many rows were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PurgedOauth {
    /// Clients without a grant.
    pub clients: u64,
    /// Grants that ended.
    pub grants: u64,
    /// Tokens that expired.
    pub tokens: u64,
}
