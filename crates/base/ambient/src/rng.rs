//! Entropy.

use std::cell::RefCell;
use std::sync::Mutex;

use zeroize::Zeroize;

/// Where random bytes come from.
pub trait Rng: Send + Sync {
    /// Fills `out` with bytes that nobody can predict.
    fn fill(&self, out: &mut [u8]);

    /// `N` random bytes.
    fn bytes<const N: usize>(&self) -> [u8; N]
    where
        Self: Sized,
    {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }
}

/// The kernel's generator, asked each time. Keys come from here.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, out: &mut [u8]) {
        kernel(out);
    }
}

/// The kernel's generator, asked for a page at a time in each thread; bytes are wiped from the
/// page as they are handed out. For tokens, nonces and placeholders, which live for seconds: a
/// reader of this process's memory could see the next ones. Never for keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct BatchedRng;

const BATCH: usize = 4096;

struct Batch {
    bytes: [u8; BATCH],
    at: usize,
}

thread_local! {
    static POOL: RefCell<Batch> = const { RefCell::new(Batch { bytes: [0; BATCH], at: BATCH }) };
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl Rng for BatchedRng {
    fn fill(&self, out: &mut [u8]) {
        if out.len() > 64 {
            return kernel(out);
        }
        POOL.with_borrow_mut(|pool| {
            if pool.at + out.len() > BATCH {
                kernel(&mut pool.bytes);
                pool.at = 0;
            }
            let end = pool.at + out.len();
            let taken = &mut pool.bytes[pool.at..end];
            out.copy_from_slice(taken);
            taken.fill(0);
            pool.at = end;
        });
    }
}

/// Without entropy nothing here is safe, so there is no error to handle: the process ends.
fn kernel(out: &mut [u8]) {
    if getrandom::fill(out).is_err() {
        eprintln!("symbolon: the kernel gives no random bytes; nothing can go on safely");
        std::process::abort();
    }
}

/// A repeatable stream for tests (SplitMix64). Never for keys.
#[derive(Debug)]
pub struct SeededRng(Mutex<u64>);

impl SeededRng {
    /// The same seed gives the same bytes.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Rng for SeededRng {
    fn fill(&self, out: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in out.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_do_not_repeat_across_calls_batches_and_threads() {
        let mut seen: Vec<[u8; 32]> = (0..500).map(|_| BatchedRng.bytes()).collect();
        let other =
            std::thread::spawn(|| (0..500).map(|_| BatchedRng.bytes()).collect::<Vec<[u8; 32]>>());
        seen.extend(other.join().unwrap());
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1000);
    }

    #[test]
    fn a_handed_out_byte_leaves_the_batch() {
        let mut out = [0; 32];
        BatchedRng.fill(&mut out);
        POOL.with_borrow(|p| assert!(!p.bytes.windows(8).any(|w| w == &out[..8])));
    }

    #[test]
    fn seeds_repeat() {
        let (a, b) = (SeededRng::new(1), SeededRng::new(1));
        assert_eq!(a.bytes::<20>(), b.bytes::<20>());
        assert_ne!(a.bytes::<20>(), SeededRng::new(2).bytes::<20>());
    }
}
