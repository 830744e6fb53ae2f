//! `cargo xtask fmt`.

use crate::{Args, Failure, process};

pub const LINE: &str = "format every crate";

pub const HELP: &str = "\
cargo xtask fmt [--check]: format every crate with rustfmt

  --check   change nothing; fail and show what would change

Examples
  cargo xtask fmt
  cargo xtask fmt --check
";

pub fn run(given: &[String]) -> Result<(), Failure> {
    let args = Args::parse("fmt", given, &["--check"], &[])?;
    if args.has("--check") {
        check()
    } else {
        process::run(process::cargo().args(["fmt", "--all"]))
    }
}

/// Fails where rustfmt would change something.
pub fn check() -> Result<(), Failure> {
    process::run(process::cargo().args(["fmt", "--all", "--check"]))
        .map_err(|_| Failure::new("some files are not formatted").next("cargo xtask fmt"))
}
