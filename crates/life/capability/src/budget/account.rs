//! What was spent of one budget.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Amount, Period};

/// The running count of one budget. Taking is one step under a lock: of any number of callers none
/// takes what another took.
#[derive(Debug)]
pub struct Account {
    limit: Amount,
    period: Period,
    /// Spent by slot; at most 62 of them count at once.
    slots: Mutex<BTreeMap<u64, Amount>>,
}

/// There is not enough left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    /// What is.
    pub left: Amount,
    /// When there will be enough, in Unix milliseconds; `None` for never.
    pub enough_at: Option<u64>,
}

impl Account {
    /// An account with what was spent before, by slot.
    pub fn new(
        limit: Amount,
        period: Period,
        spent: impl IntoIterator<Item = (u64, Amount)>,
    ) -> Self {
        let mut slots = BTreeMap::new();
        for (slot, amount) in spent {
            let all = slots.entry(slot).or_insert(Amount::ZERO);
            *all = amount.plus(*all);
        }
        Self { limit, period, slots: Mutex::new(slots) }
    }

    /// Whether a call may take so much now. Takes nothing.
    ///
    /// # Errors
    /// [`Short`].
    pub fn look(&self, amount: Amount, unix_ms: u64) -> Result<(), Short> {
        self.fits(&self.slots(unix_ms), amount, unix_ms)
    }

    /// Takes an amount and says in which slot it is counted.
    ///
    /// # Errors
    /// [`Short`]; nothing is taken.
    pub fn take(&self, amount: Amount, unix_ms: u64) -> Result<u64, Short> {
        let mut slots = self.slots(unix_ms);
        self.fits(&slots, amount, unix_ms)?;
        Ok(add(&mut slots, self.period.slot(unix_ms), amount))
    }

    /// Counts an amount whether there is enough or not: the call goes through (shadow mode).
    pub fn take_regardless(&self, amount: Amount, unix_ms: u64) -> u64 {
        add(&mut self.slots(unix_ms), self.period.slot(unix_ms), amount)
    }

    /// Gives back what was taken in a slot.
    pub fn give_back(&self, slot: u64, amount: Amount) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spent) = slots.get_mut(&slot) {
            *spent = spent.minus(amount);
        }
    }

    /// What counts as spent now.
    pub fn spent(&self, unix_ms: u64) -> Amount {
        total(&self.slots(unix_ms))
    }

    /// What is left now.
    pub fn left(&self, unix_ms: u64) -> Amount {
        self.limit.minus(self.spent(unix_ms))
    }

    /// When something that is spent now counts no longer, in Unix milliseconds; `None` where nothing
    /// is spent, or it counts for ever.
    pub fn renews_at(&self, unix_ms: u64) -> Option<u64> {
        let slots = self.slots(unix_ms);
        let (first, _) = slots.iter().find(|(_, spent)| **spent > Amount::ZERO)?;
        self.period.leaves_at(*first)
    }

    /// The slots that count, what no longer does thrown out.
    fn slots(&self, unix_ms: u64) -> MutexGuard<'_, BTreeMap<u64, Amount>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(first) = slots.first_entry() {
            if self.period.counts(*first.key(), unix_ms) {
                break;
            }
            first.remove();
        }
        slots
    }

    fn fits(
        &self,
        slots: &BTreeMap<u64, Amount>,
        amount: Amount,
        unix_ms: u64,
    ) -> Result<(), Short> {
        let left = self.limit.minus(total(slots));
        if amount <= left {
            return Ok(());
        }
        // Oldest first, until enough has left.
        let (mut left_then, mut enough_at) = (left, None);
        for (slot, spent) in slots {
            left_then = left_then.plus(*spent);
            if amount <= left_then.min(self.limit) {
                enough_at = self.period.leaves_at(*slot).map(|t| t.max(unix_ms + 1));
                break;
            }
        }
        Err(Short { left, enough_at })
    }
}

fn add(slots: &mut BTreeMap<u64, Amount>, slot: u64, amount: Amount) -> u64 {
    let spent = slots.entry(slot).or_insert(Amount::ZERO);
    *spent = spent.plus(amount);
    slot
}

fn total(slots: &BTreeMap<u64, Amount>) -> Amount {
    slots.values().fold(Amount::ZERO, |sum, a| sum.plus(*a))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 86_400_000;
    const NOON: u64 = 20_000 * DAY_MS + DAY_MS / 2;

    fn amount(text: &str) -> Amount {
        Amount::parse(text).unwrap()
    }

    fn account(limit: &str, period: &str) -> Account {
        Account::new(amount(limit), Period::parse(period).unwrap(), [])
    }

    #[test]
    fn a_budget_is_spent_to_its_last_cent_and_renews() {
        let a = account("500", "day");
        a.take(amount("499.99"), NOON).unwrap();
        let short = a.take(amount("0.02"), NOON).unwrap_err();
        assert_eq!((short.left, short.enough_at), (amount("0.01"), Some(20_001 * DAY_MS)));
        a.take(amount("0.01"), NOON).unwrap();
        assert_eq!(a.left(NOON), Amount::ZERO);
        assert!(a.take(amount("0.000001"), 20_001 * DAY_MS - 1).is_err());
        assert!(a.take(amount("500"), 20_001 * DAY_MS).is_ok());
    }

    #[test]
    fn what_is_given_back_can_be_spent_again_once() {
        let a = account("10", "total");
        let slot = a.take(amount("10"), NOON).unwrap();
        a.give_back(slot, amount("4"));
        assert_eq!(a.left(NOON), amount("4"));
        // A slot that has passed takes nothing back into another.
        let a = account("10", "hour");
        let slot = a.take(amount("10"), NOON).unwrap();
        a.take(amount("10"), NOON + 3_600_000).unwrap();
        a.give_back(slot, amount("10"));
        assert_eq!(a.left(NOON + 3_600_000), Amount::ZERO);
    }

    #[test]
    fn a_rolling_period_renews_piece_by_piece() {
        let a = account("10", "60m");
        a.take(amount("6"), NOON).unwrap();
        a.take(amount("4"), NOON + 1_800_000).unwrap();
        let short = a.take(amount("5"), NOON + 1_800_000).unwrap_err();
        assert_eq!(short.enough_at, Some(NOON + 3_660_000));
        let short = a.take(amount("7"), NOON + 1_800_000).unwrap_err();
        assert_eq!(short.enough_at, Some(NOON + 5_460_000));
        assert!(a.take(amount("5"), NOON + 3_660_000).is_ok());
    }

    #[test]
    fn more_than_the_whole_budget_is_never_possible() {
        let a = account("10", "day");
        assert_eq!(a.look(amount("10.000001"), NOON).unwrap_err().enough_at, None);
        a.take_regardless(amount("30"), NOON);
        assert_eq!(a.look(amount("1"), NOON).unwrap_err().left, Amount::ZERO);
        assert_eq!(a.look(amount("10"), NOON + DAY_MS), Ok(()));
    }

    #[test]
    fn a_calendar_that_is_set_back_gives_nothing() {
        let a = account("10", "day");
        a.take(amount("10"), NOON).unwrap();
        assert!(a.take(amount("1"), NOON - 3 * DAY_MS).is_err());
    }

    #[test]
    fn of_a_thousand_takers_as_many_win_as_there_is_money() {
        let a = account("100", "day");
        let won: usize = std::thread::scope(|scope| {
            let each = || (0..50).filter(|_| a.take(amount("0.7"), NOON).is_ok()).count();
            let threads: Vec<_> = (0..20).map(|_| scope.spawn(each)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(won, 142, "142 × 0.7 = 99.4");
    }
}
