//! A server's program: started, spoken to a line at a time, and stopped with all that it started.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::error::{MountError, MountFault};
use super::rpc::{Message, Outcome, notice, reply_to};
use super::spec::MountProgram;
use super::tail::Tail;

/// A program that runs. Dropped, it is stopped.
pub(super) struct Process {
    shared: Arc<Shared>,
    lines: mpsc::Sender<Vec<u8>>,
    next_id: AtomicU64,
}

/// What its tasks share.
struct Shared {
    /// `None` once it is over: its number may be another's.
    group: Mutex<Option<Pid>>,
    waiting: Mutex<Waiting>,
    /// It says that its list of tools changed.
    stale: AtomicBool,
    stop: CancellationToken,
}

/// Requests without an answer.
struct Waiting {
    by_id: HashMap<u64, oneshot::Sender<Result<Answered, MountFault>>>,
    /// Why there will be none.
    ended: Option<MountFault>,
}

/// What came of a request, and how many bytes that took.
pub(super) struct Answered {
    pub outcome: Outcome,
    pub bytes: u64,
}

impl Process {
    /// Starts it, with the environment that is given and no other, in a process group of its own.
    /// Its tasks run on `runtime`, for a lane's may end with the call.
    pub(super) fn start(
        program: &MountProgram,
        environment: &[(String, String)],
        bytes_max: usize,
        tail: &Arc<Tail>,
        guard: Option<Box<dyn Send + Sync>>,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Self, MountFault> {
        let [name, arguments @ ..] = &*program.command else {
            return Err(MountFault::Start("there is no program".to_owned()));
        };
        let _here = runtime.enter();
        let mut child = Command::new(name)
            .args(arguments)
            .env_clear()
            .envs(program.environment.iter())
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&program.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| MountFault::Start(e.to_string()))?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = streams else {
            return Err(MountFault::Start("it has no streams".to_owned()));
        };
        let shared = Arc::new(Shared {
            group: Mutex::new(group),
            waiting: Mutex::new(Waiting { by_id: HashMap::new(), ended: None }),
            stale: AtomicBool::new(false),
            stop: CancellationToken::new(),
        });
        let (lines, queue) = mpsc::channel(QUEUE);
        runtime.spawn(write(stdin, queue));
        runtime.spawn(hear(stderr, tail.clone()));
        let reading = read(stdout, shared.clone(), lines.clone(), bytes_max);
        runtime.spawn(supervise(child, shared.clone(), reading, guard));
        Ok(Self { shared, lines, next_id: AtomicU64::new(1) })
    }

    /// Whether it may still answer.
    pub(super) fn is_alive(&self) -> bool {
        self.shared.waiting().ended.is_none()
    }

    /// An id that no message of this program had.
    pub(super) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Relaxed)
    }

    /// Whether it said, since the last time, that its list of tools changed.
    pub(super) fn take_stale(&self) -> bool {
        self.shared.stale.swap(false, Relaxed)
    }

    /// Sends a request and waits for what comes of it. Dropped before, it tells the server so.
    pub(super) async fn ask(&self, id: u64, message: Vec<u8>) -> Result<Answered, MountError> {
        let (told, answer) = oneshot::channel();
        {
            let mut waiting = self.shared.waiting();
            if let Some(fault) = &waiting.ended {
                return Err(fault.clone().unsent());
            }
            if waiting.by_id.len() >= WAITING_MAX {
                return Err(MountFault::Busy.unsent());
            }
            waiting.by_id.insert(id, told);
        }
        let mut asked = Asked { process: self, id, is_over: false };
        if self.lines.send(message).await.is_err() {
            return Err(MountFault::Ended.unsent());
        }
        let answered = answer.await.unwrap_or(Err(MountFault::Ended));
        asked.is_over = true;
        answered.map_err(MountFault::sent)
    }

    /// Sends a notification.
    pub(super) async fn tell(&self, message: Vec<u8>) -> Result<(), MountError> {
        self.lines.send(message).await.map_err(|_| MountFault::Ended.unsent())
    }

    /// Ends it, with all that it started.
    pub(super) fn stop(&self) {
        self.shared.end(MountFault::Stopped);
        self.shared.kill();
        self.shared.stop.cancel();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One request that waits.
struct Asked<'p> {
    process: &'p Process,
    id: u64,
    is_over: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.process.shared.waiting().by_id.remove(&self.id);
        let params = json!({"requestId": self.id, "reason": "nobody waits any more"});
        // Where there is no room the server has more to do than to hear of it.
        let _ = self.process.lines.try_send(notice("notifications/cancelled", params));
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing will be answered any more. The first reason stands.
    fn end(&self, fault: MountFault) {
        let mut waiting = self.waiting();
        let fault = waiting.ended.get_or_insert(fault).clone();
        for (_, told) in waiting.by_id.drain() {
            // Whoever does not wait any more does not hear it.
            let _ = told.send(Err(fault.clone()));
        }
    }

    fn kill(&self) {
        let group = self.group.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(group) = *group {
            // It may have ended at this moment.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// What one line of the program comes to; a reply to it, where it asks.
    fn take(&self, line: &[u8], bytes_max: usize) -> Result<Option<Vec<u8>>, MountFault> {
        match Message::read(line, bytes_max)? {
            Message::Answer { id, outcome } => {
                // An answer that nobody waits for any more is dropped.
                if let Some(told) = self.waiting().by_id.remove(&id) {
                    let _ = told.send(Ok(Answered { outcome, bytes: line.len() as u64 }));
                }
                Ok(None)
            }
            Message::Request { id, method } => Ok(Some(reply_to(&id, &method))),
            Message::Notice { method } => {
                if method == "notifications/tools/list_changed" {
                    self.stale.store(true, Relaxed);
                }
                Ok(None)
            }
        }
    }
}

/// Sees to it that nothing is left when the program ends, or is to end.
async fn supervise(
    mut child: Child,
    shared: Arc<Shared>,
    reading: impl Future<Output = MountFault>,
    guard: Option<Box<dyn Send + Sync>>,
) {
    tokio::pin!(reading);
    let fault = tokio::select! {
        biased;
        () = shared.stop.cancelled() => MountFault::Stopped,
        fault = &mut reading => fault,
        // What it said last may still be on its way.
        _ = child.wait() => tokio::time::timeout(LAST_WORDS, reading).await.unwrap_or(MountFault::Ended),
    };
    shared.end(fault);
    // What it started has its group too, also where it ended by itself.
    shared.kill();
    // A child of ours that was killed ends.
    let _ = child.wait().await;
    *shared.group.lock().unwrap_or_else(PoisonError::into_inner) = None;
    drop(guard);
}

/// Lines from the program, until one is wrong or there are no more.
async fn read(
    stdout: ChildStdout,
    shared: Arc<Shared>,
    replies: mpsc::Sender<Vec<u8>>,
    bytes_max: usize,
) -> MountFault {
    let mut stdout = BufReader::with_capacity(64 * 1024, stdout);
    let mut line = Vec::new();
    loop {
        let room = (bytes_max + 1).saturating_sub(line.len()) as u64;
        match (&mut stdout).take(room).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return MountFault::Ended,
            Ok(_) if line.last() != Some(&b'\n') && line.len() > bytes_max => {
                return MountFault::TooLong(bytes_max as u64);
            }
            Ok(_) if line.last() != Some(&b'\n') => return MountFault::Ended,
            Ok(_) => {}
        }
        let text = line.trim_ascii();
        if !text.is_empty() {
            match shared.take(text, bytes_max) {
                // A server that asks faster than it listens is not answered.
                Ok(reply) => drop(reply.map(|reply| replies.try_send(reply))),
                Err(fault) => return fault,
            }
        }
        line.clear();
        line.shrink_to(LINE_KEPT);
    }
}

async fn write(mut stdin: ChildStdin, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(mut line) = queue.recv().await {
        line.push(b'\n');
        if stdin.write_all(&line).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

/// What a program says on the side is for its owner.
async fn hear(mut stderr: ChildStderr, tail: Arc<Tail>) {
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = stderr.read(&mut piece).await {
        tail.push(&piece[..read]);
    }
}

const LAST_WORDS: Duration = Duration::from_millis(500);
const QUEUE: usize = 64;
const WAITING_MAX: usize = 64;
const LINE_KEPT: usize = 64 * 1024;
