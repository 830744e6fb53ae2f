//! An assistant's note tools from outside, over HTTP: what they do while the vault's key is lent, and what
//! they do not once it is not, or for somebody else's token.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::accounts::{Accounts, Page};
use symbolon_tests::assistant::{Assistant, Sdk, encoded, mcp};
use symbolon_tests::home::Home;
use symbolon_tests::place;

const PASSWORD: &str = "correct horse battery";
const CALLBACK: &str = "https://assistant.example/callback";
const ALL: [&str; 3] = ["notes.read", "notes.write", "notes.delete"];

/// Somebody with a vault on a device, a page, and an assistant that they allowed everything.
struct Person {
    home: Home,
    page: Page,
    assistant: Assistant,
    token: String,
}

impl Person {
    fn new(server: &Accounts, handle: &str) -> Self {
        let home = Home::empty(place::symbolon());
        let code = home.beside("code");
        let origin = server.origin();
        let line = ["vault", "create", "--server", &origin, "--handle", handle, "--device"];
        let how = ["--from-stdin", "--recovery-file", code.to_str().unwrap()];
        home.ok_with(&[&line[..], &how].concat(), PASSWORD.as_bytes());
        let mut page = server.page();
        page.sign_in_by_password(handle, PASSWORD).expect(200);
        let assistant = Assistant::register(server.port, CALLBACK);
        let token = allowed(&assistant, &mut page);
        Self { home, page, assistant, token }
    }

    fn lend(&self, time: &str) -> String {
        let lent = self.home.json(&["vault", "lease", "--notes", "--for", time]);
        lent["id"].as_str().expect("an id").to_owned()
    }

    /// What a tool gave.
    #[track_caller]
    fn call(&self, tool: &str, arguments: &Value) -> Value {
        let answer = self.assistant.call(&self.token, tool, arguments).expect(200).json();
        answer["result"]["structuredContent"].clone()
    }

    /// Why a tool gave nothing.
    #[track_caller]
    fn refused(&self, tool: &str, arguments: &Value) -> String {
        let answer = self.assistant.call(&self.token, tool, arguments).expect(200).json();
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        answer["result"]["structuredContent"]["code"].as_str().expect("a word").to_owned()
    }

    /// Titles of the notes, as the command line has them.
    fn titles(&self) -> BTreeSet<String> {
        self.home.ok(&["vault", "sync"]);
        let all = self.home.json(&["note", "ls"]);
        let title = |it: &Value| it["title"].as_str().unwrap().to_owned();
        all.as_array().unwrap().iter().map(title).collect()
    }

    /// Tools and outcomes of the calls that the account's events have, and all of their details.
    fn calls(&mut self) -> (Vec<(String, String)>, String) {
        let all = self.page.get("/api/audit").expect(200).json();
        let all: Vec<Value> = all["events"].as_array().unwrap().clone();
        let of = all.iter().filter(|one| one["kind"] == "assistant-called");
        let text = |one: &Value, name: &str| one["detail"][name].as_str().unwrap().to_owned();
        let calls = of.map(|one| (text(one, "tool"), text(one, "outcome"))).collect();
        (calls, Value::Array(all).to_string())
    }
}

/// The token of another grant.
fn allowed(assistant: &Assistant, page: &mut Page) -> String {
    let query = assistant.query(&[("scope", &ALL.join(" "))]);
    assistant.tokens(&assistant.code(page, &query, &ALL)).access
}

/// Every tool, with arguments that it takes.
fn every(id: &str) -> [(&'static str, Value); 7] {
    [
        ("list_notes", json!({})),
        ("search_notes", json!({ "query": "apples" })),
        ("read_note", json!({ "id": id })),
        ("list_folders", json!({})),
        ("save_note", json!({ "title": "Never" })),
        ("update_note", json!({ "id": id, "title": "Never" })),
        ("delete_note", json!({ "id": id })),
    ]
}

#[test]
fn seven_tools_work_while_the_notes_are_lent_and_none_once_it_is_over() {
    let server = Accounts::start();
    let mut amelie = Person::new(&server, "amelie");
    let made = ["note", "new", "Seen", "--folder", "Work/Ideas", "--body-from-stdin"];
    amelie.home.ok_with(&made, b"by the command line");
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let tools = mcp(server.port, "/mcp").bearer(&amelie.token).json(&list).answer().expect(200);
    let tools = tools.json()["result"]["tools"].clone();
    let named: BTreeSet<String> = (tools.as_array().unwrap().iter())
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(named, every("").iter().map(|it| it.0.to_owned()).collect());
    for (tool, arguments) in every("00112233445566778899aabbccddeeff") {
        assert_eq!(amelie.refused(tool, &arguments), "locked", "{tool}");
    }

    let lease = amelie.lend("15m");
    let folders = amelie.call("list_folders", &json!({}));
    let folder = (folders["folders"].as_array().unwrap().iter())
        .find(|it| it["path"] == json!(["Work", "Ideas"]))
        .unwrap_or_else(|| panic!("{folders}"))["id"]
        .clone();
    let note =
        json!({ "title": "Shopping", "body": "apples\n", "tags": ["home"], "folder": folder });
    let saved = amelie.call("save_note", &note);
    let id = saved["id"].as_str().expect("an id").to_owned();
    let here = amelie.call("list_notes", &json!({ "folder": folder }));
    let titles: BTreeSet<&str> = (here["notes"].as_array().unwrap().iter())
        .map(|it| it["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, BTreeSet::from(["Seen", "Shopping"]));
    let tagged = amelie.call("list_notes", &json!({ "tag": "home" }));
    assert_eq!(tagged["notes"][0]["id"], id);
    let changed = amelie.call("update_note", &json!({ "id": id, "append": "pears" }));
    assert_eq!(changed["id"], id);
    let read = amelie.call("read_note", &json!({ "id": id }));
    assert_eq!((&read["body"], &read["trashed"]), (&json!("apples\npears"), &json!(false)));
    let found = amelie.call("search_notes", &json!({ "query": "pear" }));
    assert_eq!(found["notes"][0]["id"], id);
    // What the assistant wrote is the vault's, and what its owner writes is the assistant's to read.
    let sought = ["Seen", "Shopping"].map(str::to_owned).into();
    assert_eq!(amelie.titles(), sought);
    assert!(amelie.home.ok(&["note", "show", "Shopping"]).stdout().contains("apples\npears"));
    amelie.home.ok_with(&["note", "new", "Later", "--body-from-stdin"], b"quinces");
    let found = amelie.call("search_notes", &json!({ "query": "quinces" }));
    assert_eq!(found["notes"][0]["title"], "Later");
    amelie.call("delete_note", &json!({ "id": id }));
    assert_eq!(amelie.call("read_note", &json!({ "id": id }))["trashed"], true);
    assert_eq!(amelie.titles(), ["Later", "Seen"].map(str::to_owned).into());
    assert_eq!(amelie.home.json(&["note", "ls", "--trash"])[0]["title"], "Shopping");

    // Midway it is over: from the next call on nothing is read, and nothing written.
    amelie.home.ok(&["vault", "lease", "end", &lease]);
    for (tool, arguments) in every(&id) {
        assert_eq!(amelie.refused(tool, &arguments), "locked", "{tool}");
    }
    assert_eq!(amelie.titles(), ["Later", "Seen"].map(str::to_owned).into());

    let (calls, details) = amelie.calls();
    let did = |tool: &str| (tool.to_owned(), "done".to_owned());
    let locked = every("").map(|(tool, _)| (tool.to_owned(), "locked".to_owned()));
    let done = [
        "list_folders",
        "save_note",
        "list_notes",
        "list_notes",
        "update_note",
        "read_note",
        "search_notes",
        "search_notes",
        "delete_note",
        "read_note",
    ]
    .map(did);
    assert_eq!(calls, [&locked[..], &done, &locked].concat());
    for word in ["Shopping", "apples", "pear", "quinces", "Later", id.as_str()] {
        assert!(!details.contains(word), "an event says `{word}`");
    }
}

#[test]
fn a_token_reaches_the_vault_of_its_own_account_alone() {
    let server = Accounts::start();
    let mut amelie = Person::new(&server, "amelie");
    let mut robin = Person::new(&server, "robin");
    amelie.lend("15m");
    let id = amelie.call("save_note", &json!({ "title": "Mine", "body": "apples" }))["id"].clone();
    let id = id.as_str().unwrap().to_owned();
    // Amelie's notes are lent, and Robin's are not.
    for (tool, arguments) in every(&id) {
        assert_eq!(robin.refused(tool, &arguments), "locked", "{tool}");
    }
    robin.lend("15m");
    assert_eq!(robin.call("list_notes", &json!({}))["notes"], json!([]));
    assert_eq!(robin.call("search_notes", &json!({ "query": "apples" }))["notes"], json!([]));
    for tool in ["read_note", "update_note", "delete_note"] {
        let arguments = json!({ "id": id, "title": "Never" });
        let arguments = if tool == "update_note" { arguments } else { json!({ "id": id }) };
        assert_eq!(robin.refused(tool, &arguments), "not_found", "{tool}");
    }
    assert_eq!(amelie.call("read_note", &json!({ "id": id }))["body"], "apples");
    assert_eq!(robin.calls().0.len(), 12, "each call is in its own account's events");
    assert_eq!(amelie.calls().0.len(), 2, "and in no other's");
}

#[test]
fn a_lease_ends_by_its_minute_and_calls_are_so_many_of_each_grant() {
    let server = Accounts::start();
    let mut amelie = Person::new(&server, "amelie");
    amelie.lend("1m");
    let lent = Instant::now();
    amelie.call("save_note", &json!({ "title": "Plan" }));

    // A flood of one grant, and the other grant of the same account beside it.
    let other = allowed(&amelie.assistant, &mut amelie.page);
    let mut done = 0;
    let refused = loop {
        let answer = amelie.assistant.call(&amelie.token, "list_notes", &json!({}));
        if answer.status != 200 {
            break answer;
        }
        done += 1;
        assert!(done < 600, "nothing bounds the calls of a grant");
    };
    assert_eq!(refused.status, 429, "{}", refused.text());
    let wait: u64 = refused.header("retry-after").expect("when again").parse().expect("seconds");
    assert!((1..=60).contains(&wait) && done >= 59, "{wait} s after {done}");
    amelie.assistant.call(&other, "list_notes", &json!({})).expect(200);
    std::thread::sleep(Duration::from_secs(wait));
    assert_eq!(amelie.call("list_notes", &json!({}))["notes"][0]["title"], "Plan");
    let (calls, _) = amelie.calls();
    assert_eq!(calls.len(), done + 3, "what was refused for the rate was no call");

    // Nobody ends it; it ends.
    let ended = loop {
        std::thread::sleep(Duration::from_secs(2));
        let answer = amelie.assistant.call(&other, "list_notes", &json!({})).expect(200).json();
        if answer["result"]["isError"] == true {
            break answer;
        }
        assert!(lent.elapsed() < Duration::from_secs(90), "the lease does not end");
    };
    assert_eq!(ended["result"]["structuredContent"]["code"], "locked");
    assert!(lent.elapsed() >= Duration::from_secs(58), "it ended before its time");
    assert_eq!(amelie.home.json(&["vault", "leases"]), json!([]));
}

/// What the person who is sent to `redirect` answers: where they are sent back to.
fn consented(server: &Accounts, page: &mut Page, redirect: &str, allow: bool) -> String {
    let authorize = format!("{}/oauth/authorize?", server.origin());
    let query = redirect.strip_prefix(&authorize).unwrap_or_else(|| panic!("{redirect}"));
    let shown = page.post("/api/oauth/request", &json!({ "query": query })).expect(200).json();
    assert_eq!(
        (&shown["client_name"], &shown["problem"]),
        (&json!("Python assistant"), &json!(null))
    );
    let decision = json!({ "query": query, "allow": allow, "client_name": "Python assistant",
        "scopes": ["notes.read", "notes.write"], "days": 7 });
    let decision = match allow {
        true => decision,
        false => json!({ "query": query, "allow": false, "client_name": "Python assistant" }),
    };
    let decided = page.post("/api/oauth/consent", &decision).expect(200).json();
    decided["address"].as_str().expect("an address").to_owned()
}

#[test]
fn the_python_sdks_client_finds_its_way_alone_and_works_while_the_notes_are_lent() {
    let server = Accounts::start();
    let mut amelie = Person::new(&server, "amelie");
    // Its newest revision, found by asking, and the handshake of the revisions before.
    for (mode, protocol) in [("auto", "2026-07-28"), ("legacy", "2025-11-25")] {
        let mut sdk = Sdk::python(server.port, "http://localhost:53683/callback", mode);
        let asked = sdk.line();
        let redirect = asked["redirect"].as_str().unwrap_or_else(|| panic!("{asked}"));
        assert!(asked["client"]["client_id"].as_str().unwrap().starts_with("symo_"), "{asked}");
        for part in ["code_challenge_method=S256", "resource=", "state="] {
            assert!(redirect.contains(part), "{redirect}");
        }
        let address = consented(&server, &mut amelie.page, redirect, true);
        assert!(address.contains(&format!("&iss={}", encoded(&server.origin()))), "{address}");
        let connected = sdk.step(&address).unwrap();
        assert_eq!(
            (&connected["server"], &connected["protocol"]),
            (&json!("symbolon-vault"), &json!(protocol))
        );
        let tools = sdk.step("tools").unwrap();
        let allowed =
            ["list_notes", "search_notes", "read_note", "list_folders", "save_note", "update_note"];
        assert_eq!(tools, json!(allowed));

        let list = r#"call {"name":"list_notes","arguments":{}}"#;
        let locked = sdk.step(list).unwrap();
        assert_eq!(
            (&locked["error"], &locked["content"]["code"]),
            (&json!(true), &json!("locked"))
        );
        let lease = amelie.lend("15m");
        let save = json!({ "name": "save_note", "arguments": { "title": mode, "body": "apples" } });
        let saved = sdk.step(&format!("call {save}")).unwrap();
        assert_eq!((&saved["error"], &saved["content"]["title"]), (&json!(false), &json!(mode)));
        let read = json!({ "name": "read_note", "arguments": { "id": saved["content"]["id"] } });
        let read = sdk.step(&format!("call {read}")).unwrap();
        assert_eq!(read["content"]["body"], "apples");
        assert!(amelie.titles().contains(mode), "its owner has it");

        // It renews by itself, once its access token is old.
        let before = sdk.step("tokens").unwrap();
        sdk.step("expire").unwrap();
        assert_eq!(sdk.step(list).unwrap()["error"], false);
        let after = sdk.step("tokens").unwrap();
        for token in ["access_token", "refresh_token"] {
            assert_ne!(before[token], after[token], "{token}");
        }
        amelie.home.ok(&["vault", "lease", "end", &lease]);
        assert_eq!(sdk.step(list).unwrap()["content"]["code"], "locked");
    }
}

#[test]
fn the_python_sdks_client_takes_no_for_an_answer() {
    let server = Accounts::start();
    let mut amelie = Person::new(&server, "amelie");
    let mut sdk = Sdk::python(server.port, "http://localhost:53683/callback", "auto");
    let asked = sdk.line();
    let address = consented(&server, &mut amelie.page, asked["redirect"].as_str().unwrap(), false);
    let refused = sdk.step(&address).unwrap_err();
    assert!(refused.contains("access_denied"), "{refused}");
    // An answer that is not from here is none: it holds `iss` against what it discovered.
    let mut sdk = Sdk::python(server.port, "http://localhost:53683/callback", "auto");
    let asked = sdk.line();
    let address = consented(&server, &mut amelie.page, asked["redirect"].as_str().unwrap(), true);
    let (own, other) = (encoded(&server.origin()), encoded("https://other.example"));
    let refused = sdk.step(&address.replace(&own, &other)).unwrap_err();
    assert!(refused.contains("Flow") || refused.contains("iss"), "{refused}");
    assert_eq!(amelie.calls().0, []);
}
