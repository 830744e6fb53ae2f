//! Bodies in `aws-chunked` coding, each chunk signed anew as it passes.

use std::sync::Arc;

use symbolon_codec::hex;
use symbolon_crypto::{hmac_under, sha256};
use symbolon_secret::Secret;

use super::aws4::{Aws4, Payload};

/// Takes a body with somebody else's chunk signatures and gives it out with ours, byte for byte as
/// long. A chunk is held until it is complete, because its signature goes before it.
pub struct ChunkSigner {
    aws4: Aws4,
    key: Arc<Secret<[u8; 32]>>,
    /// The signature before: the request's at first.
    previous: String,
    has_trailer: bool,
    state: State,
    held: Vec<u8>,
    trailer: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a chunk's first line.
    Line,
    /// In its bytes and the CR LF behind them: how many are missing.
    Data {
        missing: usize,
    },
    /// Behind the last chunk.
    Trailer,
    Done,
}

/// Why a body cannot be signed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// The first line of a chunk is not `SIZE;chunk-signature=…`.
    #[error("a chunk of the body does not begin with its size and a signature of 64 digits")]
    Line,
    /// A chunk longer than a signer holds.
    #[error("a chunk of the body is longer than 4 MiB")]
    TooLong,
    /// No CR LF behind a chunk's bytes.
    #[error("a chunk of the body does not end where its size says")]
    End,
    /// What comes behind the last chunk.
    #[error("the trailers of the body are malformed, or there should be none")]
    Trailer,
    /// The body ended in the middle.
    #[error("the body ends before its last chunk")]
    CutShort,
}

impl ChunkSigner {
    /// For the body of a request that has this signature.
    pub fn new(
        aws4: Aws4,
        key: Arc<Secret<[u8; 32]>>,
        signature: String,
        payload: &Payload,
    ) -> Self {
        Self {
            aws4,
            key,
            previous: signature,
            has_trailer: *payload == Payload::ChunksAndTrailer,
            state: State::Line,
            held: Vec::new(),
            trailer: Vec::new(),
        }
    }

    /// Takes some of the body and appends to `out` what can go on.
    ///
    /// # Errors
    /// [`ChunkError`]; nothing more may go out then.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ChunkError> {
        while !bytes.is_empty() {
            match self.state {
                State::Line => {
                    let end = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| n + 1);
                    self.held.extend_from_slice(&bytes[..end]);
                    bytes = &bytes[end..];
                    if self.held.len() > LINE_BYTES_MAX {
                        return Err(ChunkError::Line);
                    }
                    if self.held.ends_with(b"\n") {
                        let size = size(&self.held)?;
                        if size == 0 {
                            self.chunk(&[], out);
                            self.state = State::Trailer;
                        } else {
                            self.state = State::Data { missing: size + 2 };
                        }
                        self.held.clear();
                    }
                }
                State::Data { missing } => {
                    let now = missing.min(bytes.len());
                    self.held.extend_from_slice(&bytes[..now]);
                    bytes = &bytes[now..];
                    self.state = State::Data { missing: missing - now };
                    if missing == now {
                        let held = std::mem::take(&mut self.held);
                        let data = held.strip_suffix(b"\r\n").ok_or(ChunkError::End)?;
                        self.chunk(data, out);
                        out.extend_from_slice(b"\r\n");
                        self.state = State::Line;
                    }
                }
                State::Trailer => {
                    self.trailer.extend_from_slice(bytes);
                    bytes = &[];
                    if self.trailer.len() > TRAILER_BYTES_MAX {
                        return Err(ChunkError::Trailer);
                    }
                    if self.trailer == b"\r\n" || self.trailer.ends_with(b"\r\n\r\n") {
                        self.trailers(out)?;
                        self.state = State::Done;
                    }
                }
                State::Done => return Err(ChunkError::Trailer),
            }
        }
        Ok(())
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// [`ChunkError::CutShort`].
    pub fn finish(self) -> Result<(), ChunkError> {
        if self.state == State::Done { Ok(()) } else { Err(ChunkError::CutShort) }
    }

    /// One chunk's first line and bytes.
    fn chunk(&mut self, data: &[u8], out: &mut Vec<u8>) {
        let text = [
            "AWS4-HMAC-SHA256-PAYLOAD\n",
            self.aws4.timestamp(),
            "\n",
            &self.aws4.scope(),
            "\n",
            &self.previous,
            "\n",
            &sha256(b"").to_string(),
            "\n",
            &sha256(data).to_string(),
        ]
        .concat();
        self.previous = hex::encode(hmac_under(&self.key, &[text.as_bytes()]));
        out.extend_from_slice(
            format!("{:x};chunk-signature={}\r\n", data.len(), self.previous).as_bytes(),
        );
        out.extend_from_slice(data);
    }

    /// What comes behind the last chunk: nothing, or trailers and their signature.
    fn trailers(&mut self, out: &mut Vec<u8>) -> Result<(), ChunkError> {
        let trailer = std::mem::take(&mut self.trailer);
        if !self.has_trailer {
            let is_empty = trailer == b"\r\n";
            out.extend_from_slice(b"\r\n");
            return if is_empty { Ok(()) } else { Err(ChunkError::Trailer) };
        }
        let text = std::str::from_utf8(&trailer).map_err(|_| ChunkError::Trailer)?;
        let mut signed = String::new();
        for line in text.trim_end_matches("\r\n").split("\r\n") {
            let (name, value) = line.split_once(':').ok_or(ChunkError::Trailer)?;
            let is_plain = |s: &str| s.bytes().all(|b| (0x20..0x7f).contains(&b));
            if name.is_empty() || name.contains(' ') || !is_plain(line) {
                return Err(ChunkError::Trailer);
            }
            let name = name.to_ascii_lowercase();
            if name == "x-amz-trailer-signature" {
                continue;
            }
            signed.push_str(&format!("{name}:{}\n", value.trim()));
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        let text = [
            "AWS4-HMAC-SHA256-TRAILER\n",
            self.aws4.timestamp(),
            "\n",
            &self.aws4.scope(),
            "\n",
            &self.previous,
            "\n",
            &sha256(signed.as_bytes()).to_string(),
        ]
        .concat();
        let signature = hex::encode(hmac_under(&self.key, &[text.as_bytes()]));
        out.extend_from_slice(format!("x-amz-trailer-signature:{signature}\r\n\r\n").as_bytes());
        Ok(())
    }
}

impl std::fmt::Debug for ChunkSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkSigner").field("state", &self.state).finish_non_exhaustive()
    }
}

/// The size in `SIZE;chunk-signature=<64 hex digits>\r\n`, without leading zeros, so that what goes
/// out is as long as what came.
fn size(line: &[u8]) -> Result<usize, ChunkError> {
    let line = line.strip_suffix(b"\r\n").ok_or(ChunkError::Line)?;
    let line = std::str::from_utf8(line).map_err(|_| ChunkError::Line)?;
    let (digits, rest) = line.split_once(';').ok_or(ChunkError::Line)?;
    let signature = rest.strip_prefix("chunk-signature=").ok_or(ChunkError::Line)?;
    let is_hex = |s: &str| s.bytes().all(|b| b.is_ascii_hexdigit());
    let fits = signature.len() == 64 && is_hex(signature);
    let plain = (1..=8).contains(&digits.len()) && is_hex(digits);
    if !fits || !plain || (digits.starts_with('0') && digits != "0") {
        return Err(ChunkError::Line);
    }
    let size = usize::from_str_radix(digits, 16).map_err(|_| ChunkError::Line)?;
    if size > CHUNK_BYTES_MAX { Err(ChunkError::TooLong) } else { Ok(size) }
}

const CHUNK_BYTES_MAX: usize = 4 * 1024 * 1024;
const LINE_BYTES_MAX: usize = 128;
const TRAILER_BYTES_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const SEED: &str = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";

    fn signer(payload: &Payload) -> ChunkSigner {
        // 2013-05-24T00:00:00Z
        let aws4 = Aws4::new(1_369_353_600_000, "us-east-1", "s3");
        let key = Arc::new(aws4.key(KEY));
        ChunkSigner::new(aws4, key, SEED.to_owned(), payload)
    }

    fn body(chunks: &[(usize, &str)]) -> Vec<u8> {
        let mut out = Vec::new();
        for (size, signature) in chunks {
            out.extend_from_slice(format!("{size:x};chunk-signature={signature}\r\n").as_bytes());
            if *size > 0 {
                out.extend(std::iter::repeat_n(b'a', *size));
                out.extend_from_slice(b"\r\n");
            }
        }
        out
    }

    /// Amazon S3 API reference, "Signature calculations ... transferring payload in multiple
    /// chunks": the worked example, a body of 65 KiB of `a`.
    #[test]
    fn the_chunks_of_the_reference_however_split() {
        let theirs = "0".repeat(64);
        let mut input = body(&[(65536, &theirs), (1024, &theirs), (0, &theirs)]);
        input.extend_from_slice(b"\r\n");
        let mut want = body(&[
            (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
            (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
            (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
        ]);
        want.extend_from_slice(b"\r\n");
        for piece in [1, 7, 1000, 70_000] {
            let (mut signer, mut out) = (signer(&Payload::Chunks), Vec::new());
            for bytes in input.chunks(piece) {
                signer.push(bytes, &mut out).unwrap();
            }
            signer.finish().unwrap();
            assert!(out == want && out.len() == input.len(), "pieces of {piece}");
        }
    }

    #[test]
    fn trailers_are_signed_and_a_callers_signature_is_dropped() {
        let theirs = "f".repeat(64);
        let mut input = body(&[(3, &theirs), (0, &theirs)]);
        input.extend_from_slice(b"x-amz-checksum-crc32:AAAAAA==\r\n");
        input.extend_from_slice(format!("x-amz-trailer-signature:{theirs}\r\n\r\n").as_bytes());
        let (mut signer, mut out) = (signer(&Payload::ChunksAndTrailer), Vec::new());
        signer.push(&input, &mut out).unwrap();
        signer.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.len(), input.len());
        assert!(!text.contains(&theirs) && text.matches("x-amz-trailer-signature:").count() == 1);
    }

    #[test]
    fn a_malformed_body_is_refused() {
        use ChunkError::*;
        let sig = "0".repeat(64);
        let last = format!("0;chunk-signature={sig}\r\n");
        for (input, error) in [
            ("3\r\nabc\r\n".to_owned(), Line),
            (format!("3;chunk-signature={}\r\n", &sig[1..]), Line),
            (format!("03;chunk-signature={sig}\r\n"), Line),
            (format!("-3;chunk-signature={sig}\r\n"), Line),
            (format!("3;chunk-signature={sig};x=y\r\n"), Line),
            (format!("3;chunk-signature={sig}\n"), Line),
            (format!("400001;chunk-signature={sig}\r\n"), TooLong),
            (format!("ffffffff;chunk-signature={sig}\r\n"), TooLong),
            ("a".repeat(200), Line),
            (format!("3;chunk-signature={sig}\r\nabcde"), End),
            (format!("{last}x-a:b\r\n\r\n"), Trailer),
            (format!("{last}\r\nmore"), Trailer),
            (format!("{last}\r\n\r\n"), Trailer),
        ] {
            let (mut signer, mut out) = (signer(&Payload::Chunks), Vec::new());
            let pushed = input.as_bytes().chunks(1).try_for_each(|b| signer.push(b, &mut out));
            assert_eq!(pushed, Err(error), "{input:?}");
        }
        let (mut signer, mut out) = (signer(&Payload::Chunks), Vec::new());
        signer.push(format!("3;chunk-signature={sig}\r\nab").as_bytes(), &mut out).unwrap();
        assert!(out.is_empty());
        assert_eq!(signer.finish(), Err(CutShort));
    }
}
