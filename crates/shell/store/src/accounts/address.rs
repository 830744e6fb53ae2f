//! Where a PostgreSQL database is: a URL, which may hold a password.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// A PostgreSQL database. `Debug` and `Display` leave out what may be secret.
#[derive(Clone)]
pub struct DatabaseAddress {
    options: PgConnectOptions,
    shown: String,
}

/// Why an address is refused. No message repeats it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is no `postgres://` URL.
    #[error("the database's address is not a URL of the form postgres://USER@HOST/DATABASE")]
    Form,
    /// It was given where every user of the machine reads it, with a password in it.
    #[error("a password on the command line can be read by every user of this machine")]
    PasswordInArgument,
    /// A password stands in the environment, which other processes of this user read.
    #[error("PGPASSWORD holds a password in the environment, where other processes can read it")]
    PasswordInEnvironment,
    /// The file with it can be read by others.
    #[error("the file with the database's address can be read by others: mode {mode:04o}")]
    TooOpen {
        /// The file's mode.
        mode: u32,
    },
    /// It cannot be read.
    #[error("the database's address cannot be read: {0}")]
    Unread(String),
    /// It goes over a network where anybody could stand in for the server.
    #[error("the database is on another machine, and nothing says that its certificate is checked")]
    Unverified,
}

impl AddressError {
    /// What to do next.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Form => "symbolon serve --database postgres://symbolon@localhost/symbolon",
            Self::PasswordInArgument => {
                "put the URL into a file of mode 0600 and give it as --database-file FILE"
            }
            Self::PasswordInEnvironment => {
                "unset PGPASSWORD, and put HOST:PORT:DATABASE:USER:PASSWORD into ~/.pgpass, mode 0600"
            }
            Self::TooOpen { .. } => "chmod 600 FILE",
            Self::Unread(_) => "--database-file FILE",
            Self::Unverified => "add ?sslmode=verify-full&sslrootcert=FILE to the URL",
        }
    }
}

/// Bytes of the longest address.
const ADDRESS_BYTES_MAX: u64 = 4096;

impl DatabaseAddress {
    /// From a file or from settings, where a password may stand. Where none does it comes from the
    /// user's `~/.pgpass` (or `PGPASSFILE`), if that is of mode 0600.
    ///
    /// # Errors
    /// [`AddressError::Form`], [`AddressError::PasswordInEnvironment`] or [`AddressError::Unverified`].
    pub fn parse(url: &str) -> Result<Self, AddressError> {
        let url = url.trim();
        let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
        let rest = rest.ok_or(AddressError::Form)?;
        if std::env::var_os("PGPASSWORD").is_some_and(|it| !it.is_empty()) {
            return Err(AddressError::PasswordInEnvironment);
        }
        let options = PgConnectOptions::from_str(url).map_err(|_| AddressError::Form)?;
        let options = verified(options, rest)?;
        let shown = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        let database = options.get_database().unwrap_or("its default");
        let shown = format!("postgres at {shown}, database {database}");
        Ok(Self { options, shown })
    }

    /// From the command line, where a password may not stand.
    ///
    /// # Errors
    /// As [`DatabaseAddress::parse`], or [`AddressError::PasswordInArgument`].
    pub fn from_argument(url: &str) -> Result<Self, AddressError> {
        if has_password(url) {
            return Err(AddressError::PasswordInArgument);
        }
        Self::parse(url)
    }

    /// From a file of mode 0600.
    ///
    /// # Errors
    /// As [`DatabaseAddress::parse`], or [`AddressError::TooOpen`] or [`AddressError::Unread`].
    pub fn from_file(path: &Path) -> Result<Self, AddressError> {
        let unread = |e: std::io::Error| AddressError::Unread(e.to_string());
        let file = File::open(path).map_err(unread)?;
        let mode = file.metadata().map_err(unread)?.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(AddressError::TooOpen { mode });
        }
        Self::from_reader(file)
    }

    /// From standard input, or whatever else is read.
    ///
    /// # Errors
    /// As [`DatabaseAddress::parse`], or [`AddressError::Unread`].
    pub fn from_reader(reader: impl Read) -> Result<Self, AddressError> {
        let mut url = String::new();
        let read = reader.take(ADDRESS_BYTES_MAX).read_to_string(&mut url);
        read.map_err(|e| AddressError::Unread(e.to_string()))?;
        Self::parse(&url)
    }

    /// Whether a word of the command line is an address of a database, rather than a file.
    pub fn is_one(word: &str) -> bool {
        word.starts_with("postgres://") || word.starts_with("postgresql://")
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// A socket or this machine as it is; another machine only where its certificate is checked,
/// which is what happens where the URL says nothing.
fn verified(options: PgConnectOptions, rest: &str) -> Result<PgConnectOptions, AddressError> {
    let host = options.get_host();
    let ours = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if options.get_socket().is_some() || host.starts_with('/') || ours {
        return Ok(options);
    }
    let says = query(rest).any(|(key, _)| key == "sslmode" || key == "ssl-mode");
    match options.get_ssl_mode() {
        PgSslMode::VerifyCa | PgSslMode::VerifyFull => Ok(options),
        _ if says => Err(AddressError::Unverified),
        _ => Ok(options.ssl_mode(PgSslMode::VerifyFull)),
    }
}

/// The pairs behind the question mark.
fn query(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Whether a password stands before the host, or among the pairs. Looks at the text alone, so that
/// a URL that does not parse is refused for its password too.
fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || query(rest).any(|(key, _)| key.to_ascii_lowercase().contains("password"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_refused_on_the_command_line_and_shown_nowhere() {
        for url in [
            "postgres://u:geheim@localhost/d",
            "postgres://u@localhost/d?password=geheim",
            "postgresql://u:geheim@[::1]:5432/d",
            "mysql://u:geheim@h/d",
        ] {
            let refused = DatabaseAddress::from_argument(url).unwrap_err();
            assert_eq!(refused, AddressError::PasswordInArgument, "{url}");
        }
        let address = DatabaseAddress::parse("postgres://u:geheim@localhost/d").unwrap();
        assert_eq!(format!("{address} {address:?}").matches("geheim").count(), 0);
        assert_eq!(address.to_string(), "postgres at localhost:5432, database d");
        DatabaseAddress::from_argument("postgres://u@localhost/d").unwrap();
    }

    #[test]
    fn another_machine_shows_its_certificate() {
        let mode = |url: &str| DatabaseAddress::parse(url).map(|a| a.options.get_ssl_mode());
        assert!(matches!(mode("postgres://u@db.test/d"), Ok(PgSslMode::VerifyFull)));
        for weak in ["disable", "allow", "prefer", "require"] {
            let url = format!("postgres://u@db.test/d?sslmode={weak}");
            assert_eq!(mode(&url).unwrap_err(), AddressError::Unverified);
        }
        assert!(matches!(mode("postgres://u@127.0.0.1/d?sslmode=disable"), Ok(PgSslMode::Disable)));
        mode("postgres:///d?host=/run/postgresql").unwrap();
        assert_eq!(mode("sqlite://x").unwrap_err(), AddressError::Form);
        assert_eq!(mode("postgres://u@h:notaport/d").unwrap_err(), AddressError::Form);
    }

    #[test]
    fn a_file_that_others_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::fs::write(&path, "postgres://u:geheim@localhost/d\n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
        mode(0o644).unwrap();
        let refused = DatabaseAddress::from_file(&path).unwrap_err();
        assert_eq!(refused, AddressError::TooOpen { mode: 0o644 });
        mode(0o600).unwrap();
        DatabaseAddress::from_file(&path).unwrap();
    }
}
