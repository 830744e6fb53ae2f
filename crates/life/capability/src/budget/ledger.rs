//! Every budget's account and every cooldown's mark, for as long as the broker runs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Account, Amount, Budget, Cooled, Spent};
use crate::GrantId;

/// Accounts and marks outlive changes of policy: what was spent stays spent.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    accounts: HashMap<(GrantId, u16), Arc<Account>>,
    marks: HashMap<(GrantId, String), Arc<Mark>>,
    /// As the store had it at the start, until a grant asks for it.
    spent: HashMap<(GrantId, u16), Vec<(u64, Amount)>>,
}

impl Ledger {
    /// Takes what the store kept of earlier runs. A mark of a time that lies ahead, by a calendar
    /// that was set back meanwhile, waits its whole cooldown and no longer.
    pub fn load(&self, spent: &[Spent], cooled: &[Cooled], unix_ms: u64, mono_ns: u64) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for one in spent {
            let slots = inner.spent.entry((one.grant, one.budget)).or_default();
            slots.push((one.slot, Amount::from_micros(one.micros)));
        }
        for one in cooled {
            let whole = one.seconds.saturating_mul(1000);
            let left = whole.saturating_sub(unix_ms.saturating_sub(one.at_unix_ms));
            let ready = mono_ns.saturating_add(left.saturating_mul(1_000_000));
            let mark = Arc::new(Mark(ready.into()));
            inner.marks.insert((one.grant, one.scope.clone()), mark);
        }
    }

    /// The account of a grant's budget.
    pub fn account(&self, grant: GrantId, place: u16, budget: &Budget) -> Arc<Account> {
        let inner = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (grant, place);
        let spent = &mut inner.spent;
        let make = || {
            let before = spent.remove(&key).unwrap_or_default();
            Arc::new(Account::new(budget.limit(), budget.period(), before))
        };
        inner.accounts.entry(key).or_insert_with(make).clone()
    }

    /// The mark of a grant's scope.
    pub fn mark(&self, grant: GrantId, scope: &str) -> Arc<Mark> {
        let inner = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.marks.entry((grant, scope.to_owned())).or_default().clone()
    }
}

/// When the next call of a scope may be, on the monotonic clock.
#[derive(Debug, Default)]
pub struct Mark(AtomicU64);

impl Mark {
    /// Whether a call may be made now. Starts nothing.
    ///
    /// # Errors
    /// The wait, in nanoseconds.
    pub fn look(&self, now_ns: u64) -> Result<(), u64> {
        match self.0.load(SeqCst).saturating_sub(now_ns) {
            0 => Ok(()),
            wait => Err(wait),
        }
    }

    /// Starts the cooldown, and says what stood there before. Of callers at once, one does.
    ///
    /// # Errors
    /// The wait, in nanoseconds.
    pub fn start(&self, now_ns: u64, cooldown_ns: u64) -> Result<u64, u64> {
        let next = now_ns.saturating_add(cooldown_ns);
        let update = |ready: u64| (ready <= now_ns).then_some(next);
        self.0.fetch_update(SeqCst, SeqCst, update).map_err(|ready| ready - now_ns)
    }

    /// Starts it whether the last one is over or not (shadow mode).
    pub fn start_regardless(&self, now_ns: u64, cooldown_ns: u64) -> u64 {
        self.0.swap(now_ns.saturating_add(cooldown_ns), SeqCst)
    }

    /// Takes a start back, where no other came after it.
    pub fn undo(&self, started_ns: u64, cooldown_ns: u64, before: u64) {
        let own = started_ns.saturating_add(cooldown_ns);
        // Another call's cooldown stands there by now: it stays.
        let _ = self.0.compare_exchange(own, before, SeqCst, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn one_call_and_then_a_pause() {
        let m = Mark::default();
        assert_eq!(m.start(5 * SECOND, 30 * SECOND), Ok(0));
        assert_eq!(m.look(6 * SECOND), Err(29 * SECOND));
        assert_eq!(m.start(34 * SECOND, 30 * SECOND), Err(SECOND));
        assert!(m.start(35 * SECOND, 30 * SECOND).is_ok());
    }

    #[test]
    fn of_a_thousand_at_once_one_starts() {
        let m = Mark::default();
        let won: usize = std::thread::scope(|scope| {
            let each = || (0..50).filter(|_| m.start(SECOND, 30 * SECOND).is_ok()).count();
            let threads: Vec<_> = (0..20).map(|_| scope.spawn(each)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
    }

    #[test]
    fn a_start_is_taken_back_unless_another_came() {
        let m = Mark::default();
        let before = m.start(SECOND, 30 * SECOND).unwrap();
        m.undo(SECOND, 30 * SECOND, before);
        assert_eq!(m.look(SECOND), Ok(()));
        m.start_regardless(SECOND, 30 * SECOND);
        m.start_regardless(2 * SECOND, 30 * SECOND);
        m.undo(SECOND, 30 * SECOND, 0);
        assert_eq!(m.look(2 * SECOND), Err(30 * SECOND));
    }

    #[test]
    fn a_restart_forgets_neither_money_nor_pause() {
        let ledger = Ledger::default();
        let spent = [
            Spent { grant: 7, budget: 0, slot: 0, micros: 400_000_000 },
            Spent { grant: 8, budget: 0, slot: 0, micros: 1 },
        ];
        let cooled = |at| Cooled { grant: 7, scope: "a.read".into(), at_unix_ms: at, seconds: 60 };
        ledger.load(&spent, &[cooled(990_000)], 1_000_000, SECOND);
        let budget = Budget::parse("500 usd/total of amount").unwrap();
        let account = ledger.account(7, 0, &budget);
        assert_eq!(account.left(1_000_000).to_string(), "100");
        account.take(Amount::parse("100").unwrap(), 1_000_000).unwrap();
        assert_eq!(ledger.account(7, 0, &budget).left(1_000_000), Amount::ZERO, "a rebuild too");
        assert_eq!(ledger.mark(7, "a.read").look(SECOND), Err(50 * SECOND));
        // The calendar was set back while the broker was down: the whole pause, not for ever.
        ledger.load(&[], &[cooled(9_000_000)], 1_000_000, SECOND);
        assert_eq!(ledger.mark(7, "a.read").look(SECOND), Err(60 * SECOND));
    }
}
