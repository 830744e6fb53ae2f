//! A PostgreSQL server of one's own in a folder, for tests and measurements: from the machine's
//! package, on a socket in that folder alone, ended with the process that began it.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::address::DatabaseAddress;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnPostgresError {
    /// The machine has no PostgreSQL.
    #[error("no PostgreSQL server is installed; `sudo apt-get install postgresql` brings one")]
    NotInstalled,
    /// PostgreSQL refuses to run as root, and there is no user to run it as.
    #[error("PostgreSQL does not run as root, and this machine has no user `postgres`")]
    NoUser,
    /// A program of PostgreSQL failed.
    #[error("{program} failed: {said}")]
    Failed {
        /// Which.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// It did not answer in time.
    #[error("the PostgreSQL server did not answer within {START_SECONDS_MAX} seconds: {said}")]
    Silent {
        /// The end of its log.
        said: String,
    },
    /// Anything else.
    #[error("{0}")]
    Io(#[from] io::Error),
}

const START_SECONDS_MAX: u64 = 60;

/// A server that is running.
#[derive(Debug)]
pub struct OwnPostgres {
    programs: PathBuf,
    folder: PathBuf,
    user: Option<(u32, u32)>,
    shell: Child,
}

/// Ends the server when its standard input does, which is when its parent did.
const KEEPER: &str = r#""$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=200 &
server=$!
cat >/dev/null
kill -INT $server 2>/dev/null
wait $server
[ "$3" = remove ] && rm -rf "$2""#;

/// What becomes of the folder when the server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Afterwards {
    /// It stays, and a server that is started over it goes on with it.
    Keep,
    /// It goes.
    Remove,
}

impl OwnPostgres {
    /// Starts a server over `folder`, which is made where it is missing; what an earlier one kept
    /// there is there again. The path must be short: it holds a socket.
    ///
    /// # Errors
    /// [`OwnPostgresError`].
    pub fn start(folder: &Path, afterwards: Afterwards) -> Result<Self, OwnPostgresError> {
        let programs = programs().ok_or(OwnPostgresError::NotInstalled)?;
        let user = user()?;
        if !folder.exists() {
            fs::DirBuilder::new().mode(0o700).create(folder)?;
        }
        if let Some((uid, gid)) = user {
            chown(folder, Some(uid), Some(gid))?;
        }
        if !folder.join("data").exists() {
            let mut initdb = as_user(Command::new(programs.join("initdb")), user);
            let words = ["--auth=trust", "--username=symbolon", "--encoding=UTF8", "--no-locale"];
            finish(
                "initdb",
                initdb.args(words).arg("--no-sync").arg("-D").arg(folder.join("data")),
            )?;
        }
        let log = File::options().create(true).append(true).open(folder.join("server.log"))?;
        let mut shell = as_user(Command::new("sh"), user);
        shell.args(["-c", KEEPER, "postgres"]).arg(&programs).arg(folder);
        shell.arg(if afterwards == Afterwards::Remove { "remove" } else { "keep" });
        shell.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        let server = Self { shell: shell.spawn()?, programs, folder: folder.to_owned(), user };
        server.wait()?;
        Ok(server)
    }

    /// Makes an empty database and gives its address.
    ///
    /// # Errors
    /// [`OwnPostgresError::Failed`].
    pub fn make_database(&self, name: &str) -> Result<DatabaseAddress, OwnPostgresError> {
        finish("createdb", self.program("createdb").arg(name))?;
        let address = DatabaseAddress::parse(&self.url(name));
        address.map_err(|e| OwnPostgresError::Failed { program: "createdb", said: e.to_string() })
    }

    /// The address of a database as text; there is no password in it.
    pub fn url(&self, name: &str) -> String {
        let socket = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://symbolon@{socket}/{name}")
    }

    /// Where it keeps everything.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program of the same PostgreSQL, as its own user, for this server.
    pub(super) fn program(&self, name: &str) -> Command {
        let mut command = as_user(Command::new(self.programs.join(name)), self.user);
        command.args(["-U", "symbolon", "-h"]).arg(&self.folder).stdin(Stdio::null());
        command
    }

    /// Ends it at once, as a power cut would: nothing is written that was not on disk.
    ///
    /// # Errors
    /// [`OwnPostgresError::Io`].
    pub fn crash(mut self) -> Result<(), OwnPostgresError> {
        let file = self.folder.join("data/postmaster.pid");
        let first = fs::read_to_string(&file)?.lines().next().map(str::parse);
        let pid = first.and_then(Result::ok).and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::other("no process id in postmaster.pid"))?;
        kill_process(pid, Signal::QUIT).map_err(io::Error::from)?;
        drop(self.shell.stdin.take());
        self.shell.wait()?;
        Ok(())
    }

    fn wait(&self) -> Result<(), OwnPostgresError> {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(START_SECONDS_MAX) {
            let mut ready = Command::new(self.programs.join("pg_isready"));
            if ready.arg("-q").arg("-h").arg(&self.folder).status()?.success() {
                return Ok(());
            }
            sleep(Duration::from_millis(50));
        }
        let said = fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        let end = said.lines().rev().take(3).collect::<Vec<_>>().join(" / ");
        Err(OwnPostgresError::Silent { said: end })
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // What cannot be waited for is gone.
        let _ = self.shell.wait();
    }
}

/// The folder of the newest PostgreSQL's programs.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let version = |p: &PathBuf| p.file_name()?.to_str()?.parse::<u32>().ok();
    let all = versions.filter_map(Result::ok).map(|e| e.path());
    let newest = all.filter(|p| p.join("bin/initdb").is_file()).max_by_key(version)?;
    Some(newest.join("bin"))
}

/// Whom to run it as, where we are root.
fn user() -> Result<Option<(u32, u32)>, OwnPostgresError> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|l| l.starts_with("postgres:"));
    let mut fields = line.ok_or(OwnPostgresError::NoUser)?.split(':').skip(2);
    let mut id = || fields.next()?.parse().ok();
    let ids = id().zip(id()).ok_or(OwnPostgresError::NoUser)?;
    Ok(Some(ids))
}

fn as_user(mut command: Command, user: Option<(u32, u32)>) -> Command {
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    // It may not be allowed to read where we are.
    command.current_dir("/");
    command
}

fn finish(program: &'static str, command: &mut Command) -> Result<(), OwnPostgresError> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(OwnPostgresError::Failed { program, said })
}
