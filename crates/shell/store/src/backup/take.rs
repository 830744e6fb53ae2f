//! Making a backup of a home that may be in use.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use symbolon_ambient::{Clock, Rng};
use symbolon_crypto::Params;
use symbolon_log::note::NOTE_BYTES_MAX;
use symbolon_log::{Checkpoint, Follower, Kept, LogError, Shards, Storage, parse_vkey};
use symbolon_secret::Secret;

use super::seal::Sealing;
use super::{BackupError, Telling};
use crate::log_storage::LogStorage;
use crate::sqlite::copy_database;
use crate::{Accounts, Home, LogPlace};

/// What a backup holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Taken {
    /// Bytes of the file.
    pub bytes: u64,
    /// Files of the home.
    pub files: u64,
    /// Entries of the log.
    pub entries: u64,
    /// Entries that the log's signed checkpoint covers.
    pub covered: u64,
    /// Rows of the accounts' database; absent where the home keeps none.
    pub account_rows: Option<u64>,
}

/// Writes a home into a new file, 0600, under a passphrase. The home may be in use: the state
/// database is copied as of one moment, the log read after it, up to its last whole entry, and the
/// accounts as of one moment. Whatever fails, the file is not there.
///
/// # Errors
/// [`BackupError`]; [`BackupError::Io`] with the file where it is there already.
pub async fn back_up(
    home: &Home,
    accounts: Option<&Accounts>,
    file: &Path,
    passphrase: &Secret<[u8]>,
    (clock, rng): (&dyn Clock, &dyn Rng),
    telling: Telling<'_>,
) -> Result<Taken, BackupError> {
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let new = new.map_err(BackupError::io(file))?;
    let written = async {
        let params = Params::default();
        let mut out = Sealing::begin((file, new), passphrase, params, clock.unix_ms(), rng)?;
        let mut taken = Taken::default();
        let key = settled_key(home)?;
        taken.files += files(home, &mut out)?;
        telling("the state database");
        state(home, &mut out).await?;
        taken.files += 1;
        telling("the log");
        (taken.entries, taken.covered) = log(home, &mut out)?;
        if let Some(accounts) = accounts {
            telling("the accounts");
            taken.account_rows = Some(export(accounts, &mut out).await?);
        }
        // What was read before and after is of one key.
        if settled_key(home)? != key {
            return Err(BackupError::Rotating);
        }
        taken.bytes = out.end_parts()?;
        let folder = file.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder).and_then(|f| f.sync_all()).map_err(BackupError::io(folder))?;
        Ok(taken)
    };
    written.await.inspect_err(|_| {
        // What is half written restores nothing.
        let _ = fs::remove_file(file);
    })
}

/// The operator's key, where no other one is about to come in its place.
fn settled_key(home: &Home) -> Result<Vec<u8>, BackupError> {
    if home.operator_rotation().exists() {
        return Err(BackupError::Rotating);
    }
    let path = home.operator_pub();
    fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BackupError::Incomplete(path),
        _ => BackupError::io(&path)(error),
    })
}

/// The files that are replaced as a whole, or never.
fn files(home: &Home, out: &mut Sealing<'_>) -> Result<u64, BackupError> {
    let mut all = vec![("home.json".to_owned(), home.manifest())];
    all.push(("operator.pub".into(), home.operator_pub()));
    for (name, path) in [
        ("device.key", home.device_key()),
        ("server.key", home.server_key()),
        ("operator.revocation", home.operator_revocation()),
        ("operator.succession", home.operator_succession()),
    ] {
        if path.exists() {
            all.push((name.into(), path));
        }
    }
    for (name, folder) in [("catalog", home.catalog()), ("flows", home.flows())] {
        if folder.is_dir() {
            all.extend(listed(name, &folder)?);
        }
    }
    for (name, path) in &all {
        out.part(name)?;
        let opened = File::open(path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => BackupError::Incomplete(path.clone()),
            _ => BackupError::io(path)(e),
        })?;
        copy(&opened, path, out)?;
        out.end_part()?;
    }
    Ok(all.len() as u64)
}

fn listed(name: &str, folder: &Path) -> Result<Vec<(String, PathBuf)>, BackupError> {
    let io = BackupError::io(folder);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let file = path.file_name().map(|f| f.to_string_lossy().into_owned()).unwrap_or_default();
        let name = format!("{name}/{file}");
        if super::parts::is_known(&name) {
            found.push((name, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Piece by piece, each by way of a secret page: some of the files are keys.
fn copy(file: &File, path: &Path, out: &mut Sealing<'_>) -> Result<(), BackupError> {
    let io = BackupError::io(path);
    let length = file.metadata().map_err(io)?.len();
    if length <= KEY_BYTES_MAX {
        let content = Secret::<[u8]>::read_fd(file.as_fd(), KEY_BYTES_MAX as usize).map_err(io)?;
        // EXPOSE: from one secret page to another.
        return if content.is_empty() { Ok(()) } else { out.piece(content.expose()) };
    }
    let mut reader = file;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer).map_err(io)? {
            0 => return Ok(()),
            read => out.piece(&buffer[..read])?,
        }
    }
}

/// No file with a key in it is longer.
const KEY_BYTES_MAX: u64 = 4096;

/// A copy as of one moment, which lies beside the database until it is sealed.
async fn state(home: &Home, out: &mut Sealing<'_>) -> Result<(), BackupError> {
    let copied = home.run().join(format!("backup-{}.db", std::process::id()));
    let sealed = async {
        copy_database(&home.database(), &copied).await?;
        let file = File::open(&copied).map_err(BackupError::io(&copied))?;
        out.part("state.db")?;
        copy(&file, &copied, out)?;
        out.end_part()
    };
    let sealed = sealed.await;
    let removed = fs::remove_file(&copied);
    sealed?;
    removed.map_err(BackupError::io(&copied))
}

/// The log as another process reads it: every whole entry, those that its checkpoint covers first
/// among them. Gives how many there are, and how many are covered.
fn log(home: &Home, out: &mut Sealing<'_>) -> Result<(u64, u64), BackupError> {
    let path = home.operator_pub();
    let text = fs::read_to_string(&path).map_err(BackupError::io(&path))?;
    let (origin, operator) = parse_vkey(text.trim_end())?;
    let path = home.log();
    let storage = LogPlace::of(home)?.reader(&origin).map_err(BackupError::io(&path))?;
    let note = storage.get("checkpoint", NOTE_BYTES_MAX as u64 + 1);
    let note = note.map_err(BackupError::io(&path))?.map(String::from_utf8).transpose();
    let note =
        note.map_err(|_| BackupError::Content("the log's checkpoint is no text".to_owned()))?;
    let mut covered = 0;
    if let Some(note) = &note {
        let open = Checkpoint::open(note, &operator, &origin);
        covered =
            open.map_err(|e| BackupError::Content(format!("the log's checkpoint: {e}")))?.size;
        out.part("log/checkpoint")?;
        out.piece(note.as_bytes())?;
        out.end_part()?;
    }
    // Before the entries, which may grow by a shard meanwhile.
    let shards = Shards::read(&storage)?;
    if shards != Shards::default() {
        out.part("log/shards")?;
        out.piece(shards.encode().as_bytes())?;
        out.end_part()?;
    }
    if let Some(kept) = shards.kept() {
        hashes(&storage, &kept, out)?;
    }
    let mut log = Follower::open(storage, &origin, shards.first())?;
    out.part("log/entries")?;
    let mut failed = None;
    let found = log.read(u64::MAX, |_, entry, _| {
        out.piece(entry).map_err(|error| failed = Some(error)).is_ok()
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    out.end_part()?;
    if found < covered {
        return Err(BackupError::LogShort { covered, found });
    }
    Ok((found, covered))
}

/// What is left of entries that were taken away: what the next one continues, and the hash of each.
fn hashes(storage: &LogStorage, kept: &Kept, out: &mut Sealing<'_>) -> Result<(), BackupError> {
    let io = BackupError::io(Path::new("log"));
    let whole = |read: usize, wanted: usize| match read == wanted {
        true => Ok(()),
        false => Err(BackupError::from(LogError::Hashes { before: kept.first })),
    };
    out.part("log/hashes")?;
    let mut check = vec![0; (kept.offset - kept.stays_from()) as usize];
    whole(storage.read(kept.stays_from(), &mut check).map_err(io)?, check.len())?;
    out.piece(&check)?;
    let mut at = 0;
    while at < kept.first {
        let count = (kept.first - at).min(HASHES_AT_ONCE);
        let mut piece = vec![0; count as usize * 32];
        let read = storage.read_at("hashes/0", at * 32, &mut piece).map_err(io)?;
        whole(read, piece.len())?;
        out.piece(&piece)?;
        at += count;
    }
    out.end_part()
}

/// 32 KiB.
const HASHES_AT_ONCE: u64 = 1024;

async fn export(accounts: &Accounts, out: &mut Sealing<'_>) -> Result<u64, BackupError> {
    // Every table has a part, so that none is missed when it is empty.
    let mut tables = Accounts::tables();
    let mut current = tables.next();
    if let Some(first) = current {
        out.part(&format!("accounts/{first}"))?;
    }
    let rows = accounts
        .export(|row| {
            while current.is_some_and(|table| table != row.table) {
                out.end_part()?;
                current = tables.next();
                if let Some(next) = current {
                    out.part(&format!("accounts/{next}"))?;
                }
            }
            out.piece(&row.bytes)
        })
        .await?;
    out.end_part()?;
    Ok(rows)
}
