//! What one try came to, as far as another is concerned.

use std::io::ErrorKind;
use std::time::Duration;

use symbolon_capability::catalog::{Effect, Method, Operation};

use super::after::retry_after;
use crate::oauth::names_invalid_token;
use crate::upstream::{Answer, UpstreamError};
use crate::wire::WireError;

/// What a try came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// No byte of the request was handed to the socket.
    Unsent,
    /// The token that went out is refused as invalid: nothing was done (RFC 9110, section 15.5.2).
    Refused,
    /// It may have been done, or may be done later; the upstream wants to be left alone for so long.
    Maybe(Duration),
    /// This is the call's outcome.
    Over,
}

/// Whether a call may be repeated because it changes nothing and its method says so.
pub(crate) fn only_reads(operation: &Operation) -> bool {
    let is_idempotent = matches!(operation.method(), Method::Get | Method::Head);
    is_idempotent && operation.effect() == Effect::Read
}

/// `is_under_key`: an idempotency key went out with an earlier try that may have arrived.
pub(super) fn came(
    answered: &Result<Answer, UpstreamError>,
    is_under_key: bool,
    now_unix_ms: u64,
) -> Came {
    match answered {
        Ok(answer) if answer.status == UNAUTHORIZED && names_invalid_token(&answer.headers) => {
            Came::Refused
        }
        Ok(answer) if AGAIN.contains(&answer.status) => {
            Came::Maybe(retry_after(&answer.headers, now_unix_ms))
        }
        // The service still works on an earlier try.
        Ok(answer) if answer.status == CONFLICT && is_under_key => {
            Came::Maybe(retry_after(&answer.headers, now_unix_ms))
        }
        Err(UpstreamError::Wire(e)) if is_passing(e) && !e.released() => Came::Unsent,
        Err(UpstreamError::Wire(e) | UpstreamError::Redirected(e)) if is_passing(e) => {
            Came::Maybe(Duration::ZERO)
        }
        _ => Came::Over,
    }
}

/// Whether a failure need not be met again. A time-out is not one: what took its whole time is not
/// begun anew.
fn is_passing(error: &WireError) -> bool {
    match error {
        WireError::Connect { .. } | WireError::Reset { .. } => true,
        // A certificate or a version is refused with another kind.
        WireError::Tls { source, .. } => matches!(
            source.kind(),
            ErrorKind::UnexpectedEof
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
        ),
        _ => false,
    }
}

/// RFC 9110: 408, 502 to 504; RFC 8470: 425; RFC 6585: 429.
const AGAIN: [u16; 6] = [408, 425, 429, 502, 503, 504];
const UNAUTHORIZED: u16 = 401;
const CONFLICT: u16 = 409;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Phase;

    fn wire(error: WireError) -> Result<Answer, UpstreamError> {
        Err(UpstreamError::Wire(error))
    }

    fn reset(released: bool) -> WireError {
        WireError::Reset { released, source: None }
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        for status in [200, 201, 301, 400, 401, 403, 404, 409, 500, 501, 505] {
            assert_eq!(came(&Ok(Answer::text(status, "")), false, 0), Came::Over, "{status}");
        }
        for status in [408, 425, 429, 502, 503, 504] {
            let came = came(&Ok(Answer::text(status, "")), false, 0);
            assert_eq!(came, Came::Maybe(Duration::ZERO), "{status}");
        }
        let refused = |status| {
            let mut answer = Answer::text(status, "");
            let value = "Bearer error=\"invalid_token\"".parse().expect("a value");
            answer.headers.insert(http::header::WWW_AUTHENTICATE, value);
            came(&Ok(answer), false, 0)
        };
        assert_eq!([refused(401), refused(403)], [Came::Refused, Came::Over]);
        let conflict = Ok(Answer::text(409, ""));
        assert_eq!(came(&conflict, true, 0), Came::Maybe(Duration::ZERO));
        assert_eq!(came(&wire(reset(false)), false, 0), Came::Unsent);
        assert_eq!(came(&wire(reset(true)), false, 0), Came::Maybe(Duration::ZERO));
        // The credential was out before the redirect, whatever became of what followed.
        let redirected = Err(UpstreamError::Redirected(reset(false)));
        assert_eq!(came(&redirected, false, 0), Came::Maybe(Duration::ZERO));
        for released in [false, true] {
            let late = wire(WireError::Timeout { phase: Phase::Head, released });
            assert_eq!(came(&late, false, 0), Came::Over, "a time-out is the outcome");
        }
        let tls = |kind: ErrorKind| {
            let host = "api.example".to_owned();
            came(&wire(WireError::Tls { host, source: kind.into(), released: false }), false, 0)
        };
        assert_eq!(tls(ErrorKind::UnexpectedEof), Came::Unsent);
        assert_eq!(tls(ErrorKind::InvalidData), Came::Over, "a certificate that is refused");
        assert_eq!(came(&Err(UpstreamError::Stopped), false, 0), Came::Over);
        assert_eq!(came(&Err(UpstreamError::Switched), false, 0), Came::Over);
    }
}
