#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bare;
mod child;
mod exchange;
mod home;
mod meter;
mod row;
mod suite;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};

pub use row::Row;

/// Measure what this program costs here.
#[derive(Debug, Parser)]
#[command(
    name = "symbolon bench",
    after_help = "\
Examples
  symbolon bench
  symbolon bench --suite authorize --concurrency 1,100
  symbolon bench --suite inject --json          # needs nginx
  symbolon bench --suite log --entries 10000000
  symbolon bench --suite proxy --varlock node_modules/.bin/varlock"
)]
pub(crate) struct Options {
    /// Which suites; all of them where absent
    #[arg(long, value_enum, value_delimiter = ',')]
    suite: Vec<Suite>,
    /// Calls in each case; each suite has its own number where absent
    #[arg(long)]
    iterations: Option<usize>,
    /// Calls at once, one case for each number
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 50, 100], value_parser = at_once)]
    concurrency: Vec<usize>,
    /// Entries of the log that the suite `log` proves inclusion in
    #[arg(long, value_name = "N", default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    entries: u64,
    /// The peer of the suite `proxy`: the command of npm's package `varlock` [default: where
    /// `cargo xtask test --only setup` puts it, else the one of PATH]
    #[arg(long, value_name = "PATH")]
    varlock: Option<PathBuf>,
    /// One JSON object a row on standard output
    #[arg(long)]
    json: bool,
    /// What a child of a suite runs as
    #[arg(long, hide = true)]
    child: Option<child::Role>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    Authorize,
    Inject,
    Proxy,
    Mcp,
    Log,
    Isolation,
    Redact,
    Catalog,
    Audit,
    Flow,
    Vault,
    Accounts,
    Login,
    Possession,
    Proofs,
    Capsule,
    Mesh,
}

/// Why a suite could not be measured.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct BenchError {
    what: String,
    next: Option<String>,
}

impl BenchError {
    pub(crate) fn new(what: impl std::fmt::Display) -> Self {
        Self { what: what.to_string(), next: None }
    }

    pub(crate) fn next(mut self, step: &str) -> Self {
        self.next = Some(step.to_owned());
        self
    }
}

impl From<std::io::Error> for BenchError {
    fn from(error: std::io::Error) -> Self {
        Self::new(error)
    }
}

impl From<symbolon_broker::CallError> for BenchError {
    fn from(error: symbolon_broker::CallError) -> Self {
        Self { next: error.next.clone(), what: error.message }
    }
}

/// Runs the suites that the words after `symbolon bench` name.
pub fn run(words: Vec<OsString>) -> ExitCode {
    let words = std::iter::once(OsString::from("symbolon bench")).chain(words);
    let options = match Options::try_parse_from(words) {
        Ok(options) => options,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    let done = match options.child {
        Some(role) => child::run(role).map(|()| true),
        None => measure(&options),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!(
                "error: an answer was not what it had to be\nnext:  look for the rows that are not correct"
            );
            ExitCode::FAILURE
        }
        Err(e) => {
            eprintln!("error: {e}");
            if let Some(next) = e.next {
                eprintln!("next:  {next}");
            }
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<bool, BenchError> {
    let all = Suite::value_variants();
    let suites = if options.suite.is_empty() { all } else { &options.suite };
    let mut report = row::Report::new(options.json);
    for one in suites {
        match one {
            Suite::Authorize => suite::authorize::run(options, &mut report),
            Suite::Inject => suite::inject::run(options, &mut report),
            Suite::Proxy => suite::proxy::run(options, &mut report),
            Suite::Mcp => suite::mcp::run(options, &mut report),
            Suite::Log => suite::log::run(options, &mut report),
            Suite::Isolation => suite::isolation::run(options, &mut report),
            Suite::Redact => suite::redact::run(options, &mut report),
            Suite::Catalog => suite::catalog::run(options, &mut report),
            Suite::Audit => suite::audit::run(options, &mut report),
            Suite::Flow => suite::flow::run(options, &mut report),
            Suite::Vault => suite::vault::run(options, &mut report),
            Suite::Accounts => suite::accounts::run(options, &mut report),
            Suite::Login => suite::login::run(options, &mut report),
            Suite::Possession => suite::possession::run(options, &mut report),
            Suite::Proofs => suite::proofs::run(options, &mut report),
            Suite::Capsule => suite::capsule::run(options, &mut report),
            Suite::Mesh => suite::mesh::run(options, &mut report),
        }?;
    }
    Ok(report.correct())
}

fn at_once(text: &str) -> Result<usize, String> {
    let n = text.parse::<usize>().map_err(|e| e.to_string())?;
    if (1..=1000).contains(&n) { Ok(n) } else { Err("between 1 and 1000".to_owned()) }
}
