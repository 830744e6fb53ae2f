//! A log in PostgreSQL.

use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};

use symbolon_crypto::Sha256;
use symbolon_log::shard::SHARDS;
use symbolon_log::{Shards, Storage};

use super::error::LogDatabaseError;
use super::session::{Line, Role, Session};
use crate::DatabaseAddress;
use crate::faults::{Faults, Op};

/// Keeps a log's entries and named files as rows (`specs/log.md`, "The database"). One writer of all
/// processes; any number that read.
///
/// A writer whose connection was lost has lost its lock, and writes nothing more: the log is opened again.
pub struct PostgresStorage {
    origin: String,
    place: String,
    /// Absent in one that only reads.
    writer: Option<Writer>,
    /// Reads wait for no write.
    reader: Line,
    /// Of a reader, once there is a log to read.
    id: OnceLock<i64>,
    faults: Faults,
}

struct Writer {
    line: Line,
    /// Where the next entry goes.
    end: Mutex<u64>,
}

/// Of a torn tail at most this much is set aside, and of no file is more written at once.
const CUT_BYTES_MAX: u64 = 64 << 20;

impl PostgresStorage {
    /// Opens a log for its one writer; makes tables and log where they are missing.
    ///
    /// # Errors
    /// [`LogDatabaseError`]; [`LogDatabaseError::Held`] where another process writes it.
    pub fn open(
        address: &DatabaseAddress,
        origin: &str,
        faults: Faults,
    ) -> Result<Self, LogDatabaseError> {
        let line = Line::open(address, Role::Writer, lock_of(origin))?;
        let name = origin.to_owned();
        let (id, end) = line.ask(move |rows| {
            let id = rows.find_or_make(&name)?;
            Ok((id, rows.length(id)?))
        })?;
        let writer = Writer { line, end: Mutex::new(end) };
        let storage = Self { writer: Some(writer), faults, ..Self::open_reader(address, origin)? };
        // Nobody else has set it.
        let _ = storage.id.set(id);
        // What cannot be read is told by whoever opens the log on it.
        if let Ok(Some(kept)) = Shards::read(&storage).map(|shards| shards.kept()) {
            storage.remove_before(kept.stays_from())?;
        }
        Ok(storage)
    }

    /// As [`PostgresStorage::open`], of a log that is not there yet.
    ///
    /// # Errors
    /// As [`PostgresStorage::open`], and [`LogDatabaseError::Exists`].
    pub fn open_new(address: &DatabaseAddress, origin: &str) -> Result<Self, LogDatabaseError> {
        let storage = Self::open(address, origin, Faults::none())?;
        match storage.asked(|rows, log| rows.has_any(log))? {
            Some(true) => Err(LogDatabaseError::Exists { place: storage.place.clone() }),
            _ => Ok(storage),
        }
    }

    /// Reads a log that another process may write, and that may not be there yet.
    ///
    /// # Errors
    /// [`LogDatabaseError`].
    pub fn open_reader(address: &DatabaseAddress, origin: &str) -> Result<Self, LogDatabaseError> {
        Ok(Self {
            origin: origin.to_owned(),
            place: address.to_string(),
            writer: None,
            reader: Line::open(address, Role::Reader, 0)?,
            id: OnceLock::new(),
            faults: Faults::none(),
        })
    }

    /// Takes the whole log out of the database: one that was not finished.
    ///
    /// # Errors
    /// [`LogDatabaseError`].
    pub fn remove(self) -> Result<(), LogDatabaseError> {
        self.change(|rows, log| rows.remove(log))
    }

    /// Where it is.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What a reader finds; `None` where there is no log.
    fn asked<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Session, i64) -> Result<T, LogDatabaseError> + Send + 'static,
    ) -> Result<Option<T>, LogDatabaseError> {
        let id = match self.id.get() {
            Some(id) => Some(*id),
            None => {
                let origin = self.origin.clone();
                let found = self.reader.ask(move |rows| rows.find(&origin))?;
                found.map(|id| *self.id.get_or_init(|| id))
            }
        };
        id.map(|id| self.reader.ask(move |rows| work(rows, id))).transpose()
    }

    fn change<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Session, i64) -> Result<T, LogDatabaseError> + Send + 'static,
    ) -> Result<T, LogDatabaseError> {
        match (&self.writer, self.id.get().copied()) {
            (Some(writer), Some(id)) => writer.line.ask(move |rows| work(rows, id)),
            _ => Err(LogDatabaseError::Misplaced { place: self.place.clone() }),
        }
    }

    /// Some at a time: one statement over all that a shard has would take longer than a statement may.
    fn remove_before(&self, from: u64) -> Result<(), LogDatabaseError> {
        while self.change(move |rows, log| rows.remove_before(log, from))? {}
        Ok(())
    }

    fn fault(&self, op: Op) -> io::Result<()> {
        self.faults.next(op).map_or(Ok(()), |fault| Err(fault.error()))
    }

    /// The end of the entries moves once they are there.
    fn with_end<T>(
        &self,
        work: impl FnOnce(&mut u64) -> Result<T, LogDatabaseError>,
    ) -> Result<T, LogDatabaseError> {
        let misplaced = || LogDatabaseError::Misplaced { place: self.place.clone() };
        let writer = self.writer.as_ref().ok_or_else(misplaced)?;
        work(&mut writer.end.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Storage for PostgresStorage {
    fn len(&self) -> io::Result<u64> {
        Ok(self.asked(|rows, log| rows.length(log))?.unwrap_or(0))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let count = out.len();
        let found = self.asked(move |rows, log| rows.entries(log, offset, count))?;
        Ok(fill(out, &found.unwrap_or_default()))
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.fault(Op::Write)?;
        Ok(self.with_end(|end| {
            // Entries are appended: anything else is no write of the log's.
            if offset != *end {
                return Err(LogDatabaseError::Misplaced { place: self.place.clone() });
            }
            let (length, bytes) = (bytes.len() as u64, bytes.to_vec());
            self.change(move |rows, log| rows.append(log, offset, &bytes))?;
            *end += length;
            Ok(())
        })?)
    }

    fn sync(&self) -> io::Result<()> {
        self.fault(Op::Sync)?;
        Ok(self.change(|rows, log| rows.flush(log))?)
    }

    fn cut(&self, offset: u64) -> io::Result<()> {
        let length = self.len()?.saturating_sub(offset).min(CUT_BYTES_MAX);
        let mut tail = vec![0; length as usize];
        let count = self.read(offset, &mut tail)?;
        tail.truncate(count);
        Ok(self.with_end(|end| {
            self.change(move |rows, log| rows.end_at(log, offset, &tail))?;
            *end = offset;
            Ok(())
        })?)
    }

    fn get(&self, name: &str, max: u64) -> io::Result<Option<Vec<u8>>> {
        let (name, max) = (name.to_owned(), max.min(CUT_BYTES_MAX));
        Ok(self.asked(move |rows, log| rows.file(log, &name, 0, max))?.flatten())
    }

    fn read_at(&self, name: &str, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let (name, count) = (name.to_owned(), out.len() as u64);
        let found = self.asked(move |rows, log| rows.file(log, &name, offset, count))?;
        Ok(fill(out, &found.flatten().unwrap_or_default()))
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.fault(Op::Put)?;
        let (name, bytes) = (name.to_owned(), bytes.to_vec());
        Ok(self.change(move |rows, log| rows.write_file(log, &name, offset, &bytes))?)
    }

    fn publish(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.fault(Op::Publish)?;
        if bytes.len() as u64 > CUT_BYTES_MAX {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        let (name, bytes) = (name.to_owned(), bytes.to_vec());
        Ok(self.change(move |rows, log| rows.replace_file(log, &name, &bytes))?)
    }

    fn give_up(&self, shards: &Shards) -> io::Result<()> {
        self.publish(SHARDS, shards.encode().as_bytes())?;
        // Rows that are left are asked for by nobody, and taken away when the log is opened.
        let _ = self.remove_before(stays_from(shards)?);
        Ok(())
    }

    fn begin_at(&self, shards: &Shards, last: &[u8]) -> io::Result<()> {
        let (from, last) = (stays_from(shards)?, last.to_vec());
        self.with_end(|end| {
            if *end > 0 {
                return Err(LogDatabaseError::Exists { place: self.place.clone() });
            }
            let length = last.len() as u64;
            self.change(move |rows, log| rows.append(log, from, &last))?;
            *end = from + length;
            Ok(())
        })?;
        self.publish(SHARDS, shards.encode().as_bytes())
    }

    /// A write goes over a connection.
    fn is_quick(&self) -> bool {
        false
    }
}

fn stays_from(shards: &Shards) -> io::Result<u64> {
    Ok(shards.kept().ok_or(io::ErrorKind::InvalidInput)?.stays_from())
}

fn fill(out: &mut [u8], found: &[u8]) -> usize {
    let count = found.len().min(out.len());
    out[..count].copy_from_slice(&found[..count]);
    count
}

/// The number that stands for a log among the database's advisory locks.
fn lock_of(origin: &str) -> i64 {
    let mut hash = Sha256::new();
    hash.update(b"symbolon/log-writer/v1\n");
    hash.update(origin.as_bytes());
    let digest = hash.finish();
    i64::from_be_bytes(std::array::from_fn(|at| digest.0[at]))
}
