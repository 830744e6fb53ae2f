//! HTTP Message Signatures (RFC 9421) for programs: ed25519 alone, one signature a request.
//!
//! What a request must cover, how old it may be and how often its nonce may come is `specs/sessions.md`.

mod base;
mod digest;
mod error;
mod input;
mod sign;
#[cfg(test)]
mod tests;
mod window;

pub use base::Message;
pub use digest::{content_digest, digest_of};
pub use error::SignatureError;
pub use input::SignatureInput;
pub use sign::{Signed, sign};
pub use window::WINDOW_SECONDS;
