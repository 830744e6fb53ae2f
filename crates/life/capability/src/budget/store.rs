//! What must be kept of budgets and cooldowns between runs.

use std::future::Future;

use crate::{GrantId, StoreError};

/// What one call reserves: written before its credential may be released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The intent's id.
    pub intent: [u8; 16],
    /// Length of the log when it was made: its intent stands there or later.
    pub log_size: u64,
    /// The intent need not survive a power cut, so its absence says nothing.
    pub relaxed: bool,
    /// What is taken, budget by budget.
    pub lines: Vec<Line>,
    /// The cooldowns that begin.
    pub cooled: Vec<Cooled>,
}

/// What is taken of one budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Of which grant: the one that lets the call through, or one above it.
    pub grant: GrantId,
    /// Its place among the grant's budgets.
    pub budget: u16,
    /// In which slot of its period it counts.
    pub slot: u64,
    /// How much.
    pub micros: u64,
    /// Calls are counted, not what they move.
    pub by_count: bool,
}

/// A cooldown that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cooled {
    /// Of which grant.
    pub grant: GrantId,
    /// Of which scope.
    pub scope: String,
    /// When it began, in Unix milliseconds.
    pub at_unix_ms: u64,
    /// How long it is.
    pub seconds: u64,
}

/// What was spent of a budget in one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Of which grant.
    pub grant: GrantId,
    /// Which of its budgets.
    pub budget: u16,
    /// The slot.
    pub slot: u64,
    /// How much.
    pub micros: u64,
}

/// What a settlement gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveBack {
    /// Nothing: the call was made, or nobody can tell.
    Nothing,
    /// What the call would have moved; the call itself was made and counts.
    Moved,
    /// All: the credential certainly did not leave.
    All,
}

impl GiveBack {
    /// Whether it gives back this line.
    pub fn covers(self, by_count: bool) -> bool {
        match self {
            Self::Nothing => false,
            Self::Moved => !by_count,
            Self::All => true,
        }
    }
}

/// A call that shadow mode let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadowed {
    /// Who called.
    pub agent: String,
    /// Through which connection.
    pub connection: String,
    /// What.
    pub tool: String,
    /// The scope that it needs.
    pub scope: String,
    /// The rule that would have refused, as receipts name it.
    pub gate: String,
    /// The refusal's code.
    pub code: String,
    /// The refusal's sentence, of the last time.
    pub message: String,
    /// How often.
    pub count: u64,
    /// The first time, in Unix milliseconds.
    pub first_unix_ms: u64,
    /// The last time.
    pub last_unix_ms: u64,
}

/// One change; a list of them is one transaction.
#[derive(Debug, Clone)]
pub enum SpendingChange {
    /// Adds to what is spent, and remembers that it can still be given back.
    Reserve(Reservation),
    /// Ends a reservation. One that is not there is passed over.
    Settle {
        /// The intent's id.
        intent: [u8; 16],
        /// What counts no longer.
        give_back: GiveBack,
    },
    /// Adds to what shadow mode let through.
    Shadow(Box<Shadowed>),
}

/// The part of the store that counts. Every change is durable when it returns.
pub trait SpendingStore: Send + Sync + 'static {
    /// Makes all changes or none.
    fn change_spending(
        &self,
        changes: &[SpendingChange],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// What is spent, by grant, budget and slot.
    fn spent(&self) -> impl Future<Output = Result<Vec<Spent>, StoreError>> + Send;
    /// Reservations that nothing settled, such as after a crash.
    fn reservations(&self) -> impl Future<Output = Result<Vec<Reservation>, StoreError>> + Send;
    /// The last cooldown of each grant and scope.
    fn cooled(&self) -> impl Future<Output = Result<Vec<Cooled>, StoreError>> + Send;
    /// What shadow mode let through, the latest first.
    fn shadowed(&self) -> impl Future<Output = Result<Vec<Shadowed>, StoreError>> + Send;
    /// Forgets it.
    fn clear_shadowed(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Whether shadow mode comes back after a restart.
    fn shadow_is_kept(&self) -> impl Future<Output = Result<bool, StoreError>> + Send;
    /// Sets that.
    fn keep_shadow(&self, keep: bool) -> impl Future<Output = Result<(), StoreError>> + Send;
}
