//! Statements proven and checked: one by one, and 128 at once, on every processor that there is.

use std::time::Instant;

use symbolon_bench_proofs::Cases;

use crate::row::Report;
use crate::{BenchError, Options};

/// Proofs made in each case.
const RUNS: usize = 7;

pub(crate) fn run(options: &Options, report: &mut Report) -> Result<(), BenchError> {
    let runs = options.iterations.unwrap_or(RUNS).clamp(1, 1000);
    let start = Instant::now();
    let clock = || start.elapsed().as_secs_f64() * 1e3;
    let mut cases = Cases::make(runs, &clock).map_err(BenchError::new)?;
    for name in Cases::NAMES {
        report.proof(&cases.run(name).map_err(BenchError::new)?);
    }
    Ok(())
}
