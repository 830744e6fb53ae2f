//! A service, by its secret.

use http::{HeaderMap, StatusCode, header};
use symbolon_broker::CallError;
use symbolon_possession::{Service as Relying, ServiceSecret};

use super::super::super::failure::failure;
use super::super::{fault, oauth::Kept, service::Service};

impl<S: Kept> Service<S> {
    /// The service whose secret stands behind `Bearer`.
    ///
    /// # Errors
    /// `no_service`, 401.
    pub async fn relying(&self, headers: &HeaderMap) -> Result<Relying, CallError> {
        let mut all = headers.get_all(header::AUTHORIZATION).iter();
        let secret = match (all.next(), all.next()) {
            (Some(value), None) => value.as_bytes().split_at_checked(7),
            _ => None,
        };
        let secret = secret
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
            .and_then(|(_, secret)| ServiceSecret::read(secret.trim_ascii()))
            .ok_or_else(nobody)?;
        let hash = self.possession.secret_hash(&secret);
        let found = self.store.service_of(&hash).await.map_err(fault::stored)?;
        found.ok_or_else(nobody)
    }
}

fn nobody() -> CallError {
    failure(
        "no_service",
        StatusCode::UNAUTHORIZED,
        "This needs the secret of a service.",
        Some("POST /api/keys/services gives one; send it as Authorization: Bearer symk_…"),
    )
}
