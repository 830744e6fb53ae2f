//! Runs, told by hand.

use super::*;

/// Begins all that can begin, and gives the ids.
fn begun(run: &mut Run) -> Vec<(Work, String)> {
    let mut all = Vec::new();
    while let Some(start) = run.next(0) {
        all.push((start.work, run.flow().steps()[start.work.step].id().to_owned()));
    }
    all
}

fn ids(begun: &[(Work, String)]) -> Vec<&str> {
    begun.iter().map(|(_, id)| id.as_str()).collect()
}

#[test]
fn a_pipeline_runs_as_it_stands_and_hands_on_values_with_their_types() {
    let mut run = run(
        "flow: a\nkind: pipeline\ninputs: {n: integer}\nsteps:\n- {id: a, call: x.a, with: {n: '{{ inputs.n }}', id: '{{ id }}'}}\n- id: b\n  call: x.b\n  with: {list: '{{ steps.a.body.items }}', text: 'first {{ steps.a.body.items[0].k }}, {{ inputs.n }} of {{ ''{{'' }}', at: '{{ now }}'}\noutput: '{{ steps.b.body }}'\n",
        json!({"n": 3}),
    );
    let first = run.next(0).expect("a");
    assert_eq!(first.arguments["n"], 3);
    let id = first.arguments["id"].as_str().expect("a text").to_owned();
    assert_eq!((id.len(), &id[14..15]), (36, "4"));
    assert!(run.next(0).is_none(), "b waits for a");
    run.done(first.work, good(json!({"items": [{"k": "v"}, 2]})));
    let second = run.next(0).expect("b");
    let wanted = json!({"list": [{"k": "v"}, 2], "text": "first v, 3 of {{", "at": "2027-01-15T08:00:00.000Z"});
    assert_eq!(Value::Object(second.arguments.clone()), wanted);
    run.done(second.work, good(json!([1])));
    assert!(run.next(0).is_none());
    assert_eq!((run.outcome(), run.output()), (Some(Outcome::Done), Some(Ok(json!([1])))));
}

#[test]
fn an_id_is_of_one_step_in_one_run() {
    let id = |run: u8, step: &str| RunId([run; 16]).derive_uuid("id", step);
    assert_eq!(id(1, "a"), id(1, "a"));
    assert!(id(1, "a") != id(2, "a") && id(1, "a") != id(1, "b"));
    assert_ne!(id(1, "a"), RunId([1; 16]).derive_uuid("key", "a"));
    let run = RunId([0xab; 16]);
    assert_eq!(RunId::parse(&run.to_string()), Some(run));
    assert_eq!(RunId::parse("+b"), None);
}

#[test]
fn a_template_that_leads_to_nothing_fails_its_step() {
    let text = "flow: a\nkind: pipeline\nsteps:\n- {id: a, call: x.a}\n- {id: b, call: x.b, with: {v: '{{ steps.a.body.x }}'}}\n";
    let mut run = run(text, json!({}));
    let a = run.next(0).expect("a").work;
    run.done(a, good(json!({"y": 1})));
    assert!(run.next(0).is_none());
    assert_eq!(run.outcome(), Some(Outcome::Failed));
    let last = run.take_changes().pop().expect("a change");
    assert_eq!(last.why.as_deref(), Some("{{ steps.a.body.x }} leads to nothing"));
}

#[test]
fn conditions_choose() {
    let holds = |condition: &str| {
        let text = format!(
            "flow: a\nkind: pipeline\ninputs: {{n: any, t: any, o: any}}\nsteps: [{{id: a, call: x.a, when: \"{condition}\"}}]\n"
        );
        let mut run = run(&text, json!({"n": 5, "t": "abc", "o": {"k": null, "b": true}}));
        let begins = run.next(0).is_some();
        match (begins, run.states()[0]) {
            (true, _) => Some(true),
            (false, StepState::Skipped) => Some(false),
            (false, _) => None,
        }
    };
    for (condition, outcome) in [
        ("inputs.n == 5", Some(true)),
        ("inputs.n == 5.0", Some(true)),
        ("inputs.n != 5", Some(false)),
        ("inputs.n > 4 and inputs.n <= 5", Some(true)),
        ("inputs.n < 5 or inputs.t == 'abc'", Some(true)),
        ("not inputs.t >= 'abd'", Some(true)),
        ("inputs.t > 4", Some(false)),
        ("exists inputs.o", Some(true)),
        ("exists inputs.o.k", Some(false)),
        ("not exists inputs.o.x.y[2]", Some(true)),
        ("inputs.o.x == 1", Some(false)),
        ("inputs.o.x != 1", Some(true)),
        ("inputs.o.b", Some(true)),
        ("inputs.o.b == true and (false == inputs.o.b or inputs.o.k == null)", Some(true)),
        ("inputs.n", None),
    ] {
        assert_eq!(holds(condition), outcome, "{condition}");
    }
}

#[test]
fn an_assembly_line_keeps_to_its_bound_and_a_skipped_step_holds_up_nobody() {
    let text = "flow: a\nkind: assembly_line\nconcurrency: 2\nsteps:\n- {id: a, call: x.a}\n- {id: b, call: x.a}\n- {id: c, call: x.a}\n- {id: d, call: x.a, needs: [a], when: 'now == 1'}\n- {id: e, call: x.a, needs: [b, d]}\n";
    let mut run = run(text, json!({}));
    let first = begun(&mut run);
    assert_eq!(ids(&first), ["a", "b"]);
    run.done(first[0].0, good(json!(1)));
    let next = begun(&mut run);
    assert_eq!(ids(&next), ["c"]);
    run.done(first[1].0, good(json!(1)));
    assert_eq!(ids(&begun(&mut run)), ["e"]);
    assert_eq!(run.states()[3], StepState::Skipped);
}

const BURST: &str = "flow: a\nkind: radial_burst\non_failure: rollback\nsteps:\n- {id: a, call: x.a, undo: {call: x.undo, with: {v: '{{ steps.a.body }}'}}}\n- {id: b, call: x.a, undo: {call: x.undo}}\n- {id: c, call: x.a}\n- {id: d, call: x.a, needs: [a]}\n";

#[test]
fn a_burst_goes_in_waves() {
    let mut run = run(BURST, json!({}));
    let first = begun(&mut run);
    assert_eq!(ids(&first), ["a", "b", "c"]);
    run.done(first[0].0, good(json!(1)));
    run.done(first[1].0, good(json!(1)));
    assert!(begun(&mut run).is_empty(), "d needs a alone, and waits for the whole wave");
    run.done(first[2].0, good(json!(1)));
    assert_eq!(ids(&begun(&mut run)), ["d"]);
}

#[test]
fn a_failure_aborts_a_burst_and_what_happened_is_undone_in_reverse() {
    let mut run = run(BURST, json!({}));
    let first = begun(&mut run);
    run.done(first[1].0, good(json!(1)));
    run.done(first[0].0, good(json!({"made": 9})));
    assert!(!run.is_aborting());
    let rng = SeededRng::new(1);
    run.failed(first[2].0, failure(false), 0, &rng);
    assert!(run.is_aborting());
    let undo = run.next(0).expect("a is undone");
    assert_eq!((undo.work.is_undo, undo.work.step, &*undo.tool), (true, 0, "x.undo"));
    assert_eq!(undo.arguments["v"], json!({"made": 9}));
    assert!(run.next(0).is_none(), "one at a time");
    run.done(undo.work, good(json!(1)));
    let undo = run.next(0).expect("b is undone");
    assert_eq!(undo.work.step, 1);
    run.failed(undo.work, failure(false), 0, &rng);
    assert!(run.next(0).is_none());
    assert_eq!(run.outcome(), Some(Outcome::RollbackFailed));
    run.roll_back(None);
    let undo = run.next(0).expect("b once more");
    assert_eq!((undo.work.step, undo.work.attempt), (1, 1));
    run.done(undo.work, good(json!(1)));
    run.next(0);
    assert_eq!(run.outcome(), Some(Outcome::RolledBack));
}

#[test]
fn a_selective_rollback_undoes_what_the_failed_step_stood_on() {
    let text = "flow: a\nkind: assembly_line\non_failure: rollback\nrollback: selective\nsteps:\n- {id: a, call: x.a, undo: {call: x.undo}}\n- {id: b, call: x.a, undo: {call: x.undo}}\n- {id: c, call: x.a, needs: [a]}\n";
    let mut run = run(text, json!({}));
    let first = begun(&mut run);
    run.done(first[0].0, good(json!(1)));
    let c = run.next(0).expect("c").work;
    run.done(first[1].0, good(json!(1)));
    run.failed(c, failure(false), 0, &SeededRng::new(1));
    assert_eq!(ids(&begun(&mut run)), ["a"]);
    assert_eq!(run.states()[1], StepState::Done);
}

#[test]
fn retries_pause_and_end() {
    let text = "flow: a\nkind: pipeline\nsteps: [{id: a, call: x.a, retry: {times: 2, backoff: fixed, delay: 100ms, jitter: none}}]\n";
    let mut run = run(text, json!({}));
    let rng = SeededRng::new(1);
    let first = run.next(0).expect("first").work;
    run.failed(first, failure(true), 10, &rng);
    assert_eq!((run.next(10), run.wakes_at()), (None, Some(110)));
    let second = run.next(110).expect("second").work;
    assert_eq!(second.attempt, 2);
    let waits = Failure { at_least: Duration::from_secs(2), ..failure(true) };
    run.failed(second, waits, 200, &rng);
    assert_eq!(run.wakes_at(), Some(2200));
    let third = run.next(2200).expect("third").work;
    run.failed(third, failure(true), 2300, &rng);
    assert!(run.next(9999).is_none());
    assert_eq!(run.outcome(), Some(Outcome::Failed));
}

#[test]
fn what_could_happen_twice_is_not_tried_again_and_what_nobody_knows_stops_everything() {
    let text = "flow: a\nkind: assembly_line\non_failure: rollback\nsteps:\n- {id: a, call: x.a, retry: {times: 2}, undo: {call: x.u}}\n- {id: b, call: x.a, retry: {times: 2}}\n- {id: c, call: x.a, needs: [a]}\n";
    let mut one = run(text, json!({}));
    let first = begun(&mut one);
    one.failed(first[1].0, failure(false), 0, &SeededRng::new(1));
    assert_eq!((one.states()[1], one.is_ending()), (StepState::Failed, true));
    let mut two = run(text, json!({}));
    let first = begun(&mut two);
    two.uncertain(first[1].0, "no answer".to_owned());
    two.done(first[0].0, good(json!(1)));
    assert!(two.next(0).is_none(), "neither c nor an undoing");
    assert_eq!(two.outcome(), Some(Outcome::Uncertain));
}

#[test]
fn a_cancelled_run_waits_for_what_is_on_its_way() {
    let text = "flow: a\nkind: pipeline\non_failure: rollback\nsteps:\n- {id: a, call: x.a, undo: {call: x.u}}\n- {id: b, call: x.a}\n";
    let mut run = run(text, json!({}));
    let a = run.next(0).expect("a").work;
    run.cancel();
    assert_eq!((run.next(0), run.outcome()), (None, None));
    run.done(a, good(json!(1)));
    let undo = run.next(0).expect("a is undone");
    assert!(undo.work.is_undo);
    run.done(undo.work, good(json!(1)));
    run.next(0);
    assert_eq!(run.outcome(), Some(Outcome::RolledBack));
}

#[test]
fn continue_skips_what_needs_the_failed_one_and_runs_the_rest() {
    for kind in ["assembly_line", "radial_burst"] {
        let text = format!(
            "flow: a\nkind: {kind}\non_failure: continue\nsteps:\n- {{id: a, call: x.a}}\n- {{id: b, call: x.a}}\n- {{id: c, call: x.a, needs: [a]}}\n- {{id: d, call: x.a, needs: [c, b]}}\n- {{id: e, call: x.a, needs: [b]}}\n"
        );
        let mut run = run(&text, json!({}));
        let first = begun(&mut run);
        run.failed(first[0].0, failure(false), 0, &SeededRng::new(1));
        run.done(first[1].0, good(json!(1)));
        let rest = begun(&mut run);
        assert_eq!(ids(&rest), ["e"], "{kind}");
        run.done(rest[0].0, good(json!(1)));
        run.next(0);
        assert_eq!(run.outcome(), Some(Outcome::Failed));
        assert_eq!(run.states()[2..4], [StepState::Skipped; 2]);
    }
}

#[test]
fn arguments_are_bounded() {
    let text = "flow: a\nkind: pipeline\nsteps:\n- {id: a, call: x.a}\n- {id: b, call: x.b, with: {v: '{{ steps.a.body }}', w: '{{ steps.a.body }}'}}\n";
    let mut run = run(text, json!({}));
    let a = run.next(0).expect("a").work;
    run.done(a, good(json!("x".repeat(600_000))));
    assert!(run.next(0).is_none());
    assert_eq!(run.outcome(), Some(Outcome::Failed));
}
