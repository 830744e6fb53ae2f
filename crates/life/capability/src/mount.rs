//! MCP servers that were mounted, as they are kept.

use std::future::Future;

use symbolon_crypto::{Aad, labels};

use crate::{ConnectionName, SealedConnection, StoreError};

/// A mounted server. What it is and how it is started is sealed: a changed row starts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountRow {
    /// Of the service, and of the connection that was made with it.
    pub name: ConnectionName,
    /// When it was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// The envelope.
    pub body: Vec<u8>,
}

impl MountRow {
    /// What its body is sealed to: vault, name, and when it was made.
    pub fn aad(&self, vault: &[u8]) -> Aad {
        let made = self.created_unix_ms.to_be_bytes();
        Aad::new(&labels::MOUNT, &[vault, self.name.as_str().as_bytes(), &made])
    }
}

/// Where mounts are kept.
pub trait MountStore: Send + Sync + 'static {
    /// All of them, by name.
    fn mounts(&self) -> impl Future<Output = Result<Vec<MountRow>, StoreError>> + Send;
    /// Keeps one together with its connection: both or neither. In the place of those of its name
    /// where `connection` says so.
    fn put_mount(
        &self,
        row: &MountRow,
        connection: &SealedConnection,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Puts `row` in the place of the one of its name.
    fn replace_mount(&self, row: &MountRow) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Forgets one, and the connection of its name.
    fn delete_mount(
        &self,
        name: &ConnectionName,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
