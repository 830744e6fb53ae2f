#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod behaviour;
mod codec;
pub mod drive;
mod gate;
mod gossip;
mod heard;
mod loops;
mod peer;
mod redial;
mod socks;
mod transport;
pub mod wire;

pub use drive::{Judge, drive};
pub use gate::Reach;
pub use gossip::{Bounds, MESSAGE_BYTES_MAX};
pub use heard::{Heard, Order, Verdict};
pub use libp2p::Multiaddr;
pub use loops::{Link, WireState};
pub use peer::{Address, AddressError, Peer};
pub use wire::{Config, Wire, WireError};
