//! What the routes share: the store, the server's secrets, the ceremonies' relying party, the limits.

use std::sync::Arc;

use symbolon_account::{AccountStore, Event, ServerKey};
use symbolon_ambient::{BatchedRng, Clock, Rng, SystemClock, SystemRng};
use symbolon_crypto::opaque::{SERVER_SETUP_BYTES, ServerSetup};
use symbolon_lease::Leases;
use symbolon_possession::PossessionKeys;
use symbolon_secret::Secret;
use webauthn_rs::{Webauthn, WebauthnBuilder};

use super::{
    AccountsError, AccountsOptions, PublicOrigin,
    authorship::Authorship,
    facts::Facts,
    keys::KeyLimits,
    limits::Limits,
    oauth::{Kept, Oauth},
};

/// Everything that a route needs.
pub(super) struct Service<S> {
    pub store: Arc<S>,
    pub key: ServerKey,
    pub opaque: ServerSetup,
    pub relying_party: Webauthn,
    pub origin: PublicOrigin,
    pub limits: Limits,
    pub oauth: Oauth,
    /// What API keys are proven against.
    pub possession: PossessionKeys,
    pub keys: KeyLimits,
    /// What is asked of holders of claims.
    pub facts: Facts<S>,
    /// Texts that are registered in the log.
    pub authorship: Authorship,
    /// What holders lent to this process.
    pub leases: Leases<S>,
    pub clock: Arc<dyn Clock>,
    /// For what lives for minutes.
    pub rng: Arc<dyn Rng>,
}

impl<S: Kept> Service<S> {
    /// Opens the server's secrets, or makes them where the store has none.
    ///
    /// # Errors
    /// [`AccountsError`].
    pub async fn open(
        store: S,
        key: ServerKey,
        options: &AccountsOptions,
    ) -> Result<Self, AccountsError> {
        let store = Arc::new(store);
        let opaque = opaque(&*store, &key).await?;
        let origin = options.origin.clone();
        let bad = |_| AccountsError::Origin {
            origin: origin.as_str().to_owned(),
            why: "passkeys cannot be bound to it",
        };
        let relying_party = WebauthnBuilder::new(origin.host(), origin.url())
            .and_then(|builder| builder.rp_name("Symbolon").timeout(CEREMONY).build())
            .map_err(bad)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let leases =
            Leases::new(store.clone(), origin.as_str(), clock.clone(), Arc::new(SystemRng))?;
        let facts = Facts::open(store.clone(), options, clock.clone(), Arc::new(BatchedRng))?;
        let possession = PossessionKeys::from_secret(key.possession_secret(), origin.as_str());
        Ok(Self {
            store,
            key,
            opaque,
            relying_party,
            origin,
            limits: Limits::new(&options.limits),
            oauth: Oauth::new(),
            possession,
            keys: KeyLimits::new(&options.limits),
            facts,
            authorship: Authorship::new(&options.limits),
            leases,
            clock,
            rng: Arc::new(BatchedRng),
        })
    }
}

impl<S: AccountStore> Service<S> {
    pub fn now(&self) -> u64 {
        self.clock.unix_ms()
    }

    /// An event as it is written down.
    pub fn event(&self, kind: &str, detail: &serde_json::Value) -> Event {
        Event { at_unix_ms: self.now(), kind: kind.to_owned(), detail: detail.to_string() }
    }
}

/// The OPAQUE server's seed and key, sealed in the store: the same for every server on it.
async fn opaque<S: AccountStore>(store: &S, key: &ServerKey) -> Result<ServerSetup, AccountsError> {
    let made = ServerSetup::make(&SystemRng).to_secret().into_slice();
    let sealed = key.seal_secret(OPAQUE, &made, &SystemRng);
    let kept = store.server_secret(OPAQUE, &sealed).await?;
    let opened = key.open_secret(OPAQUE, &kept).map_err(|_| AccountsError::Secrets)?;
    let opened: Secret<[u8; SERVER_SETUP_BYTES]> =
        opened.into_array().map_err(|_| AccountsError::Secrets)?;
    ServerSetup::from_secret(&opened).map_err(|_| AccountsError::Secrets)
}

/// The name of OPAQUE's secrets in the store.
const OPAQUE: &str = "opaque";
/// What browsers give a person for a ceremony; as long as a challenge lives.
const CEREMONY: std::time::Duration = std::time::Duration::from_secs(300);
