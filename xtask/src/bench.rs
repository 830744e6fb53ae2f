//! `cargo xtask bench`.

use std::process::Command;

use crate::{Failure, process, workspace};

pub const LINE: &str = "build the release and run `symbolon bench`";

pub const HELP: &str = "\
cargo xtask bench [ARGS]: build the release and run `symbolon bench` with ARGS

Ratios in one run count, wall times on a shared machine do not: close what else
runs. The suite `inject` starts nginx beside the broker; `cargo xtask test --only setup`
installs it.

Examples
  cargo xtask bench                                  every suite, as tables
  cargo xtask bench --suite authorize --json         one suite, one JSON object a row
  cargo xtask bench --suite inject --concurrency 1,50
  cargo xtask bench -- --help                        the suites and their options
";

pub fn run(given: &[String]) -> Result<(), Failure> {
    process::run(process::cargo().args(["build", "--release", "--package", "symbolon-cli"]))?;
    let passed = given.iter().filter(|arg| *arg != "--");
    process::run(Command::new(workspace::release_binary("symbolon")?).arg("bench").args(passed))
}
