//! JSON-RPC in lines: one message each, as MCP's stdio transport has it.
//!
//! rmcp's own reader stays silent on a line that is not JSON and logs it; this one answers, goes on, and
//! never logs what it read.

use std::{
    future::Future,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use rmcp::{
    ErrorData, RoleServer,
    model::{ErrorCode, JsonRpcMessage, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::Notify,
};

use crate::room::Leaving;

/// The longest line that is read, in bytes.
pub const LINE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Messages as lines over any pair of streams.
pub(crate) struct Lines<R, W> {
    read: BufReader<R>,
    line: Vec<u8>,
    /// The rest of a line that was too long is being passed over.
    passing_over: bool,
    /// A request has come: until then notifications and answers are to nobody.
    begun: bool,
    /// Unreadable lines in a row.
    unreadable: u32,
    /// What answers hold until they are written.
    leaving: Leaving,
    out: Arc<Out<W>>,
}

impl<R, W> Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    pub(crate) fn new(read: R, write: W, leaving: Leaving) -> Self {
        Self {
            read: BufReader::with_capacity(READ_BYTES, read),
            line: Vec::new(),
            passing_over: false,
            begun: false,
            unreadable: 0,
            leaving,
            out: Arc::new(Out {
                waiting: Mutex::new(Vec::new()),
                drained: Notify::new(),
                stream: tokio::sync::Mutex::new(Some(Stream { write, spare: Vec::new() })),
            }),
        }
    }

    /// The next whole line into `self.line`, without its end. Dropped and polled again, it goes on where it
    /// was: bytes are taken from the stream only together with being kept.
    async fn next_line(&mut self) -> io::Result<Read> {
        loop {
            let bytes = self.read.fill_buf().await?;
            if bytes.is_empty() {
                return Ok(Read::End);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(bytes.len(), |end| end + 1);
            let fits = self.line.len() + taken <= LINE_BYTES_MAX;
            if fits && !self.passing_over {
                self.line.extend_from_slice(&bytes[..taken]);
            } else {
                self.line.clear();
                self.passing_over = true;
            }
            self.read.consume(taken);
            if end.is_none() {
                continue;
            }
            return Ok(if std::mem::take(&mut self.passing_over) {
                Read::TooLong
            } else {
                Read::Line
            });
        }
    }

    /// Answers a line that is no message. False where the peer sends nothing else.
    fn answer_unreadable(
        &mut self,
        code: ErrorCode,
        says: &'static str,
        id: Option<RequestId>,
    ) -> bool {
        self.unreadable += 1;
        let answer = TxJsonRpcMessage::<RoleServer>::error(ErrorData::new(code, says, None), id);
        let sent = self.send(answer);
        // In a task of its own: `receive` may be dropped at any await, and half an answer must not be.
        tokio::spawn(sent);
        self.unreadable < UNREADABLE_MAX
    }
}

enum Read {
    Line,
    TooLong,
    End,
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let held = answers(&message).and_then(|id| self.leaving.take(id));
        let queued = self.out.queue(&message);
        let out = self.out.clone();
        async move {
            let _held = held;
            queued?;
            out.flush().await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            // A peer that sends and does not read is not read from either.
            self.out.drained().await;
            match self.next_line().await {
                Ok(Read::Line) => {}
                Ok(Read::TooLong) => {
                    let says = "the line is too long";
                    if self.answer_unreadable(ErrorCode::INVALID_REQUEST, says, None) {
                        continue;
                    }
                    return None;
                }
                Ok(Read::End) => return None,
                Err(cause) => {
                    tracing::debug!(kind = ?cause.kind(), "reading from the client failed");
                    return None;
                }
            }
            let parsed = parse(&self.line);
            // A rare long line does not keep its memory for the rest of the session.
            self.line.clear();
            self.line.shrink_to(READ_BYTES);
            match parsed {
                Parsed::Message(message) => {
                    self.unreadable = 0;
                    self.begun |= matches!(*message, RxJsonRpcMessage::<RoleServer>::Request(_));
                    if self.begun {
                        return Some(*message);
                    }
                }
                Parsed::Nothing => {}
                Parsed::Wrong(code, says, id) => {
                    if !self.answer_unreadable(code, says, id) {
                        return None;
                    }
                }
            }
        }
    }

    async fn close(&mut self) -> io::Result<()> {
        self.out.close().await
    }
}

/// The request that a message answers.
fn answers(message: &TxJsonRpcMessage<RoleServer>) -> Option<&RequestId> {
    match message {
        JsonRpcMessage::Response(answer) => Some(&answer.id),
        JsonRpcMessage::Error(answer) => answer.id.as_ref(),
        JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
    }
}

enum Parsed {
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    /// Blank, or a notification or answer that nobody here understands: JSON-RPC wants silence.
    Nothing,
    Wrong(ErrorCode, &'static str, Option<RequestId>),
}

fn parse(line: &[u8]) -> Parsed {
    let line = line.trim_ascii();
    let line = line.strip_prefix(UTF8_MARK).unwrap_or(line);
    if line.is_empty() {
        return Parsed::Nothing;
    }
    if let Ok(message) = serde_json::from_slice(line) {
        return Parsed::Message(Box::new(message));
    }
    if serde_json::from_slice::<IgnoredAny>(line).is_err() {
        return Parsed::Wrong(ErrorCode::PARSE_ERROR, "the line is not JSON", None);
    }
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(line) else {
        let says = "a message is one JSON object; batches are not taken";
        return Parsed::Wrong(ErrorCode::INVALID_REQUEST, says, None);
    };
    let id = members.get("id").and_then(|id| serde_json::from_value(id.clone()).ok());
    let (asks, answers) = (
        members.contains_key("method"),
        ["result", "error"].iter().any(|m| members.contains_key(*m)),
    );
    if (asks && !members.contains_key("id")) || (answers && !asks) {
        return Parsed::Nothing;
    }
    Parsed::Wrong(ErrorCode::INVALID_REQUEST, "not a JSON-RPC 2.0 message", id)
}

/// What waits to be written, and where to. Whoever writes takes all that waits: under load, many answers
/// leave in one system call.
struct Out<W> {
    waiting: Mutex<Vec<u8>>,
    drained: Notify,
    stream: tokio::sync::Mutex<Option<Stream<W>>>,
}

struct Stream<W> {
    write: W,
    spare: Vec<u8>,
}

impl<W: AsyncWrite + Send + Unpin> Out<W> {
    fn queue(&self, message: &TxJsonRpcMessage<RoleServer>) -> io::Result<()> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let before = waiting.len();
        if let Err(cause) = serde_json::to_writer(&mut *waiting, message) {
            waiting.truncate(before);
            return Err(cause.into());
        }
        waiting.push(b'\n');
        Ok(())
    }

    async fn flush(&self) -> io::Result<()> {
        let mut stream = self.stream.lock().await;
        let Some(Stream { write, spare }) = stream.as_mut() else {
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
            self.drained.notify_waiters();
            return Err(io::ErrorKind::NotConnected.into());
        };
        spare.clear();
        std::mem::swap(spare, &mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if spare.is_empty() {
            // An earlier writer took this message along.
            return Ok(());
        }
        let mut wrote = write.write_all(spare).await;
        if wrote.is_ok() {
            wrote = write.flush().await;
        }
        spare.clear();
        spare.shrink_to(WAITING_BYTES_MAX);
        if wrote.is_err() {
            *stream = None;
        }
        drop(stream);
        self.drained.notify_waiters();
        wrote
    }

    async fn drained(&self) {
        loop {
            let drained = self.drained.notified();
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).len();
            if waiting <= WAITING_BYTES_MAX {
                return;
            }
            drained.await;
        }
    }

    async fn close(&self) -> io::Result<()> {
        let flushed = self.flush().await;
        if let Some(mut stream) = self.stream.lock().await.take() {
            let _ = stream.write.shutdown().await;
        }
        match flushed {
            Err(cause) if cause.kind() != io::ErrorKind::NotConnected => Err(cause),
            _ => Ok(()),
        }
    }
}

const READ_BYTES: usize = 64 * 1024;
const WAITING_BYTES_MAX: usize = 1024 * 1024;
const UNREADABLE_MAX: u32 = 100;
const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
mod tests;
