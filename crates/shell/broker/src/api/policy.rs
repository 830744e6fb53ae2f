//! What rules would say of a call, and what they let through unseen.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What shadow mode does, and what it let through.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShadowView {
    /// Whether it is on now.
    pub on: bool,
    /// Whether it comes back after a restart.
    pub kept: bool,
    /// Refusals that it passed over.
    pub passed_over: u64,
    /// The grants that were missing, as commands.
    pub missing: Vec<String>,
    /// What was passed over, by kind, the latest first.
    pub rows: Vec<ShadowRow>,
}

/// A kind of refusal that shadow mode passed over.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)] // agent, connection, tool and scope are what they are everywhere
pub struct ShadowRow {
    pub agent: String,
    pub connection: String,
    pub tool: String,
    pub scope: String,
    /// The gate or rule that would have refused.
    pub gate: String,
    /// The refusal's code.
    pub code: String,
    /// The refusal's sentence, of the last time.
    pub message: String,
    /// How often.
    pub count: u64,
    /// The first time, RFC 3339.
    pub first: String,
    /// The last time, RFC 3339.
    pub last: String,
}

/// A method and URL whose tool is looked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolveRequest {
    /// Such as `POST`.
    pub method: String,
    /// Absolute, with its query.
    pub url: String,
    /// Only this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// What a method and URL name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Resolved {
    /// The tool; absent where none is named, and `checks` says why.
    pub tool: Option<String>,
    /// The connection.
    pub connection: Option<String>,
    /// What path and query say of the arguments.
    pub arguments: Map<String, Value>,
    /// What stands in the way.
    pub checks: Vec<CheckView>,
}

/// A call to explain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExplainRequest {
    /// Who would call.
    pub agent: String,
    /// The tool.
    pub tool: String,
    /// Its parameters.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// Which connection of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

/// What would happen to a call, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[allow(missing_docs)] // agent, tool, connection and scope are what they are everywhere
pub struct ExplanationView {
    pub agent: String,
    pub method: String,
    /// Where it would go.
    pub url: String,
    pub tool: String,
    pub connection: String,
    pub scope: String,
    /// `read`, `write` or `destructive`.
    pub effect: String,
    /// The grant that lets it through, or comes nearest.
    pub grant: Option<u64>,
    /// Every gate and rule, in the order in which a call meets them.
    pub checks: Vec<CheckView>,
    /// `allowed`, `refused`, or `shadowed`: refused but for shadow mode.
    pub outcome: String,
    /// The sentence that a person would approve.
    pub sentence: String,
    /// The next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Seconds to wait, where waiting helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

/// One gate or rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckView {
    /// Which.
    pub rule: String,
    /// Whether it holds; absent where it could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
    /// Why.
    pub why: String,
    /// What to do where it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
