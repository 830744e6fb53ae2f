//! Checkpoints, tiles and proofs: what others check.

use std::ops::Range;
use std::sync::PoisonError;

use symbolon_codec::Digest32;
use symbolon_crypto::VerifyingKey;

use crate::LogError;
use crate::checkpoint::Checkpoint;
use crate::hash::complete_root;
use crate::index::{OFFSET_BYTES, OFFSETS, read_tile, write_hashes};
use crate::log::{Log, lock};
use crate::proof::verify_inclusion;
use crate::recovery::{CHECKPOINT, UNSIGNED};
use crate::storage::Storage;
use crate::tile::{TILE_WIDTH, Tile, TileKind, bundle_push, encode_hashes};

/// An entry's proof against a signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionBundle {
    /// The entry's place.
    pub index: u64,
    /// Hash of the entry.
    pub leaf_hash: Digest32,
    /// Size of the tree in the checkpoint.
    pub size: u64,
    /// From the leaf's sibling up.
    pub path: Vec<Digest32>,
    /// The signed note.
    pub checkpoint: String,
}

/// What was handed out last.
pub(crate) struct Published {
    signed: Option<(Checkpoint, String)>,
    /// Size of the last checkpoint, signed or not.
    size: Option<u64>,
    /// Full tiles under this many entries, a multiple of 256, are stored.
    stored: u64,
}

impl Published {
    pub(crate) fn new(
        signed: Option<(Checkpoint, String)>,
        unsigned: Option<Checkpoint>,
        stored: u64,
    ) -> Self {
        let size = signed.iter().map(|(c, _)| c.size).chain(unsigned.map(|c| c.size)).max();
        Self { signed, size, stored }
    }

    /// Forgets a note that does not open with this key.
    pub(crate) fn keep_if_signed_by(&mut self, key: &VerifyingKey, origin: &str) {
        self.signed.take_if(|(_, note)| Checkpoint::open(note, key, origin).is_err());
    }
}

impl<S: Storage> Log<S> {
    /// Makes a checkpoint of the durable size, writes the tiles under it, and gives the signed
    /// note. Returns the last one again where nothing is new.
    ///
    /// # Errors
    /// [`LogError::NoKey`] where nothing can be signed: an unsigned checkpoint is kept all the
    /// same, and guards the entries against damage. [`LogError::Storage`] where tiles or the
    /// checkpoint cannot be written; this does not poison the log.
    pub fn checkpoint(&self) -> Result<String, LogError> {
        self.check_poison()?;
        let signer = self.signer.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut published = lock(&self.published);
        let size = self.durable_size();
        if let Some((checkpoint, note)) = published.signed.as_ref().filter(|(c, _)| c.size == size)
        {
            debug_assert_eq!(checkpoint.size, size);
            return Ok(note.clone());
        }
        if signer.is_none() && published.size == Some(size) {
            return Err(LogError::NoKey);
        }
        self.store(published.stored, size)?;
        published.stored = size / TILE_WIDTH * TILE_WIDTH;
        let root = self.settled_tree().root(size, &mut |l, n| self.load_tile(l, n))?;
        let checkpoint = Checkpoint { origin: self.origin.clone(), size, root };
        let Some(signer) = signer else {
            self.publish(UNSIGNED, &checkpoint.text())?;
            published.size = Some(size);
            return Err(LogError::NoKey);
        };
        let note = checkpoint.sign(&signer);
        self.publish(CHECKPOINT, &note)?;
        published.size = Some(size);
        published.signed = Some((checkpoint, note.clone()));
        Ok(note)
    }

    /// The last signed checkpoint.
    pub fn latest_checkpoint(&self) -> Option<String> {
        lock(&self.published).signed.as_ref().map(|(_, note)| note.clone())
    }

    /// Whether entries are durable that no checkpoint covers yet, or that none signed does.
    pub fn checkpoint_due(&self) -> bool {
        let signer = self.signer.read().unwrap_or_else(PoisonError::into_inner).is_some();
        let published = lock(&self.published);
        let covered = match signer {
            true => published.signed.as_ref().map_or(0, |(c, _)| c.size),
            false => published.size.unwrap_or(0),
        };
        covered < self.durable_size()
    }

    /// The path of an entry in the tree of the first `size` entries.
    ///
    /// # Errors
    /// [`LogError::NoEntry`], or what reading tiles gives.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Digest32>, LogError> {
        self.settled_tree().inclusion(index, size, &mut |l, n| self.load_tile(l, n))
    }

    /// The path that shows the tree of `new` entries to begin with that of `old`.
    ///
    /// # Errors
    /// As [`Log::inclusion`].
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Digest32>, LogError> {
        self.settled_tree().consistency(old, new, &mut |l, n| self.load_tile(l, n))
    }

    /// Root of the first `size` entries.
    ///
    /// # Errors
    /// As [`Log::inclusion`].
    pub fn root(&self, size: u64) -> Result<Digest32, LogError> {
        let mut tree = self.settled_tree();
        if size > tree.size() {
            return Err(LogError::NoEntry { index: size, size: tree.size() });
        }
        tree.root(size, &mut |l, n| self.load_tile(l, n))
    }

    /// An entry's proof against a signed checkpoint that covers it; commits and makes one now if
    /// there is none. The proof has been verified when it is returned.
    ///
    /// # Errors
    /// [`LogError::NoEntry`], [`LogError::NoKey`], or what committing gives. [`LogError::Proof`]
    /// where even tiles made again from the entries do not give the signed root.
    pub fn prove(&self, index: u64) -> Result<InclusionBundle, LogError> {
        if index >= self.appended_size() {
            return Err(LogError::NoEntry { index, size: self.appended_size() });
        }
        let known = lock(&self.published).signed.clone().filter(|(c, _)| index < c.size);
        let (checkpoint, note) = match known {
            Some(known) => known,
            None => {
                self.commit()?;
                self.checkpoint()?;
                let made = lock(&self.published).signed.clone();
                made.filter(|(c, _)| index < c.size).ok_or(LogError::NoKey)?
            }
        };
        let size = checkpoint.size;
        let (leaf_hash, path) = self.path(index, size, &checkpoint.root)?;
        Ok(InclusionBundle { index, leaf_hash, size, path, checkpoint: note })
    }

    /// The hash of a leaf, as the tiles have it, with its path. They have been verified.
    fn path(
        &self,
        index: u64,
        size: u64,
        root: &Digest32,
    ) -> Result<(Digest32, Vec<Digest32>), LogError> {
        let mut tree = self.settled_tree();
        let load = &mut |l, n| self.load_tile(l, n);
        let (leaf, path) = (tree.leaf(index, load)?, tree.inclusion(index, size, load)?);
        if verify_inclusion(&leaf, index, size, &path, root).is_ok() {
            return Ok((leaf, path));
        }
        // A stored tile went bad. The entries are what counts.
        tree.forget_seen();
        let rebuild = &mut |l, n| self.rebuild_tile(l, n);
        let (leaf, path) = (tree.leaf(index, rebuild)?, tree.inclusion(index, size, rebuild)?);
        drop(tree);
        verify_inclusion(&leaf, index, size, &path, root)?;
        Ok((leaf, path))
    }

    /// An entry's proof against a note of this log's that was signed before, with lines of witnesses. The proof has been
    /// verified when it is returned; the note's signatures are the caller's business.
    ///
    /// # Errors
    /// [`LogError::Checkpoint`] for a note of no checkpoint; [`LogError::NoEntry`], or [`LogError::Proof`] where the
    /// note is not of this history.
    pub fn prove_against(&self, index: u64, note: &str) -> Result<InclusionBundle, LogError> {
        let Checkpoint { size, root, .. } = Checkpoint::dangerous_read_unverified(note)?;
        let (leaf_hash, path) = self.path(index, size, &root)?;
        Ok(InclusionBundle { index, leaf_hash, size, path, checkpoint: note.to_owned() })
    }

    /// The bytes of a tile or a bundle of what has been written, as C2SP `tlog-tiles` has them.
    /// Bundles are made from the entries, which are not kept twice.
    ///
    /// # Errors
    /// [`LogError::NoEntry`] where the log does not reach so far, or what reading gives.
    pub fn tile(&self, tile: &Tile) -> Result<Vec<u8>, LogError> {
        let Tile { kind, number, width } = *tile;
        let level = match kind {
            TileKind::Hashes { level } => u32::from(level),
            TileKind::Entries => 0,
        };
        let end = number.checked_mul(TILE_WIDTH).and_then(|n| n.checked_add(width.into()));
        let end = end.and_then(|n| n.checked_mul(TILE_WIDTH.checked_pow(level)?));
        let size = self.written_size();
        let end = end.filter(|end| *end <= size && (1..=TILE_WIDTH).contains(&width.into()));
        let end = end.ok_or(LogError::NoEntry { index: number, size })?;
        match kind {
            TileKind::Entries => self.bundle(number * TILE_WIDTH..end),
            TileKind::Hashes { level } => self.hashes(level, number, width),
        }
    }

    fn hashes(&self, level: u8, number: u64, width: u16) -> Result<Vec<u8>, LogError> {
        let load = &mut |l, n| self.load_tile(l, n);
        let hashes = self.settled_tree().partial_tile(level, number, width.into(), load)?;
        Ok(encode_hashes(&hashes))
    }

    fn bundle(&self, range: Range<u64>) -> Result<Vec<u8>, LogError> {
        let mut bundle = Vec::new();
        self.each_entry(range, |_, entry, _| {
            bundle_push(&mut bundle, entry);
            Ok(true)
        })?;
        Ok(bundle)
    }

    /// Writes the hashes of every level and the offsets of the bundles between two sizes.
    fn store(&self, from: u64, to: u64) -> Result<(), LogError> {
        let failed = LogError::storage;
        write_hashes(&self.storage, from, to, |level, number, width| {
            self.hashes(level, number, width)
        })?;
        let (first, bytes) = lock(&self.index).part(from / TILE_WIDTH, to.div_ceil(TILE_WIDTH));
        let written = self.storage.write_at(OFFSETS, first * OFFSET_BYTES, &bytes);
        written.map_err(failed("write the offsets"))?;
        lock(&self.tree).stored(to);
        Ok(())
    }

    /// A full tile from the storage, or made again.
    pub(crate) fn load_tile(&self, level: u8, number: u64) -> Result<Vec<Digest32>, LogError> {
        match read_tile(&self.storage, level, number)? {
            Some(tile) => Ok(tile),
            None => self.rebuild_tile(level, number),
        }
    }

    /// A full tile from the entries themselves.
    fn rebuild_tile(&self, level: u8, number: u64) -> Result<Vec<Digest32>, LogError> {
        let range = number * TILE_WIDTH..(number + 1) * TILE_WIDTH;
        if let Some(below) = level.checked_sub(1) {
            return range.map(|n| Ok(complete_root(self.rebuild_tile(below, n)?))).collect();
        }
        let mut hashes = Vec::with_capacity(TILE_WIDTH as usize);
        self.each_entry(range, |_, _, leaf| {
            hashes.push(leaf);
            Ok(true)
        })?;
        Ok(hashes)
    }

    fn publish(&self, name: &str, text: &str) -> Result<(), LogError> {
        let written = self.storage.publish(name, text.as_bytes());
        written.map_err(LogError::storage("write the checkpoint"))
    }
}
