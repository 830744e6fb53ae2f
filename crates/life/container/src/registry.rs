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
    /// Takes the place of one event in a deed, before it is signed. [`StoreError::Exists`] where this
    /// home signed an event there: the replay registry.
    fn take_deed_place(
        &self,
        deed: &Digest32,
        number: u64,
        kind: Kind,
        at_unix_ms: u64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
