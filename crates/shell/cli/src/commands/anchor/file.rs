//! Proofs as files, and the home's own.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use symbolon_anchor::{PROOF_BYTES_MAX, Proof};
use symbolon_codec::Digest32;
use symbolon_crypto::Sha256;
use symbolon_store::{Home, LogDatabaseError};

use crate::facts;
use crate::failure::Failure;

/// SHA-256 of a file of any length, or of standard input.
pub fn digest(path: &Path) -> Result<Digest32, Failure> {
    let failed = |error: std::io::Error| Failure::file("read", path, &error);
    let mut from: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(File::open(path).map_err(failed)?),
    };
    let mut hash = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(hash.finish()),
            Ok(read) => hash.update(&piece[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// The newest checkpoint of the home's log, as it is signed.
pub fn newest_checkpoint(home: &Home) -> Result<Vec<u8>, Failure> {
    const FIRST: &str =
        "symbolon call TOOL, for a first entry; a log without any has no checkpoint";
    let failed = |error: std::io::Error| {
        let failure = Failure::environment("log_read", format!("the log's checkpoint: {error}"));
        failure.next(LogDatabaseError::within(&error).map_or(FIRST, LogDatabaseError::next))
    };
    let found = symbolon_store::newest_checkpoint(home).map_err(failed)?;
    found.ok_or_else(|| failed(ErrorKind::NotFound.into()))
}

/// A proof that is there.
pub fn read(path: &Path) -> Result<Proof, Failure> {
    let bytes = facts::read(path, PROOF_BYTES_MAX)?;
    Proof::read(&bytes).map_err(|error| {
        let what = format!("{} is no proof of OpenTimestamps: {error}", path.display());
        Failure::refused("ots_form", what).next("symbolon anchor create FILE, for a new one")
    })
}

/// Refuses a place where something is: before anybody is asked.
pub fn check_free(path: &Path) -> Result<(), Failure> {
    if path.exists() { Err(taken(path)) } else { Ok(()) }
}

fn taken(path: &Path) -> Failure {
    Failure::refused("file_exists", format!("{} is there already", path.display()))
        .next(format!("symbolon anchor upgrade {}", path.display()))
}

/// Writes one where none is.
pub fn write_new(path: &Path, proof: &Proof) -> Result<(), Failure> {
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = made.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => taken(path),
        _ => Failure::file("write", path, &error),
    })?;
    let written = file.write_all(&proof.to_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| Failure::file("write", path, &error))
}

/// Writes one over the one that was read there.
pub fn replace(path: &Path, proof: &Proof) -> Result<(), Failure> {
    let replaced = symbolon_store::replace_file(path, &proof.to_bytes());
    replaced.map_err(|error| Failure::file("write", path, &error))
}

/// Proofs of the home's own checkpoints, in the order of their names; the checkpoint is beside each.
pub fn of_home(home: &Home) -> Result<Vec<PathBuf>, Failure> {
    let folder = home.anchors();
    let failed = |error: std::io::Error| Failure::file("read", &folder, &error);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|it| it == "ots") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
