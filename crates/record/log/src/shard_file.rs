//! A shard in a file of its own, which shows by itself that its entries are those of the log (`specs/log.md`, "A shard's file").

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;

use crate::LogError;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::follow::Follower;
use crate::note::NOTE_BYTES_MAX;
use crate::record::{Chain, ENTRY_BYTES_MAX, OVERHEAD, push_record};
use crate::shard::{Shards, is_period};
use crate::span::Span;
use crate::storage::Storage;

/// Why a shard's file was not written, or is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShardFileError {
    /// Not such a file, or not in its one form.
    #[error("this is not a shard's file: {0}")]
    Form(&'static str),
    /// Its checkpoint is not the operator's.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A record does not continue the one before it.
    #[error("entry {index} is damaged")]
    Damaged {
        /// The first entry that does not pass.
        index: u64,
    },
    /// The entries are not those under the checkpoint.
    #[error("its entries do not give the root in its checkpoint, of {size} entries")]
    Root {
        /// Entries under the checkpoint.
        size: u64,
    },
    /// The checkpoint does not cover the shard.
    #[error("the checkpoint covers {size} entries, and the shard ends after {next}")]
    Uncovered {
        /// Entries under the checkpoint.
        size: u64,
        /// Place after the shard's last entry.
        next: u64,
    },
    /// The log that it is of.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The file itself.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// First bytes of the file.
pub const SHARD_MAGIC: &[u8; 22] = b"symbolon/log-shard/v1\n";
/// Bytes of the longest header: a note, and some hundred hashes.
const HEADER_BYTES_MAX: usize = 128 << 10;

/// What stands before the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    shard: String,
    origin: String,
    first: u64,
    next: u64,
    /// What the first record continues, in base64.
    check: String,
    /// Roots of the largest complete subtrees over the entries before, and behind up to the checkpoint's size.
    before: Vec<Digest32>,
    behind: Vec<Digest32>,
    checkpoint: String,
}

/// A shard's file that was read, and is what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShardFile {
    /// The shard's name.
    pub shard: String,
    /// Name of the log.
    pub origin: String,
    /// Place of its first entry.
    pub first: u64,
    /// Place after its last entry.
    pub next: u64,
    /// The signed note that it stands under, with what witnesses signed.
    pub checkpoint: String,
}

/// Writes the shard at a place in the log's list. `note` is a checkpoint of the log that covers it; `told` hears how many
/// entries are written.
///
/// # Errors
/// [`ShardFileError`]: also where the entries, with the stored hashes, do not give the note's root.
pub fn write_shard<S: Storage>(
    storage: &S,
    (origin, at): (&str, usize),
    note: &str,
    out: &mut impl Write,
    told: &mut dyn FnMut(u64),
) -> Result<ShardFile, ShardFileError> {
    let shards = Shards::read(storage)?;
    let missing = || LogError::Shards("there is no such shard");
    let (name, first) = shards.all().get(at).map(|s| (s.name(), s.first)).ok_or_else(missing)?;
    let still = || LogError::Shard { shard: name.clone(), why: "is still written to" };
    let next = shards.end(at).ok_or_else(still)?;
    let checkpoint = Checkpoint::dangerous_read_unverified(note)?;
    if checkpoint.size < next {
        return Err(ShardFileError::Uncovered { size: checkpoint.size, next });
    }
    let mut log = Follower::open(storage, origin, first)?;
    let mut chain = log.chain();
    let header = Header {
        shard: name,
        origin: origin.to_owned(),
        first,
        next,
        check: chain.encode(),
        before: Span::stored(storage, 0, first)?.hashes().to_vec(),
        behind: Span::stored(storage, next, checkpoint.size)?.hashes().to_vec(),
        checkpoint: note.to_owned(),
    };
    let text = serde_json::to_vec(&header).map_err(io::Error::other)?;
    out.write_all(SHARD_MAGIC)?;
    out.write_all(&(text.len() as u32).to_be_bytes())?;
    out.write_all(&text)?;
    let (mut record, mut failed, mut own) = (Vec::new(), None, Span::empty(first));
    let end = log.read(next, |index, entry, leaf| {
        record.clear();
        push_record(&mut record, &mut chain, entry, &leaf);
        own.push(leaf);
        failed = out.write_all(&record).err();
        told(index + 1 - first);
        failed.is_none()
    })?;
    failed.map_or(Ok(()), Err)?;
    if end < next {
        return Err(LogError::Truncated { found: end, covered: next }.into());
    }
    out.flush()?;
    header.check_root(&own, &checkpoint)?;
    Ok(header.read())
}

/// Reads a shard's file, and checks that its entries are those of the log under the checkpoint in it. `each` is given every
/// entry with its place: believe none before this returns well. `open` is given the checkpoint's note and the log's name,
/// and opens it by a key of the operator's: [`Checkpoint::open`], or [`crate::Succession::open`] where there were several.
///
/// # Errors
/// [`ShardFileError`].
pub fn read_shard(
    file: &mut impl Read,
    open: impl FnOnce(&str, &str) -> Result<Checkpoint, CheckpointError>,
    mut each: impl FnMut(u64, &[u8]),
) -> Result<ShardFile, ShardFileError> {
    let header = read_header(file)?;
    let checkpoint = open(&header.checkpoint, &header.origin)?;
    if checkpoint.origin != header.origin {
        return Err(ShardFileError::Form("its checkpoint is of another log"));
    }
    if checkpoint.size < header.next {
        return Err(ShardFileError::Uncovered { size: checkpoint.size, next: header.next });
    }
    let check = Chain::decode(&header.check).ok_or(ShardFileError::Form("the first check"))?;
    if header.first == 0 && check != Chain::start(&header.origin) {
        return Err(ShardFileError::Damaged { index: 0 });
    }
    let (mut chain, mut own) = (check, Span::empty(header.first));
    let (mut record, mut again) = (Vec::new(), Vec::new());
    for index in header.first..header.next {
        let damaged = |_| ShardFileError::Damaged { index };
        let mut length = [0; 4];
        file.read_exact(&mut length).map_err(damaged)?;
        let length = u32::from_be_bytes(length) as usize;
        if !(1..=ENTRY_BYTES_MAX).contains(&length) {
            return Err(ShardFileError::Damaged { index });
        }
        record.resize(length + OVERHEAD - 4, 0);
        file.read_exact(&mut record).map_err(damaged)?;
        let entry = &record[..length];
        let leaf = crate::leaf_hash(entry);
        again.clear();
        push_record(&mut again, &mut chain, entry, &leaf);
        if again[4..] != record {
            return Err(ShardFileError::Damaged { index });
        }
        own.push(leaf);
        each(index, entry);
    }
    if file.read(&mut [0])? > 0 {
        return Err(ShardFileError::Form("bytes after its last entry"));
    }
    header.check_root(&own, &checkpoint)?;
    Ok(header.read())
}

fn read_header(file: &mut impl Read) -> Result<Header, ShardFileError> {
    const FORM: ShardFileError = ShardFileError::Form("its header");
    let mut magic = [0; SHARD_MAGIC.len()];
    let begin = ShardFileError::Form("it does not begin with symbolon/log-shard/v1");
    if file.read_exact(&mut magic).is_err() || magic != *SHARD_MAGIC {
        return Err(begin);
    }
    let mut length = [0; 4];
    file.read_exact(&mut length).map_err(|_| FORM)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > HEADER_BYTES_MAX {
        return Err(FORM);
    }
    let mut text = vec![0; length];
    file.read_exact(&mut text).map_err(|_| FORM)?;
    let header: Header = serde_json::from_slice(&text).map_err(|_| FORM)?;
    let is_sound = header.first < header.next
        && header.checkpoint.len() <= NOTE_BYTES_MAX
        && header.shard.strip_suffix(&format!(".{}", header.first)).is_some_and(is_period);
    if is_sound { Ok(header) } else { Err(FORM) }
}

impl Header {
    /// What is before, the entries and what is behind are together the tree under the checkpoint.
    fn check_root(&self, own: &Span, checkpoint: &Checkpoint) -> Result<(), ShardFileError> {
        let wrong = || ShardFileError::Root { size: checkpoint.size };
        let part =
            |first, next, hashes: &[Digest32]| Span::from_parts(first, next, hashes.to_vec());
        let mut whole = part(0, self.first, &self.before).ok_or_else(wrong)?;
        let behind = part(self.next, checkpoint.size, &self.behind).ok_or_else(wrong)?;
        let is_whole = whole.join(own) && whole.join(&behind);
        match is_whole && whole.root() == Some(checkpoint.root) {
            true => Ok(()),
            false => Err(wrong()),
        }
    }

    fn read(self) -> ShardFile {
        let Self { shard, origin, first, next, checkpoint, .. } = self;
        ShardFile { shard, origin, first, next, checkpoint }
    }
}
