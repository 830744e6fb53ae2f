use symbolon_lease::{GrantError, LeaseView, Purpose};

use crate::made::{Holder, Server, minutes, process};

#[track_caller]
fn refused(found: Result<LeaseView, GrantError>, fits: impl Fn(&GrantError) -> bool) {
    let error = found.expect_err("refused");
    assert!(fits(&error), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_lease_is_good_once_for_its_process_and_account() {
    let server = Server::new().await;
    let (holder, other) = (Holder::sign_up(&server, 1).await, Holder::sign_up(&server, 2).await);
    let nonce = |e: &GrantError| matches!(e, GrantError::Nonce);

    let offer = holder.offer(&server.leases.invite(holder.account), &[Purpose::Notes], 15);
    server.leases.grant(holder.account, &offer).await.unwrap();
    refused(server.leases.grant(holder.account, &offer).await, nonce);

    // Another account brings it, then its own account: the nonce went with the first try.
    let offer = holder.offer(&server.leases.invite(holder.account), &[Purpose::Notes], 15);
    refused(server.leases.grant(other.account, &offer).await, nonce);
    refused(server.leases.grant(holder.account, &offer).await, nonce);

    // The process after a restart, or beside it.
    let second = process(&server.store, &server.clock, 2);
    let offer = holder.offer(&server.leases.invite(holder.account), &[Purpose::Notes], 15);
    refused(second.grant(holder.account, &offer).await, nonce);
    // What was sealed to the first, with a nonce of the second.
    let mixed =
        symbolon_lease::Invitation { key: server.leases.key(), ..second.invite(holder.account) };
    let offer = holder.offer(&mixed, &[Purpose::Notes], 15);
    let sealed = |e: &GrantError| matches!(e, GrantError::NotOpened);
    refused(second.grant(holder.account, &offer).await, sealed);

    let offer = holder.offer(&server.leases.invite(holder.account), &[Purpose::Notes], 15);
    minutes(&server.clock, 5);
    refused(server.leases.grant(holder.account, &offer).await, nonce);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_holder_did_not_agree_to_does_not_open() {
    let server = Server::new().await;
    let holder = Holder::sign_up(&server, 1).await;
    let sealed = |e: &GrantError| matches!(e, GrantError::NotOpened);
    let made = || holder.offer(&server.leases.invite(holder.account), &[Purpose::Notes], 15);

    let longer = symbolon_lease::Offer { minutes: 16, ..made() };
    refused(server.leases.grant(holder.account, &longer).await, sealed);
    let both = symbolon_lease::Purposes::new(Purpose::ALL).unwrap();
    let wider = symbolon_lease::Offer { purposes: both, ..made() };
    refused(server.leases.grant(holder.account, &wider).await, sealed);
    let mut changed = made();
    changed.sealed[40] ^= 1;
    refused(server.leases.grant(holder.account, &changed).await, sealed);
    let elsewhere = symbolon_lease::Invitation {
        origin: "http://localhost:9".into(),
        ..server.leases.invite(holder.account)
    };
    let phished = holder.offer(&elsewhere, &[Purpose::Notes], 15);
    refused(server.leases.grant(holder.account, &phished).await, sealed);

    let minutes = |e: &GrantError| matches!(e, GrantError::Minutes { .. });
    for (purposes, time) in
        [(&[Purpose::Notes][..], 61), (&Purpose::ALL, 61), (&[Purpose::Connections], 721)]
    {
        let offer = holder.offer(&server.leases.invite(holder.account), purposes, time);
        refused(server.leases.grant(holder.account, &offer).await, minutes);
    }
    let none = holder.offer(&server.leases.invite(holder.account), &[Purpose::Notes], 0);
    refused(server.leases.grant(holder.account, &none).await, minutes);
    assert!(server.leases.list(holder.account).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_than_the_vaults_is_none() {
    let server = Server::new().await;
    let (holder, mut other) =
        (Holder::sign_up(&server, 1).await, Holder::sign_up(&server, 2).await);
    // An account of theirs, with a vault of the other's id: the key opens nothing of it.
    let invitation = server.leases.invite(other.account);
    let offer = holder.offer(&invitation, &[Purpose::Notes], 15);
    let sealed = |e: &GrantError| matches!(e, GrantError::NotOpened);
    refused(server.leases.grant(other.account, &offer).await, sealed);

    // The right vault's id with a key of one's own: what a program with a stolen signing key can make.
    let opener_rng = symbolon_ambient::SeededRng::new(77);
    let code = symbolon_crypto::RecoveryCode::make(&opener_rng);
    let enrol = symbolon_custody::Enrol::new(symbolon_custody::Opener::Recovery(&code));
    let made = symbolon_custody::Vault::create(&enrol, &opener_rng, &*server.clock).unwrap();
    other.unlocked = made.1;
    let invitation = server.leases.invite(holder.account);
    let asked = symbolon_custody::Asked {
        origin: &invitation.origin,
        key: &invitation.key,
        nonce: &invitation.nonce,
        minutes: 15,
    };
    let purposes = symbolon_lease::Purposes::new([Purpose::Notes]).unwrap();
    let named = symbolon_custody::Terms::lease(holder.unlocked.vault_id(), 1, &asked, purposes);
    let sealed_key = symbolon_secret::Secret::<[u8; 32]>::make(|page| page.fill(9));
    let sealed = invitation
        .key
        .seal(&symbolon_crypto::labels::LEASE, named.as_bytes(), &sealed_key, &opener_rng)
        .unwrap();
    let offer = symbolon_lease::Offer { nonce: invitation.nonce, purposes, minutes: 15, sealed };
    let other_key = |e: &GrantError| matches!(e, GrantError::OtherKey);
    refused(server.leases.grant(holder.account, &offer).await, other_key);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_and_questions_are_bounded() {
    let server = Server::new().await;
    let holder = Holder::sign_up(&server, 1).await;
    let first = server.leases.invite(holder.account);
    for _ in 0..8 {
        server.leases.invite(holder.account);
        server.clock.advance_ms(1);
    }
    let late = holder.offer(&first, &[Purpose::Notes], 1);
    let nonce = |e: &GrantError| matches!(e, GrantError::Nonce);
    refused(server.leases.grant(holder.account, &late).await, nonce);
    for _ in 0..8 {
        holder.lend(&server, &[Purpose::Notes], 1).await;
    }
    let more = holder.offer(&server.leases.invite(holder.account), &[Purpose::Notes], 1);
    let full = |e: &GrantError| matches!(e, GrantError::Full { max: 8 });
    refused(server.leases.grant(holder.account, &more).await, full);
}
