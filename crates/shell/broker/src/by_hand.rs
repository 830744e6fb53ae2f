//! A lock by the owner's own hand: nothing unlocks by itself until they unlock by hand.

use std::sync::atomic::Ordering::SeqCst;

use symbolon_custody::Method;
use symbolon_secret::Secret;

use crate::Broker;
use crate::api::CallError;

impl Broker {
    /// As [`Broker::lock`], and it stays so: this machine's key does not open it again unasked.
    pub fn lock_by_hand(&self) {
        // First: an unlock that runs at the same time must not undo what was asked for.
        self.by_hand.store(true, SeqCst);
        self.lock();
    }

    /// As [`Broker::unlock`], by a person.
    ///
    /// # Errors
    /// As [`Broker::unlock`].
    pub async fn unlock_by_hand(
        &self,
        method: Method,
        secret: Option<Secret<[u8]>>,
    ) -> Result<(), CallError> {
        self.unlock(method, secret).await?;
        self.by_hand.store(false, SeqCst);
        Ok(())
    }

    /// As [`Broker::unlock_unattended`]. `asked`: the owner said so just now; otherwise it is refused
    /// where the owner locked by hand.
    ///
    /// # Errors
    /// `locked`, and as [`Broker::unlock_unattended`].
    pub async fn unlock_unless_held(&self, asked: bool) -> Result<bool, CallError> {
        let is_held = || !asked && self.by_hand.load(SeqCst);
        let held = || {
            let held = CallError::caller("locked", "the vault was locked by hand");
            held.status(503).next("symbolon unlock")
        };
        if is_held() {
            return Err(held());
        }
        let unlocked = self.unlock_unattended().await?;
        if is_held() {
            // The owner locked while this was on its way: theirs is the last word.
            self.lock();
            return Err(held());
        }
        if unlocked {
            self.by_hand.store(false, SeqCst);
        }
        Ok(unlocked)
    }
}
