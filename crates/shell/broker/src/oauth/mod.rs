//! Access tokens that the broker gets and renews itself (RFC 6749). `specs/oauth.md`.
//!
//! A connection has an [`Issued`] pair in force and a [`Keeper`] that renews it: one request at a
//! time, on behalf of a call whose intent is durable, and no call uses what is not in the store.

mod api;
mod app;
mod challenge;
mod connect;
mod error;
mod flows;
mod issued;
mod keeper;
mod office;
mod pkce;
mod redirect;
mod request;
mod response;
mod text;

pub use api::{NewOAuth, OAuthProgress, OAuthStep};
pub(crate) use challenge::names_invalid_token;
pub(crate) use connect::plan;
pub use error::TokenError;
pub(crate) use flows::Flows;
pub(crate) use issued::{Issued, copy};
pub(crate) use keeper::Keeper;
pub(crate) use office::Office;
