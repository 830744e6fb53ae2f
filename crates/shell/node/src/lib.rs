#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod ask;
mod behaviour;
mod believed;
mod codec;
pub mod drive;
pub mod folder;
mod gate;
mod gossip;
mod heard;
mod judge;
mod loops;
pub mod node;
mod own;
mod peer;
mod redial;
mod socks;
pub mod status;
mod transport;
pub mod wire;

pub use drive::{Judge, Work, drive};
pub use folder::{FolderError, NodeFolder};
pub use gate::Reach;
pub use gossip::{Bounds, MESSAGE_BYTES_MAX};
pub use heard::{Heard, Order, Verdict};
pub use libp2p::Multiaddr;
pub use loops::{Link, WireState};
pub use node::{Node, NodeConfig, NodeError};
pub use peer::{Address, AddressError, Peer};
pub use status::NodeStatus;
pub use wire::{Config, Wire, WireError};
