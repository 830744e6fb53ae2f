//! `symbolon.run_flow`: flows that the owner keeps for this agent, with progress for clients that ask for it.

use rmcp::{
    RoleServer,
    model::{CallToolResult, JsonObject, ProgressNotificationParam, Tool, ToolAnnotations},
    service::RequestContext,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use symbolon_broker::{CallError, FlowProgress, FlowRunView};

use crate::{calls::Calls, listing::object, render, seat::Seat};

/// The name on the wire. Listed where the agent has a flow.
pub(crate) const RUN_FLOW: &str = "symbolon.run_flow";

pub(crate) fn tool() -> Tool {
    let schema = json!({
        "type": "object",
        "properties": {
            "flow": { "type": "string", "description": "The flow's name. Without it, the flows there are." },
            "inputs": { "type": "object", "description": "Its inputs." }
        },
        "additionalProperties": false
    });
    let says = "Runs a flow that the owner keeps for you: several calls as one, each through every gate. \
                Without `flow`, lists the flows and their inputs.";
    let hints = ToolAnnotations::new().read_only(false).destructive(true).idempotent(false);
    Tool::new(RUN_FLOW, says, object(schema))
        .with_title("Run a flow")
        .with_annotations(hints.open_world(true))
}

/// Lists flows, or runs one to its end; a request that is cancelled cancels its run.
///
/// # Errors
/// `invalid_arguments`; else the broker's.
pub(crate) async fn run<C: Calls>(
    seat: &Seat<C>,
    arguments: JsonObject,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResult, CallError> {
    let Wanted { flow, inputs } = serde_json::from_value(Value::Object(arguments))
        .map_err(|e| CallError::caller("invalid_arguments", format!("{RUN_FLOW}: {e}")))?;
    let calls = seat.calls();
    let Some(flow) = flow else {
        let flows = calls.flows(seat.session()).await?;
        return Ok(render::structured(json!({ "flows": flows }), false));
    };
    let run = calls.flow_start(seat.session(), flow, inputs).await?.row.run;
    let (mut after, mut is_cancelled) = (0, false);
    loop {
        let progress = tokio::select! {
            progress = calls.flow_progress(seat.session(), run.clone(), after) => progress?,
            () = context.ct.cancelled(), if !is_cancelled => {
                is_cancelled = true;
                calls.flow_cancel(seat.session(), run.clone()).await?;
                continue;
            }
        };
        after = progress.next;
        tell(context, &progress).await;
        if progress.is_over {
            break;
        }
    }
    let view = calls.flow_show(seat.session(), run).await?;
    let is_error = view.row.state != "done";
    Ok(render::structured(shown(view), is_error))
}

/// To a client that gave a token for it (MCP, progress): steps that are over, of all.
async fn tell(context: &RequestContext<RoleServer>, progress: &FlowProgress) {
    let (Some(token), Some(last)) = (context.meta.get_progress_token(), progress.events.last())
    else {
        return;
    };
    // Progress must grow with each notification: events do, steps that are over may not.
    let (done, total) = (progress.next as f64, 2.0 * progress.total as f64);
    let message =
        format!("{}: {} ({} of {} steps)", last.step, last.state, progress.over, progress.total);
    let note = ProgressNotificationParam::new(token, done).with_total(done.max(total));
    // A client that cannot take it now hears the end.
    let _ = context.peer.notify_progress(note.with_message(message)).await;
}

/// A run as a model needs it: how it ended, and of steps those that did not go well.
fn shown(mut view: FlowRunView) -> Value {
    let steps = view.steps.len();
    view.steps.retain(|step| !matches!(&*step.state, "done" | "skipped" | "pending"));
    view.steps.truncate(STEPS_SHOWN);
    let mut shown = json!(view);
    shown["steps_in_all"] = steps.into();
    shown
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    flow: Option<String>,
    #[serde(default)]
    inputs: Map<String, Value>,
}

const STEPS_SHOWN: usize = 50;
