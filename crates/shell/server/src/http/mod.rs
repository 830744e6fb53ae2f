//! The HTTP door: `/mcp`, `/api`, `/to`, `/healthz`, `/metrics`, on one listener.
//!
//! What an owner alone may do (connect, grant, revoke, unlock, make keys) is not here: it is on the control
//! socket, where the kernel says who is calling. An agent's key calls, and sees its own.

mod allowed;
mod api;
mod backend;
mod bodies;
mod connection;
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

pub use backend::{Asked, Backend};
pub use connection::Connection;
pub use front::{Body, Front};
pub use listen::{Serving, serve};
pub use openapi::openapi;
pub use options::{Bounds, ServeError, ServeOptions, Tls};
