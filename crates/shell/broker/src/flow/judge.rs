//! What became of an attempt, by what the log says of it. Receipts are the record.

use std::collections::HashMap;

use symbolon_capability::{Context, Intent};
use symbolon_codec::Digest32;
use symbolon_flow::{Flow, Kind, RunId, Work};
use symbolon_receipt::{Outcome, Statement};
use symbolon_store::LogService;

use crate::api::CallError;
use crate::errors;

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was refused, or nothing of it left.
    Unsent,
    /// The upstream answered with this status.
    Answered(u16),
    /// It may have left, and no answer came.
    Unknown,
}

/// What the log says of the last attempt at a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub verdict: Verdict,
    pub receipt: Option<u64>,
}

/// The execution context of one attempt: a token of it is good in no other.
pub(crate) fn context(kind: Kind, run: RunId, id: &str, epoch: u32, work: Work) -> Context {
    let undo = if work.is_undo { "undo/" } else { "" };
    let (run, step) = (run.to_string(), format!("{id}/{undo}{epoch}.{}", work.attempt));
    match kind {
        Kind::Pipeline => Context::Pipeline { run, step },
        Kind::AssemblyLine => Context::AssemblyLine { run, step },
        Kind::RadialBurst => Context::RadialBurst { run, step },
    }
}

pub(crate) fn verdict(statement: &Statement<'_>) -> Verdict {
    let predicate = &statement.predicate;
    match &predicate.response {
        // A mounted server's tool that failed: whole, and no status says so.
        Some(response) if response.status < 400 && predicate.error.is_some() => {
            Verdict::Answered(500)
        }
        Some(response) => Verdict::Answered(response.status),
        None if predicate.decision.outcome == Outcome::Refused => Verdict::Unsent,
        None if predicate.times.released.is_none() => Verdict::Unsent,
        None => Verdict::Unknown,
    }
}

/// What a call's error says of it, with the receipt that it names.
pub(crate) fn of_error(log: &LogService, error: &CallError) -> Verdict {
    match error.receipt {
        None if error.code == RECEIPT_LOST => Verdict::Unknown,
        None => Verdict::Unsent,
        Some(number) => match log.entry(number) {
            Ok(entry) => Statement::parse(&entry).map_or(Verdict::Unknown, |s| verdict(&s)),
            Err(_) => Verdict::Unknown,
        },
    }
}

/// What the log says of the last attempt at each step of a run, and at undoing it, from entry `from`
/// on. Steps that it says nothing of were not let out. Reads files.
pub(crate) fn attempts(
    log: &LogService,
    flow: &Flow,
    (run, epoch, from): (RunId, u32, u64),
) -> Result<HashMap<(usize, bool), Found>, CallError> {
    let wanted = contexts(flow, run, epoch);
    let (mut receipts, mut found) = (HashMap::new(), HashMap::new());
    let mut before = None;
    // Newest first, so that a receipt is met before its intent, and the last attempt before others.
    while before.is_none_or(|first| first > from) {
        let block = log.tail(before, BLOCK).map_err(errors::log_read)?;
        let Some((first, _)) = block.last() else { break };
        before = Some(*first);
        for (number, entry) in block.iter().filter(|(number, _)| *number >= from) {
            if let Ok(intent) = Intent::parse(entry) {
                let Some(step) = wanted.get(&intent.context) else { continue };
                let unfinished = Found { verdict: Verdict::Unknown, receipt: None };
                let last = receipts.get(number).copied().unwrap_or(unfinished);
                found.entry(*step).or_insert(last);
            } else if let Ok(statement) = Statement::parse(entry)
                && let Some(intent) = &statement.predicate.intent
            {
                let last = Found { verdict: verdict(&statement), receipt: Some(*number) };
                receipts.insert(intent.index, last);
            }
        }
    }
    Ok(found)
}

fn contexts(flow: &Flow, run: RunId, epoch: u32) -> HashMap<Digest32, (usize, bool)> {
    let mut all = HashMap::new();
    for (place, step) in flow.steps().iter().enumerate() {
        for attempt in 1..=step.retry().times + 1 {
            for is_undo in [false, true] {
                if is_undo && step.undo().is_none() {
                    continue;
                }
                let work = Work { step: place, attempt, is_undo };
                let context = context(flow.kind(), run, step.id(), epoch, work);
                all.insert(context.digest(), (place, is_undo));
            }
        }
    }
    all
}

/// The code of a call that was made, and whose receipt could not be written.
const RECEIPT_LOST: &str = "receipt_lost";
const BLOCK: u64 = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_attempt_has_a_context_of_its_own() {
        let work = |attempt, is_undo| Work { step: 0, attempt, is_undo };
        let digest = |kind, run: u8, id, epoch, work| {
            context(kind, RunId([run; 16]), id, epoch, work).digest()
        };
        let one = digest(Kind::Pipeline, 1, "a", 0, work(1, false));
        for other in [
            digest(Kind::AssemblyLine, 1, "a", 0, work(1, false)),
            digest(Kind::RadialBurst, 1, "a", 0, work(1, false)),
            digest(Kind::Pipeline, 2, "a", 0, work(1, false)),
            digest(Kind::Pipeline, 1, "b", 0, work(1, false)),
            digest(Kind::Pipeline, 1, "a", 1, work(1, false)),
            digest(Kind::Pipeline, 1, "a", 0, work(2, false)),
            digest(Kind::Pipeline, 1, "a", 0, work(1, true)),
        ] {
            assert_ne!(one, other);
        }
    }
}
