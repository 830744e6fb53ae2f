//! What a person sees: one sentence and the exact request, safe to print.

use std::fmt::Write;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use symbolon_capability::approval::{AskRule, Asked};
use symbolon_capability::catalog::Place;
use symbolon_capability::{Lease, MintedId};
use symbolon_codec::time::rfc3339;
use symbolon_codec::{Digest32, b64};
use symbolon_crypto::sha256;

use super::api::{ApprovalView, ExactRequest};
use crate::call::Prepared;

/// The exact request, as it was asked about.
pub(super) struct Shown {
    sentence: String,
    path_and_query: String,
    content_type: String,
    /// The caller's own, where it is a program whose request is relayed; they say all there is.
    headers: Option<Vec<(String, String)>>,
    /// The idempotency key that the caller brought to the gateway, as a header.
    key: Option<(String, String)>,
    /// The minted credential that goes out in place of the connection's.
    minted: Option<MintedId>,
    body: Option<Vec<u8>>,
}

impl Shown {
    pub(super) fn of(prepared: &Prepared, rule: &AskRule, headers: Option<&HeaderMap>) -> Self {
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let bound = &prepared.bound;
        let mut path_and_query = bound.path().as_str().to_owned();
        if !bound.query().is_empty() {
            path_and_query.push('?');
            path_and_query.push_str(bound.query());
        }
        Self {
            sentence: sentence(prepared, rule),
            path_and_query,
            content_type: bound.body().map_or("", |b| b.content_type()).to_owned(),
            headers: headers.map(|all| all.iter().map(text).collect()),
            key: prepared.own_key.as_ref().map(|(name, key)| text((name, key))),
            minted: prepared.minted.as_ref().map(|shown| shown.held.id),
            body: bound.body().map(|b| b.bytes().to_vec()),
        }
    }

    pub(super) fn sentence(&self) -> &str {
        &self.sentence
    }

    fn request(&self, lease: &Lease, digest: Digest32, body_bytes_max: usize) -> ExactRequest {
        let c = &lease.registration.connection;
        let own = self.headers.clone();
        let fixed = lease.registration.service.headers().chain(lease.operation.headers());
        let headers = own.unwrap_or_else(|| {
            let mut headers: Vec<(String, String)> =
                fixed.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            if self.body.is_some() {
                headers.push(("content-type".to_owned(), self.content_type.clone()));
            }
            headers.extend(self.key.clone());
            headers
        });
        let bytes = self.body.as_deref().unwrap_or_default();
        let is_cut = bytes.len() > body_bytes_max;
        let (body, body_encoding) = match &self.body {
            None => (None, "none"),
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => (Some(cut(text, body_bytes_max).to_owned()), "text"),
                Err(_) => (Some(b64::encode(&bytes[..bytes.len().min(body_bytes_max)])), "base64"),
            },
        };
        ExactRequest {
            method: lease.operation.method().as_str().to_owned(),
            url: format!("{}{}", c.base_url, self.path_and_query),
            headers,
            credential: match &self.minted {
                None => c.auth.to_string(),
                Some(id) => format!("{}, minted {id}", c.auth),
            },
            body,
            body_encoding: body_encoding.to_owned(),
            body_bytes: bytes.len() as u64,
            body_cut: is_cut,
            body_sha256: sha256(bytes),
            digest,
        }
    }

    /// `body_bytes_max`: how much of the body is shown; `None` shows no request.
    pub(super) fn view(
        &self,
        asked: &Asked,
        state: &str,
        now_ns: u64,
        body_bytes_max: Option<usize>,
    ) -> ApprovalView {
        let lease: &Arc<Lease> = asked.lease();
        ApprovalView {
            number: asked.number(),
            agent: lease.agent().to_owned(),
            door: lease.door().to_owned(),
            tool: lease.operation.name().to_string(),
            effect: lease.operation.effect().to_string(),
            service: lease.registration.service.name().to_owned(),
            connection: lease.registration.connection.name.to_string(),
            grant: asked.need().grant,
            rule: asked.need().rule.to_string(),
            answers: asked.need().via.as_str().to_owned(),
            sentence: self.sentence.clone(),
            state: state.to_owned(),
            asked: rfc3339(asked.asked_unix_ms()),
            expires: rfc3339(asked.until_unix_ms()),
            expires_in_seconds: asked.until_ns().saturating_sub(now_ns) / 1_000_000_000,
            request: body_bytes_max.map(|max| self.request(lease, *asked.request(), max)),
            decided_by: None,
            decided_via: None,
            decided: None,
            receipt: None,
        }
    }
}

/// `claude asks to delete a thing (destructive): DELETE shop.example through shop, with id=7`.
/// Its first letter small, where it does not begin with a name: `POST /pay` stays as it is.
fn in_a_sentence(title: &str) -> String {
    let mut letters = title.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().collect::<String>() + letters.as_str()
        }
        _ => title.to_owned(),
    }
}

fn sentence(prepared: &Prepared, rule: &AskRule) -> String {
    let (operation, registration) = (&prepared.lease.operation, &prepared.lease.registration);
    let title = in_a_sentence(operation.title().trim());
    let host = registration.origin.split_once("://").map_or("", |(_, host)| host);
    let mut text = format!(
        "{} asks to {title} ({}) at {}: {} {host} through {}",
        prepared.lease.agent(),
        operation.effect(),
        registration.service.name(),
        operation.method().as_str(),
        registration.connection.name,
    );
    let threshold = match rule {
        AskRule::Threshold(t) => Some(t.parameter()),
        _ => None,
    };
    // What decides first: the path, what the rule speaks of, then the rest.
    let rank = |name: &str| {
        let mut parameters = operation.parameters().iter();
        let place = parameters.find(|p| p.name() == name).map(|p| p.place());
        match place {
            _ if threshold == Some(name) => 0,
            Some(Place::Path(_)) => 1,
            _ => 2,
        }
    };
    let mut shown: Vec<_> = prepared.arguments.iter().collect();
    shown.sort_by_key(|(name, _)| rank(name));
    let more = shown.len().saturating_sub(PARAMETERS_SHOWN);
    for (at, (name, value)) in shown.into_iter().take(PARAMETERS_SHOWN).enumerate() {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Array(items) => format!("a list of {}", items.len()),
            Value::Object(members) => format!("an object of {}", members.len()),
            other => other.to_string(),
        };
        let lead = if at == 0 { ", with " } else { ", " };
        let dots = if value.len() > VALUE_SHOWN_BYTES { "…" } else { "" };
        let value = cut(&value, VALUE_SHOWN_BYTES);
        // Writing into a string does not fail.
        let _ = write!(text, "{lead}{name}={value}{dots}");
    }
    if more > 0 {
        let _ = write!(text, " and {more} more");
    }
    visible(&text).replace('\n', "\\n").replace('\t', "\\t")
}

const PARAMETERS_SHOWN: usize = 6;
const VALUE_SHOWN_BYTES: usize = 80;

/// Text in which nothing hides: characters that a terminal obeys, that change the direction of what
/// follows, or that are not seen, stand as their numbers. Line ends and tabs stay.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if hides(c) => {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c as u32,
            0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5
            | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202f | 0x205f..=0x206f
            | 0x2800 | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffd
            | 0xe000..=0xf8ff | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff | 0xf0000..=0x10ffff)
}

fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::{in_a_sentence, visible};

    #[test]
    fn a_title_begins_small_in_a_sentence_unless_it_begins_with_a_name() {
        for (title, shown) in [
            ("List issues", "list issues"),
            ("POST /pay", "POST /pay"),
            ("A thing", "a thing"),
            ("Ärger", "ärger"),
            ("", ""),
            ("X", "X"),
        ] {
            assert_eq!(in_a_sentence(title), shown);
        }
    }

    #[test]
    fn nothing_hides_in_what_is_shown() {
        let text = "a\x1b[2J\u{202e}txet\u{200b}b\u{e0041}\u{9b}\r\n\tc\u{feff}é漢";
        let shown = visible(text);
        assert_eq!(
            shown,
            "a\\u{1b}[2J\\u{202e}txet\\u{200b}b\\u{e0041}\\u{9b}\\u{d}\n\tc\\u{feff}é漢"
        );
    }
}
