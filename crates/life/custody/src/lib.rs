#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod handover;
mod hexed;
mod id;
mod method;
mod ring;
mod sealer;
mod tap;
mod unlocked;
mod vault;
mod wallet;
mod wrap;

pub use handover::{Asked, HANDED_OVER_BYTES, HandedOver, NONCE_BYTES, Purpose, Purposes, Terms};
pub use id::{VaultId, WrapId};
pub use method::{Chain, Enrol, Method, Opener, prf_input};
pub use ring::OldKey;
pub use sealer::{Sealer, SealerError};
#[cfg(not(target_arch = "wasm32"))]
pub use tap::WrapKey;
pub use tap::{Act, SALT_BYTES, Tap};
pub use unlocked::Unlocked;
pub use vault::{
    Change, EnrolError, RingError, UnlockError, Vault, VaultError, Warning, WrapError,
};
pub use wallet::{KeyDerivation, Origin, OriginError};
pub use wrap::Wrap;
