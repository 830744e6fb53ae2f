//! What of an item is a credential: in secret pages from entry.

use symbolon_secret::{MemoryError, Secret};

use super::ItemError;

/// A password, a key or another credential, 32 KiB at most, in a secret page.
pub struct Hidden(Secret<[u8]>);

impl Hidden {
    /// Of a secret.
    ///
    /// # Errors
    /// [`ItemError::TooMuch`] beyond 32 KiB.
    pub fn new(secret: Secret<[u8]>) -> Result<Self, ItemError> {
        if secret.len() > HIDDEN_BYTES_MAX {
            Err(ItemError::TooMuch("secret"))
        } else {
            Ok(Self(secret))
        }
    }

    /// Nothing, where an item has no such secret.
    pub fn empty() -> Self {
        Self(Secret::<[u8]>::make_slice(0, |_| ()))
    }

    /// A copy of bytes that are open elsewhere.
    pub(crate) fn copy_of(bytes: &[u8]) -> Result<Self, ItemError> {
        let page = Secret::<[u8]>::try_make_slice(bytes.len(), |page| {
            page.copy_from_slice(bytes);
            Ok::<_, MemoryError>(bytes.len())
        })?;
        Self::new(page)
    }

    /// The secret.
    pub const fn secret(&self) -> &Secret<[u8]> {
        &self.0
    }

    /// The secret, for its own sake.
    pub fn into_secret(self) -> Secret<[u8]> {
        self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden")
    }
}

const HIDDEN_BYTES_MAX: usize = 32 << 10;
