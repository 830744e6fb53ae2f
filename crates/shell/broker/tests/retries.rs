//! What is sent again and what is not, over the real wire, to an upstream that fails on demand.

mod broker_common;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use broker_common::*;
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, Full};
use symbolon_broker::{
    Broker, CallError, CallReply, CallRequest, Context, Door, ReceiptFilter, RelayRequest, Session,
};
use symbolon_capability::Intent;
use symbolon_receipt::{OperatorKey, Predicate, verify};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const KEYED: &str = r#"
[service]
id = "till"
name = "Till"
base_url = "https://till.example"
self_hosted = true
docs = "https://till.example"
auth = { scheme = "bearer" }
verify = "orders.list"
rate = { burst = 1000, per_second = 1000.0 }

[[operation]]
id = "orders.list"
title = "List orders"
description = "Lists all orders."
method = "GET"
path = "/orders"
scope = "till.orders.read"
effect = "read"

[[operation]]
id = "orders.create"
title = "Make an order"
description = "Makes one; under a key, once."
method = "POST"
path = "/orders"
scope = "till.orders.write"
effect = "write"
idempotency_key = "idempotency-key"
[operation.body]
sum = { type = "integer" }

[[operation]]
id = "orders.ship"
title = "Ship an order"
description = "Takes no key."
method = "POST"
path = "/orders/{id:int}/ship"
scope = "till.orders.write"
effect = "write"

[[operation]]
id = "orders.put"
title = "Replace an order"
description = "Idempotent by its method."
method = "PUT"
path = "/orders/{id:int}"
scope = "till.orders.write"
effect = "write"
"#;

/// What the upstream does with one connection.
#[derive(Clone, Debug)]
enum Does {
    /// Reads the request and answers.
    Answers(u16, &'static str),
    /// Reads the request and hangs up.
    HangsUp,
    /// Reads the request and resets the connection.
    Resets,
    /// Answers half of what it promised.
    BreaksOff,
    /// Answers what is no HTTP.
    Babbles,
}

/// An upstream that does one thing after the other and `Answers(200)` from then on.
struct Till {
    base: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Till {
    async fn open(script: Vec<Does>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = seen.clone();
        tokio::spawn(async move {
            let mut script = script.into_iter();
            while let Ok((tcp, _)) = listener.accept().await {
                let does = script.next().unwrap_or(Does::Answers(200, ""));
                serve(tcp, does, &noted).await;
            }
        });
        Self { base, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    fn keys(&self) -> Vec<String> {
        let of = |head: &String| {
            let line = head.lines().find_map(|l| l.strip_prefix("idempotency-key: "));
            line.unwrap_or_default().to_owned()
        };
        self.seen().iter().map(of).collect()
    }
}

async fn serve(mut tcp: TcpStream, does: Does, seen: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        if tcp.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    seen.lock().unwrap().push(String::from_utf8_lossy(&head).to_ascii_lowercase());
    let answer = match does {
        Does::HangsUp => return,
        Does::Resets => {
            #[expect(deprecated, reason = "a reset is what is wanted")]
            let _ = tcp.set_linger(Some(Duration::ZERO));
            return;
        }
        Does::Answers(status, more) => {
            format!(
                "HTTP/1.1 {status} x\r\n{more}content-length: 2\r\nconnection: close\r\n\r\n{{}}"
            )
        }
        Does::BreaksOff => "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_owned(),
        Does::Babbles => "what?\r\n\r\n".to_owned(),
    };
    let _ = tcp.write_all(answer.as_bytes()).await;
    let _ = tcp.shutdown().await;
}

struct Shop {
    _folder: tempfile::TempDir,
    broker: Arc<Broker>,
    session: Arc<Session>,
}

impl Shop {
    async fn at(base: &str) -> Self {
        let scopes = ["till.orders.read", "till.orders.write"];
        let (folder, broker) = wired(("till", KEYED), base, &scopes, &[]).await;
        let session = broker.open_session("claude", Door::McpStdio).unwrap();
        Self { _folder: folder, broker, session }
    }

    async fn call(&self, tool: &str) -> Result<CallReply, CallError> {
        let arguments = match tool {
            "orders.ship" | "orders.put" => serde_json::json!({"id": 1}),
            "orders.create" => serde_json::json!({"sum": 5}),
            _ => serde_json::json!({}),
        };
        let request = CallRequest {
            tool: format!("till.{tool}"),
            arguments: arguments.as_object().unwrap().clone(),
            connection: None,
            minted: None,
        };
        self.broker.call(&self.session, &Context::Direct, request).await
    }

    async fn receipt(&self, number: u64) -> Predicate<'static> {
        let bundle = serde_json::to_vec(&self.broker.receipt(number).await.unwrap()).unwrap();
        let key = OperatorKey::parse(&self.broker.operator_vkey()).unwrap();
        verify(&bundle, &key).unwrap().statement().predicate.clone()
    }

    /// The key that can be made of the only intent in the log.
    fn key_of_the_intent(&self) -> String {
        let log = std::fs::read(home_of(&self._folder).join("log/entries")).unwrap();
        let name = b"\x00\x00\x00\x12symbolon/intent/v1";
        let at: Vec<usize> = (0..log.len()).filter(|at| log[*at..].starts_with(name)).collect();
        let [at] = at[..] else { panic!("{} intents", at.len()) };
        let mut ends = at + name.len()..=log.len().min(at + 2048);
        let intent = ends.find_map(|end| Intent::parse(&log[at..end]).ok());
        intent.expect("an intent").idempotency_key().to_string()
    }
}

fn faults() -> Vec<Does> {
    let statuses = [408, 425, 429, 502, 503, 504, 500];
    let answers = statuses.map(|status| Does::Answers(status, ""));
    let after = Does::Answers(503, "retry-after: 0\r\n");
    [Does::HangsUp, Does::Resets, Does::BreaksOff, Does::Babbles, after]
        .into_iter()
        .chain(answers)
        .collect()
}

#[tokio::test]
async fn a_call_that_changes_something_and_has_no_key_is_seen_once_whatever_happens() {
    for first in faults() {
        for tool in ["orders.ship", "orders.put"] {
            let till = Till::open(vec![first.clone()]).await;
            let shop = Shop::at(&till.base).await;
            let outcome = shop.call(tool).await;
            let number = match &outcome {
                Ok(reply) => reply.receipt,
                Err(e) => e.receipt.unwrap(),
            };
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert_eq!(till.seen().len(), 1, "{tool} after {first:?}: {outcome:?}");
            let receipt = shop.receipt(number).await;
            assert_eq!((receipt.retries, receipt.idempotency_key), (0, None));
            assert!(receipt.times.released.is_some());
        }
    }
}

#[tokio::test]
async fn a_read_is_tried_three_times_and_the_receipt_counts_them() {
    for first in [Does::HangsUp, Does::Resets, Does::BreaksOff, Does::Answers(429, "")] {
        let till = Till::open(vec![first.clone(), Does::Answers(503, "")]).await;
        let shop = Shop::at(&till.base).await;
        let reply = shop.call("orders.list").await.unwrap();
        assert_eq!((reply.status, till.seen().len()), (200, 3), "{first:?}");
        let receipt = shop.receipt(reply.receipt).await;
        assert_eq!((receipt.retries, receipt.error), (2, None));
        let rows = shop.broker.receipts(ReceiptFilter::default()).await.unwrap();
        assert_eq!(rows.len(), 1, "one intent, one receipt");
        assert_eq!(shop.broker.status().open_intents, 0);
    }
    // No more than three, and the last answer is the call's.
    let till = Till::open(vec![Does::Answers(503, ""); 9]).await;
    let shop = Shop::at(&till.base).await;
    let reply = shop.call("orders.list").await.unwrap();
    assert_eq!((reply.status, till.seen().len()), (503, 3));
    // What cannot pass is not tried again.
    for status in [400, 401, 404, 409, 500, 501] {
        let till = Till::open(vec![Does::Answers(status, "")]).await;
        let shop = Shop::at(&till.base).await;
        assert_eq!(shop.call("orders.list").await.unwrap().status, status);
        assert_eq!(till.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_key_is_the_intents_the_same_on_each_try_and_in_the_receipt() {
    for first in [Does::HangsUp, Does::Resets, Does::Answers(503, "")] {
        // 409: the service still works on the first.
        let till = Till::open(vec![first.clone(), Does::Answers(409, "")]).await;
        let shop = Shop::at(&till.base).await;
        let reply = shop.call("orders.create").await.unwrap();
        assert_eq!((reply.status, till.seen().len()), (200, 3), "{first:?}");
        let key = shop.key_of_the_intent();
        assert_eq!(till.keys(), vec![key.clone(); 3]);
        let receipt = shop.receipt(reply.receipt).await;
        assert_eq!(receipt.idempotency_key.as_deref(), Some(&*key));
        assert_eq!(receipt.retries, 2);
        // Without its receipt the call can be explained.
        let e = shop.broker.receipt(receipt.intent.unwrap().index).await.unwrap_err();
        assert!(e.message.contains(&key), "{}", e.message);
        // Another call, another key.
        shop.call("orders.create").await.unwrap();
        let keys = till.keys();
        assert!(keys[3] != key && keys[3].len() == 36);
    }
    // A conflict that nothing of ours made is an answer.
    let till = Till::open(vec![Does::Answers(409, "")]).await;
    let shop = Shop::at(&till.base).await;
    assert_eq!(shop.call("orders.create").await.unwrap().status, 409);
    assert_eq!(till.seen().len(), 1);
}

#[tokio::test]
async fn a_callers_own_key_stays_and_must_be_one() {
    let till = Till::open(vec![Does::HangsUp]).await;
    let shop = Shop::at(&till.base).await;
    let post = async |keys: &[&'static str]| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        keys.iter().for_each(|key| {
            headers.append("idempotency-key", HeaderValue::from_static(key));
        });
        let body = bytes::Bytes::from_static(b"{\"sum\":5}");
        let (session, context) = (&shop.session, Context::Direct);
        let forwarded =
            shop.broker.forward(session, &context, "till", "POST", "/orders", None, &headers, body);
        forwarded.await
    };
    let reply = post(&["my-own-key"]).await.unwrap();
    assert_eq!(till.keys(), ["my-own-key"; 2]);
    let receipt = shop.receipt(reply.receipt).await;
    assert_eq!((receipt.retries, receipt.idempotency_key), (1, None), "what came is not in it");
    for bad in [&["a", "b"][..], &[""], &["a b"], &["a\tb"]] {
        assert_eq!(post(bad).await.unwrap_err().code, "invalid_arguments", "{bad:?}");
    }
    assert_eq!(till.seen().len(), 2);
}

#[tokio::test]
async fn a_program_gets_a_key_keeps_its_own_and_retries_itself() {
    for own in [None, Some("my-own-key")] {
        let till = Till::open(vec![Does::Answers(503, "")]).await;
        let shop = Shop::at(&till.base).await;
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.extend(own.map(|key| {
            (http::HeaderName::from_static("idempotency-key"), HeaderValue::from_static(key))
        }));
        let body = Full::new(bytes::Bytes::from_static(b"{\"sum\":5}"));
        let request = RelayRequest {
            connection: "till".into(),
            method: http::Method::POST,
            path: "/orders".into(),
            query: None,
            headers,
            body: body.map_err(|e: Infallible| match e {}).boxed_unsync(),
            upgrade: false,
            minted: None,
        };
        let session = shop.broker.open_session("claude", Door::Proxy).unwrap();
        let reply = shop.broker.relay(&session, &Context::Direct, request).await.unwrap();
        assert_eq!(reply.status, 503);
        reply.body.collect().await.unwrap();
        let rows = shop.broker.receipts(ReceiptFilter::default()).await.unwrap();
        let receipt = shop.receipt(rows[0].number).await;
        let made = own.is_none().then(|| shop.key_of_the_intent());
        assert_eq!((receipt.retries, receipt.idempotency_key.as_deref()), (0, made.as_deref()));
        assert_eq!(till.keys(), [made.as_deref().or(own).unwrap()]);
    }
}

#[tokio::test]
async fn retry_after_is_waited_for_up_to_a_bound() {
    let till = Till::open(vec![Does::Answers(429, "retry-after: 1\r\n")]).await;
    let shop = Shop::at(&till.base).await;
    let begin = Instant::now();
    assert_eq!(shop.call("orders.list").await.unwrap().status, 200);
    assert!(begin.elapsed() >= Duration::from_secs(1));
    for long in ["retry-after: 11\r\n", "retry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\n"] {
        let till = Till::open(vec![Does::Answers(429, long)]).await;
        let shop = Shop::at(&till.base).await;
        let begin = Instant::now();
        let reply = shop.call("orders.list").await.unwrap();
        assert_eq!((reply.status, till.seen().len()), (429, 1), "{long}");
        assert!(begin.elapsed() < Duration::from_secs(5), "nobody is held for {long}");
    }
}

#[tokio::test]
async fn what_never_left_is_tried_again_whatever_it_is() {
    // A port that nobody listens on, until the second try.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let shop = Shop::at(&format!("http://127.0.0.1:{port}")).await;
    let e = shop.call("orders.ship").await.unwrap_err();
    let receipt = shop.receipt(e.receipt.unwrap()).await;
    assert_eq!((receipt.retries, receipt.times.released), (2, None));
}

#[tokio::test]
async fn a_grant_that_ended_and_a_locked_vault_stop_further_tries() {
    for lock in [false, true] {
        let till = Till::open(vec![Does::Answers(503, "retry-after: 1\r\n")]).await;
        let shop = Arc::new(Shop::at(&till.base).await);
        let call = {
            let shop = shop.clone();
            tokio::spawn(async move { shop.call("orders.list").await })
        };
        while till.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        if lock {
            shop.broker.lock();
        } else {
            let grant = shop.broker.grants().await.unwrap()[0].id;
            shop.broker.revoke(grant).await.unwrap();
        }
        let reply = call.await.unwrap().unwrap();
        assert_eq!((reply.status, till.seen().len()), (503, 1), "lock: {lock}");
    }
}
