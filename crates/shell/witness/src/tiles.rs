//! The log's folder over HTTP (C2SP `tlog-tiles`).

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::{Method, StatusCode};
use symbolon_crypto::VerifyingKey;
use symbolon_log::note::NOTE_BYTES_MAX;
use symbolon_log::shard::SHARDS;
use symbolon_log::{
    Checkpoint, CheckpointError, Follower, NoteError, SUCCESSION_BYTES_MAX, Storage, Tile,
    TileKind, parse_vkey,
};
use symbolon_store::{Home, LogPlace, LogStorage};

use crate::gathered::COSIGNED;
use crate::serve::{Asked, Door, Given, TEXT};

/// Why a log cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TilesError {
    /// The home has no log yet.
    #[error("there is no log at {}", folder.display())]
    NoLog {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// `operator.pub` cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `operator.pub` is none.
    #[error("operator.pub: {0}")]
    Key(#[from] NoteError),
}

/// Reads the log as another process, and shares no lock with the one that writes it.
pub struct Tiles {
    storage: Arc<LogStorage>,
    /// What witnesses said, kept beside the log in the home.
    folder: PathBuf,
    /// `operator.pub`, and the file with the keys of before.
    files: (PathBuf, PathBuf),
    origin: String,
    key: RwLock<VerifyingKey>,
    with_entries: bool,
}

impl Tiles {
    /// Of a home's log; with its entries only where its owner said so.
    ///
    /// # Errors
    /// [`TilesError`].
    pub fn open(home: &Home, with_entries: bool) -> Result<Self, TilesError> {
        let folder = home.log();
        let place = LogPlace::of(home);
        let failed = |source| TilesError::Io { path: home.log(), source };
        let place = place.map_err(|error| failed(error.into()))?;
        if matches!(place, LogPlace::Folder(_))
            && !["entries", SHARDS].iter().any(|name| folder.join(name).exists())
        {
            return Err(TilesError::NoLog { folder });
        }
        let files = (home.operator_pub(), home.operator_succession());
        let text = std::fs::read_to_string(&files.0);
        let text = text.map_err(|source| TilesError::Io { path: files.0.clone(), source })?;
        let (origin, key) = parse_vkey(&text)?;
        let storage = Arc::new(place.reader(&origin).map_err(failed)?);
        Ok(Self { storage, folder, files, origin, key: RwLock::new(key), with_entries })
    }

    /// The log's name.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The newest checkpoint.
    fn newest(&self) -> Option<(Checkpoint, String)> {
        self.note(self.storage.get("checkpoint", NOTE_BYTES_MAX as u64 + 1).ok().flatten()?)
    }

    /// The newest that witnesses signed, as the broker wrote it down.
    fn cosigned(&self) -> Option<(Checkpoint, String)> {
        let file = File::open(self.folder.join(COSIGNED)).ok()?;
        let mut bytes = Vec::new();
        file.take(NOTE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).ok()?;
        self.note(bytes)
    }

    /// A signed note of the log's.
    fn note(&self, bytes: Vec<u8>) -> Option<(Checkpoint, String)> {
        let note = String::from_utf8(bytes).ok()?;
        let key = *self.key.read().unwrap_or_else(PoisonError::into_inner);
        let opened = match Checkpoint::open(&note, &key, &self.origin) {
            Err(CheckpointError::Note(NoteError::Unsigned { .. })) => {
                Checkpoint::open(&note, &self.newer_key(&key)?, &self.origin)
            }
            opened => opened,
        };
        Some((opened.ok()?, note))
    }

    /// The key that this one gave way to, where it did since.
    fn newer_key(&self, known: &VerifyingKey) -> Option<VerifyingKey> {
        let text = std::fs::read_to_string(&self.files.0).ok()?;
        let (origin, key) = parse_vkey(&text).ok()?;
        if origin != self.origin || key == *known {
            return None;
        }
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
        Some(key)
    }

    /// The keys that the log had, where there were several.
    fn succession(&self) -> Given {
        let file = File::open(&self.files.1).ok();
        let mut bytes = Vec::new();
        let limit = SUCCESSION_BYTES_MAX as u64;
        let read = file.and_then(|file| file.take(limit).read_to_end(&mut bytes).ok());
        if read.is_none() {
            return Given::text(StatusCode::NOT_FOUND, "the key of this log never gave way\n");
        }
        let cache = "no-cache";
        Given { status: StatusCode::OK, media_type: "application/json", cache, body: bytes.into() }
    }

    fn checkpoint(&self) -> Given {
        let Some((newest, note)) = self.newest() else {
            return Given::text(StatusCode::NOT_FOUND, "this log has no signed checkpoint yet\n");
        };
        // Lines of witnesses for an older one are no help: a reader would see the log go back.
        let cosigned = self.cosigned().filter(|(older, _)| *older == newest);
        let note = cosigned.map_or(note, |(_, note)| note);
        Given { status: StatusCode::OK, media_type: TEXT, cache: "no-cache", body: note.into() }
    }

    fn tile(&self, tile: Tile) -> Option<Bytes> {
        let (size, storage) = (self.newest()?.0.size, &self.storage);
        let width = u64::from(tile.width);
        let first = tile.number.checked_mul(256)?;
        match tile.kind {
            TileKind::Hashes { level } => {
                let there = size.checked_shr(8 * u32::from(level))?;
                first.checked_add(width).filter(|end| *end <= there)?;
                let mut bytes = vec![0; usize::from(tile.width) * 32];
                let name = format!("hashes/{level}");
                let count = storage.read_at(&name, first.checked_mul(32)?, &mut bytes).ok()?;
                (count == bytes.len()).then(|| bytes.into())
            }
            TileKind::Entries => {
                let end = first.checked_add(width).filter(|end| *end <= size)?;
                let mut log = Follower::open(storage.clone(), &self.origin, first).ok()?;
                let mut bundle = Vec::new();
                let next = log.read(end, |_, entry, _| {
                    // An entry has 65,535 bytes at most.
                    bundle.extend_from_slice(&(entry.len() as u16).to_be_bytes());
                    bundle.extend_from_slice(entry);
                    true
                });
                (next.ok()? == end).then(|| bundle.into())
            }
        }
    }
}

impl Door for Tiles {
    const BODY_BYTES_MAX: usize = 0;

    fn answer(&self, asked: &Asked) -> Given {
        if !matches!(asked.method, Method::GET | Method::HEAD) {
            return Given::text(StatusCode::METHOD_NOT_ALLOWED, "GET\n");
        }
        if asked.path == "checkpoint" {
            return self.checkpoint();
        }
        if asked.path == SUCCESSION {
            return self.succession();
        }
        let nothing = || Given::text(StatusCode::NOT_FOUND, "nothing here\n");
        let Ok(tile) = asked.path.parse::<Tile>() else { return nothing() };
        if tile.kind == TileKind::Entries && !self.with_entries {
            return Given::text(StatusCode::NOT_FOUND, "the entries of this log are not public\n");
        }
        let Some(body) = self.tile(tile) else { return nothing() };
        let cache = if tile.width == 256 { IMMUTABLE } else { "public, max-age=86400" };
        Given { status: StatusCode::OK, media_type: "application/octet-stream", cache, body }
    }
}

/// Where the keys of a log are, beside its checkpoint.
pub(crate) const SUCCESSION: &str = "succession";
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
