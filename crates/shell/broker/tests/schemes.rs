//! Each scheme from `connect` to what an upstream sees over TLS.

mod broker_common;
mod wire_common;

use std::sync::Arc;

use broker_common::home_of;
use serde_json::{Map, Value, json};
use symbolon_broker::{
    Broker, CallError, CallReply, CallRequest, Context, Door, Method, NewConnection, NewGrant,
    Options,
};
use symbolon_secret::Secret;
use wire_common::{Answer, Identity, Seen, Server, ok};

const CREDENTIAL: &str = "s3cr3t/of+these=tests&0123456789";

/// A broker with one service over TLS, connected under `auth`.
struct World {
    _folder: tempfile::TempDir,
    broker: Arc<Broker>,
    server: Server,
}

impl World {
    async fn new(
        auth: &str,
        credential: &str,
        answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = home_of(&folder);
        Broker::init(&home, Method::Device, None).await.unwrap();
        let identity = Identity::make();
        let server =
            Server::start(Some(identity.server(&rustls::version::TLS13, None)), answer).await;
        let options = Options { services: vec![service(auth)], ..Options::default() };
        let broker = Broker::start(&home, options).await.unwrap();
        assert!(broker.unlock_unattended().await.unwrap());
        let new = NewConnection {
            base_url: Some(format!("https://localhost:{}", server.address.port())),
            ca_pem: Some(identity.pem.clone()),
            allow_loopback: true,
            ..NewConnection::of("shop")
        };
        broker.connect(new, secret(credential)).await.unwrap();
        let grant = NewGrant {
            agent: "claude".into(),
            scopes: vec!["shop.*".into()],
            for_seconds: 900,
            connection: None,
            limits: Vec::new(),
            ..NewGrant::default()
        };
        broker.grant(grant).await.unwrap();
        Self { _folder: folder, broker, server }
    }

    async fn call(&self, tool: &str, arguments: Value) -> Result<CallReply, CallError> {
        let session = self.broker.open_session("claude", Door::McpStdio).unwrap();
        let arguments: Map<String, Value> = arguments.as_object().unwrap().clone();
        let request = CallRequest { tool: tool.into(), arguments, connection: None, minted: None };
        self.broker.call(&session, &Context::Direct, request).await
    }

    fn last(&self) -> Seen {
        self.server.heads().pop().expect("a request")
    }
}

fn secret(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |out| out.copy_from_slice(text.as_bytes()))
}

fn header(seen: &Seen, name: &str) -> Option<String> {
    let found = seen.head.lines().filter_map(|l| l.split_once(':'));
    let mut values = found.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.trim());
    let value = values.next().map(str::to_owned);
    assert_eq!(values.next(), None, "{name} comes once");
    value
}

fn service(auth: &str) -> String {
    format!(
        r#"
[service]
id = "shop"
name = "Shop"
base_url = "https://shop.example"
self_hosted = true
docs = "https://shop.example"
auth = {auth}
verify = "things.find"
rate = {{ burst = 60, per_second = 20.0 }}

[[operation]]
id = "things.find"
title = "Find things"
description = "Lists things."
method = "POST"
path = "/find"
scope = "shop.things.read"
effect = "read"

[[operation]]
id = "things.make"
title = "Make a thing"
description = "Makes one thing."
method = "POST"
path = "/things/{{id:any}}"
scope = "shop.things.write"
effect = "write"
body_encoding = "form"
body.note = {{ type = "string", maxLength = 40000 }}
"#
    )
}

#[tokio::test]
async fn a_cookie_is_sent_and_its_echo_is_taken_out() {
    let echo = |seen: &Seen| ok(header(seen, "cookie").unwrap_or_default().as_bytes());
    let credential = "s%3Aabcdef0123456789.sig/+=";
    let w = World::new(r#"{ scheme = "cookie", name = "connect.sid" }"#, credential, echo).await;
    let reply = w.call("shop.things.find", json!({})).await.unwrap();
    assert_eq!(header(&w.last(), "cookie").unwrap(), format!("connect.sid={credential}"));
    assert_eq!(reply.redactions, 1);
    assert!(!reply.body.to_string().contains("abcdef0123456789"), "{}", reply.body);
}

#[tokio::test]
async fn a_form_field_is_sent_first_with_the_right_length() {
    let echo = |seen: &Seen| ok(&seen.body);
    let w = World::new(r#"{ scheme = "form", name = "token" }"#, CREDENTIAL, echo).await;
    let sent = "token=s3cr3t%2Fof%2Bthese%3Dtests%260123456789";
    let reply = w.call("shop.things.find", json!({})).await.unwrap();
    assert_eq!(String::from_utf8(w.last().body).unwrap(), sent);
    assert_eq!(
        header(&w.last(), "content-type").as_deref(),
        Some("application/x-www-form-urlencoded")
    );
    assert!(reply.redactions >= 1 && !reply.body.to_string().contains("s3cr3t"), "{}", reply.body);

    // Hostile: an argument that looks like the field, and a body over the size of a record.
    for note in ["x&token=mine".to_owned(), "n".repeat(30_000)] {
        let arguments = json!({ "id": "a&token=b", "note": note });
        w.call("shop.things.make", arguments).await.unwrap();
        let body = String::from_utf8(w.last().body).unwrap();
        let note = note.replace('&', "%26").replace('=', "%3D");
        assert_eq!(body, format!("{sent}&note={note}"));
    }
    let e = w.call("shop.things.make", json!({ "id": "1", "token": "mine" })).await.unwrap_err();
    assert_eq!(e.code, "invalid_arguments");
}

#[tokio::test]
async fn a_form_service_takes_no_operation_without_a_form() {
    let folder = tempfile::tempdir().unwrap();
    let home = home_of(&folder);
    Broker::init(&home, Method::Device, None).await.unwrap();
    let form = r#"{ scheme = "form", name = "note" }"#;
    let get = service(r#"{ scheme = "form", name = "token" }"#).replacen("\"POST\"", "\"GET\"", 1);
    for bad in [service(form), get] {
        let options = Options { services: vec![bad], ..Options::default() };
        let e = Broker::start(&home, options).await.unwrap_err();
        assert_eq!(e.code, "catalog", "{e}");
    }
}

const AWS: &str = "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

#[tokio::test]
async fn aws_requests_are_signed_and_a_session_token_is_sent_and_taken_out() {
    let auth = r#"{ scheme = "aws4", service = "execute-api", region = "eu-west-1" }"#;
    let echo = |seen: &Seen| ok(seen.head.as_bytes());
    let w = World::new(auth, AWS, echo).await;
    let reply = w.call("shop.things.make", json!({ "id": "a b", "note": "n" })).await.unwrap();
    let seen = w.last();
    let value = header(&seen, "authorization").unwrap();
    let start = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/";
    assert!(value.starts_with(start), "{value}");
    let names = "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date";
    assert!(value.contains("/eu-west-1/execute-api/aws4_request, ") && value.contains(names));
    assert!(header(&seen, "x-amz-date").unwrap().ends_with('Z'));
    assert_eq!(header(&seen, "x-amz-security-token"), None);
    assert_eq!(reply.redactions, 0, "nothing of the credential was sent");

    let token = "FwoGZXIvYXdzEXAMPLE+TOKEN/of=these=tests0123456789";
    let w = World::new(auth, &format!("{AWS}:{token}"), echo).await;
    let reply = w.call("shop.things.make", json!({ "id": "a b", "note": "n" })).await.unwrap();
    let seen = w.last();
    assert_eq!(header(&seen, "x-amz-security-token").as_deref(), Some(token));
    let value = header(&seen, "authorization").unwrap();
    assert!(value.contains(";x-amz-date;x-amz-security-token"), "{value}");
    assert_eq!(reply.redactions, 1);

    // The signature, made again from what the upstream saw.
    let headers = "content-type host x-amz-content-sha256 x-amz-date x-amz-security-token";
    let lines: String =
        headers.split(' ').map(|n| format!("{n}:{}\n", header(&seen, n).unwrap())).collect();
    let hash = symbolon_crypto::sha256(&seen.body);
    let signed_names = headers.replace(' ', ";");
    let canonical = format!("POST\n/things/a%2520b\n\n{lines}\n{signed_names}\n{hash}");
    let date = header(&seen, "x-amz-date").unwrap();
    let scope = format!("{}/eu-west-1/execute-api/aws4_request", &date[..8]);
    let hash = symbolon_crypto::sha256(canonical.as_bytes());
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
    let secret = AWS.split_once(':').unwrap().1.as_bytes();
    let key = symbolon_crypto::aws4_key(secret, &date[..8], "eu-west-1", "execute-api");
    let mac = symbolon_crypto::hmac_under(&key, &[text.as_bytes()]);
    assert!(
        value.ends_with(&format!("Signature={}", symbolon_codec::hex::encode(mac))),
        "{value}\n{canonical}"
    );
}

#[tokio::test]
async fn an_aws_credential_has_its_form_or_is_refused() {
    let auth = r#"{ scheme = "aws4", service = "s3", region = "eu-west-1" }"#;
    let w = World::new(auth, AWS, |_| ok(b"")).await;
    for bad in [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AKIA:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AKIAIOSFODNN7EXAMPLE:short",
        "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI K7MDENG bPxRfiCYEXAMPLEKEY",
        "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY:a:b",
    ] {
        let new = NewConnection { replace: true, ..NewConnection::of("shop") };
        let e = w.broker.connect(new, secret(bad)).await.unwrap_err();
        assert_eq!(e.code, "credential", "{bad}");
        assert!(!e.to_string().contains("wJalr"), "{e}");
    }
}

#[tokio::test]
async fn an_hmac_is_made_as_the_catalogue_says() {
    let auth = r#"{ scheme = "hmac", algorithm = "sha512", key = "base64", encoding = "base64", message = "{timestamp}\\n{nonce}\\n{method}{path_query}{body}", timestamp = "milliseconds", headers = { x-sign = "v1={signature}", x-time = "{timestamp}", x-nonce = "{nonce}", x-key = "{key_id}" } }"#;
    let auth = auth.replace("\\\\n", "\\n");
    let w = World::new(&auth, "key-1:c2VjcmV0IGtleSBvZiB0aGVzZSB0ZXN0cw==", |_| ok(b"{}")).await;
    w.call("shop.things.make", json!({ "id": "7", "note": "a b" })).await.unwrap();
    let seen = w.last();
    let (time, nonce) = (header(&seen, "x-time").unwrap(), header(&seen, "x-nonce").unwrap());
    assert_eq!(header(&seen, "x-key").as_deref(), Some("key-1"));
    let message = format!("{time}\n{nonce}\nPOST/things/7note=a%20b");
    let mac = symbolon_crypto::hmac(
        symbolon_crypto::MacHash::Sha512,
        b"secret key of these tests",
        &[message.as_bytes()],
    );
    let want = format!("v1={}", symbolon_codec::b64::encode(mac.as_ref()));
    assert_eq!(header(&seen, "x-sign").unwrap(), want);
    w.call("shop.things.make", json!({ "id": "7" })).await.unwrap();
    assert_ne!(header(&w.last(), "x-nonce").unwrap(), nonce);

    for bad in ["no-id-at-all", "id:not*base64*at*all", "id:c2Vj\ncmV0IGtleQ=="] {
        let new = NewConnection { replace: true, ..NewConnection::of("shop") };
        assert_eq!(w.broker.connect(new, secret(bad)).await.unwrap_err().code, "credential");
    }
}
