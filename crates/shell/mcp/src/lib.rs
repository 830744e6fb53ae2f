#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod calls;
#[cfg(feature = "conformance")]
mod conformance;
mod descriptor;
#[cfg(any(test, feature = "double"))]
pub mod double;
mod finish;
mod flows;
mod handler;
mod http;
mod lines;
mod listing;
mod notice;
mod one;
mod own;
mod render;
mod room;
mod rounds;
mod seat;
mod sessions;
mod slots;
mod stdio;
#[cfg(test)]
mod tests;
pub mod vault;

pub use calls::Calls;
pub use descriptor::{Input, Output};
pub use finish::Finish;
pub use handler::{REVISIONS, UNKNOWN_TOOL};
pub use http::{HttpBody, HttpDoor, HttpOptions, http_service};
pub use lines::LINE_BYTES_MAX;
pub use listing::LIST_BYTES_MAX;
pub use one::{OneTool, serve_one};
pub use render::TEXT_BYTES_MAX;
pub use room::{Answered, Held, Room};
pub use seat::{Seat, Seats, Turn};
pub use sessions::SessionLimits;
pub use slots::{Limits, Slot, Slots};
pub use stdio::{ServeError, serve_descriptors, serve_io, serve_streams};

/// What every tracing subscriber in a process with this crate must be given last.
///
/// rmcp logs whole requests and answers at `debug`, and at `warn` the errors that it answers with, which may
/// quote what the caller sent.
pub const LOG_FILTER: &str = "rmcp=error";
