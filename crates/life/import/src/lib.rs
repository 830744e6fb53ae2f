#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "catalog")]
mod body;
#[cfg(feature = "catalog")]
mod document;
#[cfg(feature = "catalog")]
mod error;
#[cfg(feature = "catalog")]
mod file;
pub mod foreign;
#[cfg(feature = "catalog")]
mod import;
#[cfg(feature = "catalog")]
mod located;
#[cfg(feature = "catalog")]
mod mcp;
#[cfg(feature = "catalog")]
mod name;
#[cfg(feature = "catalog")]
mod node;
#[cfg(feature = "catalog")]
mod operation;
#[cfg(feature = "catalog")]
mod parameters;
#[cfg(feature = "catalog")]
mod read;
#[cfg(feature = "catalog")]
mod report;
#[cfg(feature = "catalog")]
mod schema;
#[cfg(feature = "catalog")]
mod security;
#[cfg(feature = "catalog")]
mod server;
#[cfg(all(test, feature = "catalog"))]
mod tests;
#[cfg(feature = "catalog")]
mod text;

#[cfg(feature = "catalog")]
pub use error::ImportError;
#[cfg(feature = "catalog")]
pub use import::{Imported, OPERATIONS_MAX, Options, import};
#[cfg(feature = "catalog")]
pub use located::{Key, Located, LocatedError, LocatedNode, read_located};
#[cfg(feature = "catalog")]
pub use mcp::{
    LIST_BYTES_MAX, McpOptions, McpService, McpTool, TOOLS_MAX, Word, definitions_of, mount,
};
#[cfg(feature = "catalog")]
pub use read::DOCUMENT_BYTES_MAX;
#[cfg(feature = "catalog")]
pub use report::{Remark, Report};
