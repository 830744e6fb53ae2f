#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod card;
mod device;
mod error;
mod folder;
mod leave;
mod make;
mod name;
mod open;
pub mod possession;
mod rotate;
pub mod server;
mod stored;

pub use card::{Account, Card};
pub use device::DeviceSeal;
pub use error::HolderError;
pub use leave::Leaving;
pub use make::{Draft, Local, Protect};
pub use name::{NameError, VaultName};
pub use open::{ClosedVault, OpenVault, Unlocking};
pub use rotate::{Rotation, Ways};
pub use server::{Client, ServerUrl};
pub use stored::Condition;
