//! Opening: from whatever a crash left to a log that can go on (`specs/log.md`, "Opening").

use symbolon_codec::Digest32;
use symbolon_crypto::VerifyingKey;

use crate::LogError;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::index::{Index, read_offsets, read_tile};
use crate::note::NOTE_BYTES_MAX;
use crate::record::{Chain, HEADER, Scan, Step};
use crate::shard::Shards;
use crate::storage::Storage;
use crate::tile::TILE_WIDTH;
use crate::tree::Tree;

/// What opening found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Entries in the log.
    pub size: u64,
    /// Bytes after the last whole record that were set aside in `entries.cut`.
    pub cut_bytes: u64,
    /// Entries before this one were not read; `audit` reads them.
    pub unread_before: u64,
    /// The tiles did not fit the checkpoint and were made again from all entries.
    pub rebuilt: bool,
}

/// Name of the signed checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// Name of the checkpoint that is kept while there is no key.
pub(crate) const UNSIGNED: &str = "checkpoint.unsigned";
/// How much of the end is read at opening.
const WINDOW_BYTES: u64 = 32 << 20;

/// Everything that the log goes on from.
pub(crate) struct Recovered {
    pub(crate) tree: Tree,
    pub(crate) index: Index,
    pub(crate) chain: Chain,
    pub(crate) offset: u64,
    /// Full tiles under this many entries are stored.
    pub(crate) stored: u64,
    pub(crate) signed: Option<(Checkpoint, String)>,
    pub(crate) unsigned: Option<Checkpoint>,
    pub(crate) recovery: Recovery,
    pub(crate) shards: Shards,
}

/// Reads what is there; changes it only by cutting a tail that was never acknowledged.
pub(crate) fn recover<S: Storage>(
    storage: &S,
    origin: &str,
    key: Option<&VerifyingKey>,
) -> Result<Recovered, LogError> {
    let signed = read_signed(storage, origin, key)?;
    let unsigned = read_unsigned(storage, origin)?;
    let anchors: Vec<&Checkpoint> =
        signed.iter().map(|(c, _)| c).chain(unsigned.as_ref()).collect();
    let covered = anchors.iter().map(|c| c.size).max().unwrap_or(0);
    let shards = Shards::read(storage)?;
    if shards.kept().is_none() {
        begin(storage, covered)?;
    }

    let beginning = shards.kept().map_or(0, |kept| kept.first);
    let mut start = Start::recent(storage, covered, beginning)?;
    let mut rebuilt = false;
    let done = loop {
        let begins_at = start.as_ref().map_or(beginning, |s| s.entry);
        let first = match start.take() {
            Some(start) => start,
            None => Start::beginning(storage, origin, &shards)?,
        };
        match read_on(storage, first, &anchors, covered) {
            Ok(done) => break done,
            // The index or a tile was wrong: they are only caches. From the beginning, then.
            Err(LogError::Damaged { .. } | LogError::Truncated { .. } | LogError::Root { .. })
                if begins_at > beginning =>
            {
                rebuilt = true;
            }
            Err(error) => return Err(error),
        }
    };

    let recovery = Recovery {
        size: done.tree.size(),
        cut_bytes: done.cut_bytes,
        unread_before: done.from,
        rebuilt,
    };
    let stored = if rebuilt { beginning } else { done.from };
    let Done { tree, index, chain, offset, .. } = done;
    Ok(Recovered { tree, index, chain, offset, stored, signed, unsigned, recovery, shards })
}

/// Where reading begins.
struct Start {
    entry: u64,
    offset: u64,
    chain: Chain,
    tree: Tree,
    first_bundle: u64,
    offsets: Vec<u64>,
}

impl Start {
    /// At the first record that is there. The tree before it comes from hashes alone.
    fn beginning<S: Storage>(storage: &S, origin: &str, shards: &Shards) -> Result<Self, LogError> {
        let (entry, offset, chain) = shards.beginning(storage, origin)?;
        let tree = resumed(storage, entry)?.ok_or(LogError::Hashes { before: entry })?;
        let bundle = entry / TILE_WIDTH;
        let part = bundle / TILE_WIDTH;
        let first_bundle = part * TILE_WIDTH;
        let count = (bundle - first_bundle) as usize;
        let mut offsets = match count {
            0 => Vec::new(),
            _ => read_offsets(storage, part)?.unwrap_or_default(),
        };
        offsets.truncate(count);
        if offsets.len() < count || offsets.last().is_some_and(|last| *last >= offset) {
            // Of what was taken away nothing is read, so that any that rise will do.
            offsets = (first_bundle..bundle).map(|b| offset - (bundle - b)).collect();
        }
        Ok(Self { entry, offset, chain, tree, first_bundle, offsets })
    }

    /// The last place that is far enough from the end, if the caches say where one is.
    fn recent<S: Storage>(storage: &S, covered: u64, least: u64) -> Result<Option<Self>, LogError> {
        let length = storage.len().map_err(LogError::storage("measure the entries"))?;
        let Some(before) = length.checked_sub(WINDOW_BYTES) else { return Ok(None) };
        for part in (0..=covered / (TILE_WIDTH * TILE_WIDTH)).rev() {
            let Some(mut offsets) = read_offsets(storage, part)? else { return Ok(None) };
            let bundles = covered / TILE_WIDTH + 1 - part * TILE_WIDTH;
            let early = offsets.partition_point(|o| *o <= before);
            let Some(place) = early.min(bundles as usize).checked_sub(1) else { continue };
            let offset = offsets[place];
            let entry = (part * TILE_WIDTH + place as u64) * TILE_WIDTH;
            if entry < least {
                return Ok(None);
            }
            let chain = Chain::read(storage, offset).map_err(LogError::storage("read a record"))?;
            let tree = resumed(storage, entry)?;
            let (Some(chain), Some(tree), true) = (chain, tree, entry > 0) else { return Ok(None) };
            offsets.truncate(place);
            let first_bundle = part * TILE_WIDTH;
            return Ok(Some(Self { entry, offset, chain, tree, first_bundle, offsets }));
        }
        Ok(None)
    }
}

/// The tree of the first `size` entries, a multiple of 256; nothing where a tile is missing.
fn resumed<S: Storage>(storage: &S, size: u64) -> Result<Option<Tree>, LogError> {
    let mut whole = true;
    let tree = Tree::resume(size, &mut |level, number| {
        let tile = read_tile(storage, level, number)?;
        whole &= tile.is_some();
        Ok(tile.unwrap_or_else(|| vec![Digest32([0; 32]); TILE_WIDTH as usize]))
    })?;
    Ok(whole.then_some(tree))
}

struct Done {
    tree: Tree,
    index: Index,
    chain: Chain,
    offset: u64,
    from: u64,
    cut_bytes: u64,
}

fn read_on<S: Storage>(
    storage: &S,
    start: Start,
    anchors: &[&Checkpoint],
    covered: u64,
) -> Result<Done, LogError> {
    let Start { entry: from, offset, chain, mut tree, first_bundle, mut offsets } = start;
    let mut scan = Scan::new(storage, offset, chain);
    let mut none = |level: u8, number: u64| {
        // Only tiles from before `from` are asked for, and those were read a moment ago.
        read_tile(storage, level, number)?.ok_or(LogError::Root { size: covered })
    };
    let whole = loop {
        let index = tree.size();
        for anchor in anchors.iter().filter(|a| a.size == index) {
            if tree.root(index, &mut none)? != anchor.root {
                return Err(LogError::Root { size: index });
            }
        }
        let offset = scan.offset();
        match scan.step().map_err(LogError::storage("read a record"))? {
            Step::Record { leaf, .. } => {
                if index.is_multiple_of(TILE_WIDTH) {
                    offsets.push(offset);
                }
                tree.push(leaf);
            }
            Step::End if index < covered => {
                return Err(LogError::Truncated { found: index, covered });
            }
            Step::Bad if index < covered => {
                return Err(LogError::Damaged { index, offset, covered });
            }
            Step::End => break true,
            Step::Bad => break false,
        }
    };
    let (offset, chain) = (scan.offset(), scan.chain());
    let mut cut_bytes = 0;
    if !whole {
        let length = storage.len().map_err(LogError::storage("measure the entries"))?;
        cut_bytes = length.saturating_sub(offset);
        storage.cut(offset).map_err(LogError::storage("cut a torn record"))?;
    }
    let index = Index::resume(first_bundle, offsets);
    Ok(Done { tree, index, chain, offset, from, cut_bytes })
}

/// Checks the file's first bytes, or writes them where the log is new.
fn begin<S: Storage>(storage: &S, covered: u64) -> Result<(), LogError> {
    let mut found = [0; HEADER.len()];
    let count = storage.read(0, &mut found).map_err(LogError::storage("read the entries"))?;
    if found == *HEADER {
        return Ok(());
    }
    if covered > 0 && count < HEADER.len() {
        return Err(LogError::Truncated { found: 0, covered });
    }
    // A crash in the moment of creation leaves a beginning of the header, or zeros.
    let zeros = found.iter().all(|b| *b == 0);
    let new =
        covered == 0 && (zeros || count < HEADER.len() && HEADER.starts_with(&found[..count]));
    if !new {
        return Err(LogError::Format);
    }
    storage.write(0, HEADER).map_err(LogError::storage("write the header"))?;
    storage.sync().map_err(LogError::storage("sync the header"))
}

fn read_signed<S: Storage>(
    storage: &S,
    origin: &str,
    key: Option<&VerifyingKey>,
) -> Result<Option<(Checkpoint, String)>, LogError> {
    let Some(text) = read_text(storage, CHECKPOINT)? else { return Ok(None) };
    let checkpoint = match key {
        Some(key) => Checkpoint::open(&text, key, origin)?,
        None => Checkpoint::dangerous_read_unverified(&text)?.expect_origin(origin)?,
    };
    Ok(Some((checkpoint, text)))
}

fn read_unsigned<S: Storage>(storage: &S, origin: &str) -> Result<Option<Checkpoint>, LogError> {
    let Some(text) = read_text(storage, UNSIGNED)? else { return Ok(None) };
    Ok(Some(Checkpoint::parse(&text)?.expect_origin(origin)?))
}

fn read_text<S: Storage>(storage: &S, name: &str) -> Result<Option<String>, LogError> {
    // One byte more than a note has, to see a longer one.
    let bytes = storage.get(name, NOTE_BYTES_MAX as u64 + 1);
    let Some(bytes) = bytes.map_err(LogError::storage("read the checkpoint"))? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= NOTE_BYTES_MAX);
    Ok(Some(text.ok_or(CheckpointError::Line("text"))?))
}
