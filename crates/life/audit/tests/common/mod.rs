//! Rows as a log would have them.

use proptest::prelude::*;
use symbolon_audit::{Entry, Row};
use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::{labels, sha256};
use symbolon_log::Durability;
use symbolon_receipt::*;

pub const AGENTS: [&str; 4] = ["claude", "codex", "ops", "night-shift"];
pub const TOOLS: [&str; 5] = [
    "github.issues.list",
    "github.issues.create",
    "stripe.charges.list",
    "stripe.refunds.create",
    "slack.messages.post",
];
pub const HOSTS: [&str; 3] = ["api.github.com", "api.stripe.com", "slack.com"];

/// What a random entry is made of.
#[derive(Debug, Clone)]
pub struct Seed {
    pub kind: u8,
    pub agent: usize,
    pub tool: usize,
    pub ms: u64,
    pub status: u16,
    pub noise: u64,
}

pub fn arb_seed() -> impl Strategy<Value = Seed> {
    (0u8..10, 0..AGENTS.len(), 0..TOOLS.len(), 0u64..5_000, 100u16..600, any::<u64>()).prop_map(
        |(kind, agent, tool, ms, status, noise)| Seed { kind, agent, tool, ms, status, noise },
    )
}

pub fn digest(of: u64) -> Digest32 {
    sha256(&of.to_be_bytes())
}

/// The bytes of an intent (`specs/capability.md`).
pub fn intent(seed: &Seed, index: u64) -> Vec<u8> {
    Fields::new(labels::INTENT.as_str())
        .u64(EPOCH + seed.ms)
        .bytes(&index.to_be_bytes().repeat(2))
        .bytes(&[7; 16])
        .str(AGENTS[seed.agent])
        .str("mcp")
        .bytes(&[0; 32])
        .str(TOOLS[seed.tool])
        .str("main")
        .str(&format!("https://{}", HOSTS[seed.tool % 3]))
        .u64(1)
        .bytes(&[15])
        .bytes(digest(seed.noise).as_bytes())
        .finish()
}

pub const EPOCH: u64 = 1_795_000_000_000;

/// Entries from place `first` on. Some intents never get a receipt, some get it late.
pub fn rows(first: u64, seeds: &[Seed]) -> Vec<Row> {
    let mut open: Vec<(u64, Digest32, Seed)> = Vec::new();
    let mut rows = Vec::new();
    for (index, seed) in (first..).zip(seeds) {
        let entry = match seed.kind {
            0..=3 => {
                let bytes = intent(seed, index);
                open.push((index, symbolon_log::leaf_hash(&bytes), seed.clone()));
                Entry::read(&bytes)
            }
            4 => Entry::read(&Fields::new(labels::ASK.as_str()).u64(seed.noise).finish()),
            5 => Entry::read(&receipt(seed, None)),
            _ if open.is_empty() => Entry::read(&receipt(seed, None)),
            _ => {
                let (index, leaf_hash, begun) = open.swap_remove(seed.noise as usize % open.len());
                let begun = Seed { kind: seed.kind, ms: seed.ms, ..begun };
                Entry::read(&receipt(&begun, Some(IntentRef { index, leaf_hash })))
            }
        };
        rows.push(Row { index, entry });
    }
    rows
}

/// The bytes of a receipt: refused without an intent, else answered, failed or shadowed.
pub fn receipt(seed: &Seed, intent: Option<IntentRef>) -> Vec<u8> {
    let refused = intent.is_none();
    let failed = !refused && seed.kind == 7;
    let shadowed = !refused && seed.kind == 8;
    let time = Time::from_unix_ms(EPOCH + seed.ms);
    let gate = |held| Gate { gate: "scope".into(), held, detail: "".into() };
    let statement = Statement {
        request: digest(seed.noise),
        predicate: Predicate {
            agent: AGENTS[seed.agent].into(),
            session: digest(seed.agent as u64),
            door: [Door::Mcp, Door::Http, Door::Cli, Door::Proxy][seed.noise as usize % 4],
            context: "direct".into(),
            tool: TOOLS[seed.tool].into(),
            service: "github".into(),
            connection: "main".into(),
            method: "GET".into(),
            host: HOSTS[seed.tool % 3].into(),
            path_template: "/repos/{owner}/issues".into(),
            parameters: digest(!seed.noise),
            decision: Decision {
                outcome: match (refused, shadowed) {
                    (true, _) => Outcome::Refused,
                    (_, true) => Outcome::Shadowed,
                    _ => Outcome::Allowed,
                },
                gates: vec![gate(!refused && !shadowed)],
            },
            approval: None,
            intent,
            retries: if refused { 0 } else { (seed.noise % 3) as u8 },
            idempotency_key: None,
            minted: (!refused && seed.noise.is_multiple_of(5))
                .then(|| Minted { made: Vec::new(), used: Some("0123456789abcdef".into()) }),
            lineage: match !refused && seed.noise.is_multiple_of(6) {
                true => vec![3, 4 + seed.noise % 5].into(),
                false => (&[]).into(),
            },
            request_body: (!refused && seed.noise.is_multiple_of(7))
                .then(|| RequestBody { bytes: seed.noise % 9999, digest: Some(digest(9)) }),
            response: (!refused && !failed).then(|| Response {
                status: seed.status,
                bytes_in: seed.noise % 100_000,
                bytes_out: seed.noise % 90_000,
                redirects: (seed.noise % 2) as u8,
                grpc_status: None,
                content_type: "application/json".into(),
                searched: None,
                redactions: match seed.noise % 4 {
                    0 => vec![Redaction { form: "raw".into(), count: 2 }],
                    _ => Vec::new(),
                },
            }),
            error: failed.then(|| "connect_refused".into()),
            times: Times { requested: time, released: (!refused).then_some(time), completed: time },
            durability: Durability::Relaxed,
        },
    };
    let mut out = Vec::new();
    statement.write(&mut out).expect("a statement that can be");
    out
}
