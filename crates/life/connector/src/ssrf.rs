//! Where a connection may reach: addresses, names, base URLs and redirects.
//!
//! What a URL is, `symbolon_capability::url` says; here is what may be done with one.
//!
//! The shell resolves a name once, asks [`check`] about every address, and connects to one that
//! passed; it never resolves again for the same connection.

mod address;
mod base_url;
mod host;
mod redirect;

pub use address::{Allow, Blocked, Why, check};
pub use base_url::{DestinationError, base_url};
pub use host::{ReachError, check_host, check_name};
pub use redirect::{Decision, Hop, RedirectError, RedirectPolicy, Stop, redirect};
pub use symbolon_capability::url::{Authority, BaseUrl, BaseUrlError, Host, Scheme};
