//! A flow's definition, and the first steps of its run.

use serde_json::{Map, json};
use symbolon_flow::{Flow, InputType, Outcome, Run, RunId};

pub fn run(data: &[u8]) {
    let Ok(flow) = Flow::parse(data) else { return };
    let value = |kind| match kind {
        InputType::Integer | InputType::Number => json!(7),
        InputType::Boolean => json!(true),
        InputType::Object => json!({"a": [1]}),
        InputType::Array => json!([{"a": 1}]),
        _ => json!("text"),
    };
    let inputs: Map<_, _> =
        flow.inputs().iter().map(|input| (input.name().to_owned(), value(input.kind()))).collect();
    let (steps, concurrency) = (flow.steps().len(), flow.concurrency());
    let mut run = Run::new(flow.into(), RunId([1; 16]), inputs, 0).expect("inputs of their types");
    let mut begun = Vec::new();
    let mut count = 0;
    loop {
        while let Some(start) = run.next(0) {
            begun.push(start.work);
            assert!(begun.len() <= concurrency);
        }
        let Some(work) = begun.pop() else { break };
        count += 1;
        run.done(work, json!({"status": 200, "body": {"a": [1]}, "receipt": count}));
    }
    // Undoings come on top; without a pause nothing waits.
    assert!(count <= 2 * steps);
    assert!(run.outcome().is_some_and(|outcome| outcome != Outcome::Uncertain));
}
