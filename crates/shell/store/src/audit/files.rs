//! Names of the audit's files, and their bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use symbolon_audit::Source;

use super::{Audit, AuditFault};

/// `2026-11-21.000000065536.jsonl`, or `.parquet`: the day that it begins on, and its first entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) first: u64,
    pub(super) day: String,
    pub(super) is_packed: bool,
}

impl Named {
    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let (day, first, end) = (parts.next()?, parts.next()?, parts.next()?);
        let is_packed = match end {
            "jsonl" => false,
            "parquet" => true,
            _ => return None,
        };
        let is_day = |(b, f): (u8, u8)| if f == b'0' { b.is_ascii_digit() } else { b == f };
        let fits = day.len() == 10 && day.bytes().zip(*b"0000-00-00").all(is_day);
        let named = Self { first: first.parse().ok()?, day: day.to_owned(), is_packed };
        (fits && parts.next().is_none() && named.name() == name).then_some(named)
    }

    pub(super) fn name(&self) -> String {
        let end = if self.is_packed { "parquet" } else { "jsonl" };
        format!("{}.{:012}.{end}", self.day, self.first)
    }

    /// The same entries in the other form.
    pub(super) fn packed(&self) -> Self {
        Self { is_packed: true, ..self.clone() }
    }
}

impl Audit {
    /// The files by their first entries. Of entries in both forms, only the Parquet file: it is only there when
    /// it was read back.
    pub(super) fn files(&self) -> Result<Vec<Named>, AuditFault> {
        let mut files = self.all_files()?;
        files.dedup_by_key(|file| (file.first, file.day.clone()));
        Ok(files)
    }

    /// Also those that stand in both forms, the Parquet file first.
    pub(super) fn all_files(&self) -> Result<Vec<Named>, AuditFault> {
        let failed = AuditFault::io(&self.folder);
        let entries = match fs::read_dir(&self.folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            files.extend(name.to_str().and_then(Named::parse));
        }
        files.sort_unstable_by(|a, b| {
            (a.first, &a.day, !a.is_packed).cmp(&(b.first, &b.day, !b.is_packed))
        });
        Ok(files)
    }

    pub(super) fn path(&self, file: &Named) -> PathBuf {
        self.folder.join(file.name())
    }
}

/// What a file was when it was checked: a write changes it, and so does another file in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    bytes: u64,
    modified_ns: i128,
    changed_ns: i128,
}

impl Identity {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let meta = file.metadata()?;
        let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        Ok(Self {
            device: meta.dev(),
            inode: meta.ino(),
            bytes: meta.len(),
            modified_ns: ns(meta.mtime(), meta.mtime_nsec()),
            changed_ns: ns(meta.ctime(), meta.ctime_nsec()),
        })
    }
}

/// A file that a Parquet reader reads.
#[derive(Debug)]
pub(super) struct OnDisk {
    file: File,
    bytes: u64,
}

impl OnDisk {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        Ok(Self { file, bytes })
    }
}

impl Source for OnDisk {
    fn len(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }
}

/// A file for its owner alone.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// Writes whose steps can be made to fail.
pub(super) struct Careful<'a> {
    pub(super) audit: &'a Audit,
    pub(super) file: File,
}

impl Write for Careful<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.audit.planned()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_in_its_one_form() {
        let named = Named::parse("2026-11-21.000000065536.parquet").unwrap();
        assert_eq!((named.first, &*named.day, named.is_packed), (65_536, "2026-11-21", true));
        assert_eq!(Named { is_packed: false, ..named }.name(), "2026-11-21.000000065536.jsonl");
        for bad in [
            "2026-11-21.65536.parquet",
            "2026-11-21.000000065536.parquet.new",
            "2026-11-21.000000065536.json",
            "2026-1-21.000000065536.jsonl",
            "known.json",
            "lock",
            "2026-11-21..jsonl",
        ] {
            assert_eq!(Named::parse(bad), None, "{bad}");
        }
        assert!(Named::parse("2026-11-21.1000000065536.jsonl").is_some(), "13 digits");
    }
}
