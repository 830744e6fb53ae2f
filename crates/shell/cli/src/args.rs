//! The command line: what can be typed, and what is said where it is wrong.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

use crate::commands::Command;
use crate::failure::Failure;
use crate::out;

/// Let an agent use a credential it never sees, and keep a receipt that anyone can check.
#[derive(Debug, Parser)]
#[command(name = "symbolon", version, propagate_version = true, after_help = AFTER)]
#[command(disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// Print one JSON value on standard output, errors too
    #[arg(long, global = true, display_order = 100)]
    pub json: bool,
    /// The home's folder [default: $SYMBOLON_HOME, else the XDG data folder]
    #[arg(long, global = true, value_name = "DIR", display_order = 101)]
    pub home: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Reads the command line; on help, version and wrong usage prints what there is to say.
pub fn parse() -> Result<Cli, ExitCode> {
    Cli::try_parse().map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // Nothing to do where nobody reads it.
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !wants_json() => {
            out::say(error.render().to_string().trim_end());
            ExitCode::from(2)
        }
        _ => usage(&error).tell(wants_json()),
    })
}

/// clap's words as a pair: its first paragraph, and the help of the command that was typed.
fn usage(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let what = text.split("\n\n").next().unwrap_or_default();
    let what = what.strip_prefix("error: ").unwrap_or(what).trim();
    let tip = text.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    let mut message = what.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some(tip) = tip {
        message = format!("{message} ({tip})");
    }
    Failure::usage(message).next(format!("{} --help", typed_command()))
}

/// `symbolon custody add` of what was typed, as far as it is a command.
fn typed_command() -> String {
    let mut command = Cli::command();
    let mut path = command.get_name().to_owned();
    for word in std::env::args_os()
        .skip(1)
        .filter_map(|it| it.into_string().ok())
        .filter(|it| !it.starts_with('-'))
    {
        let Some(next) = command.find_subcommand(&word) else { break };
        path = format!("{path} {word}");
        command = next.clone();
    }
    path
}

/// For errors that come before the flags are known.
fn wants_json() -> bool {
    std::env::args_os()
        .skip(1)
        .take_while(|it| it != OsStr::new("--"))
        .any(|it| it == OsStr::new("--json"))
}

const AFTER: &str = "\
The first five minutes
  symbolon init                                       make the home
  symbolon connect github                             store a token (hidden prompt)
  symbolon grant claude github.issues.read --for 15m  let an agent use it
  symbolon mcp --print-config claude                  what to paste into the agent
  symbolon call github.issues.list owner=… repo=…     or call it yourself
  symbolon receipts                                   what happened

Exit codes
  0 done    1 refused or failed    2 wrong usage    3 the vault is locked
  4 the environment: disk, network, permissions, no broker";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples() {
        fn check(command: &clap::Command, path: &str) {
            for sub in command.get_subcommands() {
                let path = format!("{path} {}", sub.get_name());
                let after = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(after.contains("symbolon"), "`{path} --help` has no example");
                assert!(sub.get_about().is_some(), "`{path}` is not described");
                check(sub, &path);
            }
        }
        check(&Cli::command(), "symbolon");
    }
}
