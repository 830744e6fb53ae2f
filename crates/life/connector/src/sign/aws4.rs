//! AWS Signature Version 4, in the `Authorization` header.

use symbolon_codec::hex;
use symbolon_crypto::{aws4_key, hmac_under, sha256, sha256_parts};
use symbolon_secret::{Secret, on_stack};

/// What a signature is made for: a day, a region, a service; all the connection's and the clock's.
#[derive(Clone, Debug)]
pub struct Aws4 {
    timestamp: String,
    region: String,
    service: String,
}

/// The parts of a request that are signed, as they go out.
#[derive(Clone, Debug)]
pub struct Aws4Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The path as it stands in the request line, percent-encoded.
    pub path: &'a str,
    /// The query as it stands there, without `?`.
    pub query: &'a str,
    /// Headers to sign: names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// What stands for the body.
    pub payload: &'a Payload,
}

/// What stands for the body, in `x-amz-content-sha256`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// SHA-256 of the body, in hex.
    Hash(String),
    /// `UNSIGNED-PAYLOAD`: TLS alone protects the body.
    Unsigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`: each chunk has its own signature.
    Chunks,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`: so, and the trailers one.
    ChunksAndTrailer,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`: chunks without signatures.
    UnsignedChunks,
}

impl Payload {
    /// As it stands in the header.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Hash(hash) => hash,
            Self::Unsigned => "UNSIGNED-PAYLOAD",
            Self::Chunks => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::ChunksAndTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::UnsignedChunks => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        }
    }

    /// Of a body that is there.
    pub fn of(body: &[u8]) -> Self {
        Self::Hash(sha256(body).to_string())
    }

    /// What a caller's `x-amz-content-sha256` asks for. A hash is believed only where the service
    /// will check it; `None` for what is nothing of the kind.
    pub fn asked(text: &str) -> Option<Self> {
        let is_hash = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        Some(match text {
            "UNSIGNED-PAYLOAD" => Self::Unsigned,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Self::Chunks,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Self::ChunksAndTrailer,
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Self::UnsignedChunks,
            _ if is_hash => Self::Hash(text.to_ascii_lowercase()),
            _ => return None,
        })
    }

    /// Whether the body is in `aws-chunked` coding.
    pub fn is_chunked(&self) -> bool {
        matches!(self, Self::Chunks | Self::ChunksAndTrailer | Self::UnsignedChunks)
    }
}

impl Aws4 {
    /// For requests signed at a point of time, in Unix milliseconds.
    pub fn new(unix_ms: u64, region: &str, service: &str) -> Self {
        let rfc3339 = symbolon_codec::time::rfc3339(unix_ms);
        let digits: String =
            rfc3339[..19].chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
        Self { timestamp: digits + "Z", region: region.to_owned(), service: service.to_owned() }
    }

    /// `x-amz-date`.
    pub fn timestamp(&self) -> &str {
        &self.timestamp
    }

    /// The key for this day, region and service, from an open secret access key.
    pub fn key(&self, secret: &[u8]) -> Secret<[u8; 32]> {
        aws4_key(secret, &self.timestamp[..8], &self.region, &self.service)
    }

    /// The signature of a request, in hex, and the names of the signed headers.
    ///
    /// `token` is what stands for a session token in the headers, and the token itself, open in
    /// secret memory: it is hashed where it stands and copied nowhere.
    pub fn sign(
        &self,
        key: &Secret<[u8; 32]>,
        request: &Aws4Request<'_>,
        token: Option<(&str, &[u8])>,
    ) -> (String, String) {
        let (canonical, names) = self.canonical(request);
        let digest = match token.and_then(|(at, token)| Some((canonical.split_once(at)?, token))) {
            Some(((before, after), token)) => {
                on_stack(|| sha256_parts(&[before.as_bytes(), token, after.as_bytes()]))
            }
            None => sha256(canonical.as_bytes()),
        };
        let text =
            ["AWS4-HMAC-SHA256\n", &self.timestamp, "\n", &self.scope(), "\n", &digest.to_string()]
                .concat();
        (hex::encode(hmac_under(key, &[text.as_bytes()])), names)
    }

    /// The value of `Authorization`.
    pub fn authorization(&self, key_id: &str, signed: &(String, String)) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={key_id}/{}, SignedHeaders={}, Signature={}",
            self.scope(),
            signed.1,
            signed.0
        )
    }

    pub(super) fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", &self.timestamp[..8], self.region, self.service)
    }

    /// The canonical request, and the names of the signed headers.
    pub(super) fn canonical(&self, request: &Aws4Request<'_>) -> (String, String) {
        let mut headers = request.headers.clone();
        headers.sort_by(|a, b| a.0.cmp(&b.0));
        let mut lines = String::new();
        let mut names = String::new();
        for (at, (name, value)) in headers.iter().enumerate() {
            if at > 0 {
                names.push(';');
            }
            names.push_str(name);
            lines.push_str(name);
            lines.push(':');
            let value = String::from_utf8_lossy(value);
            let words: Vec<&str> = value.split([' ', '\t']).filter(|w| !w.is_empty()).collect();
            lines.push_str(&words.join(" "));
            lines.push('\n');
        }
        // S3 signs the path as it is; every other service signs it encoded once more.
        let path = if request.path.is_empty() { "/" } else { request.path };
        let path = match &*self.service {
            "s3" | "s3-outposts" | "s3-object-lambda" => path.to_owned(),
            _ => encode(path, true),
        };
        let query = canonical_query(request.query);
        let method = request.method;
        let payload = request.payload.as_str();
        (format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}"), names)
    }
}

/// Parameters decoded, encoded anew and sorted.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (anew(name), anew(value))
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.iter().map(|(n, v)| [n, "=", v].concat()).collect();
    pairs.join("&")
}

/// Percent-encoding undone and made again in AWS's way; `+` stays what it is, an encoded plus.
fn anew(text: &str) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let digit = |b: &u8| char::from(*b).to_digit(16);
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => digit(high).zip(digit(low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                plain.push((high << 4 | low) as u8);
                rest = &after[2..];
            }
            None => {
                plain.push(*byte);
                rest = after;
            }
        }
    }
    encode_bytes(&plain, false)
}

fn encode(text: &str, keeps_slash: bool) -> String {
    encode_bytes(text.as_bytes(), keeps_slash)
}

fn encode_bytes(bytes: &[u8], keeps_slash: bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for b in bytes {
        if symbolon_capability::url::is_unreserved(*b) || (keeps_slash && *b == b'/') {
            out.push(char::from(*b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

/// Whether a header, in lower case, belongs to a signature: a caller's own are dropped.
pub fn is_aws4_header(name: &str) -> bool {
    matches!(
        name,
        "authorization"
            | "date"
            | "x-amz-date"
            | "x-amz-security-token"
            | "x-amz-content-sha256"
            | "x-amz-s3session-token"
            | "x-amz-region-set"
    )
}

/// Whether a query parameter belongs to a signature in the query: a caller's own are dropped.
pub fn is_aws4_parameter(name: &str) -> bool {
    const OWN: [&str; 8] = [
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
        "x-amz-region-set",
    ];
    OWN.iter().any(|own| anew(name).eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests;
