//! A folder of Markdown files, in and out (`specs/vault.md`, "Markdown").

use serde_json::{Value, json};
use symbolon_vault::markdown::{self, LeftOut};
use symbolon_vault::wire::ItemId;

use crate::{Mirror, Refused};

impl Mirror {
    /// A file of the folder. Of what is no Markdown the path is enough: its bytes are not looked at.
    pub fn read(&mut self, path: &str, bytes: Vec<u8>) {
        self.files.insert(path.to_owned(), bytes);
    }

    /// The ids that front matter of the files claims: what of the vault has them is to be here before
    /// [`Mirror::take_markdown`].
    pub fn named(&self) -> String {
        let ids: Vec<ItemId> =
            self.files.values().filter_map(|bytes| markdown::named(bytes)).collect();
        json!(ids).to_string()
    }

    /// Takes the files in. Gives what is new or another one, and what was left out.
    ///
    /// # Errors
    /// `folder`; nothing was taken then.
    pub fn take_markdown(&mut self) -> Result<String, Refused> {
        let before = self.folders();
        let files = std::mem::take(&mut self.files);
        let done = markdown::import(&mut self.replica, &files, &*self.clock, &*self.rng)?;
        let attached: Vec<Value> = (done.attachments.iter())
            .map(|file| json!({ "item": file.item, "path": file.path, "folder": self.folder_of(file.item) }))
            .collect();
        let items: Vec<ItemId> = done.created.iter().chain(&done.updated).copied().collect();
        Ok(json!({
            "items": items,
            "updated": done.updated.len(),
            "unchanged": done.unchanged,
            "folders": self.new_folders(&before),
            "files": attached,
            "left_out": left(&done.left_out),
        })
        .to_string())
    }

    /// Writes all notes. Gives the paths, with the item of each that is a file of the vault's: its bytes are
    /// nowhere in here.
    ///
    /// # Errors
    /// `folder`.
    pub fn write_markdown(&mut self) -> Result<String, Refused> {
        // What stands in the place of a file is its item's id.
        let done = markdown::export(&self.replica, |id| Some(id.to_string().into_bytes()))?;
        let paths: Vec<Value> = (done.files.iter())
            .map(|(path, bytes)| {
                let is_note = path.ends_with(markdown::NOTE_EXTENSION);
                let item = (!is_note).then(|| String::from_utf8_lossy(bytes));
                json!({ "path": path, "item": item })
            })
            .collect();
        self.files = done.files;
        Ok(json!({ "files": paths, "left_out": left(&done.left_out) }).to_string())
    }

    /// A note's file, once.
    pub fn written(&mut self, path: &str) -> Option<Vec<u8>> {
        self.files.remove(path)
    }

    fn folder_of(&self, item: ItemId) -> Option<ItemId> {
        self.replica.overview(item)?.folder
    }
}

fn left(left: &[LeftOut]) -> Vec<Value> {
    left.iter().map(|it| json!({ "what": it.what, "why": it.why })).collect()
}
