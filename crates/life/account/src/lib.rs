#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod account;
mod blob;
mod challenge;
mod credential;
mod error;
mod event;
mod id;
pub mod oauth;
pub mod rate;
mod revision;
mod server_key;
mod session;
mod share;
pub mod signature;
mod store;
mod token;
mod vault;

pub use account::{Account, AccountState, HANDLE_CHARS_MAX, Handle, HandleError, SignUp};
pub use blob::{CHUNK_BYTES_MAX, CHUNKS_MAX, Chunk, ChunkInfo};
pub use challenge::{CHALLENGE_STATE_BYTES_MAX, Challenge, Purpose};
pub use credential::{
    CREDENTIAL_NAME_CHARS_MAX, CREDENTIAL_STATE_BYTES_MAX, CREDENTIALS_MAX, Credential,
    SUBJECT_BYTES_MAX, SignIn,
};
pub use error::AccountError;
pub use event::{AuditEvent, EVENT_DETAIL_BYTES_MAX, EVENT_KIND_BYTES_MAX, Event};
pub use id::{AccountId, BlobId, ChallengeId, CredentialId, ItemId, SessionId, ShareId};
pub use revision::{Changes, Commit, HISTORY_MAX, ItemState, Revision, RevisionInfo, Standing};
pub use server_key::ServerKey;
pub use session::{Session, USER_AGENT_CHARS_MAX};
pub use share::{SHARES_MAX, Share, ShareTo, Viewer};
pub use store::{AccountStore, Checked, Purged};
/// A vault's own bounds, which its server keeps too.
pub use symbolon_vault::share::SHARE_BYTES_MAX;
pub use symbolon_vault::wire::{COMMIT_BYTES_MAX, COMMIT_REVISIONS_MAX, REVISION_BYTES_MAX};
pub use token::{Csrf, SessionToken};
pub use vault::{
    KeyChange, RING_BYTES_MAX, SignedHead, VAULT_BYTES_MAX, Vault, VaultKeys, WRAPS_BYTES_MAX,
};
pub mod siwe;
