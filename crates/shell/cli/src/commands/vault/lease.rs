//! `symbolon vault lease` and `symbolon vault leases`: the vault's key, lent to its server.

use clap::Subcommand;
use serde_json::json;
use symbolon_ambient::SystemRng;
use symbolon_codec::parse_duration_seconds;
use symbolon_custody::{Purpose, Purposes};
use symbolon_holder::OpenVault;
use symbolon_holder::server::{LendFailure, LiveLease};
use symbolon_server::control::Op;

use super::{Ctx, How};
use crate::failure::Failure;
use crate::vaults::{self, Which};
use crate::{daemon, out, runtime};

/// Lend the vault's key to its server for a while
///
/// The server cannot read your vault. With a lease it can, for what you name and as long as you say:
/// note tools of assistants read and write notes and folders (1 hour at most), a broker uses your
/// connections (12 hours at most). End it whenever you like.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "\
Examples
  symbolon vault lease
  symbolon vault lease --connections --for 8h
  symbolon vault leases
  symbolon vault lease end ID")]
pub struct Lease {
    #[command(subcommand)]
    step: Option<Step>,
    /// For how long, such as 15m or 2h
    #[arg(long = "for", value_name = "TIME", default_value = "15m", value_parser = minutes)]
    minutes: u32,
    /// For notes and folders [default, where nothing is said]
    #[arg(long)]
    notes: bool,
    /// For the broker's connections
    #[arg(long)]
    connections: bool,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// End a lease: its key is wiped when this returns
    #[command(after_help = "Examples\n  symbolon vault lease end ID")]
    End {
        /// Its id, or how it begins, in `symbolon vault leases`
        id: String,
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
    },
}

/// List the leases that are live
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon vault leases\n  symbolon vault leases --json")]
pub struct Leases {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    how: How,
}

impl Lease {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        if let Some(Step::End { id, which, how }) = self.step {
            return end(ctx, &id, &which, &how);
        }
        let named = [(self.notes, Purpose::Notes), (self.connections, Purpose::Connections)];
        let named = named.into_iter().filter_map(|(is_named, purpose)| is_named.then_some(purpose));
        let notes = Purposes::new([Purpose::Notes]);
        let purposes =
            Purposes::new(named).or(notes).ok_or_else(|| Failure::usage("no purpose"))?;
        let max = purposes.minutes_max();
        if self.minutes > max {
            let what = format!("a lease for this is for {max} minutes at most");
            return Err(Failure::usage(what).next(format!("the same command with --for {max}m")));
        }
        let vault = self.which.open(ctx, self.how.ask())?;
        let mut client = vaults::client(&vault)?;
        let lent = vault.lend(&mut client, purposes, self.minutes, &SystemRng);
        let lent = runtime::single()?.block_on(lent)?;
        if purposes.has(Purpose::Connections) {
            told(ctx, &vault)?;
        }
        if ctx.json {
            return out::json(&row_json(&lent));
        }
        out::say(&format!(
            "Lent to {} for {}, {} left.",
            client.url(),
            lent.purposes.join(" and "),
            left(&lent)
        ));
        out::say_next(&format!("symbolon vault lease end {}", vaults::short(&lent.id)));
        Ok(())
    }
}

impl Leases {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, self.how.ask())?;
        let mut client = vaults::client(&vault)?;
        let all = runtime::single()?.block_on(vault.leases(&mut client))?;
        if ctx.json {
            return out::json(&all.iter().map(row_json).collect::<Vec<_>>());
        }
        if all.is_empty() {
            out::say("Nothing is lent: the server cannot read this vault.");
            out::say_next("symbolon vault lease");
            return Ok(());
        }
        let rows: Vec<Vec<String>> =
            all.iter().map(|it| vec![it.id.clone(), it.purposes.join(", "), left(it)]).collect();
        out::table(&["LEASE", "FOR", "LEFT"], &rows)
    }
}

/// Tells the home's broker whose connections it may use. It uses them where it is the process that they
/// were lent to.
fn told(ctx: &Ctx, vault: &OpenVault) -> Result<(), Failure> {
    let Some(account) = &vault.card().account else { return Ok(()) };
    let op = Op::TakeFrom { account: account.id.to_string() };
    match ctx.existing() {
        Ok(home) => daemon::ask_running::<serde_json::Value>(&home, &op).map(drop),
        // A device on which there is a vault alone.
        Err(_) => Ok(()),
    }
}

fn end(ctx: &Ctx, id: &str, which: &Which, how: &How) -> Result<(), Failure> {
    let vault = which.open(ctx, how.ask())?;
    let mut client = vaults::client(&vault)?;
    let runtime = runtime::single()?;
    let all = runtime.block_on(vault.leases(&mut client))?;
    let found: Vec<&LiveLease> = all.iter().filter(|it| it.id.starts_with(id)).collect();
    let [lease] = found[..] else {
        let what = match found.len() {
            0 => format!("no live lease begins with `{id}`"),
            several => format!("{several} leases begin with `{id}`"),
        };
        return Err(Failure::refused("lease", what).next("symbolon vault leases"));
    };
    runtime.block_on(vault.end_lease(&mut client, &lease.id))?;
    if ctx.json {
        return out::json(&json!({ "ended": lease.id }));
    }
    out::say("The lease is over; the server cannot read your vault with it any more.");
    Ok(())
}

fn row_json(it: &LiveLease) -> serde_json::Value {
    json!({ "id": it.id, "purposes": it.purposes, "granted_unix_ms": it.granted_unix_ms,
        "left_ms": it.left_ms })
}

fn left(it: &LiveLease) -> String {
    match it.left_ms.div_ceil(60_000) {
        minutes @ 0..120 => format!("{minutes} min"),
        minutes => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

/// Whole minutes, one at least.
fn minutes(text: &str) -> Result<u32, String> {
    let seconds = parse_duration_seconds(text).map_err(|error| error.to_string())?;
    match u32::try_from(seconds / 60) {
        Ok(minutes @ 1..) if seconds % 60 == 0 => Ok(minutes),
        _ => Err("a lease is for whole minutes, one at least".to_owned()),
    }
}

impl From<LendFailure> for Failure {
    fn from(error: LendFailure) -> Self {
        let says = error.to_string();
        match error {
            LendFailure::Sync(error) => error.into(),
            LendFailure::OldKey => Self::refused("old_key", says).next("symbolon vault sync"),
            LendFailure::Asks(_) => {
                Self::refused("other_server", says).next("symbolon vault status")
            }
            _ => Self::environment("lease", says).next("symbolon vault status"),
        }
    }
}
