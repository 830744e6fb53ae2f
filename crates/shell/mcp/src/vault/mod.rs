//! Notes of a person's vault as tools, for an assistant that the person allowed (`specs/remote-mcp.md`).
//!
//! Whoever mounts the door says who is calling, keeps the vault, and writes down each call; here a call is read,
//! held against the caller's rights, and its answer put into MCP's words.

mod call;
mod door;
mod handler;
mod notebook;
mod render;
#[cfg(test)]
mod tests;
mod tools;

pub use call::{Edit, NoteCall, Place};
pub use door::{VaultDoor, vault_service};
pub use notebook::{
    FolderView, Found, Note, NoteFault, NoteReply, NoteRow, Notebook, Right, Saved,
};
pub use tools::{VaultTool, wanted};
