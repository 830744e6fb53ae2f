//! What a program says to its proxy: `CONNECT`, or a request in absolute form.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use symbolon_capability::url::{Authority, Scheme};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use crate::proxy::Shared;
use crate::refusal::{Refusal, accepts_json};
use crate::relay::{Body, nothing};
use crate::run::Run;
use crate::{request, tunnel};

/// A place among all connections, given back when the last part of one ends.
pub(crate) type Place = Arc<OwnedSemaphorePermit>;

/// Serves one connection.
pub(crate) async fn serve(shared: Arc<Shared>, stream: TcpStream, place: OwnedSemaphorePermit) {
    // Heads and handshakes are small; a failure to say so costs only latency.
    let _ = stream.set_nodelay(true);
    let place = Place::new(place);
    let stop = shared.stopped();
    let service = service_fn(move |request| {
        let (shared, place) = (shared.clone(), place.clone());
        async move { Ok::<_, Infallible>(answer(shared, place, request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // Errors are the program's: it broke off or did not speak HTTP, and hyper has answered.
    tokio::select! {
        _ = served => {}
        () = stop.cancelled() => {}
    }
}

async fn answer(shared: Arc<Shared>, place: Place, request: Request<Incoming>) -> Response<Body> {
    let is_json = accepts_json(request.headers());
    // Looked up before anything else is read: who is nobody learns nothing about hosts.
    let Some(run) = shared.runs.of(request.headers()) else {
        return Refusal::not_a_run().into_response(is_json);
    };
    let answered = if request.method() == Method::CONNECT {
        connect(&shared, place, &run, request).await
    } else {
        forward(&shared, &run, request).await
    };
    answered.unwrap_or_else(|refusal| {
        tracing::info!(run = run.name, code = refusal.code(), "refused: {refusal}");
        refusal.into_response(is_json)
    })
}

/// A tunnel: to ourselves where a connection leads to that host, else only by a rule.
async fn connect(
    shared: &Arc<Shared>,
    place: Place,
    run: &Arc<Run>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    let to = authority(Scheme::Https, request.uri())?;
    let seat = run.places.clone().try_acquire_owned().map_err(|_| Refusal::too_many())?;
    let held = (place, seat);
    if shared.routes()?.iter().any(|route| *route.base.authority() == to) {
        let config = shared.leaves.config(&shared.broker, to.host())?;
        let upgrade = hyper::upgrade::on(request);
        tokio::spawn(tunnel::intercept(shared.clone(), run.clone(), to, config, upgrade, held));
    } else if let Some(rule) = run.rule_for(&to) {
        let upstream = tunnel::dial(&to, rule.allow()).await?;
        tokio::spawn(tunnel::pass(run.clone(), upstream, hyper::upgrade::on(request), held));
    } else {
        return Err(Refusal::no_connection(&to));
    }
    Ok(nothing(StatusCode::OK))
}

/// A request in absolute form: the program speaks plainly to us, over loopback.
async fn forward(
    shared: &Arc<Shared>,
    run: &Arc<Run>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    let scheme = match request.uri().scheme_str() {
        Some("https") => Scheme::Https,
        Some("http") => Scheme::Http,
        _ => return Err(Refusal::not_for_us()),
    };
    let to = authority(scheme, request.uri())?;
    if !shared.routes()?.iter().any(|route| *route.base.authority() == to) {
        return Err(match run.rule_for(&to) {
            Some(_) => Refusal::plain(&to),
            None => Refusal::no_connection(&to),
        });
    }
    let _seat = run.places.clone().try_acquire_owned().map_err(|_| Refusal::too_many())?;
    request::answer(shared, run, &to, request).await
}

fn authority(scheme: Scheme, uri: &http::Uri) -> Result<Authority, Refusal> {
    let text = uri.authority().map(http::uri::Authority::as_str);
    text.and_then(|text| Authority::parse(scheme, text).ok()).ok_or_else(Refusal::bad_authority)
}

/// From a connection's first byte, or the answer before, to the end of a head.
const HEAD: Duration = Duration::from_secs(30);
/// What is buffered of a connection, and with it a request's head.
const HEAD_BYTES_MAX: usize = 64 * 1024;
