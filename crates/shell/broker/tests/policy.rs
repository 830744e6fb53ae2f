//! Budgets hold under load and over a crash; shadow mode lets through and writes down; an
//! explanation calls nothing.

mod broker_common;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use broker_common::*;
use serde_json::{Value, json};
use symbolon_broker::{
    Answer, Broker, CallError, CallReply, CallRequest, Context, Door, ExplainRequest, NewGrant,
    ReceiptFilter, ResolveRequest, Session, UpstreamError,
};
use symbolon_capability::SpendingChange;
use symbolon_capability::budget::{Line, Reservation, SpendingStore};
use symbolon_log::Durability;
use symbolon_receipt::{OperatorKey, Outcome, verify};
use symbolon_store::SqliteStore;

fn refund(cents: Value) -> CallRequest {
    let mut arguments = json!({ "order": 7 }).as_object().unwrap().clone();
    if !cents.is_null() {
        arguments.insert("amount".into(), cents);
    }
    CallRequest { tool: "shop.refunds.create".into(), arguments, connection: None, minted: None }
}

async fn grant_with(w: &World, budgets: &[&str], cooldown: Option<u64>, hours: &[&str]) -> u64 {
    try_grant(w, budgets, cooldown, hours).await.unwrap()
}

async fn try_grant(
    w: &World,
    budgets: &[&str],
    cooldown_seconds: Option<u64>,
    hours: &[&str],
) -> Result<u64, CallError> {
    let text = |items: &[&str]| items.iter().map(ToString::to_string).collect();
    let new = NewGrant {
        agent: "claude".into(),
        scopes: vec!["shop.refunds.write".into()],
        for_seconds: 900,
        budgets: text(budgets),
        cooldown_seconds,
        hours: text(hours),
        limits: vec!["currency not in eur".into()],
        ..NewGrant::default()
    };
    Ok(w.broker.grant(new).await?.id)
}

fn session(w: &World) -> Arc<Session> {
    w.broker.open_session("claude", Door::McpStdio).unwrap()
}

async fn call(w: &World, request: CallRequest) -> Result<CallReply, CallError> {
    w.broker.call(&session(w), &Context::Direct, request).await
}

/// What is left of a grant's first budget.
async fn left(broker: &Broker, id: u64) -> String {
    let grants = broker.grants().await.unwrap();
    grants.into_iter().find(|g| g.id == id).unwrap().budgets[0].left.clone()
}

/// The gates that a receipt says did not hold, with their details.
async fn not_held(w: &World, receipt: u64) -> (Outcome, Vec<(String, String)>) {
    let key = OperatorKey::parse(&w.broker.operator_vkey()).unwrap();
    let bytes = serde_json::to_vec(&w.broker.receipt(receipt).await.unwrap()).unwrap();
    let verified = verify(&bytes, &key).unwrap();
    let decision = &verified.statement().predicate.decision;
    let gates = decision.gates.iter().filter(|g| !g.held && g.detail != "not asked");
    (decision.outcome, gates.map(|g| (g.gate.to_string(), g.detail.to_string())).collect())
}

async fn world(durability: Durability, behave: Behave) -> World {
    let folder = tempfile::tempdir().unwrap();
    let home = home_of(&folder);
    Broker::init(&home, symbolon_broker::Method::Device, None).await.unwrap();
    World::open(folder, Witness::new(&home, behave), durability).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_calls_as_many_go_as_there_is_money() {
    let w = Arc::new(World::new(Durability::Group).await);
    let id = grant_with(&w, &["shop.refunds: 500 usd/day of amount/100"], None, &[]).await;
    let calls: Vec<_> = (0..60)
        .map(|_| {
            let w = w.clone();
            tokio::spawn(async move { call(&w, refund(json!(7000))).await })
        })
        .collect();
    let (mut made, mut refused) = (0, 0);
    for one in calls {
        match one.await.unwrap() {
            Ok(_) => made += 1,
            Err(e) => {
                assert_eq!(e.code, "budget", "{e}");
                assert!(e.message.contains("10 usd left"), "{e}");
                let wait = e.retry_after_seconds.unwrap();
                assert!((1..=86_400).contains(&wait), "{wait}");
                refused += 1;
            }
        }
    }
    assert_eq!((made, refused, w.released()), (7, 53, 7), "7 × 70 = 490");
    assert_eq!(left(&w.broker, id).await, "10");
    assert!(call(&w, refund(json!(1000))).await.is_ok(), "what is left can be spent");

    // And it is spent after a restart.
    w.broker.close().await;
    let World { folder, witness, broker, .. } = Arc::into_inner(w).unwrap();
    drop(broker);
    let w = World::open(folder, witness, Durability::Group).await;
    assert_eq!(left(&w.broker, id).await, "0");
    let e = call(&w, refund(json!(1))).await.unwrap_err();
    let (outcome, gates) = not_held(&w, e.receipt.unwrap()).await;
    assert_eq!((outcome, gates), (Outcome::Refused, vec![("budget".into(), "budget".into())]));
}

#[tokio::test]
async fn what_cannot_have_moved_is_given_back_and_what_may_have_stays_spent() {
    let behave = |n| match n {
        0 => Ok(Answer::text(402, "{}")),
        1 => Ok(Answer::text(400, "{}")),
        2 => Ok(Answer::text(500, "{}")),
        3 => Err(UpstreamError::Request("not built".into())),
        4 => Err(UpstreamError::Stopped),
        _ => Ok(Answer::text(201, "{}")),
    };
    let w = world(Durability::Group, Box::new(behave)).await;
    let id = grant_with(&w, &["500 usd/day of amount/100"], None, &[]).await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        let _ = call(&w, refund(json!(5000))).await;
        seen.push(left(&w.broker, id).await);
    }
    assert_eq!(seen, ["450", "450", "400", "400", "350", "300"]);
    // The same from the disk.
    w.broker.close().await;
    let World { folder, witness, broker, .. } = w;
    drop(broker);
    let w = World::open(folder, witness, Durability::Group).await;
    assert_eq!(left(&w.broker, id).await, "300");
}

#[tokio::test]
async fn a_caller_that_goes_away_keeps_its_money_spent_once_released() {
    let w = Arc::new(World::new(Durability::Group).await);
    let id = grant_with(&w, &["3 calls/total"], None, &[]).await;
    *w.witness.stall.lock().unwrap() = Some(Arc::default());
    let other = w.clone();
    let task = tokio::spawn(async move { call(&other, refund(json!(1))).await });
    while w.released() == 0 {
        tokio::task::yield_now().await;
    }
    task.abort();
    let _ = task.await;
    assert_eq!(left(&w.broker, id).await, "2");
}

/// Copies a home as it lies on the disk: what a crash leaves.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, kind) = entry.map(|e| (e.path(), e.file_type().unwrap())).unwrap();
        let there = to.join(entry.file_name().unwrap());
        if kind.is_dir() {
            copy(&entry, &there);
        } else if kind.is_file() {
            std::fs::copy(&entry, &there).unwrap();
        }
    }
}

#[tokio::test]
async fn after_a_crash_the_log_says_what_is_spent() {
    let w = Arc::new(World::new(Durability::Group).await);
    let id = grant_with(&w, &["500 usd/day of amount/100"], None, &[]).await;
    call(&w, refund(json!(1000))).await.unwrap();
    // Released, and no answer yet: the machine stops here.
    *w.witness.stall.lock().unwrap() = Some(Arc::default());
    let other = w.clone();
    let task = tokio::spawn(async move { call(&other, refund(json!(2000))).await });
    while w.released() < 2 {
        tokio::task::yield_now().await;
    }
    let folder = tempfile::tempdir().unwrap();
    copy(&home_of(&w.folder), &home_of(&folder));
    task.abort();

    // Reserved, and the intent never came to the log; once in each mode.
    let database = home_of(&folder).join("state.db");
    let store = SqliteStore::open(&database).await.unwrap();
    let size = store.reservations().await.unwrap().iter().map(|r| r.log_size).max().unwrap();
    let lost = |intent, relaxed, usd: u64| {
        let micros = usd * 1_000_000;
        let slot = symbolon_capability::budget::Period::Day.slot(now_ms());
        SpendingChange::Reserve(Reservation {
            intent: [intent; 16],
            log_size: size,
            relaxed,
            lines: vec![Line { grant: id, budget: 0, slot, micros, by_count: false }],
            cooled: Vec::new(),
        })
    };
    store.change_spending(&[lost(1, false, 100), lost(2, true, 30)]).await.unwrap();
    store.close().await;

    let witness = Witness::ok(&home_of(&folder));
    let w = World::open(folder, witness, Durability::Group).await;
    // 500 - 10 made - 20 may have been made - 30 in the mode that proves nothing.
    assert_eq!(left(&w.broker, id).await, "440");
    let rows = w.broker.receipts(ReceiptFilter::default()).await.unwrap();
    assert!(rows.iter().any(|r| r.outcome == "open"));
    w.broker.close().await;
    let store = SqliteStore::open(&database_of(&w)).await.unwrap();
    assert!(store.reservations().await.unwrap().is_empty(), "settled once and for all");
}

fn database_of(w: &World) -> std::path::PathBuf {
    home_of(&w.folder).join("state.db")
}

fn now_ms() -> u64 {
    symbolon_ambient::Clock::unix_ms(&symbolon_ambient::SystemClock)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_redemptions_of_one_token_one_succeeds() {
    let w = Arc::new(World::new(Durability::Relaxed).await);
    let session = session(&w);
    let token = w.broker.request(&session, &Context::Direct, get(1)).unwrap().token;
    let all: Vec<_> = (0..1000)
        .map(|_| {
            let (w, session, token) = (w.clone(), session.clone(), token.clone());
            tokio::spawn(async move { w.broker.redeem(&session, &Context::Direct, &token).await })
        })
        .collect();
    let mut won = 0;
    for one in all {
        match one.await.unwrap() {
            Ok(_) => won += 1,
            Err(e) => assert!(matches!(&*e.code, "token_used" | "token_unknown"), "{e}"),
        }
    }
    assert_eq!((won, w.released()), (1, 1));
}

#[tokio::test]
async fn a_call_that_cannot_be_counted_or_comes_too_soon_or_late_is_refused_with_a_receipt() {
    let w = World::new(Durability::Relaxed).await;
    let id = grant_with(&w, &["500 usd/day of amount/100"], None, &[]).await;
    let e = call(&w, refund(Value::Null)).await.unwrap_err();
    assert_eq!((&*e.code, e.http_status), ("budget_uncounted", 403));
    assert!(e.next.unwrap().contains("amount"));
    let e = call(&w, refund(json!(60_000))).await.unwrap_err();
    assert_eq!((&*e.code, e.retry_after_seconds), ("budget", None), "more than the whole budget");
    w.broker.revoke(id).await.unwrap();

    let id = grant_with(&w, &[], Some(60), &[]).await;
    call(&w, refund(json!(1))).await.unwrap();
    let e = call(&w, refund(json!(1))).await.unwrap_err();
    assert_eq!(&*e.code, "cooldown");
    assert!((59..=60).contains(&e.retry_after_seconds.unwrap()));
    assert_eq!(not_held(&w, e.receipt.unwrap()).await.1, [("cooldown".into(), "cooldown".into())]);
    w.broker.revoke(id).await.unwrap();

    // A minute that is not now, wherever now is.
    let minute = now_ms() / 60_000 % 1440;
    let hhmm = |m: u64| format!("{:02}:{:02}", m % 1440 / 60, m % 60);
    let later = format!("{}-{}", hhmm(minute + 600), hhmm(minute + 660));
    grant_with(&w, &[], None, &[&later]).await;
    let e = call(&w, refund(json!(1))).await.unwrap_err();
    assert_eq!(&*e.code, "outside_hours");
    assert!(e.retry_after_seconds.unwrap() <= 600 * 60);
    assert_eq!(
        not_held(&w, e.receipt.unwrap()).await.1,
        [("window".into(), "outside_hours".into())]
    );
    // A grant that is open admits it, and its receipt names what was asked.
    grant_with(&w, &["9 calls/hour"], Some(1), &["00:00-24:00 local"]).await;
    let made = call(&w, refund(json!(1))).await.unwrap();
    assert_eq!(not_held(&w, made.receipt).await, (Outcome::Allowed, vec![]));
}

#[tokio::test]
async fn a_budget_that_could_not_count_is_refused_when_it_is_given() {
    let w = World::new(Durability::Relaxed).await;
    let refused = async |budgets: &[&str], cooldown, hours: &[&str]| {
        try_grant(&w, budgets, cooldown, hours).await.unwrap_err().code
    };
    assert_eq!(refused(&["500 usd/day of price"], None, &[]).await, "budget");
    assert_eq!(refused(&["500 usd/fortnight of amount"], None, &[]).await, "budget");
    assert_eq!(refused(&["shop.things.*: 5 calls/day"], None, &[]).await, "budget");
    assert_eq!(refused(&["shop.nothing: 5 calls/day"], None, &[]).await, "scope");
    assert_eq!(refused(&["5 calls/day"; 9], None, &[]).await, "grant_rules");
    assert_eq!(refused(&[], Some(0), &[]).await, "cooldown");
    assert_eq!(refused(&[], None, &["09:00-17:00 Mars/Olympus"]).await, "hours");
    assert_eq!(refused(&[], None, &["09:00-17:00 ../../../etc/passwd"]).await, "hours");
    // Amounts in any currency are not counted as dollars.
    let new = NewGrant {
        agent: "claude".into(),
        scopes: vec!["shop.refunds.write".into()],
        for_seconds: 900,
        budgets: vec!["500 usd/day of amount/100".into()],
        ..NewGrant::default()
    };
    let e = w.broker.grant(new).await.unwrap_err();
    assert_eq!(e.next.as_deref(), Some("--limit currency=usd"));
}

#[tokio::test]
async fn shadow_mode_lets_through_and_writes_down_what_was_missing() {
    let w = World::new(Durability::Group).await;
    assert_eq!(call(&w, refund(json!(1))).await.unwrap_err().code, "no_grant");
    assert!(w.broker.set_shadow(true, false).await.unwrap().on);
    assert!(w.broker.status().shadow);
    let made = call(&w, refund(json!(1))).await.unwrap();
    let (outcome, gates) = not_held(&w, made.receipt).await;
    assert_eq!((outcome, gates), (Outcome::Shadowed, vec![("scope".into(), "no_grant".into())]));
    let rows = w.broker.receipts(ReceiptFilter::default()).await.unwrap();
    assert_eq!(rows[0].outcome, "shadowed");
    call(&w, refund(json!(2))).await.unwrap();
    let delete = CallRequest { tool: "shop.things.delete".into(), ..get(1) };
    // What destroys is asked for in shadow mode too.
    let (deleted, ()) = tokio::join!(call(&w, delete), async {
        yes(&w, waiting(&w.broker).await).await;
    });
    deleted.unwrap();

    let view = w.broker.shadow().await.unwrap();
    let command = "symbolon grant claude shop.refunds.write shop.things.admin --for 15m";
    assert_eq!((view.passed_over, view.missing), (3, vec![command.to_owned()]));
    assert_eq!((view.rows.len(), view.rows.iter().map(|r| r.count).max()), (2, Some(2)));
    let e = call(&w, CallRequest { arguments: Default::default(), ..get(1) }).await.unwrap_err();
    assert_eq!(e.code, "invalid_arguments", "a hard rule");

    // What is spent in shadow mode is spent.
    let id = grant_with(&w, &["1 usd/day of amount/100"], None, &[]).await;
    call(&w, refund(json!(5000))).await.unwrap();
    assert_eq!(left(&w.broker, id).await, "0");
    w.broker.set_shadow(false, false).await.unwrap();
    assert_eq!(call(&w, refund(json!(1))).await.unwrap_err().code, "budget");

    // A restart ends it, but for one that was kept; the list is still there.
    w.broker.set_shadow(true, false).await.unwrap();
    let w = restart(w).await;
    assert_eq!(
        (w.broker.status().shadow, w.broker.shadow().await.unwrap().passed_over),
        (false, 4)
    );
    w.broker.set_shadow(true, true).await.unwrap();
    let w = restart(w).await;
    assert!(w.broker.status().shadow);
    w.broker.set_shadow(false, false).await.unwrap();
    let w = restart(w).await;
    assert!(!w.broker.status().shadow);
    w.broker.clear_shadowed().await.unwrap();
    assert!(w.broker.shadow().await.unwrap().rows.is_empty());
}

async fn restart(w: World) -> World {
    w.broker.close().await;
    let World { folder, witness, broker, .. } = w;
    drop(broker);
    World::open(folder, witness, Durability::Group).await
}

#[tokio::test]
async fn an_explanation_names_every_rule_and_calls_nothing() {
    let w = World::new(Durability::Relaxed).await;
    let id = grant_with(&w, &["500 usd/day of amount/100", "20 calls/hour"], Some(5), &[]).await;
    let size = w.broker.status().log_entries;
    let url = |method: &str, url: &str| {
        let (method, url) = (method.into(), url.into());
        w.broker.resolve(&ResolveRequest { method, url, connection: None }).unwrap()
    };
    let found = url("POST", "https://shop.example/refunds");
    assert_eq!(found.tool.as_deref(), Some("shop.refunds.create"));
    let explain = |agent: &str, cents: Value| {
        let CallRequest { tool, arguments, .. } = refund(cents);
        let (agent, connection) = (agent.into(), found.connection.clone());
        w.broker.explain(ExplainRequest { agent, tool, arguments, connection }).unwrap()
    };
    let told = explain("claude", json!(5000));
    assert_eq!((&*told.outcome, told.grant), ("allowed", Some(id)));
    let rules: Vec<&str> = told.checks.iter().map(|c| &*c.rule).collect();
    let all = [
        "connection",
        "operation",
        "parameters",
        "scope",
        "ttl",
        "fingerprint",
        "limit",
        "cooldown",
        "budget",
        "budget",
        "rate",
    ];
    assert_eq!(rules, all);
    assert!(told.checks[8].why.contains("takes 50 of 500 usd"), "{}", told.checks[8].why);
    assert!(told.sentence.contains("POST https://shop.example/refunds"), "{}", told.sentence);
    assert!(told.sentence.contains("amount=5000"), "{}", told.sentence);

    let told = explain("claude", json!(50_100));
    assert_eq!(told.outcome, "refused");
    let told = explain("stranger", json!(1));
    assert_eq!(told.next.as_deref(), Some("symbolon grant stranger shop.refunds.write --for 15m"));
    w.broker.set_shadow(true, false).await.unwrap();
    assert_eq!(explain("stranger", json!(1)).outcome, "shadowed");
    assert_eq!(explain("stranger", json!("much")).outcome, "refused", "parameters are no gate");

    // What names nothing says why.
    for (method, at, rule) in [
        ("POST", "https://evil.example/refunds", "connection"),
        ("POST", "https://shop.example.evil.example/refunds", "connection"),
        ("POST", "https://user@shop.example/refunds", "connection"),
        ("POST", "http://shop.example/refunds", "connection"),
        ("PUT", "https://shop.example/refunds", "operation"),
        ("POST", "https://shop.example/x/../refunds", "operation"),
        ("BREW", "https://shop.example/refunds", "operation"),
    ] {
        let found = url(method, at);
        let last = found.checks.last().unwrap();
        assert_eq!(
            (found.tool, &*last.rule, last.held),
            (None, rule, Some(false)),
            "{method} {at}"
        );
        assert!(last.next.is_some());
    }
    assert_eq!((w.released(), w.broker.status().log_entries), (0, size), "nothing was done");
    assert_eq!(left(&w.broker, id).await, "500");
    assert_eq!(w.witness.without_intent.load(SeqCst), 0);
}
