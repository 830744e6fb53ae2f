//! Assistants: clients that registered, what a person allowed, and its codes and tokens, each taken once.

use serde_json::json;
use symbolon_account::oauth::{
    Client, ClientId, CodeProof, GRANTS_MAX, Grant, GrantId, OauthStore, PurgedOauth, Redeemed,
    Refusal, Rotated, Scopes, Token,
};
use symbolon_account::{AccountError, AccountId, Event};
use symbolon_codec::Digest32;

use super::audit::note;
use super::db::Db;
use super::value::{Kind, Value, bytes, int, text};
use super::{Accounts, value::damaged};

const NO_GRANT: AccountError = AccountError::Missing("the assistant");

impl OauthStore for Accounts {
    async fn register_client(&self, client: &Client, most: usize) -> Result<(), AccountError> {
        let client = client.clone();
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    let count = "SELECT count(*) FROM oauth_client".to_owned();
                    let rows = db.rows(count, Vec::new(), &[Kind::Int]).await?;
                    let found = match rows.first().and_then(|row| row.first()) {
                        Some(Value::Int(Some(n))) => usize::try_from(*n).unwrap_or(usize::MAX),
                        _ => return Err(damaged("oauth_client")),
                    };
                    if found >= most {
                        return Err(AccountError::TooLong { what: "clients", found, max: most });
                    }
                    db.insert(&client, "the client").await
                })
            })
            .await
    }

    async fn client(&self, id: &ClientId) -> Result<Option<Client>, AccountError> {
        self.engine.reader().await?.one("WHERE id = $1", vec![text(id.as_str())]).await
    }

    async fn put_grant(&self, grant: &Grant, event: &Event) -> Result<(), AccountError> {
        let (grant, event) = (grant.clone(), event.clone());
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    note(db, grant.account, &event).await?;
                    let all = of_account(db, grant.account).await?;
                    let live = |one: &&Grant| one.is_live(event.at_unix_ms);
                    let found = all.iter().filter(live).count() + 1;
                    if found > GRANTS_MAX {
                        let (what, max) = ("assistants", GRANTS_MAX);
                        return Err(AccountError::TooLong { what, found, max });
                    }
                    let args = vec![text(grant.client.as_str())];
                    if let Some(client) = db.one_locked::<Client>("WHERE id = $1", args).await? {
                        let expires_unix_ms = client.expires_unix_ms.max(grant.ends_unix_ms);
                        db.update(&Client { expires_unix_ms, ..client }).await?;
                    }
                    db.insert(&grant, "the assistant").await
                })
            })
            .await
    }

    async fn oauth_grants(
        &self,
        account: AccountId,
        now_unix_ms: u64,
    ) -> Result<Vec<Grant>, AccountError> {
        let mut all = of_account(&mut self.engine.reader().await?, account).await?;
        all.retain(|grant| grant.is_live(now_unix_ms));
        Ok(all)
    }

    async fn redeem_code(
        &self,
        code: &Digest32,
        proof: &CodeProof,
        hashes: [Digest32; 2],
        now_unix_ms: u64,
    ) -> Result<Redeemed, AccountError> {
        let (code, proof) = (*code, proof.clone());
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    let args = vec![bytes(code.as_bytes())];
                    let found = db.one::<Grant>("WHERE code_hash = $1", args).await?;
                    let Some(Grant { id, account, .. }) = found else {
                        return Ok(Redeemed::Unknown);
                    };
                    let grant = held(db, account, id).await?;
                    match grant.judge_code(&proof, now_unix_ms) {
                        Ok(()) => {}
                        Err(refusal) => {
                            end(db, grant, refusal, now_unix_ms).await?;
                            return Ok(Redeemed::Refused(refusal));
                        }
                    }
                    let more = json!({ "scopes": grant.scopes.to_string() });
                    let event = grant.event("assistant-connected", more, now_unix_ms);
                    note(db, account, &event).await?;
                    let now = Some(now_unix_ms);
                    let grant = Grant { code_used_unix_ms: now, used_unix_ms: now, ..grant };
                    db.update(&grant).await?;
                    for token in grant.tokens(hashes, grant.scopes, now_unix_ms) {
                        db.insert(&token, "the token").await?;
                    }
                    Ok(Redeemed::Tokens(Box::new(grant)))
                })
            })
            .await
    }

    async fn rotate(
        &self,
        refresh: &Digest32,
        client: &ClientId,
        resource: Option<&str>,
        scopes: Option<Scopes>,
        hashes: [Digest32; 2],
        now_unix_ms: u64,
    ) -> Result<Rotated, AccountError> {
        let (refresh, client) = (*refresh, client.clone());
        let resource = resource.map(str::to_owned);
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    let hash = || vec![bytes(refresh.as_bytes())];
                    let Some((_, grant)) = with_grant(db, &refresh).await? else {
                        return Ok(Rotated::Unknown);
                    };
                    // The grant is held first, so that of two with one token the second sees it used.
                    let grant = held(db, grant.account, grant.id).await?;
                    let token = db.one::<Token>("WHERE hash = $1", hash()).await?;
                    let Some(token) = token else { return Ok(Rotated::Unknown) };
                    let judged =
                        grant.judge_refresh(&token, &client, resource.as_deref(), now_unix_ms);
                    if let Err(refusal) = judged {
                        if matches!(refusal, Refusal::Reused | Refusal::OtherClient) {
                            end(db, grant, refusal, now_unix_ms).await?;
                        }
                        return Ok(Rotated::Refused(refusal));
                    }
                    let given = scopes.unwrap_or(grant.scopes);
                    if given.is_empty() || !given.is_within(grant.scopes) {
                        return Ok(Rotated::Scope);
                    }
                    let event = grant.event("assistant-renewed", json!({}), now_unix_ms);
                    note(db, grant.account, &event).await?;
                    let used_unix_ms = Some(now_unix_ms);
                    db.update(&Token { used_unix_ms, ..token }).await?;
                    let grant = Grant { used_unix_ms, ..grant };
                    db.update(&grant).await?;
                    for token in grant.tokens(hashes, given, now_unix_ms) {
                        db.insert(&token, "the token").await?;
                    }
                    Ok(Rotated::Tokens(Box::new(grant), given))
                })
            })
            .await
    }

    async fn token(&self, hash: &Digest32) -> Result<Option<(Token, Grant)>, AccountError> {
        with_grant(&mut self.engine.reader().await?, hash).await
    }

    async fn touch_grant(&self, id: GrantId, now_unix_ms: u64) -> Result<(), AccountError> {
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    let args = vec![bytes(id.as_bytes())];
                    let grant = db.one_locked::<Grant>("WHERE id = $1", args).await?;
                    let grant = grant.ok_or(NO_GRANT)?;
                    db.update(&Grant { used_unix_ms: Some(now_unix_ms), ..grant }).await
                })
            })
            .await
    }

    async fn revoke_grant(
        &self,
        account: AccountId,
        id: GrantId,
        event: &Event,
    ) -> Result<(), AccountError> {
        let event = event.clone();
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    note(db, account, &event).await?;
                    let args = vec![bytes(id.as_bytes())];
                    let grant = db.one_locked::<Grant>("WHERE id = $1", args).await?;
                    let is_own =
                        |one: &Grant| one.account == account && one.is_live(event.at_unix_ms);
                    let grant = grant.filter(is_own).ok_or(NO_GRANT)?;
                    db.update(&Grant { revoked_unix_ms: Some(event.at_unix_ms), ..grant }).await
                })
            })
            .await
    }

    async fn purge_oauth(&self, now_unix_ms: u64) -> Result<PurgedOauth, AccountError> {
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    const EXPIRED: &str = "WHERE expires_unix_ms <= $1";
                    let now = || Ok::<_, AccountError>(vec![int(now_unix_ms)?]);
                    let tokens = db.delete::<Token>(EXPIRED, now()?).await?;
                    // One that was taken back stays until its end, so that its code is still known.
                    let of_ended =
                        "WHERE grant_id IN (SELECT id FROM oauth_grant WHERE ends_unix_ms <= $1)";
                    let of_ended = db.delete::<Token>(of_ended, now()?).await?;
                    let grants = db.delete::<Grant>("WHERE ends_unix_ms <= $1", now()?).await?;
                    let clients = db.delete::<Client>(EXPIRED, now()?).await?;
                    Ok(PurgedOauth { clients, grants, tokens: tokens + of_ended })
                })
            })
            .await
    }
}

async fn of_account(db: &mut Db, account: AccountId) -> Result<Vec<Grant>, AccountError> {
    let tail = "WHERE account = $1 ORDER BY created_unix_ms DESC, id";
    db.find(tail, vec![bytes(account.as_bytes())]).await
}

async fn with_grant(db: &mut Db, hash: &Digest32) -> Result<Option<(Token, Grant)>, AccountError> {
    let token = db.one::<Token>("WHERE hash = $1", vec![bytes(hash.as_bytes())]).await?;
    let Some(token) = token else { return Ok(None) };
    let args = vec![bytes(token.grant.as_bytes())];
    let grant = db.one::<Grant>("WHERE id = $1", args).await?;
    // None where it was purged between the two.
    Ok(grant.map(|grant| (token, grant)))
}

/// A grant, held until the transaction ends: its account first, as everywhere, so that no two wait for each
/// other.
async fn held(db: &mut Db, account: AccountId, id: GrantId) -> Result<Grant, AccountError> {
    let args = vec![bytes(account.as_bytes())];
    let account = db.one_locked::<symbolon_account::Account>("WHERE id = $1", args).await?;
    account.ok_or(AccountError::Missing("the account"))?;
    let grant = db.one_locked::<Grant>("WHERE id = $1", vec![bytes(id.as_bytes())]).await?;
    grant.ok_or(NO_GRANT)
}

/// Ends a grant for what was shown of it; once, however often that comes.
async fn end(
    db: &mut Db,
    grant: Grant,
    refusal: Refusal,
    now_unix_ms: u64,
) -> Result<(), AccountError> {
    if grant.revoked_unix_ms.is_some() {
        return Ok(());
    }
    let more = json!({ "why": refusal.as_str() });
    let event = grant.event("assistant-ended", more, now_unix_ms);
    note(db, grant.account, &event).await?;
    let now = Some(now_unix_ms);
    db.update(&Grant {
        revoked_unix_ms: now,
        code_used_unix_ms: grant.code_used_unix_ms.or(now),
        ..grant
    })
    .await
}
