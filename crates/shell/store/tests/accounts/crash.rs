//! A process killed while it commits, and a PostgreSQL server that loses its power.
//!
//! The test runs itself a second time: the child commits and says what was acknowledged, the parent
//! ends it at some point and looks whether all of that is there, and nothing by halves.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use symbolon_account::{AccountError, AccountStore};
use symbolon_store::accounts::{Afterwards, OwnPostgres};
use symbolon_store::{Accounts, DatabaseAddress};

use crate::base::server_key;
use crate::make::{NOW, commit, person, revision, vault};

const PLACE: &str = "SYMBOLON_TEST_CRASH_PLACE";
const VAULTS: u8 = 8;

async fn open(place: &str) -> Result<Accounts, AccountError> {
    if DatabaseAddress::is_one(place) {
        Accounts::open_postgres(&DatabaseAddress::parse(place).unwrap(), server_key(1)).await
    } else {
        Accounts::open_sqlite(Path::new(place), server_key(1)).await
    }
}

/// What the child does: commits of two revisions each to several vaults at once, forever.
#[test]
#[ignore = "run by the tests below, which end it"]
fn child() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let accounts = open(&place).await.unwrap();
        let one = |n: u8| {
            let a = accounts.clone();
            tokio::spawn(async move {
                let from = a.vault_of([n; 16].into()).await.unwrap().head.counter;
                for base in from.. {
                    let items = vec![revision(1, base + 1, 20), revision(2, base + 1, 20)];
                    if a.commit(commit(n, base, items)).await.is_err() {
                        return;
                    }
                    println!("acknowledged {n} {}", base + 1);
                }
            })
        };
        for task in (1..=VAULTS).map(one).collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
}

/// What another child does: deletes one account after the other.
#[test]
#[ignore = "run by the tests below, which end it"]
fn deleting_child() {
    let Ok(place) = std::env::var(PLACE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let accounts = open(&place).await.unwrap();
        for n in 1..=VAULTS {
            match accounts.delete_account([n; 16].into(), NOW).await {
                Ok(()) => println!("acknowledged {n} 1"),
                Err(AccountError::Missing(_)) => {}
                Err(_) => return,
            }
        }
    });
}

fn start(place: &str) -> Child {
    start_as("crash::child", place)
}

fn start_as(child: &str, place: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([child, "--exact", "--ignored", "--nocapture"])
        .env(PLACE, place)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Reads what is acknowledged until `end` says so; gives each vault's highest counter.
fn listen(child: &mut Child, mut end: impl FnMut(usize) -> bool) -> Vec<u64> {
    let mut highest = vec![0; usize::from(VAULTS) + 1];
    let mut seen = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // The last line of a killed process may be cut.
        let Ok(line) = line else { break };
        let words: Vec<_> = line.split(' ').collect();
        let ["acknowledged", n, counter] = words[..] else { continue };
        let (Ok(n), Ok(counter)) = (n.parse::<usize>(), counter.parse::<u64>()) else { break };
        highest[n] = highest[n].max(counter);
        seen += 1;
        if end(seen) {
            // What it still says was acknowledged too, but need not be waited for.
            break;
        }
    }
    highest
}

/// All that was acknowledged is there, and each commit by its whole.
async fn look(place: &str, acknowledged: &[u64]) {
    let a = open(place).await.unwrap();
    a.check().await.unwrap();
    for n in 1..=VAULTS {
        let counter = a.vault_of([n; 16].into()).await.unwrap().head.counter;
        assert!(counter >= acknowledged[usize::from(n)], "vault {n} lost what it was told");
        for item in [1, 2] {
            if counter > 0 {
                let current = a.revision(vault(n), [item; 16].into(), None).await.unwrap();
                assert_eq!(current.info.revision, counter, "half a commit of vault {n}");
            }
        }
    }
    a.close().await;
}

async fn people(place: &str) {
    let a = open(place).await.unwrap();
    for n in 1..=VAULTS {
        let mut new = person(n);
        new.vault.quota_bytes = 1 << 30;
        a.sign_up(&new).await.unwrap();
    }
    a.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_of_what_sqlite_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("accounts.db").display().to_string();
    people(&place).await;
    for round in 1..=4 {
        let mut child = start(&place);
        let acknowledged = listen(&mut child, |seen| seen >= 40 * round);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(acknowledged.iter().sum::<u64>() > 0);
        look(&place, &acknowledged).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crashed_server_loses_nothing_of_what_postgres_acknowledged() {
    let folder = std::env::temp_dir().join(format!("symbolon-crash-{}", std::process::id()));
    let server = OwnPostgres::start(&folder, Afterwards::Keep).unwrap();
    server.make_database("crash").unwrap();
    let place = server.url("crash");
    people(&place).await;

    // The program dies.
    let mut child = start(&place);
    let acknowledged = listen(&mut child, |seen| seen >= 60);
    child.kill().unwrap();
    child.wait().unwrap();
    look(&place, &acknowledged).await;

    // The server dies under the program, which sees its commits fail.
    let mut child = start(&place);
    let mut server = Some(server);
    let acknowledged = listen(&mut child, |seen| {
        if seen == 60
            && let Some(server) = server.take()
        {
            server.crash().unwrap();
        }
        false
    });
    let began = Instant::now();
    child.wait().unwrap();
    assert!(began.elapsed() < Duration::from_secs(30), "commits to a dead server end");
    let _server = OwnPostgres::start(&folder, Afterwards::Remove).unwrap();
    look(&place, &acknowledged).await;
}

/// Items that each account of the deletion's test has.
const ITEMS: u8 = 150;

async fn furnished(place: &str) {
    people(place).await;
    let a = open(place).await.unwrap();
    for n in 1..=VAULTS {
        let items = (1..=ITEMS).map(|item| revision(item, 1, 2000)).collect();
        a.commit(commit(n, 0, items)).await.unwrap();
    }
    a.close().await;
}

/// Each account is there with all that it had, or nothing of it is; what was acknowledged is gone.
async fn look_whether_gone(place: &str, acknowledged: &[u64]) -> u64 {
    let a = open(place).await.unwrap();
    let left = a.check().await.unwrap().accounts;
    for n in 1..=VAULTS {
        let id = [n; 16].into();
        if a.account(id).await.is_ok() {
            assert_eq!(acknowledged[usize::from(n)], 0, "account {n} came back");
            let changes = a.changes(vault(n), 0, 1000).await.unwrap();
            assert_eq!(changes.revisions.len(), usize::from(ITEMS), "half of account {n}");
            assert_eq!(a.credentials(id).await.unwrap().len(), 1);
            assert_eq!(a.events(id, 0, 10).await.unwrap().len(), 1);
        } else {
            assert!(a.vault_of(id).await.is_err() && a.credentials(id).await.unwrap().is_empty());
            assert!(a.sign_up(&person(n)).await.is_err(), "the handle of {n} is retired");
        }
    }
    a.close().await;
    left
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_while_it_deletes_leaves_whole_accounts_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("accounts.db").display().to_string();
    furnished(&place).await;
    for kills in 1..=3 {
        let mut child = start_as("crash::deleting_child", &place);
        // A little into the next deletion.
        let acknowledged = listen(&mut child, |_| true);
        std::thread::sleep(Duration::from_millis(2 * kills));
        child.kill().unwrap();
        child.wait().unwrap();
        look_whether_gone(&place, &acknowledged).await;
    }
    let mut child = start_as("crash::deleting_child", &place);
    let acknowledged = listen(&mut child, |_| false);
    child.wait().unwrap();
    assert_eq!(look_whether_gone(&place, &acknowledged).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_during_a_deletion_leaves_whole_accounts_or_none() {
    let folder = std::env::temp_dir().join(format!("symbolon-gone-{}", std::process::id()));
    let server = OwnPostgres::start(&folder, Afterwards::Keep).unwrap();
    server.make_database("gone").unwrap();
    let place = server.url("gone");
    furnished(&place).await;
    let mut child = start_as("crash::deleting_child", &place);
    let mut server = Some(server);
    let acknowledged = listen(&mut child, |seen| {
        if seen == 3
            && let Some(server) = server.take()
        {
            server.crash().unwrap();
        }
        false
    });
    child.wait().unwrap();
    let _server = OwnPostgres::start(&folder, Afterwards::Remove).unwrap();
    let left = look_whether_gone(&place, &acknowledged).await;
    assert!(left < u64::from(VAULTS));
}
