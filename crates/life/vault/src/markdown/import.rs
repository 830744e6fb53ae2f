//! Files as notes and attachments.

use std::collections::{BTreeMap, HashMap, HashSet};

use symbolon_ambient::{Clock, Rng};
use symbolon_codec::Digest32;
use symbolon_crypto::sha256;
use symbolon_secret::Secret;

use super::export::{ATTACHMENT_SCHEME, NOTE_EXTENSION};
use super::front::Front;
use super::rewrite::{decoded, with_inline_links};
use super::tree::{parts, resolve};
use super::{Files, LeftOut, MarkdownError};
use crate::item::{ATTACHMENT_BYTES_MAX, Body, Contents, Details, Item, Kind, Label, Marks, Title};
use crate::links::{is_linkable, relink, retitled};
use crate::replica::{EditError, Filter, Put, Replica, Within};
use crate::search::fold_text;
use crate::wire::{BlobId, ItemId, State};

/// What became of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Notes that are new.
    pub created: Vec<ItemId>,
    /// Notes that were there, by their id, and are other now.
    pub updated: Vec<ItemId>,
    /// Notes that were there as they are.
    pub unchanged: usize,
    /// New attachments, whose chunks are still to be sealed and sent.
    pub attachments: Vec<ImportedFile>,
    /// What was not taken.
    pub left_out: Vec<LeftOut>,
}

/// A file that became an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedFile {
    /// Its item, which has the key of its chunks.
    pub item: ItemId,
    /// Its path: its bytes are in the files that were given.
    pub path: String,
}

/// A note that was read, and not yet made.
struct Draft<'f> {
    path: &'f str,
    folders: Vec<&'f str>,
    id: ItemId,
    title: Title,
    marks: Marks,
    created_unix_ms: Option<u64>,
    updated_unix_ms: Option<u64>,
    text: String,
}

/// Takes a folder in: notes by the id in their front matter where there is one, new ones otherwise;
/// other files as attachments. Links to files of the folder become links of the vault. Hidden files
/// stay out. One path that leads elsewhere, and nothing is taken.
///
/// # Errors
/// [`MarkdownError`].
pub fn import(
    replica: &mut Replica,
    files: &Files,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<ImportReport, MarkdownError> {
    if files.len() > FILES_MAX {
        return Err(MarkdownError::TooMany);
    }
    let mut report = ImportReport::default();
    let mut drafts = Vec::new();
    let mut others = Vec::new();
    let mut ids = HashSet::new();
    for (n, (path, bytes)) in files.iter().enumerate() {
        let (folders, name) = parts(path).ok_or(MarkdownError::Path(n))?;
        let mut leave = |why| report.left_out.push(LeftOut { what: path.clone(), why });
        if folders.iter().chain([&name]).any(|name| name.starts_with('.')) {
            leave("it is hidden");
            continue;
        }
        let Some(stem) = note_stem(name) else {
            match u64::try_from(bytes.len()) {
                Ok(len) if len <= ATTACHMENT_BYTES_MAX => others.push((path, folders, name, bytes)),
                _ => leave("it is longer than 100 MiB"),
            }
            continue;
        };
        let Ok(text) = std::str::from_utf8(bytes) else {
            leave("it is no UTF-8");
            continue;
        };
        let (front, text) = Front::read(without_mark(text));
        if text.len() > BODY_BYTES_MAX {
            leave("it is longer than 1 MiB");
            continue;
        }
        let is_note = |id: ItemId| {
            replica.overview(id).is_some_and(|o| o.details.kind() == Kind::Note)
                || replica.is_free(id)
        };
        let id = front.id.filter(|id| is_note(*id) && ids.insert(*id));
        let id = id.unwrap_or_else(|| ItemId::make(rng));
        let title = front.title.unwrap_or_else(|| Title::lossy(stem));
        let Front { marks, created_unix_ms, updated_unix_ms, .. } = front;
        drafts.push(Draft {
            path,
            folders,
            id,
            title,
            marks,
            created_unix_ms,
            updated_unix_ms,
            text,
        });
    }
    let mut folders = HashMap::new();
    let mut attached: BTreeMap<&str, ItemId> = BTreeMap::new();
    for (path, within, name, bytes) in others {
        let make = |cause| MarkdownError::Make { path: path.clone(), cause };
        let folder = folder(replica, &mut folders, &within, clock, rng).map_err(make)?;
        let attached_here = attach(replica, folder, name, bytes, clock, rng);
        let (item, is_new) = attached_here.map_err(make)?;
        attached.insert(path, item);
        if is_new {
            report.attachments.push(ImportedFile { item, path: path.clone() });
        }
    }
    let leads = Leads::of(&drafts, &attached);
    for draft in &drafts {
        let make = |cause| MarkdownError::Make { path: draft.path.to_owned(), cause };
        let folder = folder(replica, &mut folders, &draft.folders, clock, rng).map_err(make)?;
        let Ok(body) = Body::new(&leads.rewrite(draft)) else {
            let (what, why) =
                (draft.path.to_owned(), "with its links written out it is longer than 1 MiB");
            report.left_out.push(LeftOut { what, why });
            continue;
        };
        match put(replica, draft, body, folder, clock, rng).map_err(make)? {
            Done::Created => report.created.push(draft.id),
            Done::Updated => report.updated.push(draft.id),
            Done::Unchanged => report.unchanged += 1,
        }
    }
    Ok(report)
}

/// The id that a note's file claims in its front matter.
pub fn named(bytes: &[u8]) -> Option<ItemId> {
    Front::read(without_mark(std::str::from_utf8(bytes).ok()?)).0.id
}

/// Without the byte order mark that some editors write.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// What became of a note.
enum Done {
    Created,
    Updated,
    Unchanged,
}

fn put(
    replica: &mut Replica,
    draft: &Draft<'_>,
    body: Body,
    folder: Option<ItemId>,
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<Done, EditError> {
    let now = clock.unix_ms();
    let before =
        replica.overview(draft.id).map(|o| (o.folder, o.state, o.created_unix_ms, o.conflict_of));
    let mut item = Item::note(draft.title.clone(), body);
    item.marks = draft.marks.clone();
    if let Some((own_folder, State::Live, ..)) = before {
        let own = replica.open(draft.id)?;
        let is_same = own.title == item.title && own.body == item.body && own.marks == item.marks;
        if is_same && own_folder == folder {
            return Ok(Done::Unchanged);
        }
    }
    let created_unix_ms = before.map(|b| b.2).or(draft.created_unix_ms).unwrap_or(now);
    let conflict_of = before.and_then(|b| b.3);
    let put = Put {
        id: draft.id,
        item: &item,
        parent: folder,
        state: State::Live,
        conflict_of,
        created_unix_ms,
    };
    // What was changed on a disk says itself when, but not that it will be.
    let updated = draft.updated_unix_ms.filter(|_| before.is_none()).map_or(now, |ms| ms.min(now));
    replica.put_at(&put, updated, rng)?;
    Ok(if before.is_some() { Done::Updated } else { Done::Created })
}

/// The folder of a path, made where it is not there.
fn folder<'f>(
    replica: &mut Replica,
    known: &mut HashMap<Vec<&'f str>, ItemId>,
    path: &[&'f str],
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<Option<ItemId>, EditError> {
    let mut at = None;
    for depth in 1..=path.len() {
        let here = &path[..depth];
        let id = match known.get(here) {
            Some(id) => *id,
            None => {
                let name = Title::lossy(here[depth - 1]);
                let within = at.map_or(Within::Root, Within::Folder);
                let filter = Filter { kind: Some(Kind::Folder), within, ..Filter::default() };
                let same = replica.list(&filter).iter().find(|o| *o.title == name).map(|o| o.id);
                let id = match same {
                    Some(id) => id,
                    None => replica.create_item(&Item::folder(name), at, clock, rng)?,
                };
                known.insert(here.to_vec(), id);
                id
            }
        };
        at = Some(id);
    }
    Ok(at)
}

/// The attachment of a file, and whether it is new.
fn attach(
    replica: &mut Replica,
    folder: Option<ItemId>,
    name: &str,
    bytes: &[u8],
    clock: &dyn Clock,
    rng: &dyn Rng,
) -> Result<(ItemId, bool), EditError> {
    let (title, digest): (Title, Digest32) = (Title::lossy(name), sha256(bytes));
    let within = folder.map_or(Within::Root, Within::Folder);
    let filter = Filter { kind: Some(Kind::Attachment), within, ..Filter::default() };
    let same = replica.list(&filter).into_iter().find(|o| {
        let is_same =
            |d: &Details| matches!(d, Details::Attachment { digest: own, .. } if *own == digest);
        *o.title == title && is_same(o.details)
    });
    if let Some(same) = same {
        return Ok((same.id, false));
    }
    let mut blob = [0; 16];
    rng.fill(&mut blob);
    let contents = Contents::Attachment {
        media_type: Label::lossy(media_type(name)),
        length_bytes: bytes.len() as u64,
        blob: BlobId::from(blob),
        digest,
        key: Secret::<[u8; 32]>::make(|page| rng.fill(page)),
    };
    let item = Item { title, marks: Marks::default(), body: Body::default(), contents };
    Ok((replica.create_item(&item, folder, clock, rng)?, true))
}

/// Where links of the files lead.
struct Leads<'d> {
    by_path: HashMap<&'d str, &'d Title>,
    by_stem: HashMap<String, &'d Title>,
    attached: &'d BTreeMap<&'d str, ItemId>,
}

impl<'d> Leads<'d> {
    fn of(drafts: &'d [Draft<'_>], attached: &'d BTreeMap<&'d str, ItemId>) -> Self {
        let by_path = drafts.iter().map(|d| (d.path, &d.title)).collect();
        let mut by_stem = HashMap::new();
        for draft in drafts {
            let name = draft.path.rsplit('/').next().unwrap_or_default();
            if let Some(stem) = note_stem(name) {
                by_stem.entry(fold_text(stem)).or_insert(&draft.title);
            }
        }
        Self { by_path, by_stem, attached }
    }

    fn rewrite(&self, draft: &Draft<'_>) -> String {
        // A link to a file whose note has another title leads to the title.
        let text = relink(&draft.text, |link| {
            let title = self.by_stem.get(&fold_text(link.title))?.as_str();
            let is_title = |text: &str| fold_text(text) == fold_text(title);
            if is_title(link.title) || !is_linkable(title) {
                return None;
            }
            let shown = link.text.unwrap_or(link.title);
            let (title, text) = if is_title(shown) { (shown, None) } else { (title, Some(shown)) };
            Some(retitled(&crate::WikiLink { text, ..link.clone() }, title))
        });
        let text = text.as_deref().unwrap_or(&draft.text);
        with_inline_links(text, |link| {
            let path = resolve(&draft.folders, &decoded(link.target)?)?;
            if let Some(id) = self.attached.get(path.as_str()) {
                return Some(format!("[{}]({ATTACHMENT_SCHEME}{id})", link.text));
            }
            let title = self.by_path.get(path.as_str())?.as_str();
            let is_plain = is_linkable(title) && !link.is_image && !link.text.contains(['|', ']']);
            is_plain.then(|| match link.text == title {
                true => format!("[[{title}]]"),
                false => format!("[[{title}|{}]]", link.text),
            })
        })
    }
}

/// The name of a note's file without its extension.
fn note_stem(name: &str) -> Option<&str> {
    let at = name.len().checked_sub(NOTE_EXTENSION.len())?;
    let extension = name.get(at..)?;
    extension.eq_ignore_ascii_case(NOTE_EXTENSION).then(|| &name[..at])
}

fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    match extension.as_deref() {
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("svg") => "image/svg+xml",
        Some("pdf") => "application/pdf",
        Some("txt") => "text/plain",
        Some("json") => "application/json",
        Some("mp3") => "audio/mpeg",
        Some("mp4") => "video/mp4",
        _ => "application/octet-stream",
    }
}

const FILES_MAX: usize = 100_000;
const BODY_BYTES_MAX: usize = 1 << 20;
