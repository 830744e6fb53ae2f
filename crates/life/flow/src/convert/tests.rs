mod luck;

use std::sync::LazyLock;

use serde_json::json;
use symbolon_import::foreign::{Origin, Source, read as read_file};
use symbolon_secret::Secret;

use super::*;
use crate::flow::{Kind, OnFailure};

static CATALOG: LazyLock<Catalog> =
    LazyLock::new(|| Catalog::builtin().expect("the built-in catalogue"));

/// Converts files as an import of a folder does.
fn converted(files: &[(&str, &str)]) -> Vec<Conversion> {
    let mut all = Vec::new();
    for (name, text) in files {
        let page =
            Secret::<[u8]>::make_slice(text.len(), |out| out.copy_from_slice(text.as_bytes()));
        let source = Source { name, mode: 0o600, bytes: &page };
        let found = read_file(Origin::ZeroN, &source, &CATALOG, None);
        all.extend(found.unwrap_or_else(|e| panic!("{name}: {e}")).workflows);
    }
    convert(&all, &CATALOG)
}

/// One workflow of these members, beside its head.
fn one(members: &str) -> Conversion {
    let text = format!(
        "{{\"$0n\": {{\"type\": \"workflow\", \"version\": \"1.0.0\", \"name\": \"T\"}},\n{members}}}"
    );
    converted(&[("t.0n", &text)]).remove(0)
}

fn flow(conversion: &Conversion) -> Flow {
    let text = conversion.text.as_ref().unwrap_or_else(|| panic!("{conversion:#?}"));
    Flow::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn text(conversion: &Conversion) -> &str {
    conversion.text.as_deref().unwrap_or_else(|| panic!("{conversion:#?}"))
}

fn says(conversion: &Conversion, what: &str) -> (u64, u64, bool) {
    let found = conversion.notes.iter().find(|note| note.what.contains(what));
    let note = found.unwrap_or_else(|| panic!("{what}: {:#?}", conversion.notes));
    (note.line, note.column, note.must)
}

/// A step that is the same everywhere: it only reads, with the arguments it has.
const GET: &str = r#"{"id": "a", "service": "stripe", "action": "customers.get", "params": {"customer": "cus_1"}}"#;

#[test]
fn the_example_of_the_specification() {
    let file = include_str!("../../../../../vectors/legacy-0n/workflows/invoice-notify.0n");
    let made = converted(&[("workflows/invoice-notify.0n", file)]).remove(0);
    let flow = flow(&made);
    assert_eq!((flow.name().as_str(), flow.kind()), ("invoice-and-notify", Kind::Pipeline));
    let calls: Vec<&str> = flow.steps().iter().map(|step| &*step.call().tool).collect();
    let expected = [
        "stripe.customers.search",
        "stripe.invoices.create",
        "stripe.invoiceitems.create",
        "stripe.invoices.sendinvoice",
        "slack.chat.post",
    ];
    assert_eq!(calls, expected);
    let text = text(&made);
    assert!(text.contains(r#""query": "email:'{{ inputs.customer_email }}'""#), "{text}");
    // What a step calls its output is no member of the answer.
    assert!(text.contains(r#""customer": "{{ steps.find_customer.body.data[0].id }}""#), "{text}");
    assert!(text.contains("# Find or Create Customer"), "{text}");
    // Everything that has no counterpart, where it stands.
    assert_eq!(says(&made, "stripe.invoiceItems.create is no tool"), (64, 18, true));
    assert_eq!(
        says(&made, "slack.chat.postMessage is taken for the tool slack.chat.post"),
        (87, 18, false)
    );
    assert!(!says(&made, "{{inputs.amount * 100}} calculates").2);
    assert_eq!(
        says(&made, "notify_on_error of error_handling has no counterpart"),
        (103, 5, false)
    );
    assert!(says(&made, "this step and all after it are skipped").0 == 56);
    let asked = flow.inputs().iter().find(|input| input.name() == "add_line_item_amount");
    assert_eq!(asked.map(|input| input.default().is_none()), Some(true), "to be given");
    // The steps after a condition that is an error do not run either.
    let guarded = flow.steps().iter().filter(|step| step.when.is_some()).count();
    assert_eq!(guarded, 4);
}

#[test]
fn templates_lead_where_they_led() {
    let step = r#""steps": [{"id": "a", "service": "stripe", "action": "customers.get", "output": "who", "params": {"customer": "x"}},
        {"id": "b", "service": "slack", "action": "chat.post", "params": {"channel": "PLACE", "text": "t"}}]"#;
    for (theirs, ours) in [
        ("{{inputs.x}}", "{{ inputs.x }}"),
        ("{{ param:x }}", "{{ inputs.x }}"),
        ("{{a}}", "{{ steps.a.body }}"),
        ("{{a.output}}", "{{ steps.a.body }}"),
        ("{{a.output.id}}", "{{ steps.a.body.id }}"),
        ("{{a.who.data[0].id}}", "{{ steps.a.body.data[0].id }}"),
        ("{{a.data.1.id}}", "{{ steps.a.body.data[1].id }}"),
        ("{{steps.a.id}}", "{{ steps.a.body.id }}"),
        ("{{who.id}}", "{{ steps.a.body.id }}"),
        ("{{a.$x}}", "{{ steps.a.body['$x'] }}"),
        ("{{now}} {{uuid}}", "{{ now }} {{ id }}"),
        ("{{'x'}} {{7}}", "x 7"),
        ("a {{ b", "a {{ '{{' }} b"),
        // What a flow cannot work out is asked of whoever runs it.
        ("{{env.HOME}}", "{{ inputs.b_channel }}"),
        ("{{env:HOME}}", "{{ inputs.b_channel }}"),
        ("{{vault:stripe}}", "{{ inputs.b_channel }}"),
        ("{{a.total * 100}}", "{{ inputs.b_channel }}"),
        ("{{a.data.length}}", "{{ inputs.b_channel }}"),
        ("{{nobody.id}}", "{{ inputs.b_channel }}"),
        ("{{NEW_IMAGE:a cat}}", "{{ inputs.b_channel }}"),
        ("{{a.x == 1}}", "{{ inputs.b_channel }}"),
    ] {
        let made = one(&step.replace("PLACE", theirs));
        let wanted = format!("\"channel\": {}", json!(ours));
        assert!(text(&made).contains(&wanted), "{theirs}: {}", text(&made));
        flow(&made);
        let is_asked = ours.contains("inputs.b_channel");
        let noted = made.notes.iter().any(|note| note.what.contains("it is the input b_channel"));
        assert_eq!(noted, is_asked, "{theirs}: {:#?}", made.notes);
    }
    // Where exactly: the second template of the text.
    let made = one(&step.replace("PLACE", "{{a.id}} {{env.X}}"));
    assert_eq!(says(&made, "reads the environment"), (3, 96, false));
}

#[test]
fn conditions_hold_where_they_held() {
    let with = |condition: &str| {
        let steps = format!(
            "\"steps\": [{GET}, {{\"id\": \"b\", \"service\": \"stripe\", \"action\": \"balance.get\", \"conditions\": {condition}}}]"
        );
        one(&format!(
            "\"inputs\": {{\"on\": {{\"type\": \"boolean\", \"required\": true}}}},\n{steps}"
        ))
    };
    for (theirs, ours) in [
        (r#"["{{inputs.on}}"]"#, "inputs.on"),
        (
            r#"["{{inputs.on == true}}", "{{a.x != 'it'}}"]"#,
            "inputs.on == true and steps.a.body.x != 'it'",
        ),
        (r#""{{a.n >= 3}}""#, "steps.a.body.n >= 3"),
        (r#"[{"if": "{{a.x === 'y'}}"}]"#, "steps.a.body.x == 'y'"),
        (
            r#"[{"if": "{{!(a.n < 3) && a.m > 1 || a.x == null}}", "else": "skip"}]"#,
            "((not (steps.a.body.n < 3) and steps.a.body.m > 1) or steps.a.body.x == null)",
        ),
        (r#"["{{a.data.length > 0}}"]"#, "(exists steps.a.body.data[0] or steps.a.body.data > '')"),
        (
            r#"["{{a.data.length == 0}}"]"#,
            "not (exists steps.a.body.data[0] or steps.a.body.data > '')",
        ),
        (
            r#"["{{a.x}}"]"#,
            "(exists steps.a.body.x and steps.a.body.x != false and steps.a.body.x != 0 and steps.a.body.x != '')",
        ),
        (r#"[true]"#, "1 == 1"),
    ] {
        let made = with(theirs);
        let wanted = format!("when: {}", json!(ours));
        assert!(text(&made).contains(&wanted), "{theirs}: {}", text(&made));
        flow(&made);
    }
    for (theirs, why) in [
        (r#"["{{a.n + 1 > 2}}"]"#, "calculates"),
        (r#"["{{env.CI == 'x'}}"]"#, "reads the environment"),
        (r#"["{{a.data.length > 2}}"]"#, "counts"),
        (r#"["{{nobody.x == 1}}"]"#, "names nothing of this workflow"),
        (r#"[{"if": "{{a.x == 1}}", "else": "goto:c"}]"#, "this `else` has no counterpart"),
        (r#"[{"unless": "{{a.x}}"}]"#, "without `if`"),
        (r#"[7]"#, "a condition is a text"),
    ] {
        let made = with(theirs);
        assert_eq!(made.text, None, "{theirs}");
        assert!(says(&made, why).2, "{theirs}");
    }
}

#[test]
fn orders_errors_and_retries() {
    let steps = |tail: &str| {
        format!(
            "\"steps\": [{GET}, {{\"id\": \"b\", \"service\": \"stripe\", \"action\": \"balance.get\"{tail}}}]"
        )
    };
    let plain = flow(&one(&steps("")));
    assert_eq!((plain.kind(), plain.on_failure), (Kind::Pipeline, OnFailure::Stop));
    // Each step of a pipeline needs the one before: going on takes an order of its own.
    let on =
        flow(&one(&format!("{}, \"error_handling\": {{\"on_error\": \"continue\"}}", steps(""))));
    assert_eq!(
        (on.kind(), on.on_failure, on.concurrency()),
        (Kind::AssemblyLine, OnFailure::Continue, 1)
    );
    let mixed = one(&steps(", \"error_handling\": {\"on_error\": \"continue\"}"));
    assert_eq!(flow(&mixed).on_failure, OnFailure::Stop);
    says(&mixed, "the run stops");
    let retried = one(&steps(
        ", \"error_handling\": {\"on_error\": \"retry\", \"retries\": 40, \"backoff_ms\": 500}",
    ));
    let retry = *flow(&retried).steps()[1].retry();
    assert_eq!((retry.times, retry.delay.as_millis(), retry.jitter), (20, 500, false));
    says(&retried, "40 is more than the 20");
    assert_eq!(flow(&retried).steps()[0].retry().times, 0);
    let depends = flow(&one(&steps(", \"depends_on\": [\"a\"], \"timeout_ms\": 2000")));
    assert_eq!(
        (depends.kind(), depends.steps()[1].needs(), depends.steps()[1].timeout_ms()),
        (Kind::AssemblyLine, &[0][..], Some(2000))
    );
    let late = one(&steps("")
        .replace("\"cus_1\"}", "\"cus_1\"}, \"needs\": \"b\"")
        .replace("\"steps\"", "\"execution_pattern\": \"pipeline\", \"steps\""));
    assert!(late.text.is_none() && says(&late, "a depends on b").2);
    let circle =
        one(&steps(", \"needs\": [\"a\"]").replace("\"cus_1\"}", "\"cus_1\"}, \"needs\": [\"b\"]"));
    assert!(circle.text.is_none() && says(&circle, "in a circle").2);
}

#[test]
fn groups_and_targets() {
    let group = |n: u8| {
        format!(
            "{{\"id\": \"g{n}\", \"aggregation\": \"best_score\", \"steps\": [{}]}}",
            GET.replace("\"a\"", &format!("\"s{n}\""))
        )
    };
    let made = one(&format!(
        "\"execution_pattern\": \"assembly_line\", \"parallel_groups\": [{}, {}]",
        group(1),
        group(2)
    ));
    assert_eq!(flow(&made).steps()[1].needs(), [0], "a group waits for the one before");
    says(&made, "a flow puts nothing together");
    let target = r#"{"service": "openai", "action": "models.list"}"#;
    let burst = one(&format!(
        "\"targets\": [{target}, {target}], \"completion\": \"majority\", \"scoring\": \"x\""
    ));
    let flow = flow(&burst);
    assert_eq!(flow.kind(), Kind::RadialBurst);
    assert_eq!(flow.steps().iter().map(|s| s.id()).collect::<Vec<_>>(), ["openai", "openai_2"]);
    says(&burst, "a flow calls all of them");
    says(&burst, "scoring of a workflow has no counterpart");
}

#[test]
fn tools_are_found_by_their_words_and_never_guessed() {
    let of = |service: &str, action: &str| match tool::find(&CATALOG, service, action) {
        tool::Found::Same(operation) => format!("same {}", operation.name().as_str()),
        tool::Found::Taken(operation) => format!("taken {}", operation.name().as_str()),
        tool::Found::None(near) => format!("none {}", near.join(" ")),
    };
    assert_eq!(of("stripe", "customers.create"), "same stripe.customers.create");
    assert_eq!(of("Stripe", "create_customer"), "taken stripe.customers.create");
    assert_eq!(of("stripe", "retrieveCustomer"), "taken stripe.customers.get");
    assert_eq!(of("google-calendar", "events.list"), "same google_calendar.events.list");
    assert_eq!(of("slack", "chat.postMessage"), "taken slack.chat.post");
    let near = of("stripe", "charges.create");
    assert!(near.starts_with("none stripe."), "{near}");
    assert!(of("crm", "contacts.create").starts_with("none "));
    let made = one(
        r#""steps": [{"id": "a", "service": "stripe", "action": "customers.get", "params": {"who": "x"}}]"#,
    );
    assert!(says(&made, "stripe.customers.get takes no argument who; it takes").2);
    assert!(says(&made, "stripe.customers.get wants the argument customer").2);
}

#[test]
fn commands_of_a_switch_file_are_flows_of_their_own() {
    let workflow = format!(
        "{{\"$0n\": {{\"type\": \"workflow\", \"name\": \"New Lead\"}}, \"inputs\": {{\"who\": {{\"type\": \"string\", \"required\": true}}, \"n\": {{\"type\": \"number\", \"required\": true}}}}, \"steps\": [{}]}}",
        GET.replace("cus_1", "{{inputs.who}}")
    );
    let switch = r#"{"$0n": {"type": "switch", "version": "1.0.0"}, "connections": {
        "s": {"service": "stripe", "auth": {"credentials": {"api_key": "sk_live_1"}}}},
      "commands": {
        "lead": {"type": "workflow", "workflow": "new-lead", "inputs": {"who": "{{args.0}}", "n": 3, "z": 1}},
        "launch": {"type": "pipeline", "steps": [{"action": "verify"}, {"action": "party"}]},
        "gone": {"workflow": "nowhere"},
        "own": {"steps": [{"id": "a", "service": "stripe", "action": "balance.get"}]}},
      "pipeline": {"phases": ["connect"]}}"#;
    let all = converted(&[("0n-setup.0n", switch), ("workflows/new-lead.0n", &workflow)]);
    let by = |name: &str| {
        all.iter().find(|c| c.name.as_str() == name).unwrap_or_else(|| panic!("{all:#?}"))
    };
    let lead = flow(by("lead"));
    let defaults: Vec<_> = lead.inputs().iter().map(|i| (i.name(), i.default().cloned())).collect();
    assert_eq!(defaults, [("n", Some(json!(3))), ("who", None)]);
    assert_eq!(says(by("lead"), "it is given with --input who=").0, 4);
    says(by("lead"), "no input z");
    assert_eq!(flow(by("new-lead")).inputs().len(), 2);
    assert_eq!(flow(by("own")).steps().len(), 1);
    assert!(by("launch").text.is_none());
    assert_eq!(says(by("launch"), "symbolon connections verify NAME").0, 5);
    says(by("launch"), "the action party");
    assert!(says(by("gone"), "nowhere is not among these files").2);
    assert!(by("pipeline").text.is_none());
    assert!(!format!("{all:?}").contains("sk_live_1"), "credentials stay where they are");
}

#[test]
fn what_only_calculates_is_left_out_and_asked_for() {
    let made = one(&format!(
        r#""steps": [{{"id": "sum", "service": "internal", "action": "compute", "params": {{"expression": "1"}}}},
        {}]"#,
        GET.replace("cus_1", "{{sum.value}}")
    ));
    assert_eq!(flow(&made).steps().len(), 1);
    says(&made, "the step sum calculates (compute)");
    assert_eq!(says(&made, "is of a step that only calculates").0, 3);
    let alone = one(r#""steps": [{"id": "sum", "service": "internal", "action": "compute"}]"#);
    assert!(alone.text.is_none() && says(&alone, "it calls nothing").2);
}

#[test]
fn nothing_of_a_file_is_syntax() {
    let nasty = "x\\n- id: b\\n{{ inputs.q }}\\u2028 \\u0085 # : \\\" '";
    let made = one(&format!(
        "\"inputs\": {{\"q\": {{\"type\": \"string\", \"required\": true, \"description\": \"{nasty}\"}}}}, \"steps\": [{}]",
        GET.replace("cus_1", nasty)
            .replace("\"id\": \"a\"", &format!("\"id\": \"a\", \"name\": \"{nasty}\""))
    ));
    assert_eq!(flow(&made).steps().len(), 1, "{}", text(&made));
    assert_eq!(flow(&made).inputs().len(), 1);
    let keys = one(&format!("\"steps\": [{}]", GET.replace("\"customer\"", "\"{{inputs.k}}\"")));
    assert!(keys.text.is_none() && says(&keys, "a name of an argument with a template").2);
}

#[test]
fn the_dialect_with_a_manifest_and_yaml() {
    let file = format!(
        r#"{{"schema_version": "1.0.0", "manifest": {{"type": "workflow", "name": "M"}}, "rollback": {{"on": true}}, "extra": 1,
        "workflow": {{"steps": [{}]}}}}"#,
        GET.replace("cus_1", "{{param:who}}")
    );
    let made = converted(&[("m.0nw", &file)]).remove(0);
    assert_eq!((made.name.as_str(), flow(&made).inputs().len()), ("m", 1));
    says(&made, "extra of a file has no counterpart");
    says(&made, "what the whole file says of errors");
    let yaml = "name: Daily Digest!\ntrigger: {type: schedule, config: {cron: '0 9 * * *'}}\nsteps:\n  - id: a\n    service: stripe\n    action: balance.get\n";
    let made = converted(&[("x.0n.yaml", yaml)]).remove(0);
    assert_eq!(made.name.as_str(), "daily-digest");
    flow(&made);
    assert_eq!(says(&made, "--cron '0 9 * * *'").0, 2);
}

#[test]
fn flows_of_one_name_get_names_of_their_own() {
    let text =
        format!("{{\"$0n\": {{\"type\": \"workflow\", \"name\": \"A\"}}, \"steps\": [{GET}]}}");
    let all = converted(&[("a.0n", &text), ("b.0n", &text), ("c.0n", &text)]);
    let names: Vec<&str> = all.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["a", "a-2", "a-3"]);
    for conversion in &all {
        assert_eq!(flow(conversion).name(), &conversion.name);
    }
}
