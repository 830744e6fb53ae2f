//! What doors are told of flows. Nothing here can hold a secret.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A run to begin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowRequest {
    /// As whom it runs.
    pub agent: String,
    /// The definition, in YAML or JSON.
    pub definition: String,
    /// Its inputs.
    #[serde(default)]
    pub inputs: Map<String, Value>,
}

/// A flow that is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowStored {
    /// Its name.
    pub flow: String,
    /// As whom it runs.
    pub agent: String,
    /// `pipeline`, `assembly_line` or `radial_burst`.
    pub kind: String,
    /// What its author says of it.
    pub description: String,
    /// Its inputs, with their types.
    pub inputs: Vec<(String, String)>,
    /// Whether webhooks begin it: `POST /hooks/NAME`.
    pub hook: bool,
    /// When the clock begins it: five cron fields and a zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Times that came while nobody was there, or when it could not begin.
    #[serde(default)]
    pub missed: u64,
    /// When it was stored, RFC 3339.
    pub created: String,
}

/// What a webhook began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowDelivered {
    /// The run.
    pub run: String,
    /// Whether this delivery began it, and not one before with the same id.
    pub is_new: bool,
}

/// What a look at a definition found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowCheck {
    /// Its name.
    pub flow: String,
    /// `pipeline`, `assembly_line` or `radial_burst`.
    pub kind: String,
    /// Steps in it.
    pub steps: usize,
    /// Calls at once, at most.
    pub concurrency: usize,
    /// Its inputs, with their types.
    pub inputs: Vec<(String, String)>,
    /// Commands that give the grants which the agent lacks.
    pub missing: Vec<String>,
}

/// A run as a line of a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowRunRow {
    /// 32 hexadecimal digits.
    pub run: String,
    /// The flow's name.
    pub flow: String,
    /// As whom it runs.
    pub agent: String,
    /// `running`, `rolling_back`, `interrupted`, `done`, `failed`, `cancelled`, `rolled_back`,
    /// `rollback_failed` or `uncertain`.
    pub state: String,
    /// When it began, RFC 3339.
    pub created: String,
    /// When its state changed last, RFC 3339.
    pub changed: String,
}

/// A run, whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowRunView {
    /// What the list says of it.
    #[serde(flatten)]
    pub row: FlowRunRow,
    /// `pipeline`, `assembly_line` or `radial_burst`.
    pub kind: String,
    /// Its steps, in the order of the definition.
    pub steps: Vec<FlowStepView>,
    /// What the flow gives, where it is done and says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// The next step, where a person has to do one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A step of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowStepView {
    /// Its id.
    pub id: String,
    /// The tool that it calls.
    pub tool: String,
    /// `pending`, `running`, `waiting`, `paused`, `done`, `skipped`, `failed`, `cancelled`,
    /// `uncertain`, `undoing`, `undone` or `undo_failed`.
    pub state: String,
    /// The receipt of its last call, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
    /// Why, where there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A step that came into another state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowEvent {
    /// The step.
    pub step: String,
    /// As in [`FlowStepView`].
    pub state: String,
    /// Which attempt, from 1; 0 where there was none.
    pub attempt: u32,
    /// The receipt, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<u64>,
    /// Why, where there is something to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Milliseconds since the run began, or began again.
    pub at_ms: u64,
}

/// What happened in a run since somebody asked last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowProgress {
    /// The run.
    pub run: String,
    /// As in [`FlowRunRow`].
    pub state: String,
    /// What happened, the first first.
    pub events: Vec<FlowEvent>,
    /// To ask with the next time.
    pub next: u64,
    /// Steps that are over.
    pub over: usize,
    /// Steps in all.
    pub total: usize,
    /// Whether it stands still: nothing more will happen by itself.
    pub is_over: bool,
}

/// What a person says of a step of which nobody knows whether it happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowDecision {
    /// The step.
    pub step: String,
    /// It happened; otherwise it is to be made again.
    pub as_done: bool,
    /// With `as_done`: what it gave, for what comes after it: `{"status": …, "body": …}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
}
