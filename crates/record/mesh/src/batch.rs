//! Entries as they spread: those that follow each other in one log, under one signature.
//!
//! What a message costs beside its bytes (its signature, its way through gossip, its copies) is paid once for all of
//! them.

use std::sync::Arc;

use symbolon_codec::{CodecError, Fields, FieldsReader};
use symbolon_crypto::SigningKey;
use symbolon_crypto::labels::MESH_ENTRIES;
use symbolon_log::leaf_hash;

use crate::certificate::{CERTIFICATE_BYTES_MAX, Certificate};
use crate::entry::{BATCH_ENTRIES_MAX, Claim, ENTRY_BYTES_MAX, EntryError, Signed, SignedEntry};
use crate::list::read_count;
use crate::name::{LOG_NAME_BYTES_MAX, LogName};

/// The form of a message with entries; nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBatch<'a> {
    /// Text of the log's key.
    pub log: &'a str,
    /// Place of the first entry.
    pub first: u64,
    /// The entries.
    pub entries: Vec<&'a [u8]>,
    certificate: &'a [u8],
    signature: [u8; 64],
}

impl<'a> RawBatch<'a> {
    /// Reads the form.
    ///
    /// # Errors
    /// [`EntryError::Form`], [`EntryError::None`], [`EntryError::Empty`] or [`EntryError::Long`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EntryError> {
        let mut r = FieldsReader::new(MESH_ENTRIES.as_str(), bytes)?;
        let (log, first) = (r.str(LOG_NAME_BYTES_MAX)?, r.u64()?);
        let count = read_count(&mut r, BATCH_ENTRIES_MAX)?;
        let entries = (0..count).map(|_| r.bytes(ENTRY_BYTES_MAX));
        let entries = entries.collect::<Result<Vec<_>, CodecError>>()?;
        let (certificate, signature) = (r.bytes(CERTIFICATE_BYTES_MAX)?, r.array()?);
        r.end()?;
        let found = entries.iter().map(|entry| entry.len()).sum();
        if entries.is_empty() {
            Err(EntryError::None)
        } else if entries.iter().any(|entry| entry.is_empty()) {
            Err(EntryError::Empty)
        } else if found > ENTRY_BYTES_MAX {
            Err(EntryError::Long { found })
        } else {
            Ok(Self { log, first, entries, certificate, signature })
        }
    }
}

/// Entries that follow each other in a log, whose one signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    log: LogName,
    signed: Arc<Signed>,
    entries: Vec<Vec<u8>>,
}

impl Batch {
    /// Signs for entries of one's own log. Whoever makes them has to keep to the bounds: [`split`] does.
    pub fn sign(
        log: LogName,
        first: u64,
        entries: Vec<Vec<u8>>,
        certificate: Certificate,
        endpoint: &SigningKey,
    ) -> Self {
        let leaves = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let signed = Signed::sign(&log, first, leaves, certificate, endpoint);
        Self { log, signed: signed.into(), entries }
    }

    /// Checks what was read.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn open(raw: &RawBatch<'_>) -> Result<Self, EntryError> {
        Self::open_of(raw, LogName::parse(raw.log)?, &[])
    }

    /// As [`Batch::open`], of a log that has the text, with certificates that were checked before.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn open_of(
        raw: &RawBatch<'_>,
        log: LogName,
        checked: &[Certificate],
    ) -> Result<Self, EntryError> {
        let known = checked.iter().find(|it| it.bytes() == raw.certificate).cloned();
        let certificate = known.map_or_else(|| Certificate::open(raw.certificate), Ok)?;
        let leaves = raw.entries.iter().map(|entry| leaf_hash(entry)).collect();
        let signed = Signed::open(&log, (raw.first, leaves), certificate, raw.signature)?;
        let entries = raw.entries.iter().map(|entry| entry.to_vec()).collect();
        Ok(Self { log, signed: signed.into(), entries })
    }

    /// The log.
    pub fn log(&self) -> &LogName {
        &self.log
    }

    /// Of the node that signed.
    pub fn certificate(&self) -> &Certificate {
        &self.signed.certificate
    }

    /// Its entries, each with what was signed of it.
    pub fn into_entries(self) -> impl Iterator<Item = SignedEntry> {
        let Self { signed, entries, .. } = self;
        entries
            .into_iter()
            .enumerate()
            .map(move |(at, entry)| SignedEntry { claim: Claim::of(signed.clone(), at), entry })
    }

    /// Its one encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let fields = Fields::new(MESH_ENTRIES.as_str()).str(self.log.text());
        let fields = fields.u64(self.signed.first).u64(self.entries.len() as u64);
        let fields = self.entries.iter().fold(fields, |fields, entry| fields.bytes(entry));
        fields.bytes(self.signed.certificate.bytes()).bytes(&self.signed.signature).finish()
    }
}

/// How many of the first of these entries go in one message: as many as its bounds allow, and one at least.
pub fn split(entries: &[Vec<u8>]) -> usize {
    let mut bytes = 0;
    let fits = entries.iter().take(BATCH_ENTRIES_MAX).take_while(|entry| {
        bytes += entry.len();
        bytes <= ENTRY_BYTES_MAX
    });
    fits.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::{CertificateError, derive_endpoint};
    use crate::name::NameError;
    use symbolon_ambient::SeededRng;

    fn party(seed: u64) -> (LogName, Certificate, SigningKey) {
        let operator = SigningKey::make(&SeededRng::new(seed));
        let endpoint = derive_endpoint(&operator, 0);
        let certificate = Certificate::sign(&operator, endpoint.verifying_key(), 0, 1000).unwrap();
        let log = LogName::new("example.test/log", operator.verifying_key()).unwrap();
        (log, certificate, endpoint)
    }

    fn read(batch: &Batch) -> Result<Batch, EntryError> {
        Batch::open(&RawBatch::parse(&batch.to_bytes())?)
    }

    fn words() -> Vec<Vec<u8>> {
        ["one", "two", "three"].map(|word| word.as_bytes().to_vec()).to_vec()
    }

    #[test]
    fn each_check_refuses_what_breaks_it_alone() {
        let (log, certificate, endpoint) = party(1);
        let (_, stranger, strange) = party(2);
        let sign = |first, certificate: &Certificate, key: &SigningKey| {
            Batch::sign(log.clone(), first, words(), certificate.clone(), key)
        };
        let good = sign(7, &certificate, &endpoint);
        assert_eq!(read(&good).as_ref(), Ok(&good));
        let places: Vec<_> = good.clone().into_entries().map(|it| it.claim.index()).collect();
        assert_eq!(places, [7, 8, 9]);
        assert_eq!(read(&sign(7, &stranger, &strange)), Err(EntryError::Operator));
        assert_eq!(read(&sign(7, &certificate, &strange)), Err(EntryError::Signature));
        assert_eq!(read(&sign(u64::MAX - 1, &certificate, &endpoint)), Err(EntryError::Place));
        let changed = |change: fn(&mut Vec<Vec<u8>>)| {
            let mut changed = good.clone();
            change(&mut changed.entries);
            read(&changed)
        };
        assert_eq!(changed(|it| it[1][0] ^= 1), Err(EntryError::Signature));
        assert_eq!(changed(|it| it.swap(0, 1)), Err(EntryError::Signature), "another order");
        assert_eq!(changed(|it| drop(it.pop())), Err(EntryError::Signature), "one is left out");
        assert_eq!(changed(|it| it.push(vec![1])), Err(EntryError::Signature), "one is added");
        assert_eq!(changed(|it| it[2].clear()), Err(EntryError::Empty));
        assert_eq!(changed(Vec::clear), Err(EntryError::None));

        let text = |log: &str, first: u64, certificate: &[u8]| {
            let fields = Fields::new(MESH_ENTRIES.as_str()).str(log).u64(first).u64(1).bytes(b"x");
            let bytes = fields.bytes(certificate).bytes(&good.signed.signature).finish();
            RawBatch::parse(&bytes).and_then(|raw| Batch::open(&raw)).unwrap_err()
        };
        let none = text("no key", 7, certificate.bytes());
        assert!(matches!(none, EntryError::Log(NameError::Key(_))), "{none}");
        let none = text(log.text(), 7, &certificate.bytes()[1..]);
        assert!(matches!(none, EntryError::Certificate(CertificateError::Form(_))));
        assert_eq!(text(log.text(), 7, certificate.bytes()), EntryError::Signature);
        let tail = [&good.to_bytes()[..], b"x"].concat();
        assert_eq!(RawBatch::parse(&tail), Err(CodecError::Trailing(1).into()));
    }

    #[test]
    fn the_largest_message_spreads_and_no_larger() {
        let (log, certificate, endpoint) = party(1);
        let of = |entries: Vec<Vec<u8>>| {
            let batch = Batch::sign(log.clone(), 0, entries, certificate.clone(), &endpoint);
            assert!(batch.to_bytes().len() <= crate::Topic::Entries.bytes_max() + 1);
            read(&batch)
        };
        assert!(of(vec![vec![1; ENTRY_BYTES_MAX]]).is_ok());
        let long = CodecError::TooLong { found: 65_536, max: 65_535 };
        assert_eq!(of(vec![vec![1; ENTRY_BYTES_MAX + 1]]), Err(long.into()));
        let two = vec![vec![1; ENTRY_BYTES_MAX], vec![1]];
        assert_eq!(split(&two), 1);
        assert_eq!(of(two), Err(EntryError::Long { found: 65_536 }));
        // 127 of 511 bytes and one of what is left.
        let mut many = vec![vec![1; 511]; BATCH_ENTRIES_MAX - 1];
        many.push(vec![1; ENTRY_BYTES_MAX - 511 * (BATCH_ENTRIES_MAX - 1)]);
        assert_eq!(split(&many), BATCH_ENTRIES_MAX);
        assert!(of(many.clone()).is_ok());
        let more = vec![vec![1]; BATCH_ENTRIES_MAX + 1];
        assert_eq!(split(&more), BATCH_ENTRIES_MAX);
        let count = CodecError::TooLong { found: 129, max: 128 };
        assert_eq!(of(more), Err(count.into()));
    }
}
