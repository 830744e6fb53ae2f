//! Threads with one task: what it waits for, the thread may as well do itself.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Says where the number of this thread's tasks stands. While it is one, the thread syncs the log
/// itself: to hand that to another thread and be woken again takes about as long as the sync.
pub fn count_tasks(tasks: Arc<AtomicUsize>) {
    let _ = TASKS.with(|known| known.set(tasks));
}

/// Whether nobody is held up where this thread blocks.
pub(crate) fn is_alone() -> bool {
    TASKS.with(|tasks| tasks.get().is_some_and(|tasks| tasks.load(Relaxed) <= 1))
}

thread_local! {
    static TASKS: OnceCell<Arc<AtomicUsize>> = const { OnceCell::new() };
}
