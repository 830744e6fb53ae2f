//! `symbolon note export` and `import`: a folder of Markdown files.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_vault::markdown::{self, Files, LeftOut, MarkdownError};

use super::Ctx;
use crate::failure::Failure;
use crate::out;
use crate::vaults::{self, Ask, Which};

/// Write all notes into a new folder, as Markdown with front matter
///
/// The files are in the clear, for their owner alone (0600).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon note export ~/notes")]
pub struct Export {
    /// A folder that is not there yet, or is empty
    folder: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Take a folder of Markdown files in, such as one that was exported
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon note import ~/notes")]
pub struct Import {
    /// The folder
    folder: PathBuf,
    #[command(flatten)]
    which: Which,
}

impl Export {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let done = markdown::export(vault.replica(), |_| None)?;
        make_folder(&self.folder)?;
        let there = fs::read_dir(&self.folder).and_then(|mut it| it.next().transpose());
        if there.map_err(|error| Failure::file("read", &self.folder, &error))?.is_some() {
            let what = format!("{} is not empty", self.folder.display());
            return Err(Failure::refused("exists", what).next("symbolon note export NEW_FOLDER"));
        }
        for (path, bytes) in &done.files {
            let path = self.folder.join(path);
            path.parent().map_or(Ok(()), make_folder)?;
            let mut options = OpenOptions::new();
            let file = options.write(true).create_new(true).mode(0o600).open(&path);
            file.and_then(|mut file| file.write_all(bytes))
                .map_err(|error| Failure::file("write", &path, &error))?;
        }
        let (notes, folder) = (done.files.len(), self.folder.display());
        if ctx.json {
            let left = left_json(&done.left_out);
            return out::json(&json!({ "files": notes, "folder": self.folder, "left_out": left }));
        }
        say_left(&done.left_out);
        out::say(&format!("{notes} files are in {folder}, in the clear."));
        Ok(())
    }
}

impl Import {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let mut files = Files::new();
        let mut left = Vec::new();
        let mut bytes = 0;
        read(&self.folder, "", 0, &mut bytes, &mut files, &mut left)?;
        let done = markdown::import(vault.replica_mut(), &files, &SystemClock, &SystemRng)?;
        left.extend(done.left_out);
        vaults::keep(&mut vault)?;
        let (created, updated) = (done.created.len(), done.updated.len());
        if ctx.json {
            return out::json(&json!({
                "created": created, "updated": updated, "unchanged": done.unchanged,
                "left_out": left_json(&left),
            }));
        }
        say_left(&left);
        out::say(&format!(
            "{created} new notes, {updated} changed, {} as they were.",
            done.unchanged
        ));
        Ok(())
    }
}

/// Markdown files below a folder. Links are not followed; other files are left out, for attachments are
/// not sent from here.
fn read(
    folder: &Path,
    within: &str,
    depth: usize,
    bytes: &mut u64,
    files: &mut Files,
    left: &mut Vec<LeftOut>,
) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file("read", folder, &error);
    let mut entries: Vec<_> = fs::read_dir(folder).and_then(Iterator::collect).map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let about = entry.metadata().map_err(failed)?;
        let name = entry.file_name();
        let mut leave = |why| {
            left.push(LeftOut { what: format!("{within}{}", name.to_string_lossy()), why });
        };
        let Some(plain) = name.to_str() else {
            leave("its name is not UTF-8");
            continue;
        };
        if about.is_dir() && depth < DEPTH_MAX {
            if !plain.starts_with('.') {
                read(&path, &format!("{within}{plain}/"), depth + 1, bytes, files, left)?;
            }
        } else if !about.is_file() || !plain.to_ascii_lowercase().ends_with(".md") {
            leave("it is no Markdown file");
        } else if about.len() > FILE_BYTES_MAX || *bytes + about.len() > ALL_BYTES_MAX {
            leave("it is too long");
        } else {
            *bytes += about.len();
            let read = fs::read(&path).map_err(|error| Failure::file("read", &path, &error))?;
            files.insert(format!("{within}{plain}"), read);
        }
    }
    Ok(())
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Failure::file("make", path, &error))
}

fn say_left(left: &[LeftOut]) {
    for LeftOut { what, why } in left {
        out::say(&format!("left out: {what}: {why}"));
    }
}

fn left_json(left: &[LeftOut]) -> Vec<Value> {
    left.iter().map(|it| json!({ "what": it.what, "why": it.why })).collect()
}

impl From<MarkdownError> for Failure {
    fn from(error: MarkdownError) -> Self {
        Self::refused("markdown", error.to_string()).next("symbolon note ls")
    }
}

/// Folders in folders.
const DEPTH_MAX: usize = 32;
/// A note's text and its front matter.
const FILE_BYTES_MAX: u64 = 2 << 20;
const ALL_BYTES_MAX: u64 = 512 << 20;
