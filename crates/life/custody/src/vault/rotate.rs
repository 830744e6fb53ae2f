//! Rotation of the data key: `specs/custody.md`, "Epochs".

use std::collections::BTreeSet;

use symbolon_ambient::{Clock, Rng};
use symbolon_crypto::MasterKey;

use super::{Change, RING_MAX, Vault, WRAPS_MAX, Warning, WrapError};
use crate::method::Enrol;
use crate::ring::OldKey;
use crate::unlocked::Unlocked;
use crate::wrap::Wrap;

impl Vault {
    /// Puts a new data key in the place of the present one, with a wrap for each of `ways` and for
    /// nothing else. The keys of before are kept under the new one until [`Vault::forget_epochs`].
    ///
    /// A wrap holds the data key itself, so a new one can be made for what is at hand alone. What
    /// is not at hand is dropped, and said: sealing the new key to something that lay beside the
    /// vault would trust what whoever knew the old key may have put there.
    ///
    /// # Errors
    /// [`WrapError::OtherVault`], [`WrapError::OldEpoch`], [`WrapError::LastWrap`] without a way,
    /// [`WrapError::Full`], [`WrapError::FullRing`], [`WrapError::Enrol`]; nothing has changed then.
    pub fn rotate_data_key(
        &self,
        unlocked: &Unlocked,
        ways: &[Enrol<'_>],
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<(Change, Unlocked), WrapError> {
        self.check(unlocked, None)?;
        match ways.len() {
            0 => return Err(WrapError::LastWrap),
            1..=WRAPS_MAX => {}
            _ => return Err(WrapError::Full { max: WRAPS_MAX }),
        }
        let full = WrapError::FullRing { max: RING_MAX };
        let (epoch, data_key) = unlocked.data_key();
        let next = match epoch.checked_add(1) {
            Some(next) if self.ring.len() < RING_MAX => next,
            _ => return Err(full),
        };
        let new = MasterKey::make(rng);
        let inserted = ways
            .iter()
            .map(|way| Wrap::make(self.id, next, &new, way, rng, clock))
            .collect::<Result<Vec<_>, _>>()?;
        let mut ring = Vec::with_capacity(self.ring.len() + 1);
        for old in &self.ring {
            let earlier = unlocked.earlier(old.epoch())?;
            ring.push(OldKey::seal(self.id, earlier.data_key(), (next, &new), rng));
        }
        ring.push(OldKey::seal(self.id, (epoch, data_key), (next, &new), rng));
        let removed = self.wraps.iter().map(Wrap::id).collect();
        let vault = Self { wraps: inserted.clone(), ring: ring.clone(), ..self.clone() };
        let mut warnings = vault.warnings();
        let kept = vault.methods();
        let dropped = self.methods().into_iter().filter(|method| !kept.contains(method));
        warnings.extend(dropped.map(|method| Warning::Dropped { method }));
        let unlocked = Unlocked::new(self.id, None, (next, new), ring);
        Ok((Change { vault, inserted, removed, warnings }, unlocked))
    }

    /// Lets go of the data keys of earlier epochs under which nothing is sealed any more.
    /// `needed` are those of every item, attachment and link that is kept, history included.
    ///
    /// # Errors
    /// [`WrapError::OtherVault`], [`WrapError::OldEpoch`].
    pub fn forget_epochs(
        &self,
        unlocked: &Unlocked,
        needed: &BTreeSet<u32>,
    ) -> Result<Change, WrapError> {
        self.check(unlocked, None)?;
        let mut change = self.change(None, None);
        change.vault.ring.retain(|old| needed.contains(&old.epoch()));
        Ok(change)
    }
}
