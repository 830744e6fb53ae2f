//! Mounted MCP servers: others' tools as operations of the catalogue (`specs/mount.md`).

mod add;
mod answer;
mod change;
mod error;
mod events;
mod exchange;
mod http;
mod pending;
mod process;
mod rpc;
mod session;
mod spec;
mod surroundings;
mod tail;
mod view;

pub use error::{MountError, MountFault};
pub(crate) use exchange::{Mount, Office};
pub(crate) use spec::Kept;
pub use spec::{MountPlace, MountProgram};
pub use surroundings::{Surrounding, Surroundings};
pub use view::{MountChange, MountRefreshed, MountToolView, MountView, NewMount};
