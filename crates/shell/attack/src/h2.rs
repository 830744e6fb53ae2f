//! HTTP/2 written frame by frame (RFC 9113), so that what no client library sends can be sent.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::reply::Reply;

/// One request on stream 1, every field a literal without indexing and without Huffman coding.
pub(crate) fn request(fields: &[(Vec<u8>, Vec<u8>)], body: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        string(&mut block, name);
        string(&mut block, value);
    }
    let mut out = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    frame(&mut out, SETTINGS, 0, 0, &[]);
    let end = if body.is_empty() { END_STREAM } else { 0 };
    let mut blocks = block.chunks(FRAME_BYTES).peekable();
    let (mut kind, mut flags) = (HEADERS, end);
    while let Some(piece) = blocks.next() {
        let last = if blocks.peek().is_none() { END_HEADERS } else { 0 };
        frame(&mut out, kind, flags | last, 1, piece);
        (kind, flags) = (CONTINUATION, 0);
    }
    if !body.is_empty() {
        frame(&mut out, DATA, END_STREAM, 1, body);
    }
    out
}

fn string(out: &mut Vec<u8>, text: &[u8]) {
    // A 7-bit prefix integer (RFC 7541, section 5.1).
    if text.len() < 127 {
        out.push(text.len() as u8);
    } else {
        out.push(127);
        let mut rest = text.len() - 127;
        while rest >= 128 {
            out.push((rest % 128) as u8 | 128);
            rest /= 128;
        }
        out.push(rest as u8);
    }
    out.extend_from_slice(text);
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// Sends a request and reads frames until its stream ends; the bytes are those of DATA, and behind
/// them all frames as they came, for the search.
pub(crate) async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &[u8],
    reply: &mut Reply,
) -> io::Result<()> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut raw = Vec::new();
    let mut data = Vec::new();
    let done = loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).await.is_err() {
            break Ok(());
        }
        let size = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let (kind, flags) = (head[3], head[4]);
        let on_ours = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) == 1;
        let mut payload = vec![0; size];
        if stream.read_exact(&mut payload).await.is_err() {
            break Ok(());
        }
        raw.extend_from_slice(&payload);
        match kind {
            SETTINGS if flags & 1 == 0 => {
                let mut ack = Vec::new();
                frame(&mut ack, SETTINGS, 1, 0, &[]);
                stream.write_all(&ack).await?;
            }
            HEADERS if on_ours && reply.h2_status.is_none() => reply.h2_status = status(&payload),
            DATA if on_ours => data.extend_from_slice(&payload),
            RST_STREAM if on_ours => break Ok(()),
            GOAWAY => break Ok(()),
            _ => {}
        }
        if on_ours && flags & END_STREAM != 0 && matches!(kind, DATA | HEADERS) {
            break Ok(());
        }
        if raw.len() > super::door::REPLY_MAX {
            break Err(io::ErrorKind::InvalidData.into());
        }
    };
    reply.bytes = [data, raw].concat();
    done
}

/// `:status`, which comes first: an index of the static table, or index 8 with three digits.
fn status(block: &[u8]) -> Option<u16> {
    let (first, mut rest) = block.split_first()?;
    // A size update of the dynamic table may stand in front.
    let mut first = *first;
    while first & 0xe0 == 0x20 {
        (first, rest) = rest.split_first().map(|(b, r)| (*b, r))?;
    }
    if let Some(at) = first.checked_sub(0x88).filter(|at| *at < 7) {
        return [200, 204, 206, 304, 400, 404, 500].get(usize::from(at)).copied();
    }
    let (length, rest) = rest.split_first()?;
    let value = rest.get(..usize::from(length & 0x7f))?;
    if length & 0x80 == 0 {
        return std::str::from_utf8(value).ok()?.parse().ok();
    }
    // Huffman: 0, 1 and 2 have five bits, 3 to 9 have six (RFC 7541, appendix B).
    let bits: Vec<u8> = value.iter().flat_map(|b| (0..8).rev().map(move |i| b >> i & 1)).collect();
    let (mut at, mut number) = (0, 0u16);
    for _ in 0..3 {
        let take =
            |n: usize| Some(bits.get(at..at + n)?.iter().fold(0u16, |v, b| v * 2 + u16::from(*b)));
        let digit = match take(5)? {
            short @ 0..=2 => {
                at += 5;
                short
            }
            _ => {
                let long = take(6)?;
                at += 6;
                long.checked_sub(0b011001 - 3).filter(|d| *d < 10)?
            }
        };
        number = number * 10 + digit;
    }
    Some(number)
}

const FRAME_BYTES: usize = 16_384;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read() {
        assert_eq!(status(&[0x88]), Some(200));
        assert_eq!(status(&[0x20, 0x8c]), Some(400));
        assert_eq!(status(b"\x08\x03403"), Some(403));
        // RFC 7541, C.6.1: 302 is 6402.
        assert_eq!(status(&[0x48, 0x82, 0x64, 0x02]), Some(302));
        assert_eq!(status(&[0x48, 0x82, 0x64, 0x0e]), None, "not three digits");
    }

    #[test]
    fn a_request_is_preface_settings_headers_data() {
        let bytes = request(&[(b":method".to_vec(), b"GET".to_vec())], b"x");
        assert_eq!(&bytes[24..33], &[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]);
        assert_eq!(&bytes[33..42], &[0, 0, 13, HEADERS, END_HEADERS, 0, 0, 0, 1]);
        assert_eq!(&bytes[42..55], b"\0\x07:method\x03GET");
        assert_eq!(bytes.last(), Some(&b'x'));
    }
}
