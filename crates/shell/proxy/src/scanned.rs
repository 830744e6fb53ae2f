//! A program's body and trailers on their way, searched for placeholders, which never belong there.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::run::Run;

/// Ends with an error, and with nothing of the piece that showed it, where a placeholder is found;
/// also across the borders of pieces.
///
/// Dropped before its end, it goes on to read for a moment: a program that is still sending would
/// see a broken stream in place of the refusal.
pub(crate) struct Scanned<B: ProgramBody = Incoming> {
    body: Option<B>,
    run: Arc<Run>,
    /// The last bytes before, in which one may have begun.
    tail: Vec<u8>,
    found: Found,
}

/// A body of a program.
pub(crate) trait ProgramBody:
    Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin + Send + 'static
{
}

impl<B> ProgramBody for B where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Unpin
        + Send
        + 'static
{
}

impl<B: ProgramBody> Drop for Scanned<B> {
    fn drop(&mut self) {
        let unread = self.body.take().filter(|body| !body.is_end_stream());
        if let (Some(mut body), Ok(runtime)) = (unread, tokio::runtime::Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(UNREAD, async move {
                let mut left = UNREAD_BYTES_MAX;
                while let Some(Ok(frame)) = body.frame().await {
                    let bytes = frame.data_ref().map_or(0, Bytes::len);
                    let Some(rest) = left.checked_sub(bytes) else { return };
                    left = rest;
                }
            }));
        }
    }
}

const UNREAD: Duration = Duration::from_secs(5);
const UNREAD_BYTES_MAX: usize = 32 << 20;

/// The connection whose placeholder was found.
pub(crate) type Found = Arc<OnceLock<String>>;

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScanError {
    /// The program broke off.
    #[error("the program's body broke off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A placeholder stands in it.
    #[error("a placeholder stands in the body")]
    Placeholder,
}

impl<B: ProgramBody> Scanned<B> {
    pub(crate) fn new(body: B, run: Arc<Run>, found: Found) -> Self {
        Self { body: Some(body), run, tail: Vec::new(), found }
    }

    fn look_at(&mut self, frame: &Frame<Bytes>) -> Result<(), ScanError> {
        if let Some(data) = frame.data_ref() {
            return self.look(data);
        }
        let trailers = frame.trailers_ref();
        match trailers.and_then(|all| self.run.references.found_in_headers(all)) {
            Some(connection) => {
                let _ = self.found.set(connection.to_owned());
                Err(ScanError::Placeholder)
            }
            None => Ok(()),
        }
    }

    fn look(&mut self, data: &[u8]) -> Result<(), ScanError> {
        let references = &self.run.references;
        let keep = references.longest().saturating_sub(1);
        let mut seen = references.found_in(data);
        if seen.is_none() && !self.tail.is_empty() {
            self.tail.extend_from_slice(&data[..data.len().min(keep)]);
            seen = references.found_in(&self.tail);
            let before = self.tail.len() - data.len().min(keep);
            self.tail.truncate(before);
        }
        if let Some(connection) = seen {
            let _ = self.found.set(connection.to_owned());
            return Err(ScanError::Placeholder);
        }
        if data.len() >= keep {
            self.tail.clear();
            self.tail.extend_from_slice(&data[data.len() - keep..]);
        } else {
            self.tail.extend_from_slice(data);
            let over = self.tail.len().saturating_sub(keep);
            self.tail.drain(..over);
        }
        Ok(())
    }
}

impl<B: ProgramBody> Body for Scanned<B> {
    type Data = Bytes;
    type Error = ScanError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ScanError>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        let looked = match frame {
            None => return Poll::Ready(None),
            Some(Err(error)) => Err(ScanError::Body(error.into())),
            Some(Ok(frame)) => this.look_at(&frame).map(|()| frame),
        };
        Poll::Ready(Some(looked))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use symbolon_ambient::SeededRng;
    use symbolon_broker::{Door, Session};
    use symbolon_capability::AgentName;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::run::References;

    const PLACEHOLDER: &str = "symref_0123456789Abcdef";

    struct Pieces(VecDeque<Frame<Bytes>>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(Ok))
        }
    }

    fn run() -> Arc<Run> {
        let agent = AgentName::parse("a").unwrap();
        Arc::new(Run {
            name: "0".to_owned(),
            session: Arc::new(Session::make(agent, Door::Proxy, &SeededRng::new(1))),
            rules: Vec::new(),
            references: References::new(vec![("github".to_owned(), PLACEHOLDER.to_owned())]),
            ended: tokio_util::sync::CancellationToken::new(),
            places: Arc::new(Semaphore::new(1)),
            folder: std::path::PathBuf::new(),
        })
    }

    async fn collect(text: &[u8], size: usize) -> Result<Vec<u8>, String> {
        let pieces = text.chunks(size).map(|piece| Frame::data(Bytes::copy_from_slice(piece)));
        let found = Found::default();
        let body = Scanned::new(Pieces(pieces.collect()), run(), found.clone());
        let all = body.collect().await;
        all.map(|all| all.to_bytes().to_vec()).map_err(|_| found.get().cloned().unwrap_or_default())
    }

    #[tokio::test]
    async fn a_placeholder_is_found_in_a_trailer() {
        use http::header::{HeaderMap, HeaderName, HeaderValue};
        let trailer = |name: String, value: &str| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
        };
        for (trailers, is_found) in [
            (trailer("x-note".into(), PLACEHOLDER), true),
            (trailer(format!("X-{PLACEHOLDER}").to_uppercase(), "1"), true),
            (trailer("x-note".into(), &PLACEHOLDER[1..]), false),
        ] {
            let frames = [Frame::data(Bytes::from_static(b"text")), Frame::trailers(trailers)];
            let found = Found::default();
            let all = Scanned::new(Pieces(frames.into()), run(), found.clone()).collect().await;
            assert_eq!(all.is_err(), is_found);
            assert_eq!(found.get().map(String::as_str), is_found.then_some("github"));
        }
    }

    #[tokio::test]
    async fn a_placeholder_is_found_however_a_body_is_cut() {
        let text = format!("{}{PLACEHOLDER}{}", "x".repeat(40), "y".repeat(40));
        let near = text.replace("bcdef", "bcdeF");
        for size in 1..text.len() {
            let found = collect(text.as_bytes(), size).await;
            assert_eq!(found, Err("github".to_owned()), "in pieces of {size}");
            assert_eq!(collect(near.as_bytes(), size).await, Ok(near.clone().into_bytes()));
        }
    }

    #[tokio::test]
    async fn so_is_that_of_a_minted_credential() {
        let text = "x".repeat(50) + "symmint_0123456789abcdefghijklmnopqrstuv" + &"y".repeat(50);
        for size in 1..text.len() {
            let found = collect(text.as_bytes(), size).await;
            assert_eq!(found, Err(crate::run::MINTED.to_owned()), "in pieces of {size}");
        }
        let near = text.replace("symmint_0", "symmint_-");
        assert_eq!(collect(near.as_bytes(), 7).await, Ok(near.into_bytes()));
    }
}
