//! A monitor's copy of a log's tree: every leaf hash, and the last checkpoint that they gave (`specs/witness.md`,
//! "Monitor").

use std::io;

use symbolon_codec::Digest32;
use symbolon_crypto::VerifyingKey;

use crate::LogError;
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::fork::ForkProof;
use crate::handover::{Handover, SUCCESSION_BYTES_MAX, Succession, SuccessionError};
use crate::index::{hashes_name, read_tile, write_hashes};
use crate::note::{NOTE_BYTES_MAX, NoteError, vkey};
use crate::storage::Storage;
use crate::tile::{HASH_BYTES, TILE_WIDTH, Tile, TileKind, encode_hashes};
use crate::tree::Tree;

/// Why a look at a log ended without knowing more.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The log's: its checkpoint, or the signature on it.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The log's: it shows other keys than those that it was followed to.
    #[error(transparent)]
    Succession(SuccessionError),
    /// The log's or the network's: a tile could not be had, or has not its size.
    #[error("{tile}: {reason}")]
    Tile {
        /// The tile.
        tile: Tile,
        /// Why.
        reason: String,
    },
    /// The log's: its tiles do not give the root that it signed.
    #[error("the tiles do not give the root that is signed for {size} entries")]
    Tiles {
        /// Entries in the checkpoint.
        size: u64,
    },
    /// The log's: more new entries than one look takes.
    #[error("{entries} new entries are more than one look takes")]
    TooMany {
        /// New entries.
        entries: u64,
    },
    /// Ours: what was kept is signed by another key of the log's than the one that was given.
    #[error("what was seen before is signed by another key than the one that was given")]
    OtherKey,
    /// Ours: what was kept does not give the checkpoint that was kept.
    #[error("the monitor's own state is damaged")]
    State,
    /// Ours: the disk.
    #[error(transparent)]
    Storage(#[from] LogError),
}

/// What a checkpoint turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Observed {
    /// The one that is known.
    Unchanged,
    /// A larger tree that begins with the known one. All its leaves were read.
    Advanced {
        /// Entries before.
        from: u64,
        /// Entries now.
        to: u64,
    },
    /// A smaller tree, which the known one begins with: an old checkpoint was shown again.
    RolledBack {
        /// Entries known.
        known: u64,
        /// Entries shown.
        shown: u64,
    },
    /// The log has two histories.
    Forked(Box<ForkProof>),
}

/// The copy, in a storage of the monitor's.
pub struct Mirror<S> {
    storage: S,
    keys: Succession,
    tree: Tree,
    head: Option<Known>,
    /// So many handovers, the oldest first, were found to be of this tree. It never goes back, so they stay that.
    compared: usize,
}

/// A checkpoint, its note, and the place in the line of the key that it is held against.
#[derive(Debug, Clone)]
struct Known {
    checkpoint: Checkpoint,
    note: String,
    place: usize,
}

/// Gives the bytes of a tile of the log, or says why not.
pub type FetchTile<'a> = &'a mut dyn FnMut(&Tile) -> Result<Vec<u8>, String>;

impl<S: Storage> Mirror<S> {
    /// Goes on where the storage ends; an empty one begins.
    ///
    /// # Errors
    /// [`MirrorError::State`] where what was kept does not hold together, [`MirrorError::OtherKey`] where it is by another
    /// key, or of another log.
    pub fn open(storage: S, origin: &str, key: VerifyingKey) -> Result<Self, MirrorError> {
        let note = storage.get(CHECKPOINT, NOTE_BYTES_MAX as u64 + 1);
        let note = note.map_err(LogError::storage("read the checkpoint"))?;
        let kept = storage.get(KEYS, SUCCESSION_BYTES_MAX as u64 + 1);
        let mut keys = Succession::new(origin, key);
        if let Some(kept) = kept.map_err(LogError::storage("read the keys"))? {
            let kept = Succession::parse(&kept).map_err(|_| MirrorError::State)?;
            if !kept.goes_on_from(&keys) {
                return Err(MirrorError::OtherKey);
            }
            keys = kept;
        }
        let mut mirror = Self { storage, keys, tree: Tree::default(), head: None, compared: 0 };
        if let Some(note) = note {
            let note = String::from_utf8(note).map_err(|_| MirrorError::State)?;
            let (checkpoint, place) =
                mirror.keys.open_signed(&note).map_err(|error| match error {
                    CheckpointError::Note(NoteError::Unsigned { .. }) => MirrorError::OtherKey,
                    _ => MirrorError::State,
                })?;
            mirror.tree = mirror.resume(checkpoint.size)?;
            if mirror.root(checkpoint.size)? != checkpoint.root {
                return Err(MirrorError::State);
            }
            mirror.head = Some(Known { checkpoint, note, place });
        }
        Ok(mirror)
    }

    /// The last checkpoint.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.head.as_ref().map(|known| &known.checkpoint)
    }

    /// Its note.
    pub fn note(&self) -> Option<&str> {
        self.head.as_ref().map(|known| known.note.as_str())
    }

    /// The log's keys, as far as they are known.
    pub fn keys(&self) -> &Succession {
        &self.keys
    }

    /// Takes up later keys of the log's: those that are known handed over to them. What they show is checked when it is
    /// looked at.
    ///
    /// # Errors
    /// [`MirrorError::Succession`] where they do not go on from the known ones; the disk.
    pub fn follow(&mut self, keys: Succession) -> Result<(), MirrorError> {
        if !keys.goes_on_from(&self.keys) {
            return Err(MirrorError::Succession(SuccessionError::Again));
        }
        if let Some(head) = &self.head {
            keys.open_signed(&head.note)?;
        }
        let kept = self.storage.publish(KEYS, &keys.to_bytes());
        kept.map_err(LogError::storage("write the keys"))?;
        // The line may begin earlier than it did.
        let moved = keys.place(self.keys.keys().next().unwrap_or(keys.newest())).unwrap_or(0);
        if let Some(head) = &mut self.head {
            head.place += moved;
        }
        (self.keys, self.compared) = (keys, 0);
        Ok(())
    }

    /// Looks at a checkpoint that the log shows, and fetches what is new under it.
    ///
    /// # Errors
    /// [`MirrorError`]; what is known stays as it was. But where a handover is of another history and no key can be shown to
    /// have signed both, what was read is kept, and [`MirrorError::Tiles`] names the handover's size.
    pub fn observe(&mut self, note: &str, fetch: FetchTile<'_>) -> Result<Observed, MirrorError> {
        let (shown, place) = self.keys.open_signed(note)?;
        if let Some(forked) = self.told_twice(&shown, place, note)? {
            return Ok(forked);
        }
        // What cannot be shown now may be once more is known.
        if let Ok(Some(forked)) = self.compare() {
            return Ok(forked);
        }
        let observed = self.observe_line(shown, place, note, fetch)?;
        match &observed {
            Observed::Forked(_) => Ok(observed),
            _ => Ok(self.compare()?.unwrap_or(observed)),
        }
    }

    /// As [`Mirror::observe`], over the handovers up to the key in this place.
    fn observe_line(
        &mut self,
        shown: Checkpoint,
        place: usize,
        note: &str,
        fetch: FetchTile<'_>,
    ) -> Result<Observed, MirrorError> {
        // Where the key gave way since, both keys' checkpoint stands between: two histories are shown by one key's word.
        let mut from = None;
        while let Some(known) = self.head.as_ref().filter(|known| known.place < place) {
            let before = known.checkpoint.size;
            let handover = self.keys.handovers().get(known.place).cloned();
            let handover = handover.ok_or(MirrorError::State)?;
            let at = known.place;
            match self.observe_by(at, handover.checkpoint().clone(), handover.note(), fetch)? {
                Observed::Unchanged | Observed::Advanced { .. } => {}
                odd => return Ok(odd),
            }
            from.get_or_insert(before);
            if let Some(head) = &mut self.head {
                (head.note, head.place) = (handover.note().to_owned(), at + 1);
            }
            let kept = self.storage.publish(CHECKPOINT, handover.note().as_bytes());
            kept.map_err(LogError::storage("write the checkpoint"))?;
        }
        let size = shown.size;
        let observed = self.observe_by(place, shown, note, fetch)?;
        let to = self.head.as_ref().map_or(0, |known| known.checkpoint.size);
        Ok(match (from, observed) {
            // By a key that gave way, and held against its handover.
            (_, Observed::Unchanged | Observed::RolledBack { .. }) if size < to => {
                Observed::RolledBack { known: to, shown: size }
            }
            (Some(from), Observed::Unchanged | Observed::Advanced { .. }) if from < to => {
                Observed::Advanced { from, to }
            }
            (_, observed) => observed,
        })
    }

    /// Holds the handovers that are new since the last time against the tree. Of the newest that is of another history its
    /// successor signed what stands next above it too: the next handover, or the head.
    fn compare(&mut self) -> Result<Option<Observed>, MirrorError> {
        let Some(head) = self.head.clone() else { return Ok(None) };
        let size = head.checkpoint.size;
        let below = |it: &Handover| it.checkpoint().size <= size;
        let count = self.keys.handovers().iter().take_while(|it| below(it)).count();
        for at in (self.compared..count).rev() {
            let Some(handover) = self.keys.handovers().get(at).cloned() else { break };
            let told = handover.checkpoint();
            let prefix = self.root(told.size)?;
            if prefix == told.root {
                continue;
            }
            let odd = || MirrorError::Tiles { size: told.size };
            let above = self.keys.handovers().get(at + 1).filter(|it| below(it));
            let above = above.map_or((size, head.note.clone()), |it| {
                (it.checkpoint().size, it.note().to_owned())
            });
            if told.size == 0 {
                return Err(odd());
            }
            if above.0 == told.size {
                // The head, by the key of before or by the next one.
                let place = head.place.clamp(at, at + 1);
                let operator = self.operator(place)?;
                let proof = ForkProof::of_one_size(operator, handover.note(), &above.1);
                return self.forked(place, proof, odd()).map(Some);
            }
            let load = &mut |l, n| stored(&self.storage, l, n);
            let path = self.tree.consistency(told.size, above.0, load)?;
            let notes = (handover.note(), above.1.as_str());
            let proof = ForkProof::of_prefix(self.operator(at + 1)?, notes, prefix, path);
            return self.forked(at + 1, proof, odd()).map(Some);
        }
        self.compared = count;
        Ok(None)
    }

    /// A handover that this key signed too, of as many entries and of another root. No tile is needed to show that.
    fn told_twice(
        &self,
        shown: &Checkpoint,
        place: usize,
        note: &str,
    ) -> Result<Option<Observed>, MirrorError> {
        let signed = place.saturating_sub(1)..=place;
        let mut signed = signed.filter_map(|at| self.keys.handovers().get(at));
        let other = signed
            .find(|it| it.checkpoint().size == shown.size && it.checkpoint().root != shown.root);
        let Some(other) = other else { return Ok(None) };
        let proof = ForkProof::of_one_size(self.operator(place)?, other.note(), note);
        self.forked(place, proof, MirrorError::State).map(Some)
    }

    /// The text of the key in this place.
    fn operator(&self, place: usize) -> Result<String, MirrorError> {
        let key = self.keys.keys().nth(place).ok_or(MirrorError::State)?;
        Ok(vkey(self.keys.origin(), key).map_err(LogError::from)?)
    }

    /// As [`Mirror::observe`], of a checkpoint that the key in this place signed.
    fn observe_by(
        &mut self,
        place: usize,
        shown: Checkpoint,
        note: &str,
        fetch: FetchTile<'_>,
    ) -> Result<Observed, MirrorError> {
        let Some(known) = self.known_by(place) else {
            return match self.advance(0, &shown, (note, place), fetch)? {
                true => Ok(Observed::Advanced { from: 0, to: shown.size }),
                false => Err(MirrorError::Tiles { size: shown.size }),
            };
        };
        let (known, known_note) = (known.checkpoint, known.note);
        let operator = self.operator(place)?;
        if shown.size == known.size {
            if shown.root == known.root {
                return Ok(Observed::Unchanged);
            }
            let proof = ForkProof::of_one_size(operator, &known_note, note);
            return self.forked(place, proof, MirrorError::State);
        }
        if shown.size < known.size {
            let prefix = self.root(shown.size)?;
            if prefix == shown.root {
                return Ok(Observed::RolledBack { known: known.size, shown: shown.size });
            }
            // Nothing is shown of an empty tree; a signed root of one that is not the empty tree's is nonsense.
            if shown.size == 0 {
                return Err(MirrorError::Tiles { size: 0 });
            }
            let load = &mut |l, n| stored(&self.storage, l, n);
            let path = self.tree.consistency(shown.size, known.size, load)?;
            let proof = ForkProof::of_prefix(operator, (note, &known_note), prefix, path);
            return self.forked(place, proof, MirrorError::State);
        }
        if self.advance(known.size, &shown, (note, place), fetch)? {
            return Ok(Observed::Advanced { from: known.size, to: shown.size });
        }
        match self.diverged(operator, (&known, &known_note), (&shown, note), fetch)? {
            Some(proof) => self.forked(place, proof, MirrorError::Tiles { size: shown.size }),
            None => Err(MirrorError::Tiles { size: shown.size }),
        }
    }

    /// Nobody is accused by what would not convince others: a tile that was read once more may have lied the second time.
    fn forked(
        &self,
        place: usize,
        proof: ForkProof,
        otherwise: MirrorError,
    ) -> Result<Observed, MirrorError> {
        let key = self.keys.keys().nth(place).ok_or(MirrorError::State)?;
        match proof.verify(key, Some(self.keys.origin())) {
            Ok(_) => Ok(Observed::Forked(Box::new(proof))),
            Err(_) => Err(otherwise),
        }
    }

    /// What is known that the key in this place signed: the last, or where another came after it its handover.
    fn known_by(&self, place: usize) -> Option<Known> {
        let head = self.head.clone()?;
        let handover = self.keys.handovers().get(place).filter(|_| place < head.place);
        Some(handover.map_or(head, |it| Known {
            checkpoint: it.checkpoint().clone(),
            note: it.note().to_owned(),
            place,
        }))
    }

    /// Reads the leaves from `from` on. False, and nothing is changed, where they do not lead to the root.
    fn advance(
        &mut self,
        from: u64,
        to: &Checkpoint,
        (note, place): (&str, usize),
        fetch: FetchTile<'_>,
    ) -> Result<bool, MirrorError> {
        let entries = to.size - from;
        if entries > ENTRIES_MAX {
            return Err(MirrorError::TooMany { entries });
        }
        let read = self.read_leaves(from, to.size, fetch);
        let is_root = match read {
            Ok(true) => self.root(to.size).map(|root| root == to.root),
            other => other,
        };
        if !matches!(is_root, Ok(true)) {
            // What was written past the known size is written over by the next look.
            self.tree = self.resume(from)?;
            return is_root;
        }
        let kept = self.storage.publish(CHECKPOINT, note.as_bytes());
        kept.map_err(LogError::storage("write the checkpoint"))?;
        self.head = Some(Known { checkpoint: to.clone(), note: note.to_owned(), place });
        Ok(true)
    }

    /// Pushes and stores the leaves between two sizes. False where a tile has other leaves than are known.
    fn read_leaves(
        &mut self,
        from: u64,
        to: u64,
        fetch: FetchTile<'_>,
    ) -> Result<bool, MirrorError> {
        let mut stored_to = from;
        for number in from / TILE_WIDTH..to.div_ceil(TILE_WIDTH) {
            let first = number * TILE_WIDTH;
            let hashes = fetch_hashes(0, number, (to - first).min(TILE_WIDTH), fetch)?;
            let known = (from.saturating_sub(first)) as usize;
            if known > 0 {
                let load = &mut |l, n| stored(&self.storage, l, n);
                if self.tree.partial_tile(0, number, known, load)? != hashes[..known] {
                    return Ok(false);
                }
            }
            hashes[known..].iter().for_each(|leaf| self.tree.push(*leaf));
            if number % STORE_TILES == STORE_TILES - 1 {
                self.store(stored_to, self.tree.size())?;
                stored_to = self.tree.size();
            }
        }
        self.store(stored_to, to)?;
        Ok(true)
    }

    /// The hashes of every level between two sizes.
    fn store(&mut self, from: u64, to: u64) -> Result<(), MirrorError> {
        let (tree, storage) = (&self.tree, &self.storage);
        write_hashes(storage, from, to, |level, number, width| {
            let load = &mut |l, n| stored(storage, l, n);
            Ok(encode_hashes(&tree.partial_tile(level, number, width.into(), load)?))
        })?;
        self.tree.stored(to);
        Ok(())
    }

    /// The leaves from the known size on do not lead to the root. What the log's own tiles show of another history, where they
    /// show one.
    fn diverged(
        &self,
        operator: String,
        (known, known_note): (&Checkpoint, &str),
        (shown, note): (&Checkpoint, &str),
        fetch: FetchTile<'_>,
    ) -> Result<Option<ForkProof>, MirrorError> {
        let size = shown.size;
        let whole = size / TILE_WIDTH * TILE_WIDTH;
        let rest = match size - whole {
            0 => Vec::new(),
            width => fetch_hashes(0, whole / TILE_WIDTH, width, fetch)?,
        };
        let mut failed = None;
        let seen = view(whole, &rest, known.size, &mut |level, number| {
            fetch_hashes(level, number, TILE_WIDTH, fetch).map_err(|error| {
                failed = Some(error);
                LogError::NoEntry { index: number, size }
            })
        });
        let (root, prefix, path) = match (seen, failed) {
            (Ok(seen), _) => seen,
            (Err(_), Some(error)) => return Err(error),
            (Err(error), None) => return Err(error.into()),
        };
        let is_other = root == shown.root && prefix != known.root && known.size > 0;
        Ok(is_other.then(|| ForkProof::of_prefix(operator, (known_note, note), prefix, path)))
    }

    /// The tree of the first entries as they are stored.
    fn resume(&self, size: u64) -> Result<Tree, MirrorError> {
        let whole = size / TILE_WIDTH * TILE_WIDTH;
        let load = &mut |l, n| stored(&self.storage, l, n);
        let mut tree = Tree::resume(whole, load)?;
        let mut bytes = vec![0; ((size - whole) * HASH_BYTES) as usize];
        let read = self.storage.read_at(&hashes_name(0), whole * HASH_BYTES, &mut bytes);
        let count = read.map_err(LogError::storage("read a tile"))?;
        let (hashes, _) = bytes.as_chunks::<32>();
        if count < bytes.len() {
            return Err(MirrorError::State);
        }
        hashes.iter().for_each(|hash| tree.push(Digest32(*hash)));
        Ok(tree)
    }

    fn root(&mut self, size: u64) -> Result<Digest32, MirrorError> {
        let load = &mut |l, n| stored(&self.storage, l, n);
        Ok(self.tree.root(size, load)?)
    }
}

/// What a log's own tiles say: its root, the root of its first entries, and the path from that one to this.
fn view(
    whole: u64,
    rest: &[Digest32],
    known: u64,
    load: &mut dyn FnMut(u8, u64) -> Result<Vec<Digest32>, LogError>,
) -> Result<(Digest32, Digest32, Vec<Digest32>), LogError> {
    let mut tree = Tree::resume(whole, load)?;
    rest.iter().for_each(|leaf| tree.push(*leaf));
    let size = tree.size();
    let prefix = tree.root(known, load)?;
    Ok((tree.root(size, load)?, prefix, tree.consistency(known.max(1), size, load)?))
}

/// The first hashes of a tile, as many as asked.
fn fetch_hashes(
    level: u8,
    number: u64,
    width: u64,
    fetch: FetchTile<'_>,
) -> Result<Vec<Digest32>, MirrorError> {
    let tile = Tile { kind: TileKind::Hashes { level }, number, width: width as u16 };
    let bytes = fetch(&tile).map_err(|reason| MirrorError::Tile { tile, reason })?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.len() as u64 != width {
        let reason = format!("it has {} bytes, not {}", bytes.len(), width * HASH_BYTES);
        return Err(MirrorError::Tile { tile, reason });
    }
    Ok(hashes.iter().map(|hash| Digest32(*hash)).collect())
}

/// A full tile that was stored.
fn stored<S: Storage>(storage: &S, level: u8, number: u64) -> Result<Vec<Digest32>, LogError> {
    let gone = || LogError::storage("read a tile")(io::ErrorKind::UnexpectedEof.into());
    read_tile(storage, level, number)?.ok_or_else(gone)
}

/// Names of the last checkpoint's file, and of the keys'.
const CHECKPOINT: &str = "checkpoint";
const KEYS: &str = "keys";
/// Tiles after which what was read is stored: half a MiB.
const STORE_TILES: u64 = 64;
/// New leaves that one look takes: 4 GiB of hashes.
const ENTRIES_MAX: u64 = 1 << 27;
