//! JWS in its compact form (RFC 7515, section 7.1).

use serde_json::Value;
use symbolon_codec::b64url;
use symbolon_codec::json::parse_bounded;

/// A compact JWS whose parts decode. Nothing of it is believed yet.
pub(crate) struct Jws<'a> {
    pub header: Value,
    pub payload: Value,
    pub signed: &'a [u8],
    pub signature: [u8; 64],
}

impl<'a> Jws<'a> {
    /// Takes three parts, each in its one spelling, of `max_bytes` at most together.
    pub fn read(text: &'a str, max_bytes: usize) -> Option<Self> {
        if text.len() > max_bytes {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let json = |part: &str| {
            let bytes = b64url::decode(part, part.len()).ok()?;
            parse_bounded(&bytes, max_bytes, DEPTH_MAX).ok()
        };
        Some(Self {
            header: json(header)?,
            payload: json(payload)?,
            signed: signed.as_bytes(),
            signature: b64url::decode(signature, 64).ok()?.try_into().ok()?,
        })
    }

    pub fn header_says(&self, name: &str, value: &str) -> bool {
        self.header.get(name).and_then(Value::as_str) == Some(value)
    }
}

/// What is signed.
pub(crate) fn signing_input(header: &Value, payload: &[u8]) -> String {
    let header = b64url::encode(header.to_string().as_bytes());
    format!("{header}.{}", b64url::encode(payload))
}

/// The compact form of what was signed.
pub fn compact(signing_input: String, signature: &[u8; 64]) -> String {
    let mut text = signing_input;
    text.push('.');
    text.push_str(&b64url::encode(signature));
    text
}

const DEPTH_MAX: usize = 4;
