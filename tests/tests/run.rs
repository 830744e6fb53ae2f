//! `symbolon run`: real programs use a credential that is nowhere in their reach.

use std::path::Path;
use std::process::Stdio;

use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::git::{GitServer, git};
use symbolon_tests::home::{Home, Ran};
use symbolon_tests::httpbin::Httpbin;
use symbolon_tests::place;
use symbolon_tests::random;
use symbolon_tests::verdaccio::Verdaccio;

/// A home with httpbin behind a bearer credential.
struct At {
    home: Home,
    httpbin: Httpbin,
    canaries: Canaries,
}

impl At {
    fn new() -> Self {
        let credential = random::secret(40);
        let httpbin = Httpbin::start();
        let home = Home::new();
        home.add_service("services/httpbin.toml");
        home.connect("httpbin", &httpbin.tls, &credential);
        let canaries = Canaries::new().plant("credential", credential.as_bytes());
        Self { home, httpbin, canaries }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.httpbin.tls.base_url())
    }

    /// Runs a shell's line as the agent `sh`, which may use all of httpbin for as long as it lasts.
    fn sh(&self, line: &str) -> Ran {
        self.run(&["--grant", "httpbin.*"], &["sh", "-c", line])
    }

    fn run(&self, options: &[&str], command: &[&str]) -> Ran {
        let ran = self.home.run(&[&["run"], options, &["--"], command].concat());
        assert_clean(&self.canaries.find_in("what it said", ran.all().as_bytes()));
        ran
    }

    /// The status and body that curl gets, which sends what `options` say.
    #[track_caller]
    fn curl(&self, options: &str, path: &str) -> (u16, String) {
        let line = format!("curl -sS -w '\\n%{{http_code}}' {options} '{}'", self.url(path));
        let ran = self.sh(&line);
        let said = ran.stdout();
        let (body, status) = said.rsplit_once('\n').unwrap_or_else(|| panic!("{}", ran.all()));
        let status = status.parse().unwrap_or_else(|_| panic!("{}", ran.all()));
        (status, body.to_owned())
    }
}

/// The newest receipt is this tool's through the proxy, and verifies.
#[track_caller]
fn assert_receipt(home: &Home, tool: &str) {
    let rows = home.receipts();
    let row = rows.iter().find(|row| row["tool"] == tool);
    let row = row.unwrap_or_else(|| panic!("no receipt of {tool}: {rows:?}"));
    let file = home.export_receipt(row["number"].as_u64().expect("a number"));
    let (file, key) = (file.to_str().unwrap(), home.operator_key());
    let verified = home.json(&["verify", file, "--key", key.to_str().unwrap()]);
    assert_eq!(row["outcome"], "allowed", "{row}");
    let said = verified.to_string();
    assert!(said.contains("proxy"), "the receipt does not say which door: {said}");
}

const BEARER: &str = r#"-H "Authorization: Bearer $SYMREF_HTTPBIN""#;

#[test]
fn curl_uses_a_credential_that_is_not_in_its_reach() {
    let at = At::new();
    let (status, body) = at.curl(BEARER, "/bearer");
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("\"authenticated\": true"), "{body}");
    assert_receipt(&at.home, "httpbin.bearer");
    // Over HTTP/1.1, over HTTP/2, and a request without TLS to the proxy: the same.
    for version in ["--http1.1", "--http2"] {
        let (status, body) = at.curl(&format!("{version} {BEARER}"), "/get?word=two%20words");
        assert_eq!(status, 200, "{version}: {body}");
        assert!(body.contains("two words"), "{version}: {body}");
    }
    // What the program has: a placeholder, a password that dies with it, and no credential.
    let seen = at
        .sh(r#"env; cat "$CURL_CA_BUNDLE"; cat /proc/self/environ; ls -la "${CURL_CA_BUNDLE%/*}""#);
    assert!(seen.stdout().contains("SYMREF_HTTPBIN=symref_"), "{}", seen.all());
    assert!(seen.stdout().contains("BEGIN CERTIFICATE"), "{}", seen.all());
    assert_clean(&at.canaries.find_below(&at.home.path()).expect("a readable home"));
    let left: Vec<_> = std::fs::read_dir(at.home.path().join("run")).unwrap().flatten().collect();
    let left = left.iter().filter(|e| e.file_name().to_string_lossy().starts_with("program-"));
    assert_eq!(left.count(), 0, "a run left its folder behind");
}

#[test]
fn a_placeholder_is_exchanged_in_its_place_alone() {
    let at = At::new();
    let refused = |options: &str, path: &str, status: u16, code: &str| {
        let (found, body) = at.curl(&format!("-H 'Accept: application/json' {options}"), path);
        assert_eq!(found, status, "{options} {path}: {body}");
        assert!(body.contains(&format!("\"code\":\"{code}\"")), "{options} {path}: {body}");
        assert!(body.contains("\"next\""), "{options} {path}: {body}");
    };
    refused("", "/bearer", 401, "no_placeholder");
    refused("-H 'Authorization: Bearer of-my-own'", "/bearer", 403, "foreign_credential");
    let twice = format!(r#"{BEARER} -H "X-Copy: $SYMREF_HTTPBIN""#);
    refused(&twice, "/bearer", 403, "placeholder_elsewhere");
    refused(r#"-H "X-Api-Key: $SYMREF_HTTPBIN""#, "/bearer", 403, "placeholder_elsewhere");
    refused(r#"-G --data-urlencode "word=$SYMREF_HTTPBIN""#, "/get", 403, "placeholder_elsewhere");
    let json = r#"-H 'Content-Type: application/json' -d "{\"word\":\"$SYMREF_HTTPBIN\"}""#;
    refused(&format!("{BEARER} {json}"), "/post", 403, "placeholder_elsewhere");
    refused(&format!("{BEARER} -H 'Host: example.com'"), "/get", 421, "misdirected");
    refused(&format!("{BEARER} --path-as-is"), "/get/../bearer", 400, "path");
    refused(&format!("{BEARER} -X PATCH"), "/get", 403, "not_listed");
    let rows = at.home.receipts();
    assert!(rows.is_empty(), "something was sent: {rows:?}");
    // With the slot alone the same request goes out.
    assert_eq!(at.curl(BEARER, "/bearer").0, 200);
}

#[test]
fn hosts_without_a_connection_are_refused_or_pass_by_a_rule() {
    let at = At::new();
    let other = symbolon_tests::upstream::Upstream::tls_for(at.httpbin.plain_port);
    let (port, ca) = (other.port(), other.ca());
    let url = format!("{}/get", other.base_url());
    let curl = ["curl", "-sS", "-v", "--cacert", ca.to_str().unwrap(), &url];
    let refused = at.run(&[], &curl);
    assert!(refused.stderr().contains("403"), "{}", refused.all());
    assert!(refused.stderr().to_lowercase().contains("symbolon-refused: no_connection"));
    // A rule that names the address itself; its TLS is the host's own.
    let rule = format!("localhost:{port}");
    let passed = at.run(&["--pass-through", &rule], &curl);
    assert!(passed.is_success() && passed.stdout().contains("\"url\""), "{}", passed.all());
    // Metadata addresses and nonsense are no rules.
    for bad in ["169.254.169.254:80", "*.com", "a b"] {
        let refusal = at.home.refused(&["run", "--pass-through", bad, "--", "true"]);
        assert_eq!(refusal.code, "pass_through", "{bad}");
    }
    assert!(at.home.receipts().is_empty());
}

#[test]
fn a_password_is_worth_nothing_elsewhere_or_later() {
    let at = At::new();
    let said = at.sh("echo $HTTPS_PROXY $SYMREF_HTTPBIN").stdout();
    let (proxy, placeholder) = said.trim().split_once(' ').expect("two words");
    let ask = |proxy: &str| {
        let bearer = format!("Authorization: Bearer {placeholder}");
        let url = at.url("/bearer");
        let mut curl = std::process::Command::new("curl");
        curl.args(["-sS", "-k", "-o", "-", "-w", "%{http_connect}", "-x", proxy, "-H", &bearer]);
        let output = curl.arg(url).output().expect("curl runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(ask(proxy), "407", "the run is over");
    let (_, address) = proxy.split_once('@').expect("an address");
    assert_eq!(ask(&format!("http://{address}")), "407", "no password");
    assert_eq!(ask(&format!("http://run:guess@{address}")), "407", "a guess");
    // Another run's password does not make this one's placeholder mean anything.
    let line = format!(
        "curl -sS -o /dev/null -w '%{{http_code}}' -H 'Authorization: Bearer {placeholder}' {}",
        at.url("/bearer")
    );
    assert_eq!(at.sh(&line).stdout(), "403");
    // And what was granted to a run ended with it.
    let line = format!("curl -sS {BEARER} {}", at.url("/bearer"));
    let later = at.run(&[], &["sh", "-c", &line]);
    assert!(later.stdout().contains("symbolon grant sh httpbin.auth.read"), "{}", later.all());
    let grants = at.home.json(&["grants"]);
    let states: Vec<_> = grants.as_array().unwrap().iter().map(|g| g["state"].clone()).collect();
    assert!(!states.is_empty() && states.iter().all(|state| state == "revoked"), "{grants}");
}

#[test]
fn a_run_ends_with_whoever_opened_it_and_has_its_signals_and_exit_code() {
    let at = At::new();
    let ran = at.home.run(&["run", "--", "sh", "-c", "exit 37"]);
    assert_eq!(ran.code(), Some(37), "{}", ran.all());
    let ran = at.home.run(&["run", "--", "sh", "-c", "kill -9 $$"]);
    assert_eq!(ran.code(), Some(137), "{}", ran.all());
    let missing = at.home.refused(&["run", "--", "no-such-program-here"]);
    assert_eq!(missing.code, "program");
    // TERM reaches the program.
    let script = "trap 'exit 5' TERM; touch began; while :; do sleep 0.05; done";
    let mut child = at.home.command(&["run", "--", "sh", "-c", script]);
    let mut child = child.stderr(Stdio::null()).spawn().expect("it starts");
    wait_for(&at.home.beside("began"));
    signal("-TERM", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(5));
    // Who kills the command itself ends the run: its password is worth nothing.
    let script = "echo $HTTPS_PROXY > proxy.new; mv proxy.new proxy; exec sleep 30";
    let mut child = at.home.command(&["run", "--", "sh", "-c", script]);
    let mut child = child.stderr(Stdio::null()).spawn().expect("it starts");
    wait_for(&at.home.beside("proxy"));
    let proxy = std::fs::read_to_string(at.home.beside("proxy")).unwrap();
    let status = || {
        let mut curl = std::process::Command::new("curl");
        curl.args(["-sS", "-k", "-o", "/dev/null", "-w", "%{http_connect}", "-x", proxy.trim()]);
        let output = curl.arg(at.url("/get")).output().expect("curl runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(status(), "200", "while it lasts");
    signal("-KILL", child.id());
    child.wait().unwrap();
    let ended = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        status() == "407"
    });
    assert!(ended, "the password outlived its run");
}

#[test]
fn node_and_python_use_it_as_they_are() {
    let at = At::new();
    let url = at.url("/bearer");
    let script = format!(
        "fetch('{url}', {{ headers: {{ authorization: 'Bearer ' + process.env.SYMREF_HTTPBIN }} }})\
         .then(async (r) => console.log(r.status, JSON.stringify(await r.json())))"
    );
    let node = place::node();
    let ran = at.run(&["--grant", "httpbin.*"], &[node.to_str().unwrap(), "-e", &script]);
    assert!(ran.stdout().starts_with("200 {\"authenticated\":true"), "{}", ran.all());
    let script = format!(
        "import os, requests\n\
         r = requests.get('{url}', headers={{'Authorization': 'Bearer ' + os.environ['SYMREF_HTTPBIN']}})\n\
         print(r.status_code, r.json()['authenticated'])"
    );
    let python = place::python();
    let ran = at.run(&["--grant", "httpbin.auth.read"], &[python.to_str().unwrap(), "-c", &script]);
    assert_eq!(ran.stdout().trim(), "200 True", "{}", ran.all());
    assert_receipt(&at.home, "httpbin.bearer");
    assert_clean(&at.canaries.find_below(&at.home.path()).expect("a readable home"));
}

#[test]
fn git_clones_and_pushes_over_https() {
    let token = random::secret(40);
    let server = GitServer::start(&token);
    let home = Home::new();
    home.connect("git", &server.tls, &token);
    let canaries = Canaries::new().plant("token", token.as_bytes());
    let run = |options: &[&str], folder: &Path, command: &[&str]| {
        let given = [&["run", "--agent", "coder"], options, &["--"], command].concat();
        let output = home.command(&given).current_dir(folder).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_clean(&canaries.find_in("what git said", said.as_bytes()));
        (output.status.success(), said)
    };
    let url = format!("{}/acme/anvil.git", server.tls.base_url());
    let folder = home.beside("");
    let read = ["--grant", "git.read"];
    let (cloned, said) = run(&read, &folder, &["git", "clone", "--quiet", &url, "work"]);
    assert!(cloned, "{said}");
    let work = home.beside("work");
    // Larger than one record, one frame and what git sends uncompressed or in one piece.
    let noise: Vec<u8> = random::secret(3 << 20).into_bytes();
    std::fs::write(work.join("noise"), noise).unwrap();
    git(&["checkout", "--quiet", "-B", "main"], &work);
    git(&["add", "."], &work);
    git(&["commit", "--quiet", "-m", "an anvil"], &work);
    let push = ["git", "push", "--quiet", "origin", "main"];
    let (pushed, said) = run(&read, &work, &push);
    assert!(!pushed && said.contains("403"), "pushed with a grant to read: {said}");
    assert_eq!(server.head(), None);
    let both = ["--grant", "git.read", "--grant", "git.write"];
    let (pushed, said) = run(&both, &work, &push);
    assert!(pushed, "{said}");
    assert!(server.head().is_some(), "the server has nothing");
    let (cloned, said) = run(&read, &folder, &["git", "clone", "--quiet", &url, "again"]);
    assert!(cloned, "{said}");
    let same = std::fs::read(work.join("noise")).unwrap()
        == std::fs::read(home.beside("again").join("noise")).unwrap();
    assert!(same, "what was cloned is not what was pushed");
    // The way with the placeholder as a password in a URL, which git sends only when asked to.
    let script = format!(
        "git -c http.extraHeader= clone --quiet {} third",
        url.replace("https://", "https://x-access-token:$SYMREF_GIT@")
    );
    let (cloned, said) = run(&read, &folder, &["sh", "-c", &script]);
    assert!(cloned, "{said}");
    for tool in ["git.repos.refs", "git.repos.fetch", "git.repos.push"] {
        assert_receipt(&home, tool);
    }
    for place in [home.path(), work, home.beside("again"), home.beside("third")] {
        assert_clean(&canaries.find_below(&place).expect("readable"));
    }
}

#[test]
fn npm_looks_and_publishes() {
    let verdaccio = Verdaccio::start();
    let token = verdaccio.make_token();
    let home = Home::new();
    home.connect("npm", &verdaccio.tls, &token);
    let canaries = Canaries::new().plant("token", token.as_bytes());
    let package = home.beside("package");
    std::fs::create_dir(&package).unwrap();
    let manifest = r#"{"name":"@symbolon/fig","version":"1.2.3","description":"A fig"}"#;
    std::fs::write(package.join("package.json"), manifest).unwrap();
    let run = |grants: &[&str], command: &[&str]| {
        let given = [&["run", "--agent", "npm"], grants, &["--"], command].concat();
        let mut run = home.command(&given);
        run.env("HOME", home.beside("")).env("npm_config_cache", home.beside("cache"));
        run.env("npm_config_update_notifier", "false");
        let output = run.current_dir(&package).output().expect("it starts");
        let said = [output.stdout.clone(), output.stderr].concat();
        assert_clean(&canaries.find_in("what npm said", &said));
        let said = String::from_utf8_lossy(&said).into_owned();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned(), said)
    };
    let publish = ["npm", "publish", "--access", "public"];
    let (published, _, said) = run(&["--grant", "npm.read"], &publish);
    assert!(!published && said.contains("403"), "published with a grant to read: {said}");
    let write = ["--grant", "npm.read", "--grant", "npm.write"];
    // What cannot be taken back waits for its owner, and npm with it.
    let (published, _, said) = std::thread::scope(|scope| {
        let publishing = scope.spawn(|| run(&write, &publish));
        let number = home.question()["number"].to_string();
        home.ok(&["approve", &number]);
        publishing.join().expect("it ends")
    });
    assert!(published, "{said}");
    assert_receipt(&home, "npm.packages.publish");
    // Through a shell too, which drops the variable of npm's odd name: a file says it as well.
    let view = "npm view @symbolon/fig version";
    let (viewed, stdout, said) = run(&["--grant", "npm.read"], &["sh", "-c", view]);
    assert!(viewed, "{said}");
    assert_eq!(stdout.trim(), "1.2.3", "{said}");
    assert_receipt(&home, "npm.packages.get");
    for place in [home.path(), package, home.beside("cache")] {
        assert_clean(&canaries.find_below(&place).expect("readable"));
    }
}

fn wait_for(file: &Path) {
    let there = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        file.exists()
    });
    assert!(there, "{} never came", file.display());
}

fn signal(which: &str, pid: u32) {
    let sent = std::process::Command::new("kill").args([which, &pid.to_string()]).status();
    assert!(sent.expect("kill runs").success());
}
