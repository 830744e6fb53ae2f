//! `symbolon bench`

use std::ffi::OsString;
use std::process::ExitCode;

use super::Ctx;
use crate::runtime;

/// Measure: authorize, inject, proxy, mcp, log, isolation, redact, catalog, flow, accounts, mesh
#[derive(Debug, clap::Args)]
#[command(
    disable_help_flag = true,
    after_help = "\
Examples
  symbolon bench --suite authorize
  symbolon bench --suite inject --concurrency 1,50 --json"
)]
pub struct Args {
    /// Passed to the suites; --help says which there are
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

impl Args {
    pub fn run(mut self, ctx: &Ctx) -> ExitCode {
        runtime::install_tls();
        if ctx.json && !self.arguments.iter().any(|it| it == "--json") {
            self.arguments.push("--json".into());
        }
        symbolon_bench::run(self.arguments)
    }
}
