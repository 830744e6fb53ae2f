//! Secrets of items: shown one at a time, where somebody asks for one, and taken in beside the drafts.

use symbolon_secret::Secret;
use symbolon_vault::item::{Contents, Hidden};
use symbolon_vault::wire::ItemId;

use super::{Problem, Vault};

impl Vault {
    /// Gives one secret of an item: `password`, `totp`, `key`, `credential`, `holder` (which the Worker hands to the
    /// prover's alone), or a field by its place.
    ///
    /// # Errors
    /// `missing` where the item has no such secret.
    pub fn secret<T>(
        &self,
        id: &str,
        name: &str,
        give: impl FnOnce(&Secret<[u8]>) -> T,
    ) -> Result<T, Problem> {
        let item = self.replica.open(id.parse::<ItemId>()?)?;
        let found = named(&item.contents, name).map(|hidden| give(hidden.secret()));
        found.ok_or_else(|| Problem::new("missing", "the item has no such secret"))
    }

    /// Keeps a secret for the draft that names its slot.
    ///
    /// # Errors
    /// `item` where more wait than any draft has.
    pub fn put_secret(&mut self, secret: Secret<[u8]>) -> Result<u32, Problem> {
        if self.slots.len() >= SLOTS_MAX {
            return Err(Problem::new("item", "an item has no more secrets than that"));
        }
        let slot = self.next_slot;
        self.next_slot = self.next_slot.wrapping_add(1);
        self.slots.insert(slot, secret);
        Ok(slot)
    }
}

/// The secret of a name.
pub(super) fn named<'c>(contents: &'c Contents, name: &str) -> Option<&'c Hidden> {
    match (contents, name) {
        (Contents::Login { password, .. }, "password") => Some(password),
        (Contents::Login { totp, .. }, "totp") => Some(totp),
        (Contents::Login { fields, .. }, at) => {
            fields.get(at.parse::<usize>().ok()?).map(|field| &field.value)
        }
        (Contents::ApiKey { key, .. }, "key") => Some(key),
        (Contents::Connection { credential, .. }, "credential") => Some(credential),
        (Contents::Claims { holder, .. }, "holder") => Some(holder),
        _ => None,
    }
}

/// A password, a seed, and the fields.
const SLOTS_MAX: usize = 80;
