//! Where the socket is, and how it gets there.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use symbolon_broker::Broker;
use tokio::net::UnixListener;

use super::error::ControlError;

/// The socket's name in the home's `run` folder.
pub const SOCKET: &str = "broker.sock";

/// A bound control socket. Taking it down ([`Listener::remove`]) belongs before the home's lock is
/// given back.
#[derive(Debug)]
pub struct Listener {
    pub(super) inner: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Binds the socket in the home's `run` folder, in place of a stale one. Within a Tokio
    /// runtime.
    ///
    /// A broker is asked for because only a started one holds the home's lock, without which a
    /// socket file must not be touched.
    ///
    /// # Errors
    /// [`ControlError::Io`].
    pub fn bind(_locked: &Broker, run: &Path) -> Result<Self, ControlError> {
        Self::bind_locked(run)
    }

    /// As [`Listener::bind`], for who knows that the lock is held.
    pub(super) fn bind_locked(run: &Path) -> Result<Self, ControlError> {
        let (new, path) = (run.join(NEW), run.join(SOCKET));
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let inner = {
            let reach = Reach::of(&new)?;
            UnixListener::bind(&reach.path)?
        };
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(&new, &path)?;
        Ok(Self { inner, path })
    }

    /// Takes the socket file away and stops listening.
    pub fn remove(self) {
        // Nothing is lost where it stays: the next broker replaces it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Connects to the socket of a `run` folder; `None` where nobody listens there.
pub(super) fn connect(run: &Path) -> Result<Option<UnixStream>, ControlError> {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    let reached = Reach::of(&run.join(SOCKET)).and_then(|it| UnixStream::connect(&it.path));
    let stream = match reached {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let found = rustix::net::sockopt::socket_peercred(&stream).map_err(io::Error::from)?;
    check_peer(found.uid.as_raw())?;
    Ok(Some(stream))
}

/// Compares the other side's user with our own.
pub(super) fn check_peer(found: u32) -> Result<(), ControlError> {
    let expected = rustix::process::geteuid().as_raw();
    if found == expected { Ok(()) } else { Err(ControlError::Stranger { found, expected }) }
}

/// A path that fits into a socket address.
struct Reach {
    path: PathBuf,
    /// Keeps `/proc/self/fd/N` good while the path is used.
    _folder: Option<OwnedFd>,
}

impl Reach {
    fn of(socket: &Path) -> io::Result<Self> {
        let (Some(folder), Some(name)) = (socket.parent(), socket.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        if socket.as_os_str().len() <= ADDRESS_BYTES_MAX {
            return Ok(Self { path: socket.to_owned(), _folder: None });
        }
        let opened = OwnedFd::from(std::fs::File::open(folder)?);
        let path = Path::new("/proc/self/fd").join(opened.as_raw_fd().to_string()).join(name);
        Ok(Self { path, _folder: Some(opened) })
    }
}

/// `sun_path` without its final zero; less on other systems than Linux.
const ADDRESS_BYTES_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
/// What the socket is called until it listens.
const NEW: &str = "broker.sock.new";
