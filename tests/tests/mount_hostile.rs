//! What a mounted server can do to us, and what a lock, a kill and a removal do to it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::{Home, Unlock};
use symbolon_tests::httpbin::Httpbin;
use symbolon_tests::place;
use symbolon_tests::random;

/// A home with the hostile server mounted as `bad`.
struct Mounted {
    home: Home,
    folder: PathBuf,
    view: Value,
}

impl Mounted {
    fn new(mode: &str) -> Self {
        Self::of(Home::new(), mode, &[])
    }

    fn of(home: Home, mode: &str, options: &[&str]) -> Self {
        let ran = Self::try_add(&home, mode, options);
        let view = ran.succeeded().json();
        home.grant("cli", "bad.*");
        let folder = home.beside("seen");
        Self { home, folder, view }
    }

    fn try_add(home: &Home, mode: &str, options: &[&str]) -> symbolon_tests::home::Ran {
        let folder = home.beside("seen");
        let _ = std::fs::create_dir(&folder);
        let (node, script) = (place::node(), place::fixture("interop/mcp-hostile.mjs"));
        let server =
            [node.to_str().unwrap(), script.to_str().unwrap(), mode, folder.to_str().unwrap()];
        home.run(&[&["--json", "mount", "add", "bad"], options, &["--"], &server].concat())
    }

    fn echo(&self, text: &str) -> Vec<String> {
        ["call", "bad.echo", &format!("text={text}")].map(str::to_owned).to_vec()
    }

    /// How a call is refused.
    #[track_caller]
    fn refused(&self) -> symbolon_tests::home::Refusal {
        let words = self.echo("x");
        self.home.refused(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[track_caller]
    fn called(&self, text: &str) -> Value {
        let words = self.echo(text);
        self.home.json(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn note(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }

    /// Every process that the server was.
    fn pids(&self) -> Vec<u32> {
        self.note("pids").lines().map(|line| line.parse().expect("a pid")).collect()
    }

    /// What the newest receipt of the tool says, verified.
    fn receipt(&self) -> Value {
        let rows = self.home.receipts();
        let row = rows.into_iter().find(|row| row["tool"] == "bad.echo").expect("a receipt");
        let bundle = self.home.json(&["receipts", "show", &row["number"].to_string()]);
        let key = std::fs::read_to_string(self.home.operator_key()).expect("the operator's key");
        let key = symbolon_receipt::OperatorKey::parse(key.trim_end()).expect("a key");
        let verified = symbolon_receipt::verify(bundle.to_string().as_bytes(), &key);
        json!(verified.expect("it verifies").statement().predicate)
    }

    /// What its owner is shown of its standard error.
    fn said(&self) -> String {
        let shown = self.home.json(&["mount", "show", "bad"]);
        shown["said"].as_str().unwrap_or_default().to_owned()
    }
}

fn is_alive(pid: u32) -> bool {
    // A process that was killed and that nobody has asked about is no process any more.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

#[track_caller]
fn assert_gone(pids: &[u32]) {
    let until = Instant::now() + Duration::from_secs(10);
    while pids.iter().any(|pid| is_alive(*pid)) {
        assert!(Instant::now() < until, "still there: {pids:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_definition_that_changes_is_refused_until_its_owner_has_looked() {
    let bad = Mounted::new("plain");
    assert_eq!(bad.called("one")["body"]["content"][0]["text"], "one");
    std::fs::write(bad.folder.join("pulled"), "").unwrap();
    // Its list is read anew when its program is.
    let pid = *bad.pids().last().unwrap();
    std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert_gone(&[pid]);
    let calls = bad.note("calls");
    let refused = bad.refused();
    assert_eq!(refused.code, "mount_changed", "{refused:?}");
    assert_eq!(refused.next.as_deref(), Some("symbolon mount refresh bad"));
    assert_eq!(bad.note("calls"), calls, "the changed tool was called");
    assert_eq!(bad.receipt()["error"], "mount_changed");
    // Nobody is there to look: nothing changes.
    let looked = bad.home.run(&["mount", "refresh", "bad"]);
    assert_eq!(looked.code(), Some(1));
    assert!(
        looked.stderr().contains("+ does: Says it again, and sends it elsewhere."),
        "{}",
        looked.all()
    );
    assert!(looked.stderr().contains("- does: Says it again."), "{}", looked.all());
    assert_eq!(bad.refused().code, "mount_changed");
    let done = bad.home.json(&["mount", "refresh", "bad", "--yes"]);
    assert_eq!((&done["accepted"], &done["changes"][0]["kind"]), (&json!(true), &json!("changed")));
    assert_eq!(bad.called("two")["body"]["content"][0]["text"], "two");
    // Taken back, it is another definition again.
    std::fs::remove_file(bad.folder.join("pulled")).unwrap();
    assert_eq!(bad.home.json(&["mount", "refresh", "bad", "--yes"])["accepted"], true);
    assert_eq!(bad.called("three")["body"]["content"][0]["text"], "three");
}

#[test]
fn words_and_names_that_speak_to_a_model_are_shown_marked_and_cut() {
    let bad = Mounted::new("hostile");
    let marked = bad.view["marked"].to_string();
    assert!(marked.contains("id_rsa") && marked.contains("IMPORTANT"), "{}", bad.view);
    assert!(bad.view["left_out"].as_array().unwrap().len() >= 5, "{}", bad.view);
    for tool in bad.view["tools"].as_array().unwrap() {
        let name = tool["name"].as_str().unwrap();
        let shown = bad.home.json(&["tools", "show", name]).to_string();
        for word in ["id_rsa", "IMPORTANT", "ignore_previous", "\u{e0041}"] {
            assert!(!shown.contains(word), "{shown}");
        }
    }
    // An agent that may ask for the list is told a number.
    let counted = bad.home.json(&["call", "bad.list_tools"]);
    assert!(counted["body"]["tools"].as_u64().unwrap() >= 4, "{counted}");
    assert!(!counted.to_string().contains("id_rsa"), "{counted}");
}

#[test]
fn a_server_that_breaks_off_is_an_error_with_a_receipt_and_is_started_again_a_few_times() {
    for (mode, code) in
        [("dies", "mount_ended"), ("babble", "mount_protocol"), ("long", "upstream_too_large")]
    {
        let bad = Mounted::new(mode);
        let refused = bad.refused();
        assert_eq!(refused.code, code, "{mode}: {refused:?}");
        let receipt = bad.receipt();
        assert_eq!(receipt["error"], code, "{mode}");
        assert_gone(&bad.pids());
        assert_eq!(bad.note("calls"), "echo\n", "{mode}: a call is sent once");
        let mut last = String::new();
        for _ in 0..6 {
            last = bad.refused().code;
        }
        assert_eq!(last, "mount_start", "{mode}: it was started again and again");
        assert!(bad.pids().len() <= 6, "{mode}: {:?}", bad.pids());
    }
}

#[test]
fn an_error_of_nothing_that_is_known_ends_no_program() {
    let bad = Mounted::new("unread");
    assert_eq!(bad.called("one")["body"]["content"][0]["text"], "one");
    let pids = bad.pids();
    assert_eq!(bad.called("two")["body"]["content"][0]["text"], "two");
    assert_eq!(bad.pids(), pids, "it was started again");
}

#[test]
fn what_a_server_asks_is_not_offered() {
    let bad = Mounted::new("asks");
    let answer = bad.called("x");
    let replies = answer["body"]["content"][0]["text"].as_str().expect("text");
    let replies: Vec<Value> =
        replies.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(replies.len(), 3, "{replies:?}");
    for reply in &replies[..2] {
        assert_eq!(reply["error"]["code"], -32601, "{reply}");
    }
    assert_eq!(replies[2], json!({"jsonrpc": "2.0", "id": 3, "result": {}}));
}

#[test]
fn what_cannot_be_mounted_leaves_nothing() {
    let home = Home::new();
    for (mode, code) in
        [("future", "mount_protocol"), ("endless", "mount_list"), ("many", "mount_list")]
    {
        let refused = Mounted::try_add(&home, mode, &[]).refused();
        assert_eq!(refused.code, code, "{mode}: {refused:?}");
    }
    let nowhere = home.refused(&["mount", "add", "none", "--", "/no/such/program"]);
    assert_eq!(nowhere.code, "mount_start");
    let taken = home.refused(&["mount", "add", "github", "--", "true"]);
    assert_eq!(taken.code, "exists");
    let ends = home.refused(&["mount", "add", "ends", "--", "true"]);
    assert_eq!(ends.code, "mount_ended", "{ends:?}");
    let unknown = Mounted::try_add(&home, "plain", &["--mark", "ecko=read"]).refused();
    assert_eq!(unknown.code, "mark");
    assert_eq!(home.json(&["mount", "ls"]), json!([]));
    assert_eq!(home.json(&["connections"]), json!([]));
    let left = std::fs::read_dir(home.path().join("catalog")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "a catalogue file was left");
    let pids = std::fs::read_to_string(home.beside("seen").join("pids")).unwrap();
    assert_gone(&pids.lines().map(|l| l.parse().unwrap()).collect::<Vec<_>>());
}

#[test]
fn a_lock_a_removal_and_a_stop_end_all_that_it_started() {
    let home = Home::empty(place::symbolon());
    home.init(Unlock::Device);
    let bad = Mounted::of(home, "family", &["--mark", "echo=read"]);
    bad.called("x");
    let first = bad.pids();
    assert!(first.len() >= 2 && first.iter().rev().take(2).all(|pid| is_alive(*pid)), "{first:?}");
    bad.home.ok(&["lock"]);
    assert_gone(&first);
    assert_eq!(bad.home.refused(&["call", "bad.echo", "text=x"]).code, "locked");
    bad.home.ok(&["unlock"]);
    bad.called("x");
    bad.home.ok(&["lock", "--stop"]);
    assert_gone(&bad.pids());
    // After a restart it is there as before, and starts at the first call.
    assert_eq!(bad.home.json(&["mount", "ls"])[0]["running"], false);
    bad.called("x");
    // Killed by somebody else, it is started again.
    let pid = bad.pids()[bad.pids().len() - 2];
    std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert_gone(&bad.pids());
    bad.called("x");
    bad.home.ok(&["mount", "remove", "bad"]);
    assert_gone(&bad.pids());
    assert_eq!(bad.home.json(&["mount", "ls"]), json!([]));
    assert_eq!(bad.home.json(&["connections"]), json!([]));
}

#[test]
fn its_environment_has_a_placeholder_and_no_credential() {
    let credential = random::secret(40);
    let secret = random::secret(40);
    let httpbin = Httpbin::start();
    let home = Home::empty(place::symbolon()).with_variable("AWS_SECRET_ACCESS_KEY", &secret);
    home.init(Unlock::Device);
    home.add_service("services/httpbin.toml");
    home.connect("httpbin", &httpbin.tls, &credential);
    let canaries = Canaries::new()
        .plant("credential", credential.as_bytes())
        .plant("secret", secret.as_bytes());
    let options = ["--env", "HTTPBIN_TOKEN=httpbin", "--grant", "httpbin.*", "--mark", "echo=read"];
    let bad = Mounted::of(home, "env", &options);
    let seen: Value = serde_json::from_str(&bad.note("environment")).expect("JSON");
    assert_clean(&canaries.find_in("its environment", seen.to_string().as_bytes()));
    assert!(seen["HTTPBIN_TOKEN"].as_str().unwrap().starts_with("symref_"), "{seen}");
    assert!(seen["HTTPS_PROXY"].as_str().unwrap().contains("127.0.0.1"), "{seen}");
    // With what stands there its program reaches the service, and no other way.
    let curl = |seen: &Value| {
        let line = format!(
            "curl -sS -x '{}' --cacert '{}' -H 'Authorization: Bearer {}' {}/bearer",
            seen["HTTPS_PROXY"].as_str().unwrap(),
            seen["CURL_CA_BUNDLE"].as_str().unwrap(),
            seen["HTTPBIN_TOKEN"].as_str().unwrap(),
            httpbin.tls.base_url()
        );
        std::process::Command::new("sh").args(["-c", &line]).output().expect("curl runs")
    };
    // The look at its list ended with the look; the program of the calls has an environment of its own.
    let gone = curl(&seen);
    assert!(!String::from_utf8_lossy(&gone.stdout).contains("authenticated"), "{gone:?}");
    bad.called("x");
    let seen: Value = serde_json::from_str(&bad.note("environment")).expect("JSON");
    let reached = curl(&seen);
    let body = String::from_utf8_lossy(&reached.stdout).into_owned();
    assert!(body.contains("\"authenticated\": true"), "{reached:?}");
    assert_clean(&canaries.find_in("what it got", body.as_bytes()));
    let rows = bad.home.receipts();
    let row =
        rows.iter().find(|row| row["tool"] == "httpbin.bearer").expect("a receipt of its own");
    assert_eq!(row["agent"], "mount-bad", "{row}");
    // A lock ends the program, and what it was given with it.
    bad.home.ok(&["lock"]);
    assert!(!String::from_utf8_lossy(&curl(&seen).stdout).contains("authenticated"));
}

#[test]
fn its_environment_is_of_named_variables_alone() {
    const NAMED: [&str; 11] = [
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
        "TERM",
    ];
    // A broker in the foreground has all of its starter's environment.
    let secret = random::secret(40);
    let home = Home::new().with_variable("AWS_SECRET_ACCESS_KEY", &secret);
    home.ok(&["lock", "--stop"]);
    let mut broker = home.command(&["serve"]).spawn().expect("it starts");
    let until = Instant::now() + Duration::from_secs(20);
    while home.json(&["status"])["pid"] != json!(broker.id()) {
        assert!(Instant::now() < until, "it does not serve");
        std::thread::sleep(Duration::from_millis(50));
    }
    let bad = Mounted::of(home, "plain", &["--mark", "echo=read"]);
    bad.called("x");
    let seen: Value = serde_json::from_str(&bad.note("environment")).expect("JSON");
    let strange: Vec<&String> =
        seen.as_object().unwrap().keys().filter(|k| !NAMED.contains(&k.as_str())).collect();
    assert!(strange.is_empty(), "{strange:?}");
    bad.home.ok(&["lock", "--stop"]);
    broker.wait().expect("it ends");
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let bad = Mounted::new("silent");
    let begun = Instant::now();
    let refused = bad.refused();
    assert_eq!(refused.code, "upstream_timeout", "{refused:?}");
    assert!(begun.elapsed() < Duration::from_secs(90), "{:?}", begun.elapsed());
    assert_eq!(bad.receipt()["error"], "upstream_timeout");
    assert_eq!(bad.home.json(&["mount", "show", "bad"])["running"], true);
}

#[test]
fn a_loud_server_is_heard_to_a_bound_and_a_changed_row_starts_nothing() {
    let bad = Mounted::new("loud");
    bad.called("x");
    let said = bad.said();
    assert!(said.ends_with("the end of it\n") && said.len() <= 20_000, "{}", said.len());
    assert!(!said.contains('\u{1b}'));
    bad.home.ok(&["lock", "--stop"]);
    let started = bad.pids().len();
    let line = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); \
        c.execute('UPDATE mount SET created_unix_ms = created_unix_ms + 1'); c.commit()";
    let state = bad.home.path().join("state.db");
    let changed =
        std::process::Command::new(place::python()).args(["-c", line]).arg(state).status().unwrap();
    assert!(changed.success());
    assert_eq!(bad.refused().code, "not_mounted");
    assert_eq!(bad.pids().len(), started, "a changed row started a program");
}
