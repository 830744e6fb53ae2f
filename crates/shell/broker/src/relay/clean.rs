//! An answer's body, searched while it passes.

use std::sync::Arc;

use symbolon_connector::body::Codings;
use symbolon_connector::redact::{Confirm, Counts, Filter, Unconfirmed, Verdict};

use crate::upstream::{Live, UpstreamError};

/// Confirms a candidate by opening the credential in a secret window.
#[derive(Clone)]
pub(crate) struct Echo(pub(crate) Arc<Live>);

impl Confirm for Echo {
    fn confirm(&self, haystack: &[u8], at: usize) -> Result<Verdict, Unconfirmed> {
        self.0.confirm(haystack, at)
    }
}

/// Takes echoes out of an answer: its codings are undone, and what comes out is identity.
pub(super) struct Cleaner {
    filter: Option<Filter<Echo>>,
    echo: Echo,
    counts: Counts,
    bytes_max: u64,
}

impl Cleaner {
    pub(super) fn new(live: &Arc<Live>, codings: &Codings, bytes_max: u64) -> Self {
        let echo = Echo(live.clone());
        let filter = Filter::new(live.pattern.clone(), echo.clone(), codings, bytes_max);
        Self { filter: Some(filter), echo, counts: Counts::default(), bytes_max }
    }

    pub(super) fn echo(&self) -> &Echo {
        &self.echo
    }

    pub(super) fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// All that was found so far.
    pub(super) fn total(&self) -> Counts {
        let mut total = self.counts.clone();
        if let Some(filter) = &self.filter {
            total.merge(filter.counts());
        }
        total
    }

    /// Takes `data` and appends to `out` what may pass.
    pub(super) fn push(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), UpstreamError> {
        match &mut self.filter {
            Some(filter) => Ok(filter.push(data, out)?),
            None => Ok(()),
        }
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), UpstreamError> {
        if let Some(filter) = self.filter.take() {
            self.counts.merge(&filter.finish(out)?);
        }
        Ok(())
    }

    /// A message is over; another may come, of as many bytes.
    pub(super) fn finish_message(&mut self, out: &mut Vec<u8>) -> Result<(), UpstreamError> {
        self.finish(out)?;
        let pattern = self.echo.0.pattern.clone();
        let plain = Codings::default();
        self.filter = Some(Filter::new(pattern, self.echo.clone(), &plain, self.bytes_max));
        Ok(())
    }
}
