//! Checking a receipt with nothing but the operator's key.

use symbolon_codec::{CodecError, Digest32};
use symbolon_crypto::VerifyingKey;
use symbolon_log::{
    Checkpoint, CheckpointError, NoteError, ProofError, Succession, leaf_hash, parse_vkey,
    verify_inclusion, vkey,
};

use crate::bundle::Bundle;
use crate::check::StatementError;
use crate::dsse::DsseError;
use crate::statement::Statement;

/// Why a receipt is not to be believed. In the order in which things are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not JSON, too long, too deep, or a key twice.
    #[error("the receipt cannot be read: {0}")]
    Json(#[from] CodecError),
    /// Another kind of file, or another version.
    #[error("this is not a receipt of version 1")]
    MediaType,
    /// A field is missing, unknown or of another kind.
    #[error("the receipt has not the right form: {0}")]
    Form(String),
    /// The receipt names another operator than the key given.
    #[error("the receipt is by another operator than the key you gave")]
    Operator,
    /// The envelope, or its signature.
    #[error("{0}")]
    Envelope(#[from] DsseError),
    /// The signed payload is not a receipt's statement, or contradicts itself.
    #[error("{0}")]
    Statement(#[from] StatementError),
    /// The checkpoint, its signature or its origin.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// The statement is not in the log that the checkpoint speaks of.
    #[error("the receipt is not in the log: {0}")]
    Inclusion(#[from] ProofError),
    /// The intent that the receipt completes would have come after it.
    #[error("the receipt stands at {index}, before the intent at {intent} that it completes")]
    Order {
        /// The receipt's place.
        index: u64,
        /// The intent's place.
        intent: u64,
    },
}

/// The key that receipts are checked with. It comes from the operator, not from the receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorKey {
    key: VerifyingKey,
    origin: Option<String>,
    line: Option<Succession>,
}

impl OperatorKey {
    /// Reads a vkey (the content of `operator.pub`), which also pins the log's name, or a bare
    /// key as 64 hex digits.
    ///
    /// # Errors
    /// [`NoteError`] where the text is neither.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let text = text.trim();
        if let Ok(key) = VerifyingKey::from_hex(text) {
            return Ok(key.into());
        }
        let (origin, key) = parse_vkey(text)?;
        Ok(Self { key, origin: Some(origin), line: None })
    }
}

impl OperatorKey {
    /// The key itself.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The log's name, where the key came with one.
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// With the keys that came before it and after it. `None` where it is none of them, or of another log.
    #[must_use]
    pub fn within(self, line: Succession) -> Option<Self> {
        let is_of = self.origin.as_deref().is_none_or(|origin| origin == line.origin());
        let is_one = is_of && line.place(&self.key).is_some();
        let origin = Some(line.origin().to_owned());
        is_one.then_some(Self { key: self.key, origin, line: Some(line) })
    }

    /// Each key that stands for the operator, the oldest first.
    pub fn keys(&self) -> Vec<VerifyingKey> {
        match &self.line {
            None => vec![self.key],
            Some(line) => line.keys().copied().collect(),
        }
    }

    /// The operator's keys from this one to each of these, all among them: who vouch for each other.
    fn keys_over(&self, others: &[VerifyingKey]) -> Vec<VerifyingKey> {
        let all = self.keys();
        let at = |key: &VerifyingKey| all.iter().position(|it| it == key);
        let places = || std::iter::once(&self.key).chain(others).filter_map(at);
        let (Some(first), Some(last)) = (places().min(), places().max()) else { return Vec::new() };
        all[first..=last].to_vec()
    }

    /// The keys that a document rests on which one of them signed, under a checkpoint's note that
    /// [`OperatorKey::checkpoint`] opens, where it has one.
    pub fn rests_on(&self, by: &VerifyingKey, note: Option<&str>) -> Vec<VerifyingKey> {
        let signer = note.and_then(|note| self.signer(note));
        self.keys_over(&[*by, signer.unwrap_or(*by)])
    }

    fn signer(&self, note: &str) -> Option<VerifyingKey> {
        let Some(line) = &self.line else { return Some(self.key) };
        let (_, place) = line.open(note).ok()?;
        line.keys().nth(place).copied()
    }

    /// Entries in the log when this key gave way to another; nothing where it never did, so far as is known.
    pub fn until(&self, key: &VerifyingKey) -> Option<u64> {
        let line = self.line.as_ref()?;
        line.until(line.place(key)?)
    }

    /// The checkpoint in a note that one of the operator's keys signed while it might.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn checkpoint(&self, note: &str, origin: &str) -> Result<Checkpoint, CheckpointError> {
        match &self.line {
            None => Checkpoint::open(note, &self.key, origin),
            Some(line) => Ok(line.open(note)?.0),
        }
    }

    /// The name of the log that a checkpoint should be of. Without one of its own the key alone decides, and the
    /// checkpoint's is taken.
    pub(crate) fn origin_in(&self, checkpoint: &str) -> Result<String, CheckpointError> {
        match &self.origin {
            Some(origin) => Ok(origin.clone()),
            None => Ok(Checkpoint::dangerous_read_unverified(checkpoint)?.origin),
        }
    }

    /// The name of the log that a document is of, by its checkpoint, which is not opened here, and whose key it names.
    /// None where that is no key of the operator's.
    ///
    /// # Errors
    /// [`CheckpointError`] where the name would have to come from the checkpoint, and it has none.
    pub fn named(
        &self,
        operator: &str,
        checkpoint: &str,
    ) -> Result<Option<(String, VerifyingKey)>, CheckpointError> {
        let claimed = self.origin_in(checkpoint)?;
        let is_named = |key: &VerifyingKey| vkey(&claimed, key).is_ok_and(|it| it == operator);
        Ok(self.keys().into_iter().find(is_named).map(|key| (claimed, key)))
    }
}

impl From<VerifyingKey> for OperatorKey {
    fn from(key: VerifyingKey) -> Self {
        Self { key, origin: None, line: None }
    }
}

/// A receipt that passed every check. Only [`verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReceipt {
    operator: VerifyingKey,
    rests_on: Vec<VerifyingKey>,
    statement: Statement<'static>,
    index: u64,
    leaf_hash: Digest32,
    checkpoint: Checkpoint,
    note: String,
}

impl VerifiedReceipt {
    /// The operator's key that signed it.
    pub fn operator(&self) -> &VerifyingKey {
        &self.operator
    }

    /// The operator's keys that it is believed by: the one that was given, the one that signed it, the one that signed its
    /// checkpoint, and those between.
    pub fn rests_on(&self) -> &[VerifyingKey] {
        &self.rests_on
    }

    /// What happened.
    pub fn statement(&self) -> &Statement<'static> {
        &self.statement
    }

    /// The receipt's place in the log.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Hash of the statement in the log.
    pub fn leaf_hash(&self) -> &Digest32 {
        &self.leaf_hash
    }

    /// The checkpoint that covers it.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The checkpoint's note, with the lines of witnesses that are under it.
    pub fn note(&self) -> &str {
        &self.note
    }
}

/// Checks a receipt offline.
///
/// # Errors
/// [`VerifyError`]: the first check that fails, each with its own variant.
pub fn verify(bundle: &[u8], operator: &OperatorKey) -> Result<VerifiedReceipt, VerifyError> {
    let bundle = Bundle::parse(bundle)?;
    let named = operator.named(&bundle.operator, &bundle.checkpoint)?;
    let (claimed, key) = named.ok_or(VerifyError::Operator)?;
    let payload = bundle.envelope.verify(&key)?;
    let statement = Statement::parse(payload)?;
    let checkpoint = operator.checkpoint(&bundle.checkpoint, &claimed)?;
    let leaf_hash = leaf_hash(payload);
    let index = bundle.index;
    verify_inclusion(&leaf_hash, index, checkpoint.size, &bundle.path, &checkpoint.root)?;
    if let Some(intent) = statement.predicate.intent.filter(|i| i.index >= index) {
        return Err(VerifyError::Order { index, intent: intent.index });
    }
    let note = bundle.checkpoint;
    let rests_on = operator.rests_on(&key, Some(&note));
    Ok(VerifiedReceipt { operator: key, rests_on, statement, index, leaf_hash, checkpoint, note })
}
