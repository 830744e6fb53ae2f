//! `symbolon note attach`, `detach`, `attachments` and `save-attachment`

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use symbolon_ambient::{Rng, SystemClock, SystemRng};
use symbolon_codec::Digest32;
use symbolon_crypto::Sha256;
use symbolon_holder::OpenVault;
use symbolon_holder::server::{AttachFailure, SyncFailure};
use symbolon_secret::Secret;
use symbolon_vault::item::{ATTACHMENT_BYTES_MAX, Body, Contents, Details, Kind, Label, Marks};
use symbolon_vault::replica::{Filter, Overview};
use symbolon_vault::wire::{BlobId, ItemId};
use symbolon_vault::{Item, Replica};

use super::write::kept;
use super::{Ctx, find, link};
use crate::failure::Failure;
use crate::vaults::{self, Ask, Which, short};
use crate::{out, runtime};

/// Attach a file to a note: 100 MiB at most, sealed in parts on this device
///
/// The note gets a link to it. What broke off goes on where it stood when the same command is given again, and a
/// file that the vault has already is not sent a second time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note attach Groceries receipt.pdf
  symbolon note attachments Groceries
  symbolon note save-attachment Groceries receipt.pdf --to ~/receipt.pdf")]
pub struct Attach {
    /// Title of the note, or how its id begins
    note: String,
    /// The file
    file: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Take an attachment off a note; where no other note has it, it is erased
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon note detach Groceries receipt.pdf")]
pub struct Detach {
    /// Title of the note, or how its id begins
    note: String,
    /// Name of the attachment, or how its id begins
    attachment: String,
    #[command(flatten)]
    which: Which,
}

/// List a note's attachments
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon note attachments Groceries")]
pub struct Attachments {
    /// Title of the note, or how its id begins
    note: String,
    #[command(flatten)]
    which: Which,
}

/// Fetch an attachment into a new file, for its owner alone (0600)
///
/// Every part is opened and the whole compared with what was attached before the file has its name.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note save-attachment Groceries receipt.pdf
  symbolon note save-attachment Groceries 1f2e3d4c --to ~/receipt.pdf")]
pub struct Save {
    /// Title of the note, or how its id begins
    note: String,
    /// Name of the attachment, or how its id begins
    attachment: String,
    /// The new file [default: the attachment's name, here]
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

impl Attach {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let file_error = |error: io::Error| Failure::file("read", &self.file, &error);
        let mut file = File::open(&self.file).map_err(file_error)?;
        let (length, digest) = measured(&mut file).map_err(file_error)?;
        if length > ATTACHMENT_BYTES_MAX {
            let what = format!("{} has {} MiB", self.file.display(), length.div_ceil(1 << 20));
            return Err(Failure::refused(
                "too_long",
                format!("{what}; an attachment has 100 at most"),
            )
            .next("the file in parts of 100 MiB: split -b 100M FILE"));
        }
        let name = name(&self.file)?;
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let note = find::note(vault.replica(), &self.note, false)?;
        let mut client = vaults::client(&vault)?;
        let id = match known(vault.replica(), &name, length, &digest) {
            Some(id) => id,
            None => {
                let item = Item {
                    title: find::title(&name)?,
                    marks: Marks::default(),
                    body: Body::default(),
                    contents: Contents::Attachment {
                        media_type: media_type(&name),
                        length_bytes: length,
                        blob: BlobId::make(&SystemRng),
                        digest,
                        key: Secret::<[u8; 32]>::make(|bytes| SystemRng.fill(bytes)),
                    },
                };
                let folder = vault.replica().overview(note).and_then(|it| it.folder);
                let id =
                    vault.replica_mut().create_item(&item, folder, &SystemClock, &SystemRng)?;
                // Its key is kept before a part is sent: what breaks off is found again by it.
                vault.save(&SystemRng)?;
                id
            }
        };
        file.rewind().map_err(file_error)?;
        let told = |done, all| tell(ctx, "sent", done, all);
        let upload = vault.upload(&mut client, id, &mut file, &SystemRng, &told);
        let done = runtime::single()?.block_on(upload)?;
        let replica = vault.replica_mut();
        let mut item = replica.open(note)?;
        if !link::leads_to(item.body.as_str(), id) {
            let is_picture = media_type(&name).as_str().starts_with("image/");
            item.body = body(&link::added(item.body.as_str(), &name, id, is_picture))?;
            replica.update_item(note, &item, &SystemClock, &SystemRng)?;
        }
        let reached = vaults::keep(&mut vault)?;
        if ctx.json {
            return out::json(&json!({
                "id": id, "note": note, "bytes": length, "sent": done.sent, "there": done.there,
                "on_server": reached == vaults::Reached::Server,
            }));
        }
        if done.there > 0 {
            out::say(&format!("{} of its parts were there already.", done.there));
        }
        out::say(&format!("`{name}` ({}) is attached.", short(&id.to_string())));
        Ok(())
    }
}

impl Detach {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let note = find::note(vault.replica(), &self.note, false)?;
        let id = attachment(vault.replica(), note, &self.attachment)?;
        let mut client = vaults::client(&vault)?;
        let is_elsewhere = leading(vault.replica(), id)?.iter().any(|other| *other != note);
        if !is_elsewhere {
            // Its parts first: what is cut short between the two is finished by the same command.
            runtime::single()?.block_on(vault.forget_chunks(&mut client, id))?;
        }
        let replica = vault.replica_mut();
        let mut item = replica.open(note)?;
        item.body = body(&link::removed(item.body.as_str(), id))?;
        replica.update_item(note, &item, &SystemClock, &SystemRng)?;
        if !is_elsewhere {
            replica.trash(id, &SystemClock, &SystemRng)?;
            replica.erase(id, &SystemClock)?;
        }
        kept(ctx, &mut vault, note, "has it no longer")
    }
}

impl Attachments {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let note = find::note(vault.replica(), &self.note, false)?;
        let all = of_note(vault.replica(), note)?;
        if ctx.json {
            return out::json(&all.iter().map(row_json).collect::<Vec<_>>());
        }
        if all.is_empty() {
            out::say("It has no attachments.");
            out::say_next(&format!("symbolon note attach {} FILE", short(&note.to_string())));
            return Ok(());
        }
        let rows: Vec<_> = all.iter().map(row).collect();
        out::table(&["ID", "NAME", "TYPE", "BYTES"], &rows)
    }
}

impl Save {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let note = find::note(vault.replica(), &self.note, false)?;
        let id = attachment(vault.replica(), note, &self.attachment)?;
        let name = vault.replica().overview(id).map(|it| it.title.to_string()).unwrap_or_default();
        let to = match self.to {
            Some(to) => to,
            None => plain_name(&name)?,
        };
        if fs::symlink_metadata(&to).is_ok() {
            let what = format!("{} is there already", to.display());
            return Err(Failure::refused("exists", what).next("the same command with --to FILE"));
        }
        fetch(ctx, &vault, id, &to)?;
        if ctx.json {
            return out::json(&json!({ "id": id, "file": to }));
        }
        out::say(&format!("`{name}` is in {}, in the clear.", to.display()));
        Ok(())
    }
}

/// Fetches beside the place, and puts it there whole.
fn fetch(ctx: &Ctx, vault: &OpenVault, id: ItemId, to: &Path) -> Result<(), Failure> {
    let mut client = vaults::client(vault)?;
    let beside = to.with_added_extension(format!("{}.part", std::process::id()));
    let write = |error: io::Error| Failure::file("write", to, &error);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&beside).map_err(write)?;
    let told = |done, all| tell(ctx, "fetched", done, all);
    let fetched = runtime::single()?.block_on(vault.download(&mut client, id, &mut file, &told));
    let placed = fetched.map_err(Failure::from).and_then(|()| {
        file.sync_all().map_err(write)?;
        // Unlike a rename this replaces nothing that came meanwhile.
        fs::hard_link(&beside, to).map_err(write)
    });
    let _ = fs::remove_file(&beside);
    placed
}

/// Bytes and SHA-256 of a file, from its beginning; reads one byte more than an attachment has.
fn measured(file: &mut File) -> io::Result<(u64, Digest32)> {
    let (mut hash, mut length) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    let mut file = file.take(ATTACHMENT_BYTES_MAX + 1);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((length, hash.finish())),
            n => {
                hash.update(&buffer[..n]);
                length += n as u64;
            }
        }
    }
}

/// An attachment of the vault with this name and these bytes, sent whole or not.
fn known(replica: &Replica, name: &str, length: u64, digest: &Digest32) -> Option<ItemId> {
    let filter = Filter { kind: Some(Kind::Attachment), ..Filter::default() };
    let is_it = |it: &Overview<'_>| {
        let Details::Attachment { length_bytes, digest: own, .. } = it.details else {
            return false;
        };
        it.title.as_str() == name && *length_bytes == length && own == digest
    };
    replica.list(&filter).into_iter().find(is_it).map(|it| it.id)
}

/// A note's attachments: those that its text leads to.
fn of_note(replica: &Replica, note: ItemId) -> Result<Vec<Overview<'_>>, Failure> {
    let body = replica.body(note)?;
    let filter = Filter { kind: Some(Kind::Attachment), ..Filter::default() };
    let all = replica.list(&filter).into_iter();
    Ok(all.filter(|it| link::leads_to(body.as_str(), it.id)).collect())
}

/// The notes whose text leads to an attachment.
fn leading(replica: &Replica, id: ItemId) -> Result<Vec<ItemId>, Failure> {
    let filter = Filter { kind: Some(Kind::Note), ..Filter::default() };
    let mut notes = Vec::new();
    for note in replica.list(&filter) {
        if link::leads_to(replica.body(note.id)?.as_str(), id) {
            notes.push(note.id);
        }
    }
    Ok(notes)
}

fn attachment(replica: &Replica, note: ItemId, named: &str) -> Result<ItemId, Failure> {
    let all = of_note(replica, note)?;
    let is_it = |it: &&Overview<'_>| {
        it.title.as_str() == named
            || named.len() >= ID_CHARS_MIN && it.id.to_string().starts_with(&named.to_lowercase())
    };
    let next = format!("symbolon note attachments {}", short(&note.to_string()));
    match all.iter().filter(is_it).collect::<Vec<_>>().as_slice() {
        [one] => Ok(one.id),
        [] => {
            let what = format!("the note has no attachment `{named}`");
            Err(Failure::refused("no_attachment", what).next(next))
        }
        _ => Err(Failure::usage(format!("`{named}` are several attachments")).next(next)),
    }
}

fn row(it: &Overview<'_>) -> Vec<String> {
    let (media_type, bytes) = described(it.details);
    vec![short(&it.id.to_string()), it.title.to_string(), media_type, bytes.to_string()]
}

fn row_json(it: &Overview<'_>) -> Value {
    let (media_type, bytes) = described(it.details);
    json!({ "id": it.id, "name": it.title.as_str(), "media_type": media_type, "bytes": bytes })
}

fn described(details: &Details) -> (String, u64) {
    match details {
        Details::Attachment { media_type, length_bytes, .. } => {
            (media_type.to_string(), *length_bytes)
        }
        _ => (String::new(), 0),
    }
}

fn name(file: &Path) -> Result<String, Failure> {
    let name = file.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| {
        Failure::usage(format!("{} has no name that can be kept", file.display()))
            .next("a copy of it with a name in UTF-8")
    })
}

/// A name that leads nowhere else: it may have been given on another device.
fn plain_name(name: &str) -> Result<PathBuf, Failure> {
    let is_plain = !name.contains(['/', '\0']) && !name.starts_with('.') && !name.is_empty();
    if is_plain {
        return Ok(PathBuf::from(name));
    }
    let what = format!("`{name}` is no name of a file here");
    Err(Failure::usage(what).next("the same command with --to FILE"))
}

/// By the extension alone: it says how to show the file, and is believed by nobody else.
fn media_type(name: &str) -> Label {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let found = TYPES.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known));
    Label::lossy(found.map_or("application/octet-stream", |(_, media_type)| media_type))
}

fn body(text: &str) -> Result<Body, Failure> {
    Body::new(text).map_err(|error| {
        Failure::refused("too_long", error.to_string()).next("two notes, with a link: [[Title]]")
    })
}

/// One line for each tenth of a long transfer.
fn tell(ctx: &Ctx, what: &str, done: u32, all: u32) {
    let tenth = all.div_ceil(10);
    if !ctx.json && all > 4 && (done.is_multiple_of(tenth) || done == all) {
        out::say(&format!("{done} of {all} MiB {what}"));
    }
}

impl From<AttachFailure> for Failure {
    fn from(failure: AttachFailure) -> Self {
        let says = failure.to_string();
        match failure {
            AttachFailure::Sync(SyncFailure::NoServer) => Self::refused(
                "no_server",
                "attachments are kept by a server, and this vault has none",
            )
            .next("symbolon vault create --server URL --vault NEW_NAME"),
            AttachFailure::Sync(failure) => failure.into(),
            AttachFailure::Item(error) => error.into(),
            AttachFailure::File(_) => {
                Self::environment("file", says).next("ls -l FILE, and the same command again")
            }
            AttachFailure::Changed => Self::refused("changed", says).next("the same command again"),
            AttachFailure::Unfinished { .. } => Self::refused("unfinished", says)
                .next("symbolon note attach NOTE FILE, where the file is"),
            AttachFailure::Digest | AttachFailure::Chunk(_) => Self::refused("damaged", says)
                .next("symbolon note detach, then attach the file again"),
            _ => Self::refused("attachment", says).next("symbolon note attachments NOTE"),
        }
    }
}

const TYPES: [(&str, &str); 14] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("svg", "image/svg+xml"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
    ("csv", "text/csv"),
    ("json", "application/json"),
    ("zip", "application/zip"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
];
/// Fewer digits are a name.
const ID_CHARS_MIN: usize = 4;
