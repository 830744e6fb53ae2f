//! What is said while something takes long: what it is, how long it has taken, and how long it takes about.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::out;

/// Works, and says meanwhile on standard error how far the time is. Where nobody looks on, one line is
/// said at the beginning.
pub fn during<T>(what: &str, expected: Duration, work: impl FnOnce() -> T) -> T {
    let about = expected.as_secs().max(1);
    if !io::stderr().is_terminal() {
        out::say(&format!("{what} (about {about} s)…"));
        return work();
    }
    let (done, is_done) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let began = Instant::now();
            loop {
                let line =
                    format!("\r{what}: {:.1} s of about {about} s", began.elapsed().as_secs_f32());
                // Where standard error is gone there is nobody to say it to.
                let _ = write!(io::stderr(), "{line}");
                if is_done.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                    let _ = writeln!(io::stderr());
                    return;
                }
            }
        });
        let result = work();
        drop(done);
        result
    })
}

const TICK: Duration = Duration::from_millis(100);
