//! Taking in what a server has and giving what waits, step by step: the Worker carries the bytes.

use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_vault::wire::{SealedRevision, SignedHead};

use super::{Problem, Vault};

/// A page of `GET /api/vault/changes`.
#[derive(Deserialize)]
struct Page {
    revisions: Vec<Change>,
    next: u64,
    more: bool,
    head: SignedHead,
}

/// A revision, and the commit that it came with.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    counter: u64,
    revision: SealedRevision,
}

impl Vault {
    /// The counter after which changes are asked for, anew.
    pub fn begin_changes(&mut self) -> u64 {
        self.pages.clear();
        self.replica.head().map_or(0, |head| head.head().counter)
    }

    /// A page of changes. With the last one all of them are taken in, or none: gives what to ask for next,
    /// or what changed.
    ///
    /// # Errors
    /// `rollback` and `fork` where the server does not show what was seen before; `no_key` where the data
    /// key is another one by now; `root` where a commit came between two pages.
    pub fn changes(&mut self, page: &str) -> Result<String, Problem> {
        let told = |_| Problem::new("sync", "the server sent changes of no known form");
        let page: Page = serde_json::from_str(page).map_err(told)?;
        let asked = self.pages.last().map_or(0, |change| change.counter);
        self.pages.extend(page.revisions);
        if page.more {
            if page.next <= asked {
                return Err(Problem::new("sync", "the server sent changes without an end"));
            }
            return Ok(json!({ "next": page.next }).to_string());
        }
        let newest = page.head.head().counter;
        let all = std::mem::take(&mut self.pages).into_iter();
        let revisions: Vec<SealedRevision> =
            all.filter(|change| change.counter <= newest).map(|change| change.revision).collect();
        let applied = self.replica.apply(&page.head, &revisions, &*self.rng)?;
        let conflicts: Vec<Value> = applied
            .conflicts
            .iter()
            .map(|both| json!({ "item": both.item, "copy": both.copy }))
            .collect();
        Ok(json!({ "changed": applied.changed, "conflicts": conflicts }).to_string())
    }

    /// The next commit of what waits, as the server takes it. A snapshot is kept before it is sent.
    ///
    /// # Errors
    /// `commit`.
    pub fn commit(&mut self) -> Result<Option<String>, Problem> {
        self.sent = self.replica.commit(&*self.clock)?;
        self.sent.as_ref().map(|commit| Ok(serde_json::to_string(commit)?)).transpose()
    }

    /// The server took it. Gives how many revisions that were.
    ///
    /// # Errors
    /// `commit` where none is on its way.
    pub fn accepted(&mut self) -> Result<usize, Problem> {
        let commit = self.sent.take().ok_or_else(Problem::request)?;
        self.replica.accepted(&commit, &*self.rng)?;
        Ok(commit.revisions().len())
    }

    /// How far it is, what waits, and what others compare before they share something.
    pub fn state(&self) -> String {
        let head = self.replica.head().map(SignedHead::head);
        json!({
            "counter": head.map(|head| head.counter),
            "pending": self.replica.pending(),
            "signer": super::share::signer(&self.replica.keys().head_key()),
            "fingerprint": symbolon_vault::fingerprint(&self.replica.keys().share_key()),
        })
        .to_string()
    }
}
