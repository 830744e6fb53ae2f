#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod error;
mod guest;
mod lease;
mod leased;
mod leases;
mod offer;
mod room;
mod rows;
mod sync;

pub use error::{GrantError, LeaseError};
pub use guest::{Forgetting, Guest};
pub use lease::{Ended, LeaseId, LeaseView};
pub use leased::{FolderView, Found, Leased, Listed, Opened, Written};
pub use leases::Leases;
pub use offer::{Invitation, Offer};
pub use rows::{RowsError, check_commit, commit_rows, head_row};
pub use symbolon_custody::{HANDED_OVER_BYTES, NONCE_BYTES, Purpose, Purposes};
