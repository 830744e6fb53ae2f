//! Connections: a service, where it is, how its credential goes out; sealed when they are made.

use std::collections::HashMap;
use std::sync::Arc;

use symbolon_ambient::SystemRng;
use symbolon_capability::catalog::{AuthScheme, Catalog, Service};
use symbolon_capability::oauth2::{IssuedRow, IssuedStore};
use symbolon_capability::{
    BasicHalf, Connection, ConnectionName, Registration, Scheme, SchemeError, SealedCredential,
    Store,
};
use symbolon_codec::time::rfc3339;
use symbolon_connector::ssrf::{self, Allow, base_url};
use symbolon_secret::Secret;

use crate::Broker;
use crate::api::*;
use crate::broker::Open;
use crate::mount::Mount;
use crate::oauth::{Issued, Keeper};
use crate::upstream::{Live, allow, slot};
use crate::wire::Identity;

impl Broker {
    /// Seals a credential and keeps the connection; with `verify`, only if one live, read-only call
    /// with it succeeds.
    ///
    /// # Errors
    /// [`CallError`]: locked, no such service, a base URL that is not allowed, a credential that
    /// cannot be one, a name that is taken, a check call that failed.
    pub async fn connect(
        &self,
        new: NewConnection,
        credential: Secret<[u8]>,
    ) -> Result<ConnectionView, CallError> {
        let open = self.opened()?;
        let (connection, envelope, live) = self.seal_connection(&open, &new, credential)?;
        let verified = match new.verify {
            true => Some(self.check_call(&live).await?),
            false => None,
        };
        // Not before: the check call waits for an upstream, and a revocation must not.
        let _one = self.changes.lock().await;
        if !Arc::ptr_eq(&open, &self.opened()?) {
            return Err(crate::errors::locked());
        }
        self.store.put_connection(&connection, &envelope, new.replace).await?;
        self.rebuild(&open).await?;
        self.count_setup().await?;
        Ok(self.connection_view(&connection, verified))
    }

    /// Plans a connection, seals its credential, and opens it once to see that it can be used. Nothing
    /// is kept.
    pub(crate) fn seal_connection(
        &self,
        open: &Arc<Open>,
        new: &NewConnection,
        credential: Secret<[u8]>,
    ) -> Result<(Connection, Vec<u8>, Arc<Live>), CallError> {
        if new.oauth.is_some() {
            return Err(CallError::caller("oauth", "tokens of this connection are got by a flow")
                .next("symbolon connect SERVICE --oauth FLOW"));
        }
        let (mut connection, service) = self.plan_connection(new)?;
        if let Scheme::Aws4 { session, .. } = &mut connection.auth {
            // EXPOSE: its colons are counted.
            *session = credential.expose().iter().filter(|b| **b == b':').count() == 2;
        }
        let now = connection.created_unix_ms;
        let wire = wire_form(&connection.auth, service.auth(), &credential, now)?;
        drop(credential);
        let aad = connection.aad(self.manifest.vault.as_bytes());
        // EXPOSE: sealed from one secret page into an envelope.
        let envelope = open.connections_key.seal_with(&aad, wire.expose(), &SystemRng);
        drop(wire);
        let live = self.register(open, connection.clone(), service, envelope.clone(), None)?;
        Ok((connection, envelope, live))
    }

    /// All connections, by name.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn connections(&self) -> Result<Vec<ConnectionView>, CallError> {
        let mut issued: HashMap<_, _> = self.store.issued().await?.into_iter().collect();
        let view = |(c, _): &(Connection, Vec<u8>)| ConnectionView {
            ended: issued.remove(&c.name).and_then(|row| row.problem),
            ..self.connection_view(c, None)
        };
        Ok(self.known_connections().await?.iter().map(view).collect())
    }

    /// Forgets a connection and its credential. Its grants stay, and give nothing.
    ///
    /// # Errors
    /// [`CallError`] where there is none of that name.
    pub async fn disconnect(&self, name: &str) -> Result<(), CallError> {
        let _one = self.changes.lock().await;
        let name =
            ConnectionName::parse(name).map_err(|e| CallError::caller("name", e.to_string()))?;
        self.store
            .delete_connection(&name)
            .await
            .map_err(|e| CallError::from(e).next("symbolon connections"))?;
        self.count_setup().await?;
        self.rebuild_if_open().await
    }

    pub(crate) fn plan_connection(
        &self,
        new: &NewConnection,
    ) -> Result<(Connection, Arc<Service>), CallError> {
        let wrong = |code: &str, e: &dyn std::fmt::Display| CallError::caller(code, e.to_string());
        let catalog = self.engine.catalog();
        let service = catalog.service(&new.service).cloned().ok_or_else(|| {
            let known: Vec<&str> = catalog.services().iter().map(|s| s.id().as_str()).collect();
            let message =
                format!("there is no service named {}; known: {}", new.service, known.join(", "));
            CallError::caller("unknown_service", message)
                .status(404)
                .next("symbolon tools search WORD")
        })?;
        let allow = Allow { loopback: new.allow_loopback, private: new.allow_private };
        let text = match &new.base_url {
            Some(_) if !service.is_self_hosted() && !new.allow_loopback => {
                let message = format!(
                    "{} is at a fixed address; its base URL cannot be changed",
                    service.name()
                );
                return Err(CallError::caller("base_url", message).next("leave --base-url away"));
            }
            Some(text) => text.clone(),
            None => service
                .base_url(&new.variables)
                .map_err(|e| {
                    wrong("base_url", &e).next("--var NAME=VALUE for each variable of the service")
                })?
                .to_string(),
        };
        let base_url = base_url(&text, allow)
            .map_err(|e| wrong("base_url", &e).next("--base-url https://HOST"))?;
        if new.base_url.is_some()
            && !service.is_self_hosted()
            && !base_url.authority().host().is_loopback()
        {
            let message = format!(
                "{} is at a fixed address; only a loopback address may stand in its place",
                service.name()
            );
            return Err(CallError::caller("base_url", message).next("leave --base-url away"));
        }
        let auth = match (&new.oauth, &new.auth) {
            (Some(given), _) => Ok(Scheme::OAuth2(Arc::new(crate::oauth::plan(
                given,
                &service,
                &base_url.to_string(),
            )?))),
            (None, Some(text)) => text.parse(),
            (None, None) => {
                let region = new.variables.get("region").map(String::as_str);
                Scheme::of(service.auth(), new.user.as_deref(), region)
            }
        }
        .map_err(|e| {
            let next = match e {
                SchemeError::FlowMissing => {
                    "--oauth code, device, client-credentials or github-app"
                }
                _ => "--user NAME, --var region=REGION, or --auth SCHEME",
            };
            wrong("auth", &e).next(next)
        })?;
        if auth == Scheme::Mtls && base_url.authority().scheme() != ssrf::Scheme::Https {
            return Err(wrong("auth", &"a client certificate is shown over TLS alone")
                .next("--base-url https://HOST"));
        }
        let name = new.name.as_deref().unwrap_or(&new.service);
        let connection = Connection {
            name: ConnectionName::parse(name).map_err(|e| wrong("name", &e))?,
            service: new.service.clone(),
            base_url: base_url.to_string(),
            auth,
            ca_pem: new.ca_pem.clone(),
            allow_loopback: new.allow_loopback,
            allow_private: new.allow_private,
            scopes: if new.scopes.is_empty() {
                vec![format!("{}.*", new.service)]
            } else {
                new.scopes.clone()
            },
            fingerprint: self.fingerprint.digest,
            created_unix_ms: self.clock.unix_ms(),
        };
        let scopes = self.scopes(&connection.scopes)?;
        let own = self.scopes(&[format!("{}.*", new.service)])?;
        if !scopes.is_subset(&own) {
            return Err(CallError::caller(
                "scope",
                format!("a connection of {0} allows scopes of {0} alone", new.service),
            ));
        }
        Ok((connection, service))
    }

    /// Opens the credential once, in a secret window, for the redaction filter; an envelope that
    /// was moved or changed is found here.
    pub(crate) fn register(
        &self,
        open: &Arc<Open>,
        connection: Connection,
        service: Arc<Service>,
        envelope: Vec<u8>,
        issued: Option<IssuedRow>,
    ) -> Result<Arc<Live>, CallError> {
        let catalog = self.engine.catalog();
        self.register_in(&catalog, open, connection, service, envelope, issued, None)
    }

    /// As [`Broker::register`], of a service of this catalogue, behind which perhaps a mounted server is.
    #[allow(clippy::too_many_arguments)] // what a connection is made of
    pub(crate) fn register_in(
        &self,
        catalog: &Catalog,
        open: &Arc<Open>,
        connection: Connection,
        service: Arc<Service>,
        envelope: Vec<u8>,
        issued: Option<IssuedRow>,
        mount: Option<Arc<Mount>>,
    ) -> Result<Arc<Live>, CallError> {
        let aad = connection.aad(self.manifest.vault.as_bytes());
        let credential =
            SealedCredential::new(open.connections_key.clone(), aad, envelope.clone().into());
        let base = base_url(&connection.base_url, allow(&connection))
            .map_err(|e| CallError::environment("state_damaged", e.to_string()))?;
        let registration = Arc::new(Registration {
            scopes: super::scopes_in(catalog, &connection.scopes)?,
            origin: base.authority().to_string(),
            connection,
            service,
            credential,
        });
        let Scheme::OAuth2(oauth) = &registration.connection.auth else {
            let live = Live::new(registration, base, envelope, None)?;
            return Ok(Arc::new(live.with_mount(mount)));
        };
        let row = issued.ok_or_else(|| {
            let message = format!("{}: its tokens are gone", registration.connection.name);
            CallError::environment("state_damaged", message)
                .next("symbolon connect SERVICE --oauth FLOW --replace")
        })?;
        let (oauth, seal) = (oauth.clone(), self.seal(open));
        let issued = Issued::new(&seal, &registration.connection, row, self.clock.unix_ms());
        let current = Live::new(registration, base, envelope, Some(Arc::new(issued)))?;
        let current = Arc::new(current.with_mount(mount));
        let keeper = Keeper::new(self.office.clone(), oauth, seal, current.clone())?;
        Ok(Arc::new(current.kept_by(keeper)))
    }

    pub(crate) fn connection_view(&self, c: &Connection, verified: Option<u16>) -> ConnectionView {
        ConnectionView {
            name: c.name.to_string(),
            service: c.service.clone(),
            base_url: c.base_url.clone(),
            auth: c.auth.label(),
            scopes: c.scopes.clone(),
            created: rfc3339(c.created_unix_ms),
            bound_to: if c.fingerprint == self.fingerprint.digest {
                self.fingerprint.strength.to_string()
            } else {
                "another machine".to_owned()
            },
            ended: None,
            lent: self.lent.has(&c.name),
            verified,
        }
    }
}

/// What goes over the wire in place of the placeholder, in secret memory.
pub(crate) fn wire_form(
    scheme: &Scheme,
    auth: &AuthScheme,
    raw: &Secret<[u8]>,
    now_unix_ms: u64,
) -> Result<Secret<[u8]>, CallError> {
    let bad = |e: &dyn std::fmt::Display| {
        CallError::caller("credential", e.to_string())
            .next("enter it again: symbolon connect SERVICE --replace")
    };
    let slot = slot(scheme)?;
    let (before, after) = match scheme {
        Scheme::Basic(BasicHalf::Password { user }) => (format!("{user}:"), ""),
        Scheme::Basic(BasicHalf::User) => (String::new(), ":"),
        Scheme::None => {
            return Err(CallError::caller("credential", "this service takes no credential")
                .next("symbolon mount ls"));
        }
        Scheme::Mtls => {
            return Identity::seal_form(raw, now_unix_ms).map_err(|e| {
                CallError::caller("client_certificate", e.to_string())
                    .next("symbolon connect SERVICE --client-cert FILE --client-key FILE")
            });
        }
        Scheme::Aws4 { .. } | Scheme::Hmac => {
            let joined = crate::sign::check(scheme, auth, raw)?;
            let raw = joined.as_ref().unwrap_or(raw);
            return symbolon_connector::inject::wire_form(&slot, raw).map_err(|e| bad(&e));
        }
        _ => return symbolon_connector::inject::wire_form(&slot, raw).map_err(|e| bad(&e)),
    };
    // EXPOSE: joined with a user name, from one secret page into another.
    let inner = raw.expose();
    let whole = Secret::<[u8]>::make_slice(before.len() + inner.len() + after.len(), |out| {
        out[..before.len()].copy_from_slice(before.as_bytes());
        out[before.len()..before.len() + inner.len()].copy_from_slice(inner);
        out[before.len() + inner.len()..].copy_from_slice(after.as_bytes());
    });
    symbolon_connector::inject::wire_form(&slot, &whole).map_err(|e| bad(&e))
}
