#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod ask;
pub mod client;
pub mod cosigner;
pub mod gathered;
pub mod heads;
pub mod key;
pub mod listed;
pub mod monitor;
mod rate;
pub mod serve;
pub mod tiles;
pub mod url;

pub use ask::{Asker, Source, State, Told};
pub use client::{Client, ClientError};
pub use cosigner::Cosigner;
pub use gathered::Gathered;
pub use heads::FolderHeads;
pub use key::{WitnessKeyError, load_or_make_key};
pub use listed::{Listed, ListedError, ListedWitness};
pub use monitor::{Looked, MonitorError, look};
pub use serve::{Bounds, Serving, serve};
pub use tiles::{Tiles, TilesError};
pub use url::{PeerUrl, UrlError};
