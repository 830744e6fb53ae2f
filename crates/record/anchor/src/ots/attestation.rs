//! What somebody says of a message that a proof leads to.

use std::cmp::Ordering;

use super::error::OtsError;
use super::read::Reader;

/// Somebody's word on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attestation {
    /// A calendar has it, and will lead it to a block.
    Pending {
        /// Where the rest is to be asked for.
        calendar: String,
    },
    /// It is the Merkle root of the Bitcoin block of this height.
    Bitcoin {
        /// The block's height.
        height: u64,
    },
    /// Another kind, kept as it is.
    Other {
        /// Which.
        tag: [u8; 8],
        /// What it says.
        payload: Vec<u8>,
    },
}

impl Attestation {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, OtsError> {
        let tag: [u8; 8] = reader.array()?;
        let payload = reader.var_bytes("bytes in an attestation", PAYLOAD_BYTES_MAX)?;
        let mut inner = Reader::new(payload);
        match tag {
            PENDING => {
                let calendar =
                    inner.var_bytes("bytes in a calendar's address", CALENDAR_BYTES_MAX)?;
                inner.finish()?;
                let is_plain = calendar.iter().all(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/' | b':')
                });
                let calendar = std::str::from_utf8(calendar).ok().filter(|_| is_plain);
                Ok(Self::Pending { calendar: calendar.ok_or(OtsError::Calendar)?.to_owned() })
            }
            BITCOIN => {
                let height = inner.number()?;
                inner.finish()?;
                Ok(Self::Bitcoin { height })
            }
            _ => Ok(Self::Other { tag, payload: payload.to_vec() }),
        }
    }

    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.tag());
        super::read::write_var_bytes(to, &self.payload());
    }

    fn tag(&self) -> [u8; 8] {
        match self {
            Self::Pending { .. } => PENDING,
            Self::Bitcoin { .. } => BITCOIN,
            Self::Other { tag, .. } => *tag,
        }
    }

    fn payload(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        match self {
            Self::Pending { calendar } => {
                super::read::write_var_bytes(&mut payload, calendar.as_bytes());
            }
            Self::Bitcoin { height } => super::read::write_number(&mut payload, *height),
            Self::Other { payload: kept, .. } => payload.extend_from_slice(kept),
        }
        payload
    }
}

/// The order in which they are written: by tag, then by what they say.
impl Ord for Attestation {
    fn cmp(&self, other: &Self) -> Ordering {
        self.tag().cmp(&other.tag()).then_with(|| match (self, other) {
            (Self::Pending { calendar: a }, Self::Pending { calendar: b }) => a.cmp(b),
            (Self::Bitcoin { height: a }, Self::Bitcoin { height: b }) => a.cmp(b),
            _ => self.payload().cmp(&other.payload()),
        })
    }
}

impl PartialOrd for Attestation {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const PENDING: [u8; 8] = [0x83, 0xdf, 0xe3, 0x0d, 0x2e, 0xf9, 0x0c, 0x8e];
const BITCOIN: [u8; 8] = [0x05, 0x88, 0x96, 0x0d, 0x73, 0xd7, 0x19, 0x01];
const PAYLOAD_BYTES_MAX: usize = 8192;
/// The longest address of a calendar.
pub const CALENDAR_BYTES_MAX: usize = 1000;
