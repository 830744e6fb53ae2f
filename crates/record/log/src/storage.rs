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

    /// The first `max` bytes of a named file, or nothing where there is none.
    fn get(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>>;
    /// Reads from a named file; fewer bytes than asked only at its end, none where there is no file.
    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> io::Result<usize>;
    /// Writes into a named file, which it makes where there is none, durably.
    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Replaces a named file atomically and durably.
    fn publish(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Whether a write takes microseconds, so that a thread which serves others may do it itself.
    fn is_quick(&self) -> bool {
        true
    }
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
    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(name, offset, out)
    }
    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        (**self).write_at(name, offset, bytes)
    }
    fn publish(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).publish(name, bytes)
    }
    fn is_quick(&self) -> bool {
        (**self).is_quick()
    }
}
