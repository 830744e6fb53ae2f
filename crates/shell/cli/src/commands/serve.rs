//! `symbolon serve`

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::json;
use symbolon_broker::{ApprovalOptions, CallError, Lanes};
use symbolon_codec::parse_duration_seconds;
use symbolon_log::Durability;
use symbolon_proof::IssuerPublicKey;
use symbolon_server::control::{self, Limits};
use symbolon_server::http::{self, ProofIssuers, ServeOptions, Tls};

use super::accounts::{self, Kept};
use super::{Ctx, broker};
use crate::database::Database;
use crate::failure::Failure;
use crate::{logs, out, runtime};

/// Run the broker in the foreground, with the page, MCP and the JSON API over HTTP
///
/// The page is at /; the link that is printed opens it as its owner, once. MCP is at /mcp, the API at /api, its description at /api/openapi.json, /healthz and /metrics
/// beside. Agents authenticate with the key of `symbolon agents add`. An address that is not
/// loopback needs a certificate, and with accounts the origin that people reach it by.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon serve --listen 127.0.0.1:7070
  symbolon serve --listen 0.0.0.0:7443 --tls-cert cert.pem --tls-key key.pem
  symbolon serve --accounts --origin https://vault.example
  symbolon serve --accounts --database postgres://symbolon@localhost/symbolon
  symbolon serve --accounts --database-file /etc/symbolon/database
  symbolon serve --accounts --proof-issuer 5d6c0f83…")]
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
    /// Serve accounts with sealed vaults, kept in the home or in PostgreSQL
    #[arg(long)]
    accounts: bool,
    #[command(flatten)]
    database: Database,
    /// Where people reach the accounts' page [default: http://localhost and the port]
    #[arg(long, value_name = "URL", requires = "accounts")]
    origin: Option<String>,
    /// An issuer whose claims the demo of ages believes beside its own; can be repeated
    #[arg(long = "demo-issuer", value_name = "KEY", requires = "accounts", value_parser = accounts::issuer)]
    demo_issuers: Vec<IssuerPublicKey>,
    /// An issuer whose claims are believed where this server itself asks for facts; can be repeated
    #[arg(long = "proof-issuer", value_name = "KEY", requires = "accounts", value_parser = accounts::issuer)]
    proof_issuers: Vec<IssuerPublicKey>,
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

    /// As `symbolon up` has it: accounts, on loopback.
    pub fn for_one_person(listen: SocketAddr, database: Database) -> Self {
        Self {
            listen,
            tls_cert: None,
            tls_key: None,
            accounts: true,
            database,
            origin: None,
            demo_issuers: Vec::new(),
            proof_issuers: Vec::new(),
            durability: Durability::Group,
            approval_wait: APPROVAL_WAIT_SECONDS,
            hosts: Vec::new(),
            #[cfg(feature = "conformance")]
            conformance: false,
        }
    }

    async fn serve(self, ctx: &Ctx, lanes: Lanes) -> Result<(), Failure> {
        // What is wrong with the origin is said before anything is opened.
        let origin = match self.accounts {
            true => Some(accounts::origin(
                self.origin.as_deref(),
                self.listen,
                self.tls_cert.is_some(),
            )?),
            false if self.database.is_given() => {
                let what = "a database is where accounts are kept, and no accounts are served";
                return Err(Failure::usage(what).next("symbolon serve --accounts --database URL"));
            }
            false => None,
        };
        let address = match &origin {
            Some(_) => self.database.of(&ctx.existing()?)?,
            None => None,
        };
        let (broker, socket) = broker::start(ctx, self.durability, self.approvals()).await?;
        let stop = broker::stop_on_signals()?;
        let kept = match origin {
            None => None,
            Some(origin) => {
                match Kept::open(&ctx.existing()?, address, (origin, self.issuers()), stop.clone())
                    .await
                {
                    Ok(kept) => Some(kept),
                    Err(failure) => {
                        socket.remove();
                        broker.close().await;
                        return Err(failure);
                    }
                }
            }
        };
        let page = kept.as_ref().map(|kept| kept.served.origin().as_str().to_owned());
        let options = self.options(&lanes, kept.as_ref());
        let web = match http::bind(broker.clone(), options).await {
            Ok(bound) => bound,
            Err(error) => {
                socket.remove();
                broker.close().await;
                return Err(CallError::from(error).into());
            }
        };
        if let Some(kept) = &kept {
            kept.served.lend_to(&broker, stop.clone());
        }
        broker.serve_page_at(&web.url());
        // Who connects meanwhile waits a moment, and is not told that the vault is locked.
        let opened = broker.unlock_unattended().await;
        let web = web.serve(stop.clone().cancelled_owned());
        if ctx.json {
            let unlocked = matches!(opened, Ok(true));
            out::json(&json!({ "url": web.url(), "accounts": page, "unlocked": unlocked }))?;
        } else {
            say(&web.url(), page.as_deref(), &opened);
            let (link, code) = broker.page_link()?;
            out::say("The page, for you alone, once within ten minutes (another: symbolon page):");
            out::secret(&link.before, &code, "\n")?;
        }
        control::serve(socket, broker.clone(), Limits::default(), &lanes, stop).await;
        web.stopped().await;
        if let Some(kept) = kept {
            kept.close().await;
        }
        broker.close().await;
        Ok(())
    }

    fn issuers(&self) -> ProofIssuers {
        ProofIssuers { demo: self.demo_issuers.clone(), own: self.proof_issuers.clone() }
    }

    fn approvals(&self) -> ApprovalOptions {
        ApprovalOptions { wait_seconds: self.approval_wait, ..ApprovalOptions::default() }
    }

    fn options(self, lanes: &Lanes, kept: Option<&Kept>) -> ServeOptions {
        let tls = self.tls_cert.zip(self.tls_key).map(|(cert, key)| Tls { cert, key });
        let mut options = ServeOptions::on(self.listen);
        options.tls = tls;
        options.lanes = Some(lanes.clone());
        options.hosts = self.hosts;
        options.accounts = kept.map(|kept| kept.served.clone());
        #[cfg(feature = "conformance")]
        {
            options.conformance = self.conformance;
        }
        options
    }
}

/// As the flag has it.
const APPROVAL_WAIT_SECONDS: u64 = 120;

/// Shorter than an answer over HTTP may take.
fn approval_wait(text: &str) -> Result<u64, String> {
    match parse_duration_seconds(text).map_err(|error| error.to_string())? {
        seconds @ 1..=140 => Ok(seconds),
        _ => Err("between 1s and 140s".to_owned()),
    }
}

fn say(url: &str, page: Option<&str>, opened: &Result<bool, CallError>) {
    if let Some(page) = page {
        out::say(&format!("Accounts {page}"));
    }
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
