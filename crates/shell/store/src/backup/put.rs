//! A home out of a backup: first all of it is read and checked, then it is made beside its place,
//! checked again as a home, and put into place by one rename.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon_account::{AccountError, AccountStore};
use symbolon_codec::Digest32;
use symbolon_crypto::VerifyingKey;
use symbolon_log::shard::SHARDS;
use symbolon_log::{Begun, Log, LogOptions, Shards, Storage, parse_vkey};
use symbolon_secret::Secret;
use tokio::sync::Mutex;

use super::parts::is_known;
use super::seal::{BackupHeader, Opening};
use super::{BackupError, Telling};
use crate::accounts::{Row, read_server_key};
use crate::folder::make_folder;
use crate::log_storage::LogStorage;
use crate::sqlite::check_database;
use crate::{Accounts, DatabaseAddress, Home, LogPlace, Manifest, ManifestError, SqliteStore};

/// What was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// When the backup was made, in Unix milliseconds.
    pub created_unix_ms: u64,
    /// Files of the home.
    pub files: u64,
    /// Entries of the log.
    pub entries: u64,
    /// Rows of the accounts' database; absent where the backup has none.
    pub account_rows: Option<u64>,
}

/// Where parts of a backup go that need not be files of the home.
#[derive(Debug, Clone, Copy, Default)]
pub struct Target<'a> {
    /// The accounts' database, which must have none.
    pub accounts: Option<&'a DatabaseAddress>,
    /// A file, 0600, with the address of the log's database, which must not have this log.
    pub log: Option<&'a Path>,
}

/// Restores a home into a folder that is not there, or empty; accounts and log into databases where
/// some are named, else into the home. Nothing is written before every chunk
/// of the backup was opened, and no home is there before what was written was checked.
///
/// # Errors
/// [`BackupError`].
pub async fn restore(
    file: &Path,
    passphrase: &Secret<[u8]>,
    place: &Path,
    target: Target<'_>,
    telling: Telling<'_>,
) -> Result<Restored, BackupError> {
    check_empty(place)?;
    telling("reading the whole backup");
    let header = read_through(file, passphrase)?;
    let draft = draft(place);
    let mut begun = None;
    let made = async {
        let home =
            Home::create(&draft).map_err(|e| BackupError::io(&draft)(io::Error::other(e)))?;
        let mut restored =
            Restored { created_unix_ms: header.created_unix_ms, ..Restored::default() };
        let into = (&home, target);
        fill(file, passphrase, into, telling, &mut restored, &mut begun).await?;
        sync(&home)?;
        Ok(restored)
    };
    let made = made.await.and_then(|restored| {
        fs::rename(&draft, place).map_err(BackupError::io(place))?;
        let parent = place.parent().unwrap_or(Path::new("/"));
        File::open(parent).and_then(|f| f.sync_all()).map_err(BackupError::io(parent))?;
        Ok(restored)
    });
    made.inspect_err(|_| {
        // What was not put into place is nothing.
        let _ = fs::remove_dir_all(&draft);
        if let Some((place, origin)) = &begun {
            let _ = place.remove(origin);
        }
    })
}

fn check_empty(place: &Path) -> Result<(), BackupError> {
    match fs::read_dir(place) {
        Ok(mut found) => match found.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::NotEmpty(place.to_owned())),
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            Err(BackupError::NotEmpty(place.to_owned()))
        }
        Err(e) => Err(BackupError::io(place)(e)),
    }
}

fn draft(place: &Path) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(format!(".restoring-{}", std::process::id()));
    place.with_file_name(name)
}

/// Opens every chunk and reads every name; writes nothing.
fn read_through(file: &Path, passphrase: &Secret<[u8]>) -> Result<BackupHeader, BackupError> {
    let (mut backup, header) = Opening::begin(file, passphrase)?;
    let mut names = BTreeSet::new();
    while let Some(name) = backup.next_part()? {
        if !is_known(&name) {
            return Err(BackupError::Content("a name that no home has".into()));
        }
        if name.starts_with("log/") && !names.contains("operator.pub") {
            return Err(BackupError::Content("a log before the key that checks it".into()));
        }
        let is_late = names.contains("log/entries") && name.starts_with("log/");
        if is_late || name == "log/hashes" && !names.contains("log/shards") {
            return Err(BackupError::Content("parts of the log in another order".into()));
        }
        if name.starts_with("accounts/") && !names.contains("server.key") {
            return Err(BackupError::NoServerKey);
        }
        while backup.next_piece()?.is_some() {}
        if !names.insert(name) {
            return Err(BackupError::Content("a name twice".into()));
        }
    }
    backup.end()?;
    for needed in ["home.json", "operator.pub", "state.db", "log/entries"] {
        if !names.contains(needed) {
            return Err(BackupError::Content(format!("no {needed}")));
        }
    }
    Ok(header)
}

async fn fill(
    file: &Path,
    passphrase: &Secret<[u8]>,
    (home, target): (&Home, Target<'_>),
    telling: Telling<'_>,
    restored: &mut Restored,
    begun: &mut Option<(LogPlace, String)>,
) -> Result<(), BackupError> {
    let place = match target.log {
        Some(file) => LogPlace::keep(home, file)?,
        None => LogPlace::Folder(home.log()),
    };
    let (mut backup, _) = Opening::begin(file, passphrase)?;
    let mut log = LogDraft::default();
    let mut table = None;
    while let Some(name) = backup.next_part()? {
        match name.as_str() {
            "log/checkpoint" => log.checkpoint = backup.next_piece()?,
            "log/shards" => {
                let list = backup.next_piece()?.unwrap_or_default();
                log.shards = Shards::parse(&list)?;
            }
            "log/hashes" => {
                log.hashes(&mut backup, home, &place, begun)?;
                continue;
            }
            "log/entries" => {
                telling("the log");
                restored.entries = log.entries(&mut backup, home, &place, begun)?;
                continue;
            }
            _ if name.starts_with("accounts/") => {
                table = Some(name);
                break;
            }
            _ if is_known(&name) => {
                write(&mut backup, &home.path().join(&name))?;
                restored.files += 1;
                continue;
            }
            _ => return Err(BackupError::Content("a name that no home has".into())),
        }
        if backup.next_piece()?.is_some() {
            return Err(BackupError::Content("a part of several pieces that has one".into()));
        }
    }
    let manifest = Manifest::read(home).map_err(damaged)?;
    manifest.with_log(place.kept()).write(home).map_err(damaged)?;
    telling("checking the state database");
    check_database(&home.database()).await?;
    SqliteStore::open(&home.database()).await?.close().await;
    if let Some(table) = table {
        telling("the accounts");
        restored.account_rows = Some(accounts(backup, table, home, target.accounts).await?);
    } else {
        backup.end()?;
    }
    Ok(())
}

fn write(backup: &mut Opening, path: &Path) -> Result<(), BackupError> {
    let io = BackupError::io(path);
    if let Some(folder) = path.parent() {
        make_folder(folder).map_err(io)?;
    }
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut new = new.map_err(io)?;
    while let Some(piece) = backup.next_piece()? {
        new.write_all(&piece).map_err(io)?;
    }
    new.sync_all().map_err(io)
}

/// A log that is written anew.
#[derive(Default)]
struct LogDraft {
    checkpoint: Option<Vec<u8>>,
    shards: Shards,
    opened: Option<Opened>,
}

struct Opened {
    storage: Arc<LogStorage>,
    origin: String,
    operator: VerifyingKey,
}

impl LogDraft {
    fn open(
        &mut self,
        home: &Home,
        place: &LogPlace,
        begun: &mut Option<(LogPlace, String)>,
    ) -> Result<Arc<LogStorage>, BackupError> {
        if let Some(opened) = &self.opened {
            return Ok(opened.storage.clone());
        }
        let path = home.operator_pub();
        let text = fs::read_to_string(&path).map_err(BackupError::io(&path))?;
        let (origin, operator) = parse_vkey(text.trim_end())?;
        let storage = place.new_writer(&origin).map_err(BackupError::io(&home.log()))?;
        let storage = Arc::new(storage);
        *begun = Some((place.clone(), origin.clone()));
        self.opened = Some(Opened { storage: storage.clone(), origin, operator });
        Ok(storage)
    }

    /// Begins it behind entries that were taken away, with their hashes.
    fn hashes(
        &mut self,
        backup: &mut Opening,
        home: &Home,
        place: &LogPlace,
        begun: &mut Option<(LogPlace, String)>,
    ) -> Result<(), BackupError> {
        let storage = self.open(home, place, begun)?;
        let mut log = Begun::new(&storage);
        let last = backup.next_piece()?.unwrap_or_default();
        while let Some(piece) = backup.next_piece()? {
            let (hashes, rest) = piece.as_chunks::<32>();
            if !rest.is_empty() {
                return Err(BackupError::Content("a hash of another length".into()));
            }
            hashes.iter().try_for_each(|hash| log.push(Digest32(*hash)))?;
        }
        Ok(log.finish(&self.shards.until(self.shards.first()), &last)?)
    }

    /// Writes entry by entry, in the shards that they were in, and holds the whole against its checkpoint.
    fn entries(
        &mut self,
        backup: &mut Opening,
        home: &Home,
        place: &LogPlace,
        begun: &mut Option<(LogPlace, String)>,
    ) -> Result<u64, BackupError> {
        let storage = self.open(home, place, begun)?;
        let Some(Opened { origin, operator, .. }) = &self.opened else {
            return Err(BackupError::Content("no log".into()));
        };
        let put = |name: &str, bytes: &[u8]| {
            storage.publish(name, bytes).map_err(BackupError::io(&home.log()))
        };
        if self.shards.kept().is_none() && !self.shards.all().is_empty() {
            put(SHARDS, self.shards.until(0).encode().as_bytes())?;
        }
        let open = |verifier: Option<VerifyingKey>| {
            let options = LogOptions { origin: origin.clone(), signer: None, verifier };
            Log::open_with(storage.clone(), options).map_err(BackupError::from)
        };
        let log = open(None)?;
        let (mut entries, mut waiting) = (log.appended_size(), 0);
        if entries != self.shards.first() {
            return Err(BackupError::Content("its hashes are not those of its shards".into()));
        }
        while let Some(entry) = backup.next_piece()? {
            if self.shards.all().iter().any(|shard| shard.first == entries) {
                log.turn_as(&self.shards)?;
            }
            log.append(&entry)?;
            (entries, waiting) = (entries + 1, waiting + entry.len());
            if waiting > COMMIT_BYTES {
                log.commit()?;
                waiting = 0;
            }
        }
        log.turn_as(&self.shards)?;
        log.commit()?;
        drop(log);
        if let Some(note) = &self.checkpoint {
            put("checkpoint", note)?;
        }
        // Opening reads what the checkpoint covers and compares the root.
        let log = open(Some(*operator))?;
        let found = log.durable_size();
        if found != entries {
            return Err(BackupError::LogShort { covered: entries, found });
        }
        Ok(entries)
    }
}

fn damaged(error: ManifestError) -> BackupError {
    BackupError::Content(error.to_string())
}

/// Bytes of entries that are written at once.
const COMMIT_BYTES: usize = 4 << 20;

/// The rest of the backup is rows.
async fn accounts(
    backup: Opening,
    first: String,
    home: &Home,
    database: Option<&DatabaseAddress>,
) -> Result<u64, BackupError> {
    let key = read_server_key(&home.server_key())?;
    let accounts = match database {
        Some(address) => Accounts::open_postgres(address, key).await?,
        None => Accounts::open_sqlite(&home.accounts(), key).await?,
    };
    let source = Arc::new(Mutex::new(Rows { backup, table: Some(first), failed: None }));
    let rows = source.clone();
    let imported = accounts.import(move || match rows.try_lock() {
        Ok(mut rows) => rows.next(),
        Err(_) => Err(AccountError::Unavailable("rows are read twice at once".into())),
    });
    let imported = imported.await;
    let rest = match Arc::try_unwrap(source) {
        Ok(rows) => rows.into_inner(),
        Err(_) => return Err(BackupError::Content("rows are still read".into())),
    };
    if let Some(error) = rest.failed {
        return Err(error);
    }
    let count = imported?;
    rest.backup.end()?;
    let checked = accounts.check().await;
    accounts.close().await;
    checked?;
    Ok(count)
}

struct Rows {
    backup: Opening,
    table: Option<String>,
    failed: Option<BackupError>,
}

impl Rows {
    fn next(&mut self) -> Result<Option<Row>, AccountError> {
        self.read().map_err(|error| {
            let said = error.to_string();
            self.failed = Some(error);
            AccountError::Damaged(said)
        })
    }

    fn read(&mut self) -> Result<Option<Row>, BackupError> {
        while let Some(part) = &self.table {
            let name = part.strip_prefix("accounts/");
            let table = name.and_then(|name| Accounts::tables().find(|table| *table == name));
            let table = table.ok_or_else(|| BackupError::Content("a part after rows".into()))?;
            if let Some(bytes) = self.backup.next_piece()? {
                return Ok(Some(Row { table, bytes }));
            }
            self.table = self.backup.next_part()?;
        }
        Ok(None)
    }
}

/// Folders too are on disk before the home has its name.
fn sync(home: &Home) -> Result<(), BackupError> {
    for folder in
        [home.path(), &home.log(), &home.log().join("shard"), &home.catalog(), &home.flows()]
    {
        if folder.is_dir() {
            File::open(folder).and_then(|f| f.sync_all()).map_err(BackupError::io(folder))?;
        }
    }
    Ok(())
}
