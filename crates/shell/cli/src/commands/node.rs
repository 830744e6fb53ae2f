//! `symbolon node`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;
use symbolon_broker::EndpointView;
use symbolon_codec::hex;
use symbolon_log::WitnessKey;
use symbolon_mesh::{Certificate, LogName, WITNESSES_MAX};
use symbolon_node::status::REPORT;
use symbolon_node::{
    Address, FolderError, Node, NodeConfig, NodeError, NodeFolder, NodeStatus, WireError,
};
use symbolon_secret::Secret;
use symbolon_server::control::Op;
use symbolon_store::Home;
use symbolon_witness::Listed;

use super::{Ctx, broker, witnesses};
use crate::failure::Failure;
use crate::{facts, logs, out, runtime};

mod ask;

/// Share logs with other nodes, and keep copies of theirs
///
/// A node follows logs of other operators: it keeps a copy of each, checks every entry against the checkpoint that the
/// operator signed, and passes on what is right. Whoever sends what is wrong is cut off. It listens and dials on this
/// machine alone, unless it is told another address.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon node run --follow other.pub
  symbolon node join /ip4/192.0.2.7/udp/7373/quic-v1/p2p/12D3KooWHjJQJPttwFv3zKqL4YFLsuK9J7jW2FBFpmhBv84QvhkX
  symbolon node status")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Run this home's node until it is stopped
    #[command(after_help = "\
Examples
  symbolon node run --follow other.pub
  symbolon node run --follow other.pub --witness north.pub
  symbolon node run --publish --listen 192.0.2.1:7373
  symbolon node run --follow other.pub --socks 127.0.0.1:9050")]
    Run(Run),
    /// Remember a peer
    ///
    /// A node that runs dials it within a second, also where it is the first beyond this machine.
    #[command(after_help = "\
Examples
  symbolon node join /ip4/192.0.2.7/udp/7373/quic-v1/p2p/12D3KooWHjJQJPttwFv3zKqL4YFLsuK9J7jW2FBFpmhBv84QvhkX")]
    Join {
        /// Its address, as its own `node run` says it
        #[arg(value_name = "PEER")]
        peer: Address,
    },
    Ask(ask::Ask),
    /// Show peers, logs, how far they are here, and what was refused
    #[command(after_help = "Examples\n  symbolon node status --json")]
    Status,
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Address and port, for TCP and QUIC; can be repeated
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7373")]
    listen: Vec<SocketAddr>,
    /// A SOCKS5 proxy, such as Tor's: nothing leaves this machine but through it
    #[arg(long, value_name = "ADDRESS")]
    socks: Option<SocketAddr>,
    /// A log to follow: its operator's operator.pub; can be repeated
    #[arg(long, value_name = "FILE")]
    follow: Vec<PathBuf>,
    /// A witness that is believed beside those that this home asks; its key or a file with it, can be repeated
    #[arg(long = "witness", value_name = "KEY")]
    witnesses: Vec<String>,
    /// Spread this home's own log: whoever follows it reads what your agents did, when and where
    #[arg(long)]
    publish: bool,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Run(run) => run.run(ctx),
            Step::Join { peer } => join(ctx, &peer),
            Step::Ask(ask) => ask.run(ctx),
            Step::Status => status(ctx),
        }
    }
}

impl Run {
    fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let follow = self.follow.iter().map(|path| log(path)).collect::<Result<Vec<_>, _>>()?;
        let publish = match self.publish {
            true => Some(log(&home.operator_pub())?),
            false => None,
        };
        let (seed, certificate) = endpoint(ctx)?;
        let config = NodeConfig {
            seed,
            certificate,
            listen: self.listen,
            proxy: self.socks,
            follow,
            publish,
            witnesses: believed(&home, &self.witnesses)?,
        };
        logs::to_stderr();
        runtime::many()?.block_on(async {
            let stop = broker::stop_on_signals()?;
            let node = Node::start(&home, config).await?;
            // The first report is made once it listens.
            let status = loop {
                let status = node.status().await.map_err(NodeError::Wire)?;
                if !status.listening.is_empty() {
                    break status;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            };
            if ctx.json {
                out::json(&status)?;
            } else {
                status.listening.iter().try_for_each(|way| out::text(way))?;
                out::say(&format!("{} logs are followed.", status.logs.len()));
                out::say_next("symbolon node join with one of these addresses, by another node");
            }
            stop.cancelled().await;
            node.stop().await;
            Ok(())
        })
    }
}

/// The witnesses that this home asks, and others whom it believes too.
fn believed(home: &Home, others: &[String]) -> Result<Vec<WitnessKey>, Failure> {
    let asked = Listed::read(&home.witnesses())?;
    let mut believed: Vec<WitnessKey> = asked.all().iter().map(|it| it.key.clone()).collect();
    for given in others {
        let key = witnesses::key_or_file(given)?;
        if !believed.contains(&key) {
            believed.push(key);
        }
    }
    if believed.len() > WITNESSES_MAX {
        let what = format!("{} witnesses are more than {WITNESSES_MAX}", believed.len());
        return Err(Failure::usage(what).next("symbolon node run with fewer --witness KEY"));
    }
    Ok(believed)
}

/// A log by the file of its operator's key.
fn log(path: &Path) -> Result<LogName, Failure> {
    let read = facts::read(path, KEY_BYTES_MAX)?;
    let parsed = LogName::parse(String::from_utf8_lossy(&read).trim());
    parsed.map_err(|error| {
        let what = format!("{} is not an operator's key: {error}", path.display());
        Failure::usage(what).next("--follow with the operator.pub of that log, from its operator")
    })
}

/// The node's key, from the broker that has the operator's.
fn endpoint(ctx: &Ctx) -> Result<(Secret<[u8; 32]>, Certificate), Failure> {
    let answer = ctx.broker()?.exchange(&Op::NodeEndpoint {}, None)?;
    let view: EndpointView = serde_json::from_value(answer.ok).map_err(super::unreadable)?;
    let another = || {
        Failure::refused("answer", "the broker's answer is of another version")
            .next("symbolon lock --stop")
    };
    let bytes = hex::decode(&view.certificate).map_err(|_| another())?;
    let certificate = Certificate::open(&bytes).map_err(|_| another())?;
    let secret = answer.secret.filter(|secret| secret.len() == 32).ok_or_else(another)?;
    let seed = Secret::make(|page: &mut [u8; 32]| {
        // EXPOSE: from one secret page to another.
        page.copy_from_slice(secret.expose());
    });
    Ok((seed, certificate))
}

fn join(ctx: &Ctx, peer: &Address) -> Result<(), Failure> {
    let folder = NodeFolder::open(&ctx.existing()?)?;
    let is_new = folder.join(peer)?;
    let runs = folder.is_running();
    if ctx.json {
        return out::json(&json!({
            "peer": peer.to_string(), "new": is_new, "running": runs,
        }));
    }
    match is_new {
        true => out::say(&format!("{} is a peer of this node now.", peer.peer())),
        false => out::say(&format!("{} was a peer of this node already.", peer.peer())),
    }
    match runs {
        true => out::say_next("symbolon node status"),
        false => out::say_next("symbolon node run"),
    }
    Ok(())
}

fn status(ctx: &Ctx) -> Result<(), Failure> {
    let home = ctx.existing()?;
    let folder = NodeFolder::open(&home)?;
    let (runs, known) = (folder.is_running(), folder.peers()?);
    let report = std::fs::read(home.run().join(REPORT)).unwrap_or_default();
    // None before the first run; one of another version says nothing.
    let said: Option<NodeStatus> = serde_json::from_slice(&report).ok();
    if ctx.json {
        let known: Vec<_> = known.iter().map(Address::to_string).collect();
        return out::json(&json!({ "running": runs, "joined": known, "node": said }));
    }
    let Some(said) = said else {
        out::say(&format!("This home's node has not run yet; {} peers were joined.", known.len()));
        out::say_next("symbolon node run");
        return Ok(());
    };
    let state = match runs {
        true => "runs".to_owned(),
        false => format!("does not run; this was at {}", said.at),
    };
    let messages = said.messages;
    out::pairs(&[
        ("node", said.peer.clone()),
        ("state", state),
        ("peers", format!("{} there, {} joined", said.peers.len(), known.len())),
        (
            "messages",
            format!(
                "{} passed on, {} refused, {} ignored, {} for which there was no time",
                messages.accepted, messages.refused, messages.ignored, messages.shed
            ),
        ),
    ])?;
    if !said.peers.is_empty() {
        out::text("")?;
        let rows = said.peers.iter().map(|it| {
            let operator = it.operator.clone().unwrap_or_else(|| "not said yet".to_owned());
            vec![it.peer.clone(), operator, format!("{:.0}", it.points)]
        });
        out::table(&["PEER", "OPERATOR", "POINTS"], &rows.collect::<Vec<_>>())?;
    }
    if !said.logs.is_empty() {
        out::text("")?;
        let rows = said.logs.iter().map(|it| {
            let kind = match (it.forked, it.own) {
                (true, _) => "forked",
                (false, true) => "own",
                (false, false) => "followed",
            };
            let witnessed = match it.witnesses {
                0 => "none".to_owned(),
                count => format!("{} by {count}", it.cosigned),
            };
            vec![it.origin.clone(), kind.to_owned(), it.entries.to_string(), witnessed]
        });
        out::table(&["LOG", "STATE", "ENTRIES", "WITNESSED"], &rows.collect::<Vec<_>>())?;
    }
    for it in &said.unreached {
        out::say(&format!("{} is not reached: {}", it.peer, it.reason));
    }
    for it in &said.cut {
        out::say(&format!("{} is cut off until {}", it.peer, it.until));
    }
    for it in &said.refused {
        out::say(&format!("{} {}: {}", it.at, it.peer, it.reason));
    }
    for operator in &said.accused {
        out::say_error(&format!("the operator {operator} contradicted itself"));
    }
    if !runs {
        out::say_next("symbolon node run");
    }
    Ok(())
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let says = error.to_string();
        match error {
            FolderError::InUse => {
                Self::environment("node_in_use", says).next("symbolon node status")
            }
            FolderError::Io { path, source } => Self::file("use", &path, &source),
            FolderError::TooMany => Self::refused("peers_max", says)
                .next("take some out of the file node/peers in the home"),
            _ => Self::environment("peers", says).next("put the line right, or take it out"),
        }
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let says = error.to_string();
        match error {
            NodeError::Folder(error) => error.into(),
            NodeError::Trust(error) => error.into(),
            NodeError::Wire(WireError::Listen { .. }) => {
                Self::environment("listen", says).next("the same command with another --listen")
            }
            NodeError::Follow { .. } => Self::environment("log_copy", says)
                .next("symbolon node status, and node/logs in the home"),
            _ => Self::environment("node", says).next("symbolon node run --help"),
        }
    }
}

const KEY_BYTES_MAX: usize = 4096;
