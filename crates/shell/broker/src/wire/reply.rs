//! An HTTP/1.1 response that holds secrets, taken apart where it lies (RFC 9112).

use symbolon_secret::{MemoryError, Secret};

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Seconds that Retry-After asks for, where it says a number.
    pub retry_after_seconds: Option<u64>,
    /// The body.
    pub body: Secret<[u8]>,
}

/// Why a response cannot be read; never a byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the response is not valid HTTP: {0}")]
pub struct NotHttp(pub &'static str);

/// Reads the response that `bytes` begin with, once it is there whole. `ended`: nothing follows.
///
/// # Errors
/// [`NotHttp`].
pub(super) fn read_reply(bytes: &[u8], ended: bool) -> Result<Option<Reply>, NotHttp> {
    let Some(head) = read_head(bytes)? else { return Ok(None) };
    let rest = &bytes[head.len..];
    let pieces = match head.framing {
        Framing::Length(len) if rest.len() >= len => vec![&rest[..len]],
        Framing::Chunks => match chunks(rest)? {
            Some(pieces) => pieces,
            None => return Ok(None),
        },
        Framing::End if ended => vec![rest],
        Framing::Length(_) | Framing::End => return Ok(None),
    };
    let len = pieces.iter().map(|piece| piece.len()).sum();
    let body = Secret::<[u8]>::try_make_slice(len, |out| {
        let mut at = 0;
        for piece in &pieces {
            out[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
        }
        Ok::<_, MemoryError>(at)
    });
    let body = body.map_err(|_| NotHttp("there is no secret memory for it"))?;
    Ok(Some(Reply { status: head.status, retry_after_seconds: head.retry_after_seconds, body }))
}

struct Head {
    status: u16,
    retry_after_seconds: Option<u64>,
    framing: Framing,
    /// Of it and the interim responses before it.
    len: usize,
}

enum Framing {
    Length(usize),
    Chunks,
    /// The body ends with the connection.
    End,
}

/// The final head, behind any number of interim ones.
fn read_head(bytes: &[u8]) -> Result<Option<Head>, NotHttp> {
    let mut at = 0;
    loop {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(&bytes[at..]).map_err(|_| NotHttp("its head"))?;
        let httparse::Status::Complete(len) = parsed else { return Ok(None) };
        at += len;
        let status = response.code.unwrap_or_default();
        if response.version != Some(1) && response.version != Some(0) {
            return Err(NotHttp("its version"));
        }
        if status == 101 {
            return Err(NotHttp("it changes the protocol"));
        }
        if (100..200).contains(&status) {
            continue;
        }
        let framing = framing(status, response.headers)?;
        let one = |h: &&httparse::Header<'_>| h.name.eq_ignore_ascii_case("retry-after");
        let wait = response.headers.iter().find(one).and_then(|h| number(h.value));
        let retry_after_seconds = wait.map(|n| n as u64);
        return Ok(Some(Head { status, retry_after_seconds, framing, len: at }));
    }
}

/// One framing, or none: what could be read in two ways is refused (RFC 9112, section 6.3).
fn framing(status: u16, headers: &[httparse::Header<'_>]) -> Result<Framing, NotHttp> {
    let (mut length, mut is_chunked) = (None, false);
    for header in headers {
        let value = header.value.trim_ascii();
        if header.name.eq_ignore_ascii_case("content-length") {
            let n = number(value).ok_or(NotHttp("its length"))?;
            if length.replace(n).is_some_and(|before| before != n) {
                return Err(NotHttp("it has two lengths"));
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(NotHttp("its transfer coding"));
            }
            is_chunked = true;
        } else if header.name.eq_ignore_ascii_case("content-encoding")
            && !value.eq_ignore_ascii_case(b"identity")
        {
            return Err(NotHttp("it is encoded, which was not asked for"));
        }
    }
    Ok(match (length, is_chunked) {
        (Some(_), true) => return Err(NotHttp("it has a length and chunks")),
        _ if matches!(status, 204 | 304) => Framing::Length(0),
        (Some(length), false) => Framing::Length(length),
        (None, true) => Framing::Chunks,
        (None, false) => Framing::End,
    })
}

/// The chunks' data; `None` while some are missing. Trailers are dropped.
fn chunks(mut rest: &[u8]) -> Result<Option<Vec<&[u8]>>, NotHttp> {
    let mut pieces = Vec::new();
    loop {
        let parsed = httparse::parse_chunk_size(rest).map_err(|_| NotHttp("a chunk's size"))?;
        let httparse::Status::Complete((used, size)) = parsed else { return Ok(None) };
        rest = &rest[used..];
        if size == 0 {
            let ends = rest.starts_with(b"\r\n") || rest.windows(4).any(|w| w == b"\r\n\r\n");
            return Ok(ends.then_some(pieces));
        }
        let size = usize::try_from(size).map_err(|_| NotHttp("a chunk's size"))?;
        let Some(end) = size.checked_add(2) else { return Err(NotHttp("a chunk's size")) };
        if rest.len() < end {
            return Ok(None);
        }
        if &rest[size..end] != b"\r\n" {
            return Err(NotHttp("a chunk's end"));
        }
        pieces.push(&rest[..size]);
        rest = &rest[end..];
    }
}

/// Digits alone, of a number that fits.
fn number(text: &[u8]) -> Option<usize> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(text).ok()?.parse().ok()).flatten()
}

const HEADERS_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str, ended: bool) -> Result<Option<(u16, Vec<u8>)>, NotHttp> {
        let reply = read_reply(text.as_bytes(), ended)?;
        // EXPOSE: a test's own text.
        Ok(reply.map(|r| (r.status, r.body.expose().to_vec())))
    }

    #[test]
    fn each_framing_gives_the_body_once_it_is_whole() {
        for (text, ended) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", false),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello and more", false),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
                false,
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
                false,
            ),
            ("HTTP/1.1 200 OK\r\n\r\nhello", true),
            (
                "HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
                false,
            ),
        ] {
            assert_eq!(body(text, ended), Ok(Some((200, b"hello".to_vec()))), "{text}");
        }
        let whole = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n0\r\n\r\n";
        for cut in 0..whole.len() {
            assert_eq!(body(&whole[..cut], false), Ok(None), "{cut}");
        }
        assert_eq!(body("HTTP/1.1 200 OK\r\n\r\nhel", false), Ok(None));
        assert_eq!(body("HTTP/1.1 204 No\r\n\r\n", false), Ok(Some((204, vec![]))));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for headers in [
            "content-length: 5\r\ntransfer-encoding: chunked",
            "content-length: 5\r\ncontent-length: 6",
            "content-length: +5",
            "content-length: 99999999999999999999",
            "transfer-encoding: gzip, chunked",
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
            "content-encoding: gzip\r\ncontent-length: 5",
            "bad header",
        ] {
            let text = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\nhello");
            assert!(body(&text, true).is_err(), "{headers}");
        }
        for text in ["HTTP/2 200 OK\r\n\r\n", "nonsense\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n"]
        {
            assert!(body(text, true).is_err(), "{text}");
        }
        let bad_chunk = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhello";
        assert!(body(bad_chunk, false).is_err());
    }

    #[test]
    fn retry_after_is_a_number_of_seconds() {
        let reply = |value: &str| {
            let text =
                format!("HTTP/1.1 503 No\r\nretry-after: {value}\r\ncontent-length: 0\r\n\r\n");
            read_reply(text.as_bytes(), false).unwrap().unwrap().retry_after_seconds
        };
        assert_eq!((reply("7"), reply("Fri, 31 Dec 1999 23:59:59 GMT")), (Some(7), None));
    }
}
