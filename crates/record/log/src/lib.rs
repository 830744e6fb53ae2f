#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod checkpoint;
pub mod error;
pub mod follow;
pub mod hash;
mod index;
pub mod log;
pub mod memory;
pub mod note;
pub mod proof;
pub mod publish;
mod read;
mod record;
pub mod recovery;
pub mod span;
pub mod storage;
pub mod tile;
mod tree;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use error::LogError;
pub use follow::Follower;
pub use hash::{empty_root, leaf_hash, node_hash};
pub use log::{Durability, Durable, Log, LogOptions, Ticket};
pub use memory::MemoryStorage;
pub use note::{NoteError, parse_vkey, vkey};
pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use publish::InclusionBundle;
pub use recovery::Recovery;
pub use span::Span;
pub use storage::Storage;
pub use tile::{TILE_WIDTH, Tile, TileKind, parse_bundle};
