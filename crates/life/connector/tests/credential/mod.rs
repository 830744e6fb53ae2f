//! A bearer credential of a test, and the pattern that finds it.

use std::sync::Arc;

use symbolon_ambient::SeededRng;
use symbolon_connector::inject::{Slot, wire_form};
use symbolon_connector::redact::{
    Confirm, Pattern, Unconfirmed, Verdict, judge, judge_scratch_len,
};
use symbolon_secret::{Secret, with_window};

pub struct Credential {
    slot: Slot,
    wire: Secret<[u8]>,
    pub pattern: Arc<Pattern>,
}

impl Credential {
    pub fn new(raw: &str) -> Self {
        let slot = Slot::bearer();
        let raw = Secret::make_slice(raw.len(), |out| out.copy_from_slice(raw.as_bytes()));
        let wire = wire_form(&slot, &raw).expect("a usable credential");
        let pattern = Pattern::learn(&slot, &wire, &SeededRng::new(7)).expect("a pattern");
        Self { pattern: Arc::new(pattern), slot, wire }
    }
}

impl Confirm for Credential {
    fn confirm(&self, haystack: &[u8], at: usize) -> Result<Verdict, Unconfirmed> {
        with_window(|window| {
            let scratch = window.take(judge_scratch_len(self.wire.len()));
            // EXPOSE: a test's own credential, compared in the window.
            judge(&self.slot, self.wire.expose(), scratch, haystack, at)
        })
        .map_err(|_| Unconfirmed)?
    }
}
