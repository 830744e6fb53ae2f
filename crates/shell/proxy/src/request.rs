//! One request to a host that has a connection: whose it is, and whether its placeholder stands
//! where it may.

use std::sync::Arc;

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{Method, Request, Response, Uri};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use symbolon_broker::Route;
use symbolon_capability::url::Authority;

use crate::proxy::Shared;
use crate::refusal::Refusal;
use crate::relay::{self, Asked, Body};
use crate::run::Run;
use crate::slot::{self, Held};

/// Answers a request that names this authority.
///
/// # Errors
/// [`Refusal`], with nothing sent upstream.
pub(crate) async fn answer(
    shared: &Arc<Shared>,
    run: &Arc<Run>,
    to: &Authority,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    if run.ended.is_cancelled() {
        return Err(Refusal::ended());
    }
    if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
        return Err(Refusal::bad_method());
    }
    check_authority(&request, to)?;
    let asks = asks_websocket(&request);
    let on_upgrade = asks.then(|| hyper::upgrade::on(&mut request));
    let (mut head, body) = request.into_parts();
    let mut query = head.uri.query().map(str::to_owned);
    let routes = shared.routes()?;
    let uri = head.uri.clone();
    let chosen = choose(shared, &routes, run, to, &head.headers, &uri);
    if let Ok((route, _)) = &chosen {
        slot::clear(route, &mut head.headers, &mut query);
    }
    // Also where it stands in no slot: what is in the wrong place is said so, and nothing else.
    if let Some(connection) = elsewhere(run, &head, query.as_deref()) {
        return Err(Refusal::elsewhere(connection, to));
    }
    let (route, minted) = chosen?;
    let asked = Asked {
        field: slot::field(route).map(str::to_owned),
        connection: route.connection.clone(),
        method: head.method.clone(),
        path: uri.path().to_owned(),
        query,
        on_upgrade,
        minted,
        headers: end_to_end(std::mem::take(&mut head.headers)),
    };
    relay::relay(shared, run, asked, body).await
}

/// Whether the program wants to speak WebSocket. Another protocol (h2c) may be offered and not taken.
fn asks_websocket(request: &Request<Incoming>) -> bool {
    let named = request.headers().get(UPGRADE).map(HeaderValue::as_bytes);
    request.version() == http::Version::HTTP_11
        && named.is_some_and(|name| name.eq_ignore_ascii_case(b"websocket"))
}

/// The authority inside of a tunnel, or of an absolute target, is that of the tunnel, said once.
fn check_authority(request: &Request<Incoming>, to: &Authority) -> Result<(), Refusal> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    let named = request.uri().authority().map(|a| a.as_str().as_bytes());
    let host = first.map(HeaderValue::as_bytes);
    let all_name = named.into_iter().chain(host).all(|text| to.is_named_by(text));
    if second.is_some() || named.or(host).is_none() || !all_name {
        return Err(Refusal::misdirected(to));
    }
    Ok(())
}

/// The connection that a request is for: where several lead to one host, the one whose placeholder
/// it carries, or through which was minted what it carries; with the placeholder of that.
fn choose<'a>(
    shared: &Shared,
    routes: &'a [Route],
    run: &Run,
    to: &Authority,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<(&'a Route, Option<String>), Refusal> {
    let mut open: Option<&Route> = None;
    let mut filled: Option<&Route> = None;
    let mut found: Option<&Route> = None;
    let mut minted: Option<(&Route, String, bool)> = None;
    for route in routes.iter().filter(|route| route.base.authority() == to) {
        if route.base.strip(uri.path()).is_none() {
            continue;
        }
        let Some(placeholder) = run.references.of(&route.connection) else {
            // Made after the run began: its programs have no placeholder of it.
            open = open.or(Some(route));
            continue;
        };
        match slot::held(route, placeholder, headers, uri.query()) {
            Held::Placeholder => {
                let is_nearer = |other: &Route| other.base.path().len() < route.base.path().len();
                if found.is_none_or(is_nearer) {
                    found = Some(route);
                }
            }
            // The broker says what it is good for; one that nobody minted here it refuses.
            Held::Minted(text) => {
                let through = shared.broker.minted_through(&run.session, &text);
                let is_own = through.is_some_and(|through| through == route.connection);
                if minted.as_ref().is_none_or(|(_, _, was_own)| is_own && !was_own) {
                    minted = Some((route, text, is_own));
                }
            }
            // Read with the body.
            Held::InBody => found = found.or(Some(route)),
            Held::Nothing => open = open.or(Some(route)),
            Held::Other => filled = filled.or(Some(route)),
        }
    }
    if let (None, Some((route, text, _))) = (found, minted) {
        return Ok((route, Some(text)));
    }
    match (found, filled, open) {
        (Some(found), _, _) => Ok((found, None)),
        (None, Some(route), _) => Err(Refusal::foreign(&route.connection)),
        (None, None, Some(route)) => {
            Err(Refusal::no_placeholder(&route.connection, slot::challenge(route)))
        }
        (None, None, None) => Err(Refusal::no_path(to)),
    }
}

/// The connection whose placeholder stands where none belongs: target or header.
fn elsewhere<'r>(run: &'r Run, head: &Parts, query: Option<&str>) -> Option<&'r str> {
    let references = &run.references;
    let in_text = |text: &str| {
        references.found_in(text.as_bytes()).or_else(|| {
            let decoded: Vec<u8> =
                text.contains('%').then(|| percent_decode_str(text).collect())?;
            references.found_in(&decoded)
        })
    };
    in_text(head.uri.path())
        .or_else(|| in_text(query.unwrap_or_default()))
        .or_else(|| references.found_in_headers(&head.headers))
}

/// Without what is about this connection alone.
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    headers
}

const HOP_BY_HOP: [HeaderName; 11] = [
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    http::header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
];
