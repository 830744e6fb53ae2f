//! Where a log's bytes are kept.

use std::io;
use std::sync::Arc;

#[cfg(doc)]
use crate::shard::Kept;
use crate::shard::{SHARDS, Shards};

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

    /// Replaces the list of shards, as [`Storage::publish`] does. Where its last one begins at the end of what is written,
    /// the two may be kept apart from now on. After an error it is not known which list stands.
    fn turn(&self, shards: &Shards) -> io::Result<()> {
        self.publish(SHARDS, shards.encode().as_bytes())
    }
    /// Makes ready what is left of the entries once [`Storage::give_up`] is done with this list. Nothing that is read changes.
    fn set_aside(&self, shards: &Shards) -> io::Result<()> {
        let _ = shards;
        Ok(())
    }
    /// Replaces the list of shards, and then gives up what is before [`Kept::stays_from`]. A crash between the two leaves
    /// bytes that nobody asks for, until the storage is opened again.
    fn give_up(&self, shards: &Shards) -> io::Result<()>;
    /// Begins a storage that is empty as one that gave up all before `last`, which is of [`Kept::stays_from`].
    fn begin_at(&self, shards: &Shards, last: &[u8]) -> io::Result<()>;

    /// Whether a write takes microseconds, so that a thread which serves others may do it itself.
    fn is_quick(&self) -> bool {
        true
    }
}

/// Whoever points at a storage is one.
macro_rules! pointed_at {
    ($pointer:ty) => {
        impl<S: Storage + ?Sized> Storage for $pointer {
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
            fn turn(&self, shards: &Shards) -> io::Result<()> {
                (**self).turn(shards)
            }
            fn set_aside(&self, shards: &Shards) -> io::Result<()> {
                (**self).set_aside(shards)
            }
            fn give_up(&self, shards: &Shards) -> io::Result<()> {
                (**self).give_up(shards)
            }
            fn begin_at(&self, shards: &Shards, last: &[u8]) -> io::Result<()> {
                (**self).begin_at(shards, last)
            }
            fn is_quick(&self) -> bool {
                (**self).is_quick()
            }
        }
    };
}

pointed_at!(Arc<S>);
pointed_at!(&S);
