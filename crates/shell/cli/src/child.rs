//! A program that runs in our place: it has our terminal, our signals and our exit code.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::runtime;

/// Runs it to its end. Signals that others send us are sent on; what a terminal sends reaches it
/// without us.
pub fn run(
    command: &[OsString],
    environment: &[(OsString, OsString)],
) -> Result<ExitCode, Failure> {
    let [program, arguments @ ..] = command else {
        return Err(Failure::usage("there is no program to run"));
    };
    runtime::single()?.block_on(async {
        // Before the program starts, so that none is lost.
        let failed = |error: std::io::Error| {
            Failure::environment("signals", format!("cannot listen for signals: {error}"))
        };
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let mut quit = signal(SignalKind::quit()).map_err(failed)?;
        let mut user1 = signal(SignalKind::user_defined1()).map_err(failed)?;
        let mut user2 = signal(SignalKind::user_defined2()).map_err(failed)?;
        let envs = environment.iter().map(|(name, value)| (name, value));
        let started = Command::new(program).args(arguments).envs(envs).spawn();
        let mut child = started.map_err(|error| {
            let what = format!("cannot run {}: {error}", program.to_string_lossy());
            Failure::environment("program", what).next("look at the name, and at $PATH")
        })?;
        let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        // Of a terminal's keys everyone in the foreground has heard already.
        let has_terminal = std::io::IsTerminal::is_terminal(&std::io::stdin());
        loop {
            let told = tokio::select! {
                ended = child.wait() => return Ok(code(ended.map_err(failed)?)),
                _ = terminate.recv() => Signal::TERM,
                _ = hangup.recv() => Signal::HUP,
                _ = user1.recv() => Signal::USR1,
                _ = user2.recv() => Signal::USR2,
                _ = interrupt.recv() => {
                    if has_terminal { continue }
                    Signal::INT
                }
                _ = quit.recv() => {
                    if has_terminal { continue }
                    Signal::QUIT
                }
            };
            if let Some(pid) = pid {
                // It may have ended at this moment.
                let _ = kill_process(pid, told);
            }
        }
    })
}

/// As a shell tells it: 128 and the signal's number where one ended it.
fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|number| 128 + number));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
