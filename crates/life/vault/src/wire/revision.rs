//! One state of one item, sealed.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader, padme};
use symbolon_crypto::{FIELD_OVERHEAD_BYTES, labels, sha256};
use symbolon_custody::VaultId;

use super::error::WireError;
use super::id::ItemId;
use super::text::as_text;

/// Whether an item is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// In use.
    Live,
    /// In the trash: hidden, and can be restored.
    Trashed,
    /// Gone: its contents are in no revision that the server keeps.
    Erased,
}

impl State {
    /// The byte on the wire.
    pub const fn as_byte(self) -> u8 {
        match self {
            Self::Live => 0,
            Self::Trashed => 1,
            Self::Erased => 2,
        }
    }

    /// From the byte on the wire.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Live),
            1 => Some(Self::Trashed),
            2 => Some(Self::Erased),
            _ => None,
        }
    }
}

/// What of a revision is in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The vault.
    pub vault: VaultId,
    /// The item.
    pub item: ItemId,
    /// Which revision of the item, from 1.
    pub number: u64,
    /// The folder that it is in.
    pub parent: Option<ItemId>,
    /// Under which data key its fields are sealed, from 1.
    pub epoch: u32,
    /// When the item was made, in milliseconds since 1970, by the holder's clock.
    pub created_unix_ms: u64,
    /// When this revision was made.
    pub updated_unix_ms: u64,
    /// Whether it is in use.
    pub state: State,
    /// The salted hash of the plaintext; zeros where it was erased.
    pub commitment: Digest32,
}

/// A revision as it is stored and sent: a header, and fields that only the holder can open.
///
/// Every value is well formed; its bytes are the only ones that mean it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedRevision {
    header: Header,
    fields: Vec<(u8, Range<usize>)>,
    bytes: Arc<[u8]>,
}

impl SealedRevision {
    /// Of a header and sealed fields with rising numbers.
    ///
    /// # Errors
    /// [`WireError`] where a reader would refuse the bytes.
    pub fn new(header: &Header, fields: &[(u8, Vec<u8>)]) -> Result<Self, WireError> {
        let parent = header.parent.as_ref().map_or(&[][..], |p| p.as_bytes());
        let mut f = Fields::new(labels::VAULT_REVISION.as_str())
            .bytes(header.vault.as_bytes())
            .bytes(header.item.as_bytes())
            .u64(header.number)
            .bytes(parent)
            .u64(u64::from(header.epoch))
            .u64(header.created_unix_ms)
            .u64(header.updated_unix_ms)
            .bytes(&[header.state.as_byte()])
            .bytes(&header.commitment.0)
            .u64(fields.len() as u64);
        for (number, field) in fields {
            f = f.u64(u64::from(*number)).bytes(field);
        }
        Self::decode(&f.finish())
    }

    /// From the bytes on the wire.
    ///
    /// # Errors
    /// [`WireError`]; see the rules of the spec.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() > REVISION_BYTES_MAX {
            let (found, max) = (bytes.len(), REVISION_BYTES_MAX);
            return Err(CodecError::TooLong { found, max }.into());
        }
        let mut r = FieldsReader::new(labels::VAULT_REVISION.as_str(), bytes)?;
        let (vault, item) = (VaultId::from(r.array()?), ItemId::from(r.array()?));
        let number = r.u64()?;
        let parent = match r.bytes(16)? {
            [] => None,
            id => Some(ItemId::from(<[u8; 16]>::try_from(id).map_err(|_| CodecError::Truncated)?)),
        };
        let epoch = r.u64()?;
        let (created_unix_ms, updated_unix_ms) = (r.u64()?, r.u64()?);
        let [state] = r.array()?;
        let commitment = Digest32(r.array()?);
        let count = r.u64()?;
        if number == 0 {
            return Err(WireError::Value("number"));
        }
        let epoch = u32::try_from(epoch).ok().filter(|e| *e > 0);
        let epoch = epoch.ok_or(WireError::Value("epoch"))?;
        let state = State::from_byte(state).ok_or(WireError::Value("state"))?;
        if count > u64::from(FIELDS_MAX) {
            return Err(WireError::Fields);
        }
        let mut fields = Vec::with_capacity(4);
        let mut last = 0;
        for _ in 0..count {
            let number = r.u64()?;
            let field = r.bytes(REVISION_BYTES_MAX)?;
            let rising = u8::try_from(number).ok().filter(|n| *n > last && *n <= FIELDS_MAX);
            last = rising.ok_or(WireError::Fields)?;
            let plain = field.len().checked_sub(FIELD_OVERHEAD_BYTES);
            plain
                .filter(|len| *len == padme::padded_len(*len, PLAIN_BYTES_MIN))
                .ok_or(WireError::Padding(last))?;
            // Where the field lies: what is left tells how far the reader is.
            let end = bytes.len() - r.remaining();
            fields.push((last, end - field.len()..end));
        }
        r.end()?;
        let is_empty = fields.is_empty() && parent.is_none() && commitment.0 == [0; 32];
        if is_empty != (state == State::Erased) || fields.is_empty() != (state == State::Erased) {
            return Err(WireError::State);
        }
        let header = Header {
            vault,
            item,
            number,
            parent,
            epoch,
            created_unix_ms,
            updated_unix_ms,
            state,
            commitment,
        };
        Ok(Self { header, fields, bytes: bytes.into() })
    }

    /// What is in the clear.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The item.
    pub const fn item(&self) -> ItemId {
        self.header.item
    }

    /// Which revision of the item.
    pub const fn number(&self) -> u64 {
        self.header.number
    }

    /// The sealed field of this number.
    pub fn field(&self, number: u8) -> Option<&[u8]> {
        let (_, range) = self.fields.iter().find(|(n, _)| *n == number)?;
        self.bytes.get(range.clone())
    }

    /// SHA-256 of the bytes.
    pub fn digest(&self) -> Digest32 {
        sha256(&self.bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, shared.
    pub(crate) fn shared(&self) -> Arc<[u8]> {
        Arc::clone(&self.bytes)
    }

    /// A copy of the bytes.
    pub fn encode(&self) -> Vec<u8> {
        self.bytes.to_vec()
    }
}

impl fmt::Debug for SealedRevision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedRevision").field("header", &self.header).finish_non_exhaustive()
    }
}

as_text!(SealedRevision, REVISION_BYTES_MAX);

/// The longest revision: a body of 1 MiB, padded, and the rest.
pub const REVISION_BYTES_MAX: usize = 1_310_720;
/// The highest number of a field.
pub const FIELDS_MAX: u8 = 15;
/// The shortest padded plaintext of a field.
pub const PLAIN_BYTES_MIN: usize = 64;
