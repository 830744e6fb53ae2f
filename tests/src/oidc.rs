//! oidc-provider, an authorization server that others wrote, with TLS in front and an API behind.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::home::Home;
use crate::http::Request;
use crate::place;
use crate::service::{Service, free_port};
use crate::upstream::Upstream;

/// The server, and the service `oidc` whose tokens come from it.
#[derive(Debug)]
pub struct Oidc {
    _plain: Service,
    folder: TempDir,
    pub tls: Upstream,
    plain_port: u16,
}

/// The secret of the confidential clients `basic` and `machine`.
pub const CLIENT_SECRET: &str = "Zq7+vX/2k&9Wm=4%Lr8_Nd5 hT3";

impl Oidc {
    /// Access tokens live for so many seconds.
    pub fn start(access_seconds: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let plain_port = free_port();
        let tls = Upstream::tls_for(plain_port);
        let mut command = Command::new(place::node());
        command
            .arg(place::fixture("interop/oidc_provider.mjs"))
            .args([plain_port.to_string(), tls.base_url()])
            .arg(folder.path().join("tokens"))
            .env("ACCESS_SECONDS", access_seconds.to_string())
            .current_dir(place::node_folder())
            .stdin(Stdio::null());
        let mut plain = Service::start("oidc-provider", &mut command);
        plain.wait_for("answer", |_| {
            let answer = Request::get(plain_port, "/admin/stats").send().ok();
            answer.filter(|answer| answer.status == 200)
        });
        Self { _plain: plain, folder, tls, plain_port }
    }

    /// A home whose catalogue has the service.
    pub fn home(&self) -> Home {
        let home = Home::new();
        let url = self.tls.base_url();
        home.add_service_text("oidc.toml", &SERVICE.replace("ISSUER", &url));
        home
    }

    /// `symbolon connect oidc` with these words behind.
    pub fn connect(&self, home: &Home, words: &[&str]) -> Command {
        let (url, ca) = (self.tls.base_url(), self.tls.ca());
        let ca = ca.to_str().expect("a plain path");
        let given =
            ["--json", "connect", "oidc", "--base-url", &url, "--ca", ca, "--allow-loopback"];
        home.command(&[&given[..], words].concat())
    }

    /// What the next requests to the token endpoint meet; see the script.
    pub fn fault(&self, mode: &str) {
        Request::post(self.plain_port, &format!("/admin/fault?mode={mode}")).answer().expect(200);
    }

    /// How many requests came to the token endpoint with this grant type (`held`: wait there).
    pub fn asked(&self, grant: &str) -> u64 {
        let stats = Request::get(self.plain_port, "/admin/stats").answer().expect(200).json();
        stats[grant].as_u64().unwrap_or(0)
    }

    /// What the next requests to the API meet; see the script.
    pub fn api(&self, mode: &str) {
        Request::post(self.plain_port, &format!("/admin/api?mode={mode}")).answer().expect(200);
    }

    /// Ends the newest access token at the server, long before its end.
    pub fn forget(&self) {
        Request::post(self.plain_port, "/admin/forget").answer().expect(200);
    }

    /// Has the newest access token revoked (RFC 7009), with which this server ends its grant.
    pub fn revoke(&self) {
        // Each pair is written as it came: the access token, then the refresh token.
        let tokens = self.tokens();
        let access = tokens.iter().rev().nth(1).expect("a pair of tokens");
        let form = format!("client_id=public&token_type_hint=access_token&token={access}");
        let url = format!("{}/token/revocation", self.tls.base_url());
        self.browse(&["--fail", "--data", &form, &url]);
    }

    /// Every token that was given out.
    pub fn tokens(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("tokens")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// A browser: follows redirects, keeps cookies.
    pub fn browse(&self, words: &[&str]) -> String {
        let jar = self.folder.path().join("cookies");
        let output: Output = Command::new("curl")
            .args(["--silent", "--show-error", "--location", "--max-time", "30", "--cacert"])
            .arg(self.tls.ca())
            .arg("--cookie")
            .arg(&jar)
            .arg("--cookie-jar")
            .arg(&jar)
            .args(words)
            .output()
            .expect("curl runs");
        let (page, said) = (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned());
        assert!(output.status.success(), "{words:?}: {said}");
        String::from_utf8_lossy(&page).into_owned()
    }
}

/// A `symbolon connect` that waits for a person.
#[derive(Debug)]
pub struct Connecting {
    child: Child,
    said: BufReader<ChildStderr>,
    /// All that it printed so far.
    pub all: String,
}

impl Connecting {
    pub fn start(command: &mut Command, stdin: &str) -> Self {
        use std::io::Write;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("symbolon starts");
        let mut input = child.stdin.take().expect("piped");
        input.write_all(stdin.as_bytes()).expect("it reads its input");
        drop(input);
        let said = BufReader::new(child.stderr.take().expect("piped"));
        Self { child, said, all: String::new() }
    }

    /// What stands behind `word` on the next line that begins with it.
    #[track_caller]
    pub fn line(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.said.read_line(&mut line).expect("a pipe can be read");
            if read == 0 {
                let output = self.child.wait_with_stdout();
                panic!("it ended before it said {word:?}:\n{}{output}", self.all);
            }
            self.all.push_str(&line);
            if let Some(rest) = line.trim_end().strip_prefix(word) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Waits for its end: whether it succeeded, and its JSON.
    pub fn end(mut self) -> (bool, Value, String) {
        use std::io::Read;
        let _ = self.said.read_to_string(&mut self.all);
        let stdout = self.child.wait_with_stdout();
        self.all.push_str(&stdout);
        let succeeded = self.child.wait().expect("a child can be waited for").success();
        let value = serde_json::from_str(&stdout).unwrap_or(Value::Null);
        (succeeded, value, self.all)
    }
}

trait WithStdout {
    fn wait_with_stdout(&mut self) -> String;
}

impl WithStdout for Child {
    fn wait_with_stdout(&mut self) -> String {
        use std::io::Read;
        let mut text = String::new();
        if let Some(mut stdout) = self.stdout.take() {
            let _ = stdout.read_to_string(&mut text);
        }
        text
    }
}

/// Where the connection's state is: what a backup would have.
pub fn database(home: &Home) -> PathBuf {
    home.path().join("state.db")
}

const SERVICE: &str = r#"
[service]
id = "oidc"
name = "An API with tokens"
base_url = "https://api.example"
self_hosted = true
docs = "https://api.example/docs"
verify = "me"
rate = { burst = 1000, per_second = 1000.0 }

[service.auth]
scheme = "oauth2"
authorization_endpoint = "ISSUER/auth"
token_endpoint = "ISSUER/token"
device_authorization_endpoint = "ISSUER/device/auth"
issuer = "ISSUER"
scope = "openid"

[service.tells]
wide = { openid = ["oidc.note.write"], offline_access = [] }

[[operation]]
id = "me"
title = "Who am I"
description = "Says whose token it is."
method = "GET"
path = "/api/me"
scope = "oidc.me.read"
effect = "read"

[[operation]]
id = "note"
title = "Write a note"
description = "Adds a note with this text."
method = "POST"
path = "/api/note"
scope = "oidc.note.write"
effect = "write"
[operation.body]
text = { type = "string", description = "What it says", maxLength = 100, required = true }

[[operation]]
id = "echo"
title = "Echo"
description = "Answers with every secret that the caller has."
method = "GET"
path = "/api/echo"
scope = "oidc.me.read"
effect = "read"
"#;
