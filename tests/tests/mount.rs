//! Mounted MCP servers that others wrote, under gates.

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::mcp::Revision;
use symbolon_tests::mcp_server::Everything;
use symbolon_tests::place;
use symbolon_tests::random;

/// The command line of a server from npm.
fn npm(script: &str) -> Vec<String> {
    let text = |path: std::path::PathBuf| path.to_str().expect("a plain path").to_owned();
    vec![text(place::node()), text(place::node_script(script))]
}

fn add(home: &Home, name: &str, options: &[&str], command: &[String]) -> Value {
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    home.json(&[&["mount", "add", name], options, &["--"], &command].concat())
}

/// The receipt of a call verifies, and names the tool and its definition.
#[track_caller]
fn assert_receipt(home: &Home, number: &Value, tool: &str, mounted: &Value) -> Value {
    let file = home.export_receipt(number.as_u64().expect("a number"));
    let (file, key) = (file.to_str().unwrap(), home.operator_key());
    home.json(&["verify", file, "--key", key.to_str().unwrap()]);
    let bundle = home.json(&["receipts", "show", &number.to_string()]);
    let key = std::fs::read_to_string(home.operator_key()).expect("the operator's key");
    let key = symbolon_receipt::OperatorKey::parse(key.trim_end()).expect("a key");
    let verified =
        symbolon_receipt::verify(bundle.to_string().as_bytes(), &key).expect("it verifies");
    let predicate = json!(verified.statement().predicate);
    assert_eq!(predicate["tool"], tool);
    let tools = mounted["tools"].as_array().expect("tools");
    let pinned = tools.iter().find(|t| t["name"] == tool).expect("it is mounted");
    let gates = predicate["decision"]["gates"].as_array().expect("gates");
    let gate = gates.iter().find(|g| g["gate"] == "definition").expect("its definition");
    let digest = pinned["definition"].as_str().expect("a digest");
    assert_eq!(gate["detail"], format!("sha256:{digest}"));
    assert!(predicate["intent"].is_object(), "{predicate}");
    predicate
}

#[test]
fn a_server_on_standard_streams_works_under_gates() {
    let home = Home::new();
    let mounted = add(&home, "every", &[], &npm("mcp-server-everything"));
    let tools = mounted["tools"].as_array().expect("tools");
    let find = |name: &str| tools.iter().find(|t| t["name"] == format!("every.{name}"));
    assert!(tools.len() >= 8, "{mounted}");
    assert!(find("echo").is_some() && find("get-sum").is_some(), "{mounted}");
    // Being the owner opens no gate.
    let refused = home.refused(&["call", "every.echo", "message=hello"]);
    assert_eq!(refused.code, "no_grant");
    // What it does not say is taken for the worst: a person would be asked.
    home.json(&["mount", "remove", "every"]);
    let marks = [
        "--mark",
        "echo=read",
        "--mark",
        "get-sum=read",
        "--mark",
        "get-tiny-image=read",
        "--mark",
        "get-structured-content=read",
        "--mark",
        "get-env=read",
    ];
    let mounted = add(&home, "every", &marks, &npm("mcp-server-everything"));
    home.grant("cli", "every.read");
    let answer = home.json(&["call", "every.echo", "message=hello there"]);
    assert_eq!(answer["encoding"], "tool_result", "{answer}");
    assert_eq!(answer["body"]["content"][0]["text"], "Echo: hello there");
    let said = assert_receipt(&home, &answer["receipt"], "every.echo", &mounted);
    assert_eq!((&said["error"], &said["decision"]["outcome"]), (&Value::Null, &json!("allowed")));
    let sum = home.json(&["call", "every.get-sum", "a:=2", "b:=40"]);
    assert!(sum["body"]["content"][0]["text"].as_str().unwrap().contains("42"), "{sum}");
    let bad = home.refused(&["call", "every.get-sum", "a:=2", "b:=\"x\""]);
    assert_eq!(bad.code, "invalid_arguments");
    // One program for all of it.
    assert_eq!(home.json(&["mount", "show", "every"])["starts"], 1);
    // Through our own MCP door an agent sees the tool, calls it, and gets what the server said.
    home.grant("claude", "every.read");
    let mut agent = home.mcp("claude", Revision::Session);
    let names: Vec<String> =
        agent.tools().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect();
    assert!(names.iter().any(|n| n == "every.echo"), "{names:?}");
    let call = json!({"name": "every.get-tiny-image", "arguments": {}});
    let result = agent.result("tools/call", call);
    let kinds: Vec<&str> =
        result["content"].as_array().unwrap().iter().map(|c| c["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"image"), "{kinds:?}");
    let call =
        json!({"name": "every.get-structured-content", "arguments": {"location": "New York"}});
    let result = agent.result("tools/call", call);
    assert!(result["structuredContent"]["body"].is_object(), "{result}");
    assert_eq!(result["structuredContent"]["encoding"], "tool_result");
    // And finds it by words.
    let found = home.json(&["tools", "search", "every echo"]);
    assert!(found.to_string().contains("every.echo"), "{found}");
}

#[test]
fn a_write_asks_and_a_path_outside_is_a_tools_error() {
    let home = Home::new();
    let folder = home.beside("data");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.txt"), "what is in it").unwrap();
    let root = folder.to_str().unwrap().to_owned();
    let command = [npm("mcp-server-filesystem"), vec![root.clone()]].concat();
    let mounted = add(&home, "files", &[], &command);
    let effect = |name: &str| {
        let tools = mounted["tools"].as_array().unwrap();
        let tool = tools.iter().find(|t| t["tool"] == name).unwrap_or_else(|| panic!("{mounted}"));
        (tool["effect"].as_str().unwrap().to_owned(), tool["scope"].as_str().unwrap().to_owned())
    };
    assert_eq!(effect("read_text_file"), ("read".into(), "files.tools.read".into()));
    assert_eq!(effect("write_file"), ("destructive".into(), "files.tools.admin".into()));
    home.grant("cli", "files.read");
    let path = format!("path={root}/a.txt");
    let read = home.json(&["call", "files.read_text_file", &path]);
    assert_eq!(read["body"]["content"][0]["text"], "what is in it");
    assert_receipt(&home, &read["receipt"], "files.read_text_file", &mounted);
    // Outside of its root: the server's own word, as an answer, and the receipt says which.
    let outside = home.run(&["--json", "call", "files.read_text_file", "path=/etc/passwd"]);
    assert_eq!(outside.code(), Some(1), "{}", outside.all());
    let answer: Value = serde_json::from_str(outside.stdout().lines().next().unwrap()).unwrap();
    assert_eq!(answer["body"]["isError"], true, "{answer}");
    let said = assert_receipt(&home, &answer["receipt"], "files.read_text_file", &mounted);
    assert_eq!((&said["error"], &said["response"]["status"]), (&json!("tool_error"), &json!(200)));
    // A read grant writes nothing.
    let write = ["call", "files.write_file", &format!("path={root}/b.txt"), "content=new"];
    assert_eq!(home.refused(&write).code, "no_grant");
    assert!(!folder.join("b.txt").exists());
    // With the grant a person is asked, and sees what will be sent.
    home.grant("cli", "files.admin");
    let mut call = home.command(&[&["--json"], &write[..]].concat());
    let call = call.stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    let question = home.question();
    assert!(question.to_string().contains("destructive"), "{question}");
    assert!(!folder.join("b.txt").exists(), "nothing is done before a yes");
    home.ok(&["approvals", "approve", &question["number"].to_string()]);
    let done = call.wait_with_output().expect("it ends");
    assert!(done.status.success());
    assert_eq!(std::fs::read_to_string(folder.join("b.txt")).unwrap(), "new");
    let answer: Value = serde_json::from_slice(&done.stdout).unwrap();
    let said = assert_receipt(&home, &answer["receipt"], "files.write_file", &mounted);
    assert_eq!(said["approval"]["outcome"], "approved");
}

#[test]
fn a_server_over_http_gets_its_credential_from_the_wire() {
    let credential = random::secret(40);
    let server = Everything::start(&credential);
    let home = Home::new();
    let canaries = Canaries::new().plant("credential", credential.as_bytes());
    let (url, ca) = (format!("{}/mcp", server.tls.base_url()), server.tls.ca());
    let wanted = [
        "mount",
        "add",
        "every",
        "--url",
        &url,
        "--ca-file",
        ca.to_str().unwrap(),
        "--allow-loopback",
        "--auth",
        "bearer",
        "--mark",
        "echo=read",
        "--from-stdin",
    ];
    // With another credential nothing is kept.
    let wrong = home.run_with(&[&["--json"], &wanted[..]].concat(), random::secret(40).as_bytes());
    let wrong = wrong.refused();
    assert_eq!(wrong.code, "mount_list", "{wrong:?}");
    assert_eq!(home.json(&["mount", "ls"]), json!([]));
    assert!(!home.path().join("catalog/every.json").exists());
    let mounted = home.run_with(&[&["--json"], &wanted[..]].concat(), credential.as_bytes()).json();
    assert_eq!(home.refused(&["call", "every.echo", "message=x"]).code, "no_grant");
    home.grant("cli", "every.read");
    let answer = home.json(&["call", "every.echo", "message=over http"]);
    assert_eq!(answer["body"]["content"][0]["text"], "Echo: over http", "{answer}");
    let said = assert_receipt(&home, &answer["receipt"], "every.echo", &mounted);
    assert_eq!(said["host"], server.tls.base_url().trim_start_matches("https://"));
    // An echo is taken out of the body too.
    let answer = home.json(&["call", "every.echo", &format!("message=it is {credential}")]);
    assert!(answer["redactions"].as_u64().unwrap() >= 1, "{answer}");
    assert_clean(&canaries.find_in("the answer", answer.to_string().as_bytes()));
    // One session for all calls, with the revision that was agreed.
    let seen = server.seen();
    let sessions: std::collections::HashSet<&str> =
        seen.iter().filter_map(|l| l.split('"').nth(1)).filter(|s| s.len() > 8).collect();
    assert!(!sessions.is_empty() && sessions.len() <= 3, "{seen:?}");
    assert!(seen.last().unwrap().contains("20"), "{seen:?}");
    let kept = seen.iter().filter(|l| l.starts_with("POST 200") && l.contains("\"20")).count();
    assert!(kept >= 2, "{seen:?}");
    assert_clean(&canaries.find_below(&home.path()).expect("a readable home"));
    // Removed, it is gone at once, and a running broker says so.
    home.ok(&["mount", "remove", "every"]);
    assert_eq!(home.refused(&["call", "every.echo", "message=x"]).code, "unknown_tool");
    assert_clean(&canaries.find_in("what was said", &home.said()));
}
