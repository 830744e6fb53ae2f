//! What an item was before: revisions that the server keeps, checked one against the other.

use serde::Deserialize;
use serde_json::{Value, json};
use symbolon_vault::replica::Past;
use symbolon_vault::wire::{ItemId, SealedRevision, State};

use super::view::Shown;
use super::{Problem, Vault};

/// The history that somebody looks at.
pub(super) struct Looked {
    id: ItemId,
    past: Vec<Past>,
}

/// `GET /api/vault/items/{id}/revisions/{number}`.
#[derive(Deserialize)]
struct One {
    revision: SealedRevision,
}

impl Vault {
    /// Takes in older revisions of an item, the server's answers one by one in a JSON list, and gives them
    /// as they are shown, the latest first.
    ///
    /// # Errors
    /// `history` where one was changed, exchanged or left out.
    pub fn history(&mut self, id: &str, answers: &str) -> Result<String, Problem> {
        let id: ItemId = id.parse()?;
        let told = |_| Problem::new("history", "the server sent revisions of no known form");
        let all: Vec<One> = serde_json::from_str(answers).map_err(told)?;
        let revisions = all.into_iter().map(|one| one.revision).collect();
        let past = self.replica.history(id, revisions)?;
        let shown: Vec<Value> = past
            .iter()
            .map(|one| {
                json!({
                    "number": one.number,
                    "updated": one.updated_unix_ms,
                    "trashed": one.state == State::Trashed,
                    "title": one.item.title.as_str(),
                    "body": one.item.body.as_str(),
                    "contents": Shown::from(&one.item),
                })
            })
            .collect();
        self.past = Some(Looked { id, past });
        Ok(Value::from(shown).to_string())
    }

    /// Makes an item again what it was in a revision that was looked at: as a new revision, so that
    /// nothing is lost.
    ///
    /// # Errors
    /// `missing` where that revision was not looked at.
    pub fn revert(&mut self, id: &str, number: u64) -> Result<(), Problem> {
        let id: ItemId = id.parse()?;
        let missing = || Problem::new("missing", "this revision is not shown any more");
        let looked = self.past.as_ref().filter(|looked| looked.id == id).ok_or_else(missing)?;
        let one = looked.past.iter().find(|one| one.number == number).ok_or_else(missing)?;
        self.replica.update_item(id, &one.item, &*self.clock, &*self.rng)?;
        Ok(())
    }

    /// Forgets what was looked at.
    pub fn forget_history(&mut self) {
        self.past = None;
    }
}
