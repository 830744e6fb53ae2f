//! What a program hears when it does not get through.

use bytes::Bytes;
use http::header::{
    ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use symbolon_broker::CallError;
use symbolon_capability::url::Authority;

use crate::relay::Body;
use crate::run::MINTED;

/// A refusal of the proxy's own, or of the broker.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    error: Box<CallError>,
    challenge: Option<(HeaderName, &'static str)>,
}

/// What a placeholder was found to stand for.
fn whose(connection: &str) -> String {
    match connection {
        MINTED => "a minted credential".to_owned(),
        connection => format!("the connection {connection}"),
    }
}

impl Refusal {
    /// With the status, a word for programs, a sentence and the next step.
    pub(crate) fn new(
        status: StatusCode,
        code: &str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        let error = CallError::caller(code, message).status(status.as_u16()).next(next);
        Self { error: Box::new(error), challenge: None }
    }

    /// Neither this run's password nor any.
    pub(crate) fn not_a_run() -> Self {
        let refusal = Self::new(
            StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            "proxy_authorization",
            "this proxy serves programs that run under `symbolon run`, with the password of their run",
            "symbolon run -- COMMAND",
        );
        Self { challenge: Some((PROXY_AUTHENTICATE, "Basic realm=\"symbolon run\"")), ..refusal }
    }

    /// The run is over.
    pub(crate) fn ended() -> Self {
        let what = "the run that this program belongs to has ended";
        Self::new(StatusCode::FORBIDDEN, "run_ended", what, "symbolon run -- COMMAND")
    }

    /// A request without its placeholder. Clients that send credentials only when asked to are asked.
    pub(crate) fn no_placeholder(connection: &str, challenge: Option<&'static str>) -> Self {
        let what = format!(
            "the request does not carry the placeholder of the connection {connection}, which \
             stands in this run's environment"
        );
        let next = format!("send the value of $SYMREF_{}", variable(connection));
        let refusal = Self::new(StatusCode::UNAUTHORIZED, "no_placeholder", what, next);
        Self { challenge: challenge.map(|c| (WWW_AUTHENTICATE, c)), ..refusal }
    }

    /// A stable word.
    pub(crate) fn code(&self) -> &str {
        &self.error.code
    }

    /// No connection leads there, and no rule.
    pub(crate) fn no_connection(to: &Authority) -> Self {
        let what =
            format!("no connection leads to {}, and no rule of this run lets it pass", to.as_str());
        let next = format!("symbolon run --pass-through {} -- COMMAND", to.as_str());
        Self::new(StatusCode::FORBIDDEN, "no_connection", what, next)
    }

    /// A connection leads to the host, and not to the path.
    pub(crate) fn no_path(to: &Authority) -> Self {
        let what = format!("no connection leads to this path of {}", to.as_str());
        Self::new(StatusCode::FORBIDDEN, "no_connection", what, "symbolon connections")
    }

    /// A rule admits the host, and passing through is for TLS.
    pub(crate) fn plain(to: &Authority) -> Self {
        let what = format!("{} passes through over TLS alone", to.as_str());
        Self::new(StatusCode::FORBIDDEN, "plaintext", what, "use https")
    }

    /// A host whose addresses the rule does not open.
    pub(crate) fn blocked(to: &Authority, why: &dyn std::fmt::Display) -> Self {
        let what = format!("{}: {why}", to.as_str());
        let next = "name the address itself, if it is meant: --pass-through ADDRESS:PORT";
        Self::new(StatusCode::FORBIDDEN, "blocked_address", what, next)
    }

    /// Nobody there.
    pub(crate) fn unreachable(to: &Authority, why: &dyn std::fmt::Display) -> Self {
        let what = format!("{} cannot be reached: {why}", to.as_str());
        Self::new(StatusCode::BAD_GATEWAY, "unreachable", what, "call again later")
    }

    /// The slot holds what is no placeholder of this run.
    pub(crate) fn foreign(connection: &str) -> Self {
        let what = format!(
            "the place of the credential holds something else than this run's placeholder of the \
             connection {connection}"
        );
        let next = format!("send the value of $SYMREF_{}", variable(connection));
        Self::new(StatusCode::FORBIDDEN, "foreign_credential", what, next)
    }

    /// A placeholder where none belongs.
    pub(crate) fn elsewhere(connection: &str, to: &Authority) -> Self {
        let what = format!(
            "the placeholder of {} stands where {} does not take a credential; it is replaced in its \
             connection's own place alone",
            whose(connection),
            to.as_str()
        );
        Self::new(StatusCode::FORBIDDEN, "placeholder_elsewhere", what, "symbolon connections")
    }

    /// A placeholder in a body.
    pub(crate) fn in_body(connection: &str, receipt: Option<u64>) -> Self {
        let what = format!(
            "the placeholder of {} stands in the body, where it is never replaced",
            whose(connection)
        );
        let mut refusal =
            Self::new(StatusCode::FORBIDDEN, "placeholder_elsewhere", what, "symbolon connections");
        refusal.error.receipt = receipt;
        refusal
    }

    /// The authority of a request is not that of its tunnel.
    pub(crate) fn misdirected(to: &Authority) -> Self {
        let what = format!("the tunnel leads to {}, and the request names another", to.as_str());
        let next = "send the host once, and the same";
        Self::new(StatusCode::MISDIRECTED_REQUEST, "misdirected", what, next)
    }

    /// A target that names no host.
    pub(crate) fn bad_authority() -> Self {
        let what = "the target names no host that can be reached";
        Self::new(StatusCode::BAD_REQUEST, "bad_target", what, "CONNECT HOST:PORT")
    }

    /// Not a request to a proxy.
    pub(crate) fn not_for_us() -> Self {
        let what = "this is a proxy: requests come by CONNECT or in absolute form";
        Self::new(StatusCode::BAD_REQUEST, "bad_target", what, "symbolon run -- COMMAND")
    }

    /// A method or upgrade that is not offered.
    pub(crate) fn bad_method() -> Self {
        let what = "this method or protocol is not offered";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "bad_method", what, "symbolon tools search WORD")
    }

    /// Too many connections of one run.
    pub(crate) fn too_many() -> Self {
        let what = "the run has too many connections at once";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_connections", what, "close some")
    }

    /// A body beyond the bound.
    pub(crate) fn body_too_large() -> Self {
        let what = "the body is longer than this operation takes";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", what, "send less")
    }

    /// A body that stopped half way.
    pub(crate) fn body_broke() -> Self {
        let what = "the body ended before its end";
        Self::new(StatusCode::BAD_REQUEST, "body_broke", what, "send it again")
    }

    /// A body that took too long.
    pub(crate) fn body_slow() -> Self {
        let what = "the body did not come in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "body_slow", what, "send it again")
    }

    /// As HTTP: JSON where the client reads that, else two lines of text.
    pub(crate) fn into_response(self, is_json: bool) -> Response<Body> {
        let error = self.error;
        let (kind, text) = if is_json {
            let told = Told {
                error: &error.message,
                message: &error.message,
                code: &error.code,
                next: error.next.as_deref(),
                receipt: error.receipt,
            };
            ("application/json", told.to_json())
        } else {
            let mut text = format!("symbolon: {}\n", error.message);
            if let Some(next) = &error.next {
                text.push_str(&format!("next: {next}\n"));
            }
            ("text/plain; charset=utf-8", text)
        };
        let mut response = Response::new(Body::Left(Full::new(Bytes::from(text))));
        *response.status_mut() =
            StatusCode::from_u16(error.http_status).unwrap_or(StatusCode::FORBIDDEN);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Ok(code) = HeaderValue::from_str(&error.code) {
            headers.insert(REFUSED, code);
        }
        if let Some(receipt) = error.receipt {
            headers.insert(RECEIPT, receipt.into());
        }
        if let Some(seconds) = error.retry_after_seconds {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some((name, value)) = self.challenge {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        let next = error.next.unwrap_or_else(|| match error.receipt {
            Some(number) => format!("symbolon receipts show {number}"),
            None => "symbolon tools search WORD".to_owned(),
        });
        Self { error: Box::new(CallError { next: Some(next), ..error }), challenge: None }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.error.message)
    }
}

/// Whether a client says that it reads JSON.
pub(crate) fn accepts_json(headers: &HeaderMap) -> bool {
    let accepts = |value: &HeaderValue| {
        let value = value.as_bytes();
        value.windows(4).any(|four| four.eq_ignore_ascii_case(b"json"))
    };
    headers.get_all(ACCEPT).iter().any(accepts)
}

/// As clients of many services read errors: `error` and `message` are text.
#[derive(Serialize)]
struct Told<'a> {
    error: &'a str,
    message: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<u64>,
}

impl Told<'_> {
    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The name of a connection as a variable has it.
pub(crate) fn variable(connection: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    connection.chars().map(letter).collect()
}

/// On every refusal: a stable word.
pub(crate) const REFUSED: HeaderName = HeaderName::from_static("symbolon-refused");
/// The receipt's number, on every answer that has one.
pub(crate) const RECEIPT: HeaderName = HeaderName::from_static("symbolon-receipt");
