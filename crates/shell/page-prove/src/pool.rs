//! The threads that a proof is made on: Workers over one memory.
//!
//! The prover's own Worker is the first thread of the pool, and works whether or not others ever come: what it offers them
//! it takes back where nobody took it. Helpers are Workers of the same script over the same memory, which take a seat each.
//! So nothing waits for a Worker to load, and one that cannot load costs its share of speed and nothing else.

use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuilder};

/// At most so many threads work on a proof. More would wait for one another.
pub const THREADS_MAX: usize = 4;

/// Kept as long as the module's memory: who drops a pool ends its threads.
static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
/// Threads of the pool that no Worker runs yet.
static SEATS: Mutex<Vec<ThreadBuilder>> = Mutex::new(Vec::new());

/// Makes a pool of so many threads, of which the caller is one from then on; the first call decides. Gives how many
/// helpers it has room for: each calls [`help`].
pub fn open(threads: usize) -> usize {
    let threads = threads.clamp(1, THREADS_MAX);
    POOL.get_or_init(|| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).use_current_thread();
        // A pool that cannot be had is none: what is asked of rayon is then done on the caller's thread.
        pool.spawn_handler(|thread| {
            seats().push(thread);
            Ok(())
        })
        .build()
        .ok()
    });
    seats().len()
}

/// Takes a seat and works, until the Worker is ended. Comes back at once where every seat is taken.
pub fn help() {
    let seat = seats().pop();
    if let Some(seat) = seat {
        seat.run();
    }
}

fn seats() -> std::sync::MutexGuard<'static, Vec<ThreadBuilder>> {
    SEATS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test: the pool is the process's.
    #[test]
    fn work_is_done_with_helpers_and_before_they_come() {
        let sum = || rayon::join(|| (1..1000_u64).sum::<u64>(), || (1000..2000_u64).sum::<u64>());
        std::thread::spawn(move || {
            assert_eq!(open(64), THREADS_MAX - 1);
            assert_eq!(rayon::current_num_threads(), THREADS_MAX);
            assert_eq!(sum(), (499_500, 1_499_500), "without helpers");
            for _ in 1..THREADS_MAX {
                std::thread::spawn(help);
            }
            while !seats().is_empty() {
                std::thread::yield_now();
            }
            help();
            assert_eq!(open(2), 0, "the first call decides, and every seat is taken");
            for _ in 0..100 {
                assert_eq!(sum(), (499_500, 1_499_500));
            }
        })
        .join()
        .expect("the test's thread");
    }
}
