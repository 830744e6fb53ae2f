//! A run that goes on, or ended lately, as others see it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use symbolon_codec::time::rfc3339;
use symbolon_flow::{Change, Flow, RunId, RunRow, RunState, StepState};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::view::{FlowEvent, FlowProgress, FlowRunRow, FlowRunView, FlowStepView};

/// A run that goes on, or ended lately.
pub(crate) struct Live {
    row: RunRow,
    flow: Arc<Flow>,
    /// Somebody wants it ended.
    pub(crate) cancel: CancellationToken,
    /// The order in which steps come to something.
    order: AtomicU64,
    /// Bytes that outputs may still have.
    room: AtomicUsize,
    began_ns: u64,
    board: Mutex<Board>,
    changed: watch::Sender<u64>,
}

struct Board {
    state: RunState,
    /// Ended without an end: a stop, a lock.
    is_interrupted: bool,
    steps: Vec<FlowStepView>,
    events: Vec<FlowEvent>,
    output: Option<Value>,
    changed_unix_ms: u64,
}

impl Live {
    /// `order`: how many steps have come to something before.
    pub(crate) fn new(row: RunRow, flow: Arc<Flow>, order: u64, began_ns: u64) -> Self {
        let steps = flow.steps().iter().map(|step| FlowStepView {
            id: step.id().to_owned(),
            tool: step.call().tool.to_string(),
            state: StepState::Pending.to_string(),
            receipt: None,
            why: None,
        });
        let board = Board {
            state: row.state,
            is_interrupted: false,
            steps: steps.collect(),
            events: Vec::new(),
            output: None,
            changed_unix_ms: row.changed_unix_ms,
        };
        Self {
            row,
            flow,
            cancel: CancellationToken::new(),
            order: order.into(),
            room: OUTPUTS_BYTES_MAX.into(),
            began_ns,
            board: Mutex::new(board),
            changed: watch::Sender::new(0),
        }
    }

    pub(crate) fn id(&self) -> RunId {
        self.row.id
    }

    pub(crate) fn epoch(&self) -> u32 {
        self.row.epoch
    }

    pub(crate) fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    pub(crate) fn next_order(&self) -> u64 {
        self.order.fetch_add(1, Relaxed)
    }

    /// Whether so many bytes of an output may be kept.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let fits = |room: usize| room.checked_sub(bytes);
        bytes <= OUTPUT_BYTES_MAX && self.room.fetch_update(Relaxed, Relaxed, fits).is_ok()
    }

    /// What is known of a step from before.
    pub(crate) fn restore(&self, step: usize, state: StepState, receipt: Option<u64>) {
        let mut board = self.board();
        if let Some(view) = board.steps.get_mut(step) {
            (view.state, view.receipt) = (state.to_string(), receipt);
        }
    }

    /// The receipt of a step's last call.
    pub(crate) fn set_receipt(&self, step: usize, receipt: Option<u64>) {
        if let (Some(view), true) = (self.board().steps.get_mut(step), receipt.is_some()) {
            view.receipt = receipt;
        }
    }

    pub(crate) fn receipt_of(&self, step: usize) -> Option<u64> {
        self.board().steps.get(step).and_then(|view| view.receipt)
    }

    pub(crate) fn agent(&self) -> &str {
        self.row.agent.as_str()
    }

    /// From now on what happened is undone; false where it was said before.
    pub(crate) fn set_rolling_back(&self) -> bool {
        let mut board = self.board();
        let is_new = board.state != RunState::RollingBack;
        board.state = RunState::RollingBack;
        is_new
    }

    /// What the flow is to give could not be made.
    pub(crate) fn tell_output(&self, why: String) {
        let event = FlowEvent {
            step: "output".to_owned(),
            state: StepState::Failed.to_string(),
            attempt: 0,
            receipt: None,
            why: Some(why),
            at_ms: 0,
        };
        self.board().events.push(event);
    }

    /// Steps came into other states.
    pub(crate) fn tell(&self, changes: &[Change], now_ns: u64) {
        if changes.is_empty() {
            return;
        }
        let at_ms = now_ns.saturating_sub(self.began_ns) / 1_000_000;
        let mut board = self.board();
        for change in changes {
            let Some(view) = board.steps.get_mut(change.step) else { continue };
            view.state = change.state.to_string();
            view.why.clone_from(&change.why);
            let is_begun = matches!(change.state, StepState::Running | StepState::Undoing);
            let event = FlowEvent {
                step: view.id.clone(),
                state: view.state.clone(),
                attempt: change.attempt,
                receipt: view.receipt.filter(|_| !is_begun),
                why: change.why.clone(),
                at_ms,
            };
            board.events.push(event);
        }
        drop(board);
        self.changed.send_modify(|n| *n += 1);
    }

    /// It is in another state.
    pub(crate) fn set_state(&self, state: RunState, output: Option<Value>, now_unix_ms: u64) {
        let mut board = self.board();
        (board.state, board.output, board.changed_unix_ms) = (state, output, now_unix_ms);
        drop(board);
        self.changed.send_modify(|n| *n += 1);
    }

    /// It stands still, and can be resumed.
    pub(crate) fn set_interrupted(&self) {
        self.board().is_interrupted = true;
        self.changed.send_modify(|n| *n += 1);
    }

    pub(crate) fn is_over(&self) -> bool {
        let board = self.board();
        board.is_interrupted || matches!(board.state, RunState::Ended(_))
    }

    /// How it is, in a word.
    pub(crate) fn state(&self) -> String {
        let board = self.board();
        if board.is_interrupted { INTERRUPTED.to_owned() } else { board.state.to_string() }
    }

    /// What happened after the first `after` events; waits for something to happen.
    pub(crate) async fn progress(&self, after: u64, patience: std::time::Duration) -> FlowProgress {
        let mut changed = self.changed.subscribe();
        let waited = async {
            loop {
                let is_there = self.is_over() || self.board().events.len() as u64 > after;
                if is_there || changed.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(patience, waited).await;
        let (is_over, state) = (self.is_over(), self.state());
        let board = self.board();
        let from = usize::try_from(after).unwrap_or(usize::MAX).min(board.events.len());
        let events: Vec<FlowEvent> =
            board.events[from..].iter().take(EVENTS_MAX).cloned().collect();
        let next = (from + events.len()) as u64;
        let is_last = next == board.events.len() as u64;
        let begun = ["pending", "running", "waiting", "paused"];
        let over = board.steps.iter().filter(|step| !begun.contains(&&*step.state)).count();
        let (run, total) = (self.row.id.to_string(), board.steps.len());
        FlowProgress { run, state, events, next, over, total, is_over: is_over && is_last }
    }

    pub(crate) fn view(&self) -> FlowRunView {
        let state = self.state();
        let board = self.board();
        let row = row_view(&RunRow { changed_unix_ms: board.changed_unix_ms, ..self.row.clone() });
        let (steps, output) = (board.steps.clone(), board.output.clone());
        let next = next_of(&state, &row.run, &steps);
        let kind = self.flow.kind().as_str().to_owned();
        FlowRunView { row: FlowRunRow { state, ..row }, kind, steps, output, next }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stored run as a line of a list. One that goes on in the store alone was interrupted.
pub(crate) fn row_view(row: &RunRow) -> FlowRunRow {
    let state = match row.state {
        RunState::Ended(outcome) => outcome.as_str(),
        RunState::Running | RunState::RollingBack => INTERRUPTED,
    };
    FlowRunRow {
        run: row.id.to_string(),
        flow: row.flow.to_string(),
        agent: row.agent.to_string(),
        state: state.to_owned(),
        created: rfc3339(row.created_unix_ms),
        changed: rfc3339(row.changed_unix_ms),
    }
}

/// What a person can do about a run that stands still.
pub(crate) fn next_of(state: &str, run: &str, steps: &[FlowStepView]) -> Option<String> {
    let uncertain = steps.iter().find(|step| step.state == "uncertain");
    match (state, uncertain) {
        ("uncertain", Some(step)) => {
            let (id, receipt) = (&step.id, step.receipt);
            let look = receipt.map_or_else(
                || "symbolon receipts".to_owned(),
                |n| format!("symbolon receipts show {n}"),
            );
            Some(format!(
                "look whether it happened ({look}), then symbolon flow resume {run} --step {id} --as-done, or --again"
            ))
        }
        ("interrupted" | "failed" | "cancelled" | "uncertain", _) => {
            Some(format!("symbolon flow resume {run}"))
        }
        ("rollback_failed", _) => Some(format!("symbolon flow rollback {run}")),
        _ => None,
    }
}

const INTERRUPTED: &str = "interrupted";
/// What one step gives, as JSON. Of more nothing is kept.
const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// What the steps of a run give together.
const OUTPUTS_BYTES_MAX: usize = 64 << 20;
/// Events that are told at once.
const EVENTS_MAX: usize = 1000;
