//! API keys that this device proves (`specs/pzk-auth.md`): each sealed by the device's key file, in a file of its own
//! under `api-keys` of the home, with the seed of the key that the device signs with for it.

mod card;
mod ring;

pub use card::KeyCard;
pub(crate) use ring::domain;
pub use ring::{KeyRing, OpenKey, RingError};
