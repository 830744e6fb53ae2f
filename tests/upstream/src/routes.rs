//! What each path answers. The table is in the README.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Frame;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use symbolon_codec::b64;
use tokio::time::{Sleep, sleep};

use crate::Error;
use crate::api::{Body, Call, Service, json_answer, query};

pub async fn route(service: &Service, call: Call) -> Result<Response<Body>, Error> {
    let path = call.request.uri.path().to_owned();
    let number = |name: &str, otherwise: u64| {
        query(&call.request, name).and_then(|text| text.parse().ok()).unwrap_or(otherwise)
    };
    let ok = |value: &Value| Ok(json_answer(StatusCode::OK, value));
    match path.as_str() {
        "/v1/account" => ok(&json!({ "name": "Ada", "plan": "demo" })),
        "/v1/search" => ok(&search(service, &query(&call.request, "q").unwrap_or_default())),
        "/echo" => ok(&echo(&call)),
        "/echo/base64" => ok(&echo_base64(&service.credential)),
        "/echo/header" => {
            let mut answer = json_answer(StatusCode::OK, &json!({}));
            answer.headers_mut().insert("x-echo", HeaderValue::from_bytes(&service.credential)?);
            Ok(answer)
        }
        "/hang" => std::future::pending().await,
        "/close" => Err("closed on request".into()),
        "/drip" => Ok(streamed(Drip::new(number("seconds", 1) * 5))),
        "/big" => Ok(streamed(Big { left: number("mib", 1) * 16 })),
        "/headers" => many_headers(number("count", 10)),
        "/redirect" => {
            redirect(&query(&call.request, "to").unwrap_or_else(|| "/v1/account".into()))
        }
        _ if path.starts_with("/v1/notes") => notes(service, &call, &path),
        _ => match path.strip_prefix("/status/").and_then(|code| code.parse().ok()) {
            Some(code) => Ok(json_answer(StatusCode::from_u16(code)?, &json!({ "status": code }))),
            None => Ok(json_answer(StatusCode::NOT_FOUND, &json!({ "error": "no such path" }))),
        },
    }
}

fn notes(service: &Service, call: &Call, path: &str) -> Result<Response<Body>, Error> {
    let mut notes = service.notes.lock().map_err(|_| "a note was lost")?;
    let index = path.strip_prefix("/v1/notes/").and_then(|text| text.parse::<usize>().ok());
    Ok(match (&call.request.method, index) {
        (&Method::GET, None) => json_answer(StatusCode::OK, &json!({ "notes": *notes })),
        (&Method::POST, None) => {
            let given: Value = serde_json::from_slice(&call.body)?;
            let text = given.get("text").and_then(Value::as_str).ok_or("no text")?;
            notes.push(text.to_owned());
            json_answer(StatusCode::CREATED, &json!({ "number": notes.len() - 1, "text": text }))
        }
        (&Method::GET, Some(at)) if at < notes.len() => {
            json_answer(StatusCode::OK, &json!({ "number": at, "text": notes[at] }))
        }
        (&Method::DELETE, Some(at)) if at < notes.len() => {
            json_answer(StatusCode::OK, &json!({ "removed": notes.remove(at) }))
        }
        _ => json_answer(StatusCode::NOT_FOUND, &json!({ "error": "no such note" })),
    })
}

fn search(service: &Service, word: &str) -> Value {
    let notes = service.notes.lock().map(|notes| notes.clone()).unwrap_or_default();
    json!({ "found": notes.into_iter().filter(|note| note.contains(word)).collect::<Vec<_>>() })
}

/// All that came, the credential among it: what a careless service would send back.
fn echo(call: &Call) -> Value {
    let mut headers = Map::new();
    for (name, value) in &call.request.headers {
        headers.insert(name.to_string(), String::from_utf8_lossy(value.as_bytes()).into());
    }
    json!({
        "method": call.request.method.as_str(),
        "path": call.request.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&call.body),
    })
}

/// Base64 of the credential behind zero, one and two other bytes.
fn echo_base64(credential: &[u8]) -> Value {
    let behind = |prefix: &str| b64::encode(&[prefix.as_bytes(), credential].concat());
    json!({ "zero": behind(""), "one": behind("x"), "two": behind("xy") })
}

fn many_headers(count: u64) -> Result<Response<Body>, Error> {
    let mut answer = json_answer(StatusCode::OK, &json!({ "count": count }));
    for at in 0..count {
        let name = HeaderName::from_bytes(format!("x-header-{at}").as_bytes())?;
        answer.headers_mut().insert(name, HeaderValue::from_static("0123456789abcdef"));
    }
    Ok(answer)
}

fn redirect(to: &str) -> Result<Response<Body>, Error> {
    let mut answer = Response::new(Empty::new().boxed());
    *answer.status_mut() = StatusCode::FOUND;
    answer.headers_mut().insert(header::LOCATION, HeaderValue::from_str(to)?);
    Ok(answer)
}

fn streamed<B>(body: B) -> Response<Body>
where
    B: hyper::body::Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static,
{
    Response::new(body.boxed())
}

/// Pieces of 64 KiB.
struct Big {
    left: u64,
}

impl hyper::body::Body for Big {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        const PIECE: &[u8] = &[b'a'; 64 << 10];
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(PIECE)))))
    }
}

/// One byte each 200 ms.
struct Drip {
    left: u64,
    next: Pin<Box<Sleep>>,
}

const PAUSE: Duration = Duration::from_millis(200);

impl Drip {
    fn new(left: u64) -> Self {
        Self { left, next: Box::pin(sleep(PAUSE)) }
    }
}

impl hyper::body::Body for Drip {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        std::task::ready!(self.next.as_mut().poll(context));
        self.left -= 1;
        self.next = Box::pin(sleep(PAUSE));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b".")))))
    }
}
