//! The store keeps what it was given, and says what is wrong with what it finds.

use std::path::PathBuf;

use symbolon_ambient::{SeededRng, SystemClock};
use symbolon_codec::Digest32;
use symbolon_crypto::RecoveryCode;
use symbolon_custody::{Enrol, Opener, Vault};

use super::*;

pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("symbolon-sqlite-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
    pub(super) fn file(&self) -> PathBuf {
        self.0.join("state.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn connection(name: &str) -> Connection {
    Connection {
        name: ConnectionName::parse(name).unwrap(),
        service: "github".into(),
        base_url: "https://api.github.com".into(),
        auth: Scheme::Bearer,
        ca_pem: None,
        allow_loopback: false,
        allow_private: true,
        scopes: vec!["github.*".into()],
        fingerprint: Digest32([7; 32]),
        created_unix_ms: 5,
    }
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_restart() {
    let scratch = Scratch::new("restart");
    let store = SqliteStore::create(&scratch.file()).await.unwrap();
    store.put_connection(&connection("github"), b"sealed", false).await.unwrap();
    let grant = Grant {
        id: 0,
        agent: AgentName::parse("claude").unwrap(),
        connection: ConnectionName::parse("github").unwrap(),
        scopes: vec!["github.issues.read".into()],
        limits: vec![Limit::parse("owner=acme").unwrap()],
        ask: Ask::parse(&["amount>5", "write"], AskVia::Client).unwrap(),
        budgets: vec![Budget::parse("github.*: 20 calls/hour").unwrap()],
        cooldown_seconds: Some(30),
        hours: vec![Hours::parse("mon-fri 09:00-17:00 Europe/Berlin").unwrap()],
        created_unix_ms: 1,
        expires_unix_ms: 2,
        revoked: false,
        parent: None,
        delegable: 2,
        by_agent: false,
    };
    let id = store.add_grant(&grant).await.unwrap();
    store.revoke_grant(id).await.unwrap();
    store.put_operator_seed(b"seed").await.unwrap();
    store.close().await;

    let store = SqliteStore::open(&scratch.file()).await.unwrap();
    let found = store.connections().await.unwrap();
    assert_eq!(found[0].1, b"sealed");
    assert_eq!(format!("{:?}", found[0].0), format!("{:?}", connection("github")));
    let grants = store.grants().await.unwrap();
    assert!(grants[0].revoked && grants[0].id == id && grants[0].limits == grant.limits);
    assert_eq!(grants[0].ask, grant.ask);
    assert_eq!((&grants[0].budgets, &grants[0].hours), (&grant.budgets, &grant.hours));
    assert_eq!(grants[0].cooldown_seconds, Some(30));
    assert_eq!(store.operator_seed().await.unwrap().unwrap(), b"seed");
    assert_ne!(store.add_grant(&grant).await.unwrap(), id, "a number is never given twice");
}

#[tokio::test]
async fn a_grant_is_taken_back_with_all_that_is_under_it() {
    let scratch = Scratch::new("tree");
    let store = SqliteStore::create(&scratch.file()).await.unwrap();
    let under = |parent: Option<u64>| Grant {
        id: 0,
        agent: AgentName::parse("claude").unwrap(),
        connection: ConnectionName::parse("github").unwrap(),
        scopes: vec!["github.issues.read".into()],
        limits: Vec::new(),
        ask: Ask::default(),
        budgets: Vec::new(),
        cooldown_seconds: None,
        hours: Vec::new(),
        created_unix_ms: 1,
        expires_unix_ms: 2,
        revoked: false,
        parent,
        delegable: 1,
        by_agent: parent.is_some(),
    };
    for parent in [None, Some(1), Some(1), Some(3), None, Some(5)] {
        store.add_grant(&under(parent)).await.unwrap();
    }
    // Rows that somebody changed, into a circle and into a line upwards.
    store.add_grant(&under(Some(8))).await.unwrap();
    store.add_grant(&under(Some(7))).await.unwrap();
    let revoked = async || {
        let all = store.grants().await.unwrap();
        all.iter().filter(|g| g.revoked).map(|g| g.id).collect::<Vec<_>>()
    };
    store.revoke_grant(3).await.unwrap();
    assert_eq!(revoked().await, [3, 4]);
    store.revoke_grant(1).await.unwrap();
    assert_eq!(revoked().await, [1, 2, 3, 4]);
    store.revoke_grant(7).await.unwrap();
    assert_eq!(revoked().await, [1, 2, 3, 4, 7, 8]);
    let all = store.grants().await.unwrap();
    assert_eq!((all[3].parent, all[3].delegable, all[3].by_agent), (Some(3), 1, true));
}

#[tokio::test]
async fn names_are_taken_once_and_missing_ones_are_said() {
    let scratch = Scratch::new("names");
    let store = SqliteStore::create(&scratch.file()).await.unwrap();
    store.put_connection(&connection("a"), b"1", false).await.unwrap();
    assert!(matches!(
        store.put_connection(&connection("a"), b"2", false).await,
        Err(StoreError::Exists(_))
    ));
    store.put_connection(&connection("a"), b"3", true).await.unwrap();
    assert_eq!(store.connections().await.unwrap()[0].1, b"3");
    let b = ConnectionName::parse("b").unwrap();
    assert!(matches!(store.delete_connection(&b).await, Err(StoreError::Missing(_))));
    assert!(matches!(store.revoke_grant(9).await, Err(StoreError::Missing(_))));
}

#[tokio::test]
async fn a_change_of_wraps_is_all_or_nothing() {
    let scratch = Scratch::new("wraps");
    let store = SqliteStore::create(&scratch.file()).await.unwrap();
    let rng = SeededRng::new(1);
    let code = RecoveryCode::make(&rng);
    let (vault, _) =
        Vault::create(&Enrol::new(Opener::Recovery(&code)), &rng, &SystemClock).unwrap();
    store.change_wraps(vault.wraps(), &[]).await.unwrap();
    let (other, _) =
        Vault::create(&Enrol::new(Opener::Recovery(&code)), &rng, &SystemClock).unwrap();
    // The removal fails, so the addition must not stay.
    assert!(store.change_wraps(other.wraps(), &["nobody".into()]).await.is_err());
    assert_eq!(store.wraps().await.unwrap(), vault.wraps());
}

#[tokio::test]
async fn a_file_that_is_no_database_is_damaged() {
    let scratch = Scratch::new("damage");
    std::fs::write(scratch.file(), b"this is not a database, it is a text of some length").unwrap();
    let error = SqliteStore::open(&scratch.file()).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_called_one_and_loses_nothing() {
    let scratch = Scratch::new("full");
    let store = SqliteStore::create(&scratch.file()).await.unwrap();
    store.put_connection(&connection("kept"), b"sealed", false).await.unwrap();
    // What SQLite says of a disk without room (SQLITE_FULL), on every connection of the pool.
    let (mut a, mut b) = (store.pool.acquire().await.unwrap(), store.pool.acquire().await.unwrap());
    for one in [&mut a, &mut b] {
        query("PRAGMA max_page_count = 1").execute(&mut **one).await.unwrap();
    }
    drop((a, b));
    let large = vec![7; 1 << 20];
    let failed = store.put_connection(&connection("kept"), &large, true).await;
    assert!(matches!(failed, Err(StoreError::Full)), "{failed:?}");
    store.close().await;
    let store = SqliteStore::open(&scratch.file()).await.unwrap();
    assert_eq!(store.connections().await.unwrap()[0].1, b"sealed", "the old one is whole");
}

#[tokio::test]
async fn several_connections_are_kept_all_or_none() {
    let scratch = Scratch::new("several");
    let store = SqliteStore::create(&scratch.file()).await.unwrap();
    store.put_connection(&connection("there"), b"before", false).await.unwrap();
    let one = |name: &str, replace| SealedConnection {
        connection: connection(name),
        envelope: b"new".to_vec(),
        replace,
    };
    let taken = store.put_connections(&[one("a", false), one("there", false)]).await;
    assert!(matches!(taken, Err(StoreError::Exists(name)) if name == "there"));
    let kept = store.connections().await.unwrap();
    assert_eq!(
        kept.iter().map(|(c, e)| (c.name.as_str(), &e[..])).collect::<Vec<_>>(),
        [("there", &b"before"[..])]
    );
    store.put_connections(&[one("a", false), one("there", true)]).await.unwrap();
    let kept = store.connections().await.unwrap();
    assert!(kept.len() == 2 && kept.iter().all(|(_, e)| e == b"new"));
}

#[tokio::test]
async fn a_mount_and_its_connection_come_and_go_together() {
    use symbolon_capability::{MountRow, MountStore, SealedConnection};
    let scratch = Scratch::new("mounts");
    let store = SqliteStore::create(&scratch.file()).await.unwrap();
    let row = |body: &[u8]| MountRow {
        name: ConnectionName::parse("files").unwrap(),
        created_unix_ms: 7,
        body: body.to_vec(),
    };
    let own = |replace| SealedConnection {
        connection: connection("files"),
        envelope: b"sealed".to_vec(),
        replace,
    };
    store.put_mount(&row(b"one"), &own(false)).await.unwrap();
    let twice = store.put_mount(&row(b"two"), &own(false)).await;
    assert!(matches!(twice, Err(StoreError::Exists(_))), "{twice:?}");
    assert_eq!(store.mounts().await.unwrap(), [row(b"one")]);
    store.put_mount(&row(b"two"), &own(true)).await.unwrap();
    store.replace_mount(&row(b"three")).await.unwrap();
    drop(store);
    let store = SqliteStore::open(&scratch.file()).await.unwrap();
    assert_eq!(store.mounts().await.unwrap(), [row(b"three")]);
    // A connection of that name that is no mount's keeps the mount out, and nothing is half kept.
    store.put_connection(&connection("other"), b"own", false).await.unwrap();
    let other = MountRow { name: ConnectionName::parse("other").unwrap(), ..row(b"x") };
    let beside = SealedConnection { connection: connection("other"), ..own(false) };
    assert!(matches!(store.put_mount(&other, &beside).await, Err(StoreError::Exists(_))));
    assert_eq!(store.mounts().await.unwrap().len(), 1);
    store.delete_mount(&row(b"").name).await.unwrap();
    assert!(matches!(store.delete_mount(&row(b"").name).await, Err(StoreError::Missing(_))));
    assert!(store.mounts().await.unwrap().is_empty());
    let left = store.connections().await.unwrap();
    assert_eq!(left.iter().map(|(c, _)| c.name.as_str()).collect::<Vec<_>>(), ["other"]);
}
