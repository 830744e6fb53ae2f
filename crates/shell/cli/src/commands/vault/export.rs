//! `symbolon vault export`: to another program.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use symbolon_holder::OpenVault;
use symbolon_secret::{MemoryError, Secret};
use symbolon_vault::bitwarden::{self, ExportError, Exported, Remark};

use super::{Ctx, How};
use crate::failure::Failure;
use crate::vaults::Which;
use crate::{out, prompt};

/// Write logins and notes for another program, in the clear
///
/// Bitwarden's unencrypted JSON, which other managers read as well: folders, logins with their addresses, one-time
/// codes and fields, notes. What it cannot say is named: tags, files, profiles, connections. What is in the trash,
/// and the history of items, stay in the vault. The file is new and its owner's alone (0600).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon vault export --bitwarden vault.json
  symbolon vault export --bitwarden - --yes | gpg --symmetric --output vault.json.gpg")]
pub struct Args {
    /// Write Bitwarden's JSON to this new file, or to standard output with -
    #[arg(long, value_name = "FILE")]
    bitwarden: PathBuf,
    /// Do not ask whether it may be in the clear
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let is_file = self.bitwarden != Path::new("-");
        if ctx.json && !is_file {
            let what = "standard output takes the export or a JSON result, not both";
            return Err(Failure::usage(what).next("the same command with a FILE"));
        }
        if is_file && self.bitwarden.symlink_metadata().is_ok() {
            let what = format!("{} is there already", self.bitwarden.display());
            return Err(
                Failure::refused("exists", what).next("symbolon vault export --bitwarden NEW_FILE")
            );
        }
        self.confirm()?;
        let vault = self.which.open(ctx, self.how.ask())?;
        let done = match is_file {
            true => to_file(&vault, &self.bitwarden)?,
            false => written(&vault, rustix::stdio::stdout())?,
        };
        self.tell(ctx, is_file, &done)
    }

    /// Has the owner say that they know what a plain file is.
    fn confirm(&self) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let again = "symbolon vault export --bitwarden FILE --yes";
        if !prompt::is_possible() || self.how.from_stdin {
            let what = "the export is in the clear, and nobody was asked whether it may be";
            return Err(Failure::usage(what).next(again));
        }
        out::say(
            "Every password and note will be in the clear: whoever has the file has them all.",
        );
        if prompt::line("Type `export` to go on: ")? == "export" {
            return Ok(());
        }
        Err(Failure::refused("stopped", "nothing was written").next(again))
    }

    fn tell(&self, ctx: &Ctx, is_file: bool, done: &Exported) -> Result<(), Failure> {
        let Exported { folders, logins, notes, left_out, changed } = done;
        if ctx.json {
            return out::json(&json!({
                "file": self.bitwarden, "folders": folders, "logins": logins, "notes": notes,
                "left_out": rows(left_out), "changed": rows(changed),
            }));
        }
        for Remark { what, why } in left_out {
            out::say(&format!("left out: {what}: {why}"));
        }
        for Remark { what, why } in changed {
            out::say(&format!("not the same: {what}: {why}"));
        }
        let place = if is_file { self.bitwarden.display().to_string() } else { "there".to_owned() };
        out::say(&format!("{logins} logins and {notes} notes are in {place}, IN THE CLEAR."));
        if is_file {
            out::say_next(&format!("shred -u {place}, as soon as the other program has read it"));
        }
        Ok(())
    }
}

/// The new file, synced; none where it did not become whole.
fn to_file(vault: &OpenVault, path: &Path) -> Result<Exported, Failure> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = made.map_err(|error| Failure::file("make", path, &error))?;
    let synced = |file: &File| file.sync_all().map_err(|e| Failure::file("write", path, &e));
    let done = written(vault, file.as_fd()).and_then(|done| synced(&file).map(|()| done));
    if done.is_err() {
        let _ = fs::remove_file(path);
    }
    done
}

fn written(vault: &OpenVault, to: BorrowedFd<'_>) -> Result<Exported, Failure> {
    let mut page = Buffered::new(to)?;
    let done = bitwarden::export(vault.replica(), &mut |piece| page.take(piece))?;
    page.flush().map_err(ExportError::Write)?;
    Ok(done)
}

/// What waits to be written, in a secret page.
struct Buffered<'f> {
    to: BorrowedFd<'f>,
    page: Secret<[u8]>,
    len: usize,
}

impl<'f> Buffered<'f> {
    fn new(to: BorrowedFd<'f>) -> Result<Self, Failure> {
        let page = Secret::<[u8]>::try_make_slice(PAGE_BYTES, |_| Ok::<_, MemoryError>(PAGE_BYTES));
        let page = page.map_err(|error| {
            Failure::environment("memory", format!("no secret memory: {error}"))
        })?;
        Ok(Self { to, page, len: 0 })
    }

    fn take(&mut self, mut piece: &[u8]) -> io::Result<()> {
        while !piece.is_empty() {
            if self.len == PAGE_BYTES {
                self.flush()?;
            }
            let fits = piece.len().min(PAGE_BYTES - self.len);
            let (now, later) = piece.split_at(fits);
            // EXPOSE: filled with what is to be written.
            self.page.expose_mut()[self.len..self.len + fits].copy_from_slice(now);
            self.len += fits;
            piece = later;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        // EXPOSE: the owner asked for it in the clear; it goes from its page to the descriptor.
        let mut rest = &self.page.expose()[..self.len];
        while !rest.is_empty() {
            match rustix::io::write(self.to, rest) {
                Ok(n) => rest = &rest[n..],
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.len = 0;
        Ok(())
    }
}

fn rows(remarks: &[Remark]) -> Vec<Value> {
    remarks.iter().map(|it| json!({ "what": it.what, "why": it.why })).collect()
}

impl From<ExportError<io::Error>> for Failure {
    fn from(error: ExportError<io::Error>) -> Self {
        match error {
            ExportError::Write(error) => {
                Self::environment("output", format!("cannot write the export: {error}"))
                    .next("df -h, then the same command with a new FILE")
            }
            _ => Self::refused("item", error.to_string()).next("symbolon vault sync"),
        }
    }
}

const PAGE_BYTES: usize = 64 << 10;
