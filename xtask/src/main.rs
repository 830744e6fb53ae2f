//! `cargo xtask`: everything that is done to this repository, one file per command.
#![forbid(unsafe_code)]

mod args;
mod bench;
mod demo;
mod failure;
mod fmt;
mod graph;
mod lint;
mod process;
mod simulate;
mod test;
mod web;
mod workspace;

use std::process::ExitCode;

use args::Args;
use failure::Failure;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&given) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_told() {
                eprintln!("{failure}");
            }
            ExitCode::FAILURE
        }
    }
}

fn dispatch(given: &[String]) -> Result<(), Failure> {
    let Some((name, rest)) = given.split_first() else {
        print!("{}", overview());
        return Ok(());
    };
    if matches!(name.as_str(), "-h" | "--help" | "help") {
        match rest.first().and_then(|topic| find(topic)) {
            Some(command) => print!("{}", command.help),
            None => print!("{}", overview()),
        }
        return Ok(());
    }
    let command = find(name).ok_or_else(|| {
        Failure::new(format!("there is no command `{name}`")).next("cargo xtask --help")
    })?;
    // What follows `--` belongs to the program that a command starts.
    let own = rest.iter().take_while(|arg| *arg != "--");
    if own.into_iter().any(|arg| arg == "-h" || arg == "--help") {
        print!("{}", command.help);
        return Ok(());
    }
    (command.run)(rest)
}

struct Command {
    name: &'static str,
    line: &'static str,
    help: &'static str,
    run: fn(&[String]) -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command { name: "demo", line: demo::LINE, help: demo::HELP, run: demo::run },
    Command { name: "test", line: test::LINE, help: test::HELP, run: test::run },
    Command { name: "simulate", line: simulate::LINE, help: simulate::HELP, run: simulate::run },
    Command { name: "lint", line: lint::LINE, help: lint::HELP, run: lint::run },
    Command { name: "fmt", line: fmt::LINE, help: fmt::HELP, run: fmt::run },
    Command { name: "graph", line: graph::LINE, help: graph::HELP, run: graph::run },
    Command { name: "web", line: web::LINE, help: web::HELP, run: web::run },
    Command { name: "bench", line: bench::LINE, help: bench::HELP, run: bench::run },
];

fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

fn overview() -> String {
    let mut text = String::from("cargo xtask COMMAND: work on Symbolon\n\n");
    for command in COMMANDS {
        text.push_str(&format!("  {:<8} {}\n", command.name, command.line));
    }
    text.push_str(
        "\nNew here? `cargo xtask demo` shows the product, `cargo xtask test` checks it.\n",
    );
    text.push_str("`cargo xtask COMMAND --help` says what each does, with examples.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_help_that_begins_with_its_name() {
        for command in COMMANDS {
            let start = format!("cargo xtask {}", command.name);
            assert!(command.help.starts_with(&start), "{} says: {}", command.name, command.help);
            assert!(command.help.contains("Examples"), "{} shows no example", command.name);
            assert!(overview().contains(command.line));
        }
    }

    #[test]
    fn an_unknown_command_names_the_next_step() {
        let failure = dispatch(&["tset".to_owned()]).unwrap_err().to_string();
        assert!(failure.contains("tset") && failure.contains("cargo xtask --help"), "{failure}");
    }
}
