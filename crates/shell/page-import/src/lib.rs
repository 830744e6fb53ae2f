#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(target_arch = "wasm32")]
mod bindings;
mod bitwarden;
mod copy;
mod folders;
mod markdown;
mod mirror;
mod refused;

pub use copy::Copy;
pub use mirror::Mirror;
pub use refused::Refused;
