//! Nothing that a client sends reaches the log, at the level and with the filter that programs use.

use std::{
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::client::{Client, NEW, OLD};
use crate::{HttpOptions, LOG_FILTER, SessionLimits, double::Double, http_service};

const CANARY: &str = "canary-5f0c1d";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn logging(filter: &str) -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(log.clone())
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

/// Canaries in every part of what a client sends: arguments, names, tokens, ids, heads, rubbish.
async fn say_everything() {
    let double = Double::default();
    double.grant("claude", "echo.");
    for revision in [OLD, NEW] {
        let mut client = Client::open(&double, "claude", revision).await;
        client.call("echo.args", json!({ "secret": CANARY })).await;
        client.call(CANARY, json!({})).await;
        client.call("capability.redeem", json!({ "token": CANARY })).await;
        client.call("symbolon.search_tools", json!({ CANARY: CANARY })).await;
        client.ask("tools/call", json!({ "name": [CANARY] })).await;
        client.ask(CANARY, json!({ "a": CANARY })).await;
        client.line(&format!("{{{CANARY}")).await;
        client.next().await;
        client.line(&format!("[\"{CANARY}\"]")).await;
        client.next().await;
        let note = json!({ "jsonrpc": "2.0", "method": "notifications/progress",
            "params": { "progressToken": CANARY, "progress": 1 } });
        client.send(note).await;
        client.close().await.unwrap();
    }
    let door = http_service(
        double,
        HttpOptions {
            hosts: vec!["127.0.0.1:7070".into()],
            origins: Vec::new(),
            body_bytes_max: 1 << 20,
            sessions: SessionLimits::default(),
            stop: CancellationToken::new(),
        },
    );
    let params = json!({ "name": "echo.args", "arguments": { "secret": CANARY }, "_meta": {
        "io.modelcontextprotocol/protocolVersion": NEW,
        "io.modelcontextprotocol/clientInfo": { "name": CANARY, "version": "0" },
        "io.modelcontextprotocol/clientCapabilities": {} } });
    let call = json!({ "jsonrpc": "2.0", "id": CANARY, "method": "tools/call", "params": params });
    for body in [call.to_string(), format!("{{{CANARY}")] {
        let request = Request::post("/mcp")
            .header("host", "127.0.0.1:7070")
            .header("authorization", format!("Bearer {CANARY}"))
            .header("x-api-key", CANARY)
            .header("cookie", CANARY)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", NEW)
            .header("mcp-method", "tools/call")
            .header("mcp-name", "echo.args")
            .body(Bytes::from(body))
            .unwrap();
        door.handle("claude".into(), request).await.into_body().collect().await.unwrap();
    }
}

#[tokio::test]
async fn nothing_that_was_sent_is_logged_at_debug() {
    let (log, _guard) = logging(&format!("trace,{LOG_FILTER}"));
    say_everything().await;
    assert!(!log.text().contains(CANARY), "{}", log.text());
}

/// The control: without the filter the canary is found, so the test above would see it.
#[tokio::test]
async fn without_the_filter_it_would_be() {
    let (log, _guard) = logging("debug");
    say_everything().await;
    assert!(log.text().contains(CANARY));
}
