//! One HTTP/1.1 request after the other on a connection, each answer timed and looked at.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::BenchError;
use crate::meter::Meter;

/// The request of a case, and the only answer that is right.
pub(crate) struct Asked {
    /// Head and body, as sent.
    pub(crate) request: String,
    /// With status 200.
    pub(crate) body: &'static str,
}

/// Sends `count` requests over all of `streams`, on each one after the other, and tells whether
/// every answer was right. Without a meter nothing is timed.
///
/// # Errors
/// A connection that ends, and a case that is too slow to be measured.
pub(crate) async fn drive<S>(
    streams: Vec<S>,
    asked: Arc<Asked>,
    count: usize,
    meter: Option<Arc<Meter>>,
) -> Result<bool, BenchError>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let each = (count / streams.len().max(1)).max(1);
    let set = tokio::task::LocalSet::new();
    set.run_until(async move {
        let tasks: Vec<_> = streams
            .into_iter()
            .map(|stream| {
                tokio::task::spawn_local(exchange(stream, asked.clone(), each, meter.clone()))
            })
            .collect();
        let mut correct = true;
        for task in tasks {
            let done = tokio::time::timeout(RUNS, task)
                .await
                .map_err(|_| BenchError::new("too slow to be measured"))?;
            correct &= done.map_err(BenchError::new)??;
        }
        Ok(correct)
    })
    .await
}

async fn exchange<S>(
    mut stream: S,
    asked: Arc<Asked>,
    count: usize,
    meter: Option<Arc<Meter>>,
) -> Result<bool, BenchError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut correct, mut buffer) = (true, Vec::with_capacity(4096));
    for _ in 0..count {
        let start = Instant::now();
        stream.write_all(asked.request.as_bytes()).await?;
        stream.flush().await?;
        buffer.clear();
        let is_right = loop {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(BenchError::new("the other side closed the connection"));
            }
            if let Some(body) = whole(&buffer) {
                break buffer.starts_with(b"HTTP/1.1 200") && *body == *asked.body.as_bytes();
            }
        };
        if let Some(meter) = &meter {
            meter.record(start);
        }
        correct &= is_right;
    }
    Ok(correct)
}

/// The body of a complete response, by its Content-Length or its chunks (RFC 9112, section 6.3).
pub(crate) fn whole(response: &[u8]) -> Option<Cow<'_, [u8]>> {
    let end = response.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&response[..end]).ok()?.to_ascii_lowercase();
    let rest = &response[end..];
    let Some(length) = head.split("\r\ncontent-length:").nth(1) else {
        return chunks(rest).map(Cow::Owned);
    };
    let length = length.lines().next()?.trim().parse::<usize>().ok()?;
    rest.get(..length).map(Cow::Borrowed)
}

/// What all chunks hold together; none where the last is not there yet.
fn chunks(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|w| w == b"\r\n")?;
        let size = std::str::from_utf8(&rest[..line]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        let chunk = rest.get(line + 2..)?.get(..size)?;
        let after = rest.get(line + 2 + size..)?;
        rest = after.strip_prefix(b"\r\n")?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(chunk);
    }
}

const RUNS: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_whole_when_its_last_byte_is_there() {
        let plain = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n";
        for response in [&plain[..], chunked] {
            assert_eq!(whole(response).as_deref(), Some(&b"abc"[..]));
            for cut in 0..response.len() {
                assert_eq!(whole(&response[..cut]), None, "at {cut}");
            }
        }
    }
}
