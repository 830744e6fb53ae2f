//! Bodies that are secret: read frame by frame into a secret page.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::BoxError;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use symbolon_broker::CallError;
use symbolon_secret::Secret;
use tokio::time::timeout;

use crate::http::failure::failure;

/// The body of a request, taken once.
#[derive(Clone)]
pub(in crate::http) struct SecretBody(Arc<Mutex<Option<Secret<[u8]>>>>);

impl SecretBody {
    pub(in crate::http) fn new(body: Secret<[u8]>) -> Self {
        Self(Arc::new(Mutex::new(Some(body))))
    }

    /// The body; none where it was taken before.
    pub(super) fn take(&self) -> Option<Secret<[u8]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Reads a body to its end. What passes through the buffers of HTTP is wiped when they are freed.
///
/// # Errors
/// 413, 408 or 400 for the body itself.
pub(in crate::http) async fn read<In>(body: In, within: Duration) -> Result<Secret<[u8]>, CallError>
where
    In: hyper::body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
{
    let reading = async {
        let mut page = Secret::make_slice(SECRET_BYTES_MAX, |_| {});
        let (mut body, mut len) = (std::pin::pin!(body), 0);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| bad("The body broke off."))?;
            let Ok(data) = frame.into_data() else { continue };
            // EXPOSE: filled in place.
            let Some(place) = page.expose_mut().get_mut(len..len + data.len()) else {
                return Err(too_large());
            };
            place.copy_from_slice(&data);
            len += data.len();
        }
        // EXPOSE: cut to its length, from page to page.
        Ok(Secret::make_slice(len, |out| out.copy_from_slice(&page.expose()[..len])))
    };
    timeout(within, reading).await.unwrap_or_else(|_| {
        let says = "The body did not come in time.";
        Err(failure("slow_body", StatusCode::REQUEST_TIMEOUT, says, None))
    })
}

/// A line of JSON and, behind its line end, the credential.
///
/// # Errors
/// `bad_request` where there is no line end. What follows may be empty: the broker says what it wants.
pub(super) fn split(body: &Secret<[u8]>) -> Result<(Vec<u8>, Secret<[u8]>), CallError> {
    // EXPOSE: the line is not secret; what follows it goes from page to page.
    let bytes = body.expose();
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return Err(bad("The body is a line of JSON, and the credential behind it."));
    };
    let credential = &bytes[end + 1..];
    let kept = Secret::make_slice(credential.len(), |out| out.copy_from_slice(credential));
    Ok((bytes[..end].to_vec(), kept))
}

fn bad(says: &str) -> CallError {
    failure("bad_request", StatusCode::BAD_REQUEST, says, None)
}

fn too_large() -> CallError {
    let says = format!("The body is larger than {SECRET_BYTES_MAX} bytes.");
    failure("too_large", StatusCode::PAYLOAD_TOO_LARGE, says, None)
}

/// A line that describes a connection, a root certificate in it perhaps, and a credential.
const SECRET_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    async fn of(bytes: Vec<u8>) -> Result<Secret<[u8]>, CallError> {
        read(Full::new(Bytes::from(bytes)), Duration::from_secs(5)).await
    }

    #[tokio::test]
    async fn a_body_is_cut_to_its_length_and_bounded() {
        let body = of(b"{\"service\":\"x\"}\nsecret\nwith a line".to_vec()).await.unwrap();
        let (line, credential) = split(&body).unwrap();
        assert_eq!(line, b"{\"service\":\"x\"}");
        assert_eq!(credential.expose(), b"secret\nwith a line");
        assert_eq!(of(vec![b'x'; SECRET_BYTES_MAX]).await.unwrap().len(), SECRET_BYTES_MAX);
        assert_eq!(of(vec![b'x'; SECRET_BYTES_MAX + 1]).await.unwrap_err().http_status, 413);
        assert!(split(&of(b"no line".to_vec()).await.unwrap()).is_err());
    }
}
