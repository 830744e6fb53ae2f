//! Bitwarden's JSON, in and out (`specs/vault.md`, "Bitwarden").

use std::convert::Infallible;

use serde_json::{Value, json};
use symbolon_import::foreign::{Source, read_vault};
use symbolon_secret::Secret;
use symbolon_vault::bitwarden::{self, Remark};

use crate::{Mirror, Refused};

impl Mirror {
    /// Takes the items of an export in, each as a new one, in its folder.
    ///
    /// # Errors
    /// `sealed` where it needs its passphrase, `wrong_secret` for another one, `file`; nothing was taken then.
    pub fn take_bitwarden(
        &mut self,
        file: &Secret<[u8]>,
        passphrase: Option<&Secret<[u8]>>,
    ) -> Result<String, Refused> {
        let source = Source { name: "the export", mode: 0o600, bytes: file };
        let read = read_vault(&source, passphrase)?;
        let before = self.folders();
        let mut made = Vec::with_capacity(read.items.len());
        for (item, folder) in &read.items {
            let folder = self.folder(folder.as_deref().unwrap_or_default())?;
            made.push(self.replica.create_item(item, folder, &*self.clock, &*self.rng)?);
        }
        let left: Vec<Value> =
            read.left_out.iter().map(|(what, why)| json!({ "what": what, "why": why })).collect();
        Ok(json!({
            "items": made,
            "updated": 0,
            "unchanged": 0,
            "folders": self.new_folders(&before),
            "files": [],
            "left_out": left,
        })
        .to_string())
    }

    /// Writes folders, logins, API keys and notes, in the clear, as the file `bitwarden.json`. Gives what is in it, and
    /// what is not.
    ///
    /// # Errors
    /// `item` where one does not open.
    pub fn write_bitwarden(&mut self) -> Result<String, Refused> {
        let mut file = Vec::new();
        let mut write = |piece: &[u8]| {
            file.extend_from_slice(piece);
            Ok::<_, Infallible>(())
        };
        let done = bitwarden::export(&self.replica, &mut write)?;
        self.files.insert("bitwarden.json".to_owned(), file);
        Ok(json!({
            "logins": done.logins,
            "notes": done.notes,
            "left_out": said(&done.left_out),
            "changed": said(&done.changed),
        })
        .to_string())
    }
}

fn said(remarks: &[Remark]) -> Vec<Value> {
    remarks.iter().map(|it| json!({ "what": it.what, "why": it.why })).collect()
}
