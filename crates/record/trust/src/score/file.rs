//! The bytes that a home keeps (`specs/trust.md`, "The file").

use symbolon_codec::{CodecError, Fields, FieldsReader};
use symbolon_crypto::labels::TRUST_SCORES;
use symbolon_crypto::sha256;

use super::history::{BAD, Buckets, DAYS, GOOD, History, SPANS, Source};
use super::policy::Policy;
use super::scores::{OPERATORS_MAX, Operator, Scores};

/// Longest file that is read.
pub const SCORES_BYTES_MAX: usize = 256 + OPERATORS_MAX * HISTORY_BYTES_MAX;
/// One operator: its fields with their lengths, and a bucket's eleven bytes for each day and span.
const HISTORY_BYTES_MAX: usize = 128 + BUCKET_BYTES * (DAYS + SPANS) as usize;
const BUCKET_BYTES: usize = 8 + 3;

/// Why bytes are no scores.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoresError {
    /// They have not the form.
    #[error("the scores cannot be read: {0}")]
    Form(#[from] CodecError),
    /// The checksum at the end is of other bytes: something was torn or changed.
    #[error("the scores are damaged: their checksum is of other bytes")]
    Checksum,
    /// A number is out of its bounds, or things are out of order.
    #[error("the scores hold a {0} that cannot be")]
    Bounds(&'static str),
}

impl Scores {
    /// As bytes. The same for the same scores.
    pub fn to_bytes(&self) -> Vec<u8> {
        // There are three policies, and the place of each is its number.
        let policy = Policy::ALL.iter().position(|it| *it == self.policy).unwrap_or_default();
        let mut fields =
            Fields::new(TRUST_SCORES.as_str()).u64(policy as u64).u64(self.known.len() as u64);
        for (operator, it) in &self.known {
            let flags = it.proofs | if it.distrusted { DISTRUSTED } else { 0 };
            let first = it.first_ms.map(u64::to_be_bytes);
            fields = fields
                .bytes(&operator.0)
                .bytes(&[flags])
                .bytes(first.as_ref().map_or(&[], |it| it.as_slice()))
                .bytes(&packed(&it.days))
                .bytes(&packed(&it.spans));
        }
        let mut bytes = fields.finish();
        let sum = sha256(&bytes);
        bytes.extend_from_slice(sum.as_bytes());
        bytes
    }

    /// Reads what [`Scores::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`ScoresError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ScoresError> {
        if bytes.len() > SCORES_BYTES_MAX {
            let (found, max) = (bytes.len(), SCORES_BYTES_MAX);
            return Err(CodecError::TooLong { found, max }.into());
        }
        let (body, sum) = bytes.split_last_chunk::<32>().ok_or(CodecError::Truncated)?;
        if sha256(body).as_bytes() != sum {
            return Err(ScoresError::Checksum);
        }
        let mut r = FieldsReader::new(TRUST_SCORES.as_str(), body)?;
        let policy = usize::try_from(r.u64()?).ok().and_then(|it| Policy::ALL.get(it));
        let mut scores =
            Self { policy: *policy.ok_or(ScoresError::Bounds("policy"))?, ..Self::default() };
        let count = r.u64()?;
        if count > OPERATORS_MAX as u64 {
            return Err(ScoresError::Bounds("number of operators"));
        }
        for _ in 0..count {
            let (operator, history) = read(&mut r)?;
            if scores.known.last_key_value().is_some_and(|(last, _)| *last >= operator) {
                return Err(ScoresError::Bounds("place of an operator"));
            }
            scores.known.insert(operator, history);
        }
        r.end()?;
        Ok(scores)
    }
}

fn read(r: &mut FieldsReader<'_>) -> Result<(Operator, History), ScoresError> {
    let operator = Operator(r.array()?);
    let [flags] = r.array()?;
    if flags > DISTRUSTED | PROOFS {
        return Err(ScoresError::Bounds("mark of an operator"));
    }
    let first_ms = match r.bytes(8)? {
        [] => None,
        first => {
            let first = first.try_into().map_err(|_| CodecError::Truncated)?;
            Some(u64::from_be_bytes(first))
        }
    };
    let days = unpacked(r.bytes(BUCKET_BYTES * DAYS as usize)?, DAYS, &GOOD)?;
    let spans = unpacked(r.bytes(BUCKET_BYTES * SPANS as usize)?, SPANS, &BAD)?;
    let (proofs, distrusted) = (flags & PROOFS, flags & DISTRUSTED != 0);
    Ok((operator, History { first_ms, days, spans, proofs, distrusted }))
}

fn packed(buckets: &Buckets) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(buckets.len() * BUCKET_BYTES);
    for (at, counts) in buckets {
        bytes.extend_from_slice(&at.to_be_bytes());
        bytes.extend_from_slice(counts);
    }
    bytes
}

fn unpacked(bytes: &[u8], last: u64, sources: &[Source; 3]) -> Result<Buckets, ScoresError> {
    let (all, rest) = bytes.as_chunks::<BUCKET_BYTES>();
    if !rest.is_empty() {
        return Err(CodecError::Truncated.into());
    }
    let mut buckets = Buckets::new();
    for [at @ .., one, two, three] in all {
        let (at, counts) = (u64::from_be_bytes(*at), [*one, *two, *three]);
        let is_in_order = buckets.last_key_value().is_none_or(|(last, _)| *last < at);
        let mut bounds = counts.iter().zip(sources);
        if !is_in_order || !bounds.all(|(count, source)| *count <= source.each_max) {
            return Err(ScoresError::Bounds("bucket"));
        }
        buckets.insert(at, counts);
    }
    if let (Some((first, _)), Some((newest, _))) =
        (buckets.first_key_value(), buckets.last_key_value())
        && newest - first >= last
    {
        return Err(ScoresError::Bounds("bucket"));
    }
    Ok(buckets)
}

/// Bits of the proofs.
const PROOFS: u8 = 0b111;
const DISTRUSTED: u8 = 0b1000;
