//! Proving keys: made once, kept in the home, and read where their hash is the pinned one.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use symbolon_circuits::{KeyError, ProvingKey, Statement};
use symbolon_store::replace_file;

use crate::failure::Failure;
use crate::{out, progress};

/// The statement's key: as it is kept, else made again.
pub fn of<S: Statement>(home: &Path) -> Result<ProvingKey<S>, Failure> {
    let path = place::<S>(home);
    match read(&path) {
        Some(bytes) => match ProvingKey::read(&bytes) {
            Ok(key) => return Ok(key),
            Err(_) => out::say("The proving key in the home is damaged or of another version."),
        },
        None => out::say("The proving key is made once, and kept in the home."),
    }
    let key = progress::during("Making the proving key", KEY_TAKES, ProvingKey::<S>::make)
        .map_err(broken)?;
    if let Err(error) = keep(&path, &key.write()) {
        out::say(&format!("It cannot be kept, and is made again next time: {error}."));
    }
    Ok(key)
}

/// `HOME/cache/identity.1.key`.
fn place<S: Statement>(home: &Path) -> PathBuf {
    home.join("cache").join(format!("{}.{}.key", S::NAME, S::VERSION))
}

/// A file that is longer than any key is none.
fn read(path: &Path) -> Option<Vec<u8>> {
    let about = fs::symlink_metadata(path).ok()?;
    if !about.is_file() || about.len() > KEY_BYTES_MAX {
        return about.is_file().then(Vec::new);
    }
    fs::read(path).ok()
}

fn keep(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    replace_file(path, bytes)
}

fn broken(error: KeyError) -> Failure {
    Failure::environment("program_damaged", format!("this program is damaged: {error}"))
        .next("symbolon --version, and install that version again")
}

/// Measured on two cores of a server; a laptop is quicker.
const KEY_TAKES: Duration = Duration::from_secs(4);
const KEY_BYTES_MAX: u64 = 64 << 20;
