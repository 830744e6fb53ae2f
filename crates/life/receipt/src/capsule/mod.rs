//! Receipts of capsules, standard, unlinked and private form (`specs/receipt.md`).

mod field;
mod identity;
mod logged;
mod make;
mod private;
mod sealed;
#[cfg(test)]
mod tests;
mod verify;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_circuits::{PROOF_BYTES_MAX, Proof};
use symbolon_codec::{CodecError, Digest32, b64, hex, json};
use symbolon_crypto::{IDENTITY_PROOF_BYTES, VerifyingKey, sha256};
use symbolon_trust::OnionAddress;
pub use symbolon_trust::capsule_statement;

use identity::{Prover, statement_pins};

pub use field::{Field, FieldName, UnknownField};
pub use identity::Unlinked;
pub use logged::Logged;
pub use make::{Draft, DraftError, Facts};
pub use private::PrivateDraft;
pub use sealed::{
    DISCLOSURE_BYTES_MAX, DISCLOSURE_MEDIA_TYPE, Disclosure, DisclosureError, DisclosureFormError,
    HOLDERS_MAX, RELEASE_BYTES_MAX, RELEASE_MEDIA_TYPE, Release, SealError, Terms,
};
pub use verify::{CapsuleCheck, CapsuleError, CapsuleVerdict, Seen, verify_capsule};

/// Media type; the version is in it.
pub const CAPSULE_MEDIA_TYPE: &str = "application/vnd.symbolon.capsule-receipt+json;version=1";
/// Media type of the unlinked form.
pub const UNLINKED_MEDIA_TYPE: &str =
    "application/vnd.symbolon.capsule-receipt.unlinked+json;version=1";
/// Media type of the private form.
pub const PRIVATE_MEDIA_TYPE: &str =
    "application/vnd.symbolon.capsule-receipt.private+json;version=1";
/// Longest receipt that is read.
pub const CAPSULE_BYTES_MAX: usize = 1024 * 1024;

/// A receipt, read and not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapsuleReceipt {
    prover: Prover,
    scheme: String,
    keyid: Digest32,
    fields: Vec<Field>,
    proof: [u8; IDENTITY_PROOF_BYTES],
    /// The proof of the statement; of the private form alone.
    shown_by: Option<Proof>,
    /// Its place in the operator's log; of the unlinked form never, since the log names the operator.
    log: Option<Logged>,
}

/// Why a file is no receipt of a capsule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CapsuleFormError {
    /// Not JSON, too long, too deep, or a key twice.
    #[error("the receipt cannot be read: {0}")]
    Json(#[from] CodecError),
    /// Another kind of file, or another version.
    #[error("this is not a capsule's receipt of version 1")]
    MediaType,
    /// A field is missing, unknown or of another kind.
    #[error("the receipt has not the right form: {0}")]
    Form(String),
    /// A private receipt that shows which capsule it is of, or not of whom and under which policy.
    #[error("a private receipt shows certificate and policy, and never the component")]
    Mixed,
    /// Not all fields, or in another order, or a salt without its value.
    #[error("the receipt's fields are not those of version 1, in their order")]
    Fields,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptJson {
    #[serde(rename = "mediaType")]
    media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operator: Option<VerifyingKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    onion: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    execution: Option<VerifyingKey>,
    #[serde(rename = "verificationKey")]
    key: KeyJson,
    fields: Vec<FieldJson>,
    proof: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    statement: Option<StatementJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<Logged>,
}

/// The proof that a private receipt has in place of what it hides.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatementJson {
    name: String,
    keyid: Digest32,
    proof: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyJson {
    scheme: String,
    keyid: Digest32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldJson {
    name: String,
    commitment: Digest32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<Digest32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

impl CapsuleReceipt {
    /// Whether a file says of itself that it is one.
    pub fn is_one(bytes: &[u8]) -> bool {
        let kind = json::text_member(bytes, CAPSULE_BYTES_MAX, DEPTH_MAX, "mediaType");
        let all = [CAPSULE_MEDIA_TYPE, UNLINKED_MEDIA_TYPE, PRIVATE_MEDIA_TYPE];
        kind.is_some_and(|kind| all.contains(&&*kind))
    }

    /// Reads a receipt; verifies nothing. See [`verify_capsule`].
    ///
    /// # Errors
    /// [`CapsuleFormError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CapsuleFormError> {
        let value = json::parse_bounded(bytes, CAPSULE_BYTES_MAX, DEPTH_MAX)?;
        let media_type = value.get("mediaType").and_then(Value::as_str).unwrap_or_default();
        let media_type = media_type.to_owned();
        if ![CAPSULE_MEDIA_TYPE, UNLINKED_MEDIA_TYPE, PRIVATE_MEDIA_TYPE].contains(&&*media_type) {
            return Err(CapsuleFormError::MediaType);
        }
        let form = |e: &dyn std::fmt::Display| CapsuleFormError::Form(e.to_string());
        let read: ReceiptJson = serde_json::from_value(value).map_err(|e| form(&e))?;
        let prover = match (&*media_type, read.operator, read.onion, read.execution) {
            (CAPSULE_MEDIA_TYPE, Some(key), Some(onion), None) => Prover::Operator { key, onion },
            (UNLINKED_MEDIA_TYPE, None, None, Some(key)) => Prover::Execution(key),
            (PRIVATE_MEDIA_TYPE, Some(key), Some(onion), None) => Prover::Private { key, onion },
            _ => return Err(form(&"it names the key of another form, or none")),
        };
        let shown_by = match (prover.is_private(), read.statement) {
            (false, None) => None,
            (true, Some(statement)) => Some(statement.read()?),
            _ => return Err(form(&"it has the proof of another form, or none")),
        };
        let log = match (&prover, read.log) {
            (Prover::Execution(_), Some(_)) => {
                return Err(form(
                    &"an unlinked receipt names no log, which would name its operator",
                ));
            }
            (_, log) => log.map(Logged::bounded).transpose()?,
        };
        let mut proof = [0; IDENTITY_PROOF_BYTES];
        hex::decode_to_slice(&read.proof, &mut proof).map_err(|e| form(&e))?;
        let names = prover.fields();
        if read.fields.len() != names.len() {
            return Err(CapsuleFormError::Fields);
        }
        let one = |(&name, it): (&FieldName, FieldJson)| {
            let shown = match (it.salt, it.value) {
                (Some(salt), Some(value)) => Some((salt, value)),
                (None, None) => None,
                _ => return None,
            };
            (it.name == name.as_str()).then(|| Field::read(name, it.commitment, shown))
        };
        let fields: Option<_> = names.iter().zip(read.fields).map(one).collect();
        Self {
            prover,
            scheme: read.key.scheme,
            keyid: read.key.keyid,
            fields: fields.ok_or(CapsuleFormError::Fields)?,
            proof,
            shown_by,
            log,
        }
        .unmixed()
    }

    /// A private receipt that shows its component is none, and neither is one without what its proof is about.
    fn unmixed(self) -> Result<Self, CapsuleFormError> {
        let wrong = |it: &Field| match it.name() {
            FieldName::Component => it.shown().is_some(),
            name => self.always_shows(name) && it.shown().is_none(),
        };
        if self.prover.is_private() && self.fields.iter().any(wrong) {
            return Err(CapsuleFormError::Mixed);
        }
        Ok(self)
    }

    /// As JSON, on several lines for people.
    pub fn to_json(&self) -> Vec<u8> {
        let one = |it: &Field| FieldJson {
            name: it.name().as_str().to_owned(),
            commitment: *it.commitment(),
            salt: it.shown().map(|(salt, _)| *salt),
            value: it.shown().map(|(_, value)| value.clone()),
        };
        let (media_type, operator, onion, execution) = match &self.prover {
            Prover::Operator { key, onion } => {
                (CAPSULE_MEDIA_TYPE, Some(*key), Some(onion.clone()), None)
            }
            Prover::Execution(key) => (UNLINKED_MEDIA_TYPE, None, None, Some(*key)),
            Prover::Private { key, onion } => {
                (PRIVATE_MEDIA_TYPE, Some(*key), Some(onion.clone()), None)
            }
        };
        let whole = ReceiptJson {
            media_type: media_type.to_owned(),
            operator,
            onion,
            execution,
            key: KeyJson { scheme: self.scheme.clone(), keyid: self.keyid },
            fields: self.fields.iter().map(one).collect(),
            proof: hex::encode(self.proof),
            statement: self.shown_by.as_ref().map(StatementJson::of),
            log: self.log.clone(),
        };
        // Strings, numbers and lists of them always serialize.
        serde_json::to_vec_pretty(&whole).unwrap_or_default()
    }

    /// The same receipt, which shows of its fields at most those named; a private one what its proof is about too.
    #[must_use]
    pub fn disclose(&self, show: &[FieldName]) -> Self {
        let mut shown = self.clone();
        for field in &mut shown.fields {
            if !show.contains(&field.name()) && !self.always_shows(field.name()) {
                field.withhold();
            }
        }
        // Its place in the log tells about when it was.
        shown.log = shown.log.filter(|_| show.contains(&FieldName::Time));
        shown
    }

    /// The same receipt with its place in its operator's log; an unlinked one stays without.
    #[must_use]
    pub fn with_log(mut self, log: Logged) -> Self {
        self.log = Some(log).filter(|_| self.names_operator());
        self
    }

    /// Its place in the log, as it is told. Nothing of it was checked.
    pub fn dangerous_log(&self) -> Option<&Logged> {
        self.log.as_ref()
    }

    /// Whether it names its operator in the clear, and so can stand in its log for a reader.
    pub fn names_operator(&self) -> bool {
        !matches!(self.prover, Prover::Execution(_))
    }

    /// Whether a receipt of its form is none without this field's value.
    fn always_shows(&self, name: FieldName) -> bool {
        self.prover.is_private() && name.is_of_statement()
    }

    /// Whether it shows what its form always shows, and nothing else.
    fn shows_least(&self) -> bool {
        self.fields.iter().all(|it| it.shown().is_none() || self.always_shows(it.name()))
    }

    /// Whether a receipt of its form has such a field, shown or withheld.
    pub fn has(&self, name: FieldName) -> bool {
        self.prover.fields().contains(&name)
    }

    /// A field's value, where it is shown. Nothing of it was checked.
    pub fn dangerous_unverified(&self, name: FieldName) -> Option<&Value> {
        self.fields.iter().find(|it| it.name() == name)?.shown().map(|(_, value)| value)
    }

    /// What is proven, and what the log has of it.
    pub fn transcript(&self) -> Digest32 {
        let mut fields = self
            .prover
            .transcript()
            .str(&self.scheme)
            .bytes(self.keyid.as_bytes())
            .u64(self.fields.len() as u64);
        for field in &self.fields {
            fields = fields.str(field.name().as_str()).bytes(field.commitment().as_bytes());
        }
        sha256(&fields.finish())
    }
}

impl StatementJson {
    fn of(proof: &Proof) -> Self {
        let pins = statement_pins();
        Self {
            name: pins.statement.to_owned(),
            keyid: Digest32(pins.verifying_sha256),
            proof: b64::encode(proof.as_bytes()),
        }
    }

    fn read(&self) -> Result<Proof, CapsuleFormError> {
        let pins = statement_pins();
        let form = |what: &str| CapsuleFormError::Form(what.to_owned());
        if self.name != pins.statement || self.keyid.0 != pins.verifying_sha256 {
            return Err(form("its statement is not capsule/1, or of another key"));
        }
        let bytes = b64::decode(&self.proof, PROOF_BYTES_MAX)?;
        Proof::from_bytes(&bytes).map_err(|error| form(&error.to_string()))
    }
}

fn onion(operator: &VerifyingKey) -> String {
    OnionAddress::of(operator).to_string()
}

const SCHEME: &str = "schnorr-edwards25519/v1";
/// The receipt, its fields, a field, its value, and what is in that.
const DEPTH_MAX: usize = 10;
