//! The service `api`: who may call, and how an answer is sent.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use symbolon_codec::b64;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::{Error, routes};

/// Every answer's body, streamed or whole.
pub type Body = BoxBody<Bytes, Infallible>;

/// A request that was read whole.
pub struct Call {
    pub request: hyper::http::request::Parts,
    pub body: Bytes,
}

/// What the service knows.
pub struct Service {
    pub credential: Vec<u8>,
    pub notes: Mutex<Vec<String>>,
    authorized: AtomicU64,
    refused: AtomicU64,
}

const BODY_BYTES_MAX: usize = 4 << 20;

impl Service {
    pub fn new(credential: Vec<u8>) -> Self {
        let notes = ["The two halves fit.", "Buy olives."].map(str::to_owned).to_vec();
        Self {
            credential,
            notes: Mutex::new(notes),
            authorized: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// How many requests came with the credential, and how many without.
    pub fn stats(&self) -> Value {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        json!({ "authorized": read(&self.authorized), "refused": read(&self.refused) })
    }

    /// Whether the request carries the credential, in any of the forms that services use.
    fn admits(&self, request: &hyper::http::request::Parts) -> bool {
        let header = |name: &str| request.headers.get(name).map(|value| value.as_bytes());
        let is = |given: &[u8]| given == self.credential;
        let authorization = header("authorization").unwrap_or_default();
        let basic = || {
            let encoded = authorization.strip_prefix(b"Basic ")?;
            let plain = b64::decode(std::str::from_utf8(encoded).ok()?, 4096).ok()?;
            let colon = plain.iter().position(|byte| *byte == b':')?;
            Some(is(&plain[colon + 1..]))
        };
        let admitted = authorization.strip_prefix(b"Bearer ").is_some_and(is)
            || basic().unwrap_or_default()
            || header("x-api-key").is_some_and(is)
            || query(request, "api_key").is_some_and(|given| is(given.as_bytes()));
        let count = if admitted { &self.authorized } else { &self.refused };
        count.fetch_add(1, Ordering::Relaxed);
        admitted
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Error> {
        let (request, body) = request.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await?.to_bytes();
        if request.uri.path() == "/stats" {
            return Ok(json_answer(StatusCode::OK, &self.stats()));
        }
        if !self.admits(&request) {
            let mut answer =
                json_answer(StatusCode::UNAUTHORIZED, &json!({ "error": "who are you?" }));
            answer.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer realm=\"upstream\""),
            );
            return Ok(answer);
        }
        routes::route(self, Call { request, body }).await
    }
}

/// Serves one connection to its end. An `Err` of a route closes it without an answer.
pub async fn serve(service: Arc<Service>, stream: TlsStream<TcpStream>) -> Result<(), Error> {
    let answer = service_fn(move |request| {
        let service = service.clone();
        async move { service.answer(request).await.map_err(std::io::Error::other) }
    });
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), answer)
        .await?;
    Ok(())
}

/// A whole JSON answer.
pub fn json_answer(status: StatusCode, value: &Value) -> Response<Body> {
    let mut answer = Response::new(Full::new(Bytes::from(value.to_string())).boxed());
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    answer
}

/// A value of the query, with `%XX` decoded.
pub fn query(request: &hyper::http::request::Parts, name: &str) -> Option<String> {
    let pairs = request.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.into_iter().find(|(key, _)| *key == name)?.1;
    let mut bytes = Vec::new();
    let mut rest = found.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
