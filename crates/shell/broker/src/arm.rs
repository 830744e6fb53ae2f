//! The last step before the wire: a request gets the place of its credential.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use symbolon_ambient::BatchedRng;
use symbolon_capability::{Release, SealedCredential};
use symbolon_connector::inject::{Placeholder, Slot, without_cookie, without_field};

use crate::oauth::Issued;
use crate::upstream::{Live, UpstreamError};
use crate::wire::{Armed, OpenCredential, OpenError, OutBody};

/// A request without its credential.
pub(crate) struct Draft {
    pub(crate) method: Method,
    /// Path and query, as they go out.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body is sent on as it comes, and is not here.
    pub(crate) streamed: bool,
}

impl Draft {
    /// The request, as the HTTP stack takes it.
    pub(crate) fn into_request(self) -> Result<Request<OutBody>, UpstreamError> {
        let uri = self.target.parse::<Uri>().map_err(|e| bad(&e))?;
        let mut request = Request::new(OutBody::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

impl Live {
    /// Makes the credential's place in `draft` and arms it. What a caller had put into that place is
    /// taken out: header, parameter, cookie and field are the credential's alone, in any spelling.
    pub(crate) fn arm(
        &self,
        release: &Arc<Release>,
        draft: &mut Draft,
    ) -> Result<Armed, UpstreamError> {
        let placeholder = Placeholder::make(&BatchedRng);
        match &*self.slot {
            Slot::Header { name, prefix } => {
                let name = HeaderName::from_bytes(name.as_str().as_bytes()).map_err(|e| bad(&e))?;
                draft.headers.insert(name, carry(prefix.as_str(), &placeholder)?);
            }
            Slot::Basic => {
                draft.headers.insert(AUTHORIZATION, carry("Basic ", &placeholder)?);
            }
            Slot::Query { name } => {
                let own = draft.target.split_once('?').map(|(path, query)| {
                    (path.to_owned(), without_field(query.as_bytes(), name.as_str()))
                });
                if let Some((path, query)) = own {
                    let query = String::from_utf8(query).map_err(|e| bad(&e))?;
                    let mark = if query.is_empty() { "" } else { "?" };
                    draft.target = [&path, mark, &query].concat();
                }
                draft.target.push(if draft.target.contains('?') { '&' } else { '?' });
                draft.target.push_str(&[name.as_str(), "=", placeholder.as_str()].concat());
            }
            Slot::Cookie { name } => {
                let own: Vec<&[u8]> =
                    draft.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
                let mut value = without_cookie(&own.join(&b"; "[..]), name.as_str());
                if !value.is_empty() {
                    value.extend_from_slice(b"; ");
                }
                value.extend_from_slice(name.as_str().as_bytes());
                value.push(b'=');
                value.extend_from_slice(placeholder.as_bytes());
                let value = HeaderValue::try_from(value).map_err(|e| bad(&e))?;
                draft.headers.insert(COOKIE, value);
            }
            Slot::Form { name } => {
                if draft.body.is_empty() {
                    draft.headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
                }
                let own = without_field(&draft.body, name.as_str());
                let mut body = [name.as_str(), "=", placeholder.as_str()].concat().into_bytes();
                if !own.is_empty() {
                    body.push(b'&');
                    body.extend_from_slice(&own);
                }
                draft.body = body.into();
            }
            // Shown by the handshake; the request says nothing of it.
            Slot::Nowhere => {}
            Slot::Signed { .. } => return self.sign(release, draft, placeholder),
            other => return Err(bad(&format_args!("no way to carry {other:?}"))),
        }
        let (minted, issued) = (self.minted.clone(), self.issued.clone());
        let opener = Arc::new(Opener { release: release.clone(), minted, issued });
        Ok(Armed { placeholder, slot: self.slot.clone(), opener })
    }
}

pub(crate) fn carry(prefix: &str, placeholder: &Placeholder) -> Result<HeaderValue, UpstreamError> {
    let value = [prefix, placeholder.as_str()].concat();
    HeaderValue::try_from(value).map_err(|e| bad(&e))
}

pub(crate) fn bad(e: &dyn std::fmt::Display) -> UpstreamError {
    UpstreamError::Request(e.to_string())
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The release, as the wire asks for it.
struct Opener {
    release: Arc<Release>,
    /// What goes out in the credential's place, if anything does.
    minted: Option<Arc<SealedCredential>>,
    issued: Option<Arc<Issued>>,
}

impl Opener {
    fn in_place(&self) -> Option<&SealedCredential> {
        self.minted.as_deref().or(self.issued.as_deref().map(|issued| &issued.access))
    }
}

impl OpenCredential for Opener {
    fn wire_len(&self) -> usize {
        self.in_place().map_or_else(|| self.release.wire_len(), SealedCredential::wire_len)
    }
    fn open_into(&self, out: &mut [u8]) -> Result<usize, OpenError> {
        let opened = match self.in_place() {
            Some(sealed) => self.release.open_issued_into(sealed, out),
            None => self.release.open_into(out),
        };
        opened.map_err(|_| OpenError { reason: "the envelope is damaged or was moved" })
    }
}
