//! A call, from request to receipt, over an upstream that sees what is let out.

mod broker_common;

use std::sync::Arc;

use broker_common::*;
use symbolon_broker::{
    Answer, Broker, Context, Door, Method, NewConnection, Options, ReceiptFilter,
};
use symbolon_log::Durability;
use symbolon_receipt::{OperatorKey, verify};

#[tokio::test]
async fn a_call_leaves_an_intent_before_and_a_receipt_after() {
    let w = World::new(Durability::Group).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let reply = w.broker.call(&session, &Context::Direct, get(7)).await.unwrap();
    assert_eq!((reply.status, w.released()), (200, 1));
    assert_eq!(w.witness.without_intent.load(std::sync::atomic::Ordering::SeqCst), 0);

    let bundle = w.broker.receipt(reply.receipt).await.unwrap();
    let key = OperatorKey::parse(&w.broker.operator_vkey()).unwrap();
    let bytes = serde_json::to_vec(&bundle).unwrap();
    let verified = verify(&bytes, &key).unwrap();
    let p = &verified.statement().predicate;
    assert_eq!((&*p.agent, &*p.tool, &*p.path_template), ("claude", TOOL, "/things/{id:int}"));
    assert!(p.decision.gates.iter().all(|g| g.held) && p.decision.gates.len() == 4);
    assert_eq!(p.intent.unwrap().index + 1, verified.index());
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.contains("a-credential"), "no value that could be secret");

    // Another home's key does not verify it.
    let other = World::new(Durability::Relaxed).await;
    let key = OperatorKey::parse(&other.broker.operator_vkey()).unwrap();
    assert!(verify(text.as_bytes(), &key).is_err());
}

#[tokio::test]
async fn what_a_gate_refuses_lets_nothing_out_and_leaves_a_receipt() {
    let w = World::new(Durability::Relaxed).await;
    let stranger = w.broker.open_session("stranger", Door::McpStdio).unwrap();
    let e = w.broker.call(&stranger, &Context::Direct, get(7)).await.unwrap_err();
    assert_eq!((e.code.as_str(), w.released()), ("no_grant", 0));
    assert_eq!(e.next.as_deref(), Some("symbolon grant stranger shop.things.read --for 15m"));
    let rows = w.broker.receipts(ReceiptFilter::default()).await.unwrap();
    assert_eq!(
        (rows.len(), rows[0].outcome.as_str(), Some(rows[0].number)),
        (1, "refused", e.receipt)
    );
    let key = OperatorKey::parse(&w.broker.operator_vkey()).unwrap();
    let bundle = serde_json::to_vec(&w.broker.receipt(rows[0].number).await.unwrap()).unwrap();
    assert!(verify(&bundle, &key).is_ok());
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_refused_before_anything() {
    let w = World::new(Durability::Relaxed).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    for arguments in [
        serde_json::json!({}),
        serde_json::json!({"id": "7"}),
        serde_json::json!({"id": 7, "host": "evil.example"}),
        serde_json::json!({"id": "../admin"}),
        serde_json::json!({"id": 7, "base_url": "https://evil.example"}),
    ] {
        let mut request = get(7);
        request.arguments = arguments.as_object().unwrap().clone();
        let e = w.broker.call(&session, &Context::Direct, request).await.unwrap_err();
        assert_eq!(e.code, "invalid_arguments", "{arguments}");
    }
    assert_eq!(w.released(), 0);
}

#[tokio::test]
async fn the_two_steps_are_the_one() {
    let w = World::new(Durability::Relaxed).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let other = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let direct = Context::Direct;
    let token = w.broker.request(&session, &direct, get(7)).unwrap();
    assert_eq!(token.will, "GET https://shop.example/things/7 through shop");
    assert_eq!(token.token.len(), 43);
    assert_eq!(w.broker.redeem(&session, &direct, &token.token).await.unwrap().status, 200);
    let again = w.broker.redeem(&session, &direct, &token.token).await.unwrap_err();
    assert_eq!(again.code, "token_used");

    let token = w.broker.request(&session, &direct, get(7)).unwrap();
    let e = w.broker.redeem(&other, &direct, &token.token).await.unwrap_err();
    assert_eq!(e.code, "token_session");
    let token = w.broker.request(&session, &direct, get(7)).unwrap();
    let step = Context::Pipeline { run: "r".into(), step: "s".into() };
    assert_eq!(
        w.broker.redeem(&session, &step, &token.token).await.unwrap_err().code,
        "token_context"
    );
    for bad in ["", "x", &"A".repeat(43), &"A".repeat(1000)] {
        assert_eq!(
            w.broker.redeem(&session, &direct, bad).await.unwrap_err().code,
            "token_unknown"
        );
    }
    assert_eq!(w.released(), 1);
}

#[tokio::test]
async fn a_raw_request_names_an_operation_or_is_refused() {
    let w = World::new(Durability::Relaxed).await;
    let session = w.broker.open_session("claude", Door::Http).unwrap();
    let forward = async |method: &str, path: &str, query: Option<&str>| {
        w.broker
            .forward(
                &session,
                &Context::Direct,
                "shop",
                method,
                path,
                query,
                &http::HeaderMap::new(),
                bytes::Bytes::new(),
            )
            .await
    };
    assert_eq!(forward("GET", "/things/7", None).await.unwrap().status, 200);
    assert_eq!(forward("DELETE", "/things/7", None).await.unwrap_err().code, "no_grant");
    for (method, path, query) in [
        ("POST", "/things/7", None),
        ("GET", "/admin", None),
        ("GET", "/things/7/../../admin", None),
        ("GET", "/things/%2e%2e/admin", None),
        ("GET", "//things/7", None),
        ("GET", "/things\\7", None),
        ("GET", "/things/7\0", None),
        ("GET", "/things/\u{2024}\u{2024}/x", None),
        ("GET", "/things/7", Some("x=1")),
        ("TRACE", "/things/7", None),
    ] {
        let e = forward(method, path, query).await.unwrap_err();
        assert!(
            matches!(e.code.as_str(), "not_listed" | "path" | "invalid_arguments"),
            "{method} {path}: {}",
            e.code
        );
    }
    assert_eq!(w.released(), 1);
    let e = w
        .broker
        .forward(
            &session,
            &Context::Direct,
            "nothing",
            "GET",
            "/",
            None,
            &http::HeaderMap::new(),
            bytes::Bytes::new(),
        )
        .await;
    assert_eq!(e.unwrap_err().code, "no_connection");
}

#[tokio::test]
async fn revoking_and_locking_take_effect_at_once() {
    let w = World::new(Durability::Relaxed).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let token = w.broker.request(&session, &Context::Direct, get(7)).unwrap();
    let grant = w.broker.grants().await.unwrap()[0].id;
    assert_eq!(w.broker.revoke(grant).await.unwrap().grant.state, "revoked");
    assert_eq!(
        w.broker.redeem(&session, &Context::Direct, &token.token).await.unwrap_err().code,
        "grant_ended"
    );
    assert!(w.broker.granted_tools(&session).is_empty());

    w.grant("claude", &["shop.things.read"], &["id<=7"]).await;
    assert!(w.broker.call(&session, &Context::Direct, get(7)).await.is_ok());
    assert_eq!(w.broker.call(&session, &Context::Direct, get(8)).await.unwrap_err().code, "limit");

    let token = w.broker.request(&session, &Context::Direct, get(7)).unwrap();
    w.broker.lock();
    assert_eq!(w.broker.call(&session, &Context::Direct, get(7)).await.unwrap_err().code, "locked");
    assert_eq!(
        w.broker.redeem(&session, &Context::Direct, &token.token).await.unwrap_err().code,
        "token_unknown"
    );
    assert!(w.broker.unlock_unattended().await.unwrap());
    assert!(w.broker.call(&session, &Context::Direct, get(7)).await.is_ok());
    assert_eq!(w.released(), 2);
}

#[tokio::test]
async fn an_upstream_that_echoes_the_credential_does_not_hand_it_over() {
    let folder = tempfile::tempdir().unwrap();
    Broker::init(&home_of(&folder), Method::Device, None).await.unwrap();
    let echo = |_| {
        let mut answer = Answer::text(200, "");
        let raw = std::str::from_utf8(CREDENTIAL).unwrap();
        let body = format!(
            "{{\"you\":\"{raw}\",\"b64\":\"{}\"}}",
            symbolon_codec::b64::encode(CREDENTIAL)
        );
        answer.body = body.into_bytes().into();
        answer.headers.insert("content-type", "application/json".parse().unwrap());
        answer.headers.insert("location", format!("/x?token={raw}").parse().unwrap());
        answer.headers.insert("set-cookie", "session=1".parse().unwrap());
        Ok(answer)
    };
    let witness = Witness::new(&home_of(&folder), Box::new(echo));
    let w = World::open(folder, witness, Durability::Relaxed).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let reply = w.broker.call(&session, &Context::Direct, get(7)).await.unwrap();
    assert_eq!(reply.redactions, 3);
    let text = serde_json::to_string(&reply).unwrap();
    assert!(
        !text.contains("a-credential")
            && !text.contains(&symbolon_codec::b64::encode(CREDENTIAL)[..16]),
        "{text}"
    );
    assert!(!reply.headers.iter().any(|(n, _)| n == "set-cookie"));
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_a_receipt_all_the_same() {
    let w = World::new(Durability::Relaxed).await;
    let gate = Arc::new(tokio::sync::Notify::new());
    *w.witness.stall.lock().unwrap() = Some(gate);
    let (broker, session) =
        (w.broker.clone(), w.broker.open_session("claude", Door::McpStdio).unwrap());
    let call = tokio::spawn(async move { broker.call(&session, &Context::Direct, get(7)).await });
    while w.released() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(w.broker.status().open_intents, 1);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let rows = w.broker.receipts(ReceiptFilter::default()).await.unwrap();
    assert_eq!(
        (rows.len(), rows[0].outcome.as_str(), w.broker.status().open_intents),
        (1, "failed", 0)
    );
}

#[tokio::test]
async fn a_restart_finds_everything_and_a_changed_row_does_not_open() {
    let w = World::new(Durability::Group).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let reply = w.broker.call(&session, &Context::Direct, get(7)).await.unwrap();
    w.broker.close().await;
    let World { folder, witness, broker, .. } = w;
    drop(broker);

    let w = World::open(folder, witness, Durability::Group).await;
    let bundle = serde_json::to_vec(&w.broker.receipt(reply.receipt).await.unwrap()).unwrap();
    assert!(verify(&bundle, &OperatorKey::parse(&w.broker.operator_vkey()).unwrap()).is_ok());
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    assert!(w.broker.call(&session, &Context::Direct, get(8)).await.is_ok());
    w.broker.close().await;
    let World { folder, witness, broker, .. } = w;
    drop(broker);

    // Somebody with the database in hand points the connection at a host of their own.
    let file = home_of(&folder).join("state.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(20).position(|b| b == b"https://shop.example").unwrap();
    bytes[at..at + 20].copy_from_slice(b"https://evil.example");
    std::fs::write(&file, bytes).unwrap();
    let released = witness.released.load(std::sync::atomic::Ordering::SeqCst);
    let w = World::open(folder, witness, Durability::Group).await;
    let session = w.broker.open_session("claude", Door::McpStdio).unwrap();
    let e = w.broker.call(&session, &Context::Direct, get(9)).await.unwrap_err();
    assert_eq!((e.code.as_str(), w.released()), ("no_connection", released));
}

#[tokio::test]
async fn a_connection_is_what_its_service_allows() {
    let w = World::new(Durability::Relaxed).await;
    let code = async |new: NewConnection, credential: &[u8]| {
        let secret = symbolon_secret::Secret::<[u8]>::make_slice(credential.len(), |o| {
            o.copy_from_slice(credential)
        });
        w.broker.connect(new, secret).await.map(|_| String::from("ok")).unwrap_or_else(|e| e.code)
    };
    let shop = |base: &str| NewConnection {
        base_url: Some(base.into()),
        name: Some("other".into()),
        ..NewConnection::of("shop")
    };
    assert_eq!(code(NewConnection::of("nothing"), CREDENTIAL).await, "unknown_service");
    assert_eq!(code(NewConnection::of("shop"), CREDENTIAL).await, "exists");
    assert_eq!(
        code(
            NewConnection {
                base_url: Some("https://evil.example".into()),
                ..NewConnection::of("slack")
            },
            CREDENTIAL
        )
        .await,
        "base_url"
    );
    for bad in [
        "http://shop.example",
        "https://user@shop.example",
        "https://169.254.169.254",
        "ftp://x.example",
        "https://shop.example/#x",
        "https://0x7f.1",
    ] {
        assert_eq!(code(shop(bad), CREDENTIAL).await, "base_url", "{bad}");
    }
    for bad in [&b""[..], b"short", b"with\r\nbreak-of-line", b"with-nul-\0-inside"] {
        assert_eq!(code(shop("https://two.example"), bad).await, "credential");
    }
    assert_eq!(code(shop("https://two.example"), CREDENTIAL).await, "ok");
    let wide = NewConnection {
        scopes: vec!["github.*".into()],
        name: Some("wide".into()),
        ..NewConnection::of("shop")
    };
    assert_eq!(code(wide, CREDENTIAL).await, "scope");
}

#[tokio::test]
async fn wrong_secrets_and_the_last_way_in() {
    let folder = tempfile::tempdir().unwrap();
    let home = home_of(&folder);
    let secret = |text: &str| {
        let bytes = text.as_bytes().to_vec();
        Some(symbolon_secret::Secret::<[u8]>::make_slice(bytes.len(), |o| {
            o.copy_from_slice(&bytes)
        }))
    };
    assert_eq!(
        Broker::init(&home, Method::Passphrase, secret("short")).await.unwrap_err().code,
        "passphrase"
    );
    let words =
        Broker::init(&home, Method::Passphrase, secret("correct horse battery")).await.unwrap();
    assert_eq!(Broker::init(&home, Method::Device, None).await.unwrap_err().code, "exists");
    let broker = Broker::start(&home, Options::default()).await.unwrap();
    assert_eq!(Broker::start(&home, Options::default()).await.unwrap_err().code, "home_in_use");
    assert!(!broker.unlock_unattended().await.unwrap());
    let e = broker.unlock(Method::Passphrase, secret("wrong horse battery")).await.unwrap_err();
    assert_eq!(e.code, "wrong_secret");
    assert_eq!(broker.unlock(Method::Device, None).await.unwrap_err().code, "device_key");
    broker.unlock(Method::Recovery, Some(words)).await.unwrap();
    let (device, _) = broker.add_wrap(Method::Device, None).await.unwrap();
    let wraps = broker.wraps().await.unwrap();
    assert_eq!(wraps.len(), 3);
    let passphrase = wraps.iter().find(|w| w.method == "passphrase").unwrap().id.clone();
    broker.rotate_wrap(&passphrase, secret("a new one altogether")).await.unwrap();
    broker.rotate_wrap(&device.id, None).await.unwrap();
    broker.lock();
    assert!(broker.unlock(Method::Passphrase, secret("correct horse battery")).await.is_err());
    assert!(broker.unlock_unattended().await.unwrap());
    broker.lock();
    broker.unlock(Method::Passphrase, secret("a new one altogether")).await.unwrap();
    for wrap in broker.wraps().await.unwrap().iter().skip(1) {
        broker.remove_wrap(&wrap.id).await.unwrap();
    }
    let last = broker.wraps().await.unwrap();
    assert_eq!(last.len(), 1);
    assert_eq!(broker.remove_wrap(&last[0].id).await.unwrap_err().code, "last_wrap");
}
