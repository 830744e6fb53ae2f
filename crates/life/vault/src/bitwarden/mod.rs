//! A vault as Bitwarden's unencrypted JSON: `specs/vault.md`, "Bitwarden". Written piece by piece into
//! what the shell gives: no more than one item is open at a time, and no secret is copied.

mod json;
#[cfg(test)]
mod tests;

use symbolon_codec::time::rfc3339;

use crate::item::{Contents, CustomField, CustomKind, Hidden, Item, Kind, TagName};
use crate::replica::{EditError, Filter, Overview, Replica};
use crate::wire::ItemId;
use json::Json;

/// What was written, and what of the vault is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Folders.
    pub folders: usize,
    /// Logins, with API keys among them.
    pub logins: usize,
    /// Notes.
    pub notes: usize,
    /// Items that are not in the file.
    pub left_out: Vec<Remark>,
    /// What of an item that is in the file is not, or is otherwise there.
    pub changed: Vec<Remark>,
}

/// One thing that Bitwarden's format cannot say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The item's title.
    pub what: String,
    /// Why.
    pub why: &'static str,
}

/// Why the file is not whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError<E: std::error::Error + 'static> {
    /// An item does not open: it is not left out in silence.
    #[error("item {item} does not open: {cause}")]
    Open {
        /// Which.
        item: ItemId,
        /// Why.
        cause: EditError,
    },
    /// A piece was not taken.
    #[error(transparent)]
    Write(E),
}

/// Writes folders, logins, API keys and notes. `write` is handed the file piece by piece, secrets from
/// their own pages. What is in the trash stays there.
///
/// # Errors
/// [`ExportError`]; what was written by then is no whole file.
pub fn export<E: std::error::Error + 'static>(
    replica: &Replica,
    write: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<Exported, ExportError<E>> {
    let mut listed = replica.list(&Filter::default());
    listed.sort_unstable_by_key(|o| o.id);
    let mut out = Exported::default();
    let mut json = Json::new(write);
    json.raw("{\"encrypted\":false,\"folders\":[").map_err(ExportError::Write)?;
    for folder in listed.iter().filter(|o| o.details.kind() == Kind::Folder) {
        write_folder(&mut json, replica, folder, out.folders == 0).map_err(ExportError::Write)?;
        out.folders += 1;
        if folder.title.as_str().contains('/') {
            out.changed.push(remark(folder, SLASH));
        }
    }
    json.raw("],\"items\":[").map_err(ExportError::Write)?;
    for overview in &listed {
        if let Some(why) = nothing_like(overview.details.kind()) {
            out.left_out.push(remark(overview, why));
        }
        if !matches!(overview.details.kind(), Kind::Note | Kind::Login | Kind::ApiKey) {
            continue;
        }
        let cause = |cause| ExportError::Open { item: overview.id, cause };
        let item = replica.open(overview.id).map_err(cause)?;
        if !is_text(&item) {
            out.left_out.push(remark(overview, "a secret of it is no text"));
            continue;
        }
        out.changed.extend(changes(&item).map(|why| remark(overview, why)));
        let is_first = out.logins + out.notes == 0;
        write_item(&mut json, overview, &item, is_first).map_err(ExportError::Write)?;
        match item.kind() {
            Kind::Note => out.notes += 1,
            _ => out.logins += 1,
        }
    }
    json.raw("]}\n").map_err(ExportError::Write)?;
    Ok(out)
}

fn write_folder<E>(
    json: &mut Json<'_, E>,
    replica: &Replica,
    folder: &Overview<'_>,
    is_first: bool,
) -> Result<(), E> {
    let above = replica.path(folder.id).into_iter().filter_map(|id| replica.overview(id));
    // A folder in a folder is one whose name has the other's before it.
    let mut names: Vec<&str> = above.map(|o| o.title.as_str()).collect();
    names.push(folder.title.as_str());
    json.raw(if is_first { "{\"id\":" } else { ",{\"id\":" })?;
    json.text(uuid(folder.id).as_bytes())?;
    json.member("name", names.join("/").as_bytes())?;
    json.raw("}")
}

fn write_item<E>(
    json: &mut Json<'_, E>,
    overview: &Overview<'_>,
    item: &Item,
    is_first: bool,
) -> Result<(), E> {
    json.raw(if is_first { "{\"id\":" } else { ",{\"id\":" })?;
    json.text(uuid(overview.id).as_bytes())?;
    json.raw(",\"organizationId\":null,\"collectionIds\":null,\"folderId\":")?;
    match overview.folder {
        Some(folder) => json.text(uuid(folder).as_bytes())?,
        None => json.raw("null")?,
    }
    json.member("creationDate", rfc3339(overview.created_unix_ms).as_bytes())?;
    json.member("revisionDate", rfc3339(overview.updated_unix_ms).as_bytes())?;
    json.raw(",\"deletedDate\":null,\"passwordHistory\":null,\"reprompt\":0")?;
    json.raw(if item.marks.pinned { ",\"favorite\":true" } else { ",\"favorite\":false" })?;
    json.member("name", item.title.as_str().as_bytes())?;
    json.optional("notes", item.body.as_str().as_bytes())?;
    match &item.contents {
        Contents::Login { username, uris, password, totp, fields } => {
            json.raw(",\"type\":1,\"fields\":[")?;
            for (n, field) in fields.iter().enumerate() {
                write_field(json, field, n == 0)?;
            }
            json.raw("],\"login\":{\"uris\":[")?;
            for (n, uri) in uris.iter().enumerate() {
                json.raw(if n == 0 { "{\"match\":null" } else { ",{\"match\":null" })?;
                json.member("uri", uri.as_str().as_bytes())?;
                json.raw("}")?;
            }
            json.raw("],\"fido2Credentials\":[]")?;
            json.optional("username", username.as_str().as_bytes())?;
            write_secret(json, "password", password)?;
            write_secret(json, "totp", totp)?;
            json.raw("}")?;
        }
        Contents::ApiKey { service, scopes, expires_unix_ms, key } => {
            json.raw(",\"type\":1,\"fields\":[")?;
            write_words(json, "service", service.as_str(), true)?;
            for scope in scopes {
                write_words(json, "scope", scope.as_str(), false)?;
            }
            if let Some(expires) = expires_unix_ms {
                write_words(json, "expires", &rfc3339(*expires), false)?;
            }
            json.raw("],\"login\":{\"uris\":[],\"fido2Credentials\":[],\"username\":null")?;
            write_secret(json, "password", key)?;
            json.raw(",\"totp\":null}")?;
        }
        _ => json.raw(",\"type\":2,\"fields\":[],\"secureNote\":{\"type\":0}")?,
    }
    json.raw("}")
}

fn write_field<E>(json: &mut Json<'_, E>, field: &CustomField, is_first: bool) -> Result<(), E> {
    json.raw(if is_first { "{\"linkedId\":null" } else { ",{\"linkedId\":null" })?;
    json.raw(match field.kind {
        CustomKind::Text => ",\"type\":0",
        CustomKind::Hidden => ",\"type\":1",
        CustomKind::Boolean => ",\"type\":2",
    })?;
    json.member("name", field.name.as_str().as_bytes())?;
    // EXPOSE: the owner asked for it in the clear; it goes from its page to what takes the file.
    json.member("value", field.value.secret().expose())?;
    json.raw("}")
}

fn write_words<E>(
    json: &mut Json<'_, E>,
    name: &str,
    words: &str,
    is_first: bool,
) -> Result<(), E> {
    json.raw(if is_first { "{\"linkedId\":null" } else { ",{\"linkedId\":null" })?;
    json.raw(",\"type\":0")?;
    json.member("name", name.as_bytes())?;
    json.member("value", words.as_bytes())?;
    json.raw("}")
}

fn write_secret<E>(json: &mut Json<'_, E>, name: &str, secret: &Hidden) -> Result<(), E> {
    // EXPOSE: the owner asked for it in the clear; it goes from its page to what takes the file.
    json.optional(name, secret.secret().expose())
}

/// JSON holds text alone.
fn is_text(item: &Item) -> bool {
    // EXPOSE: looked at for its encoding; a yes or no comes out.
    let is_text = |hidden: &Hidden| std::str::from_utf8(hidden.secret().expose()).is_ok();
    match &item.contents {
        Contents::Login { password, totp, fields, .. } => {
            is_text(password) && is_text(totp) && fields.iter().all(|f| is_text(&f.value))
        }
        Contents::ApiKey { key, .. } => is_text(key),
        _ => true,
    }
}

/// Why there is nothing like it in the file.
const fn nothing_like(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Profile => Some("Bitwarden has no profiles that others are shown"),
        Kind::Connection => Some("Bitwarden has no connections of a broker"),
        Kind::Attachment => Some("Bitwarden's JSON has no files in it"),
        Kind::Claims => Some("Bitwarden has no claims to prove facts by"),
        Kind::Note | Kind::Folder | Kind::Login | Kind::ApiKey => None,
    }
}

/// What is otherwise in the file.
fn changes(item: &Item) -> impl Iterator<Item = &'static str> + use<> {
    let is_there = |wanted: bool, why| wanted.then_some(why);
    let tags: &[TagName] = &item.marks.tags;
    let all = [
        is_there(!tags.is_empty(), "its tags are not in the file: Bitwarden has none"),
        is_there(item.marks.template, "that it is a template is not in the file"),
        is_there(item.kind() == Kind::ApiKey, "it is a login in the file, its key the password"),
        is_there(item.body.as_str().len() > NOTES_BYTES_MAX, TOO_LONG),
    ];
    all.into_iter().flatten()
}

fn remark(of: &Overview<'_>, why: &'static str) -> Remark {
    Remark { what: of.title.to_string(), why }
}

/// An id as RFC 9562 writes one.
fn uuid(id: ItemId) -> String {
    let hex = id.to_string();
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

const SLASH: &str = "its name has a slash, which Bitwarden reads as a folder in a folder";
const TOO_LONG: &str =
    "its text is longer than a server of Bitwarden takes (10,000 characters, sealed)";
/// What makes 10,000 characters of an encrypted string: `2.IV|CIPHERTEXT|MAC` in base64, padded to blocks.
const NOTES_BYTES_MAX: usize = 7439;
