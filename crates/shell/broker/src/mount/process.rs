//! A server's program: started, spoken to a line at a time, and stopped with all that it started.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::error::{MountError, MountFault};
use super::pending::Pending;
use super::rpc::{Message, Outcome, notice, reply_to};
use super::spec::MountProgram;
use super::tail::Tail;

/// A program that runs. Dropped, it is stopped.
pub(super) struct Process {
    shared: Arc<Shared>,
    lines: mpsc::Sender<Line>,
    next_id: AtomicU64,
}

/// One message to the program.
struct Line {
    /// The request that it is, where it is one.
    request: Option<u64>,
    message: Vec<u8>,
}

/// What its tasks share.
struct Shared {
    /// `None` once it is over: its number may be another's.
    group: Mutex<Option<Pid>>,
    pending: Pending,
    /// It says that its list of tools changed.
    stale: AtomicBool,
    stop: CancellationToken,
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
            pending: Pending::default(),
            stale: AtomicBool::new(false),
            stop: CancellationToken::new(),
        });
        let (lines, queue) = mpsc::channel(QUEUE);
        runtime.spawn(write(stdin, queue, shared.clone()));
        runtime.spawn(hear(stderr, tail.clone()));
        let reading = read(stdout, shared.clone(), lines.clone(), bytes_max);
        runtime.spawn(supervise(child, shared.clone(), reading, guard));
        Ok(Self { shared, lines, next_id: AtomicU64::new(1) })
    }

    /// Whether it may still answer.
    pub(super) fn is_alive(&self) -> bool {
        !self.shared.pending.has_ended()
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
        let answer = self.shared.pending.add(id)?;
        let mut asked = Asked { process: self, id, is_over: false };
        if self.lines.send(Line { request: Some(id), message }).await.is_err() {
            return Err(MountFault::Ended.unsent());
        }
        let answered = answer.await.unwrap_or_else(|_| Err(MountFault::Ended.sent()));
        asked.is_over = true;
        answered
    }

    /// Sends a notification.
    pub(super) async fn tell(&self, message: Vec<u8>) -> Result<(), MountError> {
        let line = Line { request: None, message };
        self.lines.send(line).await.map_err(|_| MountFault::Ended.unsent())
    }

    /// Ends it, with all that it started.
    pub(super) fn stop(&self) {
        self.shared.pending.end(MountFault::Stopped);
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
        self.process.shared.pending.forget(self.id);
        let params = json!({"requestId": self.id, "reason": "nobody waits any more"});
        // Where there is no room the server has more to do than to hear of it.
        let message = notice("notifications/cancelled", params);
        let _ = self.process.lines.try_send(Line { request: None, message });
    }
}

impl Shared {
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
                self.pending.answer(id, Answered { outcome, bytes: line.len() as u64 });
                Ok(None)
            }
            Message::Request { id, method } => Ok(Some(reply_to(&id, &method))),
            Message::Notice { method } => {
                if method == "notifications/tools/list_changed" {
                    self.stale.store(true, Relaxed);
                }
                Ok(None)
            }
            // Others have calls here: the one that it is of runs out of time.
            Message::Unread => Ok(None),
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
    shared.pending.end(fault);
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
    replies: mpsc::Sender<Line>,
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
                Ok(Some(message)) => drop(replies.try_send(Line { request: None, message })),
                Ok(None) => {}
                Err(fault) => return fault,
            }
        }
        line.clear();
        line.shrink_to(LINE_KEPT);
    }
}

/// Lines to the program, until it reads no more.
async fn write(mut stdin: ChildStdin, mut queue: mpsc::Receiver<Line>, shared: Arc<Shared>) {
    while let Some(Line { request, mut message }) = queue.recv().await {
        // Who asked may have been told already that it was not sent.
        if request.is_some_and(|id| !shared.pending.begin_write(id)) {
            continue;
        }
        message.push(b'\n');
        let is_written = write_whole(&mut stdin, &message).await;
        match (request, is_written) {
            (Some(id), true) => shared.pending.written(id),
            (Some(id), false) => shared.pending.unwritten(id),
            (None, _) => {}
        }
        if !is_written {
            // What waits behind it is not written either.
            return shared.pending.end(MountFault::Ended);
        }
    }
}

/// Whether the program may have a whole message: all of it but, perhaps, the end of its line.
async fn write_whole(stdin: &mut ChildStdin, line: &[u8]) -> bool {
    let mut written = 0;
    while written < line.len() {
        match stdin.write(&line[written..]).await {
            Ok(0) | Err(_) => return written + 1 >= line.len(),
            Ok(more) => written += more,
        }
    }
    true
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
const LINE_KEPT: usize = 64 * 1024;
