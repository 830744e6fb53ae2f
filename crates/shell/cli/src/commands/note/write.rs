//! `symbolon note new`, `edit` and `today`

use std::io::{self, Read};

use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_holder::OpenVault;
use symbolon_vault::Item;
use symbolon_vault::item::{Body, Marks, TagName, Title};
use symbolon_vault::wire::ItemId;

use super::{Ctx, find};
use crate::failure::Failure;
use crate::vaults::{self, Ask, Reached, Which, short};
use crate::{editor, local_time, out};

/// Write a new note
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note new \"Groceries\"                          opens $EDITOR
  symbolon note new \"Plan\" --body-from-stdin < plan.md
  symbolon note new \"Minutes\" --template \"Meeting\" --folder Work --tag team")]
pub struct New {
    /// Its title
    title: String,
    /// In this folder, which is made where it is not there
    #[arg(long, value_name = "PATH")]
    folder: Option<String>,
    /// A tag; can be repeated
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<TagName>,
    /// Before the others
    #[arg(long)]
    pin: bool,
    /// Other notes are made of it: {{title}}, {{date}} and {{time}} are filled in
    #[arg(long)]
    as_template: bool,
    /// Made of this template
    #[arg(long, value_name = "NOTE", conflicts_with = "body_from_stdin")]
    template: Option<String>,
    /// Read its text from standard input
    #[arg(long)]
    body_from_stdin: bool,
    #[command(flatten)]
    which: Which,
}

/// Change a note's text or title
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note edit Groceries                            opens $EDITOR, in memory alone
  symbolon note edit Groceries --body-from-stdin < list.md
  symbolon note edit Groceries --title \"Weekend groceries\"")]
pub struct Edit {
    /// Title, or how the id begins
    note: String,
    /// A new title; links to it follow
    #[arg(long)]
    title: Option<String>,
    /// Read its text from standard input
    #[arg(long)]
    body_from_stdin: bool,
    #[command(flatten)]
    which: Which,
}

/// The note of today, made where it is not there
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note today                                     opens $EDITOR
  echo \"- called Ada\" | symbolon note today --append-from-stdin")]
pub struct Today {
    /// In this folder, which is made where it is not there
    #[arg(long, value_name = "PATH")]
    folder: Option<String>,
    /// Made of this template
    #[arg(long, value_name = "NOTE")]
    template: Option<String>,
    /// Add standard input to its end
    #[arg(long)]
    append_from_stdin: bool,
    #[command(flatten)]
    which: Which,
}

impl New {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let title = find::title(&self.title)?;
        let closed = self.which.find(ctx)?;
        let unlocked = vaults::unlock(&closed, Ask::Person)?;
        // The text first: nobody holds the vault while it is written.
        let text = match (self.body_from_stdin, &self.template) {
            (true, _) => from_stdin()?,
            (_, Some(_)) => String::new(),
            _ => written("", "symbolon note new TITLE --body-from-stdin < FILE")?,
        };
        let mut vault = vaults::open(closed, unlocked)?;
        let replica = vault.replica_mut();
        let folder = match &self.folder {
            Some(path) => find::folder(replica, path)?,
            None => None,
        };
        let marks = Marks { tags: once(self.tags), pinned: self.pin, template: self.as_template };
        let id = match &self.template {
            Some(template) => {
                let template = find::note(replica, template, false)?;
                let now = local_time::now();
                let id =
                    replica.create_from(template, title, folder, &now, &SystemClock, &SystemRng)?;
                replica.mark(id, |own| merge(own, marks), &SystemClock, &SystemRng)?;
                id
            }
            None => {
                let item = Item { marks, ..Item::note(title, body(&text)?) };
                replica.create_item(&item, folder, &SystemClock, &SystemRng)?
            }
        };
        kept(ctx, &mut vault, id, "is made")
    }
}

impl Edit {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let title = self.title.as_deref().map(find::title).transpose()?;
        let vault = self.which.open(ctx, Ask::Person)?;
        let id = find::note(vault.replica(), &self.note, false)?;
        let from = match (self.body_from_stdin, &title) {
            (true, _) => Source::Stdin,
            (_, Some(_)) => Source::Nowhere,
            _ => Source::Editor,
        };
        edit(ctx, &self.which, vault, id, title, from)
    }
}

/// Where a new text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Editor,
    Stdin,
    /// The text stays.
    Nowhere,
}

fn edit(
    ctx: &Ctx,
    which: &Which,
    vault: OpenVault,
    id: ItemId,
    title: Option<Title>,
    from: Source,
) -> Result<(), Failure> {
    let before = vault.replica().body(id)?;
    // Nobody holds the vault while it is written.
    let unlocked = vault.close();
    let text = match from {
        Source::Stdin => Some(from_stdin()?),
        Source::Nowhere => None,
        Source::Editor => {
            Some(written(before.as_str(), "symbolon note edit NOTE --body-from-stdin < FILE")?)
        }
    };
    let text = text.as_deref().map(body).transpose()?;
    if title.is_none() && text.as_ref() == Some(&before) {
        out::say("Nothing was changed.");
        return Ok(());
    }
    let mut vault = vaults::open(which.find(ctx)?, unlocked)?;
    let replica = vault.replica_mut();
    let mut item = replica.open(id)?;
    if let Some(text) = text {
        if item.body != before && item.body != text {
            return kept_beside(ctx, &mut vault, id, item, text);
        }
        item.body = text;
    }
    if let Some(title) = title {
        item.title = title;
    }
    let also = replica.update_item(id, &item, &SystemClock, &SystemRng)?;
    if !also.is_empty() {
        out::say(&format!("Links to it follow in {} note(s).", also.len()));
    }
    kept(ctx, &mut vault, id, "is changed")
}

impl Today {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let replica = vault.replica_mut();
        let folder = match &self.folder {
            Some(path) => find::folder(replica, path)?,
            None => None,
        };
        let template = match &self.template {
            Some(template) => Some(find::note(replica, template, false)?),
            None => None,
        };
        let now = local_time::now();
        let id = replica.daily(&now, folder, template, &SystemClock, &SystemRng)?;
        if !self.append_from_stdin {
            vault.save(&SystemRng)?;
            return edit(ctx, &self.which, vault, id, None, Source::Editor);
        }
        let mut item = replica.open(id)?;
        let mut text = item.body.as_str().to_owned();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&from_stdin()?);
        item.body = body(&text)?;
        replica.update_item(id, &item, &SystemClock, &SystemRng)?;
        kept(ctx, &mut vault, id, "is changed")
    }
}

/// Keeps and sends a change, and says what became of it.
pub fn kept(ctx: &Ctx, vault: &mut OpenVault, id: ItemId, what: &str) -> Result<(), Failure> {
    let title = vault.replica().overview(id).map(|it| it.title.to_string());
    let reached = vaults::keep(vault)?;
    if ctx.json {
        let on_server = reached == Reached::Server;
        return out::json(&json!({ "id": id, "title": title, "on_server": on_server }));
    }
    let id = short(&id.to_string());
    match title {
        Some(title) => out::say(&format!("`{title}` ({id}) {what}.")),
        None => out::say(&format!("{id} {what}.")),
    }
    Ok(())
}

/// Another command changed the note while it was in the editor: what was written is a note of its own.
fn kept_beside(
    ctx: &Ctx,
    vault: &mut OpenVault,
    id: ItemId,
    item: Item,
    text: Body,
) -> Result<(), Failure> {
    let folder = vault.replica().overview(id).and_then(|it| it.folder);
    let title = find::title(&format!("{} (other version)", item.title)).unwrap_or(item.title);
    let copy = Item { marks: item.marks, ..Item::note(title, text) };
    let id = vault.replica_mut().create_item(&copy, folder, &SystemClock, &SystemRng)?;
    out::say("The note was changed meanwhile; what you wrote is kept beside it.");
    kept(ctx, vault, id, "is made")
}

fn written(text: &str, flag: &str) -> Result<String, Failure> {
    if !editor::is_possible() {
        let what = "nobody is at a terminal to write the text";
        return Err(Failure::usage(what).next(flag));
    }
    editor::edit(text, flag)
}

fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().take(TEXT_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| {
        Failure::environment("stdin", format!("cannot read the text: {error}"))
            .next("a text in UTF-8")
    })?;
    Ok(text)
}

fn body(text: &str) -> Result<Body, Failure> {
    Body::new(text).map_err(|error| {
        Failure::refused("too_long", error.to_string()).next("two notes, with a link: [[Title]]")
    })
}

fn once(mut tags: Vec<TagName>) -> Vec<TagName> {
    tags.sort();
    tags.dedup();
    tags
}

fn merge(own: &mut Marks, new: Marks) {
    own.tags.extend(new.tags);
    own.tags = once(std::mem::take(&mut own.tags));
    own.pinned |= new.pinned;
    own.template |= new.template;
}

/// One byte more than a note holds is read, so that it is refused and not cut.
const TEXT_BYTES_MAX: u64 = (1 << 20) + 1;
