//! Notes and attachments as files.

use std::collections::{BTreeMap, HashMap};

use super::front::Front;
use super::rewrite::{encoded, with_inline_links};
use super::tree::{Names, relative};
use super::{Files, LeftOut, MarkdownError};
use crate::item::{Kind, Marks};
use crate::links::{relink, retitled};
use crate::replica::{Filter, Overview, Replica};
use crate::search::fold_text;
use crate::wire::ItemId;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// The files. Notes are in the clear: they are for their owner's disk.
    pub files: Files,
    /// Items that are no notes or files, by their titles, and attachments whose bytes were not given.
    pub left_out: Vec<LeftOut>,
}

/// Where an item is in the folder.
struct Place {
    folders: Vec<String>,
    name: String,
}

/// Notes as Markdown with front matter, in folders of their own, with the files beside them. What is in
/// the trash stays there; folders without notes or files are no files. `attachment` gives the plaintext
/// of one.
///
/// # Errors
/// [`MarkdownError::Open`]: a note that does not open is not left out in silence.
pub fn export(
    replica: &Replica,
    mut attachment: impl FnMut(ItemId) -> Option<Vec<u8>>,
) -> Result<Exported, MarkdownError> {
    let mut listed = replica.list(&Filter::default());
    listed.sort_unstable_by_key(|o| o.id);
    let mut out = Exported::default();
    let places = places(&listed);
    for overview in &listed {
        let Some(place) = places.get(&overview.id) else {
            if overview.details.kind() != Kind::Folder {
                let (what, why) = (overview.title.to_string(), "it is no note and no file");
                out.left_out.push(LeftOut { what, why });
            }
            continue;
        };
        let bytes = match overview.details.kind() {
            Kind::Note => note(replica, overview, place, &places)?.into_bytes(),
            _ => match attachment(overview.id) {
                Some(bytes) => bytes,
                None => {
                    let (what, why) = (overview.title.to_string(), "its bytes are not here");
                    out.left_out.push(LeftOut { what, why });
                    continue;
                }
            },
        };
        out.files.insert(place.path(), bytes);
    }
    Ok(out)
}

fn note(
    replica: &Replica,
    overview: &Overview<'_>,
    place: &Place,
    places: &HashMap<ItemId, Place>,
) -> Result<String, MarkdownError> {
    let body = replica.body(overview.id);
    let body = body.map_err(|cause| MarkdownError::Open { item: overview.id, cause })?;
    let is_named = place.stem() == overview.title.as_str();
    let front = Front {
        id: Some(overview.id),
        title: (!is_named).then(|| overview.title.clone()),
        marks: Marks { ..overview.marks.clone() },
        created_unix_ms: Some(overview.created_unix_ms),
        updated_unix_ms: Some(overview.updated_unix_ms),
    };
    // A link leads to a file's name; where that is not the title, the title is what is shown.
    let body = relink(body.as_str(), |link| {
        let to = places.get(&replica.resolve(link.title)?)?;
        if fold_text(to.stem()) == fold_text(link.title) {
            return None;
        }
        let text = link.text.unwrap_or(link.title);
        Some(retitled(&crate::WikiLink { text: Some(text), ..link.clone() }, to.stem()))
    })
    .unwrap_or_else(|| body.as_str().to_owned());
    let from: Vec<&str> = place.folders.iter().map(String::as_str).collect();
    let body = with_inline_links(&body, |link| {
        let id: ItemId = link.target.strip_prefix(ATTACHMENT_SCHEME)?.parse().ok()?;
        let path = relative(&from, &places.get(&id)?.path());
        Some(format!("[{}]({})", link.text, encoded(&path)))
    });
    Ok(front.write() + &body)
}

/// Where notes and attachments go; folders first, so that their names do not depend on what is in them.
fn places(listed: &[Overview<'_>]) -> HashMap<ItemId, Place> {
    let folders: BTreeMap<ItemId, &Overview<'_>> =
        listed.iter().filter(|o| o.details.kind() == Kind::Folder).map(|o| (o.id, o)).collect();
    let mut names: HashMap<Option<ItemId>, Names> = HashMap::new();
    let mut notes = Names::default();
    let mut folder_names: HashMap<ItemId, String> = HashMap::new();
    for folder in folders.values() {
        folder_names.insert(
            folder.id,
            names.entry(folder.folder).or_default().take(folder.title.as_str(), ""),
        );
    }
    let above = |folder: Option<ItemId>| {
        let up = std::iter::successors(folder, |at| folders.get(at).and_then(|o| o.folder));
        let mut path: Vec<String> = up.filter_map(|id| folder_names.get(&id).cloned()).collect();
        path.reverse();
        path
    };
    let mut places = HashMap::new();
    for overview in listed {
        let title = overview.title.as_str();
        let name = match overview.details.kind() {
            // A link has no folder in it, so no two notes of the whole vault share a name.
            Kind::Note => loop {
                let name = notes.take(title, NOTE_EXTENSION);
                if names.entry(overview.folder).or_default().reserve(&name) {
                    break name;
                }
            },
            Kind::Attachment => take_file(names.entry(overview.folder).or_default(), title),
            _ => continue,
        };
        places.insert(overview.id, Place { folders: above(overview.folder), name });
    }
    places
}

/// The number of a name that is taken goes before its extension. A file that would be read as a note
/// gets another one.
fn take_file(names: &mut Names, title: &str) -> String {
    match title.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && extension.len() <= 8
                && extension.bytes().all(|b| b.is_ascii_alphanumeric())
                && !extension.eq_ignore_ascii_case("md") =>
        {
            names.take(stem, &format!(".{extension}"))
        }
        _ => names.take(title, ".bin"),
    }
}

impl Place {
    fn path(&self) -> String {
        let mut all: Vec<&str> = self.folders.iter().map(String::as_str).collect();
        all.push(&self.name);
        all.join("/")
    }

    fn stem(&self) -> &str {
        self.name.strip_suffix(NOTE_EXTENSION).unwrap_or(&self.name)
    }
}

/// How the name of a note's file ends, and of no other.
pub const NOTE_EXTENSION: &str = ".md";
/// How a note's text leads to an attachment of its vault.
pub(super) const ATTACHMENT_SCHEME: &str = "vault:";
