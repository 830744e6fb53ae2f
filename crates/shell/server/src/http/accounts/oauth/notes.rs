//! An assistant's calls in its person's vault, while a lease is live; each is written down.

use serde_json::json;
use symbolon_account::oauth::Scope;
use symbolon_codec::time::rfc3339;
use symbolon_lease::{LeaseError, Leased, Listed, Purpose, Written};
use symbolon_mcp::vault::{
    Edit, FolderView, Found, Note, NoteCall, NoteFault, NoteReply, NoteRow, Place, Right, Saved,
    VaultTool,
};
use symbolon_vault::Item;
use symbolon_vault::item::{Body, Kind, TagName, TextError, Title};
use symbolon_vault::replica::{EditError, Filter, Within};
use symbolon_vault::wire::ItemId;

use super::super::service::Service;
use super::{Kept, bearer::Assistant};

/// The scope that gives a right.
pub(in crate::http::accounts) const fn scope_of(right: Right) -> Scope {
    match right {
        Right::Read => Scope::NotesRead,
        Right::Write => Scope::NotesWrite,
        Right::Delete => Scope::NotesDelete,
    }
}

impl<S: Kept> Service<S> {
    /// Does a call, and writes down that it was done or not: the tool, who, what came of it; no word of a note.
    ///
    /// # Errors
    /// [`NoteFault`].
    pub async fn note(
        &self,
        who: &Assistant,
        tool: VaultTool,
        call: NoteCall,
    ) -> Result<NoteReply, NoteFault> {
        let done = match who.scopes.has(scope_of(tool.right())) {
            true => self.noted(who, call).await,
            false => Err(fault("insufficient_scope", "This was not allowed.", CONNECT_AGAIN)),
        };
        self.write_down(who, tool, done.as_ref().err().map_or("done", |fault| fault.code)).await?;
        done
    }

    /// Writes a call down.
    ///
    /// # Errors
    /// [`NoteFault`], ours.
    pub async fn write_down(
        &self,
        who: &Assistant,
        tool: VaultTool,
        outcome: &str,
    ) -> Result<(), NoteFault> {
        let detail = json!({ "grant": who.grant, "client": who.client, "tool": tool.name(),
            "outcome": outcome });
        let event = self.event("assistant-called", &detail);
        self.store.append_event(who.account, &event).await.map_err(|error| {
            tracing::error!(%error, "a call of an assistant was not written down");
            let says =
                "The call was not written down, so its answer is not given. It may have been done.";
            NoteFault { is_ours: true, ..fault("not_written_down", says, "symbolon doctor") }
        })
    }

    async fn noted(&self, who: &Assistant, call: NoteCall) -> Result<NoteReply, NoteFault> {
        let leased = self.leases.open(who.account, Purpose::Notes);
        let leased = leased.ok_or_else(|| self.locked())?;
        let done = match call {
            NoteCall::List { place, tag, from, limit } => {
                list(&leased, &place, tag.as_deref(), from, limit).await
            }
            NoteCall::Search { query, limit } => {
                let found = leased.search(&query, &Filter::default(), limit).await;
                found.map_err(Fault::from).map(|found| {
                    let one = |one: symbolon_lease::Found| Found {
                        row: row(&one.listed),
                        snippet: one.snippet.text,
                    };
                    NoteReply::Found(found.into_iter().map(one).collect())
                })
            }
            NoteCall::Read { id, from } => read(&leased, &id, from).await,
            NoteCall::Save { title, body, tags, folder } => {
                save(&leased, &title, &body, &tags, folder.as_deref()).await
            }
            NoteCall::Update { id, edit } => update(&leased, &id, edit).await,
            NoteCall::Delete { id } => delete(&leased, &id).await,
            NoteCall::Folders => leased.folders().await.map_err(Fault::from).map(|all| {
                let one = |one: symbolon_lease::FolderView| FolderView {
                    id: one.id.to_string(),
                    path: one.path.iter().map(|name| name.as_str().to_owned()).collect(),
                };
                NoteReply::Folders(all.into_iter().map(one).collect())
            }),
        };
        done.map_err(|error| match error {
            Fault::Lease(LeaseError::Ended(_)) => self.locked(),
            error => error.told(),
        })
    }

    fn locked(&self) -> NoteFault {
        let page = self.origin.as_str();
        let next =
            format!("Ask the person to open {page}/leases and unlock their notes for assistants.");
        fault("locked", "The vault is locked: its owner has not unlocked it for assistants.", &next)
    }
}

/// Why a call was not done.
enum Fault {
    Lease(LeaseError),
    Text(TextError),
    Tags,
    Missing,
}

impl From<LeaseError> for Fault {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Edit(EditError::NoItem(_)) | LeaseError::Reach => Self::Missing,
            error => Self::Lease(error),
        }
    }
}

impl From<TextError> for Fault {
    fn from(error: TextError) -> Self {
        Self::Text(error)
    }
}

impl Fault {
    fn told(self) -> NoteFault {
        match self {
            Self::Missing => fault(
                "not_found",
                "There is no such note or folder.",
                "Look for it with list_notes.",
            ),
            Self::Text(error) => {
                fault("invalid_arguments", &format!("A text is not taken: {error}."), "Shorten it.")
            }
            Self::Tags => fault(
                "invalid_arguments",
                "A note has 64 tags at most, each once.",
                "Leave some out.",
            ),
            Self::Lease(LeaseError::Busy { .. }) => {
                fault("busy", "The vault is being changed elsewhere.", "Try it again in a moment.")
            }
            Self::Lease(LeaseError::TooLarge) => fault(
                "too_large",
                "The vault is larger than this server opens for assistants.",
                "Use the vault's own page.",
            ),
            Self::Lease(error) => {
                tracing::warn!(%error, "a call of an assistant failed");
                fault(
                    "failed",
                    "The vault could not be read or written.",
                    "Try it again in a moment.",
                )
            }
        }
    }
}

async fn list<S: Kept>(
    leased: &Leased<S>,
    place: &Place,
    tag: Option<&str>,
    from: usize,
    limit: usize,
) -> Result<NoteReply, Fault> {
    let within = match place {
        Place::All => Within::All,
        Place::Root => Within::Root,
        Place::Folder(id) => Within::Folder(parsed(id)?),
    };
    let tag = tag.map(TagName::new).transpose()?;
    let filter = Filter { kind: Some(Kind::Note), within, tag, ..Filter::default() };
    let all = leased.items(&filter).await?;
    let next = (all.len() > from.saturating_add(limit)).then(|| from + limit);
    let page = all.iter().skip(from).take(limit).map(row).collect();
    Ok(NoteReply::Listed(page, next))
}

async fn read<S: Kept>(leased: &Leased<S>, id: &str, from: usize) -> Result<NoteReply, Fault> {
    let opened = leased.read(parsed(id)?).await?;
    note_alone(&opened.item)?;
    let body = opened.item.body.as_str();
    // A place within a character is the character's.
    let from = body.floor_char_boundary(from.min(body.len()));
    let to = body.floor_char_boundary(from.saturating_add(READ_BYTES_MAX));
    Ok(NoteReply::Note(Box::new(Note {
        row: row(&opened.listed),
        body: body[from..to].to_owned(),
        from,
        body_bytes: body.len(),
        next_from: (to < body.len()).then_some(to),
        trashed: opened.listed.is_trashed,
    })))
}

async fn save<S: Kept>(
    leased: &Leased<S>,
    title: &str,
    body: &str,
    tags: &[String],
    folder: Option<&str>,
) -> Result<NoteReply, Fault> {
    let mut item = Item::note(Title::new(title)?, Body::new(body)?);
    item.marks.tags = tagged(tags)?;
    let saved = leased.save(&item, placed(folder)?).await?;
    Ok(NoteReply::Saved(Saved {
        id: saved.id.to_string(),
        title: saved.title.as_str().to_owned(),
        conflict_copy: None,
    }))
}

async fn update<S: Kept>(leased: &Leased<S>, id: &str, edit: Edit) -> Result<NoteReply, Fault> {
    let id = parsed(id)?;
    // All that can be wrong with the change itself is found before anything is changed.
    let title = edit.title.as_deref().map(Title::new).transpose()?;
    let body = edit.body.as_deref().map(Body::new).transpose()?;
    let tags = edit.tags.as_deref().map(tagged).transpose()?;
    let folder = edit.folder.as_deref().map(|folder| placed(Some(folder))).transpose()?;
    let opened = leased.read(id).await?;
    note_alone(&opened.item)?;
    let appended = match &edit.append {
        None => None,
        Some(more) => Some(Body::new(&joined(opened.item.body.as_str(), more))?),
    };
    drop(opened);
    let mut written = None;
    if title.is_some() || body.is_some() || tags.is_some() || appended.is_some() {
        let more = edit.append;
        let changed = leased.update(id, move |item| {
            if let Some(title) = title {
                item.title = title;
            }
            if let Some(body) = body {
                item.body = body;
            }
            if let Some(more) = more {
                // Behind what is there now, which may be more than a moment ago.
                let text = joined(item.body.as_str(), &more);
                item.body = Body::new(&text).map_err(|_| LeaseError::TooLarge)?;
            }
            if let Some(tags) = tags {
                item.marks.tags = tags;
            }
            Ok(())
        });
        written = Some(changed.await?);
    }
    if let Some(folder) = folder {
        let moved = leased.move_to(id, folder).await?;
        written = Some(Written { copy: written.and_then(|before| before.copy), ..moved });
    }
    written.as_ref().map(saved).ok_or(Fault::Missing)
}

async fn delete<S: Kept>(leased: &Leased<S>, id: &str) -> Result<NoteReply, Fault> {
    let id = parsed(id)?;
    note_alone(&leased.read(id).await?.item)?;
    Ok(saved(&leased.trash(id).await?))
}

/// A folder is no note: it is listed, and neither read nor changed.
fn note_alone(item: &Item) -> Result<(), Fault> {
    if item.kind() == Kind::Note { Ok(()) } else { Err(Fault::Missing) }
}

fn saved(written: &Written) -> NoteReply {
    NoteReply::Saved(Saved {
        id: written.listed.id.to_string(),
        title: written.listed.title.as_str().to_owned(),
        conflict_copy: written.copy.map(|copy| copy.to_string()),
    })
}

fn row(listed: &Listed) -> NoteRow {
    NoteRow {
        id: listed.id.to_string(),
        title: listed.title.as_str().to_owned(),
        tags: listed.marks.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
        folder: listed.folder.map(|folder| folder.to_string()),
        pinned: listed.marks.pinned,
        created: rfc3339(listed.created_unix_ms),
        updated: rfc3339(listed.updated_unix_ms),
    }
}

fn parsed(id: &str) -> Result<ItemId, Fault> {
    id.parse().map_err(|_| Fault::Missing)
}

/// The folder of an argument; an empty one is none.
fn placed(folder: Option<&str>) -> Result<Option<ItemId>, Fault> {
    folder.filter(|folder| !folder.is_empty()).map(parsed).transpose()
}

fn tagged(tags: &[String]) -> Result<Vec<TagName>, Fault> {
    let mut all = tags.iter().map(|tag| TagName::new(tag)).collect::<Result<Vec<_>, _>>()?;
    all.sort();
    let found = all.len();
    all.dedup();
    if all.len() < found || found > TAGS_MAX { Err(Fault::Tags) } else { Ok(all) }
}

/// Text behind text, on a line of its own.
fn joined(before: &str, more: &str) -> String {
    let gap = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    format!("{before}{gap}{more}")
}

fn fault(code: &'static str, message: &str, next: &str) -> NoteFault {
    NoteFault { code, message: message.to_owned(), next: Some(next.to_owned()), is_ours: false }
}

const CONNECT_AGAIN: &str =
    "Ask the owner of the vault to connect the assistant again, with this right.";
/// Bytes of a note's text that are given at once.
const READ_BYTES_MAX: usize = 64 * 1024;
const TAGS_MAX: usize = 64;

#[cfg(test)]
mod tests;
