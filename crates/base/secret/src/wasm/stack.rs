//! The stack of a WebAssembly module: there is one, in its linear memory, and it is wiped.

use std::cell::Cell;
use std::mem::MaybeUninit;

use crate::region::MemoryError;
use crate::scrub::wipe_raw;

/// Runs `f`, then wipes the part of the stack that it used. Values that the engine keeps in its
/// own registers and frames are out of a module's reach.
///
/// Nested calls are wiped with the outermost. `f` has what is left of the module's stack.
#[inline]
pub fn on_stack<R>(f: impl FnOnce() -> R) -> R {
    if INSIDE.replace(true) {
        return f();
    }
    let result = call(f);
    wipe_below();
    INSIDE.set(false);
    result
}

/// As [`on_stack`]; there is nothing to run out of here that could be said.
#[inline]
pub(crate) fn try_on_stack<R>(f: impl FnOnce() -> R) -> Result<R, MemoryError> {
    Ok(on_stack(f))
}

/// A frame of its own, so that what `f` leaves lies below the caller's.
#[inline(never)]
fn call<R>(f: impl FnOnce() -> R) -> R {
    f()
}

#[inline(never)]
fn wipe_below() {
    let mut below = MaybeUninit::<[u8; WIPED]>::uninit();
    // SAFETY: a local of that size.
    unsafe { wipe_raw(below.as_mut_ptr().cast(), WIPED) };
}

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Optimised group operations and a cipher fit; the module's whole stack is 1 MiB.
const WIPED: usize = 64 * 1024;
