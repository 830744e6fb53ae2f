//! `cargo xtask simulate`.

use crate::{Args, Failure, process};

pub const LINE: &str = "run the simulations of log and mesh from many seeds";

pub const HELP: &str = "\
cargo xtask simulate [--seeds N]: lives of logs, witnesses, monitors and mesh
nodes from the seeds 0 to N, with crashes at each write, torn writes, loss,
reorder, duplication, partition, clock skew, forks and liars

`cargo xtask test` runs 500 seeds of each; this is the form for the night, and
`.ci/nightly` calls it. A seed that fails is named: write it into `seeds.txt`
beside its simulation, which every later run begins with.

  --seeds N   how many (100000 where absent)

Examples
  cargo xtask simulate
  cargo xtask simulate --seeds 5000
";

const SEEDS: u64 = 100_000;

pub fn run(given: &[String]) -> Result<(), Failure> {
    let args = Args::parse("simulate", given, &[], &["--seeds"])?;
    let seeds = match args.value("--seeds") {
        None => SEEDS,
        Some(text) => text.parse().map_err(|_| {
            Failure::new(format!("`{text}` is no number of seeds"))
                .next("cargo xtask simulate --help")
        })?,
    };
    let mut test = process::cargo();
    test.args(["test", "--release", "--test", "simulation"]);
    test.args(["--package", "symbolon-log", "--package", "symbolon-mesh"]);
    // The simulations alone are linked: whole-program optimisation would be for the product.
    test.env("CARGO_PROFILE_RELEASE_LTO", "off");
    process::run(test.env("SYMBOLON_SIMULATION_SEEDS", seeds.to_string()))
}
