//! `symbolon broker`: what a command starts when it needs one. Not for people.

use std::sync::Arc;

use symbolon_broker::{ApprovalOptions, Broker, Options};
use symbolon_log::Durability;
use symbolon_server::control::{self, Limits, Listener};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Ctx;
use crate::daemon::Report;
use crate::failure::Failure;
use crate::{logs, runtime};

/// Run the home's broker, detached from the terminal
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon broker 2> broker.log &      symbolon serve is the one for people")]
pub struct Args {
    /// When a credential may be released: group (the intent is on disk) or relaxed
    #[arg(long, value_parser = durability, default_value = "group")]
    durability: Durability,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        // Fails where this process leads a group already, as under a supervisor: fine as well.
        let _ = rustix::process::setsid();
        logs::to_stderr();
        let served = runtime::broker().and_then(|(runtime, lanes)| {
            runtime.block_on(async {
                let (broker, listener) =
                    start(ctx, self.durability, ApprovalOptions::default()).await?;
                let stop = stop_on_signals()?;
                tracing::info!(pid = std::process::id(), "the broker listens");
                Report::Ready.give();
                control::serve(listener, broker.clone(), Limits::default(), &lanes, stop).await;
                broker.close().await;
                tracing::info!("the broker has ended");
                Ok(())
            })
        });
        if let Err(failure) = &served {
            let Failure { code, message, next, .. } = failure.clone();
            Report::Failed { code, message, next }.give();
        }
        served
    }
}

/// Opens the home's broker and its socket.
pub async fn start(
    ctx: &Ctx,
    durability: Durability,
    approvals: ApprovalOptions,
) -> Result<(Arc<Broker>, Listener), Failure> {
    let home = ctx.existing()?;
    let options = Options { durability, approvals, ..Options::default() };
    let broker = Broker::start(home.path(), options).await?;
    let listener = Listener::bind(&broker, &home.run())?;
    Ok((broker, listener))
}

/// A token that is cancelled by Ctrl-C or a supervisor.
pub fn stop_on_signals() -> Result<CancellationToken, Failure> {
    let failed = |error: std::io::Error| {
        Failure::environment("signals", format!("cannot listen for signals: {error}"))
    };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        told.cancel();
    });
    Ok(stop)
}

/// `group` or `relaxed`.
pub fn durability(text: &str) -> Result<Durability, String> {
    match text {
        "group" => Ok(Durability::Group),
        "relaxed" => Ok(Durability::Relaxed),
        _ => Err("group or relaxed".to_owned()),
    }
}
