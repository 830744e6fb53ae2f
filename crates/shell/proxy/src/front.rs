//! What a program says to its proxy: `CONNECT`, or a request in absolute form.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::{CONNECTION, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use symbolon_broker::{Strict, Watch};
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
    let stream = Strict::with_tunnels(stream);
    let (watch, next) = (stream.watch(), Next::default());
    let then = next.clone();
    let service = service_fn(move |request| {
        let (shared, place, next) = (shared.clone(), place.clone(), next.clone());
        let answering = answer(shared, place, next, request);
        let watch = watch.clone();
        async move { Ok::<_, Infallible>(last_if_open_ended(&watch, answering.await)) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // Errors are the program's: it broke off or did not speak HTTP, and hyper has answered. A tunnel
    // is served by this very task, so that its lane counts it for as long as it lasts.
    let served = async {
        let _ = served.await;
        let tunnel = then.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(tunnel) = tunnel {
            tunnel.await;
        }
    };
    tokio::select! {
        () = served => {}
        () = stop.cancelled() => {}
    }
}

/// The tunnel that a connection becomes once its `CONNECT` was answered.
type Next = Arc<Mutex<Option<Pin<Box<dyn Future<Output = ()> + Send>>>>>;

/// A request that wanted another protocol and did not get it is the last of its connection: what
/// came after it was not read along.
pub(crate) fn last_if_open_ended(watch: &Watch, mut response: Response<Body>) -> Response<Body> {
    let is_taken = response.status() == StatusCode::SWITCHING_PROTOCOLS
        || response.extensions().get::<Tunnelled>().is_some();
    if watch.is_open_ended() && !is_taken {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Marks the answer to a `CONNECT` that became a tunnel.
#[derive(Clone)]
struct Tunnelled;

async fn answer(
    shared: Arc<Shared>,
    place: Place,
    next: Next,
    request: Request<Incoming>,
) -> Response<Body> {
    let is_json = accepts_json(request.headers());
    // Looked up before anything else is read: who is nobody learns nothing about hosts.
    let Some(run) = shared.runs.of(request.headers()) else {
        return Refusal::not_a_run().into_response(is_json);
    };
    let answered = if request.method() == Method::CONNECT {
        connect(&shared, place, &run, &next, request).await
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
    next: &Next,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    let to = authority(Scheme::Https, request.uri())?;
    let seat = run.places.clone().try_acquire_owned().map_err(|_| Refusal::too_many())?;
    let held = (place, seat);
    let is_ours = shared.routes()?.iter().any(|route| *route.base.authority() == to);
    let tunnel: Pin<Box<dyn Future<Output = ()> + Send>> = if is_ours {
        let config = shared.leaves.config(&shared.broker, to.host())?;
        let upgrade = hyper::upgrade::on(request);
        Box::pin(tunnel::intercept(shared.clone(), run.clone(), to, config, upgrade, held))
    } else if let Some(rule) = run.rule_for(&to) {
        let upstream = tunnel::dial(&to, rule.allow()).await?;
        Box::pin(tunnel::pass(run.clone(), upstream, hyper::upgrade::on(request), held))
    } else {
        return Err(Refusal::no_connection(&to));
    };
    *next.lock().unwrap_or_else(PoisonError::into_inner) = Some(tunnel);
    let mut opened = nothing(StatusCode::OK);
    opened.extensions_mut().insert(Tunnelled);
    Ok(opened)
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
