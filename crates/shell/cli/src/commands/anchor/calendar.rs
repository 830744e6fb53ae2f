//! Calendars and other servers of public data: asked within bounds, believed in nothing.

use std::time::Duration;

use symbolon_anchor::{CALENDAR_BYTES_MAX, Pending};
use symbolon_broker::wire::{Client, Limits, Target};
use symbolon_capability::url::BaseUrl;
use symbolon_codec::hex;
use symbolon_connector::ssrf::{Allow, base_url};
use symbolon_secret::Secret;

use crate::failure::Failure;

/// A server that was named on the command line, or is one of the public calendars.
#[derive(Debug, Clone)]
pub struct Server {
    /// As it was named, and as proofs name it.
    pub name: String,
    url: BaseUrl,
    allow: Allow,
}

impl Server {
    /// One that was typed: `https`, or `http` on this machine.
    pub fn parse(text: &str) -> Result<Self, String> {
        // Who types the address of their own machine or network means it.
        let allow = Allow { loopback: true, private: true };
        let name = text.trim_end_matches('/').to_owned();
        let url = base_url(&name, allow).map_err(|error| error.to_string())?;
        if name.len() > CALENDAR_BYTES_MAX {
            return Err(format!("an address has at most {CALENDAR_BYTES_MAX} bytes"));
        }
        Ok(Self { name, url, allow })
    }

    /// Those that are asked unless others are named.
    pub fn public() -> Vec<Self> {
        let shut = Allow::default();
        let known = PUBLIC.into_iter().filter_map(|name| {
            let url = base_url(name, shut).ok()?;
            Some(Self { name: name.to_owned(), url, allow: shut })
        });
        known.collect()
    }
}

/// The calendars that are asked: those that were named, or the public ones.
pub fn chosen(named: Vec<Server>) -> Vec<Server> {
    if named.is_empty() { Server::public() } else { named }
}

/// Asks servers.
pub struct Wire(Client);

impl Wire {
    pub fn new() -> Self {
        Self(Client::new(LIMITS))
    }

    /// Gives a calendar a commitment, and its answer.
    pub async fn submit(&self, to: &Server, commitment: &[u8]) -> Result<Vec<u8>, String> {
        let form = "application/x-www-form-urlencoded";
        self.post(to, &to.url.target("/digest"), (TYPE, form), commitment).await
    }

    /// Asks a server of JSON-RPC.
    pub async fn ask(&self, whom: &Server, question: &[u8]) -> Result<Vec<u8>, String> {
        let json = "application/json";
        let path = if whom.url.path().is_empty() { "/" } else { whom.url.path() };
        self.post(whom, path, (json, json), question).await
    }

    /// `kinds`: what is taken, and what is sent.
    async fn post(
        &self,
        to: &Server,
        path: &str,
        kinds: (&str, &str),
        body: &[u8],
    ) -> Result<Vec<u8>, String> {
        let (accept, kind) = kinds;
        let head = format!(
            "accept: {accept}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let tail = [head.as_bytes(), body].concat();
        let tail = Secret::<[u8]>::make_slice(tail.len(), |page| page.copy_from_slice(&tail));
        let reply = self.0.post(&Self::target(to)?, path, tail).await;
        Self::body(reply.map_err(|error| error.to_string())?)
    }

    /// What a calendar has come to since.
    pub async fn upgrade(&self, from: &Server, pending: &Pending) -> Result<Vec<u8>, String> {
        self.get(from, &format!("/timestamp/{}", hex::encode(&pending.commitment)), TYPE).await
    }

    /// Gets what anybody could.
    pub async fn get(&self, from: &Server, path: &str, accept: &str) -> Result<Vec<u8>, String> {
        let target = Self::target(from)?;
        let reply = self.0.get(&target, &from.url.target(path), accept).await;
        Self::body(reply.map_err(|error| error.to_string())?)
    }

    fn target(server: &Server) -> Result<Target, String> {
        Target::new(server.url.authority().clone(), server.allow).map_err(|error| error.to_string())
    }

    fn body(reply: symbolon_broker::wire::Reply) -> Result<Vec<u8>, String> {
        match reply.status {
            // EXPOSE: it is public; the reply's page is the wire's, for all that it reads.
            200 => Ok(reply.body.expose().to_vec()),
            404 => Err("it is not in a block yet".to_owned()),
            status => Err(format!("it answered with status {status}")),
        }
    }
}

/// The server of that name, among those that may be asked: a proof names whom it likes.
pub fn known<'a>(servers: &'a [Server], name: &str) -> Option<&'a Server> {
    servers.iter().find(|server| server.name == name.trim_end_matches('/'))
}

pub fn refused(why: &[String]) -> Failure {
    Failure::environment("calendars", format!("too few calendars answered: {}", why.join("; ")))
        .next("the same command later, or with --calendar URL")
}

const TYPE: &str = "application/vnd.opentimestamps.v1";
const PUBLIC: [&str; 4] = [
    "https://alice.btc.calendar.opentimestamps.org",
    "https://bob.btc.calendar.opentimestamps.org",
    "https://finney.calendar.eternitywall.com",
    "https://btc.calendar.catallaxy.com",
];
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(10),
    head: Duration::from_secs(20),
    total: Duration::from_secs(20),
    response_head_bytes_max: 16 * 1024,
    response_body_bytes_max: 64 * 1024,
};
