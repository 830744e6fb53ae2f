//! Requests and answers as bytes: a length of four bytes, big-endian, then so many.

use std::io::{self, ErrorKind};

use async_trait::async_trait;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::Codec;

/// The longest request.
pub(crate) const REQUEST_BYTES_MAX: usize = 64 * 1024;
/// The longest answer: 1 MiB of entries, and what stands around them.
pub(crate) const ANSWER_BYTES_MAX: usize = 1536 * 1024;

/// Bytes within bounds; what they mean is for others to say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bytes;

#[async_trait]
impl Codec for Bytes {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, REQUEST_BYTES_MAX).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Vec<u8>>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, ANSWER_BYTES_MAX).await
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &request, REQUEST_BYTES_MAX).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        answer: Vec<u8>,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &answer, ANSWER_BYTES_MAX).await
    }
}

async fn read<T: AsyncRead + Unpin>(io: &mut T, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    io.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length) as usize;
    if length > bytes_max {
        return Err(ErrorKind::InvalidData.into());
    }
    // Grown as bytes come: a length alone takes no memory.
    let mut bytes = Vec::new();
    let read = io.take(length as u64).read_to_end(&mut bytes).await?;
    if read != length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

async fn write<T: AsyncWrite + Unpin>(
    io: &mut T,
    bytes: &[u8],
    bytes_max: usize,
) -> io::Result<()> {
    if bytes.len() > bytes_max {
        return Err(ErrorKind::InvalidInput.into());
    }
    io.write_all(&(bytes.len() as u32).to_be_bytes()).await?;
    io.write_all(bytes).await?;
    io.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::io::Cursor;

    #[test]
    fn what_is_too_long_or_cut_is_refused() {
        let mut written = Cursor::new(Vec::new());
        block_on(write(&mut written, b"abc", 3)).unwrap();
        let bytes = written.into_inner();
        assert_eq!(block_on(read(&mut Cursor::new(&bytes), 3)).unwrap(), b"abc");
        let kind =
            |bytes: &[u8], max| block_on(read(&mut Cursor::new(bytes), max)).unwrap_err().kind();
        assert_eq!(kind(&bytes, 2), ErrorKind::InvalidData);
        assert_eq!(kind(&bytes[..6], 3), ErrorKind::UnexpectedEof);
        assert_eq!(kind(&[0xff; 4], ANSWER_BYTES_MAX), ErrorKind::InvalidData);
        let too_long = block_on(write(&mut Cursor::new(Vec::new()), b"abcd", 3));
        assert_eq!(too_long.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
}
