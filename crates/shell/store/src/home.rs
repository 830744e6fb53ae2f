//! The home: the folder that everything lives in, for its owner alone.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::folder::{make_folder, replace_file};

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// Neither `SYMBOLON_HOME` nor `XDG_DATA_HOME` nor `HOME` is set to an absolute path.
    #[error("no home folder: SYMBOLON_HOME, XDG_DATA_HOME and HOME are not set to absolute paths")]
    Nowhere,
    /// There is no home there yet.
    #[error("there is no home at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Others than the owner could read or write.
    #[error("{} can be reached by other users (mode {mode:04o})", path.display())]
    TooOpen {
        /// The first file or folder that is.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The command that puts all of them right.
        command: String,
    },
    /// Another user owns it.
    #[error("{} belongs to user {found}, and this is user {expected}", path.display())]
    Owner {
        /// The file or folder.
        path: PathBuf,
        /// Its owner's id.
        found: u32,
        /// Our id.
        expected: u32,
    },
    /// A link, or a folder where a file should be.
    #[error("{} is not what belongs there: {what}", path.display())]
    Kind {
        /// Its path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Another process has the home.
    #[error("the home is in use by {}", match pid { Some(p) => format!("process {p}"), None => "another process".into() })]
    Locked {
        /// That process, where it said so.
        pid: Option<u32>,
    },
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl HomeError {
    /// What to do next: an exact command where there is one.
    pub fn next_step(&self) -> Option<String> {
        match self {
            Self::Nowhere => Some("export SYMBOLON_HOME=\"$HOME/.symbolon\"".into()),
            Self::Missing { .. } => Some("symbolon init".into()),
            Self::TooOpen { command, .. } => Some(command.clone()),
            Self::Owner { path, expected, .. } => {
                Some(format!("sudo chown -R {expected} {}", quote(path)))
            }
            Self::Locked { .. } => Some("symbolon status".into()),
            _ => None,
        }
    }

    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// The folder with a vault, its log and its broker's socket. Mode 0700, files 0600.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
}

impl Home {
    /// Where the home is: `$SYMBOLON_HOME`, else `$XDG_DATA_HOME/symbolon`, else
    /// `~/.local/share/symbolon`. Relative paths are passed over, as the XDG specification says.
    ///
    /// # Errors
    /// [`HomeError::Nowhere`].
    pub fn locate() -> Result<PathBuf, HomeError> {
        Self::locate_with(|name| env::var_os(name))
    }

    /// As [`Home::locate`], in this environment.
    ///
    /// # Errors
    /// [`HomeError::Nowhere`].
    pub fn locate_with(var: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, HomeError> {
        let absolute = |name| var(name).map(PathBuf::from).filter(|p| p.is_absolute());
        absolute("SYMBOLON_HOME")
            .or_else(|| absolute("XDG_DATA_HOME").map(|p| p.join("symbolon")))
            .or_else(|| absolute("HOME").map(|p| p.join(".local/share/symbolon")))
            .ok_or(HomeError::Nowhere)
    }

    /// Makes the home's folders where they are missing, and checks them.
    ///
    /// # Errors
    /// As [`Home::open`].
    pub fn create(path: &Path) -> Result<Self, HomeError> {
        let home = Self { path: path.to_owned() };
        for folder in [home.path.clone(), home.log(), home.run()] {
            make_folder(&folder).map_err(HomeError::io(&folder))?;
        }
        home.check()?;
        Ok(home)
    }

    /// A home that exists, every file and folder of it checked.
    ///
    /// # Errors
    /// [`HomeError::Missing`], [`HomeError::TooOpen`] with the exact `chmod`,
    /// [`HomeError::Owner`], [`HomeError::Kind`] or [`HomeError::Io`].
    pub fn open(path: &Path) -> Result<Self, HomeError> {
        let home = Self { path: path.to_owned() };
        if !path.exists() {
            return Err(HomeError::Missing { path: path.to_owned() });
        }
        home.check()?;
        for folder in [home.log(), home.run()] {
            make_folder(&folder).map_err(HomeError::io(&folder))?;
        }
        Ok(home)
    }

    /// Checks owner and mode of the home, of what is in it, in `log` and its shards, `run`, `catalog`, `flows` and `audit`. What is deeper
    /// (tiles) cannot be reached past a folder of mode 0700.
    ///
    /// # Errors
    /// As [`Home::open`].
    pub fn check(&self) -> Result<(), HomeError> {
        let mut found = vec![(self.path.clone(), metadata(&self.path, true)?)];
        for folder in [
            self.path.clone(),
            self.log(),
            self.log().join("shard"),
            self.run(),
            self.catalog(),
            self.flows(),
            self.audit(),
            self.anchors(),
        ] {
            if folder.is_dir() {
                list(&folder, &mut found)?;
            }
        }
        let us = rustix::process::geteuid().as_raw();
        let mut open: Vec<(&Path, u32, bool)> = Vec::new();
        for (path, meta) in &found {
            if meta.uid() != us {
                let path = path.clone();
                return Err(HomeError::Owner { path, found: meta.uid(), expected: us });
            }
            if meta.is_symlink() {
                return Err(HomeError::Kind { path: path.clone(), what: "a symbolic link" });
            }
            let mode = meta.mode() & 0o7777;
            if mode & 0o077 != 0 {
                open.push((path, mode, meta.is_dir()));
            }
        }
        match open.first() {
            None => Ok(()),
            Some((path, mode, _)) => Err(HomeError::TooOpen {
                path: path.to_path_buf(),
                mode: *mode,
                command: chmod(&open),
            }),
        }
    }

    /// Takes the home for this process, until the lock is dropped or the process ends.
    ///
    /// # Errors
    /// [`HomeError::Locked`] with the holder's process id.
    pub fn lock(&self) -> Result<HomeLock, HomeError> {
        let path = self.run().join("broker.lock");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(HomeError::io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(HomeError::Locked { pid: holder(file) }),
            Err(TryLockError::Error(source)) => return Err(HomeError::Io { path, source }),
        }
        let write = || {
            file.set_len(0)?;
            (&file).rewind()?;
            writeln!(&file, "{}", std::process::id())
        };
        write().map_err(HomeError::io(&path))?;
        Ok(HomeLock { _file: file })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `home.json`: format version, vault id, creation time.
    pub fn manifest(&self) -> PathBuf {
        self.path.join("home.json")
    }

    /// `state.db`: the database.
    pub fn database(&self) -> PathBuf {
        self.path.join("state.db")
    }

    /// `accounts.db`: what a server keeps of accounts, where it keeps it here.
    pub fn accounts(&self) -> PathBuf {
        self.path.join("accounts.db")
    }

    /// `accounts.place`: in which other database the accounts are, where they are in one.
    pub fn accounts_place(&self) -> PathBuf {
        self.path.join("accounts.place")
    }

    /// `server.key`: the key that the accounts' rows are tagged with.
    pub fn server_key(&self) -> PathBuf {
        self.path.join("server.key")
    }

    /// `device.key`: this device's share, where the home has that custody method.
    pub fn device_key(&self) -> PathBuf {
        self.path.join("device.key")
    }

    /// `operator.pub`: the operator's verification key as text.
    pub fn operator_pub(&self) -> PathBuf {
        self.path.join("operator.pub")
    }

    /// `operator.revocation`: the operator's word that this key is believed no more. Absent until it is said.
    pub fn operator_revocation(&self) -> PathBuf {
        self.path.join("operator.revocation")
    }

    /// `operator.succession`: the keys that the operator had, each with its handover to the next. Absent until there is one.
    pub fn operator_succession(&self) -> PathBuf {
        self.path.join("operator.succession")
    }

    /// `operator.rotation`: a handover to another key that was decided, and is not finished. Absent but for that moment.
    pub fn operator_rotation(&self) -> PathBuf {
        self.path.join("operator.rotation")
    }

    /// `log/`: the log's folder.
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// `log.database`: in which database the log is, where it is in one; the URL, maybe with a password.
    pub fn log_database(&self) -> PathBuf {
        self.path.join("log.database")
    }

    /// `witnesses.json`: the witnesses that are asked to cosign the log. Absent until there is one.
    pub fn witnesses(&self) -> PathBuf {
        self.path.join("witnesses.json")
    }

    /// `trust`: what is known of operators. Absent until there is something.
    pub fn trust(&self) -> PathBuf {
        self.path.join("trust")
    }

    /// `catalog/`: catalogue files of the owner's own, `<service>.toml`, and imported ones,
    /// `<service>.json`. Absent until there is one.
    pub fn catalog(&self) -> PathBuf {
        self.path.join("catalog")
    }

    /// `flows/`: definitions that an import wrote. Absent until there is one.
    pub fn flows(&self) -> PathBuf {
        self.path.join("flows")
    }

    /// `audit/`: the log as files that can be searched. Absent until there is one.
    pub fn audit(&self) -> PathBuf {
        self.path.join("audit")
    }

    /// `anchors/`: checkpoints of the log with proofs of when they were. Absent until there is one.
    pub fn anchors(&self) -> PathBuf {
        self.path.join("anchors")
    }

    /// Puts a file among the anchors, whole or not at all, also over a crash.
    ///
    /// # Errors
    /// [`HomeError::Io`]; the file of before is untouched then.
    pub fn put_anchor(&self, name: &str, bytes: &[u8]) -> Result<(), HomeError> {
        let folder = self.anchors();
        make_folder(&folder).map_err(HomeError::io(&folder))?;
        let path = folder.join(name);
        replace_file(&path, bytes).map_err(HomeError::io(&path))
    }

    /// Puts an imported catalogue file into place, whole or not at all, also over a crash.
    ///
    /// # Errors
    /// [`HomeError::Io`]; the file of before is untouched then.
    pub fn put_imported(&self, service: &str, text: &str) -> Result<(), HomeError> {
        let folder = self.catalog();
        make_folder(&folder).map_err(HomeError::io(&folder))?;
        let path = self.imported(service);
        replace_file(&path, text.as_bytes()).map_err(HomeError::io(&path))
    }

    /// Where the imported catalogue file of a service is. The id is a plain word.
    pub fn imported(&self, service: &str) -> PathBuf {
        self.catalog().join(format!("{service}.json"))
    }

    /// `run/`: what lives while a broker does.
    pub fn run(&self) -> PathBuf {
        self.path.join("run")
    }

    /// `run/broker.sock`: the broker's socket.
    pub fn socket(&self) -> PathBuf {
        self.run().join("broker.sock")
    }

    /// `run/broker.log`: what a detached broker says.
    pub fn broker_log(&self) -> PathBuf {
        self.run().join("broker.log")
    }
}

/// Holds the home for this process.
#[derive(Debug)]
pub struct HomeLock {
    _file: File,
}

/// The process that wrote its id into the lock file.
fn holder(file: File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn metadata(path: &Path, follow: bool) -> Result<Metadata, HomeError> {
    let meta = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
    let meta = meta.map_err(HomeError::io(path))?;
    if follow && !meta.is_dir() {
        return Err(HomeError::Kind { path: path.to_owned(), what: "not a folder" });
    }
    Ok(meta)
}

fn list(folder: &Path, found: &mut Vec<(PathBuf, Metadata)>) -> Result<(), HomeError> {
    for entry in fs::read_dir(folder).map_err(HomeError::io(folder))? {
        let path = entry.map_err(HomeError::io(folder))?.path();
        match metadata(&path, false) {
            Ok(meta) => found.push((path, meta)),
            // A journal or temporary file of a running broker comes and goes.
            Err(HomeError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// One command for all of them; beyond a handful, one that finds them itself.
fn chmod(open: &[(&Path, u32, bool)]) -> String {
    let of = |folders: bool, mode: &str| {
        let paths: Vec<_> = open.iter().filter(|o| o.2 == folders).map(|o| quote(o.0)).collect();
        (!paths.is_empty()).then(|| format!("chmod {mode} {}", paths.join(" ")))
    };
    let commands: Vec<_> = of(true, "700").into_iter().chain(of(false, "600")).collect();
    commands.join(" && ")
}

/// A path as a shell takes it.
fn quote(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
