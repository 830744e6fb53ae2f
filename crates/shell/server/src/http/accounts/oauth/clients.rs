//! Who a request is of: a client that registered, or one that its own document describes.

use http::StatusCode;
use symbolon_account::oauth::{Client, ClientId};
use symbolon_broker::CallError;

use super::super::{super::failure::failure, fault, service::Service};
use super::Kept;

impl<S: Kept> Service<S> {
    /// The client of this id.
    ///
    /// # Errors
    /// `unknown_client`, 404, where nobody is known by it; `client_unreachable`, 502, where its document could
    /// not be had or is none.
    pub async fn oauth_client(&self, id: &ClientId) -> Result<Client, CallError> {
        if id.document().is_some() {
            let fetched = self.oauth.documents.of(id, &*self.clock).await;
            let metadata = fetched.map_err(|error| {
                let says =
                    format!("The description of the assistant at {id} was not taken: {error}.");
                let next = Some("Try it again in a minute, or ask who makes the assistant.");
                failure("client_unreachable", StatusCode::BAD_GATEWAY, says, next)
            })?;
            let name = metadata.name.or_else(|| id.host().map(str::to_owned));
            return Ok(Client {
                id: id.clone(),
                name: name.unwrap_or_default(),
                redirect_uris: metadata.redirect_uris,
                created_unix_ms: self.now(),
                expires_unix_ms: self.now(),
            });
        }
        let found = self.store.client(id).await.map_err(fault::stored)?;
        found.filter(|client| self.now() < client.expires_unix_ms).ok_or_else(|| {
            let says = "No assistant is registered here by this id, or its registration is over.";
            let next = Some("Connect the assistant once more, from its own settings.");
            failure("unknown_client", StatusCode::NOT_FOUND, says, next)
        })
    }
}
