//! Another data key: the ways that will open it, gathered one after the other.

use symbolon_ambient::{Clock, Rng};
use symbolon_custody::WrapId;

use super::{Change, Way};
use crate::{Failed, Opened};

/// Ways that somebody keeps. Dropping it changes nothing.
#[derive(Debug, Default)]
pub struct Rotation {
    kept: Vec<(WrapId, Way)>,
}

impl Rotation {
    /// Keeps a way, which has to open the vault as it is. Gives the wrap that it opened.
    ///
    /// # Errors
    /// As [`Opened::unlock`]; what does not open is not kept.
    pub fn keep(&mut self, opened: &Opened, way: Way) -> Result<WrapId, Failed> {
        let unlocked = opened.custody().unlock(&way.opener())?;
        let (wrap, _) = unlocked.opened_by().ok_or_else(|| Failed::shape("way in"))?;
        if self.kept.iter().all(|(kept, _)| *kept != wrap) {
            self.kept.push((wrap, way));
        }
        Ok(wrap)
    }

    /// The change, as often as it is needed: each has a data key of its own. A new recovery code goes with the ways
    /// that are kept; its wrap is the last.
    ///
    /// # Errors
    /// `wraps`, and what a way is refused for.
    pub fn make(
        &self,
        opened: &Opened,
        code: &Way,
        rng: &dyn Rng,
        clock: &dyn Clock,
    ) -> Result<Change, Failed> {
        Change::rotate(opened, self.kept.iter().map(|(_, way)| way).chain([code]), rng, clock)
    }
}
