//! The control socket of a broker: how the commands of one user talk to that user's broker.
//!
//! The wire format is in `specs/control.md`. [`Client`] blocks and needs no runtime; [`serve`] is
//! the broker's side.

mod answer;
mod client;
mod conn;
mod dispatch;
mod error;
mod fds;
mod frame;
mod op;
mod place;
mod serve;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Ended, Serving, Unlocked};
pub use client::{Client, Hangup};
pub use error::ControlError;
pub use frame::{JSON_BYTES_MAX, REPLY_BYTES_MAX, SECRET_BYTES_MAX, VERSION};
pub use op::Op;
pub use place::{Listener, SOCKET};
pub use serve::{Limits, serve};
