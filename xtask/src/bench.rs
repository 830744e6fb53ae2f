//! `cargo xtask bench`.

use std::process::Command;

use crate::{Failure, process, workspace};

pub const LINE: &str = "build the release and run `symbolon bench`";

pub const HELP: &str = "\
cargo xtask bench [ARGS]: build the release and run `symbolon bench` with ARGS

Ratios in one run count, wall times on a shared machine do not: close what else
runs. The suite `inject` starts nginx beside the broker, the suite `proxy` npm's varlock;
`cargo xtask test --only setup` installs both.

Examples
  cargo xtask bench                                  every suite, as tables
  cargo xtask bench --suite authorize --json         one suite, one JSON object a row
  cargo xtask bench --suite inject --concurrency 1,50
  cargo xtask bench -- --help                        the suites and their options
";

pub fn run(given: &[String]) -> Result<(), Failure> {
    process::run(process::cargo().args(["build", "--release", "--package", "symbolon-cli"]))?;
    let passed = given.iter().filter(|arg| *arg != "--");
    let mut bench = Command::new(workspace::release_binary("symbolon")?);
    process::run(bench.arg("bench").args(passed).env("SYMBOLON_TEST_TOOLS", workspace::tools()?))
}
