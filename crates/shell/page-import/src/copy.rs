//! An item on its way to the page's core.

use std::collections::BTreeMap;

use serde_json::json;
use symbolon_secret::Secret;
use symbolon_vault::item::Body;
use symbolon_vault::share::{LinkSecret, seal_link};
use symbolon_vault::wire::{ItemId, ShareId};

use crate::{Mirror, Refused};

/// A copy of an item, sealed as behind a link.
#[derive(Debug)]
pub struct Copy {
    /// The link's id.
    pub share: ShareId,
    /// What stands behind the `#`.
    pub fragment: Secret<[u8]>,
    /// The item.
    pub sealed: Vec<u8>,
    /// Where it belongs: id, folder, marks and times, as JSON.
    pub at: String,
}

impl Mirror {
    /// A copy of an item. `files`: of the files of this mirror, those of the vault that its text leads to instead.
    ///
    /// # Errors
    /// `shape`, `item`, `copy`.
    pub fn copy(&self, item: &str, files: &str) -> Result<Copy, Refused> {
        let id: ItemId = item.parse().map_err(|_| Refused::shape())?;
        let files: BTreeMap<ItemId, ItemId> = serde_json::from_str(files)?;
        let mut item = self.replica.open(id)?;
        let mut body = item.body.as_str().to_owned();
        for (here, there) in &files {
            let at = |id: &ItemId| format!("vault:{id}");
            body = body.replace(&at(here), &at(there));
        }
        // As long as before: ids have one length.
        item.body = Body::new(&body).map_err(|_| Refused::shape())?;
        let (share, secret) = (ShareId::make(&*self.rng), LinkSecret::make(&*self.rng));
        let sealed = seal_link(share, &secret, &item, &*self.rng)?;
        let seen = self.replica.overview(id).ok_or_else(Refused::shape)?;
        let at = json!({
            "id": id,
            "folder": seen.folder,
            "pinned": seen.marks.pinned,
            "template": seen.marks.template,
            "times": [seen.created_unix_ms, seen.updated_unix_ms],
        });
        Ok(Copy { share, fragment: secret.fragment(), sealed, at: at.to_string() })
    }
}
