//! Flows with the built program against httpbin: values from step to step, graphs, bursts, and every way to end.

#[path = "flow/begun.rs"]
mod begun;
#[path = "flow/ends.rs"]
mod ends;
#[path = "flow/place.rs"]
mod place;

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};

use place::*;

#[test]
fn a_pipeline_hands_values_on_and_each_step_has_a_receipt() {
    let at = At::new();
    let ran = at.run(PIPELINE, &["--input", "customer=ada"]).succeeded();
    let end = ended(&ran);
    assert_eq!((&end["state"], &end["kind"]), (&json!("done"), &json!("pipeline")));
    assert_eq!(end["output"], json!({"seen": "3 of 200", "n": 3}), "{end}");
    assert_eq!(state_of(&end, "never"), "skipped");
    assert_eq!(
        at.counter.lines(),
        ["POST /anything/make/one HTTP/1.1", "GET /anything/ada?text=3%20of%20200 HTTP/1.1",]
    );
    let receipt = end["steps"][0]["receipt"].as_u64().expect("a receipt").to_string();
    let shown = at.home.ok(&["receipts", "show", &receipt]).all();
    assert!(shown.contains("pipeline"), "{shown}");
    // One line a step as it goes.
    let events: Vec<Value> =
        ran.stdout().lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let told: Vec<&str> = events.iter().filter_map(|e| e["state"].as_str()).collect();
    assert_eq!(told, ["running", "done", "skipped", "running", "done", "done"], "{events:?}");
    // What a run was given and what it gave is sealed at rest.
    let planted = Canaries::new().plant("an input", b"zwoelfboxkaempfer-input");
    let kept = at.run(PIPELINE, &["--input", "customer=zwoelfboxkaempfer-input"]).succeeded();
    assert_eq!(ended(&kept)["state"], "done");
    assert_clean(&planted.find_below(&at.home.path()).expect("the home"));
}

#[test]
fn what_is_wrong_has_a_place_and_begins_nothing() {
    let at = At::new();
    let head = "flow: a\nkind: assembly_line\nsteps:\n";
    for (steps, says, next) in [
        (
            "- {id: a, call: flowbin.look, with: {word: '{{ env.HOME }}'}}",
            "line 4, column 48: env is nothing",
            "inputs.NAME",
        ),
        (
            "- {id: a, call: flowbin.look, needs: [b], with: {word: x}}\n- {id: b, call: flowbin.look, needs: [a], with: {word: x}}",
            "line 4, column 8: steps need each other in a circle: a needs b needs a",
            "take one",
        ),
        (
            "- {id: a, call: flowbin.lok, with: {word: x}}",
            "line 4, column 17: there is no tool flowbin.lok",
            "tools search",
        ),
        (
            "- {id: a, call: flowbin.look, with: {wrd: x}}",
            "line 4, column 17: flowbin.look takes no argument wrd",
            "tools show",
        ),
        (
            "- {id: a, call: flowbin.look}",
            "line 4, column 17: flowbin.look wants the argument word",
            "tools show",
        ),
        ("- {id: a, call: flowbin.look, with: {word: [}}", "line 4", "flow check"),
    ] {
        let ran = at.run(&format!("{head}{steps}\n"), &[]);
        let refusal = ran.refused();
        assert_eq!(refusal.code, "flow", "{steps}: {}", ran.all());
        assert!(refusal.message.contains(says), "{steps}: {}", ran.all());
        assert!(ran.all().contains(next), "{steps}: {}", ran.all());
    }
    assert_eq!(at.run(PIPELINE, &[]).refused().code, "flow_input");
    assert_eq!(
        at.run(PIPELINE, &["--input", "customer=a", "--input", "x=1"]).refused().code,
        "flow_input"
    );
    // An agent without the grants begins nothing either.
    let refusal = at.run(PIPELINE, &["--input", "customer=a", "--agent", "other"]).refused();
    assert_eq!(refusal.code, "no_grant");
    assert_eq!(at.home.json(&["flow", "ls"]), json!([]));
    assert_eq!(at.counter.lines(), [""; 0]);
}

#[test]
fn an_assembly_line_runs_a_graph_at_its_bound() {
    let at = At::new();
    let text = "
flow: graph
kind: assembly_line
concurrency: 2
steps:
  - {id: join, call: flowbin.look, needs: [b2], with: {word: 'join{{ steps.a.status }}{{ steps.b.status }}'}}
  - {id: a, call: flowbin.slow_look, with: {seconds: 1}}
  - {id: b, call: flowbin.slow_look, with: {seconds: 1}}
  - {id: b2, call: flowbin.look, needs: [b], with: {word: b2}}
";
    let ran = at.run(text, &[]).succeeded();
    assert_eq!(ended(&ran)["state"], "done", "{}", ran.all());
    assert_eq!(told(&ran)[..3], ["running a", "running b", "done"], "a and b at once");
    let lines = at.counter.lines();
    assert!(lines.last().is_some_and(|l| l.starts_with("GET /anything/join200200")), "{lines:?}");
    let ran = at.run(&text.replace("concurrency: 2", "concurrency: 1"), &[]).succeeded();
    assert_eq!(told(&ran)[..4], ["running a", "done", "running b", "done"], "one after another");
}
