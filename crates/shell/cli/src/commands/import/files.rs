//! Which files an import reads, and reading them into secret pages.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use symbolon_import::foreign::{FILE_BYTES_MAX, Origin};
use symbolon_secret::Secret;

use crate::failure::Failure;

/// A file, read.
pub(in crate::commands) struct Found {
    /// The permission bits of the descriptor that was read.
    pub mode: u32,
    pub bytes: Secret<[u8]>,
}

/// The file itself, or those of 0nMCP in a folder. Links within the folder are not followed.
pub(super) fn list(path: &Path, origin: Origin) -> Result<Vec<PathBuf>, Failure> {
    let about = std::fs::metadata(path).map_err(|e| Failure::file("read", path, &e))?;
    if !about.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    if origin != Origin::ZeroN {
        return Err(Failure::usage(format!("{} is a folder", path.display()))
            .next("the same command with the file"));
    }
    let mut found = Vec::new();
    walk(path, 0, &mut found)?;
    if found.is_empty() {
        let message = format!("{} has no file whose name ends in .0n or .0nv", path.display());
        return Err(Failure::refused("nothing", message).next(format!("ls -la {}", path.display())));
    }
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::file("read", folder, &e);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() && depth < DEPTH_MAX {
            walk(&entry.path(), depth + 1, found)?;
        } else if kind.is_file() && is_ours(&entry.path()) {
            if found.len() == FILES_MAX {
                let message = format!("more than {FILES_MAX} files");
                return Err(
                    Failure::refused("too_many", message).next("one folder of it at a time")
                );
            }
            found.push(entry.path());
        }
    }
    Ok(())
}

fn is_ours(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The whole file, straight into a secret page.
pub(in crate::commands) fn read(path: &Path) -> Result<Found, Failure> {
    let failed = |e: std::io::Error| Failure::file("read", path, &e);
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    let size = usize::try_from(about.len()).unwrap_or(usize::MAX);
    if size > FILE_BYTES_MAX {
        let message =
            format!("{} has {size} bytes; {FILE_BYTES_MAX} at most are read", path.display());
        return Err(
            Failure::refused("too_large", message).next(format!("ls -l {}", path.display()))
        );
    }
    let bytes = Secret::<[u8]>::read_fd(file.as_fd(), size).map_err(failed)?;
    Ok(Found { mode: about.mode(), bytes })
}

/// Names of 0nMCP's files: any, workflow, connection, environment, bundle, vault, deed.
const ENDINGS: [&str; 8] = [".0n", ".0n.json", ".0nw", ".0nc", ".0ne", ".0nb", ".0nv", ".0nd"];

const DEPTH_MAX: usize = 3;
const FILES_MAX: usize = 1000;
