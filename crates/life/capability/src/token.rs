//! Single-use tokens, and the table of those that wait.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use symbolon_ambient::Rng;
use symbolon_codec::{CodecError, Digest32, b64url};
use symbolon_crypto::{labels, sha256_parts};
use zeroize::Zeroize;

use crate::approval::{Approved, Need};
use crate::engine::Lease;
use crate::gate::{Gates, Refusal};
use crate::rules::Cost;

/// 256 random bits. Whoever holds them, in the right session, may make one exact call.
pub struct Token {
    bytes: [u8; 32],
    id: Digest32,
}

impl Token {
    pub(crate) fn make(rng: &dyn Rng) -> Self {
        let mut bytes = [0; 32];
        rng.fill(&mut bytes);
        Self::of(bytes)
    }

    fn of(bytes: [u8; 32]) -> Self {
        Self { bytes, id: Self::name(&bytes) }
    }

    /// Of bits and the name that [`Token::name`] gave them.
    pub(crate) fn from_parts(bytes: [u8; 32], id: Digest32) -> Self {
        Self { bytes, id }
    }

    /// The name under which a token of these bits is kept.
    pub(crate) fn name(bytes: &[u8; 32]) -> Digest32 {
        sha256_parts(&[labels::CAPABILITY_TOKEN.as_str().as_bytes(), bytes])
    }

    /// The 43 characters that an agent is handed.
    pub fn to_text(&self) -> String {
        b64url::encode(&self.bytes)
    }

    /// Reads what an agent handed back.
    ///
    /// # Errors
    /// [`CodecError`] where it is not 32 bytes of base64url.
    pub fn parse(text: &str) -> Result<Self, CodecError> {
        let bytes = b64url::decode(text, 32)?;
        bytes.try_into().map(Self::of).map_err(|_| CodecError::Encoding("32 bytes of base64url"))
    }

    /// The name under which it is kept: the table never holds a token.
    pub fn id(&self) -> Digest32 {
        self.id
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// What a token stands for.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) lease: Arc<Lease>,
    pub(crate) grant: u64,
    pub(crate) context: Digest32,
    pub(crate) request: Digest32,
    pub(crate) until_ns: u64,
    pub(crate) requested_unix_ms: u64,
    /// The approval that it stands on, where a rule wanted one.
    pub(crate) approved: Option<Approved>,
    /// A rule wants a person asked before it is redeemed.
    pub(crate) need: Option<Box<Need>>,
    /// What it takes of the budgets of its grant, and of those above.
    pub(crate) costs: Vec<Cost>,
    /// What shadow mode passed over.
    pub(crate) missed: Vec<Refusal>,
    /// Which gates held.
    pub(crate) gates: Gates,
}

/// Tokens that wait to be redeemed, in shards so that threads rarely meet.
#[derive(Debug)]
pub(crate) struct Table {
    shards: Box<[Mutex<Shard>]>,
    count: AtomicUsize,
}

/// Tokens that wait, and the names of the last that were taken.
#[derive(Debug, Default)]
struct Shard {
    waiting: HashMap<Digest32, Pending, BuildHasherDefault<AlreadyHashed>>,
    taken: VecDeque<u64>,
}

/// What [`Table::take`] found.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // on the hot path; a box would cost more than the move
pub(crate) enum Taken {
    /// The token was waiting, and is gone now.
    Now(Pending),
    /// Somebody took it before.
    Before,
    /// Never issued, or so long ago that nobody remembers.
    Unknown,
}

/// The most tokens that wait at once.
pub(crate) const TOKENS_MAX: usize = 1 << 16;
const SHARDS: usize = 64;
/// Names of taken tokens that a shard remembers, so that a second use can be called one.
const REMEMBERED: usize = 512;

impl Table {
    pub(crate) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), count: AtomicUsize::new(0) }
    }

    /// False where the table is full, after what has expired in this shard was thrown out.
    pub(crate) fn insert(&self, id: Digest32, pending: Pending, now_ns: u64) -> bool {
        let mut shard = self.shard(&id);
        let waiting = &mut shard.waiting;
        if self.count.load(Relaxed) >= TOKENS_MAX || waiting.len() >= 2 * TOKENS_MAX / SHARDS {
            let before = waiting.len();
            waiting.retain(|_, p| p.until_ns > now_ns);
            self.count.fetch_sub(before - waiting.len(), Relaxed);
            if self.count.load(Relaxed) >= TOKENS_MAX {
                return false;
            }
        }
        if shard.waiting.insert(id, pending).is_none() {
            self.count.fetch_add(1, Relaxed);
        }
        true
    }

    /// Takes a token out: of any number of callers, one gets it.
    pub(crate) fn take(&self, id: &Digest32) -> Taken {
        let mut shard = self.shard(id);
        match shard.waiting.remove(id) {
            Some(pending) => {
                self.count.fetch_sub(1, Relaxed);
                if shard.taken.len() == REMEMBERED {
                    shard.taken.pop_front();
                }
                shard.taken.push_back(id.low64());
                Taken::Now(pending)
            }
            None if shard.taken.contains(&id.low64()) => Taken::Before,
            None => Taken::Unknown,
        }
    }

    pub(crate) fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            self.count.fetch_sub(shard.waiting.len(), Relaxed);
            *shard = Shard::default();
        }
    }

    fn shard(&self, id: &Digest32) -> MutexGuard<'_, Shard> {
        self.shards[id.0[31] as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys are SHA-256 values of random tokens: eight of their bytes are as good as any hash.
#[derive(Debug, Default)]
pub(crate) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }
    fn write_usize(&mut self, _: usize) {}
}
