#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod add_checkpoint;
pub mod begun;
pub mod checkpoint;
pub mod cosignature;
mod divide;
pub mod error;
pub mod follow;
pub mod fork;
pub mod handover;
pub mod hash;
mod index;
pub mod log;
pub mod memory;
pub mod mirror;
pub mod note;
pub mod proof;
pub mod publish;
mod read;
mod record;
pub mod recovery;
pub mod settle;
pub mod shard;
pub mod shard_file;
mod span;
pub mod storage;
pub mod tile;
mod tree;
pub mod witness;

pub use add_checkpoint::{ADD_CHECKPOINT_BYTES_MAX, AddCheckpoint, AddCheckpointError};
pub use begun::Begun;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use cosignature::{Cosignature, CosignatureError, WitnessKey, cosign, lines_by, with_lines};
pub use error::LogError;
pub use follow::Follower;
pub use fork::{FORK_BYTES_MAX, FORK_MEDIA_TYPE, Fork, ForkError, ForkProof};
pub use handover::{
    HANDOVERS_MAX, Handover, SUCCESSION_BYTES_MAX, SUCCESSION_MEDIA_TYPE, Succession,
    SuccessionError,
};
pub use hash::{empty_root, leaf_hash, node_hash};
pub use log::{Durability, Durable, Log, LogOptions, Ticket};
pub use memory::MemoryStorage;
pub use mirror::{Mirror, MirrorError, Observed};
pub use note::{NoteError, parse_vkey, vkey};
pub use proof::{ProofError, verify_consistency, verify_inclusion};
pub use publish::InclusionBundle;
pub use recovery::Recovery;
pub use shard::{Every, Kept, Shard, Shards};
pub use shard_file::{SHARD_MAGIC, ShardFile, ShardFileError, read_shard, write_shard};
pub use span::Span;
pub use storage::Storage;
pub use tile::{TILE_WIDTH, Tile, TileKind, TileNameError, parse_bundle};
pub use witness::{Head, WatchedLog, Witness, WitnessRefusal, WitnessStore};
