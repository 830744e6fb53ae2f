//! What the entries of one registration come to.

use symbolon_codec::Digest32;
use symbolon_crypto::VerifyingKey;

use crate::certificate::ENTRIES_MAX;
use crate::digest::commitment_of;
use crate::{Act, Entry};

/// Why an entry does not follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StandingError {
    /// A registration begins with a commit, and has one.
    #[error("a registration begins with its commit, and has no other")]
    Begin,
    /// It is of another log or another registration.
    #[error("the act is of another log, or of another registration")]
    Other,
    /// It is not signed by who owns the registration now.
    #[error("the act is not by the present owner's key")]
    Owner,
    /// The digest does not open the commitment under the author's key.
    #[error("the digest is not the one that was committed to")]
    Digest,
    /// It was revealed before.
    #[error("the digest was revealed before")]
    Revealed,
    /// The transfer is not upon the newest entry.
    #[error("the transfer is upon entry {found}, and {newest} is the newest")]
    Previous {
        /// The newest entry.
        newest: u64,
        /// What the transfer names.
        found: u64,
    },
    /// It stands before what it follows, in the log or in time.
    #[error("the entry stands before the one that it follows")]
    Order,
    /// There are as many entries as a registration has.
    #[error("a registration has {ENTRIES_MAX} entries at most")]
    Full,
}

/// A registration after some of its entries. Only entries that follow each other make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    log: String,
    commitment: Digest32,
    author: VerifyingKey,
    owner: VerifyingKey,
    holder: Digest32,
    digest: Option<Digest32>,
    indices: Vec<u64>,
    begun_unix_ms: u64,
    newest_unix_ms: u64,
}

impl Standing {
    /// After its commit, at this index of the log.
    ///
    /// # Errors
    /// [`StandingError::Begin`] for another act.
    pub fn begin(index: u64, entry: &Entry) -> Result<Self, StandingError> {
        let Act::Commit(commit) = entry.act() else { return Err(StandingError::Begin) };
        Ok(Self {
            log: commit.log.clone(),
            commitment: commit.commitment,
            author: commit.author,
            owner: commit.author,
            holder: commit.holder,
            digest: None,
            indices: vec![index],
            begun_unix_ms: entry.at_unix_ms(),
            newest_unix_ms: entry.at_unix_ms(),
        })
    }

    /// Whether an act may follow, wherever its entry will stand.
    ///
    /// # Errors
    /// [`StandingError`], but for [`StandingError::Order`].
    pub fn allows(&self, act: &Act) -> Result<(), StandingError> {
        let is_of = |log: &str, registration| log == self.log && registration == self.index();
        if self.indices.len() >= ENTRIES_MAX {
            return Err(StandingError::Full);
        }
        match act {
            Act::Commit(_) => Err(StandingError::Begin),
            Act::Reveal(it) if !is_of(&it.log, it.registration) => Err(StandingError::Other),
            Act::Transfer(it) if !is_of(&it.log, it.registration) => Err(StandingError::Other),
            _ if *act.signer() != self.owner => Err(StandingError::Owner),
            Act::Reveal(_) if self.digest.is_some() => Err(StandingError::Revealed),
            Act::Reveal(it) if commitment_of(&self.author, &it.digest) != self.commitment => {
                Err(StandingError::Digest)
            }
            Act::Transfer(it) if it.previous != self.newest() => {
                Err(StandingError::Previous { newest: self.newest(), found: it.previous })
            }
            Act::Reveal(_) | Act::Transfer(_) => Ok(()),
        }
    }

    /// After one entry more, at this index of the log.
    ///
    /// # Errors
    /// [`StandingError`].
    pub fn after(mut self, index: u64, entry: &Entry) -> Result<Self, StandingError> {
        self.allows(entry.act())?;
        if index <= self.newest() || entry.at_unix_ms() < self.newest_unix_ms {
            return Err(StandingError::Order);
        }
        match entry.act() {
            Act::Commit(_) => return Err(StandingError::Begin),
            Act::Reveal(it) => self.digest = Some(it.digest),
            Act::Transfer(it) => {
                self.owner = it.next;
                self.holder = it.holder;
            }
        }
        self.indices.push(index);
        self.newest_unix_ms = entry.at_unix_ms();
        Ok(self)
    }

    /// The log's origin.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// The index of its commit: which of two is first.
    pub fn index(&self) -> u64 {
        self.indices[0]
    }

    /// The indices of all its entries.
    pub fn indices(&self) -> &[u64] {
        &self.indices
    }

    /// The index of its newest entry.
    pub fn newest(&self) -> u64 {
        self.indices[self.indices.len() - 1]
    }

    /// What was registered.
    pub const fn commitment(&self) -> &Digest32 {
        &self.commitment
    }

    /// The key that registered it.
    pub const fn author(&self) -> &VerifyingKey {
        &self.author
    }

    /// The key that owns it now.
    pub const fn owner(&self) -> &VerifyingKey {
        &self.owner
    }

    /// The owner's account, to who knows its id.
    pub const fn holder(&self) -> &Digest32 {
        &self.holder
    }

    /// The digest, where it was revealed.
    pub const fn digest(&self) -> Option<&Digest32> {
        self.digest.as_ref()
    }

    /// When it was registered, in Unix milliseconds.
    pub const fn begun_unix_ms(&self) -> u64 {
        self.begun_unix_ms
    }

    /// When its newest entry was taken, in Unix milliseconds.
    pub const fn newest_unix_ms(&self) -> u64 {
        self.newest_unix_ms
    }

    /// Whether this is the digest that was committed to.
    pub fn is_of(&self, digest: &Digest32) -> bool {
        commitment_of(&self.author, digest) == self.commitment
    }
}
