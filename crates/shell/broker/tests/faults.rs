//! Each write and each sync on the way to a release fails in turn: no credential is let out
//! without its intent, and what was acknowledged is still there.

mod broker_common;

use std::sync::atomic::Ordering::SeqCst;

use broker_common::*;
use symbolon_broker::{Context, Door};
use symbolon_log::Durability;
use symbolon_store::{Fault, Op};

#[tokio::test]
async fn no_credential_leaves_without_a_durable_intent() {
    for durability in [Durability::Group, Durability::Relaxed] {
        for op in [Op::Write, Op::Sync] {
            for fault in
                [Fault::NoSpace, Fault::Io, Fault::Short(0), Fault::Short(5), Fault::Short(200)]
            {
                for skip in 0..4 {
                    one(durability, op, fault, skip).await;
                }
            }
        }
    }
}

async fn one(durability: Durability, op: Op, fault: Fault, skip: u64) {
    let case = format!("{durability:?} {op:?} {fault:?} after {skip}");
    let w = World::new(durability).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    w.faults.fail(op, skip, fault);
    let mut acknowledged = Vec::new();
    let mut failed = false;
    for n in 0..12 {
        match w.broker.call(&session, &Context::Direct, get(n)).await {
            Ok(reply) => {
                assert!(!failed, "{case}: a log that failed must not go on");
                acknowledged.push(reply.receipt);
            }
            Err(e) => {
                // Before the release, or after it: then the caller hears that the call was made.
                assert!(matches!(e.code.as_str(), "log" | "receipt_lost"), "{case}: {e}");
                assert!(
                    e.code == "log" || !failed,
                    "{case}: a log that failed lets nothing more out"
                );
                assert!(e.next.is_some());
                failed = true;
            }
        }
    }
    // A sync that nobody waits for fails in the background: relaxed promises no more.
    let must_fail = durability == Durability::Group || op == Op::Write;
    assert!(failed || !must_fail, "{case}: the fault was never met");
    assert_eq!(
        w.witness.without_intent.load(SeqCst),
        0,
        "{case}: released before its intent was written"
    );
    let released = w.released();
    assert!(released <= intents(&home_of(&w.folder)) as u64, "{case}");

    // After a restart on a disk that works, nothing acknowledged is gone.
    w.broker.close().await;
    let World { folder, witness, broker, .. } = w;
    drop(broker);
    let w = World::open(folder, witness, durability).await;
    let log = w
        .broker
        .receipts(symbolon_broker::ReceiptFilter { limit: Some(1000), ..Default::default() })
        .await
        .unwrap();
    for number in &acknowledged {
        assert!(log.iter().any(|r| r.number == *number), "{case}: receipt {number} is gone");
    }
    let whole = log.iter().filter(|r| r.outcome == "allowed" || r.outcome == "open").count() as u64;
    assert!(whole >= released, "{case}: {released} releases and {whole} intents or receipts");
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    w.broker.call(&session, &Context::Direct, get(99)).await.unwrap();
}
