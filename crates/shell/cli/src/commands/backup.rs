//! `symbolon backup` and `symbolon restore`.

use std::path::{Path, PathBuf};

use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_codec::time::rfc3339;
use symbolon_secret::Secret;
use symbolon_store::accounts::{KeyFileError, note_place, read_server_key};
use symbolon_store::backup::{BackupError, Taken, Target, back_up, restore};
use symbolon_store::{Accounts, DatabaseAddress, Home, LogDatabaseError};

use super::Ctx;
use crate::database::{Database, misplaced};
use crate::failure::Failure;
use crate::{home, out, runtime, secrets};

/// Write the whole home into one sealed file, while it is in use
///
/// Everything is in it: the state database and the accounts' database as of one moment each, the log up to its
/// last whole entry, the catalogue, the device key, the server's key. It is sealed under a passphrase, which is
/// asked for; without that passphrase nobody restores it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon backup home.backup
  symbolon backup home.backup --passphrase-from-stdin < PASSPHRASE-FILE
  symbolon backup team.backup --database postgres://symbolon@localhost/symbolon")]
pub struct Args {
    /// The new file
    file: PathBuf,
    #[command(flatten)]
    with: With,
}

/// Make a home out of a backup
///
/// The whole file is read and checked before anything is written, and what was written is checked as a home before it
/// is put into its place, which must be empty. Accounts go into the home's own database, or into an empty PostgreSQL
/// database, whichever they came from; and so does the log, into the home's folder or a database.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon restore home.backup --home NEW-FOLDER
  symbolon restore team.backup --home NEW-FOLDER --database postgres://symbolon@localhost/empty
  symbolon restore home.backup --home NEW-FOLDER --log-database-file log.url")]
pub struct Restore {
    /// The backup
    file: PathBuf,
    /// Keep the log in PostgreSQL: a file of mode 0600 with the database's URL, password and all [default: in the home]
    #[arg(long, value_name = "FILE")]
    log_database_file: Option<PathBuf>,
    #[command(flatten)]
    with: With,
}

#[derive(Debug, clap::Args)]
struct With {
    /// Read the passphrase from standard input
    #[arg(long)]
    passphrase_from_stdin: bool,
    #[command(flatten)]
    database: Database,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let address = self.with.database.of(&home)?;
        if self.file.exists() {
            let is = format!("{} exists already", self.file.display());
            return Err(Failure::refused("exists", is).next("another name for the new file"));
        }
        let passphrase = match self.with.passphrase_from_stdin {
            true => secrets::from_stdin("passphrase")?,
            false => secrets::ask_new_passphrase(
                "the same command with --passphrase-from-stdin < PASSPHRASE-FILE",
            )?,
        };
        secrets::check_passphrase(&passphrase)?;
        let telling = |what: &str| tell(ctx, "Backing up", what);
        let taken = runtime::single()?.block_on(async {
            let accounts = accounts(&home, address.as_ref()).await?;
            let ambient = (&SystemClock as _, &SystemRng as _);
            let taken =
                back_up(&home, accounts.as_ref(), &self.file, &passphrase, ambient, &telling).await;
            if let Some(accounts) = accounts {
                accounts.close().await;
            }
            taken
        });
        show(ctx, &self.file, &taken.map_err(|e| failure(ctx, &self.file, &e))?)
    }
}

fn tell(ctx: &Ctx, doing: &str, what: &str) {
    if !ctx.json {
        out::say(&format!("{doing}: {what}"));
    }
}

/// The accounts of a home, where it keeps some.
async fn accounts(
    home: &Home,
    address: Option<&DatabaseAddress>,
) -> Result<Option<Accounts>, BackupError> {
    if address.is_none() && !home.accounts().exists() {
        return Ok(None);
    }
    let key = read_server_key(&home.server_key())?;
    let accounts = match address {
        Some(address) => Accounts::open_postgres(address, key).await?,
        None => Accounts::open_sqlite(&home.accounts(), key).await?,
    };
    Ok(Some(accounts))
}

fn show(ctx: &Ctx, file: &Path, taken: &Taken) -> Result<(), Failure> {
    let file = file.display().to_string();
    if ctx.json {
        return out::json(&serde_json::json!({ "file": file, "backup": taken }));
    }
    let mut rows = vec![
        ("file", file.clone()),
        ("bytes", taken.bytes.to_string()),
        ("log entries", format!("{}, {} under a checkpoint", taken.entries, taken.covered)),
    ];
    if let Some(account_rows) = taken.account_rows {
        rows.push(("account rows", account_rows.to_string()));
    }
    out::pairs(&rows)?;
    out::say("Keep the passphrase apart from the file: both together are the whole home.");
    out::say_next(&format!("symbolon restore {file} --home NEW-FOLDER"));
    Ok(())
}

impl Restore {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let place = ctx.folder()?;
        home::check_free(&place).map_err(|refused| refused.next(next_restore(&self.file)))?;
        let address = self.with.database.address()?;
        let passphrase: Secret<[u8]> = match self.with.passphrase_from_stdin {
            true => secrets::from_stdin("passphrase")?,
            false => secrets::ask(
                "passphrase",
                "Passphrase of the backup (not shown): ",
                "the same command with --passphrase-from-stdin < PASSPHRASE-FILE",
            )?,
        };
        let telling = |what: &str| tell(ctx, "Restoring", what);
        let restored = runtime::single()?.block_on(restore(
            &self.file,
            &passphrase,
            &place,
            Target { accounts: address.as_ref(), log: self.log_database_file.as_deref() },
            &telling,
        ));
        let restored = restored.map_err(|e| failure(ctx, &self.file, &e))?;
        if let (Some(address), Some(_)) = (&address, restored.account_rows) {
            note_place(&ctx.existing()?, address).map_err(misplaced)?;
        }
        let home = place.display().to_string();
        if ctx.json {
            return out::json(&serde_json::json!({ "home": home, "restored": restored }));
        }
        let mut rows = vec![
            ("home", home.clone()),
            ("made", rfc3339(restored.created_unix_ms)),
            ("log entries", restored.entries.to_string()),
        ];
        if let Some(account_rows) = restored.account_rows {
            rows.push(("account rows", account_rows.to_string()));
        }
        out::pairs(&rows)?;
        out::say("What happened after that moment is not in it: end what you ended since.");
        out::say_next(&format!("symbolon unlock --home {home}"));
        Ok(())
    }
}

fn next_restore(file: &Path) -> String {
    format!("symbolon restore {} --home NEW-FOLDER", file.display())
}

/// What is wrong with the file or the passphrase is a refusal; the rest is the machine's fault.
fn failure(ctx: &Ctx, file: &Path, error: &BackupError) -> Failure {
    let said = error.to_string();
    if let Some(fault) = of_log_database(error) {
        return Failure::environment("log_database", said).next(fault.next());
    }
    match error {
        BackupError::Format | BackupError::Content(_) => {
            Failure::refused("not_a_backup", said).next("the file that `symbolon backup` wrote")
        }
        BackupError::Passphrase => {
            Failure::refused("wrong_passphrase", said).next(next_restore(file))
        }
        BackupError::Damaged { .. } => {
            Failure::refused("backup_damaged", said).next("another copy of the backup")
        }
        BackupError::NotEmpty(_) => Failure::refused("not_empty", said).next(next_restore(file)),
        BackupError::Key(KeyFileError::Missing { .. }) | BackupError::NoServerKey => {
            Failure::refused("no_server_key", said)
                .next("the server.key that the accounts' database was made with, in the home")
        }
        BackupError::LogShort { .. } | BackupError::Log(_) | BackupError::Operator(_) => {
            Failure::refused("log", said).next("symbolon audit verify")
        }
        _ => {
            let home = ctx.home.as_ref().map(|h| format!(" --home {}", h.display()));
            let status = format!("symbolon status{}", home.unwrap_or_default());
            Failure::environment("backup", said).next(status)
        }
    }
}

/// The log's database, where it was that.
fn of_log_database(error: &BackupError) -> Option<&LogDatabaseError> {
    match error {
        BackupError::LogDatabase(fault) => Some(fault),
        BackupError::Io { source, .. } => LogDatabaseError::within(source),
        _ => None,
    }
}
