//! `cargo xtask bench`.

use std::process::{Command, Stdio};

use crate::{Failure, process, web, workspace};

pub const LINE: &str = "build the release and run `symbolon bench`";

pub const HELP: &str = "\
cargo xtask bench [ARGS]: build the release and run `symbolon bench` with ARGS

Ratios in one run count, wall times on a shared machine do not: close what else
runs. The suite `inject` starts nginx beside the broker, the suite `proxy` npm's varlock;
`cargo xtask test --only setup` installs both.

With `--browser` first: the suite `proofs` in the system's Chromium, one JSON
object for each case and number of threads, from a module that is built as the
page's prover is.

Examples
  cargo xtask bench                                  every suite, as tables
  cargo xtask bench --suite authorize --json         one suite, one JSON object a row
  cargo xtask bench --suite inject --concurrency 1,50
  cargo xtask bench -- --help                        the suites and their options
  cargo xtask bench --browser --threads 1,2 --case returning,identity --runs 5
";

pub fn run(given: &[String]) -> Result<(), Failure> {
    if let Some((_, rest)) = given.split_first().filter(|(first, _)| *first == "--browser") {
        return browser(rest);
    }
    process::run(process::cargo().args(["build", "--release", "--package", "symbolon-cli"]))?;
    let passed = given.iter().filter(|arg| *arg != "--");
    let mut bench = Command::new(workspace::release_binary("symbolon")?);
    process::run(bench.arg("bench").args(passed).env("SYMBOLON_TEST_TOOLS", workspace::tools()?))
}

fn browser(given: &[String]) -> Result<(), Failure> {
    let module = web::bench_module()?;
    let packages = web::install()?;
    let drive = workspace::root()?.join("bench/browser/drive.mjs");
    let mut node = Command::new(web::node(&packages)?);
    node.arg(drive).arg(module).arg(packages).args(given).stdin(Stdio::null());
    process::run(&mut node)
}
