//! The thread of a broker that keeps the audit.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Audit, AuditFault};

/// Calls [`Audit::keep`] every ten seconds, on a thread that every other goes before. Dropping it stops it.
#[derive(Debug)]
pub struct Keeper {
    audit: Audit,
    stopped: Arc<(Mutex<bool>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// A question reads what is missing from the log itself, so nothing waits for this.
const EVERY: Duration = Duration::from_secs(10);
const DAY_MS: u64 = 86_400_000;

impl Keeper {
    /// Starts the thread. `now` gives Unix milliseconds; `failed` hears of each failure that is another than the
    /// one before.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(
        audit: Audit,
        now: impl Fn() -> u64 + Send + 'static,
        failed: impl Fn(&AuditFault) + Send + 'static,
    ) -> io::Result<Self> {
        let stopped = Arc::new((Mutex::new(false), Condvar::new()));
        let (signal, kept) = (stopped.clone(), audit.clone());
        let run = move || {
            lower_priority();
            let (mut last, mut seen) = (String::new(), None);
            while !wait(&signal) {
                let now = now();
                let size = kept.checkpoint().map(|c| c.map_or(0, |c| c.size));
                let state = size.as_ref().ok().map(|size| (*size, now / DAY_MS));
                if state.is_some() && state == seen {
                    continue;
                }
                match size.and_then(|_| kept.keep(now)) {
                    Ok(done) => {
                        last.clear();
                        seen = state.filter(|_| done);
                    }
                    Err(AuditFault::Stopped) => {}
                    Err(fault) => {
                        // What is damaged stays so: it is looked at again when there is more to write.
                        seen = state;
                        let text = fault.to_string();
                        if text != last {
                            failed(&fault);
                        }
                        last = text;
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("audit".to_owned()).spawn(run)?;
        Ok(Self { audit, stopped, thread: Mutex::new(Some(thread)) })
    }

    /// Ends the thread, in the middle of a file if need be: nothing is lost by it.
    pub fn stop(&self) {
        self.audit.stop();
        *self.stopped.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stopped.1.notify_all();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic of it is nobody's loss: the files are made again.
            let _ = thread.join();
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Has every other thread of the machine go before this one. Linux counts priority by thread; where it is refused, the
/// work is done all the same.
pub fn lower_priority() {
    let _ = rustix::process::setpriority_process(None, 19);
}

/// Waits for the next round. True where there is none.
fn wait((stopped, signal): &(Mutex<bool>, Condvar)) -> bool {
    let stopped = stopped.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = signal.wait_timeout_while(stopped, EVERY, |stopped| !*stopped);
    *waited.unwrap_or_else(PoisonError::into_inner).0
}
