//! The same work on many items, on as many threads as the machine has.

use std::{num::NonZero, panic::resume_unwind, thread};

/// Applies `work` to each item; the answers are in the order of the items. Without a second thread,
/// or where the system gives none, this thread does all of it.
pub(super) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let work = &work;
    let run = |items: &[T]| -> Vec<R> { items.iter().map(work).collect() };
    let (own, others) = items.split_at(items.len().div_ceil(threads));
    thread::scope(|scope| {
        let parts: Vec<_> = others
            .chunks(own.len().max(1))
            .map(|part| (part, thread::Builder::new().spawn_scoped(scope, move || run(part))))
            .collect();
        let mut answers = run(own);
        for (part, thread) in parts {
            answers.extend(match thread {
                Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(_) => run(part),
            });
        }
        answers
    })
}

/// More cost more to start than they save.
const THREADS_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once_and_in_order() {
        for count in [0, 1, 2, 3, 57, 1000] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(
                map(&items, |item| item * 2),
                items.iter().map(|i| i * 2).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    #[should_panic(expected = "item 900")]
    fn a_panic_is_not_swallowed() {
        let items: Vec<usize> = (0..1000).collect();
        map(&items, |item| assert_ne!(*item, 900, "item 900"));
    }
}
