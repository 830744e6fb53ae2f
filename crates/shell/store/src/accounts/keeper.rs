//! [`AccountStore`] over either database.

use symbolon_account::{
    Account, AccountError, AccountId, AccountState, AccountStore, AuditEvent, BlobId, Challenge,
    ChallengeId, Changes, Checked, Chunk, ChunkInfo, Commit, Credential, CredentialId, Event,
    Handle, ItemId, KeyChange, Purged, Purpose, Revision, RevisionInfo, Session, SessionId, Share,
    ShareId, SignIn, SignUp, Vault, Viewer,
};
use symbolon_codec::Digest32;
use symbolon_custody::VaultId;

use super::records::ServerSecret;
use super::value::text;
use super::{Accounts, audit, blobs, check, delete, people, sessions, shares, vaults};

type Kept<T = ()> = Result<T, AccountError>;

impl AccountStore for Accounts {
    async fn sign_up(&self, new: &SignUp) -> Kept {
        people::sign_up(&self.engine, new).await
    }

    async fn account(&self, id: AccountId) -> Kept<Account> {
        people::account(&self.engine, id).await
    }

    async fn account_of(&self, handle: &Handle) -> Kept<Option<Account>> {
        people::account_of(&self.engine, handle).await
    }

    async fn set_account_state(&self, id: AccountId, state: AccountState, event: &Event) -> Kept {
        people::set_state(&self.engine, id, state, event).await
    }

    async fn delete_account(&self, id: AccountId, at_unix_ms: u64) -> Kept {
        delete::delete_account(&self.engine, id, at_unix_ms).await
    }

    async fn credentials(&self, account: AccountId) -> Kept<Vec<Credential>> {
        people::credentials(&self.engine, account).await
    }

    async fn credential_of(&self, method: SignIn, subject: &[u8]) -> Kept<Option<Credential>> {
        people::credential_of(&self.engine, method, subject).await
    }

    async fn add_credential(&self, credential: &Credential, event: &Event) -> Kept {
        people::add_credential(&self.engine, credential, event).await
    }

    async fn use_credential(
        &self,
        id: CredentialId,
        before: &[u8],
        after: &[u8],
        now_unix_ms: u64,
    ) -> Kept {
        people::use_credential(&self.engine, id, before, after, now_unix_ms).await
    }

    async fn remove_credential(&self, account: AccountId, id: CredentialId, event: &Event) -> Kept {
        people::remove_credential(&self.engine, account, id, event).await
    }

    async fn put_challenge(&self, challenge: &Challenge) -> Kept {
        sessions::put_challenge(&self.engine, challenge).await
    }

    async fn take_challenge(
        &self,
        id: ChallengeId,
        purpose: Purpose,
        now_unix_ms: u64,
    ) -> Kept<Challenge> {
        sessions::take_challenge(&self.engine, id, purpose, now_unix_ms).await
    }

    async fn take_nonce(&self, key: CredentialId, nonce: &[u8], expires_unix_ms: u64) -> Kept {
        sessions::take_nonce(&self.engine, key, nonce, expires_unix_ms).await
    }

    async fn put_session(&self, session: &Session, event: &Event) -> Kept {
        sessions::put_session(&self.engine, session, event).await
    }

    async fn session_of(&self, token_hash: &Digest32) -> Kept<Option<Session>> {
        sessions::session_of(&self.engine, token_hash).await
    }

    async fn sessions(&self, account: AccountId, now_unix_ms: u64) -> Kept<Vec<Session>> {
        sessions::sessions(&self.engine, account, now_unix_ms).await
    }

    async fn touch_session(&self, id: SessionId, seen_unix_ms: u64, expires_unix_ms: u64) -> Kept {
        sessions::touch(&self.engine, id, seen_unix_ms, expires_unix_ms).await
    }

    async fn confirm_session(&self, id: SessionId, until_unix_ms: u64, event: &Event) -> Kept {
        sessions::confirm(&self.engine, id, until_unix_ms, event).await
    }

    async fn revoke_session(&self, account: AccountId, id: SessionId, event: &Event) -> Kept {
        sessions::revoke(&self.engine, account, id, event).await
    }

    async fn revoke_sessions(
        &self,
        account: AccountId,
        keep: Option<SessionId>,
        event: &Event,
    ) -> Kept<u64> {
        sessions::revoke_all(&self.engine, account, keep, event).await
    }

    async fn vault_of(&self, account: AccountId) -> Kept<Vault> {
        vaults::vault_of(&self.engine, account).await
    }

    async fn change_keys(&self, vault: VaultId, change: &KeyChange, event: &Event) -> Kept<u64> {
        vaults::change_keys(&self.engine, vault, change, event).await
    }

    async fn commit(&self, commit: Commit) -> Kept {
        self.committer.commit(commit).await
    }

    async fn changes(&self, vault: VaultId, after: u64, limit: usize) -> Kept<Changes> {
        vaults::changes(&self.engine, vault, after, limit).await
    }

    async fn history(&self, vault: VaultId, item: ItemId) -> Kept<Vec<RevisionInfo>> {
        vaults::history(&self.engine, vault, item).await
    }

    async fn revision(
        &self,
        vault: VaultId,
        item: ItemId,
        revision: Option<u64>,
    ) -> Kept<Revision> {
        vaults::revision(&self.engine, vault, item, revision).await
    }

    async fn put_chunk(&self, chunk: &Chunk) -> Kept {
        blobs::put_chunk(&self.engine, chunk).await
    }

    async fn chunk(&self, vault: VaultId, blob: BlobId, index: u32) -> Kept<Vec<u8>> {
        blobs::chunk(&self.engine, vault, blob, index).await
    }

    async fn chunks(&self, vault: VaultId, blob: BlobId) -> Kept<Vec<ChunkInfo>> {
        blobs::chunks(&self.engine, vault, blob).await
    }

    async fn delete_blob(&self, vault: VaultId, blob: BlobId) -> Kept {
        blobs::delete(&self.engine, vault, blob).await
    }

    async fn put_share(&self, share: &Share, event: &Event) -> Kept {
        shares::put(&self.engine, share, event).await
    }

    async fn view_share(&self, id: ShareId, viewer: Viewer, now_unix_ms: u64) -> Kept<Share> {
        shares::view(&self.engine, id, viewer, now_unix_ms).await
    }

    async fn shares_from(&self, account: AccountId) -> Kept<Vec<Share>> {
        shares::from(&self.engine, account).await
    }

    async fn shares_to(&self, account: AccountId, now_unix_ms: u64) -> Kept<Vec<Share>> {
        shares::to(&self.engine, account, now_unix_ms).await
    }

    async fn revoke_share(&self, from: AccountId, id: ShareId, event: &Event) -> Kept {
        shares::revoke(&self.engine, from, id, event).await
    }

    async fn append_event(&self, account: AccountId, event: &Event) -> Kept {
        audit::append(&self.engine, account, event).await
    }

    async fn events(&self, account: AccountId, after: u64, limit: usize) -> Kept<Vec<AuditEvent>> {
        audit::events(&self.engine, account, after, limit).await
    }

    async fn server_secret(&self, name: &str, make: &[u8]) -> Kept<Vec<u8>> {
        let offered = ServerSecret { name: name.to_owned(), envelope: make.to_owned() };
        let args = vec![text(name)];
        let kept = self
            .engine
            .write(move |db| Box::pin(async move { db.insert(&offered, SECRET).await }))
            .await;
        match kept {
            Ok(()) => return Ok(make.to_owned()),
            Err(AccountError::Exists(SECRET)) => {}
            Err(error) => return Err(error),
        }
        let found =
            self.engine.reader().await?.one::<ServerSecret>("WHERE name = $1", args).await?;
        found.map(|row| row.envelope).ok_or(AccountError::Missing(SECRET))
    }

    async fn purge(&self, now_unix_ms: u64) -> Kept<Purged> {
        sessions::purge(&self.engine, now_unix_ms).await
    }

    async fn check(&self) -> Kept<Checked> {
        check::check(&self.engine).await
    }
}

const SECRET: &str = "the server's secret";
