//! The log itself: appending, and what makes entries durable.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, TryLockError};

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;
use symbolon_crypto::{SigningKey, VerifyingKey};

use crate::LogError;
use crate::hash::leaf_hash;
use crate::index::Index;
use crate::note::check_name;
use crate::publish::Published;
use crate::record::{Chain, ENTRY_BYTES_MAX, push_record};
use crate::recovery::{Recovery, recover};
use crate::shard::Shards;
use crate::storage::Storage;
use crate::tile::TILE_WIDTH;
use crate::tree::Tree;

/// What an entry must survive before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// The loss of power: written and synced; one sync serves all who wait.
    #[default]
    Group,
    /// The death of this process, not the loss of power: handed to the operating system.
    Relaxed,
}

impl std::fmt::Display for Durability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Group => "group",
            Self::Relaxed => "relaxed",
        })
    }
}

/// An entry's place in the log; says nothing about whether it survives. See [`Log::durable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    log: u64,
    index: u64,
    leaf_hash: Digest32,
}

impl Ticket {
    /// The place that the entry will have.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hash of the entry.
    pub fn leaf_hash(&self) -> &Digest32 {
        &self.leaf_hash
    }
}

/// Evidence that an entry survives as its [`Durability`] says. Only a log makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct Durable {
    index: u64,
    leaf_hash: Digest32,
    durability: Durability,
}

impl Durable {
    /// The entry's place.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hash of the entry.
    pub fn leaf_hash(&self) -> &Digest32 {
        &self.leaf_hash
    }

    /// What the entry survives.
    pub fn durability(&self) -> Durability {
        self.durability
    }
}

/// How to open a log.
#[derive(Clone)]
pub struct LogOptions {
    /// Name of the log: no white space, no `+`, at most 255 bytes, such as `symbolon.dev/log/4f…`.
    pub origin: String,
    /// Signs checkpoints; can also be given later.
    pub signer: Option<Arc<SigningKey>>,
    /// Checks the stored checkpoint where there is no signer yet.
    pub verifier: Option<VerifyingKey>,
}

/// An append-only list of entries with a Merkle tree over it. All methods take `&self` and may be
/// called from any thread.
pub struct Log<S> {
    id: u64,
    pub(crate) origin: String,
    pub(crate) storage: S,
    pub(crate) signer: RwLock<Option<Arc<SigningKey>>>,
    /// Held for a copy of the entry and one block of SHA-256.
    pending: Mutex<Pending>,
    /// Held while entries are written.
    pub(crate) writer: Mutex<Writer>,
    /// Held while the storage syncs: whoever waits here finds its work done.
    pub(crate) syncing: Mutex<()>,
    pub(crate) written: AtomicU64,
    pub(crate) durable: AtomicU64,
    poison: OnceLock<Arc<str>>,
    /// Leaves that are written and not yet in the tree, so that writing never waits for a proof.
    leaves: Mutex<Vec<Digest32>>,
    pub(crate) tree: Mutex<Tree>,
    pub(crate) index: Mutex<Index>,
    pub(crate) published: Mutex<Published>,
    pub(crate) recovery: Recovery,
    pub(crate) shards: RwLock<Arc<Shards>>,
}

struct Pending {
    chain: Chain,
    next: u64,
    /// Where the first byte of `batch` will stand in the file.
    offset: u64,
    batch: Batch,
}

#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    leaves: Vec<Digest32>,
    /// Offsets of records that begin a bundle.
    offsets: Vec<u64>,
}

pub(crate) struct Writer {
    pub(crate) offset: u64,
    /// The empty batch that takes the place of the one being written.
    spare: Batch,
}

/// More than this is not kept waiting.
const PENDING_BYTES_MAX: usize = 16 << 20;
/// A buffer that grew beyond this is not kept.
const SPARE_BYTES_MAX: usize = 2 << 20;
/// Leaves are pushed to the tree by the writer itself beyond this many.
const LEAVES_MAX: usize = 16 * 1024;

static LOGS: AtomicU64 = AtomicU64::new(1);

impl<S: Storage> Log<S> {
    /// Opens the log, or begins it where the storage is empty. With a signer the stored
    /// checkpoint's signature is checked.
    ///
    /// # Errors
    /// [`LogError`] of the kind *Damage* where the storage does not hold what the checkpoint
    /// covers; nothing is changed then.
    pub fn open(
        storage: S,
        origin: &str,
        signer: Option<Arc<SigningKey>>,
    ) -> Result<Self, LogError> {
        Self::open_with(storage, LogOptions { origin: origin.to_owned(), signer, verifier: None })
    }

    /// As [`Log::open`]; the key that checks can be another than the one that signs.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn open_with(storage: S, options: LogOptions) -> Result<Self, LogError> {
        check_name(&options.origin)?;
        let own = options.signer.as_ref().map(|s| s.verifying_key());
        let key = options.verifier.or(own);
        let found = recover(&storage, &options.origin, key.as_ref())?;
        // What was found may only have reached the operating system.
        storage.sync().map_err(LogError::storage("sync the entries"))?;
        let size = found.tree.size();
        let pending = Pending {
            chain: found.chain,
            next: size,
            offset: found.offset,
            batch: Batch::default(),
        };
        Ok(Self {
            id: LOGS.fetch_add(1, Ordering::Relaxed),
            origin: options.origin,
            storage,
            signer: RwLock::new(options.signer),
            pending: Mutex::new(pending),
            writer: Mutex::new(Writer { offset: found.offset, spare: Batch::default() }),
            syncing: Mutex::new(()),
            written: size.into(),
            durable: size.into(),
            poison: OnceLock::new(),
            leaves: Mutex::default(),
            tree: Mutex::new(found.tree),
            index: Mutex::new(found.index),
            published: Mutex::new(Published::new(found.signed, found.unsigned, found.stored)),
            recovery: found.recovery,
            shards: RwLock::new(Arc::new(found.shards)),
        })
    }

    /// Takes an entry into the batch: hashes it, chains it, copies it. No I/O, and no allocation
    /// but the growth of the batch.
    ///
    /// # Errors
    /// [`LogError::EntryLength`], [`LogError::Backlog`] or [`LogError::Poisoned`].
    pub fn append(&self, entry: &[u8]) -> Result<Ticket, LogError> {
        if entry.is_empty() || entry.len() > ENTRY_BYTES_MAX {
            return Err(LogError::EntryLength { found: entry.len() });
        }
        self.check_poison()?;
        let leaf_hash = leaf_hash(entry);
        let mut pending = lock_briefly(&self.pending);
        let Pending { chain, next, offset, batch } = &mut *pending;
        if batch.bytes.len() > PENDING_BYTES_MAX {
            return Err(LogError::Backlog { waiting: batch.bytes.len() });
        }
        if next.is_multiple_of(TILE_WIDTH) {
            batch.offsets.push(*offset + batch.bytes.len() as u64);
        }
        push_record(&mut batch.bytes, chain, entry, &leaf_hash);
        batch.leaves.push(leaf_hash);
        let index = *next;
        *next += 1;
        Ok(Ticket { log: self.id, index, leaf_hash })
    }

    /// Writes what is pending, without a sync: [`Durability::Relaxed`]. Gives the number of
    /// entries written so far.
    ///
    /// # Errors
    /// [`LogError::Storage`], which poisons the log, or [`LogError::Poisoned`].
    pub fn hand_over(&self) -> Result<u64, LogError> {
        self.hand_over_as(lock(&self.writer))
    }

    fn hand_over_as(&self, mut writer: MutexGuard<'_, Writer>) -> Result<u64, LogError> {
        let (written, waiting) = self.write_pending(&mut writer)?;
        drop(writer);
        if waiting > LEAVES_MAX {
            drop(self.settled_tree());
        }
        Ok(written)
    }

    /// Gives how many entries are written, and how many of their leaves wait for the tree.
    pub(crate) fn write_pending(&self, writer: &mut Writer) -> Result<(u64, usize), LogError> {
        self.check_poison()?;
        let mut batch = {
            let mut pending = lock_briefly(&self.pending);
            if pending.batch.leaves.is_empty() {
                return Ok((self.written.load(Ordering::Acquire), 0));
            }
            pending.offset += pending.batch.bytes.len() as u64;
            std::mem::replace(&mut pending.batch, std::mem::take(&mut writer.spare))
        };
        self.storage
            .write(writer.offset, &batch.bytes)
            .map_err(|e| self.poison("write entries", e))?;
        writer.offset += batch.bytes.len() as u64;
        lock(&self.index).extend(&batch.offsets);
        let waiting = {
            let mut leaves = lock(&self.leaves);
            leaves.extend_from_slice(&batch.leaves);
            leaves.len()
        };
        let written = self.written.fetch_add(batch.leaves.len() as u64, Ordering::AcqRel);
        let written = written + batch.leaves.len() as u64;
        if batch.bytes.capacity() <= SPARE_BYTES_MAX {
            batch.bytes.clear();
            batch.leaves.clear();
            batch.offsets.clear();
            writer.spare = batch;
        }
        Ok((written, waiting))
    }

    /// Writes what is pending and syncs: [`Durability::Group`]. Gives the number of entries that
    /// are durable now. One sync serves every entry written before it began.
    ///
    /// # Errors
    /// As [`Log::hand_over`].
    pub fn commit(&self) -> Result<u64, LogError> {
        self.sync(lock(&self.syncing))
    }

    /// As [`Log::commit`], where nobody else commits at this moment; else `None`.
    ///
    /// # Errors
    /// As [`Log::hand_over`].
    pub fn try_commit(&self) -> Result<Option<u64>, LogError> {
        match self.syncing.try_lock() {
            Ok(one) => self.sync(one).map(Some),
            Err(TryLockError::Poisoned(one)) => self.sync(one.into_inner()).map(Some),
            Err(TryLockError::WouldBlock) => Ok(None),
        }
    }

    fn sync(&self, _one: MutexGuard<'_, ()>) -> Result<u64, LogError> {
        let written = self.hand_over()?;
        if written > self.durable_size() {
            self.storage.sync().map_err(|e| self.poison("sync entries", e))?;
            self.durable.store(written, Ordering::Release);
        }
        Ok(written)
    }

    /// Evidence for an entry, if it survives already what `durability` says.
    pub fn durable(&self, ticket: &Ticket, durability: Durability) -> Option<Durable> {
        let size = match durability {
            Durability::Group => self.durable_size(),
            Durability::Relaxed => self.written_size(),
        };
        let Ticket { log, index, leaf_hash } = *ticket;
        (log == self.id && index < size).then_some(Durable { index, leaf_hash, durability })
    }

    /// Entries that survive the loss of power.
    pub fn durable_size(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    /// Entries that survive this process.
    pub fn written_size(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Entries appended so far, those that wait to be written included.
    pub fn appended_size(&self) -> u64 {
        lock_briefly(&self.pending).next
    }

    /// What opening found.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Name of the log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether this log gave the ticket.
    pub fn issued(&self, ticket: &Ticket) -> bool {
        ticket.log == self.id
    }

    /// Gives or takes away the key that signs checkpoints. A stored note that this key did not
    /// sign (it may have been read unverified) is not handed out any more.
    pub fn set_signer(&self, signer: Option<Arc<SigningKey>>) {
        if let Some(key) = signer.as_ref().map(|s| s.verifying_key()) {
            lock(&self.published).keep_if_signed_by(&key, &self.origin);
        }
        *self.signer.write().unwrap_or_else(PoisonError::into_inner) = signer;
    }

    /// The storage: what kind it is, and for tests.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Why the log stopped, if it did.
    ///
    /// # Errors
    /// [`LogError::Poisoned`].
    pub fn check_poison(&self) -> Result<(), LogError> {
        match self.poison.get() {
            Some(cause) => Err(LogError::Poisoned { cause: cause.clone() }),
            None => Ok(()),
        }
    }

    pub(crate) fn poison(&self, action: &'static str, source: std::io::Error) -> LogError {
        self.stop(LogError::storage(action)(source))
    }

    /// Nothing more is taken after this error.
    pub(crate) fn stop(&self, error: LogError) -> LogError {
        let _ = self.poison.set(error.to_string().into());
        error
    }

    /// The tree with every written leaf in it.
    pub(crate) fn settled_tree(&self) -> MutexGuard<'_, Tree> {
        let mut tree = lock(&self.tree);
        let leaves = std::mem::take(&mut *lock(&self.leaves));
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

/// A panic while one of our locks is held cannot leave half a change behind that matters more
/// than going on: the poison of the standard library is not used.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For a lock that is held for a fraction of a microsecond: trying again is cheaper than sleeping,
/// and no thread that leaves has to wake another. A holder that lost its core gets it back by the
/// yield.
fn lock_briefly<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    for round in 0..64 {
        match mutex.try_lock() {
            Ok(guard) => return guard,
            Err(TryLockError::Poisoned(guard)) => return guard.into_inner(),
            Err(TryLockError::WouldBlock) if round < 16 => {
                (0..8).for_each(|_| std::hint::spin_loop());
            }
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    lock(mutex)
}
