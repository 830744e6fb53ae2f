//! Questions that other processes of the home put to its running node: whether operators' nodes have an entry where somebody
//! says that it stands. One line of JSON over a socket in `run/`, one line back.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use symbolon_ambient::SystemClock;
use symbolon_codec::{Digest32, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::drive::Work;
use crate::judge::MeshJudge;

/// Where a running node is asked, in `run/`.
pub const SOCKET: &str = "node.sock";
/// The longest line, either way: an answer has a checkpoint with its cosignatures.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// How long whoever asks should wait: the mesh ends a question after 30 seconds.
pub const ANSWER_WAIT: Duration = Duration::from_secs(40);

/// Whether an entry stands in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Text of the log's key.
    pub log: String,
    /// The entry's place.
    pub index: u64,
    /// Its leaf hash.
    pub leaf: Digest32,
    /// How many operators have to show it, other than the log's and this home's.
    pub quorum: u8,
}

/// What came of a question. Whatever is counted was checked: a path to a checkpoint that the log signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// As many operators as were asked for showed it there.
    Confirmed {
        /// Their keys in hex.
        by: Vec<String>,
    },
    /// The log has another entry there.
    Contradicted {
        /// The checkpoint that has it.
        note: String,
        /// Its leaf hash.
        leaf: Digest32,
    },
    /// Too few answered.
    Unknown {
        /// Those that showed it.
        by: Vec<String>,
    },
    /// The node does not follow the log, so it knows no checkpoint to hold an answer against.
    Unfollowed,
    /// The line was no question.
    Unread,
}

type Judging = MeshJudge<SystemClock>;

/// Takes questions until it is dropped.
///
/// # Errors
/// What the system says of the socket.
pub(crate) fn listen(run: &Path) -> io::Result<UnixListener> {
    let path = run.join(SOCKET);
    // The node's lock is held: whoever made one that is there has ended.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

pub(crate) async fn serve(listener: UnixListener, tell: mpsc::Sender<Work<Judging>>) {
    let free = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        // Nobody closes it.
        let Ok(place) = free.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let tell = tell.clone();
        tokio::spawn(async move {
            // One that goes away, or says nothing, is not waited for.
            let _ = timeout(ANSWER_WAIT, answer(stream, &tell)).await;
            drop(place);
        });
    }
}

async fn answer(mut stream: UnixStream, tell: &mpsc::Sender<Work<Judging>>) -> io::Result<()> {
    let mut line = Vec::new();
    let mut part = [0; 1024];
    while !line.contains(&b'\n') && line.len() <= QUESTION_BYTES_MAX {
        match timeout(READ_WAIT, stream.read(&mut part)).await {
            Ok(Ok(count)) if count > 0 => line.extend_from_slice(&part[..count]),
            Ok(Err(error)) => return Err(error),
            _ => break,
        }
    }
    let outcome = match parse(&line) {
        Some(question) => asked(question, tell).await,
        None => Some(Outcome::Unread),
    };
    let Some(outcome) = outcome else { return Ok(()) };
    // Strings and numbers always serialize.
    let mut bytes = serde_json::to_vec(&outcome).unwrap_or_default();
    bytes.push(b'\n');
    stream.write_all(&bytes).await?;
    stream.shutdown().await
}

fn parse(line: &[u8]) -> Option<Question> {
    let value = json::parse_bounded(line, QUESTION_BYTES_MAX, 2).ok()?;
    serde_json::from_value(value).ok()
}

/// Nothing where the node has ended.
async fn asked(question: Question, tell: &mpsc::Sender<Work<Judging>>) -> Option<Outcome> {
    let (give, given) = oneshot::channel();
    let work: Work<Judging> = Box::new(move |judge, orders| judge.ask(&question, give, orders));
    tell.send(work).await.ok()?;
    given.await.ok()
}

/// Where the socket of a home's node is.
pub fn socket(run: &Path) -> PathBuf {
    run.join(SOCKET)
}

/// Questions that are open at once.
const AT_ONCE: usize = 32;
const QUESTION_BYTES_MAX: usize = 1024;
const READ_WAIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);
