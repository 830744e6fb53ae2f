use symbolon_account::{AccountState, AccountStore, Event, KeyChange};
use symbolon_ambient::Clock;
use symbolon_lease::{Ended, LeaseError, Purpose};
use symbolon_vault::replica::Filter;

use crate::made::{Holder, NOW, Server, minutes, note};

async fn lent(n: u8, purposes: &[Purpose], time: u32) -> (Server, Holder) {
    let server = Server::new().await;
    let mut holder = Holder::sign_up(&server, n).await;
    holder.write(&note("A note", "text"));
    holder.sync(&server).await;
    holder.lend(&server, purposes, time).await;
    (server, holder)
}

fn event(kind: &str) -> Event {
    Event { at_unix_ms: NOW, kind: kind.into(), detail: "{}".into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_ends_by_the_monotonic_clock() {
    let (server, holder) = lent(1, &[Purpose::Notes], 15).await;
    let leased = server.leases.open(holder.account, Purpose::Notes).unwrap();
    assert_eq!(leased.items(&Filter::default()).await.unwrap().len(), 1);
    // Who sets the calendar back wins nothing.
    server.clock.set_unix_ms(0);
    minutes(&server.clock, 14);
    assert_eq!(server.leases.list(holder.account)[0].left_ms, 60_000);
    assert!(server.leases.open(holder.account, Purpose::Notes).is_some());
    assert_eq!(server.leases.sweep().await, 0);
    minutes(&server.clock, 1);
    assert!(server.clock.unix_ms() < NOW);
    assert!(server.leases.open(holder.account, Purpose::Notes).is_none());
    let over = leased.items(&Filter::default()).await.unwrap_err();
    assert!(matches!(over, LeaseError::Ended(Ended::Time)));
    assert!(server.leases.list(holder.account).is_empty());
    assert_eq!(server.leases.sweep().await, 1);
    assert_eq!(server.kinds(holder.account).await, ["lease-granted", "lease-ended"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_owner_ends_one_and_nobody_else_does() {
    let (server, holder) = lent(1, &[Purpose::Notes], 15).await;
    let other = Holder::sign_up(&server, 2).await;
    let kept = holder.lend(&server, &[Purpose::Connections], 720).await;
    let leased = server.leases.open(holder.account, Purpose::Notes).unwrap();
    assert!(!server.leases.end(other.account, leased.id(), Ended::Revoked).await);
    assert!(leased.items(&Filter::default()).await.is_ok());
    assert!(server.leases.end(holder.account, leased.id(), Ended::Revoked).await);
    let over = leased.items(&Filter::default()).await.unwrap_err();
    assert!(matches!(over, LeaseError::Ended(Ended::Revoked)));
    assert!(!server.leases.end(holder.account, leased.id(), Ended::Revoked).await);
    let left: Vec<_> = server.leases.list(holder.account).iter().map(|one| one.id).collect();
    assert_eq!(left, [kept.id]);
    assert_eq!(server.leases.end_all(other.account, Ended::SignedOut).await, 0);
    assert_eq!(server.leases.end_all(holder.account, Ended::SignedOut).await, 1);
    let kinds = ["lease-granted", "lease-granted", "lease-ended", "lease-ended"];
    assert_eq!(server.kinds(holder.account).await, kinds);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_keys_ends_it_also_where_another_server_made_it() {
    let (server, holder) = lent(1, &[Purpose::Notes], 15).await;
    let leased = server.leases.open(holder.account, Purpose::Notes).unwrap();
    assert!(leased.items(&Filter::default()).await.is_ok());
    let vault = server.store.vault_of(holder.account).await.unwrap();
    let change = KeyChange { base_version: 1, keys: vault.keys, head: None };
    server.store.change_keys(vault.id, &change, &event("wraps-changed")).await.unwrap();
    let over = leased.items(&Filter::default()).await.unwrap_err();
    assert!(matches!(over, LeaseError::Ended(Ended::Keys)), "{over}");
    assert!(server.leases.open(holder.account, Purpose::Notes).is_none());
    assert_eq!(server.leases.sweep().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_account_has_none() {
    let (server, holder) = lent(1, &[Purpose::Notes], 15).await;
    let leased = server.leases.open(holder.account, Purpose::Notes).unwrap();
    let stopped = AccountState::Suspended;
    server.store.set_account_state(holder.account, stopped, &event("suspended")).await.unwrap();
    let over = leased.save(&note("x", "y"), None).await.unwrap_err();
    assert!(matches!(over, LeaseError::Ended(Ended::Account)), "{over}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_ends_all_of_them() {
    let (server, holder) = lent(1, &[Purpose::Notes], 15).await;
    let leased = server.leases.open(holder.account, Purpose::Notes).unwrap();
    server.leases.close().await;
    let over = leased.items(&Filter::default()).await.unwrap_err();
    assert!(matches!(over, LeaseError::Ended(Ended::Stopped)));
    assert_eq!(server.kinds(holder.account).await, ["lease-granted", "lease-ended"]);
}
