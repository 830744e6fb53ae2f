//! A home with accounts in a backup, and out of it into either database.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use symbolon_account::{AccountError, AccountStore};
use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_crypto::SigningKey;
use symbolon_log::{Log, vkey};
use symbolon_secret::Secret;
use symbolon_store::backup::{BackupError, Target, back_up, restore};
use symbolon_store::{Accounts, FolderStorage, Home, Manifest, SqliteStore};

use crate::base::{Base, server_key};
use crate::make::{commit, revision, vault};
use crate::tampering::fill;

const ORIGIN: &str = "example.test/log";

fn passphrase() -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(9, |b| b.copy_from_slice(b"long word"))
}

/// A home with a log of three entries, two of them under a checkpoint, and the server's key.
async fn home(folder: &Path) -> Home {
    let home = Home::create(&folder.join("home")).unwrap();
    let signer = Arc::new(SigningKey::make(&SeededRng::new(3)));
    fs::write(home.operator_pub(), vkey(ORIGIN, &signer.verifying_key()).unwrap()).unwrap();
    let storage = FolderStorage::open(&home.log()).unwrap();
    let log = Log::open(storage, ORIGIN, Some(signer)).unwrap();
    for entry in [&b"one"[..], b"two", b"three"] {
        log.append(entry).unwrap();
        log.commit().unwrap();
        if entry == b"two" {
            log.checkpoint().unwrap();
        }
    }
    SqliteStore::create(&home.database()).await.unwrap().close().await;
    let key =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(home.server_key());
    key.unwrap().write_all(&[&b"symbolon/server-key/v1\n"[..], &[1; 32]].concat()).unwrap();
    Manifest::new([4; 16].into(), 5).write(&home).unwrap();
    home
}

async fn take(home: &Home, accounts: &Accounts, file: &Path) -> Result<u64, BackupError> {
    let ambient = (&ManualClock::at(7) as _, &SeededRng::new(8) as _);
    let taken = back_up(home, Some(accounts), file, &passphrase(), ambient, &|_| ()).await?;
    assert_eq!((taken.entries, taken.covered), (3, 2));
    Ok(taken.account_rows.unwrap())
}

pub async fn a_backup_goes_into_either_database(base: Base) {
    let a = &base.accounts;
    fill(a).await;
    let checked = a.check().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path()).await;
    let file = folder.path().join("backup");
    // Commits go on while it is made.
    let going = tokio::spawn({
        let a = a.clone();
        async move {
            for base in 2..30 {
                a.commit(commit(1, base, vec![revision(9, base - 1, 20)])).await.unwrap();
            }
        }
    });
    let rows = take(&home, a, &file).await.unwrap();
    going.await.unwrap();
    assert!(rows >= checked.rows, "{rows}");

    let other = Base::postgres().await;
    let crate::base::Place::Postgres { address, .. } = &other.place else { unreachable!() };
    for (name, to) in [("own", None), ("team", Some(&**address))] {
        let place = folder.path().join(name);
        let restored =
            restore(&file, &passphrase(), &place, Target { accounts: to, log: None }, &|_| ())
                .await
                .unwrap();
        assert_eq!((restored.entries, restored.account_rows), (3, Some(rows)));
        let again = Home::open(&place).unwrap();
        assert_eq!(again.accounts().exists(), to.is_none());
        let restored = match to {
            None => Accounts::open_sqlite(&again.accounts(), server_key(1)).await.unwrap(),
            Some(_) => other.reopen(server_key(1)).await.unwrap(),
        };
        assert_eq!(restored.check().await.unwrap().rows, rows);
        let (was, is) = (a.vault_of([2; 16].into()), restored.vault_of([2; 16].into()));
        assert_eq!(was.await.unwrap(), is.await.unwrap());
        let one = restored.revision(vault(2), [1; 16].into(), None).await.unwrap();
        assert_eq!(one.sealed, revision(1, 2, 20).sealed);
        // It goes on from where it was.
        let counter = restored.vault_of([1; 16].into()).await.unwrap().head.counter;
        let next = commit(1, counter, vec![revision(50, 1, 20)]);
        restored.commit(next).await.unwrap();
    }
    // A database with accounts is nobody's to restore into, and the home is not made either.
    let place = folder.path().join("third");
    let target = Target { accounts: Some(address), log: None };
    let refused = restore(&file, &passphrase(), &place, target, &|_| ()).await;
    assert!(matches!(refused, Err(BackupError::Accounts(AccountError::Exists(_)))), "{refused:?}");
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("third")), "{left:?}");
}

pub async fn a_damaged_row_stops_a_backup(base: Base) {
    fill(&base.accounts).await;
    base.raw().await.run("UPDATE credential SET name = 'other'", vec![]).await;
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path()).await;
    let file = folder.path().join("backup");
    let refused = take(&home, &base.accounts, &file).await;
    assert!(matches!(refused, Err(BackupError::Accounts(AccountError::Damaged(_)))), "{refused:?}");
    assert!(!file.exists());
}
