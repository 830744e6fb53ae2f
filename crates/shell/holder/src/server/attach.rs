//! Attachments: sent and fetched chunk by chunk, so that what broke off goes on.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use symbolon_ambient::Rng;
use symbolon_codec::Digest32;
use symbolon_crypto::Sha256;
use symbolon_vault::item::Contents;
use symbolon_vault::replica::EditError;
use symbolon_vault::wire::{BlobId, ItemId};
use symbolon_vault::{ChunkError, Chunks};

use super::client::{By, Client};
use super::error::ClientError;
use super::sync::SyncFailure;
use crate::open::OpenVault;

/// Why an attachment was not sent or not fetched. What was sent until then stays, and is not sent again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachFailure {
    /// The server, or the way to it, or that there is none.
    #[error(transparent)]
    Sync(#[from] SyncFailure),
    /// The item.
    #[error(transparent)]
    Item(#[from] EditError),
    /// The item is no attachment.
    #[error("the item is no attachment")]
    Kind,
    /// The file, read or written.
    #[error("the file: {0}")]
    File(#[from] io::Error),
    /// The file is another than it was when it was attached.
    #[error("the file changed while it was sent")]
    Changed,
    /// A chunk is not what was sealed.
    #[error("the server's copy cannot be used: {0}")]
    Chunk(#[from] ChunkError),
    /// Not all of it was sent yet.
    #[error("{missing} of {all} parts of the file were never sent")]
    Unfinished {
        /// Chunks that are missing.
        missing: usize,
        /// Chunks that it has.
        all: usize,
    },
    /// All chunks open, and are not the file that was attached.
    #[error("the server's copy is not the file that was attached")]
    Digest,
}

/// What a transfer did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transferred {
    /// Chunks that went over the line.
    pub sent: usize,
    /// Chunks that were there already.
    pub there: usize,
}

#[derive(Deserialize)]
struct There {
    chunks: Vec<ThereChunk>,
}

#[derive(Deserialize)]
struct ThereChunk {
    index: u32,
}

/// An attachment, ready for its chunks.
struct Attached {
    chunks: Chunks,
    blob: BlobId,
    digest: Digest32,
}

impl OpenVault {
    /// Sends what the server does not have yet of an attachment. `told` hears how many chunks are done, of
    /// how many.
    ///
    /// # Errors
    /// [`AttachFailure`].
    pub async fn upload(
        &self,
        client: &mut Client,
        id: ItemId,
        file: &mut impl Read,
        rng: &dyn Rng,
        told: &dyn Fn(u32, u32),
    ) -> Result<Transferred, AttachFailure> {
        let attached = self.attached(id)?;
        let (key_id, key) = self.signer()?;
        let by = By::Device(&key_id, &key);
        let there = there(client, by, attached.blob).await?;
        let count = attached.chunks.count();
        let (mut hash, mut sent) = (Sha256::new(), 0);
        for index in 0..count {
            let mut plain = vec![0; attached.chunks.plain_len(index)?];
            file.read_exact(&mut plain).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => AttachFailure::Changed,
                _ => error.into(),
            })?;
            hash.update(&plain);
            if !there.contains(&index) {
                let sealed = attached.chunks.seal(index, &plain, rng)?;
                put(client, by, &format!("/api/vault/blobs/{}/{index}", attached.blob), sealed)
                    .await?;
                sent += 1;
            }
            told(index + 1, count);
        }
        if hash.finish() != attached.digest {
            return Err(AttachFailure::Changed);
        }
        Ok(Transferred { sent, there: there.len() })
    }

    /// Fetches an attachment into `out`, which is to be used only where this gives `Ok`.
    ///
    /// # Errors
    /// [`AttachFailure`].
    pub async fn download(
        &self,
        client: &mut Client,
        id: ItemId,
        out: &mut impl Write,
        told: &dyn Fn(u32, u32),
    ) -> Result<(), AttachFailure> {
        let attached = self.attached(id)?;
        let (key_id, key) = self.signer()?;
        let by = By::Device(&key_id, &key);
        let count = attached.chunks.count();
        let there = there(client, by, attached.blob).await?;
        let missing = (0..count).filter(|index| !there.contains(index)).count();
        if missing > 0 {
            return Err(AttachFailure::Unfinished { missing, all: count as usize });
        }
        let mut hash = Sha256::new();
        for index in 0..count {
            let target = format!("/api/vault/blobs/{}/{index}", attached.blob);
            let answer =
                client.ask(by, Method::GET, &target, None).await.map_err(SyncFailure::from)?;
            let plain = attached.chunks.open(index, &answer.body)?;
            hash.update(&plain);
            out.write_all(&plain)?;
            told(index + 1, count);
        }
        if hash.finish() == attached.digest { Ok(()) } else { Err(AttachFailure::Digest) }
    }

    /// Has the server forget an attachment's chunks; that they are gone already is as it should be.
    ///
    /// # Errors
    /// [`AttachFailure`].
    pub async fn forget_chunks(
        &self,
        client: &mut Client,
        id: ItemId,
    ) -> Result<(), AttachFailure> {
        let attached = self.attached(id)?;
        let (key_id, key) = self.signer()?;
        let target = format!("/api/vault/blobs/{}", attached.blob);
        match client.ask(By::Device(&key_id, &key), Method::DELETE, &target, None).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_code("missing") => Ok(()),
            Err(error) => Err(SyncFailure::from(error).into()),
        }
    }

    fn attached(&self, id: ItemId) -> Result<Attached, AttachFailure> {
        let item = self.replica.open(id)?;
        let Contents::Attachment { length_bytes, blob, digest, key, .. } = &item.contents else {
            return Err(AttachFailure::Kind);
        };
        let chunks = Chunks::new(self.card.custody.id(), *blob, key, *length_bytes)?;
        Ok(Attached { chunks, blob: *blob, digest: *digest })
    }

    /// The public half of this device's key in base64url, and the key.
    pub(super) fn signer(&self) -> Result<(String, symbolon_crypto::SigningKey), SyncFailure> {
        let account = self.card.account.as_ref().ok_or(SyncFailure::NoServer)?;
        let key = account.device.open(&self.unlocked)?;
        Ok((account.device.key_id.clone(), key))
    }
}

/// The chunks that a server has.
async fn there(
    client: &mut Client,
    by: By<'_>,
    blob: BlobId,
) -> Result<BTreeSet<u32>, AttachFailure> {
    let there: There =
        client.get(by, &format!("/api/vault/blobs/{blob}")).await.map_err(SyncFailure::from)?;
    Ok(there.chunks.into_iter().map(|chunk| chunk.index).collect())
}

/// Sends one chunk; waits where the server says that it is asked too often.
async fn put(
    client: &mut Client,
    by: By<'_>,
    target: &str,
    sealed: Vec<u8>,
) -> Result<(), AttachFailure> {
    for _ in 0..TRIES {
        match client.ask(by, Method::PUT, target, Some((OCTETS, sealed.clone()))).await {
            Ok(_) => return Ok(()),
            Err(ClientError::Refused(refusal)) if refusal.status == 429 => {
                let seconds = refusal.retry_after_seconds.unwrap_or(1).clamp(1, WAIT_SECONDS_MAX);
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            Err(error) => return Err(SyncFailure::from(error).into()),
        }
    }
    Err(SyncFailure::Busy { rounds: TRIES }.into())
}

const OCTETS: &str = "application/octet-stream";
const TRIES: usize = 8;
const WAIT_SECONDS_MAX: u64 = 30;
