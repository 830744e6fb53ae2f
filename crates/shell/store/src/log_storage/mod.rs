//! Where logs are kept: in folders, or in PostgreSQL.

mod error;
mod place;
mod postgres;
mod rows;
mod session;

pub use error::LogDatabaseError;
pub use place::{LogPlace, newest_checkpoint};
pub use postgres::PostgresStorage;

use std::io;

use symbolon_log::{Shards, Storage};

use crate::folder::FolderStorage;

/// The storage of a home's own log, wherever it is: see [`LogPlace`].
pub enum LogStorage {
    /// Files in a folder.
    Folder(FolderStorage),
    /// Rows in a database.
    Postgres(PostgresStorage),
}

impl From<FolderStorage> for LogStorage {
    fn from(storage: FolderStorage) -> Self {
        Self::Folder(storage)
    }
}

impl From<PostgresStorage> for LogStorage {
    fn from(storage: PostgresStorage) -> Self {
        Self::Postgres(storage)
    }
}

macro_rules! each {
    ($storage:expr, $inner:ident => $body:expr) => {
        match $storage {
            LogStorage::Folder($inner) => $body,
            LogStorage::Postgres($inner) => $body,
        }
    };
}

impl Storage for LogStorage {
    fn len(&self) -> io::Result<u64> {
        each!(self, it => it.len())
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        each!(self, it => Storage::read(it, offset, out))
    }
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        each!(self, it => Storage::write(it, offset, bytes))
    }
    fn sync(&self) -> io::Result<()> {
        each!(self, it => it.sync())
    }
    fn cut(&self, offset: u64) -> io::Result<()> {
        each!(self, it => it.cut(offset))
    }
    fn get(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        each!(self, it => it.get(name, max))
    }
    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        each!(self, it => it.read_at(name, offset, out))
    }
    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        each!(self, it => it.write_at(name, offset, bytes))
    }
    fn publish(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        each!(self, it => it.publish(name, bytes))
    }
    fn turn(&self, shards: &Shards) -> io::Result<()> {
        each!(self, it => it.turn(shards))
    }
    fn set_aside(&self, shards: &Shards) -> io::Result<()> {
        each!(self, it => it.set_aside(shards))
    }

    fn give_up(&self, shards: &Shards) -> io::Result<()> {
        each!(self, it => it.give_up(shards))
    }
    fn begin_at(&self, shards: &Shards, last: &[u8]) -> io::Result<()> {
        each!(self, it => it.begin_at(shards, last))
    }
    fn is_quick(&self) -> bool {
        each!(self, it => it.is_quick())
    }
}
