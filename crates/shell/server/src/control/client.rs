//! The commands' side: blocking, without a runtime, so that a command is done in milliseconds.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use symbolon_broker::CallError;
use symbolon_secret::Secret;

use super::answer::{Answer, Reply, Serving};
use super::error::ControlError;
use super::frame::{self, JSON_BYTES_MAX};
use super::op::Op;
use super::{fds, place};

/// A connection to a running broker.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
}

/// Ends a connection on which somebody else waits for an answer: the broker withdraws what was asked.
#[derive(Debug)]
pub struct Hangup(UnixStream);

impl Hangup {
    /// Ends it.
    pub fn hang_up(&self) {
        // One that is over needs no end.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Client {
    /// Connects to the broker of the home with this `run` folder; `None` where none runs.
    ///
    /// # Errors
    /// [`ControlError::Stranger`] where another user's process listens there, [`ControlError::Io`].
    pub fn connect(run: &Path) -> Result<Option<Self>, ControlError> {
        let Some(stream) = place::connect(run)? else { return Ok(None) };
        stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
        Ok(Some(Self::over(stream)))
    }

    pub(super) fn over(stream: UnixStream) -> Self {
        Self { stream }
    }

    /// What ends this connection from elsewhere.
    ///
    /// # Errors
    /// [`ControlError::Io`].
    pub fn hangup(&self) -> Result<Hangup, ControlError> {
        Ok(Hangup(self.stream.try_clone()?))
    }

    /// Asks, and reads the answer as what `specs/control.md` lists for the operation.
    ///
    /// # Errors
    /// What the broker refuses with, or a [`ControlError`] as one.
    pub fn ask<T: DeserializeOwned>(&mut self, op: &Op) -> Result<T, CallError> {
        let answer = self.exchange(op, None)?;
        Ok(serde_json::from_value(answer.ok).map_err(|_| ControlError::Json)?)
    }

    /// As [`Client::ask`], with a secret beside the question, the answer, or both.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn exchange(
        &mut self,
        op: &Op,
        secret: Option<&Secret<[u8]>>,
    ) -> Result<Answer, CallError> {
        self.put(op, secret, &[])?;
        self.receive()
    }

    /// Hands over what an MCP host writes to and reads from, and waits until the session ends.
    /// `serving` runs when it has begun.
    ///
    /// # Errors
    /// As [`Client::ask`]; also where the broker ends in the middle.
    pub fn mcp(
        mut self,
        agent: &str,
        read: BorrowedFd<'_>,
        write: BorrowedFd<'_>,
        serving: impl FnOnce(),
    ) -> Result<(), CallError> {
        self.put(&Op::Mcp { agent: agent.to_owned() }, None, &[read, write])?;
        let begun = self.receive()?;
        let _: Serving = serde_json::from_value(begun.ok).map_err(|_| ControlError::Json)?;
        serving();
        self.receive().map(drop)
    }

    /// Ends the broker and waits until its process is gone.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn stop(self) -> Result<(), CallError> {
        let _: Value = self.ask_and_wait(&Op::Stop {})?;
        Ok(())
    }

    /// Asks what ends the broker, and waits until its process is gone.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn ask_and_wait<T: DeserializeOwned>(mut self, op: &Op) -> Result<T, CallError> {
        let answer = self.ask(op)?;
        match self.stream.read(&mut [0; 1]) {
            Ok(0) => Ok(answer),
            Ok(_) => Err(ControlError::Json.into()),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(answer),
            Err(error) => Err(ControlError::Io(error).into()),
        }
    }

    /// Sends a request. Where the broker has closed already, its last words say why.
    fn put(
        &mut self,
        op: &Op,
        secret: Option<&Secret<[u8]>>,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), CallError> {
        use io::ErrorKind::{BrokenPipe, ConnectionReset};
        match self.send(op, secret, fds) {
            Err(ControlError::Io(error))
                if matches!(error.kind(), BrokenPipe | ConnectionReset) =>
            {
                match self.receive() {
                    Err(said) if said.code != "control_io" => Err(said),
                    _ => Err(ControlError::Io(error).into()),
                }
            }
            sent => Ok(sent?),
        }
    }

    fn send(
        &mut self,
        op: &Op,
        secret: Option<&Secret<[u8]>>,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), ControlError> {
        let head = frame::head(&op.to_json()?, secret, "request", JSON_BYTES_MAX)?;
        let mut sent = 0;
        if !fds.is_empty() {
            sent = fds::send(self.stream.as_fd(), &head, fds)?;
        }
        self.stream.write_all(&head[sent..])?;
        frame::write_secret(&self.stream, secret)
    }

    fn receive(&mut self) -> Result<Answer, CallError> {
        let (json, secret) = frame::read_reply(&self.stream)?;
        match serde_json::from_slice(&json) {
            Ok(Reply::Ok(ok)) => Ok(Answer { ok, secret }),
            Ok(Reply::Error(error)) => Err(error),
            Err(_) => Err(ControlError::Json.into()),
        }
    }
}

/// How long a broker may leave a request unread.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
