//! The statements on a log's rows (`specs/log.md`, "The database").

use sqlx::{Connection, query, query_as, query_scalar};

use super::error::LogDatabaseError;
use super::session::Session;

/// Bytes of a piece of entries.
pub(super) const PIECE_BYTES_MAX: usize = 64 << 10;
/// Bytes of a page of a named file: a full tile of hashes.
const PAGE_BYTES: usize = 8 << 10;
/// Pages that one statement writes.
const PAGES_AT_ONCE: usize = 512;
/// Pieces that one statement takes away: some 64 MiB.
const PIECES_AT_ONCE: i64 = 1024;
/// The format of the tables.
const FORMAT: i32 = 1;

/// The number keeps two who begin at once from making the same tables.
const TABLES: [&str; 5] = [
    "SELECT pg_advisory_xact_lock(7311146936853131636)",
    "CREATE TABLE IF NOT EXISTS log_origins (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        format INTEGER NOT NULL,
        origin TEXT NOT NULL UNIQUE,
        syncs BIGINT NOT NULL DEFAULT 0)",
    "CREATE TABLE IF NOT EXISTS log_pieces (
        log BIGINT NOT NULL,
        place BIGINT NOT NULL CHECK (place >= 0),
        bytes BYTEA NOT NULL CHECK (octet_length(bytes) BETWEEN 1 AND 65536),
        PRIMARY KEY (log, place))",
    "CREATE TABLE IF NOT EXISTS log_files (
        log BIGINT NOT NULL,
        name TEXT NOT NULL,
        page BIGINT NOT NULL CHECK (page >= 0),
        bytes BYTEA NOT NULL CHECK (octet_length(bytes) <= 8192),
        PRIMARY KEY (log, name, page))",
    // Hashes, and what is close to random, are not worth packing.
    "ALTER TABLE log_pieces ALTER COLUMN bytes SET STORAGE EXTERNAL",
];

/// Written with a commit that waits for the disk, and for everything committed before it.
const UPSERT: &str = "INSERT INTO log_files (log, name, page, bytes)
    SELECT $1, $2, p, b FROM UNNEST($3::BIGINT[], $4::BYTEA[]) AS t (p, b)
    WHERE set_config('synchronous_commit', 'on', true) = 'on'
    ON CONFLICT (log, name, page) DO UPDATE SET bytes = EXCLUDED.bytes";
const REPLACE: &str =
    "WITH gone AS (DELETE FROM log_files WHERE log = $1 AND name = $2 AND page >= $5)
    INSERT INTO log_files (log, name, page, bytes)
    SELECT $1, $2, p, b FROM UNNEST($3::BIGINT[], $4::BYTEA[]) AS t (p, b)
    WHERE set_config('synchronous_commit', 'on', true) = 'on'
    ON CONFLICT (log, name, page) DO UPDATE SET bytes = EXCLUDED.bytes";

/// A row with bytes, by its place or page.
type Part = (i64, Vec<u8>);

impl Session {
    /// The log's id, where the database has it.
    pub fn find(&mut self, origin: &str) -> Result<Option<i64>, LogDatabaseError> {
        let found: Option<(i64, i32)> = self.run(async |connection| {
            let there = query_scalar("SELECT to_regclass('log_files') IS NOT NULL");
            if !there.fetch_one(&mut *connection).await? {
                return Ok(None);
            }
            let row = query_as("SELECT id, format FROM log_origins WHERE origin = $1");
            row.bind(origin).fetch_optional(connection).await
        })?;
        match found {
            Some((_, format)) if format != FORMAT => {
                Err(self
                    .damaged(format!("its log has format {format}, and {FORMAT} is known here")))
            }
            found => Ok(found.map(|(id, _)| id)),
        }
    }

    /// As [`Session::find`]; makes the tables and the log's row where they are missing.
    pub fn find_or_make(&mut self, origin: &str) -> Result<i64, LogDatabaseError> {
        if let Some(id) = self.find(origin)? {
            return Ok(id);
        }
        self.run(async |connection| {
            let mut tx = connection.begin().await?;
            query("SET LOCAL synchronous_commit = on").execute(&mut *tx).await?;
            for statement in TABLES {
                query(statement).execute(&mut *tx).await?;
            }
            let row = query_scalar(
                "INSERT INTO log_origins (format, origin) VALUES ($1, $2) RETURNING id",
            );
            let id = row.bind(FORMAT).bind(origin).fetch_one(&mut *tx).await?;
            tx.commit().await?;
            Ok(id)
        })
    }

    /// Bytes of entries.
    pub fn length(&mut self, log: i64) -> Result<u64, LogDatabaseError> {
        let end: Option<i64> = self.run(async |connection| {
            let end = query_scalar(
                "SELECT place + octet_length(bytes) FROM log_pieces WHERE log = $1
                 ORDER BY place DESC LIMIT 1",
            );
            end.bind(log).fetch_optional(connection).await
        })?;
        Ok(end.unwrap_or(0).unsigned_abs())
    }

    /// Whether the log has a row beside its name.
    pub fn has_any(&mut self, log: i64) -> Result<bool, LogDatabaseError> {
        self.run(async |connection| {
            let any = query_scalar(
                "SELECT EXISTS (SELECT 1 FROM log_pieces WHERE log = $1)
                 OR EXISTS (SELECT 1 FROM log_files WHERE log = $1)",
            );
            any.bind(log).fetch_one(connection).await
        })
    }

    /// Entries from a place on, at most so many bytes.
    pub fn entries(
        &mut self,
        log: i64,
        from: u64,
        count: usize,
    ) -> Result<Vec<u8>, LogDatabaseError> {
        let Ok(begin) = i64::try_from(from) else { return Ok(Vec::new()) };
        let end = begin.saturating_add(i64::try_from(count).unwrap_or(i64::MAX));
        let pieces: Vec<Part> = self.run(async |connection| {
            let pieces = query_as(
                "SELECT place, bytes FROM log_pieces WHERE log = $1 AND place < $3 AND place >=
                 COALESCE((SELECT max(place) FROM log_pieces WHERE log = $1 AND place <= $2), 0)
                 ORDER BY place",
            );
            pieces.bind(log).bind(begin).bind(end).fetch_all(connection).await
        })?;
        let Some((first, _)) = pieces.first() else { return Ok(Vec::new()) };
        if *first > begin {
            return Err(self.damaged(format!("entries before byte {first} are missing")));
        }
        let (mut bytes, mut at) = (Vec::with_capacity(count), *first);
        for (place, piece) in &pieces {
            if *place != at {
                return Err(self.damaged(format!("entries from byte {at} to {place} are missing")));
            }
            // What stands before the place that was asked for is passed over.
            let skip = usize::try_from(begin.saturating_sub(at)).unwrap_or(0);
            bytes.extend_from_slice(piece.get(skip..).unwrap_or_default());
            at = at.saturating_add(piece.len() as i64);
        }
        bytes.truncate(count);
        Ok(bytes)
    }

    /// One statement, and so all of it or nothing; it survives this process, not yet the server's.
    pub fn append(&mut self, log: i64, at: u64, bytes: &[u8]) -> Result<(), LogDatabaseError> {
        let starts = (0..bytes.len()).step_by(PIECE_BYTES_MAX);
        let places: Vec<i64> = starts.map(|start| (at + start as u64).cast_signed()).collect();
        let pieces: Vec<&[u8]> = bytes.chunks(PIECE_BYTES_MAX).collect();
        self.run(async |connection| {
            let insert = query(
                "INSERT INTO log_pieces (log, place, bytes)
                 SELECT $1, p, b FROM UNNEST($2::BIGINT[], $3::BYTEA[]) AS t (p, b)",
            );
            insert.bind(log).bind(places).bind(pieces).execute(connection).await.map(drop)
        })
    }

    /// A commit that waits for the disk: the server's own log is one sequence, so that all before it is there too.
    pub fn flush(&mut self, log: i64) -> Result<(), LogDatabaseError> {
        let done = self.run(async |connection| {
            let commit = query(
                "UPDATE log_origins SET syncs = syncs + 1
                 WHERE id = $1 AND set_config('synchronous_commit', 'on', true) = 'on'",
            );
            commit.bind(log).execute(connection).await
        })?;
        match done.rows_affected() {
            1 => Ok(()),
            _ => Err(self.damaged("the log's own row is gone")),
        }
    }

    /// Sets aside `tail` and ends the entries at a place, in one transaction.
    pub fn end_at(&mut self, log: i64, end: u64, tail: &[u8]) -> Result<(), LogDatabaseError> {
        let end = end.cast_signed();
        let (pages, parts) = paged(0, tail);
        let kept = pages.len() as i64;
        self.run(async |connection| {
            let mut tx = connection.begin().await?;
            query("SET LOCAL synchronous_commit = on").execute(&mut *tx).await?;
            let aside = query(REPLACE).bind(log).bind("entries.cut").bind(pages).bind(parts);
            aside.bind(kept).execute(&mut *tx).await?;
            let gone = query("DELETE FROM log_pieces WHERE log = $1 AND place >= $2");
            gone.bind(log).bind(end).execute(&mut *tx).await?;
            let shorter = query(
                "UPDATE log_pieces SET bytes = substring(bytes FROM 1 FOR ($2 - place)::INTEGER)
                 WHERE log = $1 AND place < $2 AND place >= $2 - 65536
                 AND place + octet_length(bytes) > $2",
            );
            shorter.bind(log).bind(end).execute(&mut *tx).await?;
            tx.commit().await
        })
    }

    /// Bytes of a named file; `None` where there is none.
    pub fn file(
        &mut self,
        log: i64,
        name: &str,
        from: u64,
        count: u64,
    ) -> Result<Option<Vec<u8>>, LogDatabaseError> {
        let (first, skip) = (from / PAGE_BYTES as u64, (from % PAGE_BYTES as u64) as usize);
        let last = from.saturating_add(count).div_ceil(PAGE_BYTES as u64).max(first + 1);
        let (first, last) = (first.cast_signed(), last.cast_signed());
        let pages: Vec<Part> = self.run(async |connection| {
            let pages = query_as(
                "SELECT page, bytes FROM log_files WHERE log = $1 AND name = $2 AND page >= $3
                 AND page < $4 ORDER BY page",
            );
            pages.bind(log).bind(name).bind(first).bind(last).fetch_all(connection).await
        })?;
        if pages.is_empty() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        for (page, part) in &pages {
            // A page that was left out before another is zeros, as in a file.
            let before = usize::try_from(page - first).unwrap_or(0) * PAGE_BYTES;
            bytes.resize(before, 0);
            bytes.extend_from_slice(part);
        }
        let end =
            bytes.len().min(skip.saturating_add(usize::try_from(count).unwrap_or(usize::MAX)));
        Ok(Some(bytes.get(skip..end).unwrap_or_default().to_vec()))
    }

    /// Writes into a named file, page by page: what a crash leaves is old or new pages.
    pub fn write_file(
        &mut self,
        log: i64,
        name: &str,
        at: u64,
        bytes: &[u8],
    ) -> Result<(), LogDatabaseError> {
        let start = at / PAGE_BYTES as u64 * PAGE_BYTES as u64;
        // The first and the last page keep what they have outside of what is written.
        let mut whole = self.file(log, name, start, at - start)?.unwrap_or_default();
        whole.resize((at - start) as usize, 0);
        whole.extend_from_slice(bytes);
        let end = at + bytes.len() as u64;
        let rest = end.next_multiple_of(PAGE_BYTES as u64) - end;
        whole.extend(self.file(log, name, end, rest)?.unwrap_or_default());
        let (pages, parts) = paged(start / PAGE_BYTES as u64, &whole);
        for (pages, parts) in pages.chunks(PAGES_AT_ONCE).zip(parts.chunks(PAGES_AT_ONCE)) {
            self.run(async |connection| {
                let put = query(UPSERT).bind(log).bind(name).bind(pages).bind(parts);
                put.execute(connection).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// One statement: the file is the old or the new one.
    pub fn replace_file(
        &mut self,
        log: i64,
        name: &str,
        bytes: &[u8],
    ) -> Result<(), LogDatabaseError> {
        let (pages, parts) = paged(0, bytes);
        let kept = pages.len() as i64;
        self.run(async |connection| {
            let put = query(REPLACE).bind(log).bind(name).bind(pages).bind(parts).bind(kept);
            put.execute(connection).await.map(drop)
        })
    }

    /// Takes away some of the pieces that end at or before a place. Says whether there may be more.
    pub fn remove_before(&mut self, log: i64, from: u64) -> Result<bool, LogDatabaseError> {
        self.run(async |connection| {
            let gone = query(
                "DELETE FROM log_pieces WHERE log = $1 AND place IN (
                     SELECT place FROM log_pieces
                     WHERE log = $1 AND place < $2 AND place + octet_length(bytes) <= $2
                     ORDER BY place LIMIT $3)",
            );
            let gone = gone.bind(log).bind(from.cast_signed()).bind(PIECES_AT_ONCE);
            Ok(gone.execute(&mut *connection).await?.rows_affected() == PIECES_AT_ONCE as u64)
        })
    }

    /// Takes away every row of the log.
    pub fn remove(&mut self, log: i64) -> Result<(), LogDatabaseError> {
        self.run(async |connection| {
            let mut tx = connection.begin().await?;
            for statement in [
                "DELETE FROM log_pieces WHERE log = $1",
                "DELETE FROM log_files WHERE log = $1",
                "DELETE FROM log_origins WHERE id = $1",
            ] {
                query(statement).bind(log).execute(&mut *tx).await?;
            }
            tx.commit().await
        })
    }
}

/// Numbers and bytes of the pages, from one on; a file without bytes has one too.
fn paged(first: u64, bytes: &[u8]) -> (Vec<i64>, Vec<&[u8]>) {
    let mut parts: Vec<&[u8]> = bytes.chunks(PAGE_BYTES).collect();
    if parts.is_empty() {
        parts.push(bytes);
    }
    let first = first.cast_signed();
    ((first..).take(parts.len()).collect(), parts)
}
