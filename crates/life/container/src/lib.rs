#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod deed;
mod error;
mod header;
mod inner;
mod layer;
mod make;
mod open;
mod padding;
mod registry;
#[cfg(test)]
mod tests;

pub use deed::{Deed, DeedError};
pub use error::{ContainerError, Stage};
pub use header::RECIPIENTS_MAX;
pub use layer::{Layer, NoLayer};
pub use make::{Plan, Unsigned, signed_message};
pub use open::{Framed, Opened, Received, SealedKey, Signed, Trusted};
pub use registry::{ContainerStore, DeedPlace, TrustedSigner};

/// The longest content of a layer, in bytes: it is in secret pages, of which the usual limit gives
/// 8 MiB to a process.
pub const LAYER_BYTES_MAX: usize = 512 << 10;
/// The longest container, in bytes.
pub const CONTAINER_BYTES_MAX: usize = 5 << 20;

const MAGIC: &[u8] = b"symbolon-container\n";
const VERSION: u8 = 1;
