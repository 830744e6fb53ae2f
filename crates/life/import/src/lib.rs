#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod body;
mod document;
mod error;
mod file;
pub mod foreign;
mod import;
mod located;
mod mcp;
mod name;
mod node;
mod operation;
mod parameters;
mod read;
mod report;
mod schema;
mod security;
mod server;
#[cfg(test)]
mod tests;
mod text;

pub use error::ImportError;
pub use import::{Imported, OPERATIONS_MAX, Options, import};
pub use located::{Key, Located, LocatedError, LocatedNode, read_located};
pub use mcp::{
    LIST_BYTES_MAX, McpOptions, McpService, McpTool, TOOLS_MAX, Word, definitions_of, mount,
};
pub use read::DOCUMENT_BYTES_MAX;
pub use report::{Remark, Report};
