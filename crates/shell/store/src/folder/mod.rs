//! A log in a folder.

mod parts;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use rustix::fs::{FallocateFlags, fallocate};
use symbolon_log::shard::SHARDS;
use symbolon_log::{Shards, Storage};

use crate::faults::{Fault, Faults, Op};
use parts::{ENTRIES, Parts};

/// Keeps a log's entries and hashes as files of mode 0600 in a folder of mode 0700
/// (`specs/log.md`, "The folder").
///
/// The file of entries is given its blocks ahead of the writer, and zeros into them, so that a sync
/// finds no size or extent to commit with the data (with blocks alone, which are unwritten, it takes
/// twice as long); what is left over is cut off when the storage is dropped.
pub struct FolderStorage {
    folder: PathBuf,
    entries: RwLock<Parts>,
    extent: Mutex<Extent>,
    /// Somebody else writes, and may begin a shard.
    is_reader: bool,
    faults: Faults,
}

/// Of the last file, in which places are counted from its own beginning.
#[derive(Default)]
struct Extent {
    /// Bytes that have blocks.
    allocated: u64,
    /// Of them, those that were written.
    filled: u64,
    /// End of the last record written by us; zero before the first.
    end: u64,
    /// A write or sync failed, so the end is not known.
    failed: bool,
}

/// Blocks are asked for in pieces of this size.
const AHEAD_BYTES: u64 = 4 << 20;
/// And filled in pieces of this size: some hundred entries, which one of them waits for.
const FILL: &[u8; 128 << 10] = &[0; 128 << 10];
/// Of a torn tail at most this much is set aside.
const CUT_BYTES_MAX: u64 = 64 << 20;

impl FolderStorage {
    /// Opens the folder, or makes it.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Self::open_with(folder, Faults::none())
    }

    /// As [`FolderStorage::open`], failing as planned.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_with(folder: &Path, faults: Faults) -> io::Result<Self> {
        let storage = Self::open_as(folder, false, faults)?;
        storage.parts().clean(folder);
        Ok(storage)
    }

    /// As [`FolderStorage::open`], where another process may write.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_reader(folder: &Path) -> io::Result<Self> {
        Self::open_as(folder, true, Faults::none())
    }

    fn open_as(folder: &Path, is_reader: bool, faults: Faults) -> io::Result<Self> {
        let path = folder.join(ENTRIES);
        make_folder(folder)?;
        if !path.exists() && parts::read_list(folder)?.kept().is_none() {
            private().create(true).truncate(false).open(&path)?.sync_all()?;
            sync_folder(folder)?;
            folder.parent().map_or(Ok(()), sync_folder)?;
        }
        let entries = Parts::open(folder)?;
        let extent = Extent::of(&entries)?;
        let (folder, entries) = (folder.to_owned(), RwLock::new(entries));
        Ok(Self { folder, entries, extent: Mutex::new(extent), is_reader, faults })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Names come from the log and are plain; one that is not would be a bug there.
    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let name = Path::new(name);
        if name.components().all(|c| matches!(c, Component::Normal(_))) {
            return Ok(self.folder.join(name));
        }
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain name"))
    }

    fn parts(&self) -> RwLockReadGuard<'_, Parts> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn extent(&self) -> MutexGuard<'_, Extent> {
        self.extent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In front of the write that ends there, so that no entry is filled over.
    fn allocate(&self, entries: &File, end: u64) {
        let mut extent = self.extent();
        if end > extent.allocated {
            let start = extent.allocated;
            let length = (end - start).next_multiple_of(AHEAD_BYTES);
            // Where it does not work (a full disk, another file system) the write itself decides.
            if fallocate(entries, FallocateFlags::empty(), start, length).is_ok() {
                extent.allocated = start + length;
            }
        }
        // Where it failed before, entries stand in what was not filled.
        extent.filled = extent.filled.max(extent.end);
        while extent.filled < end.min(extent.allocated) {
            let length = (extent.allocated - extent.filled).min(FILL.len() as u64);
            if entries.write_all_at(&FILL[..length as usize], extent.filled).is_err() {
                break;
            }
            extent.filled += length;
        }
        extent.end = extent.end.max(end);
    }

    fn fault(&self, op: Op) -> io::Result<()> {
        self.faults.next(op).map_or(Ok(()), |f| Err(f.error()))
    }

    fn failed(&self, error: io::Error) -> io::Error {
        self.extent().failed = true;
        error
    }

    fn write_entries(&self, entries: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        match self.faults.next(Op::Write) {
            None => entries.write_all_at(bytes, at),
            Some(fault) => {
                if let Fault::Short(count) = fault {
                    entries.write_all_at(&bytes[..count.min(bytes.len())], at)?;
                }
                Err(fault.error())
            }
        }
    }

    /// Ends the file that is written to at a place of the sequence, and makes the next one, for a list of which it is the last.
    fn begin_file(&self, parts: &Parts, shards: &Shards) -> io::Result<()> {
        let layout = parts::layout(shards);
        let Some((start, name)) = layout.last().filter(|(start, _)| *start > parts.last().start)
        else {
            return Ok(());
        };
        let last = parts.last();
        last.file.set_len(start - last.start)?;
        last.file.sync_all()?;
        let path = self.path(name)?;
        path.parent().map_or(Ok(()), make_folder)?;
        let file = private().create(true).truncate(false).open(&path)?;
        if file.metadata()?.len() > 0 {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("log/{name} has bytes"),
            ));
        }
        file.sync_all()?;
        path.parent().map_or(Ok(()), sync_folder)?;
        sync_folder(&self.folder)
    }
}

impl Extent {
    fn of(parts: &Parts) -> io::Result<Self> {
        let len = parts.last().file.metadata()?.len();
        Ok(Self { allocated: len, filled: len, ..Self::default() })
    }
}

impl Storage for FolderStorage {
    fn len(&self) -> io::Result<u64> {
        self.parts().len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let count = self.parts().read(offset, out)?;
        if count > 0 || !self.is_reader || out.is_empty() {
            return Ok(count);
        }
        // The end, or a shard that has begun since.
        let mut parts = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if parts.refresh(&self.folder)? { parts.read(offset, out) } else { Ok(0) }
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let parts = self.parts();
        let last = parts.last();
        let at = offset.checked_sub(last.start).ok_or(io::ErrorKind::InvalidInput)?;
        self.allocate(&last.file, at + bytes.len() as u64);
        self.write_entries(&last.file, at, bytes).map_err(|e| self.failed(e))
    }

    fn sync(&self) -> io::Result<()> {
        let synced = self.fault(Op::Sync).and_then(|()| self.parts().last().file.sync_data());
        synced.map_err(|e| self.failed(e))
    }

    fn cut(&self, offset: u64) -> io::Result<()> {
        let length = self.len()?.saturating_sub(offset).min(CUT_BYTES_MAX);
        let mut tail = vec![0; length as usize];
        let count = self.read(offset, &mut tail)?;
        tail.truncate(count);
        while tail.last() == Some(&0) {
            tail.pop();
        }
        let parts = self.parts();
        let last = parts.last();
        // Nothing of a shard that is over is cut: a checkpoint covers it.
        let at = offset.checked_sub(last.start).ok_or(io::ErrorKind::InvalidInput)?;
        self.publish("entries.cut", &tail)?;
        last.file.set_len(at)?;
        last.file.sync_all()?;
        let mut extent = self.extent();
        (extent.allocated, extent.filled) = (at, at);
        Ok(())
    }

    fn get(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = found(File::open(self.path(name)?))? else { return Ok(None) };
        bounded(file, max).map(Some)
    }

    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        match found(File::open(self.path(name)?))? {
            Some(file) => read_at(&file, offset, out),
            None => Ok(0),
        }
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.fault(Op::Put)?;
        let path = self.path(name)?;
        let open = || private().create(true).truncate(false).open(&path);
        let file = match found(open())? {
            Some(file) => file,
            None => {
                path.parent().map_or(Ok(()), make_folder)?;
                open()?
            }
        };
        file.write_all_at(bytes, offset)?;
        file.sync_data()
    }

    fn publish(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.fault(Op::Publish)?;
        replace_file(&self.path(name)?, bytes)
    }

    fn turn(&self, shards: &Shards) -> io::Result<()> {
        let mut parts = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        self.begin_file(&parts, shards)?;
        self.publish(SHARDS, shards.encode().as_bytes())?;
        let start = parts.last().start;
        parts.replace(&self.folder, shards)?;
        if parts.last().start > start {
            *self.extent() = Extent::of(&parts)?;
        }
        Ok(())
    }

    fn set_aside(&self, shards: &Shards) -> io::Result<()> {
        let parts = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let kept = shards.kept().ok_or(io::ErrorKind::InvalidInput)?;
        let end = parts::kept_end(shards).ok_or(io::ErrorKind::InvalidInput)?;
        // What a bundle needs of it: 256 entries at most.
        let mut left = vec![0; (end - kept.stays_from()) as usize];
        if parts.read(kept.stays_from(), &mut left)? < left.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let name = self.path(&parts::kept_name(&kept))?;
        name.parent().map_or(Ok(()), make_folder)?;
        replace_file(&name, &left)
    }

    fn give_up(&self, shards: &Shards) -> io::Result<()> {
        let mut parts = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        self.publish(SHARDS, shards.encode().as_bytes())?;
        parts.replace(&self.folder, shards)?;
        parts.clean(&self.folder);
        Ok(())
    }

    fn begin_at(&self, shards: &Shards, last: &[u8]) -> io::Result<()> {
        let mut parts = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let kept = shards.kept().ok_or(io::ErrorKind::InvalidInput)?;
        // Until entries come, there is one shard alone, and its file is what is left.
        let (name, folder) = (self.path(&parts::kept_name(&kept))?, self.folder.join("shard"));
        make_folder(&folder)?;
        replace_file(&name, last)?;
        self.publish(SHARDS, shards.encode().as_bytes())?;
        parts.replace(&self.folder, shards)?;
        fs::remove_file(self.folder.join(ENTRIES))?;
        *self.extent() = Extent::of(&parts)?;
        Ok(())
    }
}

impl Drop for FolderStorage {
    /// Gives back the blocks that were not needed. Zeros at the end are no harm if this fails.
    fn drop(&mut self) {
        let extent = self.extent.get_mut().unwrap_or_else(PoisonError::into_inner);
        let parts = self.entries.get_mut().unwrap_or_else(PoisonError::into_inner);
        if extent.end > 0 && !extent.failed {
            let _ = parts.last().file.set_len(extent.end);
        }
    }
}

/// Writes a file of mode 0600 so that it is either the old one or the new one after any crash.
///
/// # Errors
/// What the system says; the old file is untouched then.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path);
    let file = open_new(&new)?;
    (&file).write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes a folder and those above it, all of mode 0700.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// A leftover of a crash under the same name is written over.
fn open_new(path: &Path) -> io::Result<File> {
    private().create(true).truncate(true).open(path)
}

/// The first bytes of a file.
fn bounded(file: File, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Fewer bytes than asked only at the end.
fn read_at(file: &File, offset: u64, out: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < out.len() {
        match file.read_at(&mut out[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_never_filled_over() {
        let dir = tempfile::tempdir().unwrap();
        let storage = FolderStorage::open(&dir.path().join("log")).unwrap();
        storage.write(0, b"first").unwrap();
        // As after a disk that was full for a while.
        storage.extent.lock().unwrap().filled = 0;
        storage.write(5, b"second").unwrap();
        let far = FILL.len() as u64 * 3;
        storage.write(11, &vec![b'x'; far as usize]).unwrap();
        let mut bytes = [0; 12];
        storage.read(0, &mut bytes).unwrap();
        assert_eq!(&bytes, b"firstsecondx");
        assert!(storage.extent.lock().unwrap().filled >= far + 11);
    }
}
