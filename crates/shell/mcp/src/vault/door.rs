//! The tools over streamable HTTP, without sessions: each message is of whoever its token is of.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};

use super::handler::{VaultHandler, Who};
use super::notebook::Notebook;
use crate::http::{HttpBody, HttpOptions, in_json};

/// The door. It does not authenticate: whoever mounts it says in each call who is calling.
pub struct VaultDoor<N: Notebook> {
    rmcp: StreamableHttpService<Arc<VaultHandler<N>>, NeverSessionManager>,
}

impl<N: Notebook> std::fmt::Debug for VaultDoor<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultDoor")
    }
}

/// The door over vaults. Of the options the bounds of sessions mean nothing.
pub fn vault_service<N: Notebook>(notebook: N, options: HttpOptions) -> VaultDoor<N> {
    let notebook = Arc::new(notebook);
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts(options.hosts)
        .with_allowed_origins(options.origins)
        .enforce_origin_validation()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(options.body_bytes_max)
        .with_cancellation_token(options.stop);
    let make = move || Ok(Arc::new(VaultHandler::new(notebook.clone())));
    VaultDoor { rmcp: StreamableHttpService::new(make, Arc::default(), config) }
}

impl<N: Notebook> VaultDoor<N> {
    /// Answers one request of `who`, whose token the server has checked.
    pub async fn handle(&self, who: N::Who, mut request: Request<Bytes>) -> Response<HttpBody> {
        for name in [header::AUTHORIZATION, header::COOKIE] {
            // The head goes along into the handler; a token has no business there.
            request.headers_mut().remove(name);
        }
        request.extensions_mut().insert(Who(who));
        let body = request.body().clone();
        in_json(self.rmcp.handle(request.map(Full::new)).await, Some(&body))
    }
}
