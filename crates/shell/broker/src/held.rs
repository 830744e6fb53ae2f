//! Requests whose token is in a caller's hand, until it is redeemed or expires.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use symbolon_capability::engine::TOKEN_TTL_SECONDS;
use symbolon_capability::{Session, Token};
use symbolon_codec::Digest32;

use crate::call::Prepared;

/// Bounded in number and bytes, in all and for each session.
#[derive(Default)]
pub(crate) struct Held(Mutex<HashMap<Digest32, Waiting>>);

struct Waiting {
    prepared: Prepared,
    session: [u8; 16],
    size: usize,
    until_ns: u64,
}

/// In all.
const ALL: Bound = Bound { count: 4096, bytes: 64 << 20 };
/// Of one session.
const ONE: Bound = Bound { count: 64, bytes: 8 << 20 };

struct Bound {
    count: usize,
    bytes: usize,
}

impl Held {
    /// Whether a request of this size may wait too. What has expired is thrown out here.
    pub(crate) fn has_room(&self, session: &Session, size: usize, now_ns: u64) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, w| w.until_ns > now_ns);
        let fits = |bound: &Bound, mine: &dyn Fn(&Waiting) -> bool| {
            let (count, bytes) = held
                .values()
                .filter(|w| mine(w))
                .fold((1, size), |(count, bytes), w| (count + 1, bytes + w.size));
            count <= bound.count && bytes <= bound.bytes
        };
        fits(&ONE, &|w| w.session == *session.id()) && fits(&ALL, &|_| true)
    }

    /// Keeps a request that there is room for.
    pub(crate) fn put(&self, token: &Token, session: &Session, prepared: Prepared, now_ns: u64) {
        let waiting = Waiting {
            size: prepared.size(),
            session: *session.id(),
            prepared,
            until_ns: now_ns + TOKEN_TTL_SECONDS * 1_000_000_000,
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.id(), waiting);
    }

    pub(crate) fn take(&self, token: &Token) -> Option<Prepared> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.remove(&token.id()).map(|w| w.prepared)
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
