//! From an empty folder to a verified receipt, by every door.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::{Value, json};
use symbolon_tests::home::{Home, Unlock};
use symbolon_tests::mcp::{McpClient, Revision};
use symbolon_tests::upstream::Upstream;
use symbolon_tests::{place, random};

const LIST: &str = "upstream.notes.list";

/// A home with the upstream connected, and the credential.
fn connected() -> (Home, Upstream, String) {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let home = Home::new();
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    (home, upstream, credential)
}

#[test]
fn the_command_line_goes_the_whole_way() {
    let (home, upstream, _) = connected();
    let connections = home.json(&["connections"]);
    assert_eq!(connections[0]["name"], "upstream", "{connections}");

    let refusal = home.refused(&["call", LIST, "--agent", "claude"]);
    let next = refusal.next.expect("it says how to get a grant");
    assert!(next.starts_with("symbolon grant claude upstream.notes.read"), "{next}");

    let grant = home.grant("claude", "upstream.notes.read");
    assert!(grant["sentence"].as_str().expect("a sentence").contains("claude"), "{grant}");
    let reply = home.json(&["call", LIST, "--agent", "claude"]);
    assert_eq!(reply["status"], 200, "{reply}");
    assert_eq!(reply["body"]["notes"][0], "The two halves fit.");
    assert_eq!(upstream.authorized(), 1);

    let number = reply["receipt"].as_u64().expect("a receipt");
    let row = &home.receipts()[0];
    assert_eq!((&row["number"], &row["agent"]), (&json!(number), &json!("claude")));
    assert_eq!((&row["tool"], &row["status"]), (&json!(LIST), &json!(200)));
    let (file, key) = (home.export_receipt(number), home.operator_key());
    let words = ["verify", file.to_str().unwrap(), "--key", key.to_str().unwrap()];
    assert!(home.ok(&words).all().contains(LIST), "it says what the receipt is about");
}

#[test]
fn writing_deleting_and_typed_parameters() {
    let (home, _upstream, _) = connected();
    home.grant("cli", "upstream.notes.read");
    let create = ["call", "upstream.notes.create", "text=Plant a fig tree."];
    home.refused(&create);
    home.grant("cli", "upstream.notes.write");
    let made = home.json(&create);
    assert_eq!((&made["status"], &made["body"]["number"]), (&json!(201), &json!(2)));
    let got = home.json(&["call", "upstream.notes.get", "number=2"]);
    assert_eq!(got["body"]["text"], "Plant a fig tree.");
    let found = home.json(&["call", "upstream.notes.search", "q=fig tree"]);
    assert_eq!(found["body"]["found"], json!(["Plant a fig tree."]));
    // What cannot be taken back waits for its owner.
    let call = ["--json", "call", "upstream.notes.delete", "number=2"];
    let waiting = home.command(&call).stdout(Stdio::piped()).spawn().expect("it starts");
    let number = home.question()["number"].to_string();
    home.ok(&["approve", &number]);
    let removed = waiting.wait_with_output().expect("it ends").stdout;
    let removed: Value = serde_json::from_slice(&removed).expect("one JSON value");
    assert_eq!(removed["body"]["removed"], "Plant a fig tree.");
}

#[test]
fn an_agent_goes_the_whole_way_in_both_revisions() {
    let (home, upstream, _) = connected();
    home.grant("claude", "upstream.notes.read");
    for revision in Revision::BOTH {
        let mut agent = home.mcp("claude", revision);
        let tools = agent.tools();
        let find = |name: &str| tools.iter().find(|tool| tool["name"] == name);
        let listed = find(LIST).unwrap_or_else(|| panic!("{LIST} is not listed: {tools:?}"));
        assert_eq!(listed["annotations"]["readOnlyHint"], true, "{listed}");
        assert!(listed["inputSchema"].is_object() && listed["outputSchema"].is_object());
        assert!(find("upstream.notes.create").is_none(), "a tool that is not granted is listed");

        let result = agent.call(LIST, json!({}));
        assert_ne!(result["isError"], true, "{result}");
        assert_eq!(result["structuredContent"]["body"]["notes"][1], "Buy olives.");

        let arguments = json!({ "tool": "upstream.notes.get", "arguments": { "number": 0 } });
        let result = agent.call("symbolon.call_tool", arguments);
        assert_eq!(result["structuredContent"]["body"]["text"], "The two halves fit.", "{result}");

        let found = agent.call("symbolon.search_tools", json!({ "query": "delete a note" }));
        let names = found["structuredContent"]["tools"].to_string();
        assert!(names.contains("upstream.notes.delete"), "{found}");
        let tool = json!({ "tool": "upstream.notes.delete" });
        let described = agent.call("symbolon.describe_tool", tool);
        assert_eq!(described["structuredContent"]["effect"], "destructive", "{described}");
        agent.finish();
    }
    assert_eq!(upstream.authorized(), 4);
}

#[test]
fn a_token_serves_once_in_its_session_alone() {
    let (home, upstream, _) = connected();
    home.grant("claude", "upstream.notes.read");
    let mut agent = home.mcp("claude", Revision::Session);
    let mut other = home.mcp("claude", Revision::Session);
    let mut stranger = home.mcp("mallory", Revision::Session);
    let ask = |agent: &mut McpClient| {
        let exact = json!({ "tool": "upstream.notes.get", "arguments": { "number": 1 } });
        let asked = agent.call("capability.request", exact);
        let token = asked["structuredContent"]["token"].as_str().expect("a token").to_owned();
        assert_eq!(token.len(), 43, "256 bits");
        json!({ "token": token })
    };
    let redeem =
        |agent: &mut McpClient, token: &Value| agent.call("capability.redeem", token.clone());
    for elsewhere in [&mut other, &mut stranger] {
        let token = ask(&mut agent);
        let refused = redeem(elsewhere, &token);
        assert_eq!(refused["isError"], true, "another session used the token: {refused}");
        // Who shows a token that is not theirs has it from somebody: it is worth nothing now.
        assert_eq!(redeem(&mut agent, &token)["isError"], true);
    }
    let token = ask(&mut agent);
    let result = redeem(&mut agent, &token);
    assert_eq!(result["structuredContent"]["body"]["text"], "Buy olives.", "{result}");
    let again = redeem(&mut agent, &token);
    assert_eq!(again["isError"], true, "the token served twice: {again}");
    assert_eq!(upstream.authorized(), 1);
}

#[test]
fn tools_change_while_an_agent_is_connected() {
    let (home, _upstream, _) = connected();
    let mut agent = home.mcp("claude", Revision::Session);
    let lists = |tools: Vec<Value>| tools.iter().any(|tool| tool["name"] == LIST);
    assert!(!lists(agent.tools()));
    let grant = home.grant("claude", "upstream.notes.read");
    assert!(lists(agent.tools()));
    home.ok(&["revoke", &grant["id"].to_string()]);
    assert!(!lists(agent.tools()));
    assert_eq!(agent.call("symbolon.call_tool", json!({ "tool": LIST }))["isError"], true);
}

#[test]
fn a_passphrase_opens_and_nothing_else() {
    let passphrase = random::secret(24);
    let home = Home::empty(place::symbolon());
    let words = home.init(Unlock::Passphrase(&passphrase));
    assert_eq!(words.split_whitespace().count(), 24, "a recovery code of 24 words");
    home.ok(&["lock", "--stop"]);

    let unlock = |way: &[&str], secret: &str| {
        let given = [&["--json", "unlock"], way, &["--from-stdin"]].concat();
        home.run_with(&given, secret.as_bytes())
    };
    let wrong = unlock(&[], "not the passphrase").refused();
    assert!(wrong.message.contains("passphrase"), "{}", wrong.message);
    assert_eq!(home.json(&["status"])["unlocked"], false);
    assert_eq!(home.refused(&["call", "npm.whoami"]).exit, 3);
    unlock(&[], &passphrase).succeeded();
    assert_eq!(home.json(&["status"])["unlocked"], true);

    home.ok(&["lock"]);
    assert_eq!(home.refused(&["call", "npm.whoami"]).exit, 3);
    let by_code = ["--method", "recovery"];
    unlock(&by_code, &words.replacen(' ', " abandon ", 1)).refused();
    unlock(&by_code, &words.to_uppercase()).succeeded();
    assert_eq!(home.json(&["status"])["unlocked"], true);
}

#[test]
fn what_was_made_survives_the_death_of_the_broker() {
    let (home, upstream, _) = connected();
    home.grant("cli", "upstream.notes.read");
    let first = home.json(&["call", LIST])["receipt"].as_u64().unwrap();
    home.kill_broker();
    let second = home.json(&["call", LIST])["receipt"].as_u64().unwrap();
    assert!(second > first);
    let numbers: Vec<_> = home.receipts().iter().map(|row| row["number"].as_u64()).collect();
    assert!(numbers.contains(&Some(first)) && numbers.contains(&Some(second)), "{numbers:?}");
    assert_eq!(upstream.authorized(), 2);
    let (file, key) = (home.export_receipt(first), home.operator_key());
    home.ok(&["verify", file.to_str().unwrap(), "--key", key.to_str().unwrap()]);
}

#[test]
fn the_home_is_private_and_says_how_to_make_it_so() {
    let home = Home::new();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.path()), 0o700);
    let mut left = vec![home.path()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let (path, kind) = entry.map(|it| (it.path(), it.file_type().unwrap())).unwrap();
            let wanted = if kind.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(mode(&path), wanted, "{}", path.display());
            left.extend(kind.is_dir().then_some(path));
        }
    }
    home.ok(&["lock", "--stop"]);
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let refusal = home.refused(&["connections"]);
    let next = refusal.next.expect("the exact command");
    assert!(next.starts_with("chmod 700 "), "{next}");
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o700)).unwrap();
    home.ok(&["connections"]);
}

#[test]
fn a_grant_ends_by_itself() {
    let (home, upstream, _) = connected();
    home.ok(&["grant", "cli", "upstream.notes.read", "--for", "2s"]);
    home.ok(&["call", LIST]);
    std::thread::sleep(std::time::Duration::from_millis(2500));
    home.refused(&["call", LIST]);
    assert_eq!(upstream.authorized(), 1);
}

#[test]
fn a_limit_holds_a_parameter_down() {
    let (home, upstream, _) = connected();
    let limited = ["grant", "cli", "upstream.notes.read", "--for", "1h", "--limit", "number<=0"];
    home.ok(&limited);
    home.ok(&["call", "upstream.notes.get", "number=0"]);
    home.refused(&["call", "upstream.notes.get", "number=1"]);
    assert_eq!(upstream.authorized(), 1);
}

#[test]
fn a_credential_is_never_an_argument() {
    let home = Home::new();
    for words in [&["connect", "github", "abc"][..], &["connect", "github", "--token", "abc"]] {
        let refusal = home.refused(words);
        assert_eq!(refusal.exit, 2);
        assert!(!refusal.error.to_string().contains("abc"), "{}", refusal.error);
    }
}

#[test]
fn entries_to_paste_are_what_each_host_reads() {
    let home = Home::new();
    for host in ["claude", "cursor", "vscode"] {
        let printed = home.ok(&["mcp", "--print-config", host]).stdout();
        let entry: Value = serde_json::from_str(&printed).expect("JSON to paste");
        assert!(entry.to_string().contains("\"mcp\""), "{entry}");
    }
}
