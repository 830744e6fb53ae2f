//! Facts that are proven: sessions that are good once, holders who come once, issuers that are believed no more.

use symbolon_account::{AccountError, AccountStore};
use symbolon_ambient::SeededRng;
use symbolon_circuits::{IssuerKey, IssuerPublicKey, Nonce};
use symbolon_codec::Digest32;
use symbolon_possession::KeyStore;
use symbolon_proof::{
    Acceptance, Accepted, Asker, Outcome, ProofStore, RelyingParty, StoredSession, Unique,
};
use symbolon_store::Accounts;

use crate::base::{Base, server_key};
use crate::keys;
use crate::make::{NOW, event, person};

/// Where service `n` of person `n` asks; 0 is the server itself.
fn party(n: u8) -> RelyingParty {
    let asker = (n > 0).then_some(Asker { service: [n; 16], operator: [n; 16] });
    RelyingParty { audience: "https://shop.example".parse().unwrap(), asker }
}

fn asked(of: u8, nonce: u8) -> StoredSession {
    StoredSession {
        nonce: Nonce([nonce; 16]),
        party: party(of),
        account: format!("customer {nonce}"),
        request_hash: Digest32([nonce; 32]),
        expires_unix_ms: NOW + 900,
        binding: nonce.is_multiple_of(2).then_some([nonce; 32]),
        outcome: None,
    }
}

fn outcome(n: u8) -> Outcome {
    Outcome { binding: [n; 32], evidence: format!("{{\"n\":{n}}}") }
}

/// An answer to a session by holder `holder`, who comes once in epoch 7 where there is one.
fn answer(of: u8, nonce: u8, holder: Option<u8>) -> Acceptance {
    let unique = holder.map(|holder| Unique {
        operator: party(of).asker.map(|asker| asker.operator),
        audience: party(of).audience,
        epoch: 7,
        nullifier: [holder; 32],
    });
    Acceptance { nonce: Nonce([nonce; 16]), unique, outcome: outcome(nonce) }
}

fn issuer(n: u64) -> IssuerPublicKey {
    IssuerKey::make(&SeededRng::new(n)).public()
}

/// A session of a service, used up, and another of the server's; an issuer who was revoked.
pub async fn furnish(a: &Accounts, n: u8) {
    for (of, nonce) in [(n, n), (0, n + 50)] {
        a.begin(&asked(of, nonce)).await.unwrap();
        a.accept(&answer(of, nonce, Some(n + 150))).await.unwrap();
    }
    assert!(a.revoke_issuer(issuer(n.into()), NOW).await.unwrap());
}

pub async fn a_session_is_kept_and_used_up_once(base: Base) {
    let a = &base.accounts;
    a.sign_up(&person(1)).await.unwrap();
    keys::furnish(a, 1).await;
    for session in [asked(1, 1), asked(0, 2)] {
        assert_eq!(a.find(session.nonce).await.unwrap(), None);
        a.begin(&session).await.unwrap();
        assert!(a.begin(&session).await.is_err(), "a nonce names one session");
        assert_eq!(a.find(session.nonce).await.unwrap(), Some(session));
    }
    assert_eq!(a.accept(&answer(1, 1, None)).await, Ok(Accepted::Taken));
    let used = StoredSession { outcome: Some(outcome(1)), ..asked(1, 1) };
    assert_eq!(a.find(used.nonce).await.unwrap(), Some(used.clone()));
    let other = Acceptance { outcome: outcome(9), ..answer(1, 1, Some(3)) };
    assert_eq!(a.accept(&other).await, Ok(Accepted::Spent));
    assert_eq!(a.find(used.nonce).await.unwrap(), Some(used), "the first stands");
    assert_eq!(a.accept(&answer(1, 77, None)).await, Ok(Accepted::Spent), "of nobody's");
    // What was refused kept no nullifier.
    assert_eq!(a.accept(&answer(0, 2, Some(3))).await, Ok(Accepted::Taken));
    let gone = Acceptance { nonce: Nonce([9; 16]), ..answer(0, 2, None) };
    assert_eq!(a.accept(&gone).await, Ok(Accepted::Spent));
    a.check().await.unwrap();
}

pub async fn a_holder_comes_once_in_an_epoch(base: Base) {
    let a = &base.accounts;
    for n in [1, 2] {
        a.sign_up(&person(n)).await.unwrap();
        keys::furnish(a, n).await;
    }
    for (of, nonce) in [(1, 1), (1, 2), (2, 3), (0, 4), (0, 5)] {
        a.begin(&asked(of, nonce)).await.unwrap();
    }
    let came = async |of, nonce, holder| a.accept(&answer(of, nonce, Some(holder))).await.unwrap();
    assert_eq!(came(1, 1, 8).await, Accepted::Taken);
    assert_eq!(came(1, 2, 8).await, Accepted::SeenBefore);
    assert_eq!(a.find(Nonce([2; 16])).await.unwrap(), Some(asked(1, 2)), "still open");
    assert_eq!(came(1, 2, 9).await, Accepted::Taken, "for somebody else");
    // Another operator's holders are other holders, whatever the audience says; so are the server's own.
    assert_eq!(came(2, 3, 8).await, Accepted::Taken);
    assert_eq!(came(0, 4, 8).await, Accepted::Taken);
    assert_eq!(came(0, 5, 8).await, Accepted::SeenBefore);
    // Another epoch, another audience.
    let mut later = answer(0, 5, Some(8));
    later.unique.as_mut().unwrap().epoch = 8;
    assert_eq!(a.accept(&later).await, Ok(Accepted::Taken));
    a.begin(&asked(0, 6)).await.unwrap();
    let mut elsewhere = answer(0, 6, Some(8));
    elsewhere.unique.as_mut().unwrap().audience = "https://other.example".parse().unwrap();
    assert_eq!(a.accept(&elsewhere).await, Ok(Accepted::Taken));
    a.check().await.unwrap();
}

pub async fn of_many_answers_one_is_taken(base: Base) {
    // Two servers: each has its own connections, and in SQLite its own writer.
    let servers = [base.accounts.clone(), base.reopen(server_key(1)).await.unwrap()];
    for round in 0..5 {
        servers[0].begin(&asked(0, round)).await.unwrap();
        let tasks: Vec<_> = (0..16)
            .map(|n| {
                let (server, answer) = (servers[n % 2].clone(), answer(0, round, Some(round)));
                tokio::spawn(async move { server.accept(&answer).await.unwrap() })
            })
            .collect();
        let mut taken = 0;
        for task in tasks {
            match task.await.unwrap() {
                Accepted::Taken => taken += 1,
                Accepted::Spent => {}
                Accepted::SeenBefore => panic!("the session was used first"),
            }
        }
        assert_eq!(taken, 1);
    }
    // One holder at many sessions.
    for nonce in 100..116 {
        servers[0].begin(&asked(0, nonce)).await.unwrap();
    }
    let tasks: Vec<_> = (100..116)
        .map(|nonce| {
            let server = servers[usize::from(nonce) % 2].clone();
            tokio::spawn(async move { server.accept(&answer(0, nonce, Some(90))).await.unwrap() })
        })
        .collect();
    let mut came = Vec::new();
    for task in tasks {
        came.push(task.await.unwrap());
    }
    assert_eq!(came.iter().filter(|one| **one == Accepted::Taken).count(), 1, "{came:?}");
    assert_eq!(came.iter().filter(|one| **one == Accepted::SeenBefore).count(), 15, "{came:?}");
    servers[1].check().await.unwrap();
}

pub async fn an_issuer_stays_revoked_at_every_server(base: Base) {
    let (a, other) = (&base.accounts, base.reopen(server_key(1)).await.unwrap());
    assert!(!other.is_revoked(issuer(1)).await.unwrap());
    assert!(a.revoke_issuer(issuer(1), NOW).await.unwrap());
    assert!(other.is_revoked(issuer(1)).await.unwrap());
    assert!(!other.is_revoked(issuer(2)).await.unwrap());
    assert!(!other.revoke_issuer(issuer(1), NOW + 1).await.unwrap(), "it was");
    let raw = base.raw().await;
    raw.run("UPDATE revoked_issuer SET at_unix_ms = at_unix_ms + 1", vec![]).await;
    assert!(a.is_revoked(issuer(1)).await.is_err(), "a changed row is no answer");
}

pub async fn ended_sessions_are_purged_and_nullifiers_stay(base: Base) {
    let a = &base.accounts;
    a.begin(&asked(0, 1)).await.unwrap();
    a.accept(&answer(0, 1, Some(8))).await.unwrap();
    assert_eq!(a.purge_proofs(NOW + 899).await, Ok(0));
    assert_eq!(a.purge_proofs(NOW + 900).await, Ok(1));
    assert_eq!(a.find(Nonce([1; 16])).await.unwrap(), None);
    a.begin(&asked(0, 2)).await.unwrap();
    assert_eq!(a.accept(&answer(0, 2, Some(8))).await, Ok(Accepted::SeenBefore));
}

pub async fn a_services_sessions_go_with_it(base: Base) {
    let a = &base.accounts;
    for n in [1, 2] {
        a.sign_up(&person(n)).await.unwrap();
        keys::furnish(a, n).await;
        furnish(a, n).await;
    }
    a.remove_service([1; 16].into(), [1; 16].into(), &event("service-removed")).await.unwrap();
    assert_eq!(a.find(Nonce([1; 16])).await.unwrap(), None);
    assert!(a.find(Nonce([2; 16])).await.unwrap().is_some(), "another's stays");
    // Who came is remembered: the operator may set the service up again.
    a.put_service(&keys::service(1), &event("service-added")).await.unwrap();
    a.begin(&asked(1, 33)).await.unwrap();
    assert_eq!(a.accept(&answer(1, 33, Some(151))).await, Ok(Accepted::SeenBefore));
    let nobodys = a.begin(&asked(9, 34)).await;
    assert!(nobodys.is_err(), "a service that is not there asks nothing");
    a.check().await.unwrap();
}

pub async fn a_changed_session_is_refused(base: Base) {
    let a = &base.accounts;
    a.begin(&asked(0, 1)).await.unwrap();
    let raw = base.raw().await;
    raw.run("UPDATE proof_session SET expires_unix_ms = expires_unix_ms + 1", vec![]).await;
    assert!(a.find(Nonce([1; 16])).await.is_err());
    assert!(a.accept(&answer(0, 1, None)).await.is_err());
    assert!(matches!(a.check().await, Err(AccountError::Damaged(_))));
}
