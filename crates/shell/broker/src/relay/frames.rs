//! WebSocket frames of an upstream (RFC 6455, section 5), searched and written anew.

use symbolon_connector::redact::Redactor;

use super::clean::{Cleaner, Echo};
use crate::upstream::UpstreamError;

/// Takes frames as they come and gives out the same messages without the credential. How a message
/// is cut into frames may change: an extension could mind, and none is agreed.
pub(super) struct Frames {
    cleaner: Cleaner,
    state: State,
    /// The opcode of a message that goes on.
    message: Option<u8>,
    /// Whether its first frame is out.
    is_begun: bool,
    edge: Edge,
    is_closed: bool,
    clean: Vec<u8>,
}

enum State {
    Head { bytes: [u8; HEAD_MAX], have: usize },
    Data { left: u64, is_last: bool },
    Control { opcode: u8, left: usize, payload: Vec<u8> },
}

impl State {
    const START: State = State::Head { bytes: [0; HEAD_MAX], have: 0 };
}

impl Frames {
    pub(super) fn new(cleaner: Cleaner) -> Self {
        Self {
            edge: Edge::new(cleaner.echo().clone()),
            cleaner,
            state: State::START,
            message: None,
            is_begun: false,
            is_closed: false,
            clean: Vec::new(),
        }
    }

    /// Whether the upstream said that it closes.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn cleaner(&self) -> &Cleaner {
        &self.cleaner
    }

    /// Takes `input` and appends to `out` what may pass. After an error nothing more may.
    pub(super) fn push(
        &mut self,
        mut input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), UpstreamError> {
        while !input.is_empty() {
            match &mut self.state {
                State::Head { bytes, have } => {
                    bytes[*have] = input[0];
                    *have += 1;
                    input = &input[1..];
                    if *have >= 2 && *have == head_len(bytes[1]) {
                        let head = *bytes;
                        self.begin(&head, out)?;
                    }
                }
                State::Data { left, is_last } => {
                    let n = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                    let (piece, rest) = input.split_at(n);
                    input = rest;
                    *left -= n as u64;
                    let (is_over, is_last) = (*left == 0, *is_last);
                    self.data(piece, is_over && is_last, out)?;
                    if is_over {
                        self.state = State::START;
                    }
                }
                State::Control { left, payload, .. } => {
                    let n = (*left).min(input.len());
                    payload.extend_from_slice(&input[..n]);
                    input = &input[n..];
                    *left -= n;
                    if *left == 0 {
                        self.control(out)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// A frame's head is complete.
    fn begin(&mut self, head: &[u8; HEAD_MAX], out: &mut Vec<u8>) -> Result<(), UpstreamError> {
        let (is_last, opcode) = (head[0] & 0x80 != 0, head[0] & 0x0f);
        if head[0] & 0x70 != 0 {
            return Err(malformed("it uses an extension that was not agreed"));
        }
        if head[1] & 0x80 != 0 {
            return Err(malformed("a server's frame is masked"));
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b));
        let length = match head[1] {
            126 => number(&head[2..4]),
            127 => number(&head[2..10]),
            short => u64::from(short),
        };
        if length >> 63 != 0 {
            return Err(malformed("a frame has no length"));
        }
        match (opcode, self.message) {
            (8..=10, _) if is_last && length <= CONTROL_MAX => {
                let left = length as usize;
                self.state = State::Control { opcode, left, payload: Vec::with_capacity(left) };
                return if left == 0 { self.control(out) } else { Ok(()) };
            }
            (0, Some(_)) => {}
            (1 | 2, None) => (self.message, self.is_begun) = (Some(opcode), false),
            _ => return Err(malformed("a frame is out of place")),
        }
        if length > 0 {
            self.state = State::Data { left: length, is_last };
            return Ok(());
        }
        self.state = State::START;
        self.data(b"", is_last, out)
    }

    /// A piece of a message, or its end.
    fn data(&mut self, piece: &[u8], ends: bool, out: &mut Vec<u8>) -> Result<(), UpstreamError> {
        let mut clean = std::mem::take(&mut self.clean);
        clean.clear();
        self.cleaner.push(piece, &mut clean)?;
        if ends {
            self.cleaner.finish_message(&mut clean)?;
        }
        if ends || !clean.is_empty() {
            self.edge.pass(&clean)?;
            let opcode = self.message.filter(|_| !self.is_begun).unwrap_or(0);
            write(ends, opcode, &clean, out);
            self.is_begun = true;
        }
        if ends {
            self.message = None;
            self.edge.end();
        }
        self.clean = clean;
        Ok(())
    }

    /// Ping, pong and close are short and pass whole, or not at all.
    fn control(&mut self, out: &mut Vec<u8>) -> Result<(), UpstreamError> {
        let State::Control { opcode, payload, .. } =
            std::mem::replace(&mut self.state, State::START)
        else {
            return Ok(());
        };
        self.edge.end();
        self.edge.pass(&payload)?;
        self.edge.end();
        self.is_closed |= opcode == 8;
        write(true, opcode, &payload, out);
        Ok(())
    }
}

/// Looks for the credential over the borders of messages. What was given out cannot be taken back, so
/// the message that would complete a stretch is not given out, and nothing after it.
pub(super) struct Edge {
    echo: Echo,
    /// The end of what was given out before the border, then the first bytes behind it.
    seen: Vec<u8>,
    border: usize,
    /// The end of all that was given out.
    last: Vec<u8>,
    longest: usize,
}

impl Edge {
    pub(super) fn new(echo: Echo) -> Self {
        let longest = echo.0.pattern.longest();
        Self { echo, seen: Vec::new(), border: 0, last: Vec::new(), longest }
    }

    /// These bytes are about to be given out.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Result<(), UpstreamError> {
        let room = self.longest.saturating_sub(self.seen.len() - self.border).min(bytes.len());
        // Without anything before it, a control frame is still looked at.
        if room > 0 {
            self.seen.extend_from_slice(&bytes[..room]);
            let mut redactor = Redactor::new(self.echo.0.pattern.clone(), &self.echo);
            let mut unused = Vec::with_capacity(self.seen.len());
            redactor.push(&self.seen, &mut unused)?;
            if redactor.finish(&mut unused)?.total() > 0 {
                return Err(UpstreamError::Spread);
            }
        }
        self.last.extend_from_slice(&bytes[bytes.len().saturating_sub(self.longest)..]);
        let surplus = self.last.len().saturating_sub(self.longest);
        self.last.drain(..surplus);
        Ok(())
    }

    /// A border.
    pub(super) fn end(&mut self) {
        self.seen.clear();
        self.seen.extend_from_slice(&self.last);
        self.border = self.seen.len();
    }
}

fn write(is_last: bool, opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(u8::from(is_last) << 7 | opcode);
    match payload.len() {
        short @ 0..=125 => out.push(short as u8),
        medium @ 126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        long => {
            out.push(127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

/// How long a head is, by its second byte; a mask is refused before it is read.
fn head_len(second: u8) -> usize {
    match second & 0x7f {
        126 if second < 0x80 => 4,
        127 if second < 0x80 => HEAD_MAX,
        _ => 2,
    }
}

fn malformed(what: &str) -> UpstreamError {
    UpstreamError::Undecodable(what.to_owned())
}

const HEAD_MAX: usize = 10;
const CONTROL_MAX: u64 = 125;
