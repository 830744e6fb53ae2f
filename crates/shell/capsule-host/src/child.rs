//! What the child process does: shuts itself in, says what was measured, and does one piece of work.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cache::Compiled;
use crate::engine::Runtime;
use crate::error::{KeepError, RunError};
use crate::frame::{FRAME_BYTES_MAX, Frame};
use crate::run::{Finished, Job};
use crate::state::Doors;

/// Serves one piece of work over standard input and output. Nothing of a stranger is read before
/// the process is shut in.
///
/// # Errors
/// [`KeepError`] where it cannot be shut in; nothing ran then.
pub fn serve_child() -> Result<(), KeepError> {
    let shut = |error: RunError| KeepError::Limit(io::Error::other(error.to_string()));
    let runtime = Runtime::build().map_err(shut)?;
    #[cfg(target_os = "linux")]
    let measured = crate::keep::keep(|| runtime.start_clock().map_err(io::Error::other))?;
    #[cfg(not(target_os = "linux"))]
    let measured = {
        runtime.start_clock().map_err(shut)?;
        nothing_measured()
    };
    let pipe = Arc::new(Pipe(Mutex::new((io::stdin(), io::stdout()))));
    // Lists of words and numbers always serialize.
    let json = serde_json::to_vec(&measured).unwrap_or_default();
    let work = match pipe.ask(&Frame::Measured(json)) {
        Ok(frame) => frame,
        // The parent did not like what it read, and is gone.
        Err(_) => return Ok(()),
    };
    let said = match work {
        Some(Frame::Compile(component)) => match runtime.compile(&component) {
            Ok(code) => Frame::Compiled(code),
            Err(error) => Frame::Failed(error),
        },
        Some(Frame::Run(code, job)) => match run(&runtime, code, &job, pipe.clone()) {
            Ok(finished) => Frame::Done(finished),
            Err(error) => Frame::Failed(error),
        },
        _ => return Ok(()),
    };
    // Where the parent is gone there is nobody to tell.
    let _ = pipe.tell(&said);
    Ok(())
}

fn run(runtime: &Runtime, code: Vec<u8>, job: &Job, pipe: Arc<Pipe>) -> Result<Finished, RunError> {
    let loaded = runtime.load(&Compiled::handed_over(code), job.given)?;
    runtime.run(&loaded, job, pipe)
}

/// The two ends of the pipes, one frame at a time.
struct Pipe(Mutex<(io::Stdin, io::Stdout)>);

impl Pipe {
    fn tell(&self, frame: &Frame) -> io::Result<()> {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        frame.write(&mut ends.1)
    }

    fn ask(&self, frame: &Frame) -> io::Result<Option<Frame>> {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        frame.write(&mut ends.1)?;
        Frame::read(&mut ends.0, FRAME_BYTES_MAX)
    }
}

impl Doors for Pipe {
    fn line(&self, text: &str) {
        // A line that cannot be handed over is lost; the run's end will say that the parent is gone.
        let _ = self.tell(&Frame::Line(text.to_owned()));
    }

    fn call(&self, operation: &str, parameters: &str) -> Result<String, String> {
        let frame = Frame::Call(operation.to_owned(), parameters.to_owned());
        match self.ask(&frame) {
            Ok(Some(Frame::Reply(said))) => said,
            _ => Err("the broker is gone".to_owned()),
        }
    }
}

/// Where the kernel has nothing to shut a process in with, a policy that asks for it is refused.
#[cfg(not(target_os = "linux"))]
fn nothing_measured() -> symbolon_capsule::Measured {
    symbolon_capsule::Measured {
        cpu: Vec::new(),
        landlock_abi: 0,
        no_dumps: false,
        no_new_privileges: false,
        seccomp_mode: 0,
        syscalls: None,
    }
}
