//! `symbolon mcp`

use std::borrow::Cow;
use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;

use super::Ctx;
use crate::failure::Failure;
use crate::link::Asking;
use crate::out;

/// Serve MCP on standard input and output, for an agent's configuration
///
/// The agent that runs this gets the tools that NAME was granted. It never asks anything: where
/// the vault is locked and this machine cannot open it, it says so on standard error and ends.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon mcp --print-config claude     what to paste into claude_desktop_config.json
  symbolon mcp --print-config cursor     … into .cursor/mcp.json
  symbolon mcp --print-config vscode     … into .vscode/mcp.json
  claude mcp add symbolon -- symbolon mcp --agent claude")]
pub struct Args {
    /// Which agent this is, as grants name it [default: claude, or the host of --print-config]
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Print the entry to paste for this host, and end
    #[arg(long, value_enum, value_name = "HOST")]
    print_config: Option<Host>,
}

/// A program that runs MCP servers.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Host {
    Claude,
    Cursor,
    Vscode,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        if let Some(host) = self.print_config {
            return print_config(ctx, host, self.agent);
        }
        let agent = self.agent.as_deref().unwrap_or(DEFAULT_AGENT);
        let mut broker = ctx.broker()?;
        broker.ensure_unlocked(Asking::Nobody)?;
        let (stdin, stdout) = (rustix::stdio::stdin(), rustix::stdio::stdout());
        broker.into_client().mcp(agent, stdin, stdout, || {})?;
        Ok(())
    }
}

fn print_config(ctx: &Ctx, host: Host, agent: Option<String>) -> Result<(), Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::environment("program", format!("cannot find this program's file: {error}"))
    })?;
    let agent = agent.unwrap_or_else(|| host.name().to_owned());
    // A host starts this with an environment of its own: a home that is not the usual one is said.
    let home = match (&ctx.home, std::env::var_os("SYMBOLON_HOME")) {
        (None, None) => None,
        _ => Some(ctx.folder()?),
    };
    let home = home.as_deref().map(Path::to_string_lossy);
    let entry = host.entry(program.to_string_lossy(), &agent, home);
    if ctx.json {
        return out::json(&entry);
    }
    let text = serde_json::to_string_pretty(&entry).map_err(super::unreadable)?;
    out::text(&text)?;
    out::say(&format!("Paste it into {}.", host.file()));
    if let Host::Claude = host {
        let program = program.display();
        out::say(&format!("Claude Code: claude mcp add symbolon -- {program} mcp --agent {agent}"));
    }
    out::say_next(&format!("symbolon grant {agent} github.issues.read --for 15m"));
    Ok(())
}

impl Host {
    fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Cursor => "cursor",
            Self::Vscode => "vscode",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Claude => "claude_desktop_config.json",
            Self::Cursor => ".cursor/mcp.json",
            Self::Vscode => ".vscode/mcp.json",
        }
    }

    fn entry<'a>(
        self,
        program: Cow<'a, str>,
        agent: &'a str,
        home: Option<Cow<'a, str>>,
    ) -> Entry<'a> {
        let server = Server {
            kind: matches!(self, Self::Vscode).then_some("stdio"),
            command: program,
            args: ["mcp", "--agent", agent],
            env: home.map(|home| Environment { home }),
        };
        match self {
            Self::Claude | Self::Cursor => Entry::McpServers { symbolon: server },
            Self::Vscode => Entry::Servers { symbolon: server },
        }
    }
}

/// What a host reads, its members in the order in which people write them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Entry<'a> {
    McpServers { symbolon: Server<'a> },
    Servers { symbolon: Server<'a> },
}

#[derive(Debug, Serialize)]
struct Server<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    command: Cow<'a, str>,
    args: [&'a str; 3],
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<Environment<'a>>,
}

#[derive(Debug, Serialize)]
struct Environment<'a> {
    #[serde(rename = "SYMBOLON_HOME")]
    home: Cow<'a, str>,
}

const DEFAULT_AGENT: &str = "claude";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_the_form_that_each_host_reads() {
        let entry = |host: Host, home: Option<&'static str>| {
            serde_json::to_string(&host.entry("/opt/symbolon".into(), "a", home.map(Into::into)))
                .unwrap()
        };
        let plain = r#"{"command":"/opt/symbolon","args":["mcp","--agent","a"]}"#;
        let claude = entry(Host::Claude, None);
        assert_eq!(claude, format!(r#"{{"mcpServers":{{"symbolon":{plain}}}}}"#));
        assert_eq!(entry(Host::Cursor, None), claude);
        let with_home = plain.replace('}', r#","env":{"SYMBOLON_HOME":"/h"}}"#);
        let typed = with_home.replacen('{', r#"{"type":"stdio","#, 1);
        let vscode = entry(Host::Vscode, Some("/h"));
        assert_eq!(vscode, format!(r#"{{"servers":{{"symbolon":{typed}}}}}"#));
    }
}
