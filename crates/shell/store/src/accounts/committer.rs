//! Commits of vaults, many at once: those that wait go into one transaction of a few statements. In
//! PostgreSQL there are several such transactions at a time, so that one is written down while the
//! next waits for the disk; the commits of one vault are all in one line.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use symbolon_account::{AccountError, Commit, HISTORY_MAX, ItemId, ItemState, Revision, Standing};
use symbolon_custody::VaultId;
use tokio::sync::{mpsc, oneshot};

use super::db::Db;
use super::engine::{Base, Engine};
use super::fault::same;
use super::rows_of_vaults::{ItemRow, RevisionRow, VaultState};
use super::sql;
use super::value::{Value, bytes, int};

/// The ways to the tasks that take commits, by vault.
pub(super) struct Committer(Vec<mpsc::Sender<Waiting>>);

struct Waiting {
    commit: Commit,
    reply: oneshot::Sender<Result<(), AccountError>>,
}

/// Commits that may wait before callers do.
const WAITING_MAX: usize = 1024;

/// Transactions of commits at a time. SQLite has one writer; in PostgreSQL more than this many make each
/// smaller without another being ready sooner.
const POSTGRES_LINES: usize = 3;

/// Commits, revisions and bytes after which no more are taken into a transaction.
const COMMITS_MAX: usize = 256;
const REVISIONS_MAX: usize = 1024;
const BYTES_MAX: usize = 4 << 20;

impl Committer {
    pub fn new(engine: Arc<Engine>) -> Self {
        let lines = match engine.base {
            Base::Sqlite { .. } => 1,
            Base::Postgres { .. } => POSTGRES_LINES,
        };
        let begin = |_| {
            let (commits, waiting) = mpsc::channel(WAITING_MAX);
            tokio::spawn(run(engine.clone(), waiting));
            commits
        };
        Self((0..lines).map(begin).collect())
    }

    /// Takes a commit; it is durable when this returns.
    pub async fn commit(&self, commit: Commit) -> Result<(), AccountError> {
        commit.check()?;
        let (reply, answer) = oneshot::channel();
        let closed = || AccountError::Unavailable("it was closed".into());
        let line = line_of(commit.vault, self.0.len());
        self.0[line].send(Waiting { commit, reply }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

/// In which line a vault's commits wait. Ids are random, so that lines are about as long as each other.
fn line_of(vault: VaultId, lines: usize) -> usize {
    let add = |sum: usize, byte: &u8| sum.wrapping_mul(31).wrapping_add(usize::from(*byte));
    vault.as_bytes().iter().fold(0, add) % lines
}

async fn run(engine: Arc<Engine>, mut waiting: mpsc::Receiver<Waiting>) {
    while let Some(first) = waiting.recv().await {
        let (mut revisions, mut size) = weigh(&first.commit);
        let mut together = vec![first];
        while together.len() < COMMITS_MAX && revisions < REVISIONS_MAX && size < BYTES_MAX {
            let Ok(next) = waiting.try_recv() else { break };
            let (more, larger) = weigh(&next.commit);
            (revisions, size) = (revisions + more, size + larger);
            together.push(next);
        }
        let (commits, replies): (Vec<_>, Vec<_>) =
            together.into_iter().map(|w| (w.commit, w.reply)).unzip();
        let taken =
            engine.write(move |db| Box::pin(async move { take_all(db, commits).await })).await;
        // A caller that went away is answered into nothing.
        match taken {
            Ok(each) => replies.into_iter().zip(each).for_each(|(to, one)| drop(to.send(one))),
            Err(error) => replies.into_iter().for_each(|to| drop(to.send(Err(same(&error))))),
        }
    }
}

fn weigh(commit: &Commit) -> (usize, usize) {
    (commit.revisions.len(), commit.revisions.iter().map(|r| r.sealed.len()).sum())
}

/// Judges each commit on what is kept and what the commits before it left, and keeps those that
/// stand. What one commit lacks is an error of its own.
async fn take_all(
    db: &mut Db,
    commits: Vec<Commit>,
) -> Result<Vec<Result<(), AccountError>>, AccountError> {
    let mut states = states(db, &commits).await?;
    let mut items = items(db, &commits).await?;
    let mut taken = Taken::default();
    let mut each = Vec::with_capacity(commits.len());
    for commit in commits {
        each.push(match judge(&commit, &states, &items) {
            Ok(state) => {
                taken.take(commit, &mut items);
                states.insert(state.vault, state);
                Ok(())
            }
            Err(error) => Err(error),
        });
    }
    taken.write(db, states, items).await?;
    Ok(each)
}

type States = HashMap<VaultId, VaultState>;
type Items = HashMap<(VaultId, ItemId), ItemRow>;

/// The vaults' states, held; in the order of their ids, so that no two servers wait for each other.
async fn states(db: &mut Db, commits: &[Commit]) -> Result<States, AccountError> {
    let mut ids: Vec<_> = commits.iter().map(|c| *c.vault.as_bytes()).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = States::new();
    let mut ids = ids.iter();
    for size in sql::sizes(ids.len()) {
        let args = ids.by_ref().take(size).map(|id| bytes(&id[..])).collect();
        let among = sql::among(&["vault"], size, db.conn.is_postgres());
        let tail = format!("WHERE {among} ORDER BY vault");
        let rows = db.find_locked::<VaultState>(&tail, args).await?;
        found.extend(rows.into_iter().map(|row| (row.vault, row)));
    }
    Ok(found)
}

/// The current revisions of the items that the commits name.
async fn items(db: &mut Db, commits: &[Commit]) -> Result<Items, AccountError> {
    let all = commits.iter().flat_map(|c| c.revisions.iter().map(|r| (c.vault, r.info.item)));
    let mut keys: Vec<_> = all.collect();
    keys.sort_unstable();
    keys.dedup();
    let mut found = Items::new();
    let mut keys = keys.iter();
    for size in sql::sizes(keys.len()) {
        let pair =
            |(vault, item): &(VaultId, ItemId)| [bytes(vault.as_bytes()), bytes(item.as_bytes())];
        let args: Vec<Value> = keys.by_ref().take(size).flat_map(pair).collect();
        let among = sql::among(&["vault", "item"], size, db.conn.is_postgres());
        let rows = db.find::<ItemRow>(&format!("WHERE {among}"), args).await?;
        found.extend(rows.into_iter().map(|row| ((row.vault, row.item), row)));
    }
    Ok(found)
}

/// The vault's state after the commit.
fn judge(commit: &Commit, states: &States, items: &Items) -> Result<VaultState, AccountError> {
    let state = states.get(&commit.vault).ok_or(AccountError::Missing("the vault"))?;
    let current = |item: &ItemId| items.get(&(commit.vault, *item)).map_or(0, |row| row.revision);
    let standing = Standing {
        counter: state.head.counter,
        used_bytes: state.used_bytes,
        quota_bytes: state.quota_bytes,
    };
    let used_bytes = commit.apply(standing, current)?;
    Ok(VaultState {
        vault: state.vault,
        head: commit.head.clone(),
        used_bytes,
        quota_bytes: state.quota_bytes,
    })
}

/// What the commits that stand change.
#[derive(Default)]
struct Taken {
    revisions: Vec<(RevisionRow, Vec<u8>)>,
    vaults: BTreeSet<VaultId>,
    items: BTreeSet<(VaultId, ItemId)>,
    /// Up to which revision an item's history goes.
    pruned: BTreeMap<(VaultId, ItemId), u64>,
}

impl Taken {
    fn take(&mut self, commit: Commit, items: &mut Items) {
        let (vault, counter) = (commit.vault, commit.head.counter);
        self.vaults.insert(vault);
        for Revision { info, sealed, .. } in commit.revisions {
            let key = (vault, info.item);
            let row = ItemRow {
                vault,
                item: info.item,
                revision: info.revision,
                counter,
                size_bytes: info.size_bytes,
            };
            items.insert(key, row);
            self.items.insert(key);
            let kept = if info.state == ItemState::Erased { 1 } else { HISTORY_MAX };
            if info.revision > kept {
                self.pruned.insert(key, info.revision - kept);
            }
            self.revisions.push((RevisionRow { vault, counter, info }, sealed));
        }
    }

    async fn write(
        self,
        db: &mut Db,
        mut states: States,
        mut items: Items,
    ) -> Result<(), AccountError> {
        db.insert_all(self.revisions).await?;
        for ((vault, item), last) in self.pruned {
            let freed = prune(db, vault, item, last).await?;
            if let Some(state) = states.get_mut(&vault) {
                state.used_bytes = state.used_bytes.saturating_sub(freed);
            }
        }
        let rows: Vec<_> = self.items.iter().filter_map(|key| items.remove(key)).collect();
        db.upsert_all(&rows).await?;
        let rows: Vec<_> = self.vaults.iter().filter_map(|id| states.remove(id)).collect();
        db.upsert_all(&rows).await
    }
}

/// Removes an item's revisions up to one; gives how many bytes they had.
async fn prune(db: &mut Db, vault: VaultId, item: ItemId, last: u64) -> Result<u64, AccountError> {
    let args = vec![bytes(vault.as_bytes()), bytes(item.as_bytes()), int(last)?];
    let tail = "WHERE vault = $1 AND item = $2 AND revision <= $3";
    let gone = db.take::<RevisionRow>(tail, args).await?;
    Ok(gone.iter().map(|row| row.info.size_bytes).sum())
}
