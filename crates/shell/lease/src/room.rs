//! How much of vaults the process holds at once, over all leases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The room that is left.
pub(crate) struct Room(AtomicU64);

impl Room {
    pub fn new(bytes: u64) -> Arc<Self> {
        Arc::new(Self(bytes.into()))
    }
}

/// What one vault takes of it; given back when dropped.
pub(crate) struct Share {
    room: Arc<Room>,
    bytes: u64,
}

impl Share {
    pub const fn none(room: Arc<Room>) -> Self {
        Self { room, bytes: 0 }
    }

    /// Takes more; `false`, and nothing taken, where that is more than is left or than one may have.
    pub fn grow(&mut self, bytes: u64) -> bool {
        let left = |left: u64| left.checked_sub(bytes);
        let fits = self.bytes.saturating_add(bytes) <= VAULT_BYTES_MAX
            && self.room.0.fetch_update(Relaxed, Relaxed, left).is_ok();
        if fits {
            self.bytes += bytes;
        }
        fits
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.0.fetch_add(self.bytes, Relaxed);
    }
}

/// Sealed bytes of the current revisions of one vault: 10,000 notes of 12 KiB.
const VAULT_BYTES_MAX: u64 = 128 << 20;
/// Of all vaults together.
pub(crate) const ROOM_BYTES: u64 = 512 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_takes_another_does_not_have_until_it_is_given_back() {
        let room = Room::new(100);
        let (mut one, mut two) = (Share::none(room.clone()), Share::none(room.clone()));
        assert!(one.grow(60) && !two.grow(41) && two.grow(40));
        drop(one);
        assert!(two.grow(60));
        let mut large = Share::none(Room::new(u64::MAX));
        assert!(large.grow(VAULT_BYTES_MAX) && !large.grow(1));
    }
}
