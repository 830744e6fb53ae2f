#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod canary;
mod case;
mod door;
mod folder;
mod h2;
mod home;
mod judge;
mod mcp;
mod reply;
mod run;
mod target;
mod text;
mod upstream;

pub use canary::Canary;
pub use case::{Case, CaseError, Expected, Need, Where, all};
pub use door::{Gateway, Proxy};
pub use folder::{Folder, FolderError, read_canary};
pub use home::{SelfError, SelfTarget};
pub use run::{Row, Runner};
pub use target::{Inside, Target};
pub use upstream::{Identity, IdentityError, Upstream};

/// The catalogue file of the hostile upstream, as a service of Symbolon.
pub const SERVICE: &str = include_str!("service.toml");

/// A host that the runner's resolver answers, with loopback allowed.
pub const NAMED_HOST: &str = "named.attack.example";
/// A host that the runner's resolver answers, with nothing allowed.
pub const SHUT_HOST: &str = "shut.attack.example";
