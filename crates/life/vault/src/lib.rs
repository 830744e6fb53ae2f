#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod bitwarden;
mod blob;
pub mod item;
mod keys;
mod links;
pub mod markdown;
pub mod replica;
mod seal;
mod search;
pub mod share;
pub mod wire;

pub use blob::{CHUNK_BYTES, ChunkError, Chunks};
pub use item::Item;
pub use keys::{EpochKeys, Keys, fingerprint};
pub use links::{WikiLink, wiki_links};
pub use replica::Replica;
pub use seal::{OpenError, Origin, SealError};
pub use search::Snippet;
pub use symbolon_custody::VaultId;
