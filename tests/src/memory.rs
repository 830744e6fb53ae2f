//! Core dumps of a living process, by gdb's gcore.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::canary::{Canaries, Hit};

/// A core file, removed when dropped.
#[derive(Debug)]
pub struct Dump {
    _folder: TempDir,
    path: PathBuf,
    /// The kernel's list of mappings, from the moment of the dump.
    maps: String,
}

impl Dump {
    /// Stops the process, writes all memory that a debugger can read, and lets it go on.
    ///
    /// `-a` takes what the kernel's filter and `MADV_DONTDUMP` would leave out: the dump shows all
    /// that a debugger sees. A process that is not dumpable can be attached to by root alone.
    pub fn take(pid: u32) -> Self {
        Self::by(pid, &["-a"])
    }

    /// As [`Dump::take`], of what the kernel's own core file would have. For programs that set
    /// aside many gigabytes of addresses: with `-a` each of those is written out.
    pub fn take_as_the_kernel(pid: u32) -> Self {
        Self::by(pid, &[])
    }

    fn by(pid: u32, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let prefix = folder.path().join("core");
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        // One that grows beyond reason fails here and not on a full disk.
        let mut command = if is_root() { Command::new("prlimit") } else { as_root("prlimit") };
        let output = command
            .args([&format!("--fsize={CORE_BYTES_MAX}"), "gcore"])
            .args(options)
            .arg("-o")
            .arg(&prefix)
            .arg(pid.to_string())
            .output()
            .expect("gcore runs; next: cargo xtask test --only setup");
        let path = prefix.with_extension(pid.to_string());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(path.is_file(), "gcore wrote no core of {pid}: {said}");
        Self { _folder: folder, path, maps }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn size_bytes(&self) -> u64 {
        std::fs::metadata(&self.path).expect("it is there").len()
    }

    /// Searches it. A hit's place is the mapping that it was in.
    pub fn find(&self, canaries: &Canaries) -> Vec<Hit> {
        let mut hits = canaries.find_in_file(&self.path).expect("a core file is readable");
        let segments = segments(&self.path).expect("gcore writes ELF");
        for hit in &mut hits {
            hit.place = self.place(&segments, hit.offset);
        }
        hits
    }

    fn place(&self, segments: &[Segment], offset: u64) -> String {
        let Some(at) =
            segments.iter().find(|it| (it.offset..it.offset + it.size).contains(&offset))
        else {
            return "the core's own tables".to_owned();
        };
        if at.is_note {
            return "the registers of a thread".to_owned();
        }
        let address = at.address + (offset - at.offset);
        let mapping = self.maps.lines().find(|line| {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let hex = |text: &str| u64::from_str_radix(text, 16).unwrap_or_default();
            range.is_some_and(|(from, to)| (hex(from)..hex(to)).contains(&address))
        });
        format!("address {address:#x} of {}", mapping.unwrap_or("no mapping that was listed"))
    }
}

const CORE_BYTES_MAX: u64 = 4 << 30;

/// A piece of the core file and the memory that it shows.
struct Segment {
    is_note: bool,
    offset: u64,
    address: u64,
    size: u64,
}

/// The program headers of a 64-bit little-endian core file.
fn segments(path: &Path) -> std::io::Result<Vec<Segment>> {
    let file = File::open(path)?;
    let number = |offset: u64, bytes: usize| -> std::io::Result<u64> {
        let mut buffer = [0; 8];
        file.read_exact_at(&mut buffer[..bytes], offset)?;
        Ok(u64::from_le_bytes(buffer))
    };
    let table = number(32, 8)?;
    let mut count = number(56, 2)?;
    if count == 0xffff {
        // More than the field holds: the first section header has the number.
        count = number(number(40, 8)? + 44, 4)?;
    }
    (0..count)
        .map(|at| {
            let header = table + 56 * at;
            Ok(Segment {
                is_note: number(header, 4)? == 4,
                offset: number(header + 8, 8)?,
                address: number(header + 16, 8)?,
                size: number(header + 32, 8)?,
            })
        })
        .collect()
}

/// Whether this test runs as root.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout.trim_ascii() == b"0"
}

fn as_root(program: &str) -> Command {
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;
    use std::io::Write;
    use std::process::Stdio;

    /// The search finds what is there: a secret that a program holds in an ordinary buffer.
    #[test]
    fn a_dump_shows_a_secret_in_ordinary_memory() {
        let secret = random::secret(32);
        let mut holder =
            Command::new("sort").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut input = holder.stdin.take().unwrap();
        writeln!(input, "{secret}").unwrap();
        input.flush().unwrap();
        let canaries = Canaries::new().plant("control", secret.as_bytes());
        let found = (0..50).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            let hits = Dump::take(holder.id()).find(&canaries);
            assert!(hits.iter().all(|hit| hit.place.starts_with("address ")), "{hits:?}");
            !hits.is_empty()
        });
        drop(input);
        holder.wait().unwrap();
        assert!(found, "gcore and the search see what sort holds");
    }
}
