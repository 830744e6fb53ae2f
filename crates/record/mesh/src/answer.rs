//! What a node is answered.

use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::labels::MESH_ANSWER;

use crate::certificate::CERTIFICATE_BYTES_MAX;
use crate::checkpoint::NOTE_BYTES_MAX;
use crate::entry::ENTRY_BYTES_MAX;
use crate::evidence::EVIDENCE_BYTES_MAX;
use crate::list::{push_path, read_count, read_path};
use crate::name::LogId;
use crate::request::{KIND_BYTES_MAX, log_id};

/// Entries of one answer.
pub const ENTRIES_MAX: usize = 256;
/// Bytes of entries in one answer.
pub const ENTRIES_BYTES_MAX: usize = 1024 * 1024;
/// Checkpoints of one answer.
pub const HEADS_MAX: usize = 32;
/// Longest answer that is read: entries with their lengths, two paths, and what is around them.
pub const ANSWER_BYTES_MAX: usize = ENTRIES_BYTES_MAX + 16 * 1024;

/// Why an answer was refused before anybody looked at what it says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Its bytes are no answer.
    #[error("this is no answer of the mesh: {0}")]
    Form(#[from] CodecError),
    /// It is of a kind that is not known.
    #[error("the answer is of a kind that is not known")]
    Kind,
    /// More bytes of entries than one answer has.
    #[error("the answer has more than 1 MiB of entries")]
    Bytes,
    /// An entry has one byte at least.
    #[error("an entry of the answer is empty")]
    Empty,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Whose node it is.
    Introduced {
        /// Its certificate.
        certificate: Vec<u8>,
    },
    /// Checkpoints that it has reached, in the order of the logs' names.
    Heads {
        /// Log and note.
        heads: Vec<(LogId, String)>,
    },
    /// Entries of a range.
    Entries {
        /// Root of the asked checkpoint's first `base` entries.
        prefix: Digest32,
        /// The path from it to the checkpoint.
        prefix_path: Vec<Digest32>,
        /// The entries, from `from` on.
        entries: Vec<Vec<u8>>,
        /// The path from the tree that ends with them to the checkpoint.
        path: Vec<Digest32>,
    },
    /// It has not what the checkpoint covers.
    Behind {
        /// The checkpoint that it has reached, if it has one.
        note: Option<String>,
    },
    /// The operator of the log has contradicted itself.
    Forked {
        /// What shows it.
        evidence: Vec<u8>,
    },
    /// What stands at a place.
    Included {
        /// The checkpoint.
        note: String,
        /// Hash of the entry.
        leaf: Digest32,
        /// The path from it to the checkpoint.
        path: Vec<Digest32>,
    },
    /// It has not that.
    Absent,
    /// It was asked too often.
    Busy,
}

impl Answer {
    /// Its one encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let fields = Fields::new(MESH_ANSWER.as_str());
        match self {
            Self::Introduced { certificate } => fields.str("introduced").bytes(certificate),
            Self::Heads { heads } => {
                let fields = fields.str("heads").u64(heads.len() as u64);
                heads
                    .iter()
                    .fold(fields, |fields, (log, note)| fields.bytes(log.0.as_bytes()).str(note))
            }
            Self::Entries { prefix, prefix_path, entries, path } => {
                let fields = push_path(fields.str("entries").bytes(prefix.as_bytes()), prefix_path);
                let fields = push_path(fields, path).u64(entries.len() as u64);
                entries.iter().fold(fields, |fields, entry| fields.bytes(entry))
            }
            Self::Behind { note } => fields.str("behind").str(note.as_deref().unwrap_or_default()),
            Self::Forked { evidence } => fields.str("forked").bytes(evidence),
            Self::Included { note, leaf, path } => {
                push_path(fields.str("included").str(note).bytes(leaf.as_bytes()), path)
            }
            Self::Absent => fields.str("absent"),
            Self::Busy => fields.str("busy"),
        }
        .finish()
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, AnswerError> {
        let mut r = FieldsReader::new(MESH_ANSWER.as_str(), bytes)?;
        let answer = match r.str(KIND_BYTES_MAX)? {
            "introduced" => {
                Self::Introduced { certificate: r.bytes(CERTIFICATE_BYTES_MAX)?.to_vec() }
            }
            "heads" => {
                let mut heads = Vec::new();
                for _ in 0..read_count(&mut r, HEADS_MAX)? {
                    heads.push((log_id(r.bytes(32)?)?, r.str(NOTE_BYTES_MAX)?.to_owned()));
                }
                Self::Heads { heads }
            }
            "entries" => {
                let (prefix, prefix_path) = (Digest32(r.array()?), read_path(&mut r)?);
                let path = read_path(&mut r)?;
                Self::Entries { prefix, prefix_path, entries: read_entries(&mut r)?, path }
            }
            "behind" => {
                let note = r.str(NOTE_BYTES_MAX)?;
                Self::Behind { note: (!note.is_empty()).then(|| note.to_owned()) }
            }
            "forked" => Self::Forked { evidence: r.bytes(EVIDENCE_BYTES_MAX)?.to_vec() },
            "included" => {
                let (note, leaf) = (r.str(NOTE_BYTES_MAX)?.to_owned(), Digest32(r.array()?));
                Self::Included { note, leaf, path: read_path(&mut r)? }
            }
            "absent" => Self::Absent,
            "busy" => Self::Busy,
            _ => return Err(AnswerError::Kind),
        };
        r.end()?;
        Ok(answer)
    }
}

fn read_entries(r: &mut FieldsReader<'_>) -> Result<Vec<Vec<u8>>, AnswerError> {
    let (mut entries, mut bytes) = (Vec::new(), 0);
    for _ in 0..read_count(r, ENTRIES_MAX)? {
        let entry = r.bytes(ENTRY_BYTES_MAX)?;
        bytes += entry.len();
        if entry.is_empty() {
            return Err(AnswerError::Empty);
        }
        if bytes > ENTRIES_BYTES_MAX {
            return Err(AnswerError::Bytes);
        }
        entries.push(entry.to_vec());
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: Digest32 = Digest32([7; 32]);

    fn entries(entries: Vec<Vec<u8>>) -> Answer {
        Answer::Entries { prefix: HASH, prefix_path: vec![HASH], entries, path: vec![HASH; 2] }
    }

    #[test]
    fn what_was_written_is_read_and_nothing_after_it() {
        let all = [
            Answer::Introduced { certificate: vec![1, 2] },
            Answer::Heads { heads: vec![(LogId(HASH), "note".into())] },
            entries(vec![vec![1], vec![2, 3]]),
            Answer::Behind { note: None },
            Answer::Behind { note: Some("note".into()) },
            Answer::Forked { evidence: vec![9] },
            Answer::Included { note: "note".into(), leaf: HASH, path: vec![HASH] },
            Answer::Absent,
            Answer::Busy,
        ];
        for one in all {
            let bytes = one.to_bytes();
            assert_eq!(Answer::parse(&bytes).as_ref(), Ok(&one));
            let tail = [&bytes[..], b"x"].concat();
            assert_eq!(Answer::parse(&tail), Err(CodecError::Trailing(1).into()));
            for cut in 0..bytes.len() {
                assert!(matches!(Answer::parse(&bytes[..cut]), Err(AnswerError::Form(_))));
            }
        }
    }

    #[test]
    fn each_bound_refuses_what_is_over_it_alone() {
        let read = |answer: Answer| Answer::parse(&answer.to_bytes());
        assert!(read(entries(vec![vec![1]; ENTRIES_MAX])).is_ok());
        let many = CodecError::TooLong { found: 257, max: 256 };
        assert_eq!(read(entries(vec![vec![1]; ENTRIES_MAX + 1])), Err(many.into()));
        let full = vec![vec![1; 1 << 15]; 32];
        let largest = entries(full.clone()).to_bytes();
        assert!(Answer::parse(&largest).is_ok() && largest.len() <= ANSWER_BYTES_MAX);
        assert_eq!(read(entries([full, vec![vec![1]]].concat())), Err(AnswerError::Bytes));
        assert_eq!(read(entries(vec![vec![]])), Err(AnswerError::Empty));
        let heads = vec![(LogId(HASH), String::new()); HEADS_MAX + 1];
        let many = CodecError::TooLong { found: 33, max: 32 };
        assert_eq!(read(Answer::Heads { heads }), Err(many.into()));
        let path = vec![HASH; 65];
        let long = CodecError::TooLong { found: 65 * 32, max: 64 * 32 };
        let long_path = Answer::Included { note: String::new(), leaf: HASH, path };
        assert_eq!(read(long_path), Err(long.into()));
        let unknown = Fields::new(MESH_ANSWER.as_str()).str("perhaps").finish();
        assert_eq!(Answer::parse(&unknown), Err(AnswerError::Kind));
        let odd = Fields::new(MESH_ANSWER.as_str()).str("included").str("note");
        let odd = odd.bytes(HASH.as_bytes()).bytes(&[1; 33]).finish();
        assert_eq!(Answer::parse(&odd), Err(CodecError::Encoding("list of hashes").into()));
    }
}
