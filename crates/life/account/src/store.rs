//! What a server keeps of accounts and vaults, as a trait: `shell/store` keeps it.

use std::future::Future;

use symbolon_codec::Digest32;
use symbolon_custody::VaultId;

use crate::{
    Account, AccountError, AccountId, AccountState, AuditEvent, BlobId, Challenge, ChallengeId,
    Changes, Chunk, ChunkInfo, Commit, Credential, CredentialId, Event, Handle, ItemId, KeyChange,
    Purpose, Revision, RevisionInfo, Session, SessionId, Share, ShareId, SignIn, SignUp, Vault,
    Viewer,
};

/// Accounts, vaults and what hangs on them. Every change is one transaction, taken whole or not at
/// all, and durable when it returns; one that names an [`Event`] has written that down with it.
/// Every row that is read carries the server's tag over all its columns: another is
/// [`AccountError::Damaged`]. Times are Unix milliseconds of the caller's clock.
pub trait AccountStore: Send + Sync + 'static {
    // Accounts.

    /// Keeps a new account with its first credential, vault and session.
    /// [`AccountError::Exists`] where handle, credential or vault is another's.
    fn sign_up(&self, new: &SignUp) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// One account.
    fn account(&self, id: AccountId) -> impl Future<Output = Result<Account, AccountError>> + Send;
    /// The account of a handle.
    fn account_of(
        &self,
        handle: &Handle,
    ) -> impl Future<Output = Result<Option<Account>, AccountError>> + Send;
    /// Stops an account or lets it go on; stopping ends its sessions.
    fn set_account_state(
        &self,
        id: AccountId,
        state: AccountState,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;

    /// Deletes an account with everything of it: credentials, sessions, vault, history, attachments,
    /// shares from it and to it, events. What is left is its handle's hash
    /// ([`crate::ServerKey::handle_hash`]), for no other account ever has that handle.
    fn delete_account(
        &self,
        id: AccountId,
        at_unix_ms: u64,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;

    // Credentials.

    /// An account's ways to sign in, oldest first.
    fn credentials(
        &self,
        account: AccountId,
    ) -> impl Future<Output = Result<Vec<Credential>, AccountError>> + Send;
    /// The credential of a subject; see [`SignIn`].
    fn credential_of(
        &self,
        method: SignIn,
        subject: &[u8],
    ) -> impl Future<Output = Result<Option<Credential>, AccountError>> + Send;
    /// Keeps one more way to sign in, [`crate::CREDENTIALS_MAX`] at most.
    fn add_credential(
        &self,
        credential: &Credential,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Writes down that it was used: its state becomes `after` where it is `before`, else
    /// [`AccountError::Conflict`], so that of two uses of one counter one stands.
    fn use_credential(
        &self,
        id: CredentialId,
        before: &[u8],
        after: &[u8],
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Forgets one of an account's ways to sign in, but never the last
    /// ([`AccountError::Malformed`]).
    fn remove_credential(
        &self,
        account: AccountId,
        id: CredentialId,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;

    // Challenges and nonces.

    /// Keeps a challenge.
    fn put_challenge(
        &self,
        challenge: &Challenge,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Takes a challenge out: of any number of callers one gets it. One that has expired, or is for
    /// another purpose, is gone too, and [`AccountError::Missing`].
    fn take_challenge(
        &self,
        id: ChallengeId,
        purpose: Purpose,
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<Challenge, AccountError>> + Send;
    /// Writes down the nonce of a signed request (RFC 9421) under the key that signed it;
    /// [`AccountError::Exists`] where it was seen.
    fn take_nonce(
        &self,
        key: CredentialId,
        nonce: &[u8],
        expires_unix_ms: u64,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;

    // Sessions.

    /// Keeps a session.
    fn put_session(
        &self,
        session: &Session,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// The session of a token, ended and expired ones too: [`Session::is_live`] tells.
    fn session_of(
        &self,
        token_hash: &Digest32,
    ) -> impl Future<Output = Result<Option<Session>, AccountError>> + Send;
    /// An account's sessions that are live, newest first.
    fn sessions(
        &self,
        account: AccountId,
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<Vec<Session>, AccountError>> + Send;
    /// Writes down that a live session was seen.
    fn touch_session(
        &self,
        id: SessionId,
        seen_unix_ms: u64,
        expires_unix_ms: u64,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Writes down that a live session's holder showed who they are.
    fn confirm_session(
        &self,
        id: SessionId,
        until_unix_ms: u64,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Ends one of an account's sessions.
    fn revoke_session(
        &self,
        account: AccountId,
        id: SessionId,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Ends all of an account's sessions but `keep`; gives how many.
    fn revoke_sessions(
        &self,
        account: AccountId,
        keep: Option<SessionId>,
        event: &Event,
    ) -> impl Future<Output = Result<u64, AccountError>> + Send;

    // Vaults.

    /// An account's vault.
    fn vault_of(
        &self,
        account: AccountId,
    ) -> impl Future<Output = Result<Vault, AccountError>> + Send;
    /// Changes a vault's keys by compare-and-set; gives the version from now on.
    fn change_keys(
        &self,
        vault: VaultId,
        change: &KeyChange,
        event: &Event,
    ) -> impl Future<Output = Result<u64, AccountError>> + Send;
    /// Takes a commit. Its head's signature is checked by the caller.
    fn commit(&self, commit: Commit) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Current revisions that came after a counter, about `limit` of them: whole commits, one at
    /// least.
    fn changes(
        &self,
        vault: VaultId,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Changes, AccountError>> + Send;
    /// What stands in the clear of an item's revisions that are kept, newest first.
    fn history(
        &self,
        vault: VaultId,
        item: ItemId,
    ) -> impl Future<Output = Result<Vec<RevisionInfo>, AccountError>> + Send;
    /// One revision of an item; the current one where no number is given.
    fn revision(
        &self,
        vault: VaultId,
        item: ItemId,
        revision: Option<u64>,
    ) -> impl Future<Output = Result<Revision, AccountError>> + Send;

    // Attachments.

    /// Keeps a chunk. The same bytes again change nothing; other bytes in its place are
    /// [`AccountError::Exists`].
    fn put_chunk(&self, chunk: &Chunk) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// The sealed bytes of a chunk.
    fn chunk(
        &self,
        vault: VaultId,
        blob: BlobId,
        index: u32,
    ) -> impl Future<Output = Result<Vec<u8>, AccountError>> + Send;
    /// The chunks that are there, by number.
    fn chunks(
        &self,
        vault: VaultId,
        blob: BlobId,
    ) -> impl Future<Output = Result<Vec<ChunkInfo>, AccountError>> + Send;
    /// Forgets an attachment.
    fn delete_blob(
        &self,
        vault: VaultId,
        blob: BlobId,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;

    // Shares.

    /// Keeps a share, [`crate::SHARES_MAX`] of an account at most. [`AccountError::Missing`] where
    /// the account that it is for does not exist.
    fn put_share(
        &self,
        share: &Share,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// Gives a share to a viewer and counts it: of any number of callers no more than
    /// [`Share::views_max`] get it. Whatever the reason, who may not see it learns
    /// [`AccountError::Missing`].
    fn view_share(
        &self,
        id: ShareId,
        viewer: Viewer,
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<Share, AccountError>> + Send;
    /// An account's shares, newest first, without their sealed bytes.
    fn shares_from(
        &self,
        account: AccountId,
    ) -> impl Future<Output = Result<Vec<Share>, AccountError>> + Send;
    /// The shares that are open to an account, newest first, without their sealed bytes.
    fn shares_to(
        &self,
        account: AccountId,
        now_unix_ms: u64,
    ) -> impl Future<Output = Result<Vec<Share>, AccountError>> + Send;
    /// Takes one of an account's shares back; its sealed bytes are gone.
    fn revoke_share(
        &self,
        from: AccountId,
        id: ShareId,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;

    // The audit of an account.

    /// Writes an event down that comes with no other change.
    fn append_event(
        &self,
        account: AccountId,
        event: &Event,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;
    /// An account's events after a number, `limit` at most, each chained to the one before; where
    /// they reach the last, that is the account's head.
    fn events(
        &self,
        account: AccountId,
        after: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<AuditEvent>, AccountError>> + Send;

    // The server.

    /// Keeps a sealed secret of the server where there is none of its name, and gives the one that
    /// is kept: of two servers that begin at once both go on with the same.
    fn server_secret(
        &self,
        name: &str,
        make: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, AccountError>> + Send;
    /// Removes what has expired: challenges, nonces, sessions, links.
    fn purge(&self, now_unix_ms: u64) -> impl Future<Output = Result<Purged, AccountError>> + Send;
    /// Reads every row of every table and every chain.
    fn check(&self) -> impl Future<Output = Result<Checked, AccountError>> + Send;
}

/// How many rows were removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Challenges.
    pub challenges: u64,
    /// Nonces of signed requests.
    pub nonces: u64,
    /// Sessions.
    pub sessions: u64,
    /// Shares.
    pub shares: u64,
}

/// What [`AccountStore::check`] read, all of it whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// Rows, of all tables.
    pub rows: u64,
    /// Accounts, each with its chain of events.
    pub accounts: u64,
}
