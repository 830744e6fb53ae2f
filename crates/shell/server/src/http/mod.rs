//! The HTTP door: `/mcp`, `/api`, `/to`, `/healthz`, `/metrics`, and where they are handed in, accounts; on one
//! listener.
//! The HTTP door: the page at `/`, `/mcp`, `/api`, `/to`, `/healthz`, `/metrics`, on one listener.
//!
//! What an owner alone may do (connect, grant, revoke, make keys) is on the control socket, where the kernel says
//! who is calling, and in the page, whose session began with a link of that socket. An agent's key calls, and
//! sees its own.

mod accounts;
mod allowed;
mod api;
mod backend;
mod bodies;
mod connection;
mod cors;
mod desk;
#[cfg(any(test, feature = "double"))]
pub mod double;
mod failure;
mod flows;
mod front;
mod health;
mod hooks;
mod key;
mod listen;
mod openapi;
mod options;
mod owner;
mod patient;
mod schema;
#[cfg(test)]
mod tests;
mod tls;
mod to;

pub use accounts::{
    Accounts, AccountsError, AccountsOptions, ProofIssuers, PublicOrigin, RateLimits,
};
pub use backend::{Asked, Backend};
pub use connection::Connection;
pub use front::{Body, Front};
pub use listen::{Bound, Serving, bind, serve};
pub use openapi::openapi;
pub use options::{Bounds, ServeError, ServeOptions, Tls};
pub use tls::check_tls;
