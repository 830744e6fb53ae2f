//! A storage in memory, for tests, simulation and the browser.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::shard::{SHARDS, Shards};
use crate::storage::Storage;

/// Keeps everything in memory and remembers what was synced, so that a test can cut the power or
/// make the n-th write fail.
#[derive(Debug)]
pub struct MemoryStorage {
    inner: Mutex<Inner>,
    /// Writes and syncs until one fails; below zero: never.
    fail_in: AtomicI64,
}

#[derive(Debug, Default, Clone)]
struct Inner {
    entries: Vec<u8>,
    synced: Vec<u8>,
    files: BTreeMap<String, Vec<u8>>,
    published: BTreeMap<String, Vec<u8>>,
}

impl Default for MemoryStorage {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStorage {
    /// Empty, never failing.
    pub fn new() -> Self {
        Self { inner: Mutex::default(), fail_in: (-1).into() }
    }

    /// Makes one write or sync fail, after `count` more that succeed.
    pub fn fail_after(&self, count: u32) {
        self.fail_in.store(count.into(), Relaxed);
    }

    /// What is left when the power goes now: synced bytes, published files, and `torn` bytes of
    /// what was written later.
    pub fn after_power_cut(&self, torn: usize) -> Self {
        let now = self.lock().clone();
        let mut entries = now.synced.clone();
        let later = now.entries.get(now.synced.len()..).unwrap_or_default();
        entries.extend_from_slice(&later[..torn.min(later.len())]);
        let inner = Inner {
            synced: entries.clone(),
            entries,
            files: now.published.clone(),
            published: now.published,
        };
        Self { inner: Mutex::new(inner), fail_in: (-1).into() }
    }

    /// A copy as a new process would find it.
    pub fn after_kill(&self) -> Self {
        Self { inner: Mutex::new(self.lock().clone()), fail_in: (-1).into() }
    }

    /// Changes the file of entries behind the log's back.
    pub fn edit_entries(&self, edit: impl FnOnce(&mut Vec<u8>)) {
        edit(&mut self.lock().entries);
    }

    /// Names and contents of the files beside the entries.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().files.clone()
    }

    /// Changes the files beside the entries behind the log's back.
    pub fn edit_files(&self, edit: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) {
        edit(&mut self.lock().files);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self) -> io::Result<()> {
        if self.fail_in.load(Relaxed) >= 0 && self.fail_in.fetch_sub(1, Relaxed) == 0 {
            return Err(io::Error::other("failed on purpose"));
        }
        Ok(())
    }
}

impl Storage for MemoryStorage {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().entries.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        Ok(read_from(&self.lock().entries, offset, out))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        write_into(&mut self.lock().entries, offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.step()?;
        let mut inner = self.lock();
        let kept = inner.synced.len().min(inner.entries.len());
        let Inner { entries, synced, .. } = &mut *inner;
        synced.truncate(kept);
        synced.extend_from_slice(&entries[kept..]);
        Ok(())
    }

    fn cut(&self, offset: u64) -> io::Result<()> {
        let mut inner = self.lock();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let aside = inner.entries.get(start..).unwrap_or_default().to_vec();
        inner.files.insert("entries.cut".into(), aside);
        inner.entries.truncate(start);
        inner.synced = inner.entries.clone();
        Ok(())
    }

    fn get(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        Ok(self.lock().files.get(name).map(|f| f[..f.len().min(max)].to_vec()))
    }

    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let inner = self.lock();
        Ok(inner.files.get(name).map_or(0, |file| read_from(file, offset, out)))
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        let mut inner = self.lock();
        let file = inner.files.entry(name.to_owned()).or_default();
        write_into(file, offset, bytes)?;
        let file = file.clone();
        inner.published.insert(name.to_owned(), file);
        Ok(())
    }

    fn publish(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.step()?;
        let mut inner = self.lock();
        inner.files.insert(name.to_owned(), bytes.to_vec());
        inner.published.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn give_up(&self, shards: &Shards) -> io::Result<()> {
        self.publish(SHARDS, shards.encode().as_bytes())?;
        self.step()?;
        let mut inner = self.lock();
        let end = usize::try_from(stays_from(shards)?).map_err(io::Error::other)?;
        let Inner { entries, synced, .. } = &mut *inner;
        for bytes in [entries, synced] {
            let end = end.min(bytes.len());
            bytes[..end].fill(0);
        }
        Ok(())
    }

    fn begin_at(&self, shards: &Shards, last: &[u8]) -> io::Result<()> {
        self.write(stays_from(shards)?, last)?;
        self.sync()?;
        self.publish(SHARDS, shards.encode().as_bytes())
    }
}

fn stays_from(shards: &Shards) -> io::Result<u64> {
    Ok(shards.kept().ok_or(io::ErrorKind::InvalidInput)?.stays_from())
}

fn read_from(file: &[u8], offset: u64, out: &mut [u8]) -> usize {
    let from = usize::try_from(offset).ok().and_then(|at| file.get(at..)).unwrap_or_default();
    let count = from.len().min(out.len());
    out[..count].copy_from_slice(&from[..count]);
    count
}

fn write_into(file: &mut Vec<u8>, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let start = usize::try_from(offset).map_err(io::Error::other)?;
    let end = start + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[start..end].copy_from_slice(bytes);
    Ok(())
}
