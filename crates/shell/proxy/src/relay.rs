//! From a checked request to the broker, and its answer back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use http::{Method, Response, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt, Either, Empty, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use symbolon_broker::{Context, RelayBody, RelayRequest, RelayedBody, Upgraded};

use crate::proxy::Shared;
use crate::refusal::Refusal;
use crate::run::Run;
use crate::scanned::{Found, ProgramBody, Scanned};
use crate::slot::{self, Held};

/// Bodies as they leave.
pub(crate) type Body = Either<Full<Bytes>, RelayedBody>;

/// An answer without a body.
pub(crate) fn nothing(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::default()));
    *response.status_mut() = status;
    response
}

/// A request whose placeholder was in its place and is taken out.
pub(crate) struct Asked {
    pub(crate) connection: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// Without the slot and what is about the program's own connection.
    pub(crate) headers: HeaderMap,
    /// The field of a form that is the slot.
    pub(crate) field: Option<String>,
    /// The placeholder of a minted credential that stood in the slot.
    pub(crate) minted: Option<String>,
    /// The program's side of a WebSocket that it asks for.
    pub(crate) on_upgrade: Option<OnUpgrade>,
}

/// Sends it through the gates.
///
/// # Errors
/// [`Refusal`] of a gate, and every failure before the answer's head.
pub(crate) async fn relay(
    shared: &Arc<Shared>,
    run: &Arc<Run>,
    mut asked: Asked,
    body: Incoming,
) -> Result<Response<Body>, Refusal> {
    let found = Found::default();
    let body: RelayBody = if let Some(name) = &asked.field {
        let form = whole(body).await?;
        let (form, minted) = without_field(run, &asked.connection, name, &form)?;
        asked.minted = minted;
        scanned(Full::new(form), run, &found)
    } else if body.is_end_stream() {
        Empty::new().map_err(|never| match never {}).boxed_unsync()
    } else {
        scanned(body, run, &found)
    };
    let request = RelayRequest {
        connection: asked.connection,
        method: asked.method,
        path: asked.path,
        query: asked.query,
        headers: asked.headers,
        body,
        upgrade: asked.on_upgrade.is_some(),
        minted: asked.minted,
    };
    let answered = shared.broker.relay(&run.session, &Context::Direct, request).await;
    let reply = answered.map_err(|error| match found.get() {
        Some(connection) => Refusal::in_body(connection, error.receipt),
        None => error.into(),
    })?;
    let mut response = Response::new(Either::Right(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    if let (Some(upgraded), Some(program)) = (reply.upgraded, asked.on_upgrade) {
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        tokio::spawn(join(shared.clone(), run.clone(), program, upgraded));
    }
    Ok(response)
}

/// A WebSocket, until one side ends it or the run is over. Its receipt is written with its end.
async fn join(shared: Arc<Shared>, run: Arc<Run>, program: OnUpgrade, mut upstream: Upgraded) {
    let work = async {
        if let Ok(program) = program.await {
            let mut program = TokioIo::new(program);
            // What went wrong is in the receipt.
            let _ = tokio::io::copy_bidirectional(&mut program, &mut upstream).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = run.ended.cancelled() => {}
        () = shared.stopped().cancelled_owned() => {}
    }
}

fn scanned(body: impl ProgramBody, run: &Arc<Run>, found: &Found) -> RelayBody {
    Scanned::new(body, run.clone(), found.clone()).map_err(Into::into).boxed_unsync()
}

async fn whole(body: Incoming) -> Result<Bytes, Refusal> {
    match tokio::time::timeout(FORM, Limited::new(body, FORM_BYTES_MAX).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => Err(Refusal::body_too_large()),
        Ok(Err(_)) => Err(Refusal::body_broke()),
        Err(_) => Err(Refusal::body_slow()),
    }
}

/// A form without the field that held the placeholder, and that of a minted credential where it held
/// one; the broker puts the credential's own there.
fn without_field(
    run: &Run,
    connection: &str,
    name: &str,
    body: &[u8],
) -> Result<(Bytes, Option<String>), Refusal> {
    let placeholder = run.references.of(connection).unwrap_or_default();
    match slot::take_field(name, placeholder, body) {
        (Held::Placeholder, rest) => Ok((rest.into(), None)),
        (Held::Minted(text), rest) => Ok((rest.into(), Some(text))),
        (Held::Nothing, _) => Err(Refusal::no_placeholder(connection, None)),
        _ => Err(Refusal::foreign(connection)),
    }
}

const FORM_BYTES_MAX: usize = 8 << 20;
const FORM: Duration = Duration::from_secs(60);
