//! The stream between the HTTP stack and TLS or TCP: one armed placeholder for each request head.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

use memchr::memmem;
use symbolon_connector::inject::{
    Expected, FieldBlock, FormPlan, Framing, HEAD_BYTES_MAX, inspect_head, inspect_upgrade_head,
};
use symbolon_connector::ssrf::Authority;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::armed::Armed;
use super::error::StreamError;
use super::http2::Tray;
use super::link::{Link, Planned, fits_one_record};
use super::tls::RECORD_BYTES_MAX;

/// What client and stream of one connection tell each other.
#[derive(Debug, Default)]
pub struct Desk {
    armed: Mutex<Option<Armed>>,
    upgrades: AtomicBool,
    released: AtomicBool,
    sent_bytes: AtomicU64,
    tray: Tray,
    refused: OnceLock<StreamError>,
}

impl Desk {
    /// Arms the next head on the connection and begins its account.
    pub fn arm(&self, armed: Armed) {
        self.released.store(false, Relaxed);
        self.sent_bytes.store(0, Relaxed);
        *self.lock() = Some(armed);
    }

    /// As [`arm`](Self::arm), for a head that asks for WebSocket.
    pub fn arm_upgrade(&self, armed: Armed) {
        self.upgrades.store(true, Relaxed);
        self.arm(armed);
    }

    /// As [`arm`](Self::arm), for a request over HTTP/2 with this header block.
    pub(super) fn arm_block(&self, armed: Armed, block: FieldBlock) {
        self.tray.put(block);
        self.arm(armed);
    }

    pub(super) fn tray(&self) -> &Tray {
        &self.tray
    }

    /// More has been handed on.
    pub(super) fn moved(&self, bytes: u64) {
        self.sent_bytes.fetch_add(bytes, Relaxed);
    }

    pub(super) fn set_released(&self, released: bool) {
        self.released.store(released, Relaxed);
    }

    /// Why the stream ended the connection, where the HTTP stack does not hand it on.
    pub(super) fn refuse(&self, error: StreamError) {
        // The first one counts: it ended the connection.
        let _ = self.refused.set(error);
    }

    pub(super) fn refused(&self) -> Option<StreamError> {
        self.refused.get().copied()
    }

    /// Takes back what was armed. `None`: the head has reached the stream.
    pub fn disarm(&self) -> Option<Armed> {
        self.lock().take()
    }

    /// Whether the armed credential was opened for sending.
    pub fn released(&self) -> bool {
        self.released.load(Relaxed)
    }

    /// Bytes of head and body handed on so far, before TLS.
    pub fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes requests on with the armed credential in the place of the placeholder; see the module.
///
/// Writes may be split anywhere. A head is held back until it is complete and checked. A refusal
/// ends the connection: nothing more goes out.
pub struct SubstitutingStream<L> {
    link: L,
    desk: Arc<Desk>,
    authority: Authority,
    /// A head that is not complete yet; then a buffer to use again. Behind the head of a form, the
    /// first bytes of its body.
    head: Vec<u8>,
    /// A form whose head was checked and whose field is not there yet.
    form: Option<FormHead>,
    planned: Option<Planned>,
    framing: Framing,
    is_dead: bool,
}

impl<L: Link> SubstitutingStream<L> {
    /// Requests on `link` must name `authority`.
    pub fn new(link: L, authority: Authority, desk: Arc<Desk>) -> Self {
        SubstitutingStream {
            link,
            desk,
            authority,
            head: Vec::with_capacity(1024),
            form: None,
            planned: None,
            framing: Framing::none(),
            is_dead: false,
        }
    }

    /// What it ran over, once the protocol has changed.
    pub fn into_link(self) -> L {
        self.link
    }

    /// Sends what is planned.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(planned) = &mut self.planned else { return Poll::Ready(Ok(())) };
        // Said before it is true: nobody may think that a credential stayed when it did not.
        self.desk.released.store(true, Relaxed);
        if let Err(error) = ready!(self.link.poll_inject(cx, planned)) {
            let refused = error.get_ref().is_some_and(|inner| inner.is::<StreamError>());
            if refused && planned.sent == 0 {
                self.desk.released.store(false, Relaxed);
            }
            return Poll::Ready(Err(error));
        }
        self.desk.sent_bytes.fetch_add(planned.total() as u64, Relaxed);
        if let Some(planned) = self.planned.take() {
            self.head = planned.bytes;
            self.head.clear();
        }
        Poll::Ready(Ok(()))
    }

    fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.drive(cx))?;
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if !self.framing.is_done() {
            return self.body(cx, bytes);
        }
        if let Some(form) = self.form.take() {
            return self.field(cx, form, bytes);
        }
        let held = self.head.len();
        let room = (HEAD_BYTES_MAX + 1).saturating_sub(held).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        let from = held.saturating_sub(HEAD_END.len() - 1);
        let Some(end) = memmem::find(&self.head[from..], HEAD_END) else {
            if self.head.len() > HEAD_BYTES_MAX {
                let error = symbolon_connector::inject::InjectError::HeadTooLong;
                return Poll::Ready(Err(StreamError::from(error).into()));
            }
            return Poll::Ready(Ok(self.head.len() - held));
        };
        let end = from + end + HEAD_END.len();
        self.head.truncate(end);
        let used = self.plan(&bytes[end - held..])? + end - held;
        self.sent(cx, used)
    }

    fn sent(&mut self, cx: &mut Context<'_>, used: usize) -> Poll<io::Result<usize>> {
        match self.drive(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            // Pending: a later write or flush sends it.
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(used)),
        }
    }

    /// More of a form's body, until its field is there.
    fn field(
        &mut self,
        cx: &mut Context<'_>,
        form: FormHead,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let used = self.place(form, bytes)?;
        self.sent(cx, used)
    }

    fn place(&mut self, mut form: FormHead, rest: &[u8]) -> Result<usize, StreamError> {
        let wire_len = form.armed.opener.wire_len();
        let room = RECORD_BYTES_MAX.saturating_sub(self.head.len() + wire_len);
        let used = form.framing.take(&rest[..room.min(rest.len())])?;
        self.head.extend_from_slice(&rest[..used]);
        form.seen += used;
        if form.seen < form.plan.body_needed(&form.armed.slot) {
            if used == 0 {
                return Err(StreamError::RecordTooLong);
            }
            self.form = Some(form);
            return Ok(used);
        }
        let FormHead { armed, plan, framing, .. } = form;
        let mut bytes = std::mem::take(&mut self.head);
        let expected = Expected {
            placeholder: &armed.placeholder,
            slot: &armed.slot,
            authority: &self.authority,
        };
        let at = plan.place(&mut bytes, &expected, wire_len)?;
        self.framing = framing;
        self.planned = Some(fitting(Planned { bytes, at: Some(at), sent: 0, armed })?);
        Ok(used)
    }

    /// Checks the complete head and takes as much of its body (the start of `rest`) as fits the
    /// same record; how many bytes that were.
    fn plan(&mut self, rest: &[u8]) -> Result<usize, StreamError> {
        let armed = self.desk.disarm().ok_or(StreamError::NotArmed)?;
        let inspect = match self.desk.upgrades.load(Relaxed) {
            true => inspect_upgrade_head,
            false => inspect_head,
        };
        let plan = inspect(
            &self.head,
            &Expected {
                placeholder: &armed.placeholder,
                slot: &armed.slot,
                authority: &self.authority,
            },
        )?;
        if let Some(form) = plan.form {
            let head = FormHead { armed, plan: form, framing: plan.framing, seen: 0 };
            // A form without a body lacks its field: refused now, for nothing more will come.
            if rest.is_empty() && !plan.framing.is_done() {
                self.form = Some(head);
                return Ok(0);
            }
            return self.place(head, rest);
        }
        self.framing = plan.framing;
        let room = RECORD_BYTES_MAX
            .saturating_sub(self.head.len() + armed.opener.wire_len())
            .min(rest.len());
        let used = self.framing.take(&rest[..room])?;
        let mut bytes = std::mem::take(&mut self.head);
        bytes.extend_from_slice(&rest[..used]);
        self.planned = Some(fitting(Planned { bytes, at: plan.at, sent: 0, armed })?);
        Ok(used)
    }

    fn body(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // Checked before it goes out, and followed only over what went out.
        let mut ahead = self.framing;
        let ours = ahead.take(bytes).map_err(StreamError::from)?;
        let n = ready!(Pin::new(&mut self.link).poll_write(cx, &bytes[..ours]))?;
        if n == ours {
            self.framing = ahead;
        } else {
            self.framing.take(&bytes[..n]).map_err(StreamError::from)?;
        }
        self.desk.sent_bytes.fetch_add(n as u64, Relaxed);
        Poll::Ready(Ok(n))
    }
}

/// A form between its head and its field.
struct FormHead {
    armed: Armed,
    plan: FormPlan,
    framing: Framing,
    /// Bytes of the body so far.
    seen: usize,
}

fn fitting(planned: Planned) -> Result<Planned, StreamError> {
    if fits_one_record(&planned) { Ok(planned) } else { Err(StreamError::RecordTooLong) }
}

impl<L: Link> AsyncWrite for SubstitutingStream<L> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_dead {
            return Poll::Ready(Err(StreamError::Poisoned.into()));
        }
        let result = self.write(cx, bytes);
        self.is_dead = matches!(result, Poll::Ready(Err(_)));
        result
    }

    /// The HTTP stack then joins head and small body in one buffer, and so in one record.
    fn is_write_vectored(&self) -> bool {
        false
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_dead {
            return Poll::Ready(Err(StreamError::Poisoned.into()));
        }
        if let Err(error) = ready!(self.drive(cx)) {
            self.is_dead = true;
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.link).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_dead
            && let Err(error) = ready!(self.drive(cx))
        {
            self.is_dead = true;
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.link).poll_shutdown(cx)
    }
}

impl<L: Link> AsyncRead for SubstitutingStream<L> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.link).poll_read(cx, buf)
    }
}

const HEAD_END: &[u8] = b"\r\n\r\n";
