//! What passes between holder and server, and is checked without a key of the vault: `specs/vault.md`.

mod commit;
mod error;
mod head;
mod id;
mod revision;
mod succession;
#[cfg(test)]
mod tests;
mod text;

pub use commit::{COMMIT_BYTES_MAX, COMMIT_REVISIONS_MAX, Commit, Current};
pub use error::{CommitError, WireError};
pub use head::{Head, HeadError, SignedHead, root};
pub use id::{BlobId, ItemId, ShareId};
pub use revision::{
    FIELDS_MAX, Header, PLAIN_BYTES_MIN, REVISION_BYTES_MAX, SealedRevision, State,
};
pub use succession::Succession;
