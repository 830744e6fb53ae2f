//! Answers of bytes in a coding that cannot be undone: which pass, what is still searched in them,
//! and what the receipt says.

mod relay_common;

use http_body_util::BodyExt;
use relay_common::*;
use symbolon_broker::{CallRequest, Context};
use symbolon_codec::b64;
use symbolon_receipt::{Response, Searched};

const PLAIN: &str = "[redacted:symbolon]";

/// Bytes of all values that are no text and hold no credential.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 11u64;
    let next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn coded(status: u16, kind: &str, coding: &str, body: &[u8]) -> Vec<Act> {
    let head = format!(
        "HTTP/1.1 {status} Ok\r\ncontent-type: {kind}\r\ncontent-encoding: {coding}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    vec![Act::Send(head.into_bytes()), Act::Send(body.to_vec())]
}

async fn world(status: u16, kind: &str, coding: &str, body: Vec<u8>) -> World {
    let (kind, coding) = (kind.to_owned(), coding.to_owned());
    World::new(move |_| coded(status, &kind, &coding, &body)).await
}

async fn response(w: &World) -> Response<'static> {
    w.newest().await.statement().predicate.response.clone().expect("a response")
}

fn image() -> CallRequest {
    let arguments = serde_json::json!({"id": 7}).as_object().cloned().expect("an object");
    CallRequest { tool: "shop.images.get".into(), arguments, connection: None, minted: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_type_in_an_unknown_coding_passes_byte_for_byte() {
    let body = noise(50_000);
    for coding in ["aws-chunked", "x-pack"] {
        let w = world(200, "image/png; q=1", coding, body.clone()).await;
        let reply = w.relay(get("/images/7")).await.expect("it passes");
        assert_eq!(reply.headers["content-encoding"], coding, "the program must know of it");
        let came = reply.body.collect().await.expect("it ends well").to_bytes();
        assert!(came == body, "{coding}");
        assert_eq!(w.error().await, None);
        let said = response(&w).await;
        assert_eq!((said.searched, said.redactions.len()), (Some(Searched::Raw), 0));
        assert_eq!((said.bytes_in, said.bytes_out), (50_000, 50_000));
        assert_eq!(said.content_type, "image/png");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_listed_is_refused_and_the_receipt_says_so() {
    let body = noise(1000);
    let cases = [
        ("another type", 200, "image/gif", "x-pack", "/images/7"),
        ("text", 200, "text/plain", "x-pack", "/images/7"),
        ("an error's body", 404, "image/png", "x-pack", "/images/7"),
        ("a known coding beside it", 200, "image/png", "gzip, x-pack", "/images/7"),
        ("no coding at all", 200, "image/png", "gzip;q=1", "/images/7"),
        ("an operation without a list", 200, "image/png", "x-pack", "/things"),
    ];
    for (name, status, kind, coding, path) in cases {
        let w = world(status, kind, coding, body.clone()).await;
        let e = w.whole(get(path)).await.err().expect(name);
        assert_eq!(e.code, "undecodable", "{name}");
        assert!(e.receipt.is_some(), "{name}");
        assert_eq!(w.error().await.as_deref(), Some("undecodable"), "{name}");
        let said = response(&w).await;
        assert_eq!((said.searched, said.bytes_out, said.status), (None, 0, status), "{name}");
    }
    // Listed, and it says gzip: it is decoded, and this is none.
    let w = world(200, "image/png", "gzip", body).await;
    let e = w.whole(get("/images/7")).await.err().expect("no gzip");
    assert_eq!((e.code.as_str(), response(&w).await.searched), ("undecodable", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_needs_no_list_is_as_it_was() {
    let body = noise(50_000);
    let sent = body.clone();
    let w = World::new(move |_| coded(200, "image/png", "identity", &sent)).await;
    let reply = w.relay(get("/images/7")).await.expect("it passes");
    assert!(!reply.headers.contains_key("content-encoding"));
    let came = reply.body.collect().await.expect("it is within max_bytes").to_bytes();
    assert!(came == body);
    assert_eq!(response(&w).await.searched, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_list_says_is_cut_with_an_error_whatever_it_is() {
    let raw = Some(Searched::Raw);
    for (kind, coding, searched) in [
        ("application/zip", "x-pack", raw),
        ("application/zip", "identity", None),
        ("application/json", "identity", None),
    ] {
        let w = world(200, kind, coding, noise(50_001)).await;
        let mut reply = w.relay(get("/images/7")).await.expect("the head is good");
        let (mut came, mut broke) = (0, None);
        while let Some(frame) = reply.body.frame().await {
            match frame {
                Ok(frame) => came += frame.into_data().map_or(0, |data| data.len()),
                Err(e) => broke = Some(e),
            }
        }
        assert_eq!(broke.expect("it breaks off").code, "upstream_too_large", "{kind} {coding}");
        assert!(came <= 50_000, "{came}");
        assert_eq!(w.error().await.as_deref(), Some("upstream_too_large"));
        let said = response(&w).await;
        assert_eq!((said.searched, said.bytes_out), (searched, came as u64));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_in_the_middle_is_taken_out_in_every_spelling() {
    let hex: String = CREDENTIAL.bytes().map(|b| format!("{b:02x}")).collect();
    for (form, spelled) in [
        ("raw", CREDENTIAL.to_owned()),
        ("base64", b64::encode(CREDENTIAL.as_bytes())),
        ("hex", hex),
    ] {
        let (front, back) = (noise(20_000), noise(9_000));
        let body = [&front[..], b"\0", spelled.as_bytes(), b"\0", &back].concat();
        let w = world(200, "image/png", "x-pack", body).await;
        let reply = w.relay(get("/images/7")).await.expect("it passes");
        let came = reply.body.collect().await.expect("it ends well").to_bytes();
        let at = front.len() + 1;
        assert!(came[..front.len()] == front[..] && came.ends_with(&back), "{form}: the rest");
        assert!(came[at..].starts_with(PLAIN.as_bytes()), "{form}: taken out");
        let middle = &came[at + PLAIN.len()..came.len() - back.len()];
        // Of base64 the last characters hold bits of the neighbours too.
        assert!(middle.len() <= 5 && middle.ends_with(b"\0"), "{form}: {middle:?}");
        let said = response(&w).await;
        assert_eq!(said.searched, Some(Searched::Raw));
        assert_eq!(said.redactions.iter().map(|r| r.count).sum::<u64>(), 1, "{form}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_gets_listed_bytes_with_their_coding_and_nothing_else() {
    let mut body = noise(3_000);
    let w = world(200, "image/png", "x-pack", body.clone()).await;
    let reply = w.broker.call(&w.session, &Context::Direct, image()).await.expect("it passes");
    assert_eq!(reply.body, b64::encode(&body), "as base64, byte for byte");
    assert!(reply.headers.contains(&("content-encoding".to_owned(), "x-pack".to_owned())));
    assert_eq!(response(&w).await.searched, Some(Searched::Raw));

    body.splice(1_000..1_000, CREDENTIAL.bytes());
    let w = world(200, "image/png", "x-pack", body).await;
    let reply = w.broker.call(&w.session, &Context::Direct, image()).await.expect("it passes");
    let came = b64::decode(reply.body.as_str().expect("text"), 10_000).expect("base64");
    assert_eq!((reply.redactions, &came[1_000..1_000 + PLAIN.len()]), (1, PLAIN.as_bytes()));

    for (kind, coding, len, code) in [
        ("image/gif", "x-pack", 10, "undecodable"),
        ("image/png", "x-pack, br", 10, "undecodable"),
        ("image/png", "x-pack", 50_001, "upstream_too_large"),
        ("image/png", "identity", 50_001, "upstream_too_large"),
    ] {
        let w = world(200, kind, coding, noise(len)).await;
        let refused = w.broker.call(&w.session, &Context::Direct, image()).await;
        assert_eq!(refused.expect_err(kind).code, code, "{kind} {coding}");
        assert_eq!(w.error().await.as_deref(), Some(code));
    }
    // What can be decoded is: the caller hears of no coding.
    let w = world(200, "image/png", "identity", noise(50_000)).await;
    let reply = w.broker.call(&w.session, &Context::Direct, image()).await.expect("it passes");
    assert!(reply.headers.iter().all(|(name, _)| name != "content-encoding"));
    assert_eq!(response(&w).await.searched, None);
}
