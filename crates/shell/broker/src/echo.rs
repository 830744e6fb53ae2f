//! What an upstream that sends the credential back leaves behind.
//!
//! An answer is in ordinary memory until it was searched. Its buffers are wiped when they are
//! freed; what was spilled from them onto the stack is wiped here.

use symbolon_secret::wipe_stack;
use tokio::runtime::Handle;

/// Wipes the stack of this lane below its event loop, and returns when that is done.
///
/// A task of its own, for a task begins higher up the stack than anything that handled the answer.
pub(crate) async fn forget() {
    // It neither panics nor is it aborted, but with its runtime.
    let _ = tokio::spawn(async { wipe_stack() }).await;
}

/// As [`forget`], for those who cannot wait.
pub(crate) fn forget_soon() {
    match Handle::try_current() {
        Ok(lane) => drop(lane.spawn(async { wipe_stack() })),
        Err(_) => wipe_stack(),
    }
}
