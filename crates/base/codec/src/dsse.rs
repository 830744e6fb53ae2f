//! DSSE v1 envelopes (secure-systems-lab/dsse, `envelope.md` and `protocol.md`): their form as JSON, and what is signed. Whose
//! signatures count, and for which types, is the business of those who know the keys.

use serde::{Deserialize, Serialize};

use crate::{CodecError, b64};

/// Signatures of one envelope that are read.
pub const SIGNATURES_MAX: usize = 8;

/// Why an envelope of the right form was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not base64, or too long.
    #[error("the envelope is refused: {0}")]
    Encoding(#[from] CodecError),
    /// No signatures, or more than eight.
    #[error("the envelope has {0} signatures; 1 to {SIGNATURES_MAX} are read")]
    Count(usize),
}

/// A signature and the name of its key. Nothing is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Of the key, as its signer has it.
    pub key_id: String,
    /// By an algorithm that follows from the key.
    pub bytes: Vec<u8>,
}

/// The JSON of an envelope. Fields that DSSE does not have are refused.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeJson {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<SignatureJson>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureJson {
    keyid: String,
    sig: String,
}

impl EnvelopeJson {
    /// Of a payload and its signatures.
    pub fn new(payload_type: &str, payload: &[u8], signatures: &[Signature]) -> Self {
        let one = |it: &Signature| SignatureJson {
            keyid: it.key_id.clone(),
            sig: b64::encode(&it.bytes),
        };
        Self {
            payload: b64::encode(payload),
            payload_type: payload_type.to_owned(),
            signatures: signatures.iter().map(one).collect(),
        }
    }

    /// What it says that it holds.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// Payload and signatures, of at most so many bytes, and so many each.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn open(
        self,
        payload_max: usize,
        signature_max: usize,
    ) -> Result<(Vec<u8>, Vec<Signature>), EnvelopeError> {
        let count = self.signatures.len();
        if count == 0 || count > SIGNATURES_MAX {
            return Err(EnvelopeError::Count(count));
        }
        let one = |it: SignatureJson| {
            Ok(Signature { key_id: it.keyid, bytes: b64::decode(&it.sig, signature_max)? })
        };
        let signatures = self.signatures.into_iter().map(one).collect::<Result<_, CodecError>>()?;
        Ok((b64::decode(&self.payload, payload_max)?, signatures))
    }

    /// Its bytes, for tools that read DSSE.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and lists of strings always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What is signed (PAE): lengths make every border plain.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the DSSE specification (`protocol.md`).
    #[test]
    fn pae_is_that_of_the_specification() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn an_envelope_is_read_as_it_was_written_and_not_beyond_its_bounds() {
        let signature = Signature { key_id: "one".into(), bytes: vec![1; 64] };
        let written =
            |count| EnvelopeJson::new("a/type", b"payload", &vec![signature.clone(); count]);
        let again = |bytes: &[u8]| serde_json::from_slice::<EnvelopeJson>(bytes).unwrap();
        let read = again(&written(2).to_bytes());
        assert_eq!(read.payload_type(), "a/type");
        let both = (b"payload".to_vec(), vec![signature.clone(); 2]);
        assert_eq!(read.open(7, 64), Ok(both));
        assert_eq!(written(0).open(7, 64), Err(EnvelopeError::Count(0)));
        assert!(written(8).open(7, 64).is_ok());
        assert_eq!(written(9).open(7, 64), Err(EnvelopeError::Count(9)));
        assert!(matches!(written(1).open(6, 64), Err(EnvelopeError::Encoding(_))));
        assert!(matches!(written(1).open(7, 63), Err(EnvelopeError::Encoding(_))));
    }
}
