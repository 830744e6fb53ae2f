//! A stack in secret memory for each thread that needs one.
//!
//! Layout of one mapping, low to high: guard page, stack (grows down), window scratch. A thread
//! keeps its mapping until it ends; then it goes back to a pool, wiped, for the next thread, so
//! that short-lived threads neither pay for mapping nor run into the limit on locked memory.

use std::cell::{Cell, OnceCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

use crate::region::{MemoryError, PAGE_BYTES, Region};
use crate::scrub::{scrub_registers, wipe_raw};

/// Runs `f` on this thread's secret stack, then wipes what it used and clears the registers.
///
/// Nested calls run in place. A panic in `f` is caught there, everything is wiped, and the panic
/// goes on. The *result* goes through ordinary memory: return nothing secret. `f` must not start a
/// process (the stack does not exist in a child) and has 192 KiB.
///
/// Aborts where there is no memory for the stack (once per thread, on its first call).
#[inline]
pub fn on_stack<R>(f: impl FnOnce() -> R) -> R {
    match try_on_stack(f) {
        Ok(result) => result,
        Err(error) => error.abort(),
    }
}

/// As [`on_stack`], but says so where there is no memory for the stack.
#[inline]
pub(crate) fn try_on_stack<R>(f: impl FnOnce() -> R) -> Result<R, MemoryError> {
    with_stack(|stack| stack.run(f))
}

/// Gives the calling thread's stack to `f`, making it on first use.
#[inline]
pub(crate) fn with_stack<R>(f: impl FnOnce(&Stack) -> R) -> Result<R, MemoryError> {
    let mut f = Some(f);
    let here = STACK.try_with(|lease| match lease.get() {
        // `f` is there: this closure runs at most once.
        Ok(stack) => Ok(f.take().map(|f| f(stack))),
        Err(error) => Err(error),
    });
    match (here, f) {
        (Ok(Ok(Some(result))), _) => Ok(result),
        (Ok(Err(error)), _) => Err(error),
        // The thread is ending and its own stack is gone: one for this call alone.
        (_, Some(f)) => Ok(f(Lease::default().get()?)),
        // INFALLIBLE: `f` was either used, and its result is above, or is still here.
        (Ok(Ok(None)), None) | (Err(_), None) => unreachable!("`f` was either used or is here"),
    }
}

/// One secret mapping and whether the thread is on it now.
pub(crate) struct Stack {
    region: Region,
    /// The thread's stack pointer is in here.
    on_it: Cell<bool>,
    /// The scratch is lent to a window.
    pub(crate) window: Cell<bool>,
}

impl Stack {
    fn new() -> Result<Self, MemoryError> {
        let region = Region::new(PAGE_BYTES + STACK_BYTES + crate::window::SCRATCH_BYTES)?;
        region.guard_first_page();
        Ok(Stack { region, on_it: Cell::new(false), window: Cell::new(false) })
    }

    /// Runs `f` here, or in place when the thread is already here.
    #[inline]
    pub(crate) fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        if self.on_it.get() {
            return f();
        }
        self.on_it.set(true);
        // SAFETY: base and length are page-aligned, the mapping lives as long as `self`, its low
        // end is a guard page, and the thread is not on it. The callback cannot unwind: every
        // panic is caught inside it and resumed only after the switch back.
        let result = unsafe {
            psm::on_stack(self.base(), STACK_BYTES, || catch_unwind(AssertUnwindSafe(f)))
        };
        self.wipe_used();
        scrub_registers();
        self.on_it.set(false);
        match result {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        }
    }

    /// The window's scratch, above the stack's top.
    pub(crate) fn scratch(&self) -> *mut u8 {
        // SAFETY: within the mapping by its layout.
        unsafe { self.base().add(STACK_BYTES) }
    }

    fn base(&self) -> *mut u8 {
        // SAFETY: within the mapping by its layout.
        unsafe { self.region.as_ptr().add(PAGE_BYTES) }
    }

    /// The stack is all zero when nobody is on it, so what was used shows. The top is wiped in any
    /// case; below it block by block until one is clean. A frame with an untouched hole of more
    /// than a block could hide something deeper: that stays in secret memory and is overwritten or
    /// wiped when the thread ends.
    fn wipe_used(&self) {
        let mut top = STACK_BYTES - ALWAYS_WIPED;
        // SAFETY: all offsets are within the stack, and nobody is on it.
        unsafe {
            wipe_raw(self.base().add(top), ALWAYS_WIPED);
            while top >= STEP {
                let block = std::slice::from_raw_parts(self.base().add(top - STEP), STEP);
                if *block == ZEROS {
                    return;
                }
                top -= STEP;
                wipe_raw(self.base().add(top), STEP);
            }
        }
    }

    fn wipe_all(&self) {
        let len = STACK_BYTES + crate::window::SCRATCH_BYTES;
        // SAFETY: all of the mapping but its guard, and nobody is on it.
        unsafe { wipe_raw(self.base(), len) };
    }
}

/// A thread's hold on a stack; gives it back to the pool.
#[derive(Default)]
struct Lease(OnceCell<Stack>);

impl Lease {
    #[inline]
    fn get(&self) -> Result<&Stack, MemoryError> {
        if let Some(stack) = self.0.get() {
            return Ok(stack);
        }
        let pooled = POOL.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let stack = match pooled {
            Some(stack) => stack,
            None => Stack::new()?,
        };
        Ok(self.0.get_or_init(|| stack))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(stack) = self.0.take() {
            stack.wipe_all();
            POOL.lock().unwrap_or_else(PoisonError::into_inner).push(stack);
        }
    }
}

thread_local! {
    static STACK: Lease = const { Lease(OnceCell::new()) };
}

static POOL: Mutex<Vec<Stack>> = Mutex::new(Vec::new());

/// Ed25519 in an unoptimised build and a panic's backtrace fit.
const STACK_BYTES: usize = 192 * 1024;
/// An optimised AES-GCM open fits; wiping it and looking at the next block costs about 70 ns.
const ALWAYS_WIPED: usize = 4 * 1024;
const STEP: usize = 4096;
static ZEROS: [u8; STEP] = [0; STEP];

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;

    fn used(stack: &Stack) -> bool {
        // SAFETY: the stack of this thread, and the thread is not on it.
        let all = unsafe { std::slice::from_raw_parts(stack.base(), STACK_BYTES) };
        all.iter().any(|b| *b != 0)
    }

    #[inline(never)]
    fn deep(levels: usize) -> u8 {
        let frame = black_box([0xAAu8; 1024]);
        if levels == 0 { frame[0] } else { deep(levels - 1).wrapping_add(black_box(frame)[5]) }
    }

    #[test]
    fn the_stack_is_elsewhere_and_zero_after() {
        let outside = 0u8;
        let inside = on_stack(|| {
            let local = 0u8;
            deep(30);
            std::ptr::from_ref(black_box(&local)) as usize
        });
        let here = std::ptr::from_ref(black_box(&outside)) as usize;
        assert!(here.abs_diff(inside) > 1 << 20, "another stack");
        with_stack(|stack| {
            assert!((stack.base() as usize..stack.scratch() as usize).contains(&inside));
            assert!(!used(stack), "all frames were wiped, far below the part that always is");
        })
        .expect("memory");
    }

    #[test]
    fn nested_runs_in_place() {
        let (outer, inner) = on_stack(|| {
            let a = 0u8;
            let outer = std::ptr::from_ref(black_box(&a)) as usize;
            (outer, on_stack(|| std::ptr::from_ref(black_box(&0u8.wrapping_add(a))) as usize))
        });
        assert!(outer.abs_diff(inner) < STACK_BYTES);
        let still = on_stack(|| {
            on_stack(|| ());
            STACK.with(|lease| lease.0.get().is_some_and(|s| s.on_it.get()))
        });
        assert!(still, "the inner call's end does not leave the outer one's stack");
    }

    #[test]
    fn a_panic_goes_on_after_the_wipe() {
        let result = std::panic::catch_unwind(|| {
            on_stack(|| {
                deep(20);
                std::panic::resume_unwind(Box::new("stop")) // no message on stderr
            })
        });
        let payload: Box<dyn std::any::Any + Send> = result.expect_err("panicked");
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"stop"));
        with_stack(|stack| assert!(!used(stack) && !stack.on_it.get())).expect("memory");
        assert_eq!(on_stack(|| 5), 5);
    }

    #[test]
    fn a_drop_runs_while_its_thread_ends() {
        struct Late(std::sync::mpsc::Sender<u8>);
        impl Drop for Late {
            fn drop(&mut self) {
                let _ = self.0.send(on_stack(|| deep(3)));
            }
        }
        thread_local! { static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) }; }
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            LATE.with(|l| *l.borrow_mut() = Some(Late(send)));
            on_stack(|| ());
        })
        .join()
        .expect("no panic");
        assert!(receive.recv().is_ok());
    }
}
