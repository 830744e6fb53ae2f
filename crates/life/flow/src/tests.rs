//! Definitions and runs; and any flow with any luck.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use symbolon_ambient::SeededRng;

use crate::*;

mod definitions;
mod luck;
mod runs;

/// Reads a flow that is right.
#[track_caller]
fn flow(text: &str) -> Flow {
    Flow::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// A run of it, with a fixed name.
#[track_caller]
fn run(text: &str, inputs: Value) -> Run {
    let inputs = inputs.as_object().cloned().unwrap_or_default();
    Run::new(flow(text).into(), RunId([7; 16]), inputs, 1_800_000_000_000).expect("inputs")
}

/// What a step that went well gives.
fn good(body: Value) -> Value {
    json!({"status": 200, "body": body, "receipt": 1})
}

fn failure(may_repeat: bool) -> Failure {
    Failure { why: "it broke".to_owned(), may_repeat, at_least: Duration::ZERO }
}
