//! The stream between the HTTP/2 stack and TLS or TCP: the header block of each request is the armed
//! one, with its credential.
//!
//! The stack's own blocks never leave: they are compressed with a table that would keep what stands in
//! them, and in Huffman code. In their place goes the block that was inspected when the request was
//! armed ([`FieldBlock`]); stream and flags are the stack's. One request at a time is on a connection.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use symbolon_connector::inject::FieldBlock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::armed::Armed;
use super::error::StreamError;
use super::link::{Link, Planned, fits_one_record};
use super::stream::Desk;
use super::tls::RECORD_BYTES_MAX;

/// What the next HEADERS frame of a connection becomes.
#[derive(Debug, Default)]
pub(super) struct Tray(Mutex<Option<FieldBlock>>);

impl Tray {
    pub(super) fn put(&self, block: FieldBlock) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(block);
    }

    fn take(&self) -> Option<FieldBlock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Passes frames on, and in the place of a HEADERS frame the armed block. A refusal ends the
/// connection: nothing more goes out.
pub(super) struct Http2Stream<L> {
    link: L,
    desk: Arc<Desk>,
    state: State,
    /// Frames that wait for the link, without a credential.
    waiting: Vec<u8>,
    written: usize,
    planned: Option<Planned>,
    /// The highest stream that was opened.
    last_stream: u32,
    is_dead: bool,
}

#[derive(Clone, Copy)]
enum State {
    /// The connection preface, or a frame's payload, passes as it is.
    Passes { left: usize, is_body: bool },
    /// A frame's head is read.
    Head { bytes: [u8; HEAD_BYTES], have: usize },
    /// The stack's own header block, which stays here.
    Block { left: usize, head: [u8; HEAD_BYTES] },
}

impl State {
    const HEAD: State = State::Head { bytes: [0; HEAD_BYTES], have: 0 };
}

impl<L: Link> Http2Stream<L> {
    pub(super) fn new(link: L, desk: Arc<Desk>) -> Self {
        Self {
            link,
            desk,
            state: State::Passes { left: PREFACE_BYTES, is_body: false },
            waiting: Vec::with_capacity(WAITING_MAX),
            written: 0,
            planned: None,
            last_stream: 0,
            is_dead: false,
        }
    }

    /// Takes what fits; how many bytes that were. Zero where something must leave first.
    fn take(&mut self, bytes: &[u8]) -> Result<usize, StreamError> {
        let mut used = 0;
        while used < bytes.len() && self.planned.is_none() && self.waiting.len() < WAITING_MAX {
            let rest = &bytes[used..];
            used += match &mut self.state {
                State::Passes { left, is_body } => {
                    let n = (*left).min(rest.len()).min(WAITING_MAX - self.waiting.len());
                    self.waiting.extend_from_slice(&rest[..n]);
                    *left -= n;
                    if *is_body {
                        self.desk.moved(n as u64);
                    }
                    if *left == 0 {
                        self.state = State::HEAD;
                    }
                    n
                }
                State::Head { bytes: head, have } => {
                    let n = (HEAD_BYTES - *have).min(rest.len());
                    head[*have..*have + n].copy_from_slice(&rest[..n]);
                    *have += n;
                    if *have == HEAD_BYTES {
                        let head = *head;
                        self.frame(head)?;
                    }
                    n
                }
                State::Block { left, head } => {
                    let n = (*left).min(rest.len());
                    *left -= n;
                    if *left == 0 {
                        let head = *head;
                        self.request(head)?;
                    }
                    n
                }
            };
        }
        Ok(used)
    }

    /// A frame begins.
    fn frame(&mut self, head: [u8; HEAD_BYTES]) -> Result<(), StreamError> {
        let left = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let (kind, flags) = (head[3], head[4]);
        match kind {
            HEADERS if flags & !END_STREAM == END_HEADERS && left > 0 => {
                self.state = State::Block { left, head };
                return Ok(());
            }
            DATA | PRIORITY | RST_STREAM | SETTINGS | PING | GOAWAY | WINDOW_UPDATE => {}
            // Padded, in pieces, pushed or unknown: the stack writes none of these.
            _ => return Err(StreamError::Frame),
        }
        self.waiting.extend_from_slice(&head);
        self.state = match left {
            0 => State::HEAD,
            _ => State::Passes { left, is_body: kind == DATA },
        };
        Ok(())
    }

    /// A request begins: the armed block takes the place of the stack's.
    fn request(&mut self, head: [u8; HEAD_BYTES]) -> Result<(), StreamError> {
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        // Trailers would come on a stream that is open already.
        if stream <= self.last_stream || stream.is_multiple_of(2) {
            return Err(StreamError::Frame);
        }
        let armed = self.desk.disarm().ok_or(StreamError::NotArmed)?;
        let block = self.desk.tray().take().ok_or(StreamError::NotArmed)?;
        self.last_stream = stream;
        self.state = State::HEAD;
        self.planned = Some(frame_of(&block, armed, head)?);
        Ok(())
    }

    /// Sends what waits: frames first, then a planned request.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.waiting.len() {
            let rest = &self.waiting[self.written..];
            match ready!(Pin::new(&mut self.link).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.written += n,
            }
        }
        self.waiting.clear();
        self.written = 0;
        let Some(planned) = &mut self.planned else { return Poll::Ready(Ok(())) };
        self.desk.set_released(true);
        if let Err(error) = ready!(self.link.poll_inject(cx, planned)) {
            let refused = error.get_ref().is_some_and(|inner| inner.is::<StreamError>());
            if refused && planned.sent == 0 {
                self.desk.set_released(false);
            }
            return Poll::Ready(Err(error));
        }
        self.desk.moved(planned.total() as u64);
        self.planned = None;
        Poll::Ready(Ok(()))
    }

    /// Keeps a refusal where the client finds it: the HTTP/2 stack does not hand it on.
    fn end(&mut self, error: io::Error) -> io::Error {
        self.is_dead = true;
        let refusal = error.get_ref().and_then(|inner| inner.downcast_ref::<StreamError>());
        if let Some(refusal) = refusal {
            self.desk.refuse(*refusal);
        }
        error
    }

    fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let used = self.take(bytes)?;
        if used > 0 || bytes.is_empty() {
            return Poll::Ready(Ok(used));
        }
        ready!(self.drive(cx))?;
        Poll::Ready(Ok(self.take(bytes)?))
    }
}

/// The HEADERS frame with the armed block. Its length counts the credential.
fn frame_of(
    block: &FieldBlock,
    armed: Armed,
    head: [u8; HEAD_BYTES],
) -> Result<Planned, StreamError> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + block.bytes().len());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(block.bytes());
    let at = block.at().map(|at| at + HEAD_BYTES);
    let mut planned = Planned { bytes, at, sent: 0, armed };
    if !fits_one_record(&planned) {
        return Err(StreamError::RecordTooLong);
    }
    let length = (planned.total() - HEAD_BYTES) as u32;
    planned.bytes[..3].copy_from_slice(&length.to_be_bytes()[1..]);
    Ok(planned)
}

impl<L: Link> AsyncWrite for Http2Stream<L> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_dead {
            return Poll::Ready(Err(StreamError::Poisoned.into()));
        }
        let written = ready!(self.write(cx, bytes));
        Poll::Ready(written.map_err(|error| self.end(error)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_dead {
            return Poll::Ready(Err(StreamError::Poisoned.into()));
        }
        if let Err(error) = ready!(self.drive(cx)) {
            return Poll::Ready(Err(self.end(error)));
        }
        Pin::new(&mut self.link).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_dead
            && let Err(error) = ready!(self.drive(cx))
        {
            return Poll::Ready(Err(self.end(error)));
        }
        Pin::new(&mut self.link).poll_shutdown(cx)
    }
}

impl<L: Link> AsyncRead for Http2Stream<L> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.link).poll_read(cx, buf)
    }
}

/// `PRI * HTTP/2.0` and what follows it (RFC 9113, section 3.4).
const PREFACE_BYTES: usize = 24;
const HEAD_BYTES: usize = 9;
/// Frames that wait together: about one TLS record.
const WAITING_MAX: usize = RECORD_BYTES_MAX;

// Types and flags of RFC 9113, section 6.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

#[cfg(test)]
mod tests {
    use super::super::armed::{OpenCredential, OpenError};
    use super::super::link::Plain;
    use super::*;
    use symbolon_connector::inject::{Expected, Placeholder, RequestLine, Slot};
    use symbolon_connector::ssrf::{Allow, base_url};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    struct Fixed;

    impl OpenCredential for Fixed {
        fn wire_len(&self) -> usize {
            6
        }
        fn open_into(&self, out: &mut [u8]) -> Result<usize, OpenError> {
            out[..6].copy_from_slice(b"opened");
            Ok(6)
        }
    }

    fn opened() -> (Http2Stream<Plain<DuplexStream>>, Arc<Desk>, DuplexStream) {
        let (here, there) = tokio::io::duplex(1 << 20);
        let desk = Arc::new(Desk::default());
        (Http2Stream::new(Plain(here), desk.clone()), desk, there)
    }

    fn arm(desk: &Desk) {
        let placeholder = Placeholder::from_entropy([7; 16]);
        let slot = Arc::new(Slot::bearer());
        let base = base_url("https://api.example.com", Allow::default()).expect("a URL");
        let expected =
            Expected { placeholder: &placeholder, slot: &slot, authority: base.authority() };
        let value = [b"Bearer ", &placeholder.as_bytes()[..]].concat();
        let line = RequestLine { method: "GET", path: "/" };
        let fields = [("authorization", &value[..])];
        let block = FieldBlock::write(line, &fields, &expected, 6).expect("a block");
        desk.arm_block(Armed { placeholder, slot, opener: Arc::new(Fixed) }, block);
    }

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = payload.len() as u32;
        let mut frame = length.to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend_from_slice(payload);
        frame
    }

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    #[tokio::test]
    async fn a_block_takes_the_place_of_the_stacks_however_writes_are_cut() {
        let settings = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]);
        let request = frame(HEADERS, END_HEADERS, 1, b"the stack's own block");
        let data = frame(DATA, END_STREAM, 1, b"body");
        let all = [PREFACE, &settings, &request, &data].concat();
        let mut first: Option<Vec<u8>> = None;
        for cut in 1..all.len() {
            let (mut stream, desk, mut there) = opened();
            arm(&desk);
            for piece in [&all[..cut], &all[cut..]] {
                stream.write_all(piece).await.expect("written");
            }
            stream.flush().await.expect("flushed");
            assert!(desk.released());
            drop(stream);
            let mut left = Vec::new();
            there.read_to_end(&mut left).await.expect("read");
            assert!(left.starts_with(&[PREFACE, &settings].concat()));
            assert!(left.ends_with(&data));
            let text = String::from_utf8_lossy(&left);
            assert!(text.contains("Bearer opened") && !text.contains("own block"), "{text}");
            let block = &left[PREFACE.len() + settings.len()..left.len() - data.len()];
            let length = u32::from_be_bytes([0, block[0], block[1], block[2]]) as usize;
            assert_eq!(length + HEAD_BYTES, block.len());
            assert_eq!(first.get_or_insert_with(|| left.clone()), &left, "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn frames_that_nothing_has_a_reason_to_write_end_the_connection() {
        let request = frame(HEADERS, END_HEADERS, 3, b"x");
        let again = [&request[..], &request].concat();
        let earlier = [&request[..], &frame(HEADERS, END_HEADERS, 1, b"x")].concat();
        for (bad, want) in [
            (frame(9, END_HEADERS, 1, b"x"), StreamError::Frame),
            (frame(5, END_HEADERS, 1, b"x"), StreamError::Frame),
            (frame(77, 0, 0, b"x"), StreamError::Frame),
            (frame(HEADERS, 0, 1, b"x"), StreamError::Frame),
            (frame(HEADERS, END_HEADERS | 0x8, 1, b"x"), StreamError::Frame),
            (frame(HEADERS, END_HEADERS | 0x20, 1, b"x"), StreamError::Frame),
            (frame(HEADERS, END_HEADERS, 2, b"x"), StreamError::Frame),
            (again, StreamError::Frame),
            (earlier, StreamError::Frame),
        ] {
            let (mut stream, desk, _there) = opened();
            arm(&desk);
            let all = [PREFACE, &bad].concat();
            let written = async {
                stream.write_all(&all).await?;
                stream.flush().await
            };
            assert!(written.await.is_err(), "{bad:?}");
            assert_eq!(desk.refused(), Some(want), "{bad:?}");
            assert!(stream.write_all(b"more").await.is_err(), "it is dead");
        }
        // Without a credential armed for it no request leaves.
        let (mut stream, desk, _there) = opened();
        let all = [PREFACE, &request].concat();
        assert!(stream.write_all(&all).await.is_err());
        assert_eq!((desk.refused(), desk.released()), (Some(StreamError::NotArmed), false));
    }
}
