//! What one node asks another.

use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::labels::MESH_REQUEST;

use crate::certificate::CERTIFICATE_BYTES_MAX;
use crate::checkpoint::NOTE_BYTES_MAX;
use crate::name::LogId;

/// Longest request that is read.
pub const REQUEST_BYTES_MAX: usize = NOTE_BYTES_MAX + 1024;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Its bytes are no request.
    #[error("this is no request of the mesh: {0}")]
    Form(#[from] CodecError),
    /// It is of a kind that is not known.
    #[error("the request is of a kind that is not known")]
    Kind,
    /// It asks for entries before those that it has.
    #[error("the request asks for entries before its own base")]
    Range,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Whose node are you? This is whose I am.
    Introduce {
        /// The asking node's certificate.
        certificate: Vec<u8>,
    },
    /// Which checkpoints have you, of logs after this one?
    Heads {
        /// The last log of the answer before.
        after: Option<LogId>,
    },
    /// What stands from `from` on, under this checkpoint?
    Range {
        /// The log.
        log: LogId,
        /// Entries under the checkpoint that the asking node has reached.
        base: u64,
        /// Entries that it has.
        from: u64,
        /// The checkpoint that it wants to reach.
        note: String,
    },
    /// Which entry stands here, and under which checkpoint?
    Inclusion {
        /// The log.
        log: LogId,
        /// The place.
        index: u64,
    },
}

impl Request {
    /// Its one encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let fields = Fields::new(MESH_REQUEST.as_str());
        match self {
            Self::Introduce { certificate } => fields.str("introduce").bytes(certificate),
            Self::Heads { after } => {
                let after: &[u8] = after.as_ref().map_or(&[], |log| log.0.as_bytes());
                fields.str("heads").bytes(after)
            }
            Self::Range { log, base, from, note } => {
                let fields = fields.str("range").bytes(log.0.as_bytes());
                fields.u64(*base).u64(*from).str(note)
            }
            Self::Inclusion { log, index } => {
                fields.str("inclusion").bytes(log.0.as_bytes()).u64(*index)
            }
        }
        .finish()
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        let mut r = FieldsReader::new(MESH_REQUEST.as_str(), bytes)?;
        let request = match r.str(KIND_BYTES_MAX)? {
            "introduce" => {
                Self::Introduce { certificate: r.bytes(CERTIFICATE_BYTES_MAX)?.to_vec() }
            }
            "heads" => {
                let after = match r.bytes(32)? {
                    [] => None,
                    id => Some(log_id(id)?),
                };
                Self::Heads { after }
            }
            "range" => {
                let (log, base, from) = (log_id(r.bytes(32)?)?, r.u64()?, r.u64()?);
                if from < base {
                    return Err(RequestError::Range);
                }
                Self::Range { log, base, from, note: r.str(NOTE_BYTES_MAX)?.to_owned() }
            }
            "inclusion" => Self::Inclusion { log: log_id(r.bytes(32)?)?, index: r.u64()? },
            _ => return Err(RequestError::Kind),
        };
        r.end()?;
        Ok(request)
    }
}

pub(crate) fn log_id(bytes: &[u8]) -> Result<LogId, CodecError> {
    bytes.try_into().map(|id| LogId(Digest32(id))).map_err(|_| CodecError::Truncated)
}

/// Longest name of a kind of message.
pub(crate) const KIND_BYTES_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: LogId = LogId(Digest32([7; 32]));

    #[test]
    fn what_was_written_is_read_and_nothing_after_it() {
        let all = [
            Request::Introduce { certificate: vec![1, 2] },
            Request::Heads { after: None },
            Request::Heads { after: Some(LOG) },
            Request::Range { log: LOG, base: 3, from: 9, note: "note".into() },
            Request::Inclusion { log: LOG, index: 4 },
        ];
        for one in all {
            let bytes = one.to_bytes();
            assert_eq!(Request::parse(&bytes).as_ref(), Ok(&one));
            let tail = [&bytes[..], b"x"].concat();
            assert_eq!(Request::parse(&tail), Err(CodecError::Trailing(1).into()));
            for cut in 0..bytes.len() {
                assert!(matches!(Request::parse(&bytes[..cut]), Err(RequestError::Form(_))));
            }
        }
    }

    #[test]
    fn each_check_refuses_what_breaks_it_alone() {
        let back = Request::Range { log: LOG, base: 3, from: 2, note: "note".into() };
        assert_eq!(Request::parse(&back.to_bytes()), Err(RequestError::Range));
        let unknown = Fields::new(MESH_REQUEST.as_str()).str("gossip").finish();
        assert_eq!(Request::parse(&unknown), Err(RequestError::Kind));
        let long = Request::Introduce { certificate: vec![0; CERTIFICATE_BYTES_MAX + 1] };
        let long = Request::parse(&long.to_bytes());
        assert!(matches!(long, Err(RequestError::Form(CodecError::TooLong { .. }))));
        let short = Fields::new(MESH_REQUEST.as_str()).str("heads").bytes(&[1; 31]).finish();
        assert_eq!(Request::parse(&short), Err(CodecError::Truncated.into()));
    }
}
