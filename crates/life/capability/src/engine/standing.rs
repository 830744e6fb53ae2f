//! Whether what was released might be released once more: asked before a call is tried again.

use super::Engine;
use crate::{Refusal, Release};

impl Engine {
    /// Whether the vault is open, the connection the same and the grant in force still. What shadow
    /// mode passed over it passes over again, for as long as it is on.
    ///
    /// # Errors
    /// [`Refusal`]: locked, or the grant or its connection is gone.
    pub fn still_stands(&self, release: &Release) -> Result<(), Refusal> {
        let lease = release.lease();
        match self.still(lease, release.grant(), self.clock.mono_ns()) {
            Ok(_) => Ok(()),
            Err(Refusal::GrantEnded { .. })
                if self.is_shadow() && !release.missed().is_empty() && self.is_same(lease) =>
            {
                Ok(())
            }
            Err(refusal) => Err(refusal),
        }
    }
}
