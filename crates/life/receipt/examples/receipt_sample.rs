//! Writes a receipt for other people's tools to check: `receipt_sample FOLDER` makes
//! `bundle.json`, `envelope.json`, `operator.pub` and `key.hex`, and prints what a statement costs.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use symbolon_ambient::SeededRng;
use symbolon_crypto::{SigningKey, sha256};
use symbolon_log::{Durability, Log, MemoryStorage, vkey};
use symbolon_receipt::*;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("receipt_sample FOLDER")?;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder)?;
    let (key, origin) = (Arc::new(SigningKey::make(&SeededRng::new(5))), "example.test/log");
    let log = Log::open(MemoryStorage::new(), origin, Some(key.clone()))?;
    let intent = log.append(b"intent")?;
    log.commit()?;
    let durable = log.durable(&intent, Durability::Group).ok_or("not durable")?;
    let statement = sample(IntentRef::from(&durable));
    let mut payload = Vec::new();
    statement.write(&mut payload)?;

    let start = Instant::now();
    for _ in 0..100_000 {
        statement.write(&mut payload)?;
        std::hint::black_box(&payload);
    }
    let each = start.elapsed().as_nanos() / 100_000;
    println!("a statement of {} bytes is written in {each} ns", payload.len());

    let index = log.append(&payload)?.index();
    let bundle = Bundle::make(payload, log.prove(index)?, origin, &key)?;
    std::fs::write(folder.join("bundle.json"), bundle.to_json())?;
    std::fs::write(folder.join("envelope.json"), bundle.envelope.to_json())?;
    let public = key.verifying_key();
    std::fs::write(folder.join("operator.pub"), vkey(origin, &public)? + "\n")?;
    let hex: String = public.as_bytes().iter().map(|b| format!("{b:02x}")).collect();
    std::fs::write(folder.join("key.hex"), hex)?;
    Ok(())
}

fn sample(intent: IntentRef) -> Statement<'static> {
    let salt = Salt::from_bytes([7; 32]);
    let gate = |name: &'static str| Gate { gate: name.into(), held: true, detail: "".into() };
    Statement {
        request: salt.request(&sha256(b"request")),
        predicate: Predicate {
            agent: "claude".into(),
            session: sha256(b"session"),
            door: Door::Mcp,
            context: "direct".into(),
            tool: "github.issues.list".into(),
            service: "github".into(),
            connection: "github".into(),
            method: "GET".into(),
            host: "api.github.com".into(),
            path_template: "/repos/{owner}/{repo}/issues".into(),
            parameters: salt.parameters(b"{\"owner\":\"a\",\"repo\":\"b\"}"),
            decision: Decision {
                outcome: Outcome::Allowed,
                gates: ["scope", "rate", "ttl", "fingerprint"].map(gate).into(),
            },
            lineage: std::borrow::Cow::default(),
            approval: None,
            intent: Some(intent),
            retries: 0,
            idempotency_key: None,
            minted: None,
            request_body: None,
            response: Some(Response {
                status: 200,
                bytes_in: 5120,
                bytes_out: 5100,
                redirects: 0,
                grpc_status: None,
                searched: None,
                content_type: media_type("application/json; charset=utf-8"),
                redactions: vec![Redaction { form: "base64".into(), count: 1 }],
            }),
            error: None,
            times: Times {
                requested: Time::from_unix_ms(1_795_169_160_000),
                released: Some(Time::from_unix_ms(1_795_169_160_002)),
                completed: Time::from_unix_ms(1_795_169_160_300),
            },
            durability: Durability::Group,
        },
    }
}
