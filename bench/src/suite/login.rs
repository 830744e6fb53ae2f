//! A sign-in with a password (OPAQUE) over HTTP: what the server does of it. The client's part, which Argon2id
//! makes slow on purpose, runs between the two steps and is not timed.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures::future::try_join_all;
use serde_json::{Value, json};
use symbolon_account::ServerKey;
use symbolon_account::rate::Rate;
use symbolon_ambient::SystemRng;
use symbolon_broker::Options as BrokerOptions;
use symbolon_codec::b64url;
use symbolon_crypto::SigningKey;
use symbolon_crypto::opaque::{
    ClientLogin, ClientRegistration, CredentialResponse, RegistrationResponse, ServerKey as Pinned,
};
use symbolon_secret::Secret;
use symbolon_server::http::{
    Accounts, AccountsOptions, PublicOrigin, RateLimits, ServeOptions, serve,
};
use symbolon_vault::VaultId;
use symbolon_vault::wire::{Head, SignedHead};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::exchange::whole;
use crate::home::BenchHome;
use crate::meter::Meter;
use crate::row::Report;
use crate::{BenchError, Options};

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let logins = options.iterations.unwrap_or(LOGINS).clamp(1, 10_000);
    let runtime = super::runtime()?;
    for &at_once in options.concurrency.iter().filter(|n| **n <= logins) {
        runtime.block_on(case(logins, at_once, report))?;
    }
    Ok(())
}

async fn case(logins: usize, at_once: usize, report: &mut Report) -> Result<(), BenchError> {
    let home = BenchHome::make().await?;
    let broker = BenchHome::open(&home.path(), BrokerOptions::default()).await?;
    let stop = CancellationToken::new();
    let key = || ServerKey::from_secret(Secret::<[u8; 32]>::make(|bytes| bytes.fill(7)));
    let file = home.path().join("accounts.db");
    let store = symbolon_store::Accounts::open_sqlite(&file, key()).await;
    let store = store.map_err(BenchError::new)?;
    let mut wide = AccountsOptions::at(PublicOrigin::parse(ORIGIN).map_err(BenchError::new)?);
    wide.limits = unlimited();
    let accounts = Accounts::open(store.clone(), key(), &wide, stop.clone()).await;
    let mut door = ServeOptions::on(SocketAddr::from(([127, 0, 0, 1], 0)));
    door.accounts = Some(accounts.map_err(BenchError::new)?);
    let serving = serve(broker.clone(), door, stop.clone().cancelled_owned()).await;
    let serving = serving.map_err(BenchError::new)?;
    let address = serving.address();

    sign_up(address).await?;
    let begun: Result<Vec<_>, _> =
        (0..logins).map(|_| ClientLogin::start(&password(), &SystemRng)).collect();
    let (waiting, asks): (Vec<_>, Vec<_>) = begun
        .map_err(BenchError::new)?
        .into_iter()
        .map(|(login, request)| (login, ask("sign-in", &request.to_bytes())))
        .unzip();
    let asks = requests(address, "/api/account/challenge", &asks);
    let meter = Meter::start(std::process::id());
    let start = Instant::now();
    let asked = send(address, asks, at_once, &meter).await?;
    let first = start.elapsed();
    report.row(&meter.row("login", "challenge", at_once, "group", asked.len() == logins));
    let asked = answers(&asked, 200)?;

    let proofs = requests(address, "/api/session", &answer(waiting, asked).await?);
    let meter = Meter::start(std::process::id());
    let start = Instant::now();
    let done = send(address, proofs, at_once, &meter).await?;
    let whole = first + start.elapsed();
    let mut row = meter.row("login", "session", at_once, "group", done.len() == logins);
    row.correct &= answers(&done, 200).is_ok();
    let per_second = logins as f64 / whole.as_secs_f64();
    row.note = Some(format!("{per_second:.0} logins a second, both steps"));
    report.row(&row);
    stop.cancel();
    serving.stopped().await;
    store.close().await;
    broker.close().await;
    Ok(())
}

/// Requests, whole, with these bodies.
pub(super) fn requests(address: SocketAddr, path: &str, bodies: &[Value]) -> Vec<Vec<u8>> {
    let one = |body: &Value| {
        let body = body.to_string();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        [head.into_bytes(), body.into_bytes()].concat()
    };
    bodies.iter().map(one).collect()
}

/// Sends them over so many connections; gives the responses, whole, in the order of the requests. They are made before
/// and read after, so that while it runs nearly all is the server's work.
pub(super) async fn send(
    address: SocketAddr,
    requests: Vec<Vec<u8>>,
    at_once: usize,
    meter: &Meter,
) -> Result<Vec<Vec<u8>>, BenchError> {
    let left: Mutex<VecDeque<(usize, Vec<u8>)>> =
        Mutex::new(requests.into_iter().enumerate().collect());
    let one = async || {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut responses = Vec::new();
        loop {
            let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some((nth, request)) = next else { return Ok::<_, BenchError>(responses) };
            let start = Instant::now();
            let response = exchange(&mut stream, &request).await?;
            meter.record(start);
            responses.push((nth, response));
        }
    };
    // Each connection is polled when it has something, and not with the others.
    let done = try_join_all((0..at_once).map(|_| one())).await?;
    let mut all: Vec<(usize, Vec<u8>)> = done.into_iter().flatten().collect();
    all.sort_unstable_by_key(|(nth, _)| *nth);
    Ok(all.into_iter().map(|(_, response)| response).collect())
}

async fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<Vec<u8>, BenchError> {
    stream.write_all(request).await?;
    let mut buffer = Vec::with_capacity(2048);
    while whole(&buffer).is_none() {
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err(BenchError::new("the server closed the connection"));
        }
    }
    Ok(buffer)
}

/// What the responses hold, each of which must have this status.
pub(super) fn answers(responses: &[Vec<u8>], status: u16) -> Result<Vec<Value>, BenchError> {
    let head = format!("HTTP/1.1 {status}");
    let one = |response: &Vec<u8>| {
        let is_right = response.starts_with(head.as_bytes());
        let body = whole(response).filter(|_| is_right);
        let answer = body.and_then(|body| serde_json::from_slice(&body).ok());
        answer.ok_or_else(|| BenchError::new(String::from_utf8_lossy(response)))
    };
    responses.iter().map(one).collect()
}

/// The client's part of each login, on two threads.
async fn answer(waiting: Vec<ClientLogin>, asked: Vec<Value>) -> Result<Vec<Value>, BenchError> {
    let left: Arc<Mutex<VecDeque<_>>> =
        Arc::new(Mutex::new(waiting.into_iter().zip(asked).collect()));
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let left = left.clone();
            tokio::task::spawn_blocking(move || {
                let mut proofs = Vec::new();
                loop {
                    let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((login, asked)) = next else { return Ok::<_, BenchError>(proofs) };
                    proofs.push(finish(login, &asked)?);
                }
            })
        })
        .collect();
    let mut proofs = Vec::new();
    for thread in threads {
        proofs.extend(thread.await.map_err(BenchError::new)??);
    }
    Ok(proofs)
}

fn finish(login: ClientLogin, asked: &Value) -> Result<Value, BenchError> {
    let response = CredentialResponse::from_bytes(&message(asked)?).map_err(BenchError::new)?;
    let done = login.finish(&password(), &response, &pinned(asked)?, &SystemRng);
    let finalization = done.map_err(BenchError::new)?.finalization.to_bytes();
    let proof = json!({ "finalization": b64url::encode(&finalization) });
    Ok(json!({ "challenge_id": asked["challenge_id"], "proof": proof }))
}

async fn sign_up(address: SocketAddr) -> Result<(), BenchError> {
    let mut stream = TcpStream::connect(address).await?;
    let (registration, request) =
        ClientRegistration::start(&password(), &SystemRng).map_err(BenchError::new)?;
    let mut once = async |path: &str, body: Value, status| {
        let request = requests(address, path, &[body]).concat();
        let response = exchange(&mut stream, &request).await?;
        answers(&[response], status).map(|mut all| all.swap_remove(0))
    };
    let ask = ask("sign-up", &request.to_bytes());
    let asked = once("/api/account/challenge", ask, 200).await?;
    let response = RegistrationResponse::from_bytes(&message(&asked)?).map_err(BenchError::new)?;
    let done = registration.finish(&password(), &response, &pinned(&asked)?, &SystemRng);
    let record = done.map_err(BenchError::new)?.upload.to_bytes();
    let key = SigningKey::make(&SystemRng);
    let head = Head::first(VaultId::make(&SystemRng), 1);
    let vault = json!({
        "id": head.vault.to_string(),
        "head_key": b64url::encode(key.verifying_key().as_bytes()),
        "share_key": b64url::encode(&[9; 32]),
        "wraps": [{}],
        "head": SignedHead::sign(head, &key),
    });
    let new = json!({ "challenge_id": asked["challenge_id"], "vault": vault,
        "proof": { "record": b64url::encode(&record) } });
    once("/api/account", new, 201).await.map(|_| ())
}

fn ask(purpose: &str, request: &[u8]) -> Value {
    json!({ "purpose": purpose, "method": "password", "handle": "bench",
        "opaque": { "request": b64url::encode(request) } })
}

fn message(asked: &Value) -> Result<Vec<u8>, BenchError> {
    let text = asked["opaque"]["response"].as_str().unwrap_or_default();
    b64url::decode(text, 1024).map_err(BenchError::new)
}

fn pinned(asked: &Value) -> Result<Pinned, BenchError> {
    let text = asked["opaque"]["server_key"].as_str().unwrap_or_default();
    Pinned::from_hex(text).map_err(BenchError::new)
}

fn password() -> Secret<[u8]> {
    let text = b"correct horse battery";
    Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text))
}

/// What is measured is the work, not the limits.
pub(super) fn unlimited() -> RateLimits {
    let rate = Rate::per_second(1_000_000, 1_000_000);
    RateLimits {
        entry_by_address: rate,
        name_by_address: rate,
        name: rate,
        any_by_address: rate,
        reads: rate,
        writes: rate,
        custody: rate,
        key_login: rate,
        introspections: rate,
        proof_answers: rate,
        proof_questions: rate,
        proof_sessions: rate,
        authorship_acts: rate,
        authorship_looks: rate,
    }
}

pub(super) const ORIGIN: &str = "http://localhost:7070";
const LOGINS: usize = 200;
