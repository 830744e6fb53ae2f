//! A lane that has just worked looks for more for a moment before it sleeps.
//!
//! To sleep and be woken costs a lane about as much as a call where the other side is near: the core
//! leaves its idle state, and what it knew is cold. So it asks the system again and again, for
//! [`LOOKS_FOR`] after its last work. Where that was in vain (a service far away, an agent that thinks) it
//! does so ever more rarely, down to one wake-up in [`PASSES_MAX`]; and so it does at once where
//! somebody else had use for the core. With more than [`FEW`] tasks it does not: there is work enough,
//! and the other sides want the cores.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

/// About the time in which a service on the same machine answers, or a disk has an intent.
const LOOKS_FOR: Duration = Duration::from_micros(250);
/// A look at the system takes one or two microseconds, a hiccup of the machine fifty: after this long,
/// the core was somebody else's.
const TAKEN_AWAY: Duration = Duration::from_micros(500);
/// A lane with more tasks than these does not look.
const FEW: usize = 4;
/// Wake-ups that are let pass at most.
const PASSES_MAX: u32 = 255;

thread_local! {
    /// How often a task of this lane has run.
    static WORKED: Cell<u64> = const { Cell::new(0) };
    /// Who looks for more, while the lane sleeps.
    static LOOKOUT: RefCell<Option<Waker>> = const { RefCell::new(None) };
}

/// A task of the lane has run.
pub(super) fn worked() {
    WORKED.set(WORKED.get().wrapping_add(1));
}

/// The lane was woken.
pub(super) fn woken() {
    if let Some(waker) = LOOKOUT.take() {
        waker.wake();
    }
}

/// Keeps its lane awake as the head of this file says; never ends.
///
/// `load` is the number of the lane's tasks.
pub(super) async fn look_out(load: Arc<AtomicUsize>) {
    let mut pace = Pace::default();
    loop {
        until_woken().await;
        if load.load(Relaxed) > FEW || !pace.is_due() {
            continue;
        }
        let mut seen = WORKED.get();
        let (mut since, mut last) = (Instant::now(), Instant::now());
        loop {
            // Behind every task that can run, and behind a look at the system without waiting.
            tokio::task::yield_now().await;
            let now = Instant::now();
            let took = now.duration_since(std::mem::replace(&mut last, now));
            if WORKED.get() != seen {
                (seen, since) = (WORKED.get(), now);
                pace.hit();
            } else if took >= TAKEN_AWAY {
                break pace.crowded();
            } else if now.duration_since(since) >= LOOKS_FOR {
                break pace.missed();
            }
        }
    }
}

async fn until_woken() {
    let mut has_slept = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_slept, true) {
            return Poll::Ready(());
        }
        LOOKOUT.set(Some(cx.waker().clone()));
        Poll::Pending
    })
    .await;
}

/// How often it is worth looking.
#[derive(Default)]
struct Pace {
    /// Wake-ups that the next look in vain lets pass: twice as many and one each time.
    passes: u32,
    /// Wake-ups still to let pass.
    left: u32,
}

impl Pace {
    fn is_due(&mut self) -> bool {
        let due = self.left == 0;
        self.left = self.left.saturating_sub(1);
        due
    }

    fn hit(&mut self) {
        self.passes = 0;
    }

    fn missed(&mut self) {
        self.passes = (2 * self.passes + 1).min(PASSES_MAX);
        self.left = self.passes;
    }

    fn crowded(&mut self) {
        self.passes = PASSES_MAX;
        self.left = PASSES_MAX;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_in_vain_gets_rare_and_one_hit_makes_it_usual_again() {
        let mut pace = Pace::default();
        let mut looks = Vec::new();
        for wake in 0..600 {
            if pace.is_due() {
                looks.push(wake);
                pace.missed();
            }
        }
        assert_eq!(looks, [0, 2, 6, 14, 30, 62, 126, 254, 510]);
        pace.left = 0;
        assert!(pace.is_due());
        pace.hit();
        assert!(pace.is_due());
        pace.missed();
        assert!(!pace.is_due());
        assert!(pace.is_due());
        pace.crowded();
        assert!((0..PASSES_MAX).all(|_| !pace.is_due()));
        assert!(pace.is_due());
    }

    #[test]
    fn it_keeps_a_lane_from_no_work_and_from_no_sleep() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_unpark(woken)
            .build()
            .expect("a runtime");
        runtime.spawn(look_out(Arc::default()));
        runtime.block_on(async {
            for _ in 0..200 {
                tokio::time::sleep(Duration::from_micros(200)).await;
                worked();
            }
            let before = busy();
            tokio::time::sleep(Duration::from_millis(200)).await;
            let busy = busy() - before;
            assert!(busy < Duration::from_millis(50), "{busy:?} of work where there was none");
        });
    }

    /// Processor time of this thread.
    fn busy() -> Duration {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
        let ns = text.split(' ').next().and_then(|ns| ns.parse().ok());
        Duration::from_nanos(ns.expect("nanoseconds"))
    }
}
