//! What is asked: by a service that is talked to, or in a file.

use std::path::Path;

use symbolon_ambient::{Clock, SystemClock};
use symbolon_holder::ServerUrl;
use symbolon_holder::server::{Client, ClientError, ProofTaken};
use symbolon_proof::{Presentation, Request};

use super::told;
use crate::failure::Failure;
use crate::{facts, runtime};

/// A request in a file, or on standard input.
pub fn read(path: &Path) -> Result<Request, Failure> {
    let bytes = facts::read(path, facts::FILE_BYTES_MAX)?;
    let request = Request::parse(&bytes)
        .map_err(|error| facts::malformed(path, &error, "the request, as the service wrote it"))?;
    in_time(request)
}

/// A request by a service, about itself.
pub fn by(service: &ServerUrl, years: u8, group: &str) -> Result<Request, Failure> {
    runtime::install_tls();
    let mut client = Client::new(service.clone());
    let bytes = runtime::single()?.block_on(client.ask_for_request(years, group));
    let bytes = bytes.map_err(|error| match &error {
        ClientError::Refused(refusal) if refusal.status == 404 => {
            let what = format!("{service} does not ask in this way: {}", refusal.message);
            Failure::refused("does_not_ask", what)
                .next("symbolon prove age --request FILE, with a request that it gives you")
        }
        _ => told::not_there(error),
    })?;
    let request = Request::parse(&bytes).map_err(|error| {
        let what = format!("{service} does not ask as a relying party: {error}");
        Failure::refused("request_form", what).next("ask who runs the service")
    })?;
    let own = service.origin().is_ok_and(|origin| origin == request.audience);
    if !own {
        let audience = request.audience.as_str();
        let what = format!("{service} asks in the name of {audience}: the proof would be for that");
        return Err(Failure::refused("other_audience", what)
            .next(format!("symbolon prove age --for {audience}, where you mean that one")));
    }
    if request.facts().years != years || request.policy.group().to_string() != group {
        let what = format!("{service} asks for something else than was said");
        return Err(Failure::refused("other_question", what)
            .next("symbolon prove age --request FILE, after reading what it asks"));
    }
    in_time(request)
}

/// Shows a proof to who asked.
pub fn show(presentation: &Presentation) -> Result<ProofTaken, Failure> {
    runtime::install_tls();
    let audience = presentation.request.audience.as_str();
    let service: ServerUrl = audience.parse().map_err(|_| {
        let what = format!("{audience} cannot be reached from here");
        Failure::refused("audience", what).next("the same command with --out FILE")
    })?;
    let mut client = Client::new(service);
    let sent = runtime::single()?.block_on(client.show_proof(presentation.to_bytes()));
    sent.map_err(told::not_taken)
}

/// A session that is over takes no proof.
fn in_time(request: Request) -> Result<Request, Failure> {
    if request.expires_unix_ms > SystemClock.unix_ms() {
        return Ok(request);
    }
    Err(Failure::refused("request_over", "the time for this request is over")
        .next("a new request from the service"))
}
