//! What begins a flow beside its owner: webhooks, the clock, agents over MCP, files of another program.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::http::Request;
use symbolon_tests::mcp::{McpClient, Revision};

use super::place::*;

#[test]
fn a_webhook_begins_a_flow_once_where_it_is_signed() {
    let at = At::new();
    let text = "flow: paid\nkind: pipeline\ninputs: {event: object}\nsteps: [{id: a, call: flowbin.make, with: {word: '{{ inputs.event.customer }}'}}]\n";
    let file = at.file(text);
    let file = file.to_str().expect("a plain path");
    let without = at.file(
        "flow: none\nkind: pipeline\nsteps: [{id: a, call: flowbin.look, with: {word: x}}]\n",
    );
    let refusal = at.home.refused(&["flow", "add", without.to_str().expect("a path"), "--hook"]);
    assert_eq!(refusal.code, "flow_hook");
    at.file(text);
    let added = at.home.json(&["flow", "add", file, "--hook"]);
    let secret = added["secret"].as_str().expect("a secret").to_owned();
    assert!(secret.starts_with("whsec_") && added["hook"] == true, "{added}");
    let port = symbolon_tests::service::free_port();
    at.home.ok(&["lock", "--stop"]);
    let mut serve = at.home.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let mut serve = symbolon_tests::service::Service::start("serve", &mut serve);
    serve.wait_for_port(port);

    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("now").as_secs();
    let body = "{\"customer\": \"ada\"}";
    let send = |name: &str, id: &str, at: u64, signature: &str| {
        Request::post(port, &format!("/hooks/{name}"))
            .header("webhook-id", id)
            .header("webhook-timestamp", &at.to_string())
            .header("webhook-signature", signature)
            .json(&serde_json::from_str(body).expect("JSON"))
            .answer()
    };
    let sent = serde_json::from_str::<Value>(body).expect("JSON").to_string();
    let sign = |id: &str, at: u64, body: &str| signature(&secret, id, at, body);
    for (name, id, time, signature) in [
        ("paid", "evt_1", now, sign("evt_2", now, &sent)),
        ("paid", "evt_1", now, sign("evt_1", now, "{}")),
        ("paid", "evt_1", now, sign("evt_1", now + 1, &sent)),
        ("paid", "evt_1", now - 400, sign("evt_1", now - 400, &sent)),
        ("paid", "evt_1", now, "v1,AAAA".to_owned()),
        ("other", "evt_1", now, sign("evt_1", now, &sent)),
    ] {
        let refused = send(name, id, time, &signature).expect(403).json();
        assert_eq!(refused["code"], "hook", "{refused}");
    }
    assert_eq!(at.counter.count("POST"), 0);
    let right = sign("evt_1", now, &sent);
    let first = send("paid", "evt_1", now, &right).expect(202).json();
    let again = send("paid", "evt_1", now, &right).expect(200).json();
    assert_eq!((&first["run"], &again["is_new"]), (&again["run"], &json!(false)));
    at.wait_for(first["run"].as_str().expect("a run"), "done");
    let other = send("paid", "evt_2", now, &sign("evt_2", now, &sent)).expect(202).json();
    at.wait_for(other["run"].as_str().expect("a run"), "done");
    assert_eq!(at.counter.count("POST /anything/make/ada"), 2, "{:?}", at.counter.lines());
    let secret = Canaries::new().plant("the webhook's secret", secret.as_bytes());
    assert_clean(&secret.find_below(&at.home.path()).expect("the home"));
}

#[test]
fn an_agent_runs_its_flows_over_mcp_and_hears_of_progress() {
    let at = At::new();
    at.home.ok(&["grant", "claude", "flowbin.*", "--for", "1h"]);
    let file = at.file(PIPELINE);
    let file = file.to_str().expect("a plain path");
    for revision in Revision::BOTH {
        let mut other = at.home.mcp("cursor", revision);
        let mut agent = at.home.mcp("claude", revision);
        let lists = |client: &mut McpClient| {
            client.tools().iter().any(|t| t["name"] == "symbolon.run_flow")
        };
        if revision == Revision::Session {
            assert!(!lists(&mut agent), "none is kept");
            at.home.ok(&["flow", "add", file, "--as", "claude"]);
        }
        assert!(lists(&mut agent) && !lists(&mut other));
        let listed = agent.call("symbolon.run_flow", json!({}));
        assert_eq!(listed["structuredContent"]["flows"][0]["flow"], "onboarding", "{listed}");
        let call = json!({"flow": "onboarding", "inputs": {"customer": "ada"}});
        let refused = other.call("symbolon.run_flow", call.clone());
        assert_eq!(refused["structuredContent"]["code"], "no_flow", "{refused}");
        let params = json!({"name": "symbolon.run_flow", "arguments": call, "_meta": {"progressToken": "p1"}});
        let id = agent.send("tools/call", params);
        let mut progress = Vec::new();
        let result = loop {
            let message = agent.next_message();
            if message["id"] == json!(id) {
                break message["result"].clone();
            }
            if message["method"] == "notifications/progress" {
                assert_eq!(message["params"]["progressToken"], "p1");
                progress.push(message["params"]["progress"].as_f64().expect("a number"));
            }
        };
        assert_eq!(result["structuredContent"]["state"], "done", "{result}");
        assert_eq!(result["structuredContent"]["output"], json!({"seen": "3 of 200", "n": 3}));
        assert!(!progress.is_empty() && progress.is_sorted(), "{progress:?}");
    }
}

#[test]
fn the_clock_begins_a_flow_each_minute_and_once() {
    let at = At::new();
    let text =
        "flow: often\nkind: pipeline\nsteps: [{id: a, call: flowbin.make, with: {word: tick}}]\n";
    let file = at.file(text);
    let file = file.to_str().expect("a plain path");
    let wrong = at.home.refused(&["flow", "add", file, "--cron", "61 * * * * UTC"]);
    assert_eq!(wrong.code, "flow_schedule");
    let added = at.home.json(&["flow", "add", file, "--cron", "* * * * * UTC"]);
    assert_eq!((&added["schedule"], &added["missed"]), (&json!("* * * * * UTC"), &json!(0)));
    let begun = Instant::now();
    while at.counter.count("POST /anything/make/tick") == 0 {
        assert!(begun.elapsed() < Duration::from_secs(90), "{}", at.home.ok(&["flow", "ls"]).all());
        std::thread::sleep(Duration::from_millis(200));
    }
    std::thread::sleep(Duration::from_secs(5));
    let runs = at.home.json(&["flow", "ls"]);
    assert_eq!(runs.as_array().map(Vec::len), Some(1), "{runs}");
    assert_eq!(runs[0]["flow"], "often");
    at.home.ok(&["flow", "rm", "often"]);
    assert_eq!(at.home.json(&["flow", "ls", "--stored"]), json!([]));
}

#[test]
fn a_webhook_that_kill_9_cut_off_began_its_run_or_may_come_again() {
    let at = At::new();
    let text = "flow: paid\nkind: pipeline\ninputs: {event: object}\nsteps: [{id: a, call: flowbin.make, with: {word: '{{ inputs.event.customer }}'}}]\n";
    let file = at.file(text);
    let added = at.home.json(&["flow", "add", file.to_str().expect("a plain path"), "--hook"]);
    let secret = added["secret"].as_str().expect("a secret").to_owned();
    at.home.ok(&["lock", "--stop"]);
    let port = symbolon_tests::service::free_port();
    let begin = || {
        let mut serve = at.home.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
        let mut serve = symbolon_tests::service::Service::start("serve", &mut serve);
        serve.wait_for_port(port);
        serve
    };
    let send = |id: &str| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.expect("now").as_secs();
        let body = json!({"customer": id});
        Request::post(port, "/hooks/paid")
            .header("webhook-id", id)
            .header("webhook-timestamp", &now.to_string())
            .header("webhook-signature", &signature(&secret, id, now, &body.to_string()))
            .json(&body)
    };
    let ids: Vec<String> = (0..12).map(|n| format!("evt_{n}")).collect();
    for (n, id) in ids.iter().enumerate() {
        let mut serve = begin();
        let request = send(id);
        // The sender hears nothing where the process dies first: that is what is tried here.
        let sender = std::thread::spawn(move || request.send());
        std::thread::sleep(Duration::from_micros(400 * n as u64));
        serve.kill();
        drop(sender.join());
    }
    let _serve = begin();
    for id in &ids {
        let answer = send(id).answer();
        let told = answer.json();
        assert!(matches!(answer.status, 200 | 202), "{told}");
        assert_eq!(told["is_new"], answer.status == 202, "{told}");
        let run = told["run"].as_str().expect("a run").to_owned();
        let again = send(id).answer().expect(200).json();
        assert_eq!(again["run"], json!(run), "{again}");
        let view = at.show(&run);
        assert_eq!(view["flow"], "paid", "the run of an id that was taken is there: {view}");
    }
    let runs = at.home.json(&["flow", "ls"]);
    assert_eq!(runs.as_array().map(Vec::len), Some(ids.len()), "one run an id: {runs}");
}

#[test]
fn an_agent_runs_its_flows_over_http_and_no_other_agents() {
    let at = At::new();
    at.home.ok(&["grant", "claude", "flowbin.*", "--for", "1h"]);
    let file = at.file(PIPELINE);
    at.home.ok(&["flow", "add", file.to_str().expect("a plain path"), "--as", "claude"]);
    let slow = at.file(
        "flow: slow\nkind: pipeline\nsteps: [{id: a, call: flowbin.slow_look, with: {seconds: 3}}, {id: b, call: flowbin.make, with: {word: late}}]\n",
    );
    at.home.ok(&["flow", "add", slow.to_str().expect("a plain path"), "--as", "claude"]);
    let key = |agent: &str| {
        at.home.json(&["agents", "add", agent])["key"].as_str().expect("a key").to_owned()
    };
    let (claude, cursor) = (key("claude"), key("cursor"));
    at.home.ok(&["lock", "--stop"]);
    let port = symbolon_tests::service::free_port();
    let mut serve = at.home.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let mut serve = symbolon_tests::service::Service::start("serve", &mut serve);
    serve.wait_for_port(port);
    let get = |key: &str, path: &str| Request::get(port, path).bearer(key).answer();
    let post = |key: &str, path: &str, body: Value| {
        Request::post(port, path).bearer(key).json(&body).answer()
    };

    let listed = get(&claude, "/api/flows").expect(200).json();
    let names: Vec<&str> = listed["flows"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|f| f["flow"].as_str())
        .collect();
    assert_eq!(names, ["onboarding", "slow"]);
    assert_eq!(get(&cursor, "/api/flows").expect(200).json(), json!({"flows": []}));
    get("sym_nobody", "/api/flows").expect(401);
    let inputs = json!({"inputs": {"customer": "ada"}});
    let refused = post(&cursor, "/api/flows/onboarding/run", inputs.clone()).expect(404).json();
    assert_eq!(refused["code"], "no_flow");
    let wrong = post(&claude, "/api/flows/onboarding/run", json!({"inputs": {"who": 1}}))
        .expect(400)
        .json();
    assert_eq!(wrong["code"], "flow_input");

    let begun = post(&claude, "/api/flows/onboarding/run", inputs).expect(200).json();
    let run = begun["run"].as_str().expect("a run").to_owned();
    let (mut after, mut told) = (0, Vec::new());
    loop {
        let progress = get(&claude, &format!("/api/flow-runs/{run}/progress?after={after}"))
            .expect(200)
            .json();
        after = progress["next"].as_u64().expect("a number");
        told.extend(progress["events"].as_array().expect("a list").clone());
        if progress["is_over"] == true {
            break;
        }
    }
    let states: Vec<&str> = told.iter().filter_map(|e| e["state"].as_str()).collect();
    assert_eq!(
        states,
        ["running", "done", "skipped", "running", "done"],
        "each event once: {told:?}"
    );
    let shown = get(&claude, &format!("/api/flow-runs/{run}")).expect(200).json();
    assert_eq!(
        (&shown["state"], &shown["output"]),
        (&json!("done"), &json!({"seen": "3 of 200", "n": 3}))
    );

    // Another agent's run is as one that is not there, and goes on.
    let begun = post(&claude, "/api/flows/slow/run", json!({})).expect(200).json();
    let run = begun["run"].as_str().expect("a run").to_owned();
    for path in [format!("/api/flow-runs/{run}"), format!("/api/flow-runs/{run}/progress")] {
        assert_eq!(get(&cursor, &path).expect(404).json()["code"], "no_run");
    }
    let cancel = format!("/api/flow-runs/{run}/cancel");
    assert_eq!(post(&cursor, &cancel, json!({})).expect(404).json()["code"], "no_run");
    assert_eq!(
        get(&claude, &format!("/api/flow-runs/{run}")).expect(200).json()["state"],
        "running"
    );
    // The long poll waits, and its own cancel ends the run before the next step.
    let waits = format!("/api/flow-runs/{run}/progress?after=1");
    let begin = Instant::now();
    assert_eq!(get(&claude, &waits).expect(200).json()["events"][0]["state"], "done");
    assert!(begin.elapsed() > Duration::from_secs(1), "{:?}", begin.elapsed());
    let begun = post(&claude, "/api/flows/slow/run", json!({})).expect(200).json();
    let run = begun["run"].as_str().expect("a run").to_owned();
    post(&claude, &format!("/api/flow-runs/{run}/cancel"), json!({})).expect(200);
    let view = at.wait_for(&run, "cancelled");
    assert_eq!(state_of(&view, "b"), "pending", "{view}");
    assert_eq!(at.counter.count("POST /anything/make/late"), 1, "of the run before alone");
}

#[test]
fn a_workflow_of_0nmcp_runs_as_a_flow() {
    let at = At::new();
    let workflow = json!({
        "$0n": {"type": "workflow", "version": "1.0.0", "name": "On Boarding"},
        "inputs": {"customer": {"type": "string", "required": true}},
        "steps": [
            {"id": "make", "service": "flowbin", "action": "make", "output": "made",
             "params": {"word": "one", "value": "{{inputs.customer}}", "n": 3}},
            {"id": "never", "service": "flowbin", "action": "fail", "params": {"code": 500},
             "conditions": ["{{make.made.json.n > 3}}"]},
            {"id": "look", "service": "flowbin", "action": "look",
             "params": {"word": "{{make.json.value}}", "text": "{{make.output.json.n}} of {{env.HOME}}"}}],
        "outputs": {"seen": "{{look.args.text}}"},
    });
    let file = at.home.beside("on-boarding.0n");
    std::fs::write(&file, workflow.to_string()).expect("a file");
    let file = file.to_str().expect("a plain path");
    let dry = at.home.json(&["import", "0n", file, "--dry-run"]);
    let flow = dry["flows"][0]["file"].as_str().expect("a file").to_owned();
    assert!(!std::path::Path::new(&flow).exists(), "a dry run writes nothing");
    let made = at.home.json(&["import", "0n", file]);
    assert_eq!(
        (&made["flows"][0]["name"], &made["flows"][0]["state"]),
        (&json!("on-boarding"), &json!("made"))
    );
    let notes = made["flows"][0]["notes"].as_array().expect("notes");
    let what = notes.iter().filter_map(|note| note["what"].as_str()).collect::<Vec<_>>();
    assert!(
        what.iter().any(|what| what.contains("{{env.HOME}} reads the environment")),
        "{what:?}"
    );
    // What it would have read is asked for; nothing of this machine is put in.
    let missing = at.home.run(&["--json", "flow", "run", &flow, "--input", "customer=ada"]);
    assert_eq!(missing.refused().code, "flow_input");
    let words = ["--input", "customer=ada", "--input", "look_text=200"];
    let ran = at.home.run(&[&["--json", "flow", "run", &flow][..], &words].concat()).succeeded();
    let end = ended(&ran);
    assert_eq!((&end["state"], &end["output"]), (&json!("done"), &json!({"seen": "3 of 200"})));
    assert_eq!(state_of(&end, "never"), "skipped");
    assert_eq!(
        at.counter.lines(),
        ["POST /anything/make/one HTTP/1.1", "GET /anything/ada?text=3%20of%20200 HTTP/1.1"]
    );
    // What somebody wrote there stays, unless it is to be replaced.
    let state = |words: &[&str]| {
        at.home.json(&[&["import", "0n", file][..], words].concat())["flows"][0]["state"].clone()
    };
    assert_eq!(state(&[]), "kept");
    std::fs::write(&flow, "mine").expect("a file");
    assert_eq!(state(&[]), "kept");
    assert_eq!(std::fs::read_to_string(&flow).expect("the file"), "mine");
    assert_eq!(state(&["--replace"]), "replaced");
    at.home.ok(&["flow", "check", &flow]);
    // A step that is no tool here is written down, and the broker begins nothing of it.
    let unknown = workflow.to_string().replace("\"action\":\"fail\"", "\"action\":\"explode\"");
    std::fs::write(at.home.beside("on-boarding.0n"), unknown).expect("a file");
    assert_eq!(state(&["--replace"]), "replaced");
    let said = at.home.ok(&["import", "0n", file]).stderr();
    assert!(said.contains("flowbin.explode is no tool of the catalogue"), "{said}");
    let refused = at.home.refused(&[
        "flow",
        "run",
        &flow,
        "--input",
        "customer=ada",
        "--input",
        "look_text=x",
    ]);
    assert_eq!(refused.code, "flow", "{refused:?}");
    assert!(refused.message.contains("there is no tool flowbin.explode"), "{refused:?}");
}

/// `v1,` and the signature, made by openssl.
fn signature(secret: &str, id: &str, at: u64, body: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let script = "key=$(printf %s \"$1\" | base64 -d | od -An -v -tx1 | tr -d ' \\n'); \
                  openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | base64 -w0";
    let mut child = Command::new("sh")
        .args(["-c", script, "sh", secret.trim_start_matches("whsec_")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sh runs");
    let mut stdin = child.stdin.take().expect("its input");
    write!(stdin, "{id}.{at}.{body}").expect("it reads");
    drop(stdin);
    let made = child.wait_with_output().expect("openssl runs");
    format!("v1,{}", String::from_utf8(made.stdout).expect("base64").trim())
}
