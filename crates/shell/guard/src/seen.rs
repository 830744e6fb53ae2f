//! Ids that came already, each remembered until it is too old to come again; in bounded memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Proofs that were used.
pub(crate) struct Seen {
    most: usize,
    until: Mutex<HashMap<String, u64>>,
}

/// What an id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Met {
    /// It comes for the first time.
    New,
    /// It came before.
    Again,
    /// There is no room to remember it.
    Full,
}

impl Seen {
    pub fn new(most: usize) -> Self {
        Self { most, until: Mutex::default() }
    }

    /// Remembers an id until then, in seconds.
    pub fn meet(&self, id: String, until: u64, now: u64) -> Met {
        let mut all = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if all.get(&id).is_some_and(|until| now < *until) {
            return Met::Again;
        }
        if all.len() >= self.most {
            all.retain(|_, until| now < *until);
            if all.len() >= self.most {
                return Met::Full;
            }
        }
        all.insert(id, until);
        Met::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_and_room_comes_back_with_time() {
        let seen = Seen::new(2);
        let meet = |id: &str, now| seen.meet(id.to_owned(), now + 60, now);
        assert_eq!(meet("a", 0), Met::New);
        assert_eq!(meet("a", 59), Met::Again);
        assert_eq!(meet("b", 0), Met::New);
        assert_eq!(meet("c", 59), Met::Full);
        assert_eq!(meet("c", 60), Met::New);
        assert_eq!(meet("a", 60), Met::New, "it was too old to come again");
    }
}
