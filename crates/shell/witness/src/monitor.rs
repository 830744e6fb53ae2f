//! One look at a log over HTTP.

use std::time::Duration;

use http::StatusCode;
use symbolon_log::note::NOTE_BYTES_MAX;
use symbolon_log::{
    CheckpointError, Mirror, MirrorError, NoteError, Observed, SUCCESSION_BYTES_MAX, Storage,
    Succession, Tile,
};
use tokio::runtime::Runtime;

use crate::client::{Client, ClientError};
use crate::tiles::SUCCESSION;

/// Why a look ended without knowing more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MonitorError {
    /// The log does not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It answers with something else than a checkpoint.
    #[error("the log has no checkpoint: status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// The checkpoint is no text.
    #[error("the log's checkpoint is no text")]
    Text,
    /// What it shows, or what is kept of it here.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// What it is beside what was known.
    pub observed: Observed,
    /// The checkpoint's note.
    pub note: String,
    /// Whether the log goes on under another key than before.
    pub is_new_key: bool,
}

/// Gets the log's checkpoint, and what is new under it. Blocks.
///
/// # Errors
/// [`MonitorError`]; what is known stays as it was.
pub fn look<S: Storage>(
    runtime: &Runtime,
    client: &mut Client,
    mirror: &mut Mirror<S>,
) -> Result<Looked, MonitorError> {
    let answer = runtime.block_on(client.get("checkpoint", NOTE_BYTES_MAX))?;
    if answer.status != StatusCode::OK {
        return Err(MonitorError::Status { status: answer.status.as_u16() });
    }
    let note = String::from_utf8(answer.body.to_vec()).map_err(|_| MonitorError::Text)?;
    let is_new_key = match mirror.keys().open_signed(&note) {
        Err(CheckpointError::Note(NoteError::Unsigned { .. })) => {
            follow(runtime, client, mirror, &note)?
        }
        _ => false,
    };
    let mut fetch = |tile: &Tile| runtime.block_on(fetch(client, tile));
    let observed = mirror.observe(&note, &mut fetch)?;
    Ok(Looked { observed, note, is_new_key })
}

/// Looks for keys that the known ones handed over to, one of which signed this. What the log says of that is nothing where it
/// does not hold: then the checkpoint is refused.
fn follow<S: Storage>(
    runtime: &Runtime,
    client: &mut Client,
    mirror: &mut Mirror<S>,
    note: &str,
) -> Result<bool, MonitorError> {
    let answer = runtime.block_on(client.get(SUCCESSION, SUCCESSION_BYTES_MAX))?;
    if answer.status != StatusCode::OK {
        return Ok(false);
    }
    let Ok(keys) = Succession::parse(&answer.body) else { return Ok(false) };
    if !keys.goes_on_from(mirror.keys()) || keys.open_signed(note).is_err() {
        return Ok(false);
    }
    mirror.follow(keys)?;
    Ok(true)
}

/// A tile, or the first part of the full one where a log keeps partial tiles no longer.
async fn fetch(client: &mut Client, tile: &Tile) -> Result<Vec<u8>, String> {
    let wanted = usize::from(tile.width) * 32;
    let bytes = match get(client, tile).await? {
        None if tile.width < 256 => get(client, &Tile::full(tile.kind, tile.number)).await?,
        found => found,
    };
    let mut bytes = bytes.ok_or("the log does not have it")?;
    if bytes.len() == TILE_BYTES_MAX {
        bytes.truncate(wanted);
    }
    Ok(bytes)
}

async fn get(client: &mut Client, tile: &Tile) -> Result<Option<Vec<u8>>, String> {
    for _ in 0..TRIES {
        let answer = client.get(&tile.to_string(), TILE_BYTES_MAX).await;
        let answer = answer.map_err(|error| error.to_string())?;
        match answer.status {
            StatusCode::OK => return Ok(Some(answer.body.to_vec())),
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
            StatusCode::TOO_MANY_REQUESTS => tokio::time::sleep(Duration::from_secs(1)).await,
            status => return Err(format!("status {}", status.as_u16())),
        }
    }
    Err("the log asks to wait again and again".to_owned())
}

const TILE_BYTES_MAX: usize = 256 * 32;
const TRIES: usize = 30;
