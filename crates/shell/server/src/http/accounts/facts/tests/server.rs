//! The accounts' routes over a store, without a listener, and with a clock that is set.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::{Router, body::Body};
use http::{Request, response::Parts};
use http_body_util::BodyExt;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use symbolon_account::{
    Account, AccountStore, Credential, Event, ServerKey, Session, SignIn, SignUp, SignedHead,
    Vault, VaultKeys,
};
use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_circuits::IssuerKey;
use symbolon_codec::Digest32;
use symbolon_possession::token::Scopes;
use symbolon_possession::{Audience, KeyStore, Service as Relying, ServiceSecret};
use symbolon_secret::Secret;
use symbolon_store::Accounts;
use tempfile::TempDir;

use super::super::super::super::accounts::{AccountsOptions, ProofIssuers, PublicOrigin};
use super::super::super::{caller::Caller, door::Admitted, router, service::Service};

pub const ORIGIN: &str = "http://localhost:7070";
/// 2026-11-22, noon.
pub const NOON: u64 = 1_795_348_800_000;

pub fn issuer() -> IssuerKey {
    IssuerKey::make(&SeededRng::new(11))
}

pub fn stranger() -> IssuerKey {
    IssuerKey::make(&SeededRng::new(12))
}

pub struct Server {
    pub service: Arc<Service<Accounts>>,
    pub store: Accounts,
    pub clock: Arc<ManualClock>,
    /// Of the service https://shop.example.
    pub secret: String,
    pub other_secret: String,
    router: TowerToHyperService<Router>,
    _folder: TempDir,
}

impl Server {
    /// With an issuer of its own, and another for the demo.
    pub async fn start() -> Self {
        let (own, demo) = (vec![issuer().public()], vec![stranger().public()]);
        Self::with(ProofIssuers { demo, own }).await
    }

    /// Whose operator named no issuer.
    pub async fn silent() -> Self {
        Self::with(ProofIssuers::default()).await
    }

    async fn with(proof_issuers: ProofIssuers) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = || ServerKey::from_secret(Secret::<[u8; 32]>::make(|bytes| bytes.fill(1)));
        let file = folder.path().join("accounts.db");
        let store = Accounts::open_sqlite(&file, key()).await.unwrap();
        let origin = PublicOrigin::parse(ORIGIN).unwrap();
        let options = AccountsOptions { proof_issuers, ..AccountsOptions::at(origin) };
        let mut service = Service::open(store.clone(), key(), &options).await.unwrap();
        let clock = Arc::new(ManualClock::at(NOON));
        let (shared, rng) = (service.store.clone(), service.rng.clone());
        service.facts = super::super::Facts::open(shared, &options, clock.clone(), rng).unwrap();
        service.clock = clock.clone();
        store.sign_up(&operator()).await.unwrap();
        let mut secrets = Vec::new();
        for (n, audience) in [(1, "https://shop.example"), (2, "https://other.example")] {
            let secret = ServiceSecret::make(&SeededRng::new(n.into()));
            let relying = Relying {
                id: [n; 16].into(),
                account: [1; 16].into(),
                audience: Audience::parse(audience).unwrap(),
                name: "A shop".to_owned(),
                scopes: Scopes::of("read").unwrap(),
                token_seconds: 300,
                secret_hash: service.possession.secret_hash(&secret),
                created_unix_ms: NOON,
            };
            store.put_service(&relying, &event()).await.unwrap();
            secrets.push(secret.to_holder());
        }
        let service = Arc::new(service);
        let router = TowerToHyperService::new(router::router(service.clone()));
        let (other_secret, secret) = (secrets.pop().unwrap(), secrets.pop().unwrap());
        Self { service, store, clock, secret, other_secret, router, _folder: folder }
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        self.send_by(Caller::Nobody, method, path, headers, body).await
    }

    /// A request of whoever the door found.
    pub async fn send_by(
        &self,
        caller: Caller,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let admitted = Admitted { caller, address, channel: None };
        request.extensions_mut().insert(admitted);
        let (head, body) = self.router.call(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { head, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub async fn get(&self, path: &str, secret: &str) -> Answer {
        let bearer = format!("Bearer {secret}");
        self.send("GET", path, &[("authorization", &bearer)], "").await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[JSON], &body.to_string()).await
    }

    pub async fn post_as(&self, path: &str, secret: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {secret}");
        let headers = [JSON, ("authorization", bearer.as_str())];
        self.send("POST", path, &headers, &body.to_string()).await
    }

    /// A session of the shop's.
    pub async fn ask(&self, asking: &Value) -> Value {
        let begun = self.post_as("/api/proofs/sessions", &self.secret, asking).await;
        assert_eq!(begun.status(), 201, "{}", begun.text);
        begun.json()
    }
}

pub const JSON: (&str, &str) = ("content-type", "application/json");

pub struct Answer {
    head: Parts,
    pub text: String,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    pub fn header(&self, name: &str) -> &str {
        self.head.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status(), 200, "{}", self.text);
        self.json()
    }

    /// The code of an error of this status, which comes in a pair.
    #[track_caller]
    pub fn code(&self, status: u16) -> String {
        let error = self.json();
        assert_eq!((self.status(), &error["http_status"]), (status, &status.into()), "{error}");
        assert!(error["message"].is_string() && error["next"].is_string(), "{error}");
        error["code"].as_str().unwrap().to_owned()
    }
}

pub fn event() -> Event {
    Event { at_unix_ms: NOON, kind: "test".to_owned(), detail: "{}".to_owned() }
}

/// Whose the services are.
pub fn operator() -> SignUp {
    let account = [1; 16].into();
    SignUp {
        account: Account::new(account, None, NOON),
        credential: Credential {
            id: [1; 16].into(),
            account,
            method: SignIn::Passkey,
            subject: vec![1; 20],
            state: Vec::new(),
            name: "key".into(),
            created_unix_ms: NOON,
            last_used_unix_ms: None,
        },
        vault: Vault {
            id: [1; 16].into(),
            account,
            keys: VaultKeys {
                head_key: [1; 32],
                share_key: [1; 32],
                wraps: "[]".into(),
                ring: Vec::new(),
                epoch: 1,
            },
            keys_version: 1,
            head: SignedHead { counter: 0, bytes: vec![1; 100] },
            used_bytes: 0,
            quota_bytes: 1000,
        },
        session: Session {
            id: [1; 16].into(),
            token_hash: Digest32([1; 32]),
            account,
            method: SignIn::Passkey,
            created_unix_ms: NOON,
            seen_unix_ms: NOON,
            expires_unix_ms: NOON + 1000,
            confirmed_until_unix_ms: None,
            user_agent: "test".into(),
            revoked_unix_ms: None,
        },
        event: event(),
    }
}
