//! The thread that asks witnesses to sign: no call waits for it.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use http::StatusCode;
use serde::{Deserialize, Serialize};
use symbolon_ambient::{Clock, SystemClock};
use symbolon_codec::{Digest32, time::rfc3339};
use symbolon_log::{AddCheckpoint, Checkpoint, Storage, Succession};
use symbolon_store::{Home, LogService, replace_file};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::cosigner::SIZE;
use crate::gathered::{FINAL_WITNESSES, Gathered};
use crate::listed::{Listed, ListedWitness};

/// The log whose checkpoints are shown.
pub trait Source: Send + Sync + 'static {
    /// The last signed checkpoint's note.
    fn latest(&self) -> Option<String>;
    /// The path from one size to another.
    fn consistency(&self, old: u64, new: u64) -> Option<Vec<Digest32>>;
}

impl<S: Storage + 'static> Source for LogService<S> {
    fn latest(&self) -> Option<String> {
        self.log().latest_checkpoint()
    }
    fn consistency(&self, old: u64, new: u64) -> Option<Vec<Digest32>> {
        self.log().consistency(old, new).ok()
    }
}

/// How it stands with a witness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// It signed.
    Cosigned,
    /// It does not answer.
    Unreachable,
    /// It has seen more of this log than this log has: a home restored from a copy looks so.
    RolledBack,
    /// It has seen another history of this log.
    Forked,
    /// It does not sign, and says something else; most likely it does not know this log.
    Refused,
}

/// What is told of a witness, in `run/witnesses.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// How it stands.
    pub state: State,
    /// Entries in the checkpoint that it was asked to sign.
    pub size: u64,
    /// When, RFC 3339.
    pub at: String,
    /// What went wrong, in a sentence.
    pub message: String,
}

/// A thread, until it is stopped or dropped.
#[derive(Debug)]
pub struct Asker {
    stop: CancellationToken,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Asker {
    /// Starts to ask the witnesses of the home's list, which is read again when it changes.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(
        source: Arc<dyn Source>,
        home: &Home,
        gathered: Arc<Gathered>,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = CancellationToken::new();
        let told = Arc::new(Mutex::new(BTreeMap::new()));
        let (target, _) = watch::channel(None);
        let office = Office {
            shared: Arc::new(Shared { source, gathered, told, line: home.operator_succession() }),
            list: home.witnesses(),
            report: home.run().join(REPORT),
            target,
            tasks: BTreeMap::new(),
        };
        let stopped = stop.clone();
        let thread = thread::Builder::new().name("witnesses".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = office.run() => {}
                    () = stopped.cancelled() => {}
                }
            });
        })?;
        Ok(Self { stop, thread: Mutex::new(Some(thread)) })
    }

    /// Ends the thread; what is on its way is given up, and asked again by the next.
    pub fn stop(&self) {
        self.stop.cancel();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // One that panicked has ended as well.
            let _ = thread.join();
        }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Name of the file in `run/` that says how it stands: a map from names to [`Told`].
pub const REPORT: &str = "witnesses.json";

/// What every witness is asked to sign, until enough have or it takes too long.
type Target = Option<Arc<(Checkpoint, String)>>;

struct Shared {
    source: Arc<dyn Source>,
    gathered: Arc<Gathered>,
    told: Arc<Mutex<BTreeMap<String, Told>>>,
    /// The file with the keys that the log had, where its key ever gave way.
    line: PathBuf,
}

struct Office {
    shared: Arc<Shared>,
    list: PathBuf,
    report: PathBuf,
    target: watch::Sender<Target>,
    tasks: BTreeMap<String, (ListedWitness, AbortHandle)>,
}

impl Office {
    async fn run(mut self) {
        let (mut reported, mut since) = (None, Instant::now());
        loop {
            self.read_list();
            if self.tasks.is_empty() {
                self.report(&mut reported);
                sleep(IDLE).await;
                continue;
            }
            if self.is_settled(since.elapsed()) {
                let latest = self.shared.source.latest();
                let next = latest.and_then(|note| {
                    let checkpoint = Checkpoint::dangerous_read_unverified(&note).ok()?;
                    Some(Arc::new((checkpoint, note)))
                });
                if next.as_ref().map(|it| &it.0) != self.target.borrow().as_ref().map(|it| &it.0) {
                    since = Instant::now();
                    self.target.send_replace(next);
                }
            }
            self.report(&mut reported);
            sleep(TICK).await;
        }
    }

    /// Enough have signed what they are asked for, or it is time for the next.
    fn is_settled(&self, age: Duration) -> bool {
        let enough = self.tasks.len().min(FINAL_WITNESSES);
        let target = self.target.borrow();
        let Some(target) = target.as_ref() else { return true };
        age >= AT_MOST || (age >= AT_LEAST && self.shared.gathered.count(&target.0) >= enough)
    }

    fn read_list(&mut self) {
        // A list that cannot be read is said by `symbolon witnesses ls`; those of before are asked on.
        let Ok(listed) = Listed::read(&self.list) else { return };
        self.tasks.retain(|_, (witness, task)| {
            let is_there = listed.all().contains(witness);
            if !is_there {
                task.abort();
                self.shared.lock().remove(&witness.name);
            }
            is_there
        });
        for witness in listed.all() {
            if self.tasks.contains_key(&witness.name) {
                continue;
            }
            let (shared, target) = (self.shared.clone(), self.target.subscribe());
            let task = tokio::spawn(Asking::new(witness.clone(), shared).run(target));
            self.tasks.insert(witness.name.clone(), (witness.clone(), task.abort_handle()));
        }
    }

    fn report(&self, reported: &mut Option<BTreeMap<String, Told>>) {
        let told = self.shared.lock().clone();
        if reported.as_ref() != Some(&told) {
            // Strings and numbers always serialize. A report that cannot be written is written with the next change.
            let text = serde_json::to_vec(&told).unwrap_or_default();
            if replace_file(&self.report, &text).is_ok() {
                *reported = Some(told);
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One witness, asked again and again.
struct Asking {
    witness: ListedWitness,
    shared: Arc<Shared>,
    client: Client,
    /// What it is believed to have.
    known: u64,
}

impl Asking {
    fn new(witness: ListedWitness, shared: Arc<Shared>) -> Self {
        let client = Client::new(witness.url.clone(), ANSWER_WAIT);
        Self { witness, shared, client, known: 0 }
    }

    async fn run(mut self, mut target: watch::Receiver<Target>) {
        let mut wait = WAIT_FIRST;
        loop {
            let Some(now) = target.borrow_and_update().clone() else {
                if target.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let (checkpoint, note) = &*now;
            let asked = match self.shared.gathered.has(checkpoint, &self.witness.key) {
                true => Ok(()),
                false => self.ask_by_any_key(checkpoint, note).await,
            };
            let (state, message) = match asked {
                Ok(()) => (State::Cosigned, String::new()),
                Err(trouble) => trouble,
            };
            let told =
                Told { state, size: checkpoint.size, at: rfc3339(SystemClock.unix_ms()), message };
            if let State::RolledBack | State::Forked = state {
                let name = &self.witness.name;
                tracing::error!("witness {name} does not sign this log: {}", told.message);
            }
            self.shared.lock().insert(self.witness.name.clone(), told);
            if state == State::Cosigned {
                wait = WAIT_FIRST;
                if target.changed().await.is_err() {
                    return;
                }
            } else {
                sleep(wait).await;
                wait = (wait * 2).min(WAIT_MAX);
            }
        }
    }

    /// Asks for a cosignature. A witness that does not know the key may not have been there when one gave way to another: it is
    /// shown that first.
    async fn ask_by_any_key(
        &mut self,
        checkpoint: &Checkpoint,
        note: &str,
    ) -> Result<(), (State, String)> {
        let refused = match self.ask(checkpoint, note).await {
            Err((State::Refused, what)) if what.starts_with(FORBIDDEN) => (State::Refused, what),
            other => return other,
        };
        let line = std::fs::read(&self.shared.line).ok();
        let Some(line) = line.and_then(|bytes| Succession::parse(&bytes).ok()) else {
            return Err(refused);
        };
        for handover in line.handovers() {
            // One that is behind what it has seen says nothing new to it.
            let shown = self.ask(handover.checkpoint(), handover.note()).await;
            if let Err((State::Unreachable | State::Forked, _)) = shown {
                return shown;
            }
        }
        self.ask(checkpoint, note).await
    }

    /// Asks for a cosignature, once more where the witness says from which size.
    async fn ask(&mut self, checkpoint: &Checkpoint, note: &str) -> Result<(), (State, String)> {
        let size = checkpoint.size;
        for _ in 0..2 {
            let old = self.known;
            if old > size {
                let what = format!("it has seen {old} entries, and this log has {size}");
                self.known = 0;
                return Err((State::RolledBack, what));
            }
            let proof = match old {
                0 => Some(Vec::new()),
                old => self.shared.source.consistency(old, size),
            };
            let proof = proof.ok_or((State::Refused, "the log gave no proof".to_owned()))?;
            let body = AddCheckpoint { old, proof, note: note.to_owned() }.to_text();
            let answer = self.client.post("add-checkpoint", body, ANSWER_BYTES_MAX).await;
            let answer = answer.map_err(|e| (State::Unreachable, e.to_string()))?;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            match answer.status {
                StatusCode::OK => return self.keep(checkpoint, note, &text),
                StatusCode::CONFLICT if answer.media_type == SIZE => {
                    let has = text.trim_end_matches('\n').parse::<u64>();
                    self.known =
                        has.map_err(|_| (State::Refused, "a size that is none".to_owned()))?;
                    if self.known == old {
                        let what = format!("it has seen another root of {old} entries");
                        self.known = 0;
                        return Err((State::Forked, what));
                    }
                }
                StatusCode::UNPROCESSABLE_ENTITY => {
                    self.known = 0;
                    let what = format!("what it has seen does not begin these {size} entries");
                    return Err((State::Forked, what));
                }
                status => {
                    let said: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
                    let what = match status {
                        StatusCode::NOT_FOUND => "it does not know this log".to_owned(),
                        status => format!("{}: {said}", status.as_u16()),
                    };
                    return Err((State::Refused, what));
                }
            }
        }
        Err((State::Refused, "it changes its size with each answer".to_owned()))
    }

    /// Keeps the lines of an answer that are by this witness, if they verify.
    fn keep(
        &mut self,
        checkpoint: &Checkpoint,
        note: &str,
        text: &str,
    ) -> Result<(), (State, String)> {
        let key = &self.witness.key;
        let refused = |what: String| (State::Refused, what);
        key.verify_lines(&checkpoint_text(note), text).map_err(|e| refused(e.to_string()))?;
        let own = format!("\u{2014} {} ", key.name());
        let lines: String = text.split_inclusive('\n').filter(|l| l.starts_with(&own)).collect();
        let kept = self.shared.gathered.add(checkpoint, note, key, &lines);
        kept.map_err(|e| refused(format!("it signed, and that cannot be kept: {e}")))?;
        self.known = checkpoint.size;
        Ok(())
    }
}

/// How the word on a witness begins that knows no key of those that signed.
const FORBIDDEN: &str = "403";

/// A note without its signatures.
fn checkpoint_text(note: &str) -> String {
    note.rsplit_once("\n\n").map(|(text, _)| format!("{text}\n")).unwrap_or_default()
}

/// Between looks at the log, and at a list that is empty.
const TICK: Duration = Duration::from_millis(250);
const IDLE: Duration = Duration::from_secs(2);
/// How long one checkpoint is what witnesses are asked for.
const AT_LEAST: Duration = Duration::from_secs(1);
const AT_MOST: Duration = Duration::from_secs(5);
/// How long a witness is waited for, and between tries.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
const WAIT_FIRST: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(60);
const ANSWER_BYTES_MAX: usize = 16 * 1024;
