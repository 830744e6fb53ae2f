//! What is taken, and what is said of what is not.

use super::*;

#[track_caller]
fn wrong(text: &str) -> FlowError {
    Flow::parse(text.as_bytes()).expect_err("refused")
}

/// A pipeline of one step whose `with` has this text.
fn with(template: &str) -> String {
    format!(
        "flow: a\nkind: pipeline\ninputs: {{x: any}}\nsteps:\n  - id: one\n    call: a.b.c\n    with: {{v: \"{template}\"}}\n"
    )
}

/// An assembly line of one step with this condition.
fn when(condition: &str) -> String {
    format!(
        "flow: a\nkind: assembly_line\ninputs: {{x: any}}\nsteps:\n  - id: one\n    call: a.b.c\n    when: {condition}\n"
    )
}

#[test]
fn the_whole_of_a_definition_is_read() {
    let flow = flow(
        r#"
flow: onboarding
kind: assembly_line
description: A customer, and what hangs on it.
inputs:
  email: string
  seats: {type: integer, default: 3}
concurrency: 4
on_failure: rollback
rollback: selective
steps:
  - id: customer
    call: stripe.customers.create
    connection: stripe_test
    with: {email: "{{ inputs.email }}", key: "{{ id }}"}
    retry: {times: 3, backoff: linear, delay: 200ms, max: 5s, jitter: none}
    timeout: 30s
    undo: {call: stripe.customers.delete, with: {id: "{{ steps.customer.body.id }}"}}
  - id: seats
    call: stripe.items.create
    needs: [customer]
    with: {n: "{{ inputs.seats }}"}
  - id: note
    call: slack.chat.post
    when: steps.customer.status == 200 and inputs.seats >= 3
    with: {text: "New: {{ steps.customer.body.items[0]['the name'] }} at {{ now }}"}
output: {id: "{{ steps.customer.body.id }}"}
"#,
    );
    assert_eq!((flow.name().as_str(), flow.kind()), ("onboarding", Kind::AssemblyLine));
    assert_eq!((flow.concurrency(), flow.steps().len()), (4, 3));
    let [customer, seats, note] = flow.steps() else { panic!() };
    assert_eq!(customer.call().connection.as_deref(), Some("stripe_test"));
    assert_eq!((customer.retry().times, customer.retry().backoff), (3, Backoff::Linear));
    assert_eq!((customer.timeout_ms(), customer.retry().jitter), (Some(30_000), false));
    assert_eq!((seats.needs(), note.needs()), (&[0][..], &[0][..]), "what is named is needed");
    assert_eq!((customer.is_named(), seats.is_named()), (true, false));
    assert_eq!(flow.inputs()[1].default(), Some(&json!(3)));
}

#[test]
fn templates_reach_nothing_else() {
    for (template, column) in [
        ("{{ env.HOME }}", 19),
        ("Hi {{ environment }}", 22),
        ("{{ process.env }}", 19),
        ("{{ input.x }}", 19),
        ("{{ secrets.a }}", 19),
    ] {
        let error = wrong(&with(template));
        assert_eq!((error.line, error.column), (7, column), "{template}: {error}");
        assert!(error.what.contains("nothing that a flow can reach"), "{error}");
        assert!(error.next.is_some_and(|next| next.contains("--input")), "{template}");
    }
    for (template, says) in [
        ("{{ now() }}", "no functions"),
        ("{{ inputs.x | upper }}", "}} is wanted"),
        ("{{ inputs.x", "}} is wanted"),
        ("{{ inputs }}", "inputs.NAME"),
        ("{{ inputs.y }}", "no input y"),
        ("{{ steps.two.body }}", "no step two"),
        ("{{ steps.one.body }}", "itself"),
        ("{{ steps.one.token }}", "status, body and receipt"),
        ("{{ inputs.x[a] }}", "a number"),
        ("{{ inputs.x.. }}", "a name is wanted"),
        ("{{ }}", "a name is wanted"),
        ("{{ 'x }}", "not closed"),
        ("{{ now.year }}", "no parts"),
    ] {
        let error = wrong(&with(template));
        assert!(error.what.contains(says), "{template}: {error}");
        assert_eq!(error.line, 7, "{template}: {error}");
    }
}

#[test]
fn conditions_are_typed_and_have_a_place() {
    for (condition, says, column) in [
        ("'1'", "comparison", 13),
        ("inputs.x = 1", "`and`, `or` or the end", 20),
        ("inputs.x < true", "only numbers and texts", 21),
        ("env.CI == 'true'", "nothing that a flow can reach", 11),
        ("(inputs.x == 1", ") is wanted", 25),
        ("inputs.x == 1 &&", "`and`, `or` or the end", 25),
        ("not", "a name is wanted", 14),
        ("exists 1", "a name is wanted", 18),
    ] {
        let error = wrong(&when(condition));
        assert!(error.what.contains(says), "{condition}: {error}");
        assert_eq!((error.line, error.column), (7, column), "{condition}: {error}");
    }
    wrong(&when(&format!("{}inputs.x == 1{}", "(".repeat(40), ")".repeat(40))));
    wrong(&when(&format!("inputs.x == '{}'", "x".repeat(2000))));
}

#[test]
fn circles_are_named() {
    let error = wrong(
        "flow: a\nkind: assembly_line\nsteps:\n  - {id: a, call: x.y, needs: [c]}\n  - {id: b, call: x.y, needs: [a]}\n  - {id: c, call: x.y, with: {v: '{{ steps.b.body }}'}}\n",
    );
    assert_eq!((error.line, error.column), (4, 10), "{error}");
    assert!(error.what.ends_with("in a circle: a needs c needs b needs a"), "{error}");
    let own = wrong("flow: a\nkind: radial_burst\nsteps:\n  - {id: a, call: x.y, needs: [a]}\n");
    assert!(own.what.ends_with("a needs a"), "{own}");
}

#[test]
fn what_is_not_known_is_refused_where_it_stands() {
    let head = "flow: a\nkind: pipeline\n";
    for (text, place, says) in [
        ("flow: A\nkind: pipeline\nsteps: []\n", (1, 7), "a-z"),
        ("flow: a\nkind: line\nsteps: []\n", (2, 7), "pipeline, assembly_line, radial_burst"),
        (&format!("{head}steps: []\n"), (3, 8), "1 to 10000"),
        (&format!("{head}steps: [{{id: a, call: x.y, nedds: []}}]\n"), (3, 28), "no nedds"),
        (&format!("{head}steps: [{{id: a, call: x.y, needs: []}}]\n"), (3, 35), "the one before"),
        (
            &format!("{head}concurrency: 2\nsteps: [{{id: a, call: x.y}}]\n"),
            (3, 14),
            "after another",
        ),
        (&format!("{head}steps: [{{id: a, call: '{{{{ now }}}}'}}]\n"), (3, 24), "no templates"),
        (&format!("{head}steps: [{{id: a b, call: x.y}}]\n"), (3, 14), "letter"),
        (&format!("{head}steps: [{{id: a, call: x.y, timeout: 5}}]\n"), (3, 37), "200ms"),
        (&format!("{head}steps: [{{id: a, call: x.y, timeout: 2h}}]\n"), (3, 37), "200ms"),
        (
            &format!("{head}steps: [{{id: a, call: x.y, retry: {{times: 99}}}}]\n"),
            (3, 43),
            "1 to 20",
        ),
        (
            &format!("{head}steps:\n- {{id: a, call: x.y}}\n- {{id: a, call: x.y}}\n"),
            (5, 8),
            "two steps a",
        ),
        (
            &format!("{head}inputs: {{x: text}}\nsteps: [{{id: a, call: x.y}}]\n"),
            (3, 13),
            "type is one",
        ),
        (&format!("{head}env: {{}}\nsteps: [{{id: a, call: x.y}}]\n"), (3, 1), "no env"),
    ] {
        let error = wrong(text);
        assert_eq!((error.line, error.column), place, "{text}{error}");
        assert!(error.what.contains(says), "{text}{error}");
    }
    let later =
        "steps:\n- {id: a, call: x.y, with: {v: '{{ steps.b.body }}'}}\n- {id: b, call: x.y}\n";
    let error = wrong(&format!("{head}{later}"));
    assert_eq!((error.line, error.column), (4, 36), "{error}");
}

#[test]
fn inputs_are_checked() {
    let flow = flow(
        "flow: a\nkind: pipeline\ninputs: {a: string, b: {type: integer, default: 2}}\nsteps: [{id: a, call: x.y}]\n",
    );
    let given = |value: Value| flow.with_defaults(value.as_object().cloned().unwrap_or_default());
    assert_eq!(given(json!({"a": "x"})).map(Value::Object), Ok(json!({"a": "x", "b": 2})));
    assert_eq!(given(json!({})), Err(InputError::Missing("a".into())));
    assert_eq!(given(json!({"a": "x", "c": 1})), Err(InputError::Unknown("c".into())));
    let wanted = InputError::Type { name: "b".into(), wanted: "integer" };
    assert_eq!(given(json!({"a": "x", "b": 1.5})), Err(wanted));
    let long = given(json!({"a": "x".repeat(300_000)}));
    assert!(matches!(long, Err(InputError::TooLong { .. })), "{long:?}");
}

proptest! {
    /// No text makes the reader panic, and what it takes can be run.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = Flow::parse(text.as_bytes());
        let _ = Flow::parse(with(&text).as_bytes());
        let _ = Flow::parse(when(&text).as_bytes());
    }

    #[test]
    fn any_words_of_the_language_are_read_or_refused(
        words in prop::collection::vec(prop::sample::select(vec![
            "inputs.x", "steps.one.body", "now", "id", "==", "<", "and", "or", "not", "exists", "(",
            ")", "1", "-2.5", "'a'", "true", "null", "{{", "}}", "[0]", "['k']", ".",
        ]), 0..12),
    ) {
        let text = words.join(" ");
        let _ = Flow::parse(with(&text).as_bytes());
        let quoted = format!("\"{}\"", text.replace('\'', ""));
        if let Ok(flow) = Flow::parse(when(&quoted).as_bytes()) {
            let mut run = Run::new(flow.into(), RunId([1; 16]), Map::from_iter([("x".into(), json!(1))]), 0)
                .expect("inputs");
            run.next(0);
        }
    }
}
