//! Commits of one item each, until they are durable, beside one plain row a transaction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_account::{
    Account, AccountStore, Commit, Credential, Event, ItemId, ItemState, Revision, RevisionInfo,
    ServerKey, Session, SignIn, SignUp, SignedHead, VAULT_BYTES_MAX, Vault, VaultKeys,
};
use symbolon_crypto::sha256;
use symbolon_secret::Secret;
use symbolon_store::Accounts;
use symbolon_store::accounts::{Afterwards, OwnPostgres, plain_sqlite_inserts};

use crate::meter::Meter;
use crate::row::{Report, Row};
use crate::{BenchError, Options};

/// Bytes of each item as sealed.
const ITEM_BYTES: usize = 1024;

/// How long `pgbench` runs for each case.
const PEER_SECONDS: u32 = 4;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let runtime = super::runtime()?;
    let folder = tempfile::tempdir()?;
    // A path of its own: that of a socket is short, and the server's user must reach it.
    let server = std::env::temp_dir().join(format!("symbolon-bench-pg-{}", std::process::id()));
    let server = OwnPostgres::start(&server, Afterwards::Remove).map_err(|e| {
        BenchError::new(e).next("sudo apt-get install --no-install-recommends postgresql")
    })?;

    let rows = options.iterations.unwrap_or(1000).min(2000);
    let plain = folder.path().join("plain.db");
    let took = runtime.block_on(plain_sqlite_inserts(&plain, rows, ITEM_BYTES));
    let sqlite = peer(report, "sqlite, plain inserts", took.map_err(BenchError::new)?);
    for &tasks in &options.concurrency {
        let file = folder.path().join(format!("{tasks}.db"));
        let row = runtime.block_on(async {
            let opened = Accounts::open_sqlite(&file, key()).await;
            commits("sqlite, commits", opened.map_err(BenchError::new)?, options, tasks).await
        })?;
        report.row(&beside(row, sqlite, "plain inserts"));
    }
    server.make_database("plain").map_err(BenchError::new)?;
    for &tasks in &options.concurrency {
        let plain = server.plain_inserts("plain", tasks, ITEM_BYTES, PEER_SECONDS);
        let (per_second, average) = plain.map_err(BenchError::new)?;
        report.row(&pgbench(tasks, per_second, average));
        let address = server.make_database(&format!("c{tasks}")).map_err(BenchError::new)?;
        let row = runtime.block_on(async {
            let opened = Accounts::open_postgres(&address, key()).await;
            commits("postgres, commits", opened.map_err(BenchError::new)?, options, tasks).await
        })?;
        report.row(&beside(row, per_second, "pgbench"));
    }
    Ok(())
}

fn key() -> ServerKey {
    ServerKey::from_secret(Secret::<[u8; 32]>::make(|b| b.fill(7)))
}

/// So many callers at once, each with a vault and items of its own; then all of it is read again.
async fn commits(
    case: &str,
    accounts: Accounts,
    options: &Options,
    tasks: usize,
) -> Result<Row, BenchError> {
    for n in 0..tasks {
        accounts.sign_up(&person(n)).await.map_err(BenchError::new)?;
    }
    let usual = 500 * tasks.min(40);
    let each = (options.iterations.unwrap_or(usual) / tasks).max(1) as u64;
    let meter = Arc::new(Meter::start(std::process::id()));
    let one = |n: usize| {
        let (accounts, meter) = (accounts.clone(), meter.clone());
        tokio::spawn(async move {
            for base in 0..each {
                let commit = commit(n, base);
                let began = Instant::now();
                accounts.commit(commit).await.ok()?;
                meter.record(began);
            }
            Some(())
        })
    };
    let running: Vec<_> = (0..tasks).map(one).collect();
    let mut correct = true;
    for task in running {
        correct &= task.await.is_ok_and(|done| done.is_some());
    }
    let mut row = meter.row("accounts", case, tasks, "group", true);
    for n in 0..tasks {
        let vault = accounts.vault_of(id(n).into()).await.map_err(BenchError::new)?;
        correct &= vault.head.counter == each;
        correct &= vault.used_bytes == each * ITEM_BYTES as u64;
    }
    // Every row with its tag, every revision with its digest.
    correct &= accounts.check().await.is_ok_and(|all| all.accounts == tasks as u64);
    accounts.close().await;
    row.correct &= correct;
    Ok(row)
}

/// The ratio to what the database gives without us.
fn beside(mut row: Row, per_second: f64, peer: &str) -> Row {
    row.note = Some(format!("{:.2} x {peer} a second", row.per_second / per_second));
    row
}

/// One caller; what it took is known of each row.
fn peer(report: &mut Report, case: &str, mut took: Vec<Duration>) -> f64 {
    let all: Duration = took.iter().sum();
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_nanos() as f64 / 1e3;
    let per_second = took.len() as f64 / all.as_secs_f64();
    report.row(&Row {
        p50_us: at(50),
        p95_us: at(95),
        p99_us: at(99),
        ..plain(case, 1, per_second)
    });
    per_second
}

/// `pgbench` tells its average alone.
fn pgbench(clients: usize, per_second: f64, average: Duration) -> Row {
    let average = average.as_nanos() as f64 / 1e3;
    Row {
        p50_us: average,
        note: Some("the average stands under p50".to_owned()),
        ..plain("postgres, pgbench", clients, per_second)
    }
}

fn plain(case: &str, concurrency: usize, per_second: f64) -> Row {
    Row {
        suite: "accounts",
        case: case.to_owned(),
        concurrency,
        p50_us: f64::NAN,
        p95_us: f64::NAN,
        p99_us: f64::NAN,
        per_second,
        cpu_us_per_op: f64::NAN,
        durability: "group",
        correct: true,
        memory_delta_kib: 0,
        note: None,
    }
}

fn id(n: usize) -> [u8; 16] {
    let mut id = [1; 16];
    id[..8].copy_from_slice(&(n as u64).to_be_bytes());
    id
}

fn person(n: usize) -> SignUp {
    let account = id(n).into();
    let hash = sha256(&id(n));
    SignUp {
        account: Account::new(account, None, 1),
        credential: Credential {
            id: id(n).into(),
            account,
            method: SignIn::Key,
            subject: hash.0.to_vec(),
            state: Vec::new(),
            name: "bench".into(),
            created_unix_ms: 1,
            last_used_unix_ms: None,
        },
        vault: Vault {
            id: id(n).into(),
            account,
            keys: VaultKeys {
                head_key: [0; 32],
                share_key: [0; 32],
                wraps: "[]".into(),
                ring: Vec::new(),
                epoch: 1,
            },
            keys_version: 1,
            head: SignedHead { counter: 0, bytes: vec![0; 200] },
            used_bytes: 0,
            quota_bytes: VAULT_BYTES_MAX,
        },
        session: Session {
            id: id(n).into(),
            token_hash: hash,
            account,
            method: SignIn::Key,
            created_unix_ms: 1,
            seen_unix_ms: 1,
            expires_unix_ms: 2,
            confirmed_until_unix_ms: None,
            user_agent: "bench".into(),
            revoked_unix_ms: None,
        },
        event: Event { at_unix_ms: 1, kind: "signed-up".into(), detail: "{}".into() },
    }
}

/// A new item in each.
fn commit(n: usize, base: u64) -> Commit {
    let mut item = id(n);
    item[8..].copy_from_slice(&base.to_be_bytes());
    let mut sealed = vec![0x5a; ITEM_BYTES];
    sealed[..16].copy_from_slice(&item);
    let info = RevisionInfo {
        item: ItemId::from(item),
        revision: 1,
        parent: None,
        epoch: 1,
        state: ItemState::Live,
        created_unix_ms: 1,
        updated_unix_ms: 1,
        digest: sha256(&sealed),
        size_bytes: ITEM_BYTES as u64,
    };
    let head = SignedHead { counter: base + 1, bytes: vec![base as u8; 200] };
    let revisions = vec![Revision { info, counter: 0, sealed }];
    Commit { vault: id(n).into(), base, head, revisions }
}
