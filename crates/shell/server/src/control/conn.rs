//! One connection: its frames, one after another.

use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use symbolon_broker::CallError;
use symbolon_secret::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, Ended, Reply, Serving};
use super::error::ControlError;
use super::fds::{self, FDS_MAX, Received};
use super::frame::{self, JSON_BYTES_MAX, REPLY_BYTES_MAX, SECRET_BYTES_MAX};
use super::op::Op;
use super::serve::{Handle, Limits, Shared};

/// Serves a connection until either side ends it.
pub(super) async fn run<H: Handle>(
    mut stream: UnixStream,
    shared: Arc<Shared<H>>,
    permit: OwnedSemaphorePermit,
) {
    let mut memory = H::Memory::default();
    loop {
        let request = tokio::select! {
            () = shared.stop.cancelled() => return,
            request = read_request(&mut stream, &shared.limits) => request,
        };
        let answered = match request {
            Ok(None) => return,
            Ok(Some(Request { op: Op::Mcp { agent }, fds: Some([read, write]), .. })) => {
                return session(stream, &shared, permit, agent, [read, write]).await;
            }
            Ok(Some(Request { op: op @ Op::RunOpen { .. }, .. })) => {
                match shared.sessions.clone().try_acquire_owned() {
                    Err(_) => {
                        let busy = ControlError::Busy("sessions");
                        answer(&mut stream, Err(busy.into()), &shared.limits).await
                    }
                    Ok(seat) => {
                        let gone = CancellationToken::new();
                        let opened = shared.handle.handle(&mut memory, op, None, &gone).await;
                        let is_open = opened.is_ok();
                        let told = answer(&mut stream, opened, &shared.limits).await;
                        if is_open && told.is_ok() {
                            // Runs last for hours: they must not take the places of commands.
                            drop(permit);
                            return program(stream, &shared, memory, seat).await;
                        }
                        told
                    }
                }
            }
            Ok(Some(Request { op: Op::Stop {}, .. })) => {
                answer(&mut stream, Ok(Answer::done()), &shared.limits).await.ok();
                return end(stream, &shared);
            }
            Ok(Some(Request { op: op @ Op::RotateOperator {}, .. })) => {
                let gone = CancellationToken::new();
                let rotated = shared.handle.handle(&mut memory, op, None, &gone).await;
                let told = answer(&mut stream, rotated, &shared.limits).await;
                if shared.handle.is_over() {
                    return end(stream, &shared);
                }
                told
            }
            Ok(Some(Request { op, secret, .. })) => {
                let gone = CancellationToken::new();
                let done = {
                    let mut work = pin!(shared.handle.handle(&mut memory, op, secret, &gone));
                    tokio::select! {
                        done = &mut work => done,
                        () = hung_up(&stream) => {
                            // What has begun runs to its end; it may stop waiting for a person.
                            gone.cancel();
                            work.await
                        }
                    }
                };
                answer(&mut stream, done, &shared.limits).await
            }
            Err(error) => {
                let ends = error.ends_connection();
                let told = answer(&mut stream, Err(error.into()), &shared.limits).await;
                if ends {
                    return;
                }
                told
            }
        };
        if answered.is_err() {
            return;
        }
    }
}

/// The broker ends. The connection is held until the lanes do, which tells the client that it is gone.
fn end<H>(stream: UnixStream, shared: &Shared<H>) {
    shared.stop.cancel();
    tokio::spawn(async move {
        let _open = stream;
        std::future::pending::<()>().await;
    });
}

/// One whole request.
struct Request {
    op: Op,
    secret: Option<Secret<[u8]>>,
    /// For `mcp` alone.
    fds: Option<[OwnedFd; FDS_MAX]>,
}

/// `None` where the client is done.
async fn read_request(
    stream: &mut UnixStream,
    limits: &Limits,
) -> Result<Option<Request>, ControlError> {
    let mut word = [0; 4];
    let first = stream.async_io(Interest::READABLE, || fds::receive(&*stream, &mut word));
    let Ok(first) = timeout(limits.idle, first).await else { return Ok(None) };
    let Received { bytes, fds, cut } = first?;
    if bytes == 0 {
        return Ok(None);
    }
    let rest = async {
        stream.read_exact(&mut word[bytes..]).await?;
        let mut json = vec![0; frame::length(word, "request", 2, JSON_BYTES_MAX)?];
        stream.read_exact(&mut json).await?;
        stream.read_exact(&mut word).await?;
        let len = frame::length(word, "secret", 0, SECRET_BYTES_MAX)?;
        Ok::<_, ControlError>((json, read_secret(stream, len).await?))
    };
    let (json, secret) = timeout(limits.frame, rest).await.map_err(|_| ControlError::Stalled)??;
    let op = Op::from_json(&json)?;
    if secret.is_some() && !op.takes_secret() {
        return Err(ControlError::UnexpectedSecret);
    }
    let expected = if matches!(op, Op::Mcp { .. }) { FDS_MAX } else { 0 };
    let found = fds.len() + usize::from(cut);
    if found != expected {
        return Err(ControlError::Descriptors { found, expected });
    }
    Ok(Some(Request { op, secret, fds: fds.try_into().ok() }))
}

async fn read_secret(
    stream: &mut UnixStream,
    len: usize,
) -> Result<Option<Secret<[u8]>>, ControlError> {
    if len == 0 {
        return Ok(None);
    }
    let mut secret = Secret::<[u8]>::try_make_slice(len, |_| Ok::<_, ControlError>(len))?;
    // EXPOSE: filled from the socket, with no buffer in between.
    stream.read_exact(secret.expose_mut()).await?;
    Ok(Some(secret))
}

/// An MCP session on the client's descriptors, until either side ends it.
async fn session<H: Handle>(
    mut stream: UnixStream,
    shared: &Shared<H>,
    permit: OwnedSemaphorePermit,
    agent: String,
    [read, write]: [OwnedFd; FDS_MAX],
) {
    let limits = &shared.limits;
    let Ok(_session) = shared.sessions.clone().try_acquire_owned() else {
        let busy = ControlError::Busy("MCP sessions");
        answer(&mut stream, Err(busy.into()), limits).await.ok();
        return;
    };
    // Sessions last for hours: they must not take the places of commands.
    drop(permit);
    let serving = Answer::of(Serving { serving: true });
    if answer(&mut stream, serving, limits).await.is_err() {
        return;
    }
    let ended = tokio::select! {
        ended = shared.handle.mcp(agent, read, write) => ended,
        () = shared.stop.cancelled() => Ok(()),
        () = gone(&mut stream) => return,
    };
    let last = ended.and_then(|()| Answer::of(Ended { ended: true }));
    answer(&mut stream, last, limits).await.ok();
}

/// A program's run: it lasts as long as this connection, however that ends.
async fn program<H: Handle>(
    mut stream: UnixStream,
    shared: &Shared<H>,
    mut memory: H::Memory,
    _seat: OwnedSemaphorePermit,
) {
    let limits = &shared.limits;
    let endless = Limits { idle: FOREVER, ..*limits };
    let request = tokio::select! {
        () = shared.stop.cancelled() => return,
        request = read_request(&mut stream, &endless) => request,
    };
    let last = match request {
        Ok(Some(Request { op: op @ Op::RunClose {}, .. })) => {
            shared.handle.handle(&mut memory, op, None, &CancellationToken::new()).await
        }
        // A client that dies says nothing; one that says something else is not ours.
        _ => return,
    };
    answer(&mut stream, last, limits).await.ok();
}

/// A year.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Until the client closes the connection, or says what it must not.
async fn gone(stream: &mut UnixStream) {
    let _ = stream.read(&mut [0; 1]).await;
}

/// Until the client closes the connection. One that has sent more is still there.
async fn hung_up(stream: &UnixStream) {
    if let Ok(false) = stream.async_io(Interest::READABLE, || fds::is_at_end(stream)).await {
        std::future::pending().await
    }
}

async fn answer(
    stream: &mut UnixStream,
    done: Result<Answer, CallError>,
    limits: &Limits,
) -> Result<(), ControlError> {
    match done {
        Ok(Answer { ok, secret }) => {
            reply(stream, &Reply::Ok(ok), secret.as_ref(), limits.reply).await
        }
        Err(error) => reply(stream, &Reply::Error(error), None, limits.reply).await,
    }
}

/// Writes one reply.
pub(super) async fn reply(
    stream: &mut UnixStream,
    reply: &Reply,
    secret: Option<&Secret<[u8]>>,
    patience: Duration,
) -> Result<(), ControlError> {
    let json = serde_json::to_vec(reply).map_err(|_| ControlError::Json)?;
    let head = match frame::head(&json, secret, "reply", REPLY_BYTES_MAX) {
        Ok(head) => head,
        Err(error) => {
            let told = serde_json::to_vec(&Reply::Error(error.into()));
            let told = told.map_err(|_| ControlError::Json)?;
            frame::head(&told, None, "reply", REPLY_BYTES_MAX)?
        }
    };
    let write = async {
        stream.write_all(&head).await?;
        if let Some(secret) = secret {
            // EXPOSE: written to the owner's command straight from its page, shown once.
            stream.write_all(secret.expose()).await?;
        }
        Ok::<_, ControlError>(())
    };
    timeout(patience, write).await.map_err(|_| ControlError::Stalled)?
}
