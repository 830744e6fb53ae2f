//! A client of the stdio door that speaks plain JSON.

use std::time::Duration;

use serde_json::{Value, json};
use symbolon_broker::Door;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf},
    task::JoinHandle,
    time::timeout,
};

use crate::{Limits, Seat, ServeError, double::Double, stdio::serve_seat};

pub const OLD: &str = "2025-11-25";
pub const NEW: &str = "2026-07-28";

pub struct Client {
    read: BufReader<ReadHalf<DuplexStream>>,
    write: WriteHalf<DuplexStream>,
    pub session: JoinHandle<Result<(), ServeError>>,
    revision: &'static str,
    next: i64,
}

impl Client {
    /// A client that has opened a session of `revision`.
    pub async fn open(double: &Double, agent: &str, revision: &'static str) -> Self {
        let mut client = Self::raw(double, agent, revision);
        if revision == OLD {
            let params = json!({ "protocolVersion": OLD, "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } });
            let answer = client.ask("initialize", params).await;
            assert_eq!(answer["result"]["protocolVersion"], OLD, "{answer}");
            client.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        }
        client
    }

    /// A client that has said nothing yet.
    pub fn raw(double: &Double, agent: &str, revision: &'static str) -> Self {
        Self::bounded(double, agent, revision, Limits::default())
    }

    /// The same with other bounds.
    pub fn bounded(double: &Double, agent: &str, revision: &'static str, limits: Limits) -> Self {
        let (theirs, ours) = tokio::io::duplex(1 << 20);
        let (read, write) = tokio::io::split(ours);
        let seat = Seat::open(double.clone(), agent.into(), Door::McpStdio, limits);
        let session = tokio::spawn(async move {
            let seat = seat.map_err(ServeError::Session)?;
            serve_seat(seat, read, write).await
        });
        let (read, write) = tokio::io::split(theirs);
        Self { read: BufReader::new(read), write, session, revision, next: 0 }
    }

    pub async fn send(&mut self, message: Value) {
        self.line(&message.to_string()).await;
    }

    pub async fn line(&mut self, line: &str) {
        self.write.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Sends a request and gives its id.
    pub async fn start(&mut self, method: &str, mut params: Value) -> i64 {
        self.next += 1;
        if self.revision == NEW && params.is_object() {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": NEW,
                "io.modelcontextprotocol/clientInfo": { "name": "t", "version": "0" },
                "io.modelcontextprotocol/clientCapabilities": {}
            });
        }
        let id = self.next;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    /// The next message.
    pub async fn next(&mut self) -> Value {
        let mut line = String::new();
        timeout(Duration::from_secs(5), self.read.read_line(&mut line)).await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap_or_else(|cause| panic!("{cause}: {line:?}"))
    }

    /// Whether nothing comes for a while.
    pub async fn is_quiet(&mut self) -> bool {
        let mut line = String::new();
        timeout(Duration::from_millis(60), self.read.read_line(&mut line)).await.is_err()
    }

    pub async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.start(method, params).await;
        let answer = self.next().await;
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    pub async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    pub async fn tools(&mut self) -> Vec<String> {
        let answer = self.ask("tools/list", json!({})).await;
        let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("{answer}"));
        let names = tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
        names.filter(|name| !is_fixture(name)).collect()
    }

    /// Ends the client's side and waits for the session's end.
    pub async fn close(mut self) -> Result<(), ServeError> {
        self.write.shutdown().await.unwrap();
        drop((self.read, self.write));
        timeout(Duration::from_secs(8), self.session).await.unwrap().unwrap()
    }
}

/// Builds with the conformance fixtures list those too; these tests are about our own.
pub fn is_fixture(name: &str) -> bool {
    name.starts_with("test_") || name.starts_with("json_schema_")
}
