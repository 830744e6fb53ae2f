//! Signatures by HMAC that a catalogue file describes.

use symbolon_capability::catalog::{
    HmacSpec, KeyText, MacAlgorithm, MacText, SignedPart, Template, Timestamp,
};
use symbolon_codec::{b64, hex};
use symbolon_crypto::{MacHash, hmac, sha256};

/// The parts of a request that can be signed, as they go out.
#[derive(Clone, Copy, Debug)]
pub struct HmacRequest<'a> {
    /// The method.
    pub method: &'a str,
    /// Host, with the port where it is not the scheme's own.
    pub host: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// The credential's id, not secret; empty where there is none.
    pub key_id: &'a str,
}

/// What is drawn or computed once for a request, and stands in message and headers alike.
#[derive(Clone, Debug)]
pub struct HmacValues {
    timestamp: String,
    nonce: String,
    body_sha256: [u8; 32],
}

impl HmacValues {
    /// At a point of time in Unix milliseconds.
    pub fn new(
        spec: &HmacSpec,
        request: &HmacRequest<'_>,
        unix_ms: u64,
        entropy: [u8; 16],
    ) -> Self {
        let timestamp = match spec.timestamp {
            Timestamp::Seconds => (unix_ms / 1000).to_string(),
            Timestamp::Milliseconds => unix_ms.to_string(),
            Timestamp::Rfc3339 => symbolon_codec::time::rfc3339(unix_ms),
        };
        let body_sha256 = sha256(request.body).0;
        Self { timestamp, nonce: hex::encode(entropy), body_sha256 }
    }
}

/// The headers of a signed request. `key` is the credential's key part, open in secret memory; a
/// key that is written in hex or base64 is decoded into `scratch`, which is secret memory too and
/// at least as long. `None` where the key is not what the service says.
pub fn render(
    spec: &HmacSpec,
    request: &HmacRequest<'_>,
    values: &HmacValues,
    key: &[u8],
    scratch: &mut [u8],
) -> Option<Vec<(String, String)>> {
    let len = decode_key(spec.key, key, scratch)?;
    let message = fill(&spec.message, request, values, "");
    let parts: Vec<&[u8]> = message.iter().map(AsRef::as_ref).collect();
    let hash = match spec.algorithm {
        MacAlgorithm::Sha1 => MacHash::Sha1,
        MacAlgorithm::Sha256 => MacHash::Sha256,
        MacAlgorithm::Sha512 => MacHash::Sha512,
    };
    let mac = hmac(hash, &scratch[..len], &parts);
    let signature = match spec.encoding {
        MacText::Hex => hex::encode(mac),
        MacText::Base64 => b64::encode(mac.as_ref()),
    };
    spec.headers
        .iter()
        .map(|(name, template)| {
            let value = fill(template, request, values, &signature).concat();
            Some((name.to_string(), String::from_utf8(value).ok()?))
        })
        .collect()
}

fn fill<'a>(
    template: &'a Template,
    request: &HmacRequest<'a>,
    values: &'a HmacValues,
    signature: &'a str,
) -> Vec<std::borrow::Cow<'a, [u8]>> {
    let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
    let part = |part: &'a SignedPart| -> std::borrow::Cow<'a, [u8]> {
        match part {
            SignedPart::Text(text) => text.as_bytes().into(),
            SignedPart::Method => request.method.as_bytes().into(),
            SignedPart::Host => request.host.as_bytes().into(),
            SignedPart::Path => path.as_bytes().into(),
            SignedPart::Query => query.as_bytes().into(),
            SignedPart::PathQuery => request.target.as_bytes().into(),
            SignedPart::Timestamp => values.timestamp.as_bytes().into(),
            SignedPart::Nonce => values.nonce.as_bytes().into(),
            SignedPart::Body => request.body.into(),
            SignedPart::BodySha256 => hex::encode(values.body_sha256).into_bytes().into(),
            SignedPart::BodySha256Base64 => b64::encode(&values.body_sha256).into_bytes().into(),
            SignedPart::KeyId => request.key_id.as_bytes().into(),
            SignedPart::Signature => signature.as_bytes().into(),
        }
    };
    template.parts().iter().map(part).collect()
}

/// The key's bytes from its text, into `out`; how many. `None` where the text is not of its kind.
pub fn decode_key(kind: KeyText, text: &[u8], out: &mut [u8]) -> Option<usize> {
    match kind {
        KeyText::Text => {
            out.get_mut(..text.len())?.copy_from_slice(text);
            Some(text.len())
        }
        KeyText::Hex => {
            let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
            let (pairs, rest) = text.as_chunks::<2>();
            if !rest.is_empty() {
                return None;
            }
            for (place, [high, low]) in out.get_mut(..pairs.len())?.iter_mut().zip(pairs) {
                *place = digit(*high)? << 4 | digit(*low)?;
            }
            Some(pairs.len())
        }
        KeyText::Base64 => {
            let unpadded = text.iter().rposition(|b| *b != b'=').map_or(0, |last| last + 1);
            let (mut bits, mut held, mut len) = (0u32, 0, 0);
            for b in &text[..unpadded] {
                let value = match b {
                    b'A'..=b'Z' => b - b'A',
                    b'a'..=b'z' => b - b'a' + 26,
                    b'0'..=b'9' => b - b'0' + 52,
                    b'+' | b'-' => 62,
                    b'/' | b'_' => 63,
                    _ => return None,
                };
                bits = bits << 6 | u32::from(value);
                held += 6;
                if held >= 8 {
                    held -= 8;
                    *out.get_mut(len)? = (bits >> held) as u8;
                    len += 1;
                }
            }
            (len > 0).then_some(len)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_as_the_service_writes_them() {
        let decode = |kind, text: &[u8]| {
            let mut out = vec![0; text.len()];
            decode_key(kind, text, &mut out).map(|n| out[..n].to_vec())
        };
        assert_eq!(decode(KeyText::Text, b"ab=").unwrap(), b"ab=");
        assert_eq!(decode(KeyText::Hex, b"00fFa1").unwrap(), [0, 255, 161]);
        assert_eq!(decode(KeyText::Hex, b"00f"), None);
        assert_eq!(decode(KeyText::Hex, b"0g"), None);
        for (text, plain) in [("Zm9vYg==", "foob"), ("Zm9vYg", "foob"), ("Zm9vYmFy", "foobar")] {
            assert_eq!(decode(KeyText::Base64, text.as_bytes()).unwrap(), plain.as_bytes());
        }
        assert_eq!(decode(KeyText::Base64, b"-_-_").unwrap(), [0xfb, 0xff, 0xbf]);
        assert_eq!(decode(KeyText::Base64, b"a b"), None);
    }
}
