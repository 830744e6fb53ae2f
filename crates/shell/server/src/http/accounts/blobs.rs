//! Attachments in sealed chunks: an upload that was cut goes on with the chunks that are missing.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use symbolon_account::{AccountError, AccountStore, BlobId, CHUNK_BYTES_MAX, CHUNKS_MAX, Chunk};
use symbolon_broker::CallError;
use utoipa::ToSchema;

use super::super::{failure::Failure, schema};
use super::{door::Admitted, fault, service::Service};

type Shared<S> = State<Arc<Service<S>>>;

/// A chunk that is there.
#[derive(Serialize, ToSchema)]
pub(super) struct ChunkRow {
    /// Which chunk, from 0.
    index: u32,
    /// Its sealed bytes, counted.
    size_bytes: u64,
    /// SHA-256 of them, hex.
    digest: String,
}

/// Chunks of an attachment.
#[derive(Serialize, ToSchema)]
pub(super) struct Chunks {
    /// Those that are there, by number.
    chunks: Vec<ChunkRow>,
}

/// Which chunks of an attachment are there.
#[utoipa::path(get, path = "/api/vault/blobs/{id}", tag = "vault", security(("session" = []), ("signature" = [])),
    params(("id" = String, Path, description = "The attachment's id.")),
    responses((status = 200, body = Chunks), (status = 401, body = schema::CallError)))]
pub(super) async fn chunks<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(id): Path<String>,
) -> Result<Json<Chunks>, Failure> {
    let vault = service.vault(&admitted).await?.id;
    let found = service.store.chunks(vault, blob(&id)?).await.map_err(fault::stored)?;
    let rows = found.into_iter().map(|info| ChunkRow {
        index: info.index,
        size_bytes: info.size_bytes,
        digest: info.digest.to_string(),
    });
    Ok(Json(Chunks { chunks: rows.collect() }))
}

/// Keeps a chunk: its sealed bytes as they are. The same bytes again change nothing.
#[utoipa::path(put, path = "/api/vault/blobs/{id}/{chunk}", tag = "vault",
    security(("session" = []), ("signature" = [])),
    params(("id" = String, Path, description = "The attachment's id."),
        ("chunk" = u32, Path, description = "Which chunk, from 0; 100 at most.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 409, body = schema::CallError),
        (status = 413, body = schema::CallError)))]
pub(super) async fn put_chunk<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path((id, index)): Path<(String, String)>,
    sealed: Bytes,
) -> Result<StatusCode, Failure> {
    if sealed.is_empty() {
        return Err(fault::malformed("A chunk has bytes.").into());
    }
    let (blob, index) = (blob(&id)?, number(&index)?);
    let vault = service.vault(&admitted).await?.id;
    let chunk = Chunk { vault, blob, index, sealed: sealed.to_vec() };
    chunk.check().map_err(fault::stored)?;
    service.store.put_chunk(&chunk).await.map_err(fault::stored)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The sealed bytes of a chunk.
#[utoipa::path(get, path = "/api/vault/blobs/{id}/{chunk}", tag = "vault",
    security(("session" = []), ("signature" = [])),
    params(("id" = String, Path, description = "The attachment's id."),
        ("chunk" = u32, Path, description = "Which chunk, from 0.")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 401, body = schema::CallError), (status = 404, body = schema::CallError)))]
pub(super) async fn chunk<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path((id, index)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let vault = service.vault(&admitted).await?.id;
    let sealed = service.store.chunk(vault, blob(&id)?, number(&index)?).await;
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(header::CONTENT_TYPE, kind)], sealed.map_err(fault::stored)?).into_response())
}

/// Forgets an attachment.
#[utoipa::path(delete, path = "/api/vault/blobs/{id}", tag = "vault", security(("session" = []), ("signature" = [])),
    params(("id" = String, Path, description = "The attachment's id.")),
    responses((status = 204), (status = 401, body = schema::CallError), (status = 404, body = schema::CallError)))]
pub(super) async fn delete<S: AccountStore>(
    State(service): Shared<S>,
    Extension(admitted): Extension<Admitted>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let vault = service.vault(&admitted).await?.id;
    service.store.delete_blob(vault, blob(&id)?).await.map_err(fault::stored)?;
    Ok(StatusCode::NO_CONTENT)
}

fn blob(id: &str) -> Result<BlobId, CallError> {
    id.parse().map_err(|_| fault::stored(AccountError::Missing("the attachment")))
}

fn number(index: &str) -> Result<u32, CallError> {
    let number = index.parse().ok().filter(|number| *number < CHUNKS_MAX);
    number.ok_or_else(|| {
        let mib = CHUNK_BYTES_MAX >> 20;
        fault::malformed(format!("An attachment has {CHUNKS_MAX} chunks of {mib} MiB at most."))
    })
}
