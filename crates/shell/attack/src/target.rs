//! What is attacked.

use std::net::IpAddr;

use crate::door::{Door, Gateway, Proxy};

/// A broker, by its doors. Its credential is the canary, for the hostile upstream alone.
#[derive(Default)]
pub struct Target {
    /// Its gateway, if it has one.
    pub gateway: Option<Gateway>,
    /// Its proxy, if it has one.
    pub proxy: Option<Proxy>,
    /// The gateway has Symbolon's JSON API beside it.
    pub api: bool,
    /// The proxy speaks HTTP/2.
    pub h2: bool,
    /// What only a target in this process lets us do.
    pub inside: Option<Box<dyn Inside>>,
}

/// A target in this process.
pub trait Inside: Send + Sync {
    /// From now on names resolve so: look-up by look-up, the last answer stays.
    fn resolve(&self, answers: &[Vec<IpAddr>]);

    /// Entries of its log, and intents without a receipt.
    fn ledger(&self) -> (u64, u64);
}

impl Target {
    pub(crate) fn doors(&self) -> Vec<Door<'_>> {
        let gateway = self.gateway.as_ref().map(Door::Gateway);
        gateway.into_iter().chain(self.proxy.as_ref().map(Door::Proxy)).collect()
    }
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("gateway", &self.gateway.is_some())
            .field("proxy", &self.proxy.is_some())
            .finish_non_exhaustive()
    }
}
