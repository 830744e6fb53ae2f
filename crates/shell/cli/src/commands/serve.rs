//! `symbolon serve`

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::json;
use symbolon_broker::{ApprovalOptions, CallError, Lanes};
use symbolon_codec::parse_duration_seconds;
use symbolon_log::Durability;
use symbolon_server::control::{self, Limits};
use symbolon_server::http::{self, ServeOptions, Tls};

use super::{Ctx, broker};
use crate::failure::Failure;
use crate::{logs, out, runtime};

/// Run the broker in the foreground, with MCP and the JSON API over HTTP
///
/// MCP is at /mcp, the API at /api, its description at /api/openapi.json, /healthz and /metrics
/// beside. Agents authenticate with the key of `symbolon agents add`. An address that is not
/// loopback needs a certificate.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon serve --listen 127.0.0.1:7070
  symbolon serve --listen 0.0.0.0:7443 --tls-cert cert.pem --tls-key key.pem")]
pub struct Args {
    /// Address and port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// Certificate chain in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// When a credential may be released: group (the intent is on disk) or relaxed
    #[arg(long, value_parser = broker::durability, default_value = "group")]
    durability: Durability,
    /// How long a call waits on the line for your approval, 140s at most
    #[arg(long, value_name = "TIME", value_parser = approval_wait, default_value = "120s")]
    approval_wait: u64,
    /// Another name that the Host header may carry; can be repeated
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Serve /mcp without keys and with the conformance suite's fixtures
    #[cfg(feature = "conformance")]
    #[arg(long)]
    conformance: bool,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        logs::to_stderr();
        let (runtime, lanes) = runtime::broker()?;
        runtime.block_on(self.serve(ctx, lanes))
    }

    async fn serve(self, ctx: &Ctx, lanes: Lanes) -> Result<(), Failure> {
        let (broker, socket) = broker::start(ctx, self.durability, self.approvals()).await?;
        let stop = broker::stop_on_signals()?;
        let served =
            http::serve(broker.clone(), self.options(&lanes), stop.clone().cancelled_owned());
        let web = match served.await {
            Ok(web) => web,
            Err(error) => {
                socket.remove();
                broker.close().await;
                return Err(CallError::from(error).into());
            }
        };
        let opened = broker.unlock_unattended().await;
        if ctx.json {
            out::json(&json!({ "url": web.url(), "unlocked": matches!(opened, Ok(true)) }))?;
        } else {
            say(&web.url(), &opened);
        }
        control::serve(socket, broker.clone(), Limits::default(), &lanes, stop).await;
        web.stopped().await;
        broker.close().await;
        Ok(())
    }

    fn approvals(&self) -> ApprovalOptions {
        ApprovalOptions { wait_seconds: self.approval_wait, ..ApprovalOptions::default() }
    }

    fn options(self, lanes: &Lanes) -> ServeOptions {
        let tls = self.tls_cert.zip(self.tls_key).map(|(cert, key)| Tls { cert, key });
        let mut options = ServeOptions::on(self.listen);
        options.tls = tls;
        options.lanes = Some(lanes.clone());
        options.hosts = self.hosts;
        #[cfg(feature = "conformance")]
        {
            options.conformance = self.conformance;
        }
        options
    }
}

/// Shorter than an answer over HTTP may take.
fn approval_wait(text: &str) -> Result<u64, String> {
    match parse_duration_seconds(text).map_err(|error| error.to_string())? {
        seconds @ 1..=140 => Ok(seconds),
        _ => Err("between 1s and 140s".to_owned()),
    }
}

fn say(url: &str, opened: &Result<bool, CallError>) {
    out::say(&format!("MCP      {url}/mcp"));
    out::say(&format!("API      {url}/api"));
    out::say(&format!("OpenAPI  {url}/api/openapi.json"));
    match opened {
        Ok(true) => out::say_next("symbolon agents add NAME, in another terminal"),
        Ok(false) => {
            out::say("The vault is locked.");
            out::say_next("symbolon unlock, in another terminal");
        }
        Err(error) => {
            out::say(&format!("The vault is locked: {}", error.message));
            out::say_next("symbolon unlock, in another terminal");
        }
    }
}
