//! One write for all tasks of a thread that wait for the same one.
//!
//! An event loop that wakes with twelve requests would write twelve times. Here the first task that wants
//! a write steps back once, behind every task that can run already; when its turn comes, it writes what
//! all of them have appended. Alone it is next at once, so that nobody waits for company.

use std::cell::OnceCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Those of one thread who wait for a write that somebody will do.
#[derive(Default)]
pub(crate) struct Line(Mutex<Option<Vec<Waker>>>);

/// A task's place in the line of the thread that first polled it.
#[derive(Default)]
pub(crate) struct Turn {
    /// What is not written when it comes again, it writes itself.
    has_waited: bool,
    /// Set on who writes for the others, and wakes them.
    leads: Option<Arc<Line>>,
}

impl Turn {
    /// Pending once; ready, the caller writes and calls [`done`](Self::done).
    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<()> {
        if std::mem::replace(&mut self.has_waited, true) {
            return Poll::Ready(());
        }
        let line = LINE.with(|line| line.get_or_init(Arc::default).clone());
        let leads = match &mut *line.lock() {
            Some(waiting) => {
                waiting.push(waker.clone());
                false
            }
            empty => {
                *empty = Some(Vec::new());
                waker.wake_by_ref();
                true
            }
        };
        self.leads = leads.then_some(line);
        Poll::Pending
    }

    /// Whether it leads, and nobody follows.
    pub(crate) fn is_alone(&self) -> bool {
        self.leads.as_ref().is_some_and(|line| line.lock().as_ref().is_some_and(Vec::is_empty))
    }

    /// What was appended is written, or never will be: whoever followed looks for itself.
    pub(crate) fn done(&mut self) {
        if let Some(line) = self.leads.take() {
            let waiting = line.lock().take();
            waiting.into_iter().flatten().for_each(Waker::wake);
        }
    }
}

impl Drop for Turn {
    /// A leader that goes away leaves nobody waiting.
    fn drop(&mut self) {
        self.done();
    }
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Option<Vec<Waker>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

thread_local! {
    static LINE: OnceCell<Arc<Line>> = const { OnceCell::new() };
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    #[test]
    fn the_first_steps_back_once_and_wakes_those_who_came_meanwhile() {
        let woken: [Arc<Woken>; 3] = Default::default();
        let wakers = woken.clone().map(Waker::from);
        let mut turns: [Turn; 3] = Default::default();
        for (turn, waker) in turns.iter_mut().zip(&wakers) {
            assert!(turn.poll(waker).is_pending());
        }
        let counts = || woken.each_ref().map(|w| w.0.load(SeqCst));
        assert_eq!(counts(), [1, 0, 0], "the leader comes again by itself");
        assert!(turns[0].poll(&wakers[0]).is_ready());
        turns[0].done();
        assert_eq!(counts(), [1, 1, 1]);
        assert!(turns[1].poll(&wakers[1]).is_ready());
    }

    #[test]
    fn a_leader_that_goes_away_leaves_nobody_waiting() {
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let mut leader = Turn::default();
        let mut follower = Turn::default();
        assert!(leader.poll(Waker::noop()).is_pending());
        assert!(follower.poll(&waker).is_pending());
        drop(leader);
        assert_eq!(woken.0.load(SeqCst), 1);
        assert!(follower.poll(&waker).is_ready());
    }
}
