//! From what an upstream sent to what a caller may see.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::Value;
use symbolon_codec::b64;
use symbolon_connector::body::{Codings, Decoder, UndecodableBody};
use symbolon_connector::limits::is_shown;
use symbolon_connector::redact::{Confirm, Field, Filter, Unconfirmed, Verdict, redact_field};

use crate::api::{BodyEncoding, CallReply, ForwardReply};
use crate::reading::Reading;
use crate::upstream::{Answer, Live, UpstreamError};

/// Undoes the content codings, to at most as many bytes as `reading` says.
pub(crate) fn decode(reading: &Reading, raw: Bytes) -> Result<Bytes, UpstreamError> {
    if reading.codings.is_identity() {
        return match raw.len() as u64 > reading.bytes_max {
            true => Err(UpstreamError::TooLong(reading.bytes_max)),
            false => Ok(raw),
        };
    }
    let mut decoder = Decoder::new(&reading.codings, reading.bytes_max);
    let mut out = Vec::new();
    decoder.push::<UndecodableBody>(&raw, &mut |piece| {
        out.extend_from_slice(piece);
        Ok(())
    })?;
    decoder.finish()?;
    Ok(out.into())
}

/// Takes every echo of the credential out of body and headers, and drops the headers that are not
/// a caller's business. `is_check`: those that tell of the credential are.
pub(crate) fn redact(
    mut answer: Answer,
    live: &Live,
    is_check: bool,
) -> Result<Answer, UpstreamError> {
    let tells = live.registration.service.tells().filter(|_| is_check);
    let is_told = |name: &str| tells.is_some_and(|t| t.headers().any(|told| told == name));
    let echo = Echo(live);
    let mut clean = Vec::with_capacity(answer.body.len());
    // It was decoded, within its limit.
    let mut filter = Filter::new(live.pattern.clone(), &echo, &Codings::default(), u64::MAX);
    filter.push(&answer.body, &mut clean)?;
    let mut counts = filter.finish(&mut clean)?;
    if counts.total() > 0 {
        answer.body = clean.into();
    }
    let mut headers = HeaderMap::with_capacity(answer.headers.len());
    for (name, value) in &answer.headers {
        let (text, bytes) = (name.as_str(), value.as_bytes());
        let field = redact_field(&live.pattern, &echo, text, bytes, &mut counts)?;
        // The coding is undone, or the caller must know of it.
        let passes = match *name {
            CONTENT_ENCODING => answer.searched.is_some(),
            _ => is_shown(text) || is_told(text),
        };
        if !passes {
            continue;
        }
        let value = match field {
            Field::Kept => value.clone(),
            Field::Rewritten(value) => match HeaderValue::try_from(value) {
                Ok(value) => value,
                Err(_) => continue,
            },
            Field::Dropped => continue,
        };
        headers.append(name, value);
    }
    answer.headers = headers;
    let spent = std::mem::take(&mut answer.spent);
    if counts.total() == 0 {
        spent.keep();
    }
    answer.redactions = counts;
    Ok(answer)
}

/// More values than this in one JSON body are handed over as text: each costs tens of bytes.
const VALUES_MAX: usize = 200_000;

/// Confirms a candidate by opening the credential in a secret window.
struct Echo<'a>(&'a Live);

impl Confirm for Echo<'_> {
    fn confirm(&self, haystack: &[u8], at: usize) -> Result<Verdict, Unconfirmed> {
        self.0.confirm(haystack, at)
    }
}

/// The answer as a tool's result.
pub(crate) fn reply(answer: Answer, receipt: u64, duration_ms: u64) -> CallReply {
    let kind = answer.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = kind == "application/json" || kind.ends_with("+json");
    let values = || answer.body.iter().filter(|b| matches!(b, b',' | b'[' | b'{')).count();
    let json = is_json && values() <= VALUES_MAX;
    let result = answer.tool.and_then(|_| serde_json::from_slice(&answer.body).ok());
    let (body, encoding) = if answer.body.is_empty() {
        (Value::Null, BodyEncoding::None)
    } else if let Some(value) = result {
        (value, BodyEncoding::ToolResult)
    } else if let Some(value) = json.then(|| serde_json::from_slice(&answer.body).ok()).flatten() {
        (value, BodyEncoding::Json)
    } else {
        match std::str::from_utf8(&answer.body) {
            Ok(text) => (Value::String(text.to_owned()), BodyEncoding::Text),
            Err(_) => (Value::String(b64::encode(&answer.body)), BodyEncoding::Base64),
        }
    };
    CallReply {
        status: answer.status,
        redactions: answer.redactions.total(),
        headers: shown(&answer.headers),
        body,
        encoding,
        receipt,
        duration_ms,
    }
}

/// The answer as HTTP.
pub(crate) fn forward(answer: Answer, receipt: u64) -> ForwardReply {
    ForwardReply { status: answer.status, headers: answer.headers, body: answer.body, receipt }
}

fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}
