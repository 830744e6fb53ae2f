//! A login whose connection ends between the challenge and the proof.

use serde_json::Value;
use symbolon_ambient::SeededRng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const SERVICE: &str = "07070707070707070707070707070707";

/// The next request's target and body.
async fn request(stream: &mut TcpStream) -> (String, Value) {
    let mut bytes = Vec::new();
    loop {
        let mut some = [0; 4096];
        let n = stream.read(&mut some).await.unwrap();
        assert!(n > 0, "the client went away");
        bytes.extend_from_slice(&some[..n]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            return (head.split(' ').nth(1).unwrap().to_owned(), body);
        }
    }
}

async fn answer(stream: &mut TcpStream, body: &Value) {
    let body = body.to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
}

fn challenge(issuer: &str, byte: u8) -> Value {
    json!({ "nonce": b64url::encode(&[byte; NONCE_BYTES]), "expires_in_ms": 120_000,
        "issuer": issuer, "audience": "https://api.example", "channel": false })
}

fn key(issuer: &str) -> (OpenKey, KeyCard) {
    let card = KeyCard {
        audience: "https://api.example".into(),
        account: String::new(),
        issuer: issuer.parse().unwrap(),
        service: SERVICE.into(),
        key_name: "customer-7".into(),
        key: "01".repeat(16),
        device: "02".repeat(16),
        device_name: "laptop".into(),
        scopes: "read".into(),
        public: String::new(),
        enrolled_unix_ms: 1,
        sealed: String::new(),
    };
    let text = b"sk_live_9f86d081884c7d659a2feaa0c55ad015";
    let text = Secret::<[u8]>::make_slice(text.len(), |page| page.copy_from_slice(text));
    let strong = StrongKey::of(text).unwrap();
    let value = Secret::<[u8; 64]>::make(|bytes| bytes.fill(3));
    let possessed = PossessedKey::from_parts(&strong, value, &domain(&card).unwrap()).unwrap();
    let seed = || Secret::<[u8; 32]>::make(|bytes| bytes.fill(4));
    (OpenKey { possessed, device: SigningKey::from_seed(seed()), seed: seed() }, card)
}

/// A server that hangs up so often after it read a proof, and the nonces of the proofs that it read.
async fn hangs_up(times: u8) -> (Result<Token, KeyFailure>, Vec<Value>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let issuer = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let (key, card) = key(&issuer);
    let served = tokio::spawn(async move {
        let mut nonces = Vec::new();
        for n in 0..=times {
            let Ok((mut stream, _)) = listener.accept().await else { break };
            assert_eq!(request(&mut stream).await.0, "/api/keys/challenge");
            answer(&mut stream, &challenge(&issuer, n)).await;
            let (target, body) = request(&mut stream).await;
            assert_eq!((target.as_str(), &body["scope"]), ("/api/keys/login", &json!("read")));
            nonces.push(body["signed"]["nonce"].clone());
            if n < times {
                continue;
            }
            let token = json!({ "access_token": "a.b.c", "token_type": "DPoP", "expires_in": 300,
                "scope": "read" });
            answer(&mut stream, &token).await;
        }
        nonces
    });
    let mut client = Client::new(card.issuer.clone());
    let scopes = Scopes::of("read").unwrap();
    let token = key.log_in(&mut client, &card, &scopes, &SeededRng::new(1)).await;
    if token.is_err() {
        served.abort();
        return (token, Vec::new());
    }
    (token, served.await.unwrap())
}

#[tokio::test]
async fn a_login_that_lost_its_connection_begins_again_once() {
    let (token, nonces) = hangs_up(0).await;
    assert_eq!((token.unwrap().scope, nonces.len()), ("read".to_owned(), 1));
    let (token, nonces) = hangs_up(1).await;
    assert_eq!(token.unwrap().access_token, "a.b.c");
    let of = |byte| json!(b64url::encode(&[byte; NONCE_BYTES]));
    assert_eq!(nonces, [of(0), of(1)], "each proof has a nonce of its own");
    let (token, _) = hangs_up(2).await;
    assert!(matches!(token, Err(KeyFailure::Client(ClientError::Unreachable { .. }))), "{token:?}");
}

#[test]
fn what_was_not_taken_for_its_connection_alone_is_shown_again() {
    let url = || "https://keys.example".parse().unwrap();
    let (there, elsewhere) = (Some([1; 32]), Some([2; 32]));
    let (_, card) = key("https://keys.example");
    let statement = |purpose, channel| Statement {
        purpose,
        domain: domain(&card).unwrap(),
        nonce: [0; NONCE_BYTES],
        device: SigningKey::from_seed(Secret::<[u8; 32]>::make(|b| b.fill(4))).verifying_key(),
        scopes: Scopes::default(),
        channel,
        act: Act::None,
    };
    let refused = |code: &str| {
        ClientError::Refused(
            serde_json::from_value(json!({ "code": code, "message": "" })).unwrap(),
        )
    };
    let lost = || ClientError::Unreachable {
        server: String::new(),
        source: std::io::ErrorKind::ConnectionReset.into(),
    };
    let cases = [
        (refused("device_signature"), Purpose::Rotate, there, elsewhere, true),
        (refused("device_signature"), Purpose::Login, there, None, true),
        (refused("device_signature"), Purpose::Login, there, there, false),
        (refused("device_signature"), Purpose::Login, None, elsewhere, false),
        (refused("proof_wrong"), Purpose::Login, there, elsewhere, false),
        (lost(), Purpose::Login, None, None, true),
        (lost(), Purpose::Enrol, there, there, true),
        // It may have been done.
        (lost(), Purpose::Manage, there, elsewhere, false),
        (lost(), Purpose::Rotate, there, elsewhere, false),
    ];
    for (error, purpose, proven_on, sent_on, again) in cases {
        let client = Client::new(url()).on_channel(sent_on);
        let found = is_again(&error, &client, &statement(purpose, proven_on));
        assert_eq!(found, again, "{error} {purpose:?} {proven_on:?} {sent_on:?}");
    }
}
