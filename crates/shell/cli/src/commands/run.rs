//! `symbolon run`

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use symbolon_proxy::{NewRun, RunView};
use symbolon_secret::Secret;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::{child, out};

/// Run a program that uses credentials which it never sees
///
/// The program's environment names a proxy and holds a placeholder where each credential would be.
/// The proxy puts the credential into requests that the agent was granted, and refuses hosts that
/// have no connection. What --grant gives ends with the program; standing grants of the agent count
/// too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon run -- claude
  symbolon run --grant github.issues.read --grant npm.read -- npm view left-pad
  symbolon run --grant git.write@work -- git push
  symbolon run --agent ci --pass-through pypi.org --pass-through '*.pythonhosted.org' -- make test")]
pub struct Args {
    /// As which agent [default: the program's name]
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// A scope for this run alone, such as github.issues.read; SCOPE@CONNECTION where it is not on
    /// the connection named as the service; can be repeated
    #[arg(long = "grant", value_name = "SCOPE")]
    grants: Vec<String>,
    /// A host that passes through untouched: HOST, HOST:PORT or *.DOMAIN; can be repeated
    #[arg(long = "pass-through", value_name = "HOST")]
    pass_through: Vec<String>,
    /// The program and its arguments
    #[arg(required = true, last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<ExitCode, Failure> {
        let agent = self.agent.unwrap_or_else(|| agent_of(&self.command));
        let op = Op::RunOpen {
            new: NewRun { agent, grants: self.grants, pass_through: self.pass_through },
        };
        let mut broker = ctx.broker()?;
        let answer = broker.exchange(&op, None)?;
        let view: RunView = serde_json::from_value(answer.ok).map_err(super::unreadable)?;
        let key = answer.secret.ok_or_else(|| {
            Failure::refused("answer", "the broker gave no key for the run").next("symbolon status")
        })?;
        if view.granted.is_empty() {
            out::say(&format!(
                "{} has no grant: every request to a connection will be refused.",
                view.agent
            ));
            out::say_next(&format!("symbolon grant {} SCOPE --for 15m", view.agent));
        }
        let code = child::run(&self.command, &environment(&view, &key));
        // The broker would notice that we are gone; asked to, it has ended the run when we end.
        let _ = broker.ask_as_is::<serde_json::Value>(&Op::RunClose {});
        code
    }
}

/// The program's name where an agent can have it.
fn agent_of(command: &[OsString]) -> String {
    let name = command.first().and_then(|word| Path::new(word).file_name());
    let text: String = name.map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
        '.' | '_' => c,
        _ => '-',
    };
    let text: String = text.chars().map(plain).take(64).collect();
    let text = text.trim_start_matches(['-', '.', '_']);
    if text.is_empty() { "run".to_owned() } else { text.to_owned() }
}

/// What the program finds: where the proxy is, what it trusts, and placeholders.
fn environment(view: &RunView, key: &Secret<[u8]>) -> Vec<(OsString, OsString)> {
    let mut all: Vec<(OsString, OsString)> = Vec::new();
    all.extend(view.way_out(key).into_iter().map(|(name, value)| (name.into(), value.into())));
    let mut set = |name: &str, value: &str| all.push((name.into(), value.into()));
    for connection in &view.connections {
        for (name, value) in &connection.env {
            set(name, value);
        }
    }
    let settings: Vec<_> = view.connections.iter().flat_map(|c| &c.git_config).collect();
    if !settings.is_empty() {
        // git-config(1): settings of the environment come after those of every file, and ours after
        // those that are there already.
        let there = std::env::var("GIT_CONFIG_COUNT").ok().and_then(|n| n.parse::<usize>().ok());
        let there = there.unwrap_or(0);
        for (at, (name, value)) in settings.iter().enumerate() {
            set(&format!("GIT_CONFIG_KEY_{}", there + at), name);
            set(&format!("GIT_CONFIG_VALUE_{}", there + at), value);
        }
        set("GIT_CONFIG_COUNT", &(there + settings.len()).to_string());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_its_own_agent() {
        let agent = |word: &str| agent_of(&[word.into()]);
        assert_eq!(agent("/usr/bin/claude"), "claude");
        assert_eq!(agent("./My Agent.sh"), "my-agent.sh");
        assert_eq!(agent(""), "run");
    }
}
