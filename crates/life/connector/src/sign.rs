//! Signatures that stand in place of a credential. `specs/signing.md` is the standard.
//!
//! A key is seen by a closure that runs in secret memory; what comes out is a signature, which is
//! no secret: it is good for one request and some minutes.

mod aws4;
mod chunks;
mod hmac;

pub use aws4::{Aws4, Aws4Request, Payload, is_aws4_header, is_aws4_parameter};
pub use chunks::{ChunkError, ChunkSigner};
pub use hmac::{HmacRequest, HmacValues, decode_key, render};
pub use symbolon_crypto::AWS_SECRET_BYTES_MAX;
