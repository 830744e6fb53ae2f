//! Counts, and their Prometheus text.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::Broker;

#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Calls that an upstream answered.
    pub(crate) answered: AtomicU64,
    /// Calls that a gate, a limit or a token refused.
    pub(crate) refused: AtomicU64,
    /// Refusals beyond what is written down of one agent.
    pub(crate) unrecorded: AtomicU64,
    /// Calls that failed after the credential could have been out.
    pub(crate) failed: AtomicU64,
    /// Echoes of a credential that were taken out.
    pub(crate) redactions: AtomicU64,
}

impl Broker {
    /// Prometheus text (exposition format 0.0.4).
    pub fn metrics(&self) -> String {
        let c = &self.counters;
        let clear = symbolon_secret::CLEAR.snapshot();
        let mut out = String::with_capacity(2048);
        let mut metric = |kind: &str, name: &str, help: &str, values: &[(&str, f64)]| {
            // Writing into a String cannot fail.
            let _ = writeln!(out, "# HELP symbolon_{name} {help}\n# TYPE symbolon_{name} {kind}");
            for (labels, value) in values {
                let _ = writeln!(out, "symbolon_{name}{labels} {value}");
            }
        };
        let count = |n: &AtomicU64| n.load(Relaxed) as f64;
        metric(
            "counter",
            "calls_total",
            "Calls by outcome.",
            &[
                ("{outcome=\"answered\"}", count(&c.answered)),
                ("{outcome=\"refused\"}", count(&c.refused)),
                ("{outcome=\"failed\"}", count(&c.failed)),
            ],
        );
        metric(
            "counter",
            "refusals_unrecorded_total",
            "Refusals without a receipt: more than is written down of one agent.",
            &[("", count(&c.unrecorded))],
        );
        metric(
            "counter",
            "redactions_total",
            "Echoes of a credential taken out of responses.",
            &[("", count(&c.redactions))],
        );
        metric("gauge", "log_entries", "Entries in the log.", &[("", self.log.size() as f64)]);
        metric(
            "gauge",
            "open_intents",
            "Intents without a receipt.",
            &[("", count(&self.open_intents))],
        );
        metric(
            "gauge",
            "unlocked",
            "1 while the vault is open.",
            &[("", f64::from(u8::from(self.engine.policy().is_some())))],
        );
        metric(
            "summary",
            "clear_seconds",
            "How long credentials were in the clear.",
            &[
                ("{quantile=\"0.5\"}", clear.p50 as f64 / 1e9),
                ("{quantile=\"0.99\"}", clear.p99 as f64 / 1e9),
            ],
        );
        let _ = writeln!(out, "symbolon_clear_seconds_count {}", clear.count);
        out
    }
}
