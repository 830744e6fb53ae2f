//! What a server keeps of registrations, as a trait: `shell/store` keeps it.

use std::future::Future;

use symbolon_account::{AccountError, AccountId};
use symbolon_codec::Digest32;

use crate::Standing;

/// Where the entries of a registration stand, and what it is found by. The log has the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// What was registered.
    pub commitment: Digest32,
    /// The origin of the log.
    pub log: String,
    /// The digest, where it was revealed.
    pub digest: Option<Digest32>,
    /// The indices of its entries, the commit's first.
    pub indices: Vec<u64>,
}

/// Who is named as the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// As it was.
    Kept,
    /// Nobody.
    Nobody,
    /// This account, by its handle.
    By(AccountId),
}

impl From<&Standing> for Registration {
    fn from(standing: &Standing) -> Self {
        Self {
            commitment: *standing.commitment(),
            log: standing.log().to_owned(),
            digest: standing.digest().copied(),
            indices: standing.indices().to_vec(),
        }
    }
}

/// Registrations of any number of logs. A change is one transaction, and durable when it returns.
pub trait AuthorshipStore: Send + Sync + 'static {
    /// Keeps a new one; [`AccountError::Exists`] where its commitment is there.
    fn put_registration(
        &self,
        new: &Registration,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;

    /// The one of a commitment.
    fn registration(
        &self,
        commitment: &Digest32,
    ) -> impl Future<Output = Result<Option<Registration>, AccountError>> + Send;

    /// Of those in a log that revealed a digest, the one whose commit stands first.
    fn first_of(
        &self,
        log: &str,
        digest: &Digest32,
    ) -> impl Future<Output = Result<Option<Registration>, AccountError>> + Send;

    /// Keeps one with one entry more; [`AccountError::Conflict`] where others came meanwhile.
    fn change_registration(
        &self,
        next: &Registration,
        naming: Naming,
    ) -> impl Future<Output = Result<(), AccountError>> + Send;

    /// The account that is named as its owner.
    fn named(
        &self,
        commitment: &Digest32,
    ) -> impl Future<Output = Result<Option<AccountId>, AccountError>> + Send;
}
