//! What a home remembers of containers and deeds, as a trait: `shell/store` keeps it.

use std::future::Future;

use symbolon_capability::StoreError;
use symbolon_codec::Digest32;
use symbolon_crypto::VerifyingKey;

use crate::deed::Kind;

/// A signer whose containers the home opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedSigner {
    /// The key.
    pub key: VerifyingKey,
    /// What its owner calls it.
    pub name: String,
    /// When it was pinned, in Unix milliseconds.
    pub created_unix_ms: u64,
}

/// What is known of a place in a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeedPlace {
    /// Nothing was signed there; it is taken now.
    Taken,
    /// An event was signed there.
    Signed {
        /// Its time, in Unix milliseconds.
        at_unix_ms: u64,
        /// Whether it was this one.
        is_same: bool,
        /// Whether this home signed at the place after it too.
        is_followed: bool,
    },
}

/// State of containers and deeds. Every change is one transaction and is durable when it returns.
pub trait ContainerStore: Send + Sync + 'static {
    /// All pinned signers, by name.
    fn trusted_signers(
        &self,
    ) -> impl Future<Output = Result<Vec<TrustedSigner>, StoreError>> + Send;
    /// Pins a signer; [`StoreError::Exists`] where the key or the name is there.
    fn trust_signer(
        &self,
        signer: &TrustedSigner,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Forgets a signer.
    fn distrust_signer(
        &self,
        key: &VerifyingKey,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Takes the place of one event in a deed, before it is signed: the replay registry. `event` is a
    /// hash of all of the event but its time. Where this home signed an event there, nothing changes.
    fn take_deed_place(
        &self,
        deed: &Digest32,
        number: u64,
        kind: Kind,
        at_unix_ms: u64,
        event: &Digest32,
    ) -> impl Future<Output = Result<DeedPlace, StoreError>> + Send;
}
