//! What only somebody may do who showed a moment ago who they are, and what a suspended account may not.

use std::sync::Arc;

use serde_json::{Value, json};
use symbolon_account::{AccountState, AccountStore, Credential, SessionToken, SignIn};
use symbolon_ambient::{SeededRng, SystemRng};
use symbolon_codec::{Fields, b64url};
use symbolon_crypto::{SigningKey, labels};

use super::caller::{Caller, Seated};
use super::facts::tests::server::{JSON, NOON, ORIGIN, Server, event, operator};

/// A page with a session that was confirmed until then.
fn page(confirmed_until_unix_ms: u64) -> Caller {
    let mut session = operator().session;
    session.confirmed_until_unix_ms = Some(confirmed_until_unix_ms);
    Caller::Page(Arc::new(Seated { session, token: SessionToken::make(&SystemRng) }))
}

async fn code(
    server: &Server,
    caller: Caller,
    (method, path, body): (&str, &str, &Value),
) -> (u16, String) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = server.send_by(caller, method, path, &[JSON], &body).await;
    let code =
        answer.text.parse::<Value>().ok().and_then(|it| Some(it.get("code")?.as_str()?.to_owned()));
    (answer.status(), code.unwrap_or_default())
}

/// A query for an assistant that registered.
async fn asked(server: &Server) -> String {
    let client =
        json!({ "client_name": "Black box", "redirect_uris": ["https://app.example/back"] });
    let made = server.post("/oauth/register", &client).await;
    assert_eq!(made.status(), 201, "{}", made.text);
    let id = made.json()["client_id"].as_str().unwrap().to_owned();
    let challenge = b64url::encode(&symbolon_crypto::sha256(&[b'v'; 43]).0);
    format!(
        "response_type=code&client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2Fback&code_challenge={challenge}\
         &code_challenge_method=S256&scope=notes.read&resource=http%3A%2F%2Flocalhost%3A7070%2Fmcp&state=x"
    )
}

#[tokio::test]
async fn what_is_dangerous_is_refused_where_nobody_confirmed_lately() {
    let server = Server::start().await;
    let query = asked(&server).await;
    let id = "0".repeat(32);
    let (session, credential) =
        (format!("/api/sessions/{id}"), format!("/api/account/credentials/{id}"));
    let relying = format!("/api/keys/services/{id}");
    let yes = json!({ "query": query, "allow": true, "client_name": "Black box", "scopes": ["notes.read"], "days": 30 });
    let lease = json!({ "nonce": b64url::encode(&[1; 32]), "purposes": ["notes"], "minutes": 5,
        "sealed": b64url::encode(&[1; symbolon_custody::HANDED_OVER_BYTES]) });
    let acts = [
        ("DELETE", session.as_str(), &Value::Null),
        ("DELETE", "/api/sessions", &Value::Null),
        ("DELETE", credential.as_str(), &Value::Null),
        ("POST", "/api/account/credentials", &json!({ "challenge_id": id, "proof": {} })),
        ("PUT", "/api/vault/wraps", &json!({ "base_version": 1, "wraps": [] })),
        ("POST", "/api/vault/leases", &lease),
        ("POST", "/api/oauth/consent", &yes),
        ("DELETE", relying.as_str(), &Value::Null),
        ("DELETE", "/api/account", &Value::Null),
    ];
    for act in acts {
        let refused = (403, "needs_confirmation".to_owned());
        assert_eq!(code(&server, page(NOON), act).await, refused, "{act:?}: over");
        assert_eq!(
            code(&server, Caller::Nobody, act).await,
            (401, "no_session".to_owned()),
            "{act:?}"
        );
        // The last of them ends the account, so it is the last.
        let found = code(&server, page(NOON + 1), act).await;
        assert_ne!(found.1, "needs_confirmation", "{act:?}: confirmed");
    }
}

#[tokio::test]
async fn a_suspended_account_is_nobodys() {
    let server = Server::start().await;
    let key = SigningKey::make(&SeededRng::new(5));
    let public = *key.verifying_key().as_bytes();
    let credential = Credential {
        id: [2; 16].into(),
        method: SignIn::Key,
        subject: public.to_vec(),
        ..operator().credential
    };
    server.store.add_credential(&credential, &event()).await.unwrap();
    for (state, wanted) in [
        (AccountState::Active, (200, "")),
        (AccountState::Suspended, (401, "bad_proof")),
        (AccountState::Active, (200, "")),
    ] {
        server.store.set_account_state([1; 16].into(), state, &event()).await.unwrap();
        let ask = json!({ "purpose": "sign-in", "method": "key" });
        let asked = server.post("/api/account/challenge", &ask).await.ok();
        let text = |name: &str| asked[name].as_str().unwrap().to_owned();
        let id: symbolon_account::ChallengeId = text("challenge_id").parse().unwrap();
        let signed = Fields::new(labels::KEY_PROOF.as_str())
            .bytes(id.as_bytes())
            .str("sign-in")
            .str(ORIGIN)
            .bytes(&b64url::decode(&text("nonce"), 32).unwrap())
            .finish();
        let proof = json!({ "public_key": b64url::encode(&public), "signature": b64url::encode(&key.sign(&signed)) });
        let answer = json!({ "challenge_id": id, "proof": proof });
        let found = code(&server, Caller::Nobody, ("POST", "/api/session", &answer)).await;
        assert_eq!(found, (wanted.0, wanted.1.to_owned()), "{state:?}");
    }
}
