//! `symbolon note mv`, `rm`, `restore`, `pin` and `tag`

use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_vault::item::TagName;

use super::write::kept;
use super::{Ctx, find, show};
use crate::failure::Failure;
use crate::vaults::{Ask, Which};

/// Put a note into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note mv Groceries Home/Lists
  symbolon note mv Groceries /            into no folder")]
pub struct Mv {
    /// Title, or how the id begins
    note: String,
    /// The folder, which is made where it is not there; / is none
    folder: String,
    #[command(flatten)]
    which: Which,
}

/// Put a note into the trash, or erase it for good
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note rm Groceries
  symbolon note rm Groceries --erase      out of the trash, here and on the server")]
pub struct Rm {
    /// Title, or how the id begins
    note: String,
    /// Erase what is in the trash, with all its revisions
    #[arg(long)]
    erase: bool,
    #[command(flatten)]
    which: Which,
}

/// Take a note out of the trash, or back to an older revision
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note restore Groceries
  symbolon note restore Groceries --revision 3")]
pub struct Restore {
    /// Title, or how the id begins
    note: String,
    /// To what it was then; the present text stays in the history
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
    #[command(flatten)]
    which: Which,
}

/// Put a note before the others
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples\n  symbolon note pin Groceries\n  symbolon note pin Groceries --off"
)]
pub struct Pin {
    /// Title, or how the id begins
    note: String,
    /// No longer
    #[arg(long)]
    off: bool,
    #[command(flatten)]
    which: Which,
}

/// Tag a note
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples\n  symbolon note tag Groceries home weekly\n  symbolon note tag Groceries --off weekly"
)]
pub struct Tag {
    /// Title, or how the id begins
    note: String,
    /// Tags
    #[arg(required = true)]
    tags: Vec<TagName>,
    /// Take these tags off
    #[arg(long)]
    off: bool,
    #[command(flatten)]
    which: Which,
}

impl Mv {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let id = find::note(vault.replica(), &self.note, false)?;
        let replica = vault.replica_mut();
        let folder = find::folder(replica, &self.folder)?;
        replica.move_item(id, folder, &SystemClock, &SystemRng)?;
        kept(ctx, &mut vault, id, "is moved")
    }
}

impl Rm {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let id = find::note(vault.replica(), &self.note, self.erase)?;
        let replica = vault.replica_mut();
        if self.erase {
            replica.erase(id, &SystemClock)?;
            return kept(ctx, &mut vault, id, "is erased");
        }
        replica.trash(id, &SystemClock, &SystemRng)?;
        kept(ctx, &mut vault, id, "is in the trash")
    }
}

impl Restore {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let Some(number) = self.revision else {
            let id = find::note(vault.replica(), &self.note, true)?;
            vault.replica_mut().restore(id, &SystemClock, &SystemRng)?;
            return kept(ctx, &mut vault, id, "is out of the trash");
        };
        let id = find::note(vault.replica(), &self.note, false)?;
        let then = show::revision(&vault, id, number)?;
        let replica = vault.replica_mut();
        replica.update_item(id, &then.item, &SystemClock, &SystemRng)?;
        kept(ctx, &mut vault, id, &format!("is what it was in revision {number}"))
    }
}

impl Pin {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let id = find::note(vault.replica(), &self.note, false)?;
        let replica = vault.replica_mut();
        replica.mark(id, |own| own.pinned = !self.off, &SystemClock, &SystemRng)?;
        kept(ctx, &mut vault, id, if self.off { "is pinned no longer" } else { "is pinned" })
    }
}

impl Tag {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let id = find::note(vault.replica(), &self.note, false)?;
        let (tags, off) = (self.tags, self.off);
        let change = |own: &mut symbolon_vault::item::Marks| {
            own.tags.retain(|tag| !tags.contains(tag));
            if !off {
                own.tags.extend(tags);
                own.tags.sort();
                own.tags.dedup();
            }
        };
        vault.replica_mut().mark(id, change, &SystemClock, &SystemRng)?;
        kept(ctx, &mut vault, id, if off { "is tagged no longer" } else { "is tagged" })
    }
}
