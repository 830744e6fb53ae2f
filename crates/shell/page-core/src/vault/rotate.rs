//! Another data key under a vault that is open (`specs/custody.md`, "Epochs"): handed over in one commit, and what
//! was sealed before is sealed anew, some of it at a time.

use super::{Problem, Vault};
use crate::custody::Change;
use crate::{Failed, Opened};

impl Vault {
    /// The commit that hands the vault over to the keys of a change. It goes on under those of now until
    /// [`Vault::go_on`], so that nothing is sealed under keys that no server has.
    ///
    /// # Errors
    /// `ring`, `commit`; `shape` for a change that keeps the data key.
    pub fn hand_over(&mut self, opened: &Opened, change: &Change) -> Result<String, Failed> {
        let now = opened.keys()?;
        let next = change.next_keys()?.ok_or_else(|| Failed::shape("new key of the vault"))?;
        self.replica.set_keys(next);
        let made = self.replica.commit(&*self.clock);
        self.replica.set_keys(now);
        let commit = made.map_err(Problem::from)?.ok_or_else(Problem::request)?;
        Ok(serde_json::to_string(&commit).map_err(Problem::from)?)
    }

    /// Goes on under the keys of an account that has others by now. What waits to be sent stays.
    ///
    /// # Errors
    /// `ring`.
    pub fn go_on(&mut self, opened: &Opened) -> Result<(), Failed> {
        self.replica.set_keys(opened.keys()?);
        self.replica.retry_unreadable();
        Ok(())
    }

    /// Seals anew what an older data key sealed, `max` items at most. Gives how many are left.
    ///
    /// # Errors
    /// `unreadable` where one does not open: it stays as it is.
    pub fn reseal(&mut self, max: usize) -> Result<usize, Problem> {
        Ok(self.replica.reseal(max, &*self.clock, &*self.rng)?)
    }
}

impl From<Problem> for Failed {
    fn from(Problem { code, message }: Problem) -> Self {
        Self { code, message, next: None }
    }
}
