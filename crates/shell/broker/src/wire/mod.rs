//! The data path to an upstream: a request goes out with a credential that the HTTP stack, the TLS
//! stack and the heap never have.
//!
//! The HTTP stack writes a head with a placeholder. [`stream`] checks the complete head and hands
//! it on: for TLS to an encrypter ([`tls`]) that opens the credential into a secret page, seals the
//! record there and wipes; for plain TCP (loopback, or allowed on purpose) to one write out of that
//! page. [`resolve`] pins checked addresses, [`pool`] keeps connections, [`client`] is the way in. A client
//! certificate ([`identity`]) is shown by the handshake of a call that was released.

mod armed;
mod body;
mod client;
mod error;
mod http;
mod http2;
mod identity;
mod link;
mod outgoing;
mod pool;
mod post;
mod reply;
mod resolve;
mod roots;
mod stream;
mod target;
mod tls;
mod tunnel;
mod validity;

pub use armed::{Armed, OpenCredential, OpenError};
pub use body::{LimitedBody, Spent};
pub use client::{Client, Limits, Pace, Sent, Switched};
pub use error::{Phase, StreamError, WireError};
pub use http::Protocol;
pub use identity::{Identity, IdentityError};
pub use outgoing::{BoxError, Broke, OutBody, ProgramBody, Streamed, Tally};
pub use post::PostError;
pub use reply::{NotHttp, Reply};
pub use resolve::{Resolver, Resolving, SystemResolver};
pub use roots::{Roots, RootsError};
pub use target::{Target, TargetError};
pub use tunnel::Tunnel;

#[doc(hidden)]
pub mod testing {
    //! The stream over any inner stream, for this crate's own tests.
    pub use super::link::Plain;
    pub use super::stream::{Desk, SubstitutingStream};
    pub use super::tls::provider;
}
