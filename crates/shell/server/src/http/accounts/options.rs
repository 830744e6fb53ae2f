//! How accounts are served, and why they are not.

use std::net::SocketAddr;

use super::{PublicOrigin, RateLimits, facts::ProofIssuers};

/// How accounts are served.
#[derive(Debug, Clone)]
pub struct AccountsOptions {
    /// Where the page is reached.
    pub origin: PublicOrigin,
    /// How often what may be asked.
    pub limits: RateLimits,
    /// Whose claims are believed where the server asks for itself.
    pub proof_issuers: ProofIssuers,
}

impl AccountsOptions {
    /// With the limits that are meant for people.
    pub fn at(origin: PublicOrigin) -> Self {
        let (limits, proof_issuers) = (RateLimits::default(), ProofIssuers::default());
        Self { origin, limits, proof_issuers }
    }
}

/// Why accounts are not served. Nothing of the server begins then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountsError {
    /// Nobody said where the page is reached.
    #[error(
        "{listen} is not a loopback address: accounts need the origin by which people reach it"
    )]
    NeedsOrigin {
        /// Where the server listens.
        listen: SocketAddr,
    },
    /// The origin cannot be used.
    #[error("{origin} is no origin for accounts: {why}")]
    Origin {
        /// What was given.
        origin: String,
        /// Why not.
        why: &'static str,
    },
    /// The store does not give the server's secrets.
    #[error("the accounts' store does not open")]
    Store(#[from] symbolon_account::AccountError),
    /// The server's secrets do not open under its key.
    #[error("the accounts' secrets do not open: this is not the server key that sealed them")]
    Secrets,
    /// The keys that proofs are checked by are not those that the program was built with.
    #[error("the keys that proofs are checked by are damaged")]
    Keys,
    /// No secret page was left for the key of leases.
    #[error("no secret memory is left for the key that leases are sealed to")]
    Memory(#[from] symbolon_secret::MemoryError),
}

impl AccountsError {
    /// The next step, as an exact command.
    pub fn next(&self) -> &'static str {
        match self {
            Self::NeedsOrigin { .. } | Self::Origin { .. } => {
                "symbolon serve --accounts --origin https://vault.example"
            }
            Self::Store(_) | Self::Memory(_) => "symbolon doctor",
            Self::Keys => "Put the program there again: cargo install symbolon",
            Self::Secrets => "Put the server's own key file back, or restore a backup of both.",
        }
    }
}
