//! Accounts over HTTP: sign-up, sign-in, ways to sign in, sealed vaults, shares, the account's audit
//! (`specs/sessions.md`).
//!
//! Nothing here knows a password, a data key or a plaintext. Served only where [`Accounts`] are handed to the
//! door; an agent's key opens none of it, and a session calls no tool.

mod authorship;
mod blobs;
pub(super) mod bytes;
mod caller;
mod challenge;
mod cookie;
mod credentials;
#[cfg(test)]
mod dangerous;
mod delete;
mod door;
mod events;
mod facts;
mod fault;
mod items;
mod keys;
mod leases;
mod lend;
mod limits;
mod oauth;
mod openapi;
mod options;
mod origin;
mod proof;
mod router;
mod service;
mod sessions;
mod shares;
mod sign_up;
mod vault;

pub use door::Accounts;
pub use facts::ProofIssuers;
pub use limits::RateLimits;
pub use options::{AccountsError, AccountsOptions};
pub use origin::PublicOrigin;

pub(super) use door::{body_bytes_max, is_route};
pub(super) use oauth::is_assistants;
pub(super) use openapi::openapi;
