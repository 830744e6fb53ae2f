//! The routes over a store and a broker with a log: who is first, who is refused, what anybody sees.

use std::sync::Arc;

use serde_json::{Value, json};
use symbolon_account::{AccountId, AccountStore, Handle};
use symbolon_ambient::{SeededRng, SystemRng};
use symbolon_authorship::{
    Act, CanonicalText, Certificate, Commit, OwnerSecrets, Reveal, Transfer, commitment_of, verify,
};
use symbolon_broker::{Broker, Method, Options};
use symbolon_codec::{Digest32, hex};
use symbolon_receipt::OperatorKey;
use tempfile::TempDir;

use super::super::caller::Caller;
use super::super::facts::tests::server::{Answer, JSON, NOON, Server, operator};

struct World {
    server: Server,
    broker: Arc<Broker>,
    _home: TempDir,
}

/// A registration on its way.
struct Mine {
    account: AccountId,
    secrets: OwnerSecrets,
    digest: Digest32,
    commitment: Digest32,
}

impl World {
    /// Accounts 1, without a handle, and 2, which is `bob`; a log with nothing in it.
    async fn new() -> Self {
        let server = Server::start().await;
        let id = |n: u8| -> AccountId { [n; 16].into() };
        let mut bob = operator();
        bob.account.id = id(2);
        bob.account.handle = Some(Handle::parse("bob").unwrap());
        bob.credential.id = [2; 16].into();
        bob.credential.account = id(2);
        bob.credential.subject = vec![2; 20];
        bob.vault.id = [2; 16].into();
        bob.vault.account = id(2);
        bob.session.id = [2; 16].into();
        bob.session.account = id(2);
        bob.session.token_hash = Digest32([2; 32]);
        server.store.sign_up(&bob).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("home");
        Broker::init(&path, Method::Device, None).await.unwrap();
        let broker = Broker::start(&path, Options::default()).await.unwrap();
        assert!(broker.unlock_unattended().await.unwrap());
        server.service.authorship.write_in(broker.clone());
        Self { server, broker, _home: home }
    }

    fn log(&self) -> String {
        self.broker.log_origin().to_owned()
    }

    async fn act(&self, account: AccountId, route: &str, body: &Value) -> Answer {
        let (path, caller) = (format!("/api/authorship/{route}"), Caller::Program { account });
        self.server.send_by(caller, "POST", &path, &[JSON], &body.to_string()).await
    }

    async fn look(&self, hash: &Digest32) -> Answer {
        self.server.send("GET", &format!("/api/authorship/{hash}"), &[], "").await
    }

    fn commit_body(&self, mine: &Mine) -> Value {
        let act = Act::from(Commit {
            log: self.log(),
            author: mine.secrets.public(),
            holder: mine.secrets.holder(mine.account.as_bytes()),
            commitment: mine.commitment,
        });
        json!({ "author": key(&mine.secrets), "commitment": mine.commitment,
            "signature": hex::encode(mine.secrets.sign(&act)) })
    }

    async fn commit(&self, mine: &Mine) -> Answer {
        self.act(mine.account, "commits", &self.commit_body(mine)).await
    }

    async fn reveal(&self, mine: &Mine, index: u64, show_handle: bool) -> Answer {
        let act = Act::from(Reveal {
            log: self.log(),
            registration: index,
            owner: mine.secrets.public(),
            digest: mine.digest,
        });
        let body = json!({ "commitment": mine.commitment, "digest": mine.digest,
            "signature": hex::encode(mine.secrets.sign(&act)), "show_handle": show_handle });
        self.act(mine.account, "reveals", &body).await
    }

    fn certified(&self, view: &Value) -> symbolon_authorship::VerifiedCertificate {
        let operator = OperatorKey::parse(&self.broker.operator_vkey()).unwrap();
        verify(&serde_json::to_vec(&view["certificate"]).unwrap(), &operator).unwrap()
    }
}

fn mine(account: u8, text: &str) -> Mine {
    let secrets = OwnerSecrets::make(&SystemRng);
    let digest = secrets.salt().digest(&CanonicalText::of(text).unwrap());
    of(account, secrets, digest)
}

fn of(account: u8, secrets: OwnerSecrets, digest: Digest32) -> Mine {
    let commitment = commitment_of(&secrets.public(), &digest);
    Mine { account: [account; 16].into(), secrets, digest, commitment }
}

fn key(secrets: &OwnerSecrets) -> String {
    hex::encode(secrets.public().as_bytes())
}

#[tokio::test]
async fn a_text_is_registered_shown_and_found_by_who_has_its_digest() {
    let world = World::new().await;
    let said = world.server.send("GET", "/api/authorship", &[], "").await.ok();
    assert!(world.broker.operator_vkey().trim_end() == said["log"], "{said}");

    let bobs = mine(2, "A poem.\n");
    assert_eq!(world.look(&bobs.digest).await.code(404), "not_registered");
    let made = world.commit(&bobs).await;
    assert_eq!(made.status(), 201, "{}", made.text);
    let made = made.json();
    let index = made["index"].as_u64().unwrap();
    assert_eq!((&made["revealed"], &made["registered_unix_ms"]), (&json!(false), &json!(NOON)));
    // Once: the answer may have been lost.
    assert_eq!(world.commit(&bobs).await.ok(), made);
    // Not found by its digest yet; the commitment shows a registration without one.
    assert_eq!(world.look(&bobs.digest).await.code(404), "not_registered");
    let view = world.look(&bobs.commitment).await.ok();
    assert_eq!((view.get("digest"), view.get("handle")), (None, None));

    let shown = world.reveal(&bobs, index, true).await.ok();
    assert_eq!((&shown["index"], &shown["revealed"]), (&json!(index), &json!(true)));
    let again = world.reveal(&bobs, index, true).await.ok();
    assert_eq!(again, shown, "the answer may have been lost");
    let view = world.look(&bobs.digest).await.ok();
    assert_eq!((&view["handle"], &view["index"]), (&json!("bob"), &json!(index)));
    let verified = world.certified(&view);
    assert_eq!(verified.standing().digest(), Some(&bobs.digest));
    assert_eq!(verified.salt(), None, "the server has none");
    let whole = Certificate::parse(&serde_json::to_vec(&view["certificate"]).unwrap()).unwrap();
    assert_eq!(whole.entries.len(), 2, "what was asked twice stands once");

    // Whoever is gone is named no more; the log keeps what it has.
    world.server.store.delete_account([2; 16].into(), NOON).await.unwrap();
    let view = world.look(&bobs.digest).await.ok();
    assert_eq!((view.get("handle"), &view["index"]), (None, &json!(index)));
}

#[tokio::test]
async fn the_first_index_wins_whoever_reveals_first() {
    let world = World::new().await;
    let anns = mine(1, "A poem.");
    let first = world.commit(&anns).await.json()["index"].as_u64().unwrap();
    // Who learnt the digest, by whatever way, commits to it later.
    let bobs = of(2, OwnerSecrets::make(&SeededRng::new(5)), anns.digest);
    let second = world.commit(&bobs).await.json()["index"].as_u64().unwrap();
    assert!(first < second);
    world.reveal(&bobs, second, true).await.ok();
    assert_eq!(world.look(&anns.digest).await.ok()["index"], second);
    world.reveal(&anns, first, false).await.ok();
    let view = world.look(&anns.digest).await.ok();
    assert_eq!((&view["index"], view.get("handle")), (&json!(first), None));
    // And who comes behind is told so, by the index.
    let late = of(2, OwnerSecrets::make(&SeededRng::new(6)), anns.digest);
    let third = world.commit(&late).await.json()["index"].as_u64().unwrap();
    let refused = world.reveal(&late, third, false).await;
    assert!(refused.text.contains(&format!("before, at {first}")), "{}", refused.text);
    assert_eq!(refused.code(409), "not_first");
}

#[tokio::test]
async fn what_is_not_ones_own_is_not_taken() {
    let world = World::new().await;
    let anns = mine(1, "A poem.");
    let body = world.commit_body(&anns);
    let nobody = world.server.post("/api/authorship/commits", &body).await;
    assert_eq!(nobody.code(401), "no_session");
    // Another account sends the same act: it names whose it is.
    assert_eq!(world.act([2; 16].into(), "commits", &body).await.code(422), "bad_act");
    let index = world.commit(&anns).await.json()["index"].as_u64().unwrap();
    let as_bob = Mine { account: [2; 16].into(), ..anns };
    assert_eq!(world.reveal(&as_bob, index, true).await.code(404), "not_registered");
    let anns = Mine { account: [1; 16].into(), ..as_bob };
    assert_eq!(world.reveal(&anns, index + 1, false).await.code(422), "bad_act");
    let other = Mine { digest: Digest32([9; 32]), ..anns };
    assert_eq!(world.reveal(&other, index, false).await.code(409), "other_digest");
    for (change, value) in [
        ("author", json!("00")),
        ("commitment", json!("xy")),
        ("signature", json!("00".repeat(63))),
        ("more", json!(1)),
    ] {
        let mut wrong = body.clone();
        wrong[change] = value;
        let answer = world.act([1; 16].into(), "commits", &wrong).await;
        assert!(matches!(answer.status(), 400 | 422), "{change}: {}", answer.text);
    }
    let odd = world.server.send("GET", "/api/authorship/xyz", &[], "").await;
    assert_eq!(odd.code(422), "bad_request");
}

#[tokio::test]
async fn an_authorship_is_handed_over_once() {
    let world = World::new().await;
    let anns = mine(1, "A poem.");
    let index = world.commit(&anns).await.json()["index"].as_u64().unwrap();
    let newest = world.reveal(&anns, index, false).await.ok()["newest"].as_u64().unwrap();
    let bob = OwnerSecrets::with_salt(anns.secrets.salt().clone(), &SystemRng);
    let act = Act::from(Transfer {
        log: world.log(),
        registration: index,
        previous: newest,
        owner: anns.secrets.public(),
        next: bob.public(),
        holder: bob.holder(&[2; 16]),
    });
    let body = json!({ "commitment": anns.commitment, "next": key(&bob),
        "signature": hex::encode(anns.secrets.sign(&act)),
        "acceptance": hex::encode(bob.accept(&act)), "show_handle": true });
    // The offer is to bob's account alone, and needs his key's word.
    assert_eq!(world.act([1; 16].into(), "transfers", &body).await.code(422), "bad_act");
    let mut pushed = body.clone();
    pushed["acceptance"] = json!(hex::encode(anns.secrets.accept(&act)));
    assert_eq!(world.act([2; 16].into(), "transfers", &pushed).await.code(422), "bad_act");
    let taken = world.act([2; 16].into(), "transfers", &body).await.ok();
    assert_eq!(world.act([2; 16].into(), "transfers", &body).await.ok(), taken, "once");
    let view = world.look(&anns.digest).await.ok();
    assert_eq!((&view["handle"], &view["owner"]), (&json!("bob"), &json!(key(&bob))));
    let verified = world.certified(&view);
    assert_eq!(verified.standing().author(), &anns.secrets.public());
    assert_eq!(verified.standing().owner(), &bob.public());
    // Ann's key signs nothing of it any more.
    assert_eq!(world.reveal(&anns, index, true).await.code(404), "not_registered");
}

#[tokio::test]
async fn without_a_log_or_a_key_for_it_nothing_is_registered() {
    let server = Server::start().await;
    assert_eq!(server.send("GET", "/api/authorship", &[], "").await.code(503), "no_log");
    let world = World::new().await;
    let anns = mine(1, "A poem.");
    world.broker.lock();
    assert_eq!(world.commit(&anns).await.code(503), "locked");
    assert!(world.broker.unlock_unattended().await.unwrap());
    assert_eq!(world.commit(&anns).await.status(), 201);
}

#[tokio::test]
async fn acts_and_looks_have_their_limits() {
    let world = World::new().await;
    let anns = mine(1, "A poem.");
    let mut codes = Vec::new();
    for _ in 0..61 {
        codes.push(world.commit(&anns).await.status());
    }
    assert_eq!((codes[0], codes[59], codes[60]), (201, 200, 429));
    let mut looked = 0;
    while world.look(&anns.commitment).await.status() == 200 {
        looked += 1;
    }
    assert_eq!(looked, 100, "of one address");
}
