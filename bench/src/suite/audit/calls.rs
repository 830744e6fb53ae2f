//! Calls of many agents on many tools, through a broker as it is, but for the network.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use http::header::{CONTENT_TYPE, HeaderValue};
use symbolon_broker::{
    Answer, Broker, CallRequest, Context, Door, NewConnection, NewGrant, Options, Outgoing,
    Upstream, UpstreamError,
};
use symbolon_log::Durability;

use crate::BenchError;
use crate::child::is_opened;
use crate::home::{BenchHome, make_credential};
use crate::meter::Meter;
use crate::row::Row;

/// A home whose log has the calls.
pub(super) struct Made {
    home: BenchHome,
    pub(super) row: Row,
}

impl Made {
    pub(super) fn path(&self) -> PathBuf {
        self.home.path()
    }
}

const AGENTS: u64 = 50;
const NOUNS: u64 = 12;
const VERBS: [(&str, &str, &str); 4] = [
    ("list", "GET", "read"),
    ("get", "GET", "read"),
    ("create", "POST", "write"),
    ("remove", "DELETE", "write"),
];

pub(super) async fn make(count: usize) -> Result<Made, BenchError> {
    let home = BenchHome::make().await?;
    std::fs::write(home.path().join("catalog/bench.toml"), service())?;
    let options = Options {
        durability: Durability::Relaxed,
        upstream: Some(Arc::new(Varied::default())),
        ..Options::default()
    };
    let broker = BenchHome::open(&home.path(), options).await?;
    let connection = NewConnection {
        base_url: Some("https://bench.invalid".to_owned()),
        ..NewConnection::of("bench")
    };
    broker.connect(connection, make_credential()).await?;
    for agent in 0..AGENTS {
        // The last nouns are granted to nobody.
        let scopes = (0..NOUNS - 1).map(|noun| format!("bench.n{noun:02}.*")).collect();
        let grant =
            NewGrant { agent: name_of(agent), scopes, for_seconds: 36_000, ..NewGrant::default() };
        broker.grant(grant).await?;
    }
    let meter = Arc::new(Meter::start(std::process::id()));
    let tasks: Vec<_> = (0..8)
        .map(|lane| {
            let (broker, meter) = (broker.clone(), meter.clone());
            tokio::spawn(work(broker, meter, lane, count.div_ceil(8)))
        })
        .collect();
    let mut correct = true;
    for task in tasks {
        correct &= task.await.map_err(BenchError::new)??;
    }
    let mut row = meter.row("audit", "calls that are audited", 8, "relaxed", correct);
    broker.close().await;
    row.note = Some(format!("{AGENTS} agents, {} tools", NOUNS * VERBS.len() as u64));
    Ok(Made { home, row })
}

async fn work(
    broker: Arc<Broker>,
    meter: Arc<Meter>,
    lane: usize,
    count: usize,
) -> Result<bool, BenchError> {
    let mut dice = super::Dice(lane as u64);
    let sessions: Vec<_> = (0..AGENTS)
        .map(|agent| broker.open_session(&name_of(agent), Door::Http))
        .collect::<Result<_, _>>()?;
    let mut correct = true;
    for _ in 0..count {
        // A few agents make most of the calls.
        let agent = dice.below(AGENTS).min(dice.below(AGENTS));
        let noun = match dice.below(5000) {
            0 => NOUNS - 1,
            _ => dice.below(NOUNS - 1),
        };
        let (verb, _, _) = VERBS[dice.below(4) as usize];
        let mut arguments = serde_json::Map::new();
        arguments.insert("id".to_owned(), dice.below(1_000_000).into());
        let request = CallRequest {
            tool: format!("bench.n{noun:02}.{verb}"),
            arguments,
            connection: None,
            minted: None,
        };
        let begin = Instant::now();
        let reply = broker.call(&sessions[agent as usize], &Context::Direct, request).await;
        meter.record(begin);
        correct &= reply.is_ok() == (noun < NOUNS - 1);
    }
    Ok(correct)
}

fn name_of(agent: u64) -> String {
    format!("agent-{agent:02}")
}

/// A service of 48 operations.
fn service() -> String {
    let mut text = crate::home::SERVICE.to_owned();
    for noun in 0..NOUNS {
        for (verb, method, access) in VERBS {
            // Writing into a String cannot fail.
            let _ = write!(
                text,
                r#"
[[operation]]
id = "n{noun:02}.{verb}"
title = "Do {verb}"
description = "Does {verb} to a thing of kind {noun}."
method = "{method}"
path = "/n{noun:02}/{{id:int}}/{verb}"
scope = "bench.n{noun:02}.{access}"
effect = "{access}"
"#
            );
        }
    }
    text
}

/// Opens the credential where the wire would, and answers now this, now that.
#[derive(Default)]
struct Varied(AtomicU64);

const STATUSES: [u16; 16] =
    [200, 200, 200, 200, 200, 200, 200, 200, 201, 201, 204, 304, 400, 403, 404, 422];
const TYPES: [&str; 3] = ["application/json", "text/html; charset=utf-8", "application/pdf"];

impl Upstream for Varied {
    fn send<'a>(
        &'a self,
        outgoing: Outgoing<'a>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<Answer, UpstreamError>> + Send + 'a>> {
        let mut dice = super::Dice(self.0.fetch_add(1, Relaxed));
        let status = STATUSES[dice.below(16) as usize];
        let mut answer = Answer::text(if is_opened(&outgoing) { status } else { 500 }, "ok");
        answer.bytes_in = dice.below(20_000);
        let kind = TYPES[(dice.below(8) as usize).min(5).saturating_sub(3)];
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Box::pin(std::future::ready(Ok(answer)))
    }
}
