//! Credentials that an upstream makes: kept before anybody hears of them, used in their place alone.

mod relay_common;

use std::sync::Arc;
use std::time::Duration;

use relay_common::*;
use symbolon_broker::{CallRequest, Context, Door, MintedView, NewGrant, RelayLimits};
use symbolon_capability::{AgentName, MintedRow, MintedStore};
use symbolon_receipt::Minted;
use symbolon_store::SqliteStore;
use tokio::sync::Notify;

const KEY: &str = "canary-of-a-minted-key/9876543210-zyxwvu";
const PLAIN: &str = "[redacted:symbolon]";

/// Answers a request for a key with this body, and any other by repeating its credential.
fn minting(body: &str) -> impl Fn(&Seen) -> Vec<Act> + Send + Sync + use<> {
    let body = body.to_owned();
    move |seen| {
        if seen.head.starts_with("POST /keys ") {
            let head = format!(
                "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\nx-key: {KEY}\r\n\
                 content-length: {}\r\n\r\n",
                body.len()
            );
            return vec![Act::Send(head.into_bytes()), Act::Send(body.clone().into_bytes())];
        }
        answer(&format!("{} {KEY} {CREDENTIAL}", seen.header("authorization").join(",")))
    }
}

fn make() -> symbolon_broker::RelayRequest {
    request("POST", "/keys", &[], b"")
}

fn placeholder_in(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    body["key"].as_str().expect("a placeholder").to_owned()
}

async fn minted(w: &World) -> Option<Minted<'static>> {
    w.newest().await.statement().predicate.minted.clone()
}

async fn kept(w: &World) -> Vec<MintedView> {
    w.broker.minted().await.expect("a list")
}

fn showing(path: &str, placeholder: &str) -> symbolon_broker::RelayRequest {
    symbolon_broker::RelayRequest { minted: Some(placeholder.to_owned()), ..get(path) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_has_a_placeholder_and_uses_what_it_stands_for() {
    let escaped = KEY.replace('/', "\\/");
    let body =
        format!(r#"{{"again":"{KEY}","key":"{escaped}","until":null,"own":"{CREDENTIAL}"}}"#);
    let w = World::new(minting(&body)).await;
    let made = w.whole(make()).await.expect("it passes");
    assert_eq!((made.status, made.headers["x-key"].to_str().unwrap()), (201, PLAIN));
    let placeholder = placeholder_in(&made.body);
    let wanted =
        format!(r#"{{"again":"{PLAIN}","key":"{placeholder}","until":null,"own":"{PLAIN}"}}"#);
    assert_eq!(made.body, wanted);
    assert!(symbolon_broker::is_placeholder(&placeholder));
    let rows = kept(&w).await;
    assert_eq!((rows.len(), &*rows[0].agent, &*rows[0].tool), (1, "claude", "shop.keys.make"));
    let said = minted(&w).await.expect("the receipt says so");
    assert_eq!((said.made.len(), &*said.made[0], said.used), (1, &*rows[0].id, None));

    let used = w.whole(showing("/things", &placeholder)).await.expect("it passes");
    assert_eq!(w.last_seen().header("authorization"), [format!("Bearer {KEY}")]);
    assert_eq!(used.body, format!("Bearer {PLAIN} {PLAIN} {PLAIN}"), "both are searched for");
    let said = minted(&w).await.expect("the receipt says so");
    assert_eq!((said.made.len(), said.used.as_deref()), (0, Some(&*rows[0].id)));
    w.whole(get("/things")).await.expect("it passes");
    assert_eq!(w.last_seen().header("authorization"), [format!("Bearer {CREDENTIAL}")]);
    assert_eq!(minted(&w).await, None);

    // Another session of the same agent has it, another agent has not, and neither has another way.
    let again = w.broker.open_session("claude", Door::Proxy).unwrap();
    let shown = w.broker.relay(&again, &Context::Direct, showing("/things", &placeholder)).await;
    assert!(shown.is_ok());
    let scopes = vec!["shop.things.read".to_owned()];
    let grant = NewGrant { agent: "trudy".into(), scopes, for_seconds: 900, ..NewGrant::default() };
    w.broker.grant(grant).await.unwrap();
    let trudy = w.broker.open_session("trudy", Door::Proxy).unwrap();
    let before = w.requests();
    let refused = w.broker.relay(&trudy, &Context::Direct, showing("/things", &placeholder)).await;
    let refused = refused.expect_err("refused");
    assert_eq!((&*refused.code, refused.http_status), ("minted_unknown", 403));
    assert!(refused.receipt.is_some());
    let said = w.newest().await.statement().predicate.decision.clone();
    assert_eq!(said.gates.last().map(|g| (&*g.gate, g.held)), Some(("minted", false)));
    for path in [format!("/things?q={placeholder}"), format!("/things?q=a{placeholder}b")] {
        let refused = w.whole(get(&path)).await.err().expect("refused");
        assert_eq!(refused.code, "placeholder_elsewhere");
    }
    assert_eq!(w.requests(), before, "something was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_ends_is_good_until_then() {
    let at = |until: &str| format!(r#"{{"key":"{KEY}","until":"{until}"}}"#);
    let w = World::new(minting(&at("2001-01-01"))).await;
    let over = placeholder_in(&w.whole(make()).await.unwrap().body);
    let refused = w.whole(showing("/things", &over)).await.err().expect("refused");
    assert_eq!(refused.code, "minted_expired");
    assert!(kept(&w).await[0].ended);
    let w = World::new(minting(&at("2999-12-31T00:00:00Z"))).await;
    let good = placeholder_in(&w.whole(make()).await.unwrap().body);
    assert!(w.whole(showing("/things", &good)).await.is_ok());
    assert_eq!(kept(&w).await[0].expires.as_deref(), Some("2999-12-31T00:00:00.000Z"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_kept_though_its_program_goes_away() {
    let (asked, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (told, wait) = (asked.clone(), go.clone());
    let body = format!(r#"{{"key":"{KEY}"}}"#);
    let answer = minting(&body);
    let w = World::new(move |seen| {
        told.notify_one();
        let mut acts = answer(seen);
        acts.insert(1, Act::Wait(wait.clone()));
        acts
    })
    .await;
    let (broker, session) = (w.broker.clone(), w.session.clone());
    let program =
        tokio::spawn(async move { broker.relay(&session, &Context::Direct, make()).await.is_ok() });
    asked.notified().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    program.abort();
    assert!(program.await.is_err(), "it had its answer");
    go.notify_one();
    for _ in 0..200 {
        if w.broker.status().open_intents == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rows = kept(&w).await;
    assert_eq!(rows.len(), 1, "the key is lost");
    assert_eq!(minted(&w).await.expect("said").made, [rows[0].id.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_key_is_refused_and_an_error_passes() {
    for body in ["<html>", "{}", r#"{"key":7}"#, r#"{"key":"short"}"#, r#"{"key":"é-0123456789"}"#]
    {
        let w = World::new(minting(body)).await;
        let refused = w.whole(make()).await.err().expect(body);
        assert_eq!(refused.code, "mint_unreadable", "{body}");
        assert!(refused.next.is_some_and(|next| next.contains("revoke it")), "{body}");
        assert_eq!(w.error().await.as_deref(), Some("mint_unreadable"));
        assert!(kept(&w).await.is_empty());
    }
    let head = "HTTP/1.1 422 No\r\ncontent-length: 4\r\n\r\nnone";
    let w = World::new(move |_| vec![Act::Send(head.into())]).await;
    let passed = w.whole(make()).await.expect("an answer");
    assert_eq!((passed.status, &*passed.body), (422, "none"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_revoked_between_two_steps_is_not_used() {
    let w = World::new(minting(&format!(r#"{{"key":"{KEY}"}}"#))).await;
    let placeholder = placeholder_in(&w.whole(make()).await.unwrap().body);
    let arguments = serde_json::Map::new();
    let list = |minted: Option<String>| CallRequest {
        tool: "shop.things.list".into(),
        arguments: arguments.clone(),
        connection: None,
        minted,
    };
    let shown = list(Some(placeholder.clone()));
    let token = w.broker.request(&w.session, &Context::Direct, shown.clone()).unwrap().token;
    let redeemed = w.broker.redeem(&w.session, &Context::Direct, &token).await;
    assert!(redeemed.is_ok(), "{redeemed:?}");
    assert_eq!(w.last_seen().header("authorization"), [format!("Bearer {KEY}")]);
    let before = w.requests();
    let token = w.broker.request(&w.session, &Context::Direct, shown.clone()).unwrap().token;
    w.broker.revoke_minted(&kept(&w).await[0].id).await.unwrap();
    let refused = w.broker.redeem(&w.session, &Context::Direct, &token).await.unwrap_err();
    assert_eq!(refused.code, "minted_unknown");
    assert_eq!(w.error().await.as_deref(), Some("minted_unknown"));
    assert!(w.newest().await.statement().predicate.times.released.is_none());
    let refused = w.broker.call(&w.session, &Context::Direct, shown).await.unwrap_err();
    assert_eq!(refused.code, "minted_unknown");
    assert_eq!(w.requests(), before, "something was sent");
    assert!(w.broker.call(&w.session, &Context::Direct, list(None)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_given_to_another_agent_does_not_open() {
    let w = World::new(minting(&format!(r#"{{"key":"{KEY}"}}"#))).await;
    let placeholder = placeholder_in(&w.whole(make()).await.unwrap().body);
    let scopes = vec!["shop.things.read".to_owned()];
    let grant = NewGrant { agent: "trudy".into(), scopes, for_seconds: 900, ..NewGrant::default() };
    w.broker.grant(grant).await.unwrap();
    w.broker.lock();
    let store = SqliteStore::open(&w.broker.home().database()).await.unwrap();
    let row = store.minted().await.unwrap().remove(0);
    store.delete_minted(&row.id).await.unwrap();
    let agent = AgentName::parse("trudy").unwrap();
    store.add_minted(&[MintedRow { agent, ..row }], 0).await.unwrap();
    store.close().await;
    assert!(w.broker.unlock_unattended().await.unwrap());
    let trudy = w.broker.open_session("trudy", Door::Proxy).unwrap();
    let before = w.requests();
    let refused = w.broker.relay(&trudy, &Context::Direct, showing("/things", &placeholder)).await;
    assert_eq!(refused.expect_err("refused").code, "minted_damaged");
    assert_eq!(w.requests(), before, "something was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_are_made_than_are_kept_and_none_that_cannot_be_sent() {
    let w = World::new(minting(&format!(r#"{{"key":"{KEY}"}}"#))).await;
    for n in 0..64 {
        assert!(w.whole(make()).await.is_ok(), "{n}");
    }
    let before = w.requests();
    let refused = w.whole(make()).await.err().expect("refused");
    assert_eq!((&*refused.code, w.requests()), ("too_many_minted", before));
    w.broker.revoke_minted(&kept(&w).await[0].id).await.unwrap();
    assert!(w.whole(make()).await.is_ok());

    let basic = "{ scheme = \"basic\", username = \"shop\" }";
    let script = Box::new(minting(&format!(r#"{{"key":"{KEY}"}}"#)));
    let w = World::with(RelayLimits::default(), basic, "", script).await;
    let placeholder = placeholder_in(&w.whole(make()).await.unwrap().body);
    w.whole(showing("/things", &placeholder)).await.expect("it passes");
    let pair = symbolon_codec::b64::encode(format!("shop:{KEY}").as_bytes());
    assert_eq!(w.last_seen().header("authorization"), [format!("Basic {pair}")]);
}
