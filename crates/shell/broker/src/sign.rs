//! Schemes that send a signature: AWS Signature Version 4, and HMAC as a catalogue file has it.

use std::sync::Arc;

use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderName, HeaderValue};
use symbolon_ambient::{BatchedRng, Clock, Rng, SystemClock};
use symbolon_capability::catalog::{AuthScheme, HmacSpec};
use symbolon_capability::{Release, Scheme};
use symbolon_connector::inject::{Placeholder, Slot};
use symbolon_connector::sign::{
    Aws4, Aws4Request, ChunkSigner, HmacRequest, HmacValues, Payload, decode_key, is_aws4_header,
    is_aws4_parameter, render,
};
use symbolon_secret::{Secret, on_stack};

use crate::api::CallError;
use crate::arm::{Draft, bad, carry};
use crate::upstream::{Live, UpstreamError};
use crate::wire::{Armed, OpenCredential, OpenError};

/// How a connection signs; nothing of it is secret.
#[derive(Clone)]
pub(crate) enum Signer {
    Aws4 { key_id: String, region: String, service: String },
    Hmac { key_id: String, spec: Arc<HmacSpec> },
}

/// Where AWS takes a session token.
pub(crate) const AWS_TOKEN: &str = "x-amz-security-token";

impl Signer {
    /// What is known of it once the credential was looked at: the id before the first colon.
    pub(crate) fn of(
        scheme: &Scheme,
        auth: &AuthScheme,
        wire: &Secret<[u8]>,
    ) -> Result<Option<Self>, CallError> {
        if !matches!(scheme, Scheme::Aws4 { .. } | Scheme::Hmac) {
            return Ok(None);
        }
        // EXPOSE: the id alone is copied, which is no secret.
        let id = wire.expose().split(|b| *b == b':').next().unwrap_or_default().to_vec();
        let key_id = String::from_utf8(id).map_err(|_| not_signing())?;
        Ok(Some(match (scheme, auth) {
            (Scheme::Aws4 { region, service, .. }, _) => {
                Self::Aws4 { key_id, region: region.clone(), service: service.clone() }
            }
            (_, AuthScheme::Hmac(spec)) => Self::Hmac { key_id, spec: spec.clone() },
            _ => return Err(not_signing()),
        }))
    }
}

fn not_signing() -> CallError {
    CallError::caller("auth", "the service's catalogue file does not describe this signature")
        .next("symbolon connect SERVICE --replace")
}

/// Whether a credential can sign. Where it has no id, the same with an empty one in front.
pub(crate) fn check(
    scheme: &Scheme,
    auth: &AuthScheme,
    raw: &Secret<[u8]>,
) -> Result<Option<Secret<[u8]>>, CallError> {
    let refuse = |text: &str| {
        Err(CallError::caller("credential", text)
            .next("enter it again: symbolon connect SERVICE --replace"))
    };
    let is_aws = matches!(scheme, Scheme::Aws4 { .. });
    let spec = match auth {
        AuthScheme::Hmac(spec) if !is_aws => Some(spec),
        _ if is_aws => None,
        _ => return Err(not_signing()),
    };
    // EXPOSE: looked at and copied between secret pages, on the secret stack.
    let raw = raw.expose();
    if is_aws {
        let fits = on_stack(|| {
            let mut parts = raw.split(|b| *b == b':');
            let id = parts.next().unwrap_or_default();
            let secret = parts.next().unwrap_or_default();
            let is_key = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+' | b'=');
            (16..=128).contains(&id.len())
                && id.iter().all(u8::is_ascii_alphanumeric)
                && (16..=symbolon_connector::sign::AWS_SECRET_BYTES_MAX).contains(&secret.len())
                && secret.iter().all(is_key)
                && parts.count() <= 1
        });
        return match fits {
            true => Ok(None),
            false => refuse(
                "the credential is not ACCESS_KEY_ID:SECRET_ACCESS_KEY or ACCESS_KEY_ID:SECRET_ACCESS_KEY:SESSION_TOKEN",
            ),
        };
    }
    let Some(spec) = spec else { return Err(not_signing()) };
    let colon = raw.iter().position(|b| *b == b':');
    let (id, key) = match (spec.has_key_id(), colon) {
        (true, Some(at)) => (&raw[..at], &raw[at + 1..]),
        (true, None) => return refuse("the credential is not of the form KEY_ID:KEY"),
        (false, _) => (&raw[..0], raw),
    };
    if !id.iter().all(|b| (0x21..0x7f).contains(b)) || id.len() > 256 {
        return refuse("the key's id is not at most 256 visible characters");
    }
    let decoded = Secret::<[u8]>::try_make_slice(key.len(), |out| {
        on_stack(|| {
            decode_key(spec.key, key, out).ok_or(symbolon_connector::inject::WireFormError::Empty)
        })
    });
    if decoded.is_err() {
        return refuse("the key is not written as the service's keys are");
    }
    Ok((!spec.has_key_id()).then(|| {
        Secret::<[u8]>::make_slice(1 + raw.len(), |out| {
            out[0] = b':';
            out[1..].copy_from_slice(raw);
        })
    }))
}

impl Live {
    /// Signs `draft`. A signature that a caller made, with whatever keys, is dropped first.
    pub(crate) fn sign(
        &self,
        release: &Arc<Release>,
        draft: &mut Draft,
        placeholder: Placeholder,
    ) -> Result<Armed, UpstreamError> {
        let now = SystemClock.unix_ms();
        let opener: Arc<dyn OpenCredential> = match &self.signer {
            Some(Signer::Aws4 { key_id, region, service }) => {
                let aws4 = Aws4::new(now, region, service);
                let payload = payload(draft, service, self.is_tls())?;
                let opener = self.token(release, draft, &placeholder)?;
                let (signature, key) =
                    self.sign_head(release, &aws4, key_id, draft, &payload, &placeholder)?;
                if payload.is_chunked() && payload != Payload::UnsignedChunks {
                    let mut chunks = ChunkSigner::new(aws4, key, signature, &payload);
                    let mut out = Vec::with_capacity(draft.body.len());
                    chunks.push(&draft.body, &mut out).map_err(|e| bad(&e))?;
                    chunks.finish().map_err(|e| bad(&e))?;
                    draft.body = out.into();
                }
                opener
            }
            Some(Signer::Hmac { .. }) if draft.streamed => {
                return Err(bad(&"a body that is sent on as it comes cannot be signed"));
            }
            Some(Signer::Hmac { key_id, spec }) => {
                for (name, value) in self.hmac(release, spec, key_id, draft, now)? {
                    let name = HeaderName::try_from(name).map_err(|e| bad(&e))?;
                    let value = HeaderValue::try_from(value).map_err(|e| bad(&e))?;
                    draft.headers.insert(name, value);
                }
                Arc::new(Token(None))
            }
            None => return Err(bad(&"the connection has no way to sign")),
        };
        Ok(Armed { placeholder, slot: self.slot.clone(), opener })
    }

    /// Puts a session token's placeholder into its header, and gives what opens it.
    fn token(
        &self,
        release: &Arc<Release>,
        draft: &mut Draft,
        placeholder: &Placeholder,
    ) -> Result<Arc<dyn OpenCredential>, UpstreamError> {
        if !matches!(&*self.slot, Slot::Signed { token: Some(_) }) {
            return Ok(Arc::new(Token(None)));
        }
        let token = release.sign(|wire| {
            let token = wire.splitn(3, |b| *b == b':').nth(2).unwrap_or_default();
            Secret::<[u8]>::make_slice(token.len(), |out| out.copy_from_slice(token))
        });
        draft.headers.insert(AWS_TOKEN, carry("", placeholder)?);
        Ok(Arc::new(Token(Some(token.map_err(|e| bad(&e))?))))
    }

    fn sign_head(
        &self,
        release: &Arc<Release>,
        aws4: &Aws4,
        key_id: &str,
        draft: &mut Draft,
        payload: &Payload,
        placeholder: &Placeholder,
    ) -> Result<(String, DayKey), UpstreamError> {
        let date = HeaderValue::from_str(aws4.timestamp()).map_err(|e| bad(&e))?;
        draft.headers.insert("x-amz-date", date);
        let shown = HeaderValue::from_str(payload.as_str()).map_err(|e| bad(&e))?;
        draft.headers.insert("x-amz-content-sha256", shown);
        let mut headers = vec![("host".to_owned(), self.host().as_bytes().to_vec())];
        for (name, value) in &draft.headers {
            let name = name.as_str();
            let is_signed = matches!(name, "content-type" | "content-md5" | "range")
                || name.starts_with("x-amz-");
            if !is_signed {
                continue;
            }
            match headers.iter_mut().find(|(own, _)| own == name) {
                Some((_, own)) => {
                    own.push(b',');
                    own.extend_from_slice(value.as_bytes());
                }
                None => headers.push((name.to_owned(), value.as_bytes().to_vec())),
            }
        }
        let (path, query) = draft.target.split_once('?').unwrap_or((&draft.target, ""));
        let method = draft.method.as_str();
        let request = Aws4Request { method, path, query, headers, payload };
        let signed = release.sign(|wire| {
            let mut parts = wire.splitn(3, |b| *b == b':').skip(1);
            let key = aws4.key(parts.next().unwrap_or_default());
            let token = parts.next().map(|token| (placeholder.as_str(), token));
            (aws4.sign(&key, &request, token), key)
        });
        let (signed, key) = signed.map_err(|e| bad(&e))?;
        let value = HeaderValue::try_from(aws4.authorization(key_id, &signed));
        draft.headers.insert(AUTHORIZATION, value.map_err(|e| bad(&e))?);
        Ok((signed.0, Arc::new(key)))
    }

    fn hmac(
        &self,
        release: &Arc<Release>,
        spec: &HmacSpec,
        key_id: &str,
        draft: &Draft,
        now: u64,
    ) -> Result<Vec<(String, String)>, UpstreamError> {
        let mut entropy = [0; 16];
        BatchedRng.fill(&mut entropy);
        let request = HmacRequest {
            method: draft.method.as_str(),
            host: self.host(),
            target: &draft.target,
            body: &draft.body,
            key_id,
        };
        let values = HmacValues::new(spec, &request, now, entropy);
        let signed = release.sign(|wire| {
            let key = wire.splitn(2, |b| *b == b':').nth(1).unwrap_or_default();
            let mut scratch = Secret::<[u8]>::make_slice(key.len(), |_| ());
            // EXPOSE: the key is decoded into another secret page, on the secret stack.
            render(spec, &request, &values, key, scratch.expose_mut())
        });
        signed
            .map_err(|e| bad(&e))?
            .ok_or_else(|| bad(&"the key is not as its service writes keys"))
    }
}

/// What stands for the body, and a draft without anything of a signature that a caller made.
fn payload(draft: &mut Draft, service: &str, is_tls: bool) -> Result<Payload, UpstreamError> {
    let asked = draft.headers.get("x-amz-content-sha256").and_then(|v| v.to_str().ok());
    let asked = asked.and_then(Payload::asked);
    drop_signature(&mut draft.headers);
    if let Some((path, query)) = draft.target.split_once('?') {
        let kept: Vec<&str> = query
            .split('&')
            .filter(|pair| !is_aws4_parameter(pair.split('=').next().unwrap_or_default()))
            .collect();
        let mark = if kept.is_empty() { "" } else { "?" };
        draft.target = [path, mark, &kept.join("&")].concat();
    }
    let is_s3 = service.starts_with("s3");
    let plain = |payload| if is_s3 && is_tls { Ok(payload) } else { Err(bad(&UNSIGNED)) };
    match asked {
        Some(Payload::UnsignedChunks) => plain(Payload::UnsignedChunks),
        Some(Payload::Chunks | Payload::ChunksAndTrailer) if draft.streamed => Err(bad(&CHUNKS)),
        Some(chunks @ (Payload::Chunks | Payload::ChunksAndTrailer)) if is_s3 => Ok(chunks),
        Some(Payload::Unsigned) if is_s3 && is_tls => Ok(Payload::Unsigned),
        // The service compares it with what arrives.
        Some(Payload::Hash(hash)) if draft.streamed => Ok(Payload::Hash(hash)),
        _ if draft.streamed => plain(Payload::Unsigned),
        _ => Ok(Payload::of(&draft.body)),
    }
}

const UNSIGNED: &str = "a body that is not signed goes to S3 over TLS alone";
const CHUNKS: &str = "a body that is sent on as it comes cannot be signed chunk by chunk";

/// A caller's own signature, in whatever spelling of its headers.
fn drop_signature(headers: &mut HeaderMap) {
    let own: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_aws4_header(&name.as_str().replace('_', "-")))
        .cloned()
        .collect();
    for name in own {
        headers.remove(name);
    }
    headers.remove(CONTENT_LENGTH);
}

/// A session token for one request, in a page of its own; without one, nothing to open.
struct Token(Option<Secret<[u8]>>);

impl OpenCredential for Token {
    fn wire_len(&self) -> usize {
        self.0.as_ref().map_or(0, Secret::len)
    }
    fn open_into(&self, out: &mut [u8]) -> Result<usize, OpenError> {
        let Some(token) = &self.0 else { return Ok(0) };
        // EXPOSE: copied from a secret page into the window, on the secret stack.
        out[..token.len()].copy_from_slice(token.expose());
        Ok(token.len())
    }
}

/// What signs for one day, region and service.
type DayKey = Arc<Secret<[u8; 32]>>;
