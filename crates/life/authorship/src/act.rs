//! What owners sign: `specs/authorship.md`, "Acts".

use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::{VerifyingKey, labels};

/// The longest origin of a log, in bytes (`specs/log.md`).
pub const LOG_BYTES_MAX: usize = 255;

/// A commitment is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The log's origin.
    pub log: String,
    /// A key of this registration alone.
    pub author: VerifyingKey,
    /// The account, to who knows its id ([`crate::holder_of`]).
    pub holder: Digest32,
    /// What is registered ([`crate::commitment_of`]).
    pub commitment: Digest32,
}

/// The digest is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reveal {
    /// The log's origin.
    pub log: String,
    /// The index of the commit's entry.
    pub registration: u64,
    /// The present owner's key.
    pub owner: VerifyingKey,
    /// What the commitment was to.
    pub digest: Digest32,
}

/// Another key is the owner's from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The log's origin.
    pub log: String,
    /// The index of the commit's entry.
    pub registration: u64,
    /// The index of the newest entry of this registration.
    pub previous: u64,
    /// The present owner's key.
    pub owner: VerifyingKey,
    /// The next owner's key.
    pub next: VerifyingKey,
    /// The next owner's account, to who knows its id.
    pub holder: Digest32,
}

/// What an owner does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Registers a commitment.
    Commit(Commit),
    /// Shows the digest.
    Reveal(Reveal),
    /// Hands over.
    Transfer(Transfer),
}

impl Act {
    /// The bytes that are signed.
    pub fn write(&self) -> Vec<u8> {
        match self {
            Self::Commit(it) => Fields::new(labels::AUTHORSHIP_COMMIT.as_str())
                .str(&it.log)
                .bytes(it.author.as_bytes())
                .bytes(it.holder.as_bytes())
                .bytes(it.commitment.as_bytes())
                .finish(),
            Self::Reveal(it) => Fields::new(labels::AUTHORSHIP_REVEAL.as_str())
                .str(&it.log)
                .u64(it.registration)
                .bytes(it.owner.as_bytes())
                .bytes(it.digest.as_bytes())
                .finish(),
            Self::Transfer(it) => Fields::new(labels::AUTHORSHIP_TRANSFER.as_str())
                .str(&it.log)
                .u64(it.registration)
                .u64(it.previous)
                .bytes(it.owner.as_bytes())
                .bytes(it.next.as_bytes())
                .bytes(it.holder.as_bytes())
                .finish(),
        }
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`CodecError`]: another kind of bytes, a field of another size, a key that is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, CodecError> {
        if let Ok(mut r) = FieldsReader::new(labels::AUTHORSHIP_COMMIT.as_str(), bytes) {
            let act = Commit {
                log: log(&mut r)?,
                author: key(&mut r)?,
                holder: Digest32(r.array()?),
                commitment: Digest32(r.array()?),
            };
            return r.end().map(|()| act.into());
        }
        if let Ok(mut r) = FieldsReader::new(labels::AUTHORSHIP_REVEAL.as_str(), bytes) {
            let act = Reveal {
                log: log(&mut r)?,
                registration: r.u64()?,
                owner: key(&mut r)?,
                digest: Digest32(r.array()?),
            };
            return r.end().map(|()| act.into());
        }
        let mut r = FieldsReader::new(labels::AUTHORSHIP_TRANSFER.as_str(), bytes)?;
        let act = Transfer {
            log: log(&mut r)?,
            registration: r.u64()?,
            previous: r.u64()?,
            owner: key(&mut r)?,
            next: key(&mut r)?,
            holder: Digest32(r.array()?),
        };
        r.end().map(|()| act.into())
    }

    /// The log's origin.
    pub fn log(&self) -> &str {
        match self {
            Self::Commit(it) => &it.log,
            Self::Reveal(it) => &it.log,
            Self::Transfer(it) => &it.log,
        }
    }

    /// Whose signature it needs.
    pub const fn signer(&self) -> &VerifyingKey {
        match self {
            Self::Commit(it) => &it.author,
            Self::Reveal(it) => &it.owner,
            Self::Transfer(it) => &it.owner,
        }
    }

    /// What the next owner of a transfer signs.
    pub(crate) fn acceptance(&self) -> Vec<u8> {
        Fields::new(labels::AUTHORSHIP_ACCEPT.as_str()).bytes(&self.write()).finish()
    }
}

impl From<Commit> for Act {
    fn from(act: Commit) -> Self {
        Self::Commit(act)
    }
}

impl From<Reveal> for Act {
    fn from(act: Reveal) -> Self {
        Self::Reveal(act)
    }
}

impl From<Transfer> for Act {
    fn from(act: Transfer) -> Self {
        Self::Transfer(act)
    }
}

fn log(r: &mut FieldsReader<'_>) -> Result<String, CodecError> {
    r.str(LOG_BYTES_MAX).map(str::to_owned)
}

fn key(r: &mut FieldsReader<'_>) -> Result<VerifyingKey, CodecError> {
    VerifyingKey::from_bytes(&r.array()?).map_err(|_| CodecError::Encoding("an Ed25519 key"))
}
