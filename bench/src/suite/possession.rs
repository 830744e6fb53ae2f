//! A login by a proof of possession (`specs/pzk-auth.md`): what the holder's device does, what the server must check,
//! and all of it over HTTP with each nonce durable. Proofs are made beforehand, so that the server is measured.

use std::net::SocketAddr;
use std::time::Instant;

use serde_json::{Value, json};
use symbolon_account::{
    Account, AccountStore, Credential, Event, ServerKey, Session, SignIn, SignUp,
};
use symbolon_account::{SignedHead, Vault, VaultKeys};
use symbolon_ambient::{Clock, SystemClock, SystemRng};
use symbolon_broker::Options as BrokerOptions;
use symbolon_codec::{Digest32, b64url};
use symbolon_crypto::SigningKey;
use symbolon_possession::token::Scopes;
use symbolon_possession::{
    Act, ApiKey, Audience, Device, DeviceId, Domain, Enrolling, KeyAccount, KeyStore, PossessedKey,
    PossessionKeys, Purpose, Service, Statement, StrongKey, verify,
};
use symbolon_secret::Secret;
use symbolon_server::http::{Accounts, AccountsOptions, PublicOrigin, ServeOptions, serve};
use tokio_util::sync::CancellationToken;

use super::login::{ORIGIN, answers, requests, send, unlimited};
use crate::home::BenchHome;
use crate::meter::Meter;
use crate::row::Report;
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let logins = options.iterations.unwrap_or(LOGINS).clamp(1, 50_000);
    let holder = Holder::make()?;
    let proofs = holder.prove(logins, report)?;
    holder.check(&proofs, report)?;
    let runtime = super::runtime()?;
    for &at_once in options.concurrency.iter().filter(|n| **n <= logins) {
        runtime.block_on(over_http(&holder, logins, at_once, report))?;
    }
    Ok(())
}

/// A key, its device, and the server's keys.
struct Holder {
    server: PossessionKeys,
    domain: Domain,
    key: PossessedKey,
    device: SigningKey,
}

/// What is sent, and what it is about.
struct Made {
    statement: Statement,
    proof: symbolon_possession::Proof,
}

fn server_key() -> ServerKey {
    ServerKey::from_secret(Secret::<[u8; 32]>::make(|bytes| bytes.fill(7)))
}

impl Holder {
    fn make() -> Result<Self, BenchError> {
        let server = PossessionKeys::from_secret(server_key().possession_secret(), ORIGIN);
        let domain = Domain {
            issuer: ORIGIN.to_owned(),
            service: SERVICE.into(),
            audience: Audience::parse("https://api.example").map_err(BenchError::new)?,
            account: KeyAccount::default(),
        };
        let text = Secret::<[u8]>::make_slice(KEY.len(), |b| b.copy_from_slice(KEY));
        let strong = StrongKey::of(text).map_err(BenchError::new)?;
        let enrolling = Enrolling::start(&strong, &SystemRng).map_err(BenchError::new)?;
        let evaluated = server.evaluate(domain.service, enrolling.element());
        let evaluated = evaluated.map_err(BenchError::new)?;
        let key = enrolling.finish(&strong, &evaluated, &domain).map_err(BenchError::new)?;
        Ok(Self { server, domain, key, device: SigningKey::make(&SystemRng) })
    }

    fn statement(&self) -> Result<Statement, BenchError> {
        let (device, now) = (self.device.verifying_key(), SystemClock.unix_ms());
        Ok(Statement {
            purpose: Purpose::Login,
            domain: self.domain.clone(),
            nonce: self.server.nonces.make(self.domain.service, &device, now, &SystemRng),
            device,
            scopes: Scopes::of("read").map_err(BenchError::new)?,
            channel: None,
            act: Act::None,
        })
    }

    fn made(&self) -> Result<Made, BenchError> {
        let statement = self.statement()?;
        let proof = self.key.prove(&statement, &self.device, &SystemRng);
        Ok(Made { statement, proof })
    }

    fn body(&self, made: &Made) -> Value {
        json!({ "device": DeviceId::from(DEVICE).to_string(), "scope": "read", "signed": {
            "nonce": b64url::encode(&made.statement.nonce),
            "proof": b64url::encode(&made.proof.schnorr),
            "signature": b64url::encode(&made.proof.signature) } })
    }

    /// The device's part: statement, proof, signature.
    fn prove(&self, count: usize, report: &mut Report) -> Result<Vec<Made>, BenchError> {
        let meter = Meter::start(std::process::id());
        let mut all = Vec::with_capacity(count);
        for _ in 0..count {
            let start = Instant::now();
            all.push(self.made()?);
            meter.record(start);
        }
        let mut row = meter.row("possession", "prove", 1, "none", all.len() == count);
        row.note = Some("the device's part".to_owned());
        report.row(&row);
        Ok(all)
    }

    /// The server's part without store and HTTP: nonce, signature, proof, token.
    fn check(&self, proofs: &[Made], report: &mut Report) -> Result<(), BenchError> {
        let (service, key, device) = (self.service(), self.api_key(), self.row());
        let meter = Meter::start(std::process::id());
        let mut correct = true;
        for Made { statement, proof } in proofs {
            let start = Instant::now();
            let now = SystemClock.unix_ms();
            let nonces = &self.server.nonces;
            let timely = nonces.judge(&statement.nonce, service.id, &device.public, now);
            let evidence = verify(statement, &key.point, proof).map_err(BenchError::new)?;
            let tokens = &self.server.tokens;
            let issued = tokens.issue(evidence, &service, &key, &device, now, &SystemRng);
            meter.record(start);
            correct &= timely.is_ok() && issued.is_some();
        }
        let mut row = meter.row("possession", "check", 1, "none", correct);
        row.note = Some("nonce, signature, proof, token; at most 120 us".to_owned());
        report.row(&row);
        Ok(())
    }

    fn service(&self) -> Service {
        Service {
            id: self.domain.service,
            account: ACCOUNT.into(),
            audience: self.domain.audience.clone(),
            name: "bench".to_owned(),
            scopes: Scopes::of("read").unwrap_or_default(),
            token_seconds: 300,
            secret_hash: Digest32([1; 32]),
            created_unix_ms: 0,
        }
    }

    fn api_key(&self) -> ApiKey {
        ApiKey {
            id: [2; 16].into(),
            service: self.domain.service,
            account: KeyAccount::default(),
            name: "bench".to_owned(),
            scopes: Scopes::of("read").unwrap_or_default(),
            point: self.key.point(),
            created_unix_ms: 0,
            rotated_unix_ms: None,
            revoked_unix_ms: None,
        }
    }

    fn row(&self) -> Device {
        Device {
            id: DEVICE.into(),
            key: [2; 16].into(),
            public: self.device.verifying_key(),
            name: "bench".to_owned(),
            created_unix_ms: 0,
            used_unix_ms: None,
            revoked_unix_ms: None,
        }
    }

    /// Account, service, key and device, as their routes keep them.
    async fn furnish(&self, store: &symbolon_store::Accounts) -> Result<(), BenchError> {
        store.sign_up(&person()).await.map_err(BenchError::new)?;
        let (service, key) = (self.service(), self.api_key());
        store.put_service(&service, &event("service-added")).await.map_err(BenchError::new)?;
        let put = store.put_key(&service, &key, &event("key-registered")).await;
        put.map_err(BenchError::new)?;
        let (device, now) = (self.device.verifying_key(), SystemClock.unix_ms());
        let nonces = &self.server.nonces;
        let nonce = nonces.make(service.id, &device, now, &SystemRng);
        let timely = nonces.judge(&nonce, service.id, &device, now).map_err(BenchError::new)?;
        let (row, event) = (self.row(), event("key-device-enrolled"));
        let enrolled = store.enrol(&service, &row, &timely, &event).await;
        enrolled.map(drop).map_err(BenchError::new)
    }
}

async fn over_http(
    holder: &Holder,
    logins: usize,
    at_once: usize,
    report: &mut Report,
) -> Result<(), BenchError> {
    let home = BenchHome::make().await?;
    let broker = BenchHome::open(&home.path(), BrokerOptions::default()).await?;
    let stop = CancellationToken::new();
    let file = home.path().join("accounts.db");
    let store = symbolon_store::Accounts::open_sqlite(&file, server_key()).await;
    let store = store.map_err(BenchError::new)?;
    holder.furnish(&store).await?;
    let mut wide = AccountsOptions::at(PublicOrigin::parse(ORIGIN).map_err(BenchError::new)?);
    wide.limits = unlimited();
    let accounts = Accounts::open(store.clone(), server_key(), &wide, stop.clone()).await;
    let mut door = ServeOptions::on(SocketAddr::from(([127, 0, 0, 1], 0)));
    door.accounts = Some(accounts.map_err(BenchError::new)?);
    let serving = serve(broker.clone(), door, stop.clone().cancelled_owned()).await;
    let serving = serving.map_err(BenchError::new)?;

    let made: Result<Vec<_>, _> = (0..logins).map(|_| holder.made()).collect();
    let bodies: Vec<_> = made?.iter().map(|made| holder.body(made)).collect();
    let address = serving.address();
    let requests = requests(address, "/api/keys/login", &bodies);
    let meter = Meter::start(std::process::id());
    let done = send(address, requests, at_once, &meter).await?;
    let mut row = meter.row("possession", "login", at_once, "group", done.len() == logins);
    row.correct &= answers(&done, 200)?.iter().all(|it| it["token_type"] == "DPoP");
    row.note = Some("with the client that sends them, in one process".to_owned());
    report.row(&row);
    stop.cancel();
    serving.stopped().await;
    store.close().await;
    broker.close().await;
    Ok(())
}

fn event(kind: &str) -> Event {
    Event { at_unix_ms: 1, kind: kind.to_owned(), detail: "{}".to_owned() }
}

fn person() -> SignUp {
    let account = ACCOUNT.into();
    SignUp {
        account: Account::new(account, None, 1),
        credential: Credential {
            id: ACCOUNT.into(),
            account,
            method: SignIn::Passkey,
            subject: vec![1; 20],
            state: vec![1; 8],
            name: "bench".to_owned(),
            created_unix_ms: 1,
            last_used_unix_ms: None,
        },
        vault: Vault {
            id: ACCOUNT.into(),
            account,
            keys: VaultKeys {
                head_key: [1; 32],
                share_key: [1; 32],
                wraps: "[]".to_owned(),
                ring: Vec::new(),
                epoch: 1,
            },
            keys_version: 1,
            head: SignedHead { counter: 0, bytes: vec![1; 100] },
            used_bytes: 0,
            quota_bytes: 10_000,
        },
        session: Session {
            id: ACCOUNT.into(),
            token_hash: Digest32([3; 32]),
            account,
            method: SignIn::Passkey,
            created_unix_ms: 1,
            seen_unix_ms: 1,
            expires_unix_ms: 2,
            confirmed_until_unix_ms: None,
            user_agent: String::new(),
            revoked_unix_ms: None,
        },
        event: event("signed-up"),
    }
}

const KEY: &[u8] = b"sk_live_9f86d081884c7d659a2feaa0c55ad015";
const ACCOUNT: [u8; 16] = [9; 16];
const SERVICE: [u8; 16] = [1; 16];
const DEVICE: [u8; 16] = [3; 16];
const LOGINS: usize = 10_000;
