//! Attachments, chunk by chunk.

use symbolon_account::{AccountError, BlobId, Chunk, ChunkInfo};
use symbolon_crypto::sha256;
use symbolon_custody::VaultId;

use super::engine::Engine;
use super::rows_of_vaults::{ChunkRow, VaultState};
use super::value::{Value, bytes, int};

const NO_VAULT: AccountError = AccountError::Missing("the vault");

fn one(vault: VaultId, blob: BlobId, index: u32) -> Result<Vec<Value>, AccountError> {
    Ok(vec![bytes(vault.as_bytes()), bytes(blob.as_bytes()), int(index.into())?])
}

const ONE: &str = "WHERE vault = $1 AND blob = $2 AND number = $3";

pub(super) async fn put_chunk(engine: &Engine, chunk: &Chunk) -> Result<(), AccountError> {
    chunk.check()?;
    let Chunk { vault, blob, index, sealed } = chunk.clone();
    engine
        .write(move |db| {
            Box::pin(async move {
                let args = vec![bytes(vault.as_bytes())];
                let state = db.one_locked::<VaultState>("WHERE vault = $1", args).await?;
                let mut state = state.ok_or(NO_VAULT)?;
                let (size_bytes, digest) = (sealed.len() as u64, sha256(&sealed));
                if let Some(kept) = db.one::<ChunkRow>(ONE, one(vault, blob, index)?).await? {
                    let same = kept.info.digest == digest;
                    return if same { Ok(()) } else { Err(AccountError::Exists("the chunk")) };
                }
                state.used_bytes = state.used_bytes.saturating_add(size_bytes);
                if state.used_bytes > state.quota_bytes {
                    let (needed, max) = (state.used_bytes, state.quota_bytes);
                    return Err(AccountError::Quota { needed, max });
                }
                let info = ChunkInfo { index, size_bytes, digest };
                db.insert_sealed(&ChunkRow { vault, blob, info }, sealed, "the chunk").await?;
                db.update(&state).await
            })
        })
        .await
}

pub(super) async fn chunk(
    engine: &Engine,
    vault: VaultId,
    blob: BlobId,
    index: u32,
) -> Result<Vec<u8>, AccountError> {
    let mut db = engine.reader().await?;
    let found = db.find_sealed::<ChunkRow>(ONE, one(vault, blob, index)?).await?.pop();
    found.map(|(_, sealed)| sealed).ok_or(AccountError::Missing("the chunk"))
}

pub(super) async fn chunks(
    engine: &Engine,
    vault: VaultId,
    blob: BlobId,
) -> Result<Vec<ChunkInfo>, AccountError> {
    let args = vec![bytes(vault.as_bytes()), bytes(blob.as_bytes())];
    let tail = "WHERE vault = $1 AND blob = $2 ORDER BY number";
    let rows = engine.reader().await?.find::<ChunkRow>(tail, args).await?;
    Ok(rows.into_iter().map(|row| row.info).collect())
}

pub(super) async fn delete(
    engine: &Engine,
    vault: VaultId,
    blob: BlobId,
) -> Result<(), AccountError> {
    engine
        .write(move |db| {
            Box::pin(async move {
                let args = vec![bytes(vault.as_bytes())];
                let state = db.one_locked::<VaultState>("WHERE vault = $1", args).await?;
                let mut state = state.ok_or(NO_VAULT)?;
                let args = vec![bytes(vault.as_bytes()), bytes(blob.as_bytes())];
                let gone = db.take::<ChunkRow>("WHERE vault = $1 AND blob = $2", args).await?;
                if gone.is_empty() {
                    return Err(AccountError::Missing("the attachment"));
                }
                let freed: u64 = gone.iter().map(|row| row.info.size_bytes).sum();
                state.used_bytes = state.used_bytes.saturating_sub(freed);
                db.update(&state).await
            })
        })
        .await
}
