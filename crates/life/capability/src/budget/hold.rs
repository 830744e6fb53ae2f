//! What one call has taken, until it is known what came of the call.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Account, Amount, Cooled, GiveBack, Line, Mark, Reservation};

/// What a call holds of budgets and cooldowns. Dropped before its credential was released, it gives
/// everything back; dropped after, without a word on what came of the call, it keeps it.
#[derive(Default)]
pub struct Hold(Option<Box<Held>>);

struct Held {
    intent: [u8; 16],
    taken: Vec<Taken>,
    cooldowns: Vec<Started>,
    /// On disk: what must be true before a release.
    durable: bool,
    released: bool,
    settler: Mutex<Option<Arc<dyn Settler>>>,
    settled: Mutex<bool>,
}

/// Taken of one budget.
pub(crate) struct Taken {
    pub(crate) account: Arc<Account>,
    pub(crate) amount: Amount,
    pub(crate) line: Line,
}

/// A cooldown that this call began.
pub(crate) struct Started {
    pub(crate) mark: Arc<Mark>,
    pub(crate) at_ns: u64,
    pub(crate) length_ns: u64,
    pub(crate) before: u64,
    pub(crate) cooled: Cooled,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It was made, or may have been: what was taken is spent.
    Made,
    /// The service refused it, and nothing can have moved: the call counts, its amount does not.
    RefusedByService,
    /// The credential certainly did not leave.
    NotReleased,
}

/// Keeps settlements: whoever wrote the reservation.
pub trait Settler: Send + Sync {
    /// Ends the reservation of this intent. Called once for each; must not block.
    fn settle(&self, intent: [u8; 16], give_back: GiveBack);
}

impl Hold {
    /// Takes on one more: what the call holds is given back together.
    pub(crate) fn add(&mut self, intent: [u8; 16], taken: Taken) {
        self.held(intent).taken.push(taken);
    }

    /// A cooldown that began with the call.
    pub(crate) fn start(&mut self, intent: [u8; 16], started: Started) {
        self.held(intent).cooldowns.push(started);
    }

    fn held(&mut self, intent: [u8; 16]) -> &mut Held {
        self.0.get_or_insert_with(|| {
            Box::new(Held {
                intent,
                taken: Vec::new(),
                cooldowns: Vec::new(),
                durable: false,
                released: false,
                settler: Mutex::new(None),
                settled: Mutex::new(false),
            })
        })
    }

    /// Whether a release may follow: nothing was taken, or it is on disk.
    pub(crate) fn is_durable(&self) -> bool {
        self.0.as_ref().is_none_or(|h| h.durable)
    }

    /// What must be on disk first; `None` where nothing was taken. From here on `settler` hears
    /// what comes of it.
    pub(crate) fn reservation(
        &self,
        log_size: u64,
        relaxed: bool,
        settler: Arc<dyn Settler>,
    ) -> Option<Reservation> {
        let held = self.0.as_ref()?;
        *held.settler.lock().unwrap_or_else(PoisonError::into_inner) = Some(settler);
        Some(Reservation {
            intent: held.intent,
            log_size,
            relaxed,
            lines: held.taken.iter().map(|t| t.line).collect(),
            cooled: held.cooldowns.iter().map(|c| c.cooled.clone()).collect(),
        })
    }

    pub(crate) fn set_durable(&mut self) {
        if let Some(held) = &mut self.0 {
            held.durable = true;
        }
    }

    pub(crate) fn set_released(&mut self) {
        if let Some(held) = &mut self.0 {
            held.released = true;
        }
    }

    /// Says what came of the call. The first word counts.
    pub(crate) fn settle(&self, settlement: Settlement) {
        if let Some(held) = &self.0 {
            held.settle(settlement);
        }
    }
}

impl Held {
    fn settle(&self, settlement: Settlement) {
        if std::mem::replace(
            &mut *self.settled.lock().unwrap_or_else(PoisonError::into_inner),
            true,
        ) {
            return;
        }
        let give_back = match settlement {
            Settlement::Made => GiveBack::Nothing,
            Settlement::RefusedByService => GiveBack::Moved,
            Settlement::NotReleased => GiveBack::All,
        };
        for taken in &self.taken {
            if give_back.covers(taken.line.by_count) {
                taken.account.give_back(taken.line.slot, taken.amount);
            }
        }
        if !self.released {
            for c in &self.cooldowns {
                c.mark.undo(c.at_ns, c.length_ns, c.before);
            }
        }
        if let Some(settler) = &*self.settler.lock().unwrap_or_else(PoisonError::into_inner) {
            settler.settle(self.intent, give_back);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let came_of_it = if self.released { Settlement::Made } else { Settlement::NotReleased };
        self.settle(came_of_it);
    }
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            None => f.write_str("Hold(nothing)"),
            Some(h) => write!(f, "Hold({} budgets, durable: {})", h.taken.len(), h.durable),
        }
    }
}
