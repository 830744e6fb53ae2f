//! Descriptors that another process passed us, as non-blocking streams of whatever kind they are.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{fs::FileTypeExt, net::UnixStream as StdUnixStream},
    },
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{UnixStream, unix::pipe},
};

/// The end that a client writes to.
#[derive(Debug)]
pub enum Input {
    /// A pipe, driven by the reactor.
    Pipe(pipe::Receiver),
    /// A stream socket, driven by the reactor.
    Socket(UnixStream),
    /// A file or a terminal, read on a blocking thread.
    Blocking(tokio::fs::File),
}

/// The end that a client reads from.
#[derive(Debug)]
pub enum Output {
    /// A pipe, driven by the reactor.
    Pipe(pipe::Sender),
    /// A stream socket, driven by the reactor.
    Socket(UnixStream),
    /// A file or a terminal, written on a blocking thread.
    Blocking(tokio::fs::File),
}

impl Input {
    /// Takes a descriptor.
    ///
    /// A pipe is opened anew where the system lets us, so that its `O_NONBLOCK` is ours alone: the process
    /// that passed it keeps a blocking one. A socket cannot be; its flag is shared with whoever holds it.
    ///
    /// # Errors
    /// The system's, where the descriptor is not for reading.
    pub fn open(descriptor: OwnedFd) -> io::Result<Self> {
        Ok(match Kind::of(&descriptor)? {
            Kind::Pipe => {
                let again = pipe::OpenOptions::new().open_receiver(path(&descriptor));
                Self::Pipe(again.or_else(|_| pipe::Receiver::from_owned_fd(descriptor))?)
            }
            Kind::Socket => Self::Socket(socket(descriptor)?),
            Kind::Other => Self::Blocking(File::from(descriptor).into()),
        })
    }
}

impl Output {
    /// Takes a descriptor; see [`Input::open`].
    ///
    /// # Errors
    /// The system's, where the descriptor is not for writing.
    pub fn open(descriptor: OwnedFd) -> io::Result<Self> {
        Ok(match Kind::of(&descriptor)? {
            Kind::Pipe => {
                let again = pipe::OpenOptions::new().open_sender(path(&descriptor));
                Self::Pipe(again.or_else(|_| pipe::Sender::from_owned_fd(descriptor))?)
            }
            Kind::Socket => Self::Socket(socket(descriptor)?),
            Kind::Other => Self::Blocking(File::from(descriptor).into()),
        })
    }
}

impl AsyncRead for Input {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Pipe(end) => Pin::new(end).poll_read(context, buffer),
            Self::Socket(end) => Pin::new(end).poll_read(context, buffer),
            Self::Blocking(end) => Pin::new(end).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Output {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Pipe(end) => Pin::new(end).poll_write(context, bytes),
            Self::Socket(end) => Pin::new(end).poll_write(context, bytes),
            Self::Blocking(end) => Pin::new(end).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Pipe(end) => Pin::new(end).poll_flush(context),
            Self::Socket(end) => Pin::new(end).poll_flush(context),
            Self::Blocking(end) => Pin::new(end).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Pipe(end) => Pin::new(end).poll_shutdown(context),
            Self::Socket(end) => Pin::new(end).poll_shutdown(context),
            Self::Blocking(end) => Pin::new(end).poll_shutdown(context),
        }
    }
}

enum Kind {
    Pipe,
    Socket,
    Other,
}

impl Kind {
    fn of(descriptor: &OwnedFd) -> io::Result<Self> {
        let kind = File::from(descriptor.try_clone()?).metadata()?.file_type();
        Ok(if kind.is_fifo() {
            Self::Pipe
        } else if kind.is_socket() {
            Self::Socket
        } else {
            Self::Other
        })
    }
}

fn path(descriptor: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", descriptor.as_raw_fd())
}

/// Any stream socket does: the calls are the same for all of them.
fn socket(descriptor: OwnedFd) -> io::Result<UnixStream> {
    let stream = StdUnixStream::from(descriptor);
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}
