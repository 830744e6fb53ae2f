//! The broker in memory at the HTTP door: for tests, examples and benches. No release has it.
//!
//! Agents' keys are `sym_` and the agent's name; the connection `echo` forwards to itself.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};
use symbolon_broker::{
    Asking, CallError, Called, Clear, ConnectionView, Context, ForwardReply, GrantView,
    ReceiptFilter, ReceiptRow, Status,
};
pub use symbolon_mcp::double::Double;
use symbolon_mcp::double::DoubleSession;

use super::{
    backend::{Asked, Backend},
    failure::failure,
};

impl Backend for Double {
    fn agent_by_key(&self, key: &[u8]) -> Option<Arc<str>> {
        let name = std::str::from_utf8(key.strip_prefix(b"sym_")?).ok()?;
        AGENTS.contains(&name).then(|| name.into())
    }

    fn is_owner(&self, token: &[u8]) -> bool {
        token == b"syo_owner"
    }

    fn status(&self) -> Status {
        Status {
            unlocked: self.is_unlocked(),
            home: "/nowhere".into(),
            pid: 1,
            version: "0".into(),
            memory: "ordinary".into(),
            fingerprint: "none".into(),
            durability: "relaxed".into(),
            log_place: "the home's folder".into(),
            log_entries: 2,
            open_intents: 0,
            connections: 1,
            grants: 2,
            methods: Vec::new(),
            sessions: 1,
            uptime_ms: 5,
            shadow: false,
            clear_ns: Clear::default(),
        }
    }

    async fn connections(&self) -> Result<Vec<ConnectionView>, CallError> {
        Ok(["echo", "other"].map(connection).into())
    }

    async fn grants(&self) -> Result<Vec<GrantView>, CallError> {
        Ok(vec![grant(1, "claude", "echo"), grant(2, "cursor", "other")])
    }

    async fn receipts(&self, filter: ReceiptFilter) -> Result<Vec<ReceiptRow>, CallError> {
        self.list().await;
        let mut rows = rows();
        rows.retain(|row| {
            filter.agent.as_ref().is_none_or(|agent| row.agent == *agent)
                && filter.before.is_none_or(|before| row.number < before)
                && filter.tool.as_ref().is_none_or(|tool| row.tool.starts_with(tool))
        });
        rows.truncate(filter.limit.unwrap_or(50));
        Ok(rows)
    }

    async fn receipt_row(&self, number: u64) -> Result<ReceiptRow, CallError> {
        let mut rows = rows().into_iter();
        let missing = || failure("no_receipt", StatusCode::NOT_FOUND, "There is none.", None);
        rows.find(|row| row.number == number).ok_or_else(missing)
    }

    async fn receipt(&self, number: u64) -> Result<Value, CallError> {
        Ok(json!({ "number": number }))
    }

    fn metrics(&self) -> String {
        "symbolon_calls_total 1\n".into()
    }

    fn forward(
        &self,
        session: &Arc<DoubleSession>,
        _context: Context,
        asked: Arc<Asked>,
        _asking: Asking,
    ) -> impl Future<Output = Result<Called<ForwardReply>, CallError>> + Send + 'static {
        let agent = session.agent.clone();
        async move {
            if asked.connection != "echo" {
                let next = format!("symbolon grant {agent} {}.read --for 15m", asked.connection);
                return Err(failure("no_grant", StatusCode::FORBIDDEN, "No grant.", Some(&next)));
            }
            let seen = json!({
                "agent": &*agent,
                "method": asked.method.as_str(),
                "path": asked.path(),
                "query": asked.target.query(),
                "content_type": asked.headers.get("content-type").and_then(|kind| kind.to_str().ok()),
                "body": String::from_utf8_lossy(&asked.body),
            });
            let raw = asked.path() == "/raw";
            let body = if raw { asked.body.clone() } else { Bytes::from(seen.to_string()) };
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("content-type", "application/json"),
                ("x-many", "1"),
                ("x-many", "2"),
                ("transfer-encoding", "chunked"),
                ("content-length", "999"),
            ] {
                headers.append(name, HeaderValue::from_static(value));
            }
            Ok(Called::Done(ForwardReply {
                status: StatusCode::CREATED.as_u16(),
                headers,
                body,
                receipt: 7,
            }))
        }
    }
}

fn connection(name: &str) -> ConnectionView {
    ConnectionView {
        name: name.into(),
        service: name.into(),
        base_url: "https://api.example".into(),
        auth: "bearer".into(),
        scopes: vec![format!("{name}.read")],
        created: TIME.into(),
        bound_to: "nothing".into(),
        ended: None,
        lent: true,
        verified: Some(200),
    }
}

fn grant(id: u64, agent: &str, connection: &str) -> GrantView {
    GrantView {
        id,
        agent: agent.into(),
        connection: connection.into(),
        scopes: vec![format!("{connection}.read")],
        ask: vec!["destructive".into()],
        ask_via: "owner".into(),
        cooldown_seconds: Some(30),
        created: TIME.into(),
        expires: TIME.into(),
        state: "active".into(),
        sentence: format!("{agent} may read through {connection}."),
        ..GrantView::default()
    }
}

fn rows() -> Vec<ReceiptRow> {
    vec![row(3, "cursor"), row(2, "claude"), row(1, "claude")]
}

fn row(number: u64, agent: &str) -> ReceiptRow {
    ReceiptRow {
        number,
        time: TIME.into(),
        agent: agent.into(),
        tool: "echo.args".into(),
        connection: "echo".into(),
        outcome: "allowed".into(),
        status: Some(200),
        took_ms: Some(7),
        request: symbolon_crypto::sha256(b"request"),
    }
}

const AGENTS: [&str; 4] = ["bench", "claude", "cursor", "nobody"];
const TIME: &str = "2026-01-01T00:00:00Z";
