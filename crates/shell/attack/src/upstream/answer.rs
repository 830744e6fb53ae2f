//! One answer on the wire.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::canary::Canary;
use crate::case::Answer;
use crate::text::Words;

pub(super) async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    answer: &Answer,
    words: &Words,
    canary: &Canary,
) -> io::Result<()> {
    let fill = |text: &str| words.bytes(text, Some(canary));
    if answer.hang {
        std::future::pending::<()>().await;
    }
    if let Some(raw) = &answer.raw {
        let raw = fill(raw);
        let piece = if answer.chunk == 0 { raw.len().max(1) } else { answer.chunk };
        for piece in raw.chunks(piece) {
            pause(answer.pace_ms).await;
            stream.write_all(piece).await?;
            stream.flush().await?;
        }
        return Ok(());
    }
    let mut body = fill(&answer.body);
    let mut codings = Vec::new();
    for coding in &answer.encode {
        body = coding.apply(&body)?;
        codings.push(coding.name());
    }
    let mut head = format!("HTTP/1.1 {} Whatever\r\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        head.extend_from_slice(&[&fill(name)[..], b": ", &fill(value), b"\r\n"].concat());
    }
    if !codings.is_empty() {
        head.extend_from_slice(format!("content-encoding: {}\r\n", codings.join(", ")).as_bytes());
    }
    if !answer.keep {
        head.extend_from_slice(b"connection: close\r\n");
    }
    if answer.chunk == 0 {
        head.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        head.extend_from_slice(&body);
        stream.write_all(&head).await?;
        return stream.flush().await;
    }
    if !answer.trailers.is_empty() {
        head.extend_from_slice(b"trailer: x-trailer\r\n");
    }
    head.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n");
    stream.write_all(&head).await?;
    for piece in body.chunks(answer.chunk) {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        stream.write_all(&chunk).await?;
        stream.flush().await?;
        pause(answer.pace_ms).await;
    }
    let mut end = b"0\r\n".to_vec();
    for (name, value) in &answer.trailers {
        end.extend_from_slice(&[&fill(name)[..], b": ", &fill(value), b"\r\n"].concat());
    }
    end.extend_from_slice(b"\r\n");
    stream.write_all(&end).await?;
    stream.flush().await
}

async fn pause(milliseconds: u64) {
    if milliseconds > 0 {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}
