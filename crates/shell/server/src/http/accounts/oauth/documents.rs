//! A client's own document (draft-ietf-oauth-client-id-metadata-document): fetched where the client's id says,
//! from public addresses alone, within bounds, and kept for a few minutes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use symbolon_account::oauth::{ClientId, ClientMetadata, MetadataError};
use symbolon_ambient::Clock;
use symbolon_broker::wire::{Client, Limits, PostError, Roots, Target};
use symbolon_codec::json::parse_bounded;
use symbolon_connector::ssrf::{Allow, Authority, Scheme};
use tokio::sync::Semaphore;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(in crate::http::accounts) enum DocumentError {
    /// The id is no address of one.
    #[error("it is no address")]
    Address,
    /// So many are fetched already.
    #[error("too many are fetched at once")]
    Busy,
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] PostError),
    /// Another status: a redirect is one too.
    #[error("it was answered with status {0}")]
    Status(u16),
    /// Not JSON within its bounds.
    #[error("it is not JSON")]
    Json,
    /// Not a client's.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// It failed a moment ago.
    #[error("it could not be had a moment ago")]
    Lately,
}

/// Documents that were fetched.
pub(in crate::http::accounts) struct Documents {
    client: Client,
    allow: Allow,
    roots: Option<Roots>,
    kept: Mutex<HashMap<ClientId, Kept>>,
    at_once: Semaphore,
}

struct Kept {
    until_ns: u64,
    /// None where it could not be had.
    metadata: Option<ClientMetadata>,
}

impl Documents {
    /// From public addresses, with the system's roots.
    pub fn new() -> Self {
        Self::over(Client::new(LIMITS), Allow::default(), None)
    }

    fn over(client: Client, allow: Allow, roots: Option<Roots>) -> Self {
        let (kept, at_once) = (Mutex::default(), Semaphore::new(AT_ONCE));
        Self { client, allow, roots, kept, at_once }
    }

    /// What a client says of itself.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub async fn of(
        &self,
        id: &ClientId,
        clock: &dyn Clock,
    ) -> Result<ClientMetadata, DocumentError> {
        if let Some(known) = self.known(id, clock.mono_ns()) {
            return known.ok_or(DocumentError::Lately);
        }
        // Whoever cannot be fetched now is no reason to wait: their person asks again.
        let _place = self.at_once.try_acquire().map_err(|_| DocumentError::Busy)?;
        let fetched = self.fetch(id).await;
        let life_ns = if fetched.is_ok() { KEPT_NS } else { FAILED_NS };
        let until_ns = clock.mono_ns() + life_ns;
        self.keep(id, Kept { until_ns, metadata: fetched.as_ref().ok().cloned() }, clock);
        fetched
    }

    async fn fetch(&self, id: &ClientId) -> Result<ClientMetadata, DocumentError> {
        let (origin, path) = id.document().ok_or(DocumentError::Address)?;
        let host = origin.strip_prefix("https://").ok_or(DocumentError::Address)?;
        let authority =
            Authority::parse(Scheme::Https, host).map_err(|_| DocumentError::Address)?;
        let target = match &self.roots {
            None => Target::new(authority, self.allow),
            Some(roots) => Target::with_roots(authority, self.allow, roots.clone()),
        };
        let target = target.map_err(|_| DocumentError::Address)?;
        let reply = self.client.get(&target, path, "application/json").await?;
        if reply.status != 200 {
            return Err(DocumentError::Status(reply.status));
        }
        // EXPOSE: it is public; the reply's page is the wire's, for all that it reads.
        let body = reply.body.expose();
        let value = parse_bounded(body, DOCUMENT_BYTES_MAX, DEPTH_MAX);
        let value = value.map_err(|_| DocumentError::Json)?;
        Ok(ClientMetadata::of_document(&value, id)?)
    }

    fn known(&self, id: &ClientId, now_ns: u64) -> Option<Option<ClientMetadata>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(id).filter(|kept| now_ns < kept.until_ns).map(|kept| kept.metadata.clone())
    }

    fn keep(&self, id: &ClientId, new: Kept, clock: &dyn Clock) {
        let now_ns = clock.mono_ns();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, one| now_ns < one.until_ns);
        // In a crowd the one that ends first makes room.
        if kept.len() >= KEPT_MAX
            && let Some(first) = kept.iter().min_by_key(|(_, one)| one.until_ns).map(|(id, _)| id)
        {
            let first = first.clone();
            kept.remove(&first);
        }
        kept.insert(id.clone(), new);
    }
}

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(3),
    head: Duration::from_secs(5),
    total: Duration::from_secs(5),
    response_head_bytes_max: 16 * 1024,
    response_body_bytes_max: DOCUMENT_BYTES_MAX as u64,
};
/// With its head: what the wire reads of such an answer.
const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
const DEPTH_MAX: usize = 8;
const AT_ONCE: usize = 8;
const KEPT_MAX: usize = 256;
const KEPT_NS: u64 = 600_000_000_000;
const FAILED_NS: u64 = 30_000_000_000;

#[cfg(test)]
mod tests;
