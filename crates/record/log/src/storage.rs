//! Where a log's bytes are kept.

use std::io;
use std::sync::Arc;

/// The file of entries, and small named files beside it. Names are relative paths of letters,
/// digits, `.` and `/` that the log itself makes.
pub trait Storage: Send + Sync {
    /// Bytes in the file of entries, zeros written ahead included.
    fn len(&self) -> io::Result<u64>;
    /// Whether the file of entries has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Reads from the file of entries; fewer bytes than asked only at its end.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<usize>;
    /// Hands `bytes` to the operating system: after this they survive the process.
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes every write so far survive the loss of power.
    fn sync(&self) -> io::Result<()>;
    /// Sets aside what the file of entries holds from `offset` on, and cuts it there, durably.
    fn cut(&self, offset: u64) -> io::Result<()>;

    /// A named file, or nothing where there is none or it is longer than `max` bytes.
    fn get(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>>;
    /// Length of a named file, or nothing.
    fn size_of(&self, name: &str) -> io::Result<Option<u64>>;
    /// Writes a named file that can be made again: readers never see half of it, power may lose it.
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Replaces a named file atomically and durably.
    fn publish(&self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// Removes a named file or folder, if there is one.
    fn remove(&self, name: &str) -> io::Result<()>;
}

impl<S: Storage + ?Sized> Storage for Arc<S> {
    fn len(&self) -> io::Result<u64> {
        (**self).len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        (**self).read(offset, out)
    }
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        (**self).write(offset, bytes)
    }
    fn sync(&self) -> io::Result<()> {
        (**self).sync()
    }
    fn cut(&self, offset: u64) -> io::Result<()> {
        (**self).cut(offset)
    }
    fn get(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        (**self).get(name, max)
    }
    fn size_of(&self, name: &str) -> io::Result<Option<u64>> {
        (**self).size_of(name)
    }
    fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).put(name, bytes)
    }
    fn publish(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).publish(name, bytes)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        (**self).remove(name)
    }
}
