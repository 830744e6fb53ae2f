//! `symbolon doctor`

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::json;
use symbolon_account::{AccountError, AccountStore};
use symbolon_secret::Protection;
use symbolon_server::control::Op;
use symbolon_server::http::{self, Tls};
use symbolon_store::accounts::{Accounts, KeyFileError, read_server_key};
use symbolon_store::{Home, HomeError, LogDatabaseError, LogPlace, Manifest};

use super::{Ctx, accounts};
use crate::database::Database;
use crate::failure::Failure;
use crate::{daemon, out, runtime};

/// Say what is wrong with this machine's setup, and the command that mends it
///
/// Changes nothing. With the flags of `symbolon serve` it judges what that would do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon doctor
  symbolon doctor --json
  symbolon doctor --database postgres://symbolon@localhost/symbolon
  symbolon doctor --listen 0.0.0.0:7443 --tls-cert cert.pem --tls-key key.pem --origin https://vault.example")]
pub struct Args {
    /// Address and port that a server would listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// Certificate chain in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Where people would reach the accounts' page
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    #[command(flatten)]
    database: Database,
}

/// How one thing is.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Good,
    /// Works, and could be better.
    Weak,
    /// Does not work.
    Bad,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<ExitCode, Failure> {
        let folder = ctx.folder()?;
        let mut findings = vec![memory(), limits(), clock(&folder)];
        match Home::open(&folder) {
            Err(error) => findings.push(bad_home(&error)),
            Ok(home) => {
                findings.push(good("home", format!("{}, closed to others", folder.display())));
                findings.push(manifest(&home));
                findings.push(database(&home));
                findings.push(log(&home));
                findings.push(broker(&home));
                findings.extend(self.kept(&home)?);
            }
        }
        findings.push(self.port());
        findings.push(self.tls());
        findings.push(self.origin());
        self.tell(ctx, &findings)
    }

    fn tell(&self, ctx: &Ctx, findings: &[Finding]) -> Result<ExitCode, Failure> {
        let is_well = findings.iter().all(|one| one.state != State::Bad);
        if ctx.json {
            out::json(&json!({ "well": is_well, "findings": findings }))?;
        } else {
            for Finding { what, state, says, next } in findings {
                let mark = match state {
                    State::Good => "good",
                    State::Weak => "weak",
                    State::Bad => "BAD ",
                };
                out::text(&format!("{mark}  {what:<9} {}\n", out::plain(says)))?;
                if let Some(next) = next {
                    out::text(&format!("      {:<9} {}\n", "", out::plain(next)))?;
                }
            }
        }
        Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Every row of the accounts' database is read: tags, chains, references.
    fn kept(&self, home: &Home) -> Result<Option<Finding>, Failure> {
        let address = match self.database.of(home) {
            Ok(address) => address,
            Err(failure) => {
                let next = failure.next.clone().unwrap_or_default();
                return Ok(Some(bad("accounts", failure.message.clone(), next)));
            }
        };
        let path = home.accounts();
        if address.is_none() && !path.exists() {
            return Ok(None);
        }
        let key = match read_server_key(&home.server_key()) {
            Ok(key) => key,
            // A database that nobody served from here yet.
            Err(KeyFileError::Missing { .. })
                if !home.accounts_place().exists() && !path.exists() =>
            {
                let next = "symbolon serve --accounts, with the same database";
                return Ok(Some(weak("accounts", "this home has no server.key yet", next)));
            }
            Err(error) => return Ok(Some(bad("accounts", error.to_string(), RESTORE_BOTH))),
        };
        let checked = runtime::single()?.block_on(async {
            let store = match &address {
                Some(address) => Accounts::open_postgres(address, key).await?,
                None => Accounts::open_sqlite(&path, key).await?,
            };
            let checked = store.check().await;
            store.close().await;
            checked
        });
        let place = address.as_ref().map(|address| format!(", in {address}"));
        Ok(Some(match (checked, address) {
            (Ok(checked), _) => {
                let (accounts, rows) = (checked.accounts, checked.rows);
                let place = place.unwrap_or_default();
                good("accounts", format!("{accounts} in {rows} rows{place}, all whole"))
            }
            (Err(error), None) => bad("accounts", error.to_string(), RESTORE_BOTH),
            (Err(error @ AccountError::Damaged(_)), Some(_)) => {
                bad("accounts", error.to_string(), RESTORE_POSTGRES)
            }
            (Err(error @ AccountError::NotDurable(_)), Some(_)) => {
                bad("accounts", error.to_string(), "fsync = on, in postgresql.conf")
            }
            (Err(error), Some(address)) => {
                bad("accounts", format!("{address}: {error}"), "psql, with the same address")
            }
        }))
    }

    fn port(&self) -> Finding {
        match TcpListener::bind(self.listen) {
            Ok(_) => good("port", format!("{} is free", self.listen)),
            Err(error) => bad(
                "port",
                format!("nobody can listen on {} now: {error}", self.listen),
                format!("symbolon serve --listen {}:0", self.listen.ip()),
            ),
        }
    }

    fn tls(&self) -> Finding {
        let Some((cert, key)) = self.tls_cert.clone().zip(self.tls_key.clone()) else {
            return match self.listen.ip().is_loopback() {
                true => good("TLS", "not needed on loopback"),
                false => bad(
                    "TLS",
                    format!(
                        "{} is not a loopback address, and there is no certificate",
                        self.listen
                    ),
                    format!(
                        "symbolon serve --listen {} --tls-cert cert.pem --tls-key key.pem",
                        self.listen
                    ),
                ),
            };
        };
        match http::check_tls(&Tls { cert, key }) {
            Ok(()) => good("TLS", "certificate and key go together"),
            Err(error) => bad("TLS", error.to_string(), error.next()),
        }
    }

    fn origin(&self) -> Finding {
        match accounts::origin(self.origin.as_deref(), self.listen, self.tls_cert.is_some()) {
            Ok(origin) => good("origin", format!("accounts at {}", origin.as_str())),
            Err(failure) => {
                bad("origin", failure.message.clone(), failure.next.clone().unwrap_or_default())
            }
        }
    }
}

fn memory() -> Finding {
    match symbolon_secret::protection() {
        Protection::MemfdSecret => good("memory", "secrets are unreadable (memfd_secret)"),
        weaker => weak(
            "memory",
            format!("secrets are in memory that is {weaker}"),
            "boot the kernel with secretmem.enable=1",
        ),
    }
}

fn limits() -> Finding {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Memlock);
    match limit.current {
        Some(bytes) if bytes < MEMLOCK_BYTES_MIN => weak(
            "limits",
            format!("{} KiB of memory may be locked, which is little", bytes / 1024),
            "ulimit -l 65536, or LimitMEMLOCK=64M in the service's unit",
        ),
        _ => good("limits", "enough memory may be locked"),
    }
}

/// A clock that is behind what is in the home makes sessions, grants and signed requests wrong.
fn clock(folder: &Path) -> Finding {
    let now = SystemTime::now();
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let written = files.filter_map(|file| file.metadata().ok()?.modified().ok()).max();
    let ahead = written.and_then(|written| written.duration_since(now).ok());
    let mend = "sudo timedatectl set-ntp true";
    if now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()) < BUILT_AFTER_UNIX_SECONDS
    {
        return bad("clock", "it is behind this program's own making", mend);
    }
    match ahead {
        Some(ahead) if ahead.as_secs() > CLOCK_SECONDS_MAX => {
            bad("clock", format!("the home was written {} s in the future", ahead.as_secs()), mend)
        }
        _ => good("clock", "not behind what is in the home"),
    }
}

fn bad_home(error: &HomeError) -> Finding {
    let next = error.next_step().unwrap_or_else(|| "symbolon init".to_owned());
    bad("home", error.to_string(), next)
}

fn manifest(home: &Home) -> Finding {
    match Manifest::read(home) {
        Ok(_) => good("manifest", "of a version that is known here"),
        Err(error) => {
            bad("manifest", error.to_string(), "put home.json back from a backup of this home")
        }
    }
}

/// Looks at the file alone: whether what is in it opens is the broker's business, which locks it.
fn database(home: &Home) -> Finding {
    let path = home.database();
    let mut head = [0; 16];
    let read = std::fs::File::open(&path)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut head));
    match read {
        Ok(()) if head == *SQLITE => good("database", "SQLite, readable"),
        Ok(()) => bad("database", format!("{} is no database", path.display()), RESTORE),
        Err(error) => bad("database", format!("{}: {error}", path.display()), RESTORE),
    }
}

/// Whether the log can be reached where it is; whether it is whole, its opening says.
fn log(home: &Home) -> Finding {
    let place = match LogPlace::of(home) {
        Ok(place) => place,
        Err(error) => return bad("log", error.to_string(), error.next()),
    };
    match symbolon_store::newest_checkpoint(home) {
        Ok(Some(_)) => good("log", format!("in {place}, with a checkpoint")),
        Ok(None) => good("log", format!("in {place}, without a checkpoint yet")),
        Err(error) => {
            let next = LogDatabaseError::within(&error).map_or(RESTORE_LOG, LogDatabaseError::next);
            bad("log", error.to_string(), next)
        }
    }
}

fn broker(home: &Home) -> Finding {
    match daemon::ask_running::<serde_json::Value>(home, &Op::Status {}) {
        Ok(None) => good("broker", "not running; the next command starts it"),
        Ok(Some(is)) if is["unlocked"] == true => good("broker", "running, unlocked"),
        Ok(Some(_)) => weak("broker", "running, and the vault is locked", "symbolon unlock"),
        Err(failure) => {
            bad("broker", failure.message.clone(), failure.next.unwrap_or_else(|| STOP.to_owned()))
        }
    }
}

fn good(what: &'static str, says: impl Into<String>) -> Finding {
    Finding { what, state: State::Good, says: says.into(), next: None }
}

fn weak(what: &'static str, says: impl Into<String>, next: impl Into<String>) -> Finding {
    Finding { what, state: State::Weak, says: says.into(), next: Some(next.into()) }
}

fn bad(what: &'static str, says: impl Into<String>, next: impl Into<String>) -> Finding {
    Finding { what, state: State::Bad, says: says.into(), next: Some(next.into()) }
}

const SQLITE: &[u8; 16] = b"SQLite format 3\0";
const STOP: &str = "symbolon lock --stop";
const RESTORE_LOG: &str = "put operator.pub and the folder log back from a backup of this home";
const RESTORE: &str = "put state.db back from a backup of this home";
const RESTORE_BOTH: &str = "put accounts.db and server.key back, both from one backup";
const RESTORE_POSTGRES: &str =
    "the database from pg_dump and server.key put back, both of one time; or symbolon restore";
/// Secret pages, the secret stack and a window each.
const MEMLOCK_BYTES_MIN: u64 = 8 << 20;
/// 2026-01-01.
const BUILT_AFTER_UNIX_SECONDS: u64 = 1_767_225_600;
/// What two clocks of one machine may differ by.
const CLOCK_SECONDS_MAX: u64 = 60;
