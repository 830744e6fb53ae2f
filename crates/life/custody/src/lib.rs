#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod hexed;
mod id;
mod method;
mod sealer;
mod unlocked;
mod vault;
mod wrap;

pub use id::{VaultId, WrapId};
pub use method::{Enrol, Method, Opener};
pub use sealer::{Sealer, SealerError};
pub use unlocked::Unlocked;
pub use vault::{Change, EnrolError, UnlockError, Vault, VaultError, Warning, WrapError};
pub use wrap::Wrap;
