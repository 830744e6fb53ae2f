//! Starts the children that capsules are compiled and run in, and holds them to the manifest.

use std::ffi::OsString;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use symbolon_capsule::{Admitted, Policy, Satisfied};

use crate::cache::{Cache, Compiled};
use crate::engine::Runtime;
use crate::error::RunError;
use crate::frame::{FRAME_BYTES_MAX, Frame, SAID_BYTES_MAX};
use crate::run::{Finished, Given, Job};
use crate::state::Doors;

/// Knows how a child is started: a program and its arguments, which end in `serve_child`.
#[derive(Debug, Clone)]
pub struct Keeper {
    program: PathBuf,
    arguments: Vec<OsString>,
    compiling: fn(usize),
}

/// A run that came to its end, with the evidence for the state gate.
#[derive(Debug)]
pub struct Ran {
    /// What it gave.
    pub finished: Finished,
    /// What was measured of its process, which satisfied the manifest's policy.
    pub satisfied: Satisfied,
    /// Whether its code was compiled before.
    pub was_cached: bool,
}

impl Keeper {
    /// Children are `program arguments…`.
    pub fn new(program: impl Into<PathBuf>, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(OsString::from).collect();
        Self { program: program.into(), arguments, compiling: |_| () }
    }

    /// Calls `tell` with a component's length, in bytes, before it is compiled: of a large one that takes a while.
    #[must_use]
    pub fn when_compiling(self, tell: fn(usize)) -> Self {
        Self { compiling: tell, ..self }
    }

    /// Runs an admitted capsule: compiled in one child, or taken from the cache; run in another,
    /// after what that one measured satisfied the policy.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn run(
        &self,
        admitted: &Admitted<'_>,
        cache: Option<&Cache>,
        input: Vec<u8>,
        now_ms: u64,
        seed: u64,
        doors: Arc<dyn Doors>,
    ) -> Result<Ran, RunError> {
        let manifest = admitted.manifest();
        let digest = &manifest.component.sha3_512;
        let engine = Runtime::build()?.version();
        let cached = cache.and_then(|it| it.get(&engine, digest));
        let was_cached = cached.is_some();
        let compiled = match cached {
            Some(compiled) => compiled,
            None => {
                let compiled = self.compile(&manifest.policy, admitted.component())?;
                if let Some(cache) = cache {
                    // The next run compiles again where this one cannot be kept.
                    let _ = cache.put(&engine, digest, &compiled);
                }
                compiled
            }
        };
        let job = Job { input, limits: manifest.limits, given: Given::of(manifest), now_ms, seed };
        let time = Duration::from_millis(manifest.limits.time_ms) + GRACE;
        let (mut started, satisfied) =
            self.start(&manifest.policy, START + time, SAID_BYTES_MAX)?;
        started.until = Instant::now() + time;
        started.tell(&Frame::Run(compiled.code().to_vec(), job))?;
        loop {
            match started.next()? {
                Frame::Line(text) => doors.line(&text),
                // The manifest names what may be called; the broker's gates come after.
                Frame::Call(operation, _) if !manifest.calls.contains(&operation) => {
                    let words = format!("the manifest does not name the operation `{operation}`");
                    started.tell(&Frame::Reply(Err(words)))?;
                }
                Frame::Call(operation, parameters) => {
                    let said = ask(&doors, operation, parameters, started.until)?;
                    started.tell(&Frame::Reply(said))?;
                }
                Frame::Done(finished) => return Ok(Ran { finished, satisfied, was_cached }),
                Frame::Failed(error) => return Err(error),
                _ => return Err(out_of_turn()),
            }
        }
    }

    /// Compiles in a child of its own, in which nothing of the component runs.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn compile(&self, policy: &Policy, component: &[u8]) -> Result<Compiled, RunError> {
        let (mut started, _) = self.start(policy, COMPILE, FRAME_BYTES_MAX)?;
        (self.compiling)(component.len());
        started.tell(&Frame::Compile(component.to_vec()))?;
        match started.next()? {
            Frame::Compiled(code) => Ok(Compiled::handed_over(code)),
            Frame::Failed(error) => Err(error),
            _ => Err(out_of_turn()),
        }
    }

    /// Starts a child and compares what it measured with the policy, before it has anything.
    fn start(
        &self,
        policy: &Policy,
        time: Duration,
        bytes_max: usize,
    ) -> Result<(Started, Satisfied), RunError> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| RunError::Process(format!("it cannot be started: {e}")))?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(RunError::Process("it has no pipes".into()));
        };
        // A few at a time: a child that floods waits, and its time runs out.
        let (sender, frames) = mpsc::sync_channel(FRAMES_WAITING);
        std::thread::spawn(move || {
            let mut from = BufReader::new(from);
            while let Ok(Some(frame)) = Frame::read(&mut from, bytes_max) {
                if sender.send(frame).is_err() {
                    break;
                }
            }
        });
        let mut started = Started { child, to, frames, until: Instant::now() + time };
        let Frame::Measured(json) = started.next()? else { return Err(out_of_turn()) };
        let measured = serde_json::from_slice(&json).map_err(|_| out_of_turn())?;
        let satisfied = policy.satisfied_by(measured)?;
        Ok((started, satisfied))
    }
}

/// What comes of a call, if it comes while the run has time: one that waits for a person holds the run no longer.
fn ask(
    doors: &Arc<dyn Doors>,
    operation: String,
    parameters: String,
    until: Instant,
) -> Result<Result<String, String>, RunError> {
    let (sender, said) = mpsc::sync_channel(1);
    let asked = doors.clone();
    let spawned = std::thread::Builder::new().spawn(move || {
        // Nobody may wait any more.
        let _ = sender.send(asked.call(&operation, &parameters));
    });
    spawned.map_err(|error| RunError::Engine(format!("a call cannot be made: {error}")))?;
    match said.recv_timeout(until.saturating_duration_since(Instant::now())) {
        Ok(said) => Ok(said),
        Err(RecvTimeoutError::Timeout) => {
            doors.leave();
            Err(RunError::Time)
        }
        Err(RecvTimeoutError::Disconnected) => Err(RunError::Engine("a call broke off".into())),
    }
}

/// A child that runs. It is ended, and waited for, when this is dropped.
struct Started {
    child: Child,
    to: ChildStdin,
    frames: Receiver<Frame>,
    until: Instant,
}

impl Started {
    fn tell(&mut self, frame: &Frame) -> Result<(), RunError> {
        match frame.write(&mut self.to) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.ended()),
        }
    }

    fn next(&mut self) -> Result<Frame, RunError> {
        let left = self.until.saturating_duration_since(Instant::now());
        match self.frames.recv_timeout(left) {
            Ok(frame) => Ok(frame),
            Err(RecvTimeoutError::Timeout) => Err(RunError::Time),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended()),
        }
    }

    /// Why its pipes are closed.
    fn ended(&mut self) -> RunError {
        // A process that was ended by a signal is waited for at once; one that closed its pipes and
        // goes on is ended here.
        let _ = self.child.kill();
        match self.child.wait() {
            Ok(status) => RunError::Process(words(status)),
            Err(error) => RunError::Process(error.to_string()),
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to end, and it is waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(libc::SIGSYS) => "it made a system call that is not let through".to_owned(),
        _ => status.to_string(),
    }
}

fn out_of_turn() -> RunError {
    RunError::Process("it spoke out of turn".into())
}

/// Frames that were read and not looked at yet.
const FRAMES_WAITING: usize = 4;
/// Until a child is shut in and has measured itself.
const START: Duration = Duration::from_secs(10);
/// Until the largest component is compiled.
const COMPILE: Duration = Duration::from_secs(120);
/// Beyond a capsule's own time: it is stopped within its process first, with its own error.
const GRACE: Duration = Duration::from_millis(1500);
