//! Folders of a mirror: those that an import made, and those of a path.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use symbolon_vault::Item;
use symbolon_vault::item::{Kind, Title};
use symbolon_vault::replica::{Filter, Within};
use symbolon_vault::wire::ItemId;

use crate::{Mirror, Refused};

impl Mirror {
    pub(crate) fn folders(&self) -> BTreeSet<ItemId> {
        let filter = Filter { kind: Some(Kind::Folder), ..Filter::default() };
        self.replica.list(&filter).iter().map(|folder| folder.id).collect()
    }

    /// Those that were not among `before`, each behind the one that it is in.
    pub(crate) fn new_folders(&self, before: &BTreeSet<ItemId>) -> Vec<Value> {
        let made = self.folders();
        let mut made: Vec<_> =
            made.difference(before).filter_map(|id| self.replica.overview(*id)).collect();
        made.sort_by_key(|folder| self.replica.path(folder.id).len());
        made.iter()
            .map(|folder| json!({ "id": folder.id, "title": folder.title.as_str(), "folder": folder.folder }))
            .collect()
    }

    /// The folder of a path such as `Work/Servers`, made where it is not there.
    pub(crate) fn folder(&mut self, path: &str) -> Result<Option<ItemId>, Refused> {
        let mut at = None;
        for name in path.split('/').map(str::trim).filter(|name| !name.is_empty()) {
            let name = Title::lossy(name);
            let within = at.map_or(Within::Root, Within::Folder);
            let filter = Filter { kind: Some(Kind::Folder), within, ..Filter::default() };
            let same = self.replica.list(&filter).iter().find(|o| *o.title == name).map(|o| o.id);
            at = Some(match same {
                Some(id) => id,
                None => {
                    let folder = Item::folder(name);
                    self.replica.create_item(&folder, at, &*self.clock, &*self.rng)?
                }
            });
        }
        Ok(at)
    }
}
