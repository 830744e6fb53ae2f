//! A request body on its way out: whole, or a program's as it comes.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use symbolon_codec::Digest32;
use symbolon_crypto::Sha256;

/// Any error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that a program sends.
pub type ProgramBody = UnsyncBoxBody<Bytes, BoxError>;

/// The body of one request.
pub enum OutBody {
    /// All of it; `None` once it was taken, and for no body.
    Whole(Option<Bytes>),
    /// As it comes.
    Streamed(Box<Streamed>),
}

impl Default for OutBody {
    fn default() -> Self {
        Self::Whole(None)
    }
}

impl From<Bytes> for OutBody {
    fn from(bytes: Bytes) -> Self {
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }
}

/// A program's body, counted and hashed while it leaves. Its trailers stay behind.
pub struct Streamed {
    body: ProgramBody,
    left_bytes: u64,
    tally: Arc<Tally>,
}

impl Streamed {
    /// At most `bytes_max` of `body`, written down in `tally`.
    pub fn new(body: ProgramBody, bytes_max: u64, tally: Arc<Tally>) -> Self {
        Self { body, left_bytes: bytes_max, tally }
    }
}

/// What has left of a streamed body.
#[derive(Default)]
pub struct Tally(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    bytes: u64,
    hash: Sha256,
    broke: Option<Broke>,
}

/// Why a program's body did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Broke {
    /// The program went away, or sent what is no body.
    #[error("the program's request body broke off")]
    Off,
    /// Longer than the bound.
    #[error("the program's request body is longer than its bound")]
    TooLong,
}

impl Tally {
    /// Bytes that left, and their SHA-256.
    pub fn sent(&self) -> (u64, Digest32) {
        let counted = self.lock();
        (counted.bytes, counted.hash.clone().finish())
    }

    /// What ended the body early.
    pub fn broke(&self) -> Option<Broke> {
        self.lock().broke
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Streamed {
    fn broke(&self, how: Broke) -> Poll<Option<Result<Frame<Bytes>, Broke>>> {
        self.tally.lock().broke = Some(how);
        Poll::Ready(Some(Err(how)))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broke>>> {
        loop {
            let data = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Err(_)) => return self.broke(Broke::Off),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.is_empty() => continue,
                    Ok(data) => data,
                    Err(_) => continue,
                },
            };
            let Some(left) = self.left_bytes.checked_sub(data.len() as u64) else {
                return self.broke(Broke::TooLong);
            };
            self.left_bytes = left;
            let mut counted = self.tally.lock();
            counted.bytes += data.len() as u64;
            counted.hash.update(&data);
            drop(counted);
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
    }
}

impl Body for OutBody {
    type Data = Bytes;
    type Error = Broke;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broke>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Streamed(streamed) => streamed.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Streamed(streamed) => streamed.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Streamed(streamed) => streamed.body.size_hint(),
        }
    }
}

impl std::fmt::Debug for OutBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Whole(_) => "Whole",
            Self::Streamed(_) => "Streamed",
        })
    }
}
