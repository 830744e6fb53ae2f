//! The HTTP door from outside, over the double.

mod api;
mod document;
mod doors;
mod gateway;
mod sockets;

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Body, Connection, Front, ServeOptions, double::Double};

const ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7070);
const HOST: &str = "127.0.0.1:7070";
const CLAUDE: (&str, &str) = ("authorization", "Bearer sym_claude");
const OWNER: (&str, &str) = ("authorization", "Bearer syo_owner");
const CURSOR: (&str, &str) = ("authorization", "Bearer sym_cursor");
const JSON: (&str, &str) = ("content-type", "application/json");

/// A door without a listener.
struct Tester {
    double: Double,
    front: Front<Double>,
}

impl Tester {
    fn new() -> Self {
        let double = Double::default();
        double.grant("claude", "echo.args");
        double.grant("claude", "slow.");
        double.grant("cursor", "echo.args");
        let options = ServeOptions::on(ADDRESS);
        let front = Front::new(double.clone(), ADDRESS, &options, CancellationToken::new());
        Self { double, front }
    }

    async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.send_from(ADDRESS, method, target, headers, body).await
    }

    async fn send_from(
        &self,
        peer: SocketAddr,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let request = self.request(method, target, headers, body);
        Answer::of(self.front.answer(&Connection::from(peer), request).await).await
    }

    fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Request<Full<Bytes>> {
        let method: Method = method.parse().unwrap();
        let mut request = Request::builder().method(method).uri(target);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", HOST);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()
    }

    async fn get(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", target, headers, "").await
    }

    async fn post(&self, target: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let headers: Vec<_> = headers.iter().copied().chain([JSON]).collect();
        self.send("POST", target, &headers, &body.to_string()).await
    }
}

struct Answer {
    head: http::response::Parts,
    text: String,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self { head, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|cause| panic!("{cause}: {}", self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.head.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// An error in a pair, as every error is.
    fn code(&self) -> String {
        let error = self.json();
        assert_eq!(error["http_status"], self.status(), "{error}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
        assert!(error["fault"].is_string(), "{error}");
        error["code"].as_str().unwrap().to_owned()
    }

    fn ok(self) -> Value {
        assert_eq!(self.head.status, StatusCode::OK, "{}", self.text);
        self.json()
    }
}
