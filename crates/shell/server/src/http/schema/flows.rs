//! The words of flows for OpenAPI.

use utoipa::ToSchema;

/// Flows that are kept for an agent.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Flows {
    /// By name.
    flows: Vec<FlowStored>,
}

/// A flow that is kept.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct FlowStored {
    /// Its name.
    flow: String,
    /// As whom it runs.
    agent: String,
    /// `pipeline`, `assembly_line` or `radial_burst`.
    kind: String,
    /// What its author says of it.
    description: String,
    /// Its inputs, each a name and a type.
    #[schema(value_type = Vec<Vec<String>>)]
    inputs: (),
    /// Whether webhooks begin it.
    hook: bool,
    /// When the clock begins it: five cron fields and a zone.
    schedule: Option<String>,
    /// Times that came while nobody was there, or when it could not begin.
    missed: u64,
    /// When it was stored, RFC 3339.
    created: String,
}

/// What a run is given.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct FlowInputs {
    /// By name; those with a default may be absent.
    #[schema(value_type = Option<Object>)]
    inputs: Option<()>,
}

/// Nothing is to be said.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct Cancel {}

/// A run with its steps.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct FlowRun {
    /// 32 hexadecimal digits.
    run: String,
    /// The flow's name.
    flow: String,
    /// As whom it runs.
    agent: String,
    /// `running`, `rolling_back`, `interrupted`, `done`, `failed`, `cancelled`, `rolled_back`,
    /// `rollback_failed` or `uncertain`.
    state: String,
    /// When it began, RFC 3339.
    created: String,
    /// When its state changed last, RFC 3339.
    changed: String,
    /// `pipeline`, `assembly_line` or `radial_burst`.
    kind: String,
    /// Its steps, in the order of the definition.
    steps: Vec<FlowStep>,
    /// What the flow gives, where it is done and says so.
    #[schema(value_type = Option<Object>)]
    output: Option<()>,
    /// The next step, where a person has to do one.
    next: Option<String>,
}

/// A step of a run.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct FlowStep {
    /// Its id.
    id: String,
    /// The tool that it calls.
    tool: String,
    /// `pending`, `running`, `waiting`, `paused`, `done`, `skipped`, `failed`, `cancelled`,
    /// `uncertain`, `undoing`, `undone` or `undo_failed`.
    state: String,
    /// The receipt of its last call, where there is one.
    receipt: Option<u64>,
    /// Why, where there is something to say.
    why: Option<String>,
}

/// What happened in a run.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct FlowProgress {
    /// The run.
    run: String,
    /// As of a run.
    state: String,
    /// What happened, the first first.
    events: Vec<FlowEvent>,
    /// To ask with the next time.
    next: u64,
    /// Steps that are over.
    over: usize,
    /// Steps in all.
    total: usize,
    /// Whether nothing more will happen by itself.
    is_over: bool,
}

/// A step that came into another state.
#[derive(ToSchema)]
#[allow(dead_code, reason = "read by the derive")]
pub(in crate::http) struct FlowEvent {
    /// The step.
    step: String,
    /// As of a step.
    state: String,
    /// Which attempt, from 1; 0 where there was none.
    attempt: u32,
    /// The receipt, where there is one.
    receipt: Option<u64>,
    /// Why, where there is something to say.
    why: Option<String>,
    /// Milliseconds since the run began, or began again.
    at_ms: u64,
}
