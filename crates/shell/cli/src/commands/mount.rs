//! `symbolon mount`

use clap::Subcommand;
use symbolon_broker::MountView;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::out;

mod add;
mod refresh;
mod show;

/// Put the tools of another MCP server under scopes, gates and receipts
///
/// Each tool becomes a tool of the catalogue, named MOUNT.TOOL, and needs a grant. What the server
/// says of its tools was looked at when it was mounted: a tool that it describes in another way later
/// is refused until you have looked again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon mount add files -- npx -y @modelcontextprotocol/server-filesystem /srv/data
  symbolon mount add docs --url https://mcp.example.com/mcp --auth bearer
  symbolon mount ls
  symbolon grant claude files.read --for 1h
  symbolon mount refresh files
  symbolon mount remove files")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Add(Box<add::Args>),
    /// List mounted servers
    #[command(after_help = "Examples\n  symbolon mount ls --json")]
    Ls,
    /// Show a mounted server, its tools, and what its program said on standard error
    #[command(after_help = "Examples\n  symbolon mount show files")]
    Show {
        /// Its name
        name: String,
    },
    Refresh(refresh::Args),
    /// Take a mounted server away: its program is stopped, its connection forgotten
    #[command(after_help = "Examples\n  symbolon mount remove files")]
    Remove {
        /// Its name
        name: String,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Add(args) => args.run(ctx),
            Step::Ls => list(ctx),
            Step::Show { name } => {
                let view: MountView = ctx.broker()?.ask(&Op::MountShow { name })?;
                show::show(ctx, &view)
            }
            Step::Refresh(args) => args.run(ctx),
            Step::Remove { name } => remove(ctx, name),
        }
    }
}

fn list(ctx: &Ctx) -> Result<(), Failure> {
    let all: Vec<MountView> = ctx.broker()?.ask(&Op::Mounts {})?;
    if ctx.json {
        return out::json(&all);
    }
    if all.is_empty() {
        out::say("Nothing is mounted.");
        out::say_next("symbolon mount add NAME -- PROGRAM");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = all
        .into_iter()
        .map(|it| {
            let state = if it.running { "running" } else { "at rest" };
            vec![it.name, it.transport, it.tools.len().to_string(), state.to_owned(), it.place]
        })
        .collect();
    out::table(&["MOUNT", "BY", "TOOLS", "STATE", "SERVER"], &rows)
}

fn remove(ctx: &Ctx, name: String) -> Result<(), Failure> {
    let op = Op::MountRemove { name: name.clone() };
    let _: serde_json::Value = ctx.broker()?.ask(&op)?;
    if ctx.json {
        return out::json(&serde_json::json!({ "removed": name }));
    }
    out::text(&format!("{name} is no longer mounted; its grants rest"))
}
