//! The files of entries: one for each shard of a log, and one sequence of bytes over all of them.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use symbolon_log::shard::{SHARDS, SHARDS_BYTES_MAX};
use symbolon_log::{Kept, Shards};

use super::{bounded, found, private, read_at};

/// Where bytes of the one sequence are.
pub(super) struct Part {
    /// Of its first byte, in the sequence.
    pub start: u64,
    pub file: File,
}

/// The files in their order, as a list of shards has them.
pub(super) struct Parts {
    shards: Shards,
    /// Never empty; the last one is written to.
    all: Vec<Part>,
}

/// Name of the file that a log begins with.
pub(super) const ENTRIES: &str = "entries";

/// Of the shard that begins with this entry.
pub(super) fn name(first: u64) -> String {
    if first == 0 { ENTRIES.into() } else { format!("shard/{first}") }
}

/// Of what is left of the shards that were given up.
pub(super) fn kept_name(kept: &Kept) -> String {
    format!("shard/{}.kept", kept.first)
}

/// The first shard of which everything is there.
fn whole(shards: &Shards) -> usize {
    let from = shards.kept().map_or(0, |kept| kept.first);
    shards.all().iter().take_while(|shard| shard.first < from).count()
}

/// Where what is left of given up shards ends.
pub(super) fn kept_end(shards: &Shards) -> Option<u64> {
    shards.all().get(whole(shards)).map(|shard| shard.offset)
}

/// Where each file begins, and its name.
pub(super) fn layout(shards: &Shards) -> Vec<(u64, String)> {
    let kept = shards.kept().map(|kept| (kept.stays_from(), kept_name(&kept)));
    // The file's own first bytes come before its first record.
    let start = |at: usize, offset: u64| if at == 0 { 0 } else { offset };
    let each = shards.all().iter().enumerate().skip(whole(shards));
    let each = each.map(|(at, shard)| (start(at, shard.offset), name(shard.first)));
    let all: Vec<_> = kept.into_iter().chain(each).collect();
    if all.is_empty() { vec![(0, ENTRIES.into())] } else { all }
}

/// The list that a folder has.
pub(super) fn read_list(folder: &Path) -> io::Result<Shards> {
    match found(File::open(folder.join(SHARDS)))? {
        None => Ok(Shards::default()),
        Some(file) => {
            Shards::parse(&bounded(file, SHARDS_BYTES_MAX + 1)?).map_err(io::Error::other)
        }
    }
}

impl Parts {
    /// Opens what the folder's list says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            let shards = read_list(folder)?;
            match Self::of(folder, shards) {
                // Its writer gave it up in this moment.
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < 3 => tries += 1,
                opened => return opened,
            }
        }
    }

    fn of(folder: &Path, shards: Shards) -> io::Result<Self> {
        let open = |(start, name): (u64, String)| {
            let file = private().read(true).open(folder.join(&name));
            let named = |e: io::Error| io::Error::new(e.kind(), format!("log/{name}: {e}"));
            Ok(Part { start, file: file.map_err(named)? })
        };
        let all = layout(&shards).into_iter().map(open).collect::<io::Result<_>>()?;
        Ok(Self { shards, all })
    }

    /// Opens the files anew where the list is another one. Says whether it was.
    pub fn refresh(&mut self, folder: &Path) -> io::Result<bool> {
        let is_other = read_list(folder)? != self.shards;
        if is_other {
            *self = Self::open(folder)?;
        }
        Ok(is_other)
    }

    /// What another list makes of it. The files are there.
    pub fn replace(&mut self, folder: &Path, shards: &Shards) -> io::Result<()> {
        *self = Self::of(folder, shards.clone())?;
        Ok(())
    }

    /// The one that is written to.
    pub fn last(&self) -> &Part {
        // INFALLIBLE: a layout has a file at least.
        self.all.last().expect("a file of entries")
    }

    pub fn len(&self) -> io::Result<u64> {
        let last = self.last();
        Ok(last.start + last.file.metadata()?.len())
    }

    /// Fewer bytes than asked only at the end.
    pub fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        let first = self.all.partition_point(|part| part.start <= offset);
        let Some(first) = first.checked_sub(1) else {
            let says = "these entries were taken away";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, says));
        };
        for (at, part) in self.all.iter().enumerate().skip(first) {
            let from = offset + done as u64;
            let room = self.all.get(at + 1).map_or(u64::MAX, |next| next.start - from);
            let wanted = usize::try_from(room).unwrap_or(usize::MAX).min(out.len() - done);
            let count = read_at(&part.file, from - part.start, &mut out[done..done + wanted])?;
            done += count;
            if count < wanted || done == out.len() {
                break;
            }
        }
        Ok(done)
    }

    /// Takes away the files that the list has given up, as far as that works: no one asks for them.
    pub fn clean(&self, folder: &Path) {
        let Some(kept) = self.shards.kept() else { return };
        for shard in &self.shards.all()[..whole(&self.shards)] {
            let _ = fs::remove_file(folder.join(name(shard.first)));
        }
        for entry in fs::read_dir(folder.join("shard")).into_iter().flatten().flatten() {
            let file = entry.file_name();
            let older =
                file.to_str().and_then(|file| file.strip_suffix(".kept")?.parse::<u64>().ok());
            if older.is_some_and(|first| first < kept.first) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}
