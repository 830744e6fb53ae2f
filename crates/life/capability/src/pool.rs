//! Tokens made ahead for hot scopes: random bits and their names, bound to nothing yet.
//!
//! What is in a pool is good for nothing: a token has power from the moment that `mint` puts it into the table with its
//! session, context, request and grant. A pool saves a hot call its part of the work of making one.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use symbolon_ambient::Rng;
use symbolon_codec::Digest32;
use symbolon_secret::{MemoryError, Secret};

use crate::token::Token;

/// The tokens of one scope on one connection that nobody asked for yet: pools of a few threads each, so that these
/// rarely meet.
#[derive(Debug)]
pub(crate) struct Pools([Pool; POOLS]);

/// Beside no other's in the cache.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Pool(Mutex<Stock>);

#[derive(Debug, Default)]
struct Stock {
    /// In a secret page: who reads the next tokens could take a call for his own.
    made: Option<Secret<Made>>,
    /// Tokens in `made`: the first so many.
    left: usize,
    /// When the batch was made, or the count begun.
    since_ns: u64,
    /// Tokens that were asked for since then.
    asked: u32,
}

struct Made {
    bytes: [[u8; 32]; BATCH],
    names: [Digest32; BATCH],
}

/// Tokens that are made at once.
pub(crate) const BATCH: usize = 64;
/// As many within [`HOT_NS`] make a scope hot, for one pool.
pub(crate) const HOT: u32 = 64;
/// A batch that is older is thrown away: its scope is hot no more.
pub(crate) const HOT_NS: u64 = 1_000_000_000;
const POOLS: usize = 8;

impl Pools {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Pool::default()))
    }

    /// A token that nobody else has, made ahead or now. `may_fill` says whether a batch may be made: not while locked. It is
    /// asked with the pool's lock held, so that a lock that comes then finds the batch and wipes it.
    pub(crate) fn take(&self, rng: &dyn Rng, now_ns: u64, may_fill: impl Fn() -> bool) -> Token {
        let Some(mut stock) = self.mine() else { return Token::make(rng) };
        stock.age(now_ns);
        stock.asked = stock.asked.saturating_add(1);
        if stock.left == 0 && stock.asked >= HOT && may_fill() {
            stock.fill(rng, now_ns);
        }
        let token = stock.pop();
        drop(stock);
        token.unwrap_or_else(|| Token::make(rng))
    }

    /// Makes a batch ahead where the scope is hot on this thread and half of the last one is used up.
    pub(crate) fn restock(
        &self,
        rng: &dyn Rng,
        now_ns: impl Fn() -> u64,
        may_fill: impl Fn() -> bool,
    ) {
        let Some(mut stock) = self.mine() else { return };
        if stock.asked < HOT || stock.left >= BATCH / 2 {
            return;
        }
        let now_ns = now_ns();
        if now_ns < stock.since_ns + HOT_NS && may_fill() {
            stock.fill(rng, now_ns);
        }
    }

    /// Wipes every token in them.
    pub(crate) fn clear(&self) {
        for pool in &self.0 {
            *pool.lock() = Stock::default();
        }
    }

    /// How many tokens wait in all.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|pool| pool.lock().left).sum()
    }

    /// Nothing where another thread has it: to make one token takes less than to wait.
    fn mine(&self) -> Option<MutexGuard<'_, Stock>> {
        match self.0[NUMBER.get() % POOLS].0.try_lock() {
            Ok(stock) => Some(stock),
            Err(TryLockError::Poisoned(stock)) => Some(stock.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, Stock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stock {
    /// Throws away what is too old, and begins to count anew.
    fn age(&mut self, now_ns: u64) {
        if now_ns >= self.since_ns + HOT_NS {
            *self = Self { since_ns: now_ns, ..Self::default() };
        }
    }

    /// As many as there is room for. Without secret memory there is no pool.
    fn fill(&mut self, rng: &dyn Rng, now_ns: u64) {
        let made = match self.made.take() {
            Some(made) => Ok(made),
            None => Secret::try_place(Made::empty),
        };
        let Ok::<_, MemoryError>(mut made) = made else { return };
        // EXPOSE: filled where it stays.
        made.expose_mut().fill(self.left, rng);
        *self = Self { made: Some(made), left: BATCH, since_ns: now_ns, asked: self.asked };
    }

    /// Takes the last one out: its place is empty when it is handed on.
    fn pop(&mut self) -> Option<Token> {
        let at = self.left.checked_sub(1)?;
        // EXPOSE: moved out to the caller that it is made for.
        let made = self.made.as_mut()?.expose_mut();
        self.left = at;
        let bytes = std::mem::take(&mut made.bytes[at]);
        Some(Token::from_parts(bytes, std::mem::replace(&mut made.names[at], NOTHING)))
    }
}

impl Made {
    fn empty() -> Self {
        Self { bytes: [[0; 32]; BATCH], names: [NOTHING; BATCH] }
    }

    /// The kernel is asked once for all.
    fn fill(&mut self, from: usize, rng: &dyn Rng) {
        rng.fill(self.bytes[from..].as_flattened_mut());
        for (bytes, name) in self.bytes.iter().zip(&mut self.names).skip(from) {
            *name = Token::name(bytes);
        }
    }
}

const NOTHING: Digest32 = Digest32([0; 32]);

/// Threads in the order in which they first asked.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static NUMBER: Cell<usize> = Cell::new(THREADS.fetch_add(1, Relaxed));
}
