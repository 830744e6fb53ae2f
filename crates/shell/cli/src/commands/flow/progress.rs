//! A run as it goes: one line a step.

use symbolon_broker::{FlowEvent, FlowProgress, FlowRunView};
use symbolon_server::control::Op;

use super::super::Ctx;
use crate::failure::Failure;
use crate::link::Link;
use crate::out;

/// Shows what happens in a run until it stands still, then how it ended. `ends`: it was to end, so
/// that it did is no failure.
pub(super) fn follow(ctx: &Ctx, broker: &mut Link, run: &str, ends: bool) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let asked = broker.ask::<FlowProgress>(&Op::FlowProgress { run: run.to_owned(), after });
        let progress = match asked {
            Ok(progress) => progress,
            // It was over before, so nothing is to be followed.
            Err(error) if error.code == "flow_still" => break,
            Err(error) => return Err(error),
        };
        for event in &progress.events {
            if ctx.json {
                out::json(event)?;
            } else {
                out::say(&line(event, &progress));
            }
        }
        after = progress.next;
        if progress.is_over {
            break;
        }
    }
    let view: FlowRunView = broker.ask(&Op::FlowShow { run: run.to_owned() })?;
    end(ctx, &view, ends)
}

fn line(event: &FlowEvent, progress: &FlowProgress) -> String {
    let seconds = event.at_ms as f64 / 1000.0;
    let mut text = format!("{seconds:8.3} s  {:<11} {}", event.state, event.step);
    if event.attempt > 1 {
        text.push_str(&format!(" (attempt {})", event.attempt));
    }
    if let Some(receipt) = event.receipt {
        text.push_str(&format!("  receipt {receipt}"));
    }
    if let Some(why) = &event.why {
        text.push_str(&format!("  {why}"));
    }
    let is_last = progress.events.last().is_some_and(|last| std::ptr::eq(last, event));
    if is_last {
        text.push_str(&format!("  [{} of {}]", progress.over, progress.total));
    }
    text
}

fn end(ctx: &Ctx, view: &FlowRunView, ends: bool) -> Result<(), Failure> {
    let (state, run) = (view.row.state.as_str(), &view.row.run);
    if ctx.json {
        out::json(view)?;
    } else if let Some(output) = &view.output {
        out::text(&serde_json::to_string_pretty(output).unwrap_or_default())?;
    }
    let is_good = state == "done" || ends && matches!(state, "cancelled" | "rolled_back");
    if is_good {
        if !ctx.json {
            out::say(&format!("Run {run} is {state}."));
            out::say_next(&format!("symbolon flow show {run}"));
        }
        return Ok(());
    }
    let failure = Failure::refused("flow_ended", format!("the run {run} is {state}"));
    let next = view.next.clone().unwrap_or_else(|| format!("symbolon flow show {run}"));
    Err(failure.next(next).already_told())
}
