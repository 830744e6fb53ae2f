//! An assistant that asks for a person's notes: a client of our own, which can also do what no client should, and
//! the MCP project's.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use symbolon_ambient::{Rng, SystemRng};
use symbolon_codec::b64url;
use symbolon_crypto::sha256;

use crate::accounts::Page;
use crate::http::{Request, Response};
use crate::place;

/// A client that registered, with the verifier of its next code.
#[derive(Clone, Debug)]
pub struct Assistant {
    port: u16,
    origin: String,
    pub id: String,
    pub redirect_uri: String,
    pub verifier: String,
}

/// Tokens, as they came.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl Assistant {
    /// Registers at the server on this port.
    #[track_caller]
    pub fn register(port: u16, redirect_uri: &str) -> Self {
        let asked = json!({ "client_name": "Black box", "redirect_uris": [redirect_uri] });
        let made = Request::post(port, "/oauth/register").json(&asked).answer().expect(201).json();
        let mut bytes = [0; 32];
        SystemRng.fill(&mut bytes);
        Self {
            port,
            origin: format!("http://localhost:{port}"),
            id: made["client_id"].as_str().expect("an id").to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            verifier: b64url::encode(&bytes),
        }
    }

    /// The query of its authorization request, with these parameters in place of its own; empty ones are left out.
    pub fn query(&self, change: &[(&str, &str)]) -> String {
        let challenge = b64url::encode(&sha256(self.verifier.as_bytes()).0);
        let resource = format!("{}/mcp", self.origin);
        let mut all = vec![
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", &self.redirect_uri),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("scope", "notes.read notes.write"),
            ("resource", &resource),
            ("state", "xyz"),
        ];
        for (name, value) in change {
            all.retain(|(known, _)| known != name);
            all.push((name, value));
        }
        form(&all)
    }

    /// The person says yes to this query; gives the code.
    #[track_caller]
    pub fn code(&self, page: &mut Page, query: &str, scopes: &[&str]) -> String {
        let decision = json!({ "query": query, "allow": true, "client_name": "Black box",
            "scopes": scopes, "days": 30 });
        let decided = page.post("/api/oauth/consent", &decision).expect(200).json();
        let address = decided["address"].as_str().expect("an address").to_owned();
        let (before, after) = address.split_once('?').expect("a query");
        assert_eq!(before, self.redirect_uri);
        let found = |name: &str| {
            let pair = after.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            pair.unwrap_or_else(|| panic!("{name}: {address}")).to_owned()
        };
        assert_eq!(found("state"), "xyz");
        assert_eq!(found("iss"), encoded(&self.origin), "RFC 9207");
        found("code")
    }

    /// Asks for tokens with these parameters in place of its own.
    pub fn ask(&self, code: &str, change: &[(&str, &str)]) -> Response {
        let resource = format!("{}/mcp", self.origin);
        let mut all = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.id),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &self.verifier),
            ("resource", &resource),
        ];
        for (name, value) in change {
            all.retain(|(known, _)| known != name);
            all.push((name, value));
        }
        self.post("/oauth/token", &all)
    }

    /// Tokens for a code.
    #[track_caller]
    pub fn tokens(&self, code: &str) -> Tokens {
        tokens(&self.ask(code, &[]).expect(200).json())
    }

    /// The next tokens for a refresh token.
    pub fn refresh(&self, refresh: &str, change: &[(&str, &str)]) -> Response {
        let mut all = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("client_id", &self.id),
        ];
        for (name, value) in change {
            all.retain(|(known, _)| known != name);
            all.push((name, value));
        }
        self.post("/oauth/token", &all)
    }

    /// A form to a path.
    pub fn post(&self, path: &str, parameters: &[(&str, &str)]) -> Response {
        let body = form(parameters).into_bytes();
        let request = Request::post(self.port, path).bytes(body);
        request.only_header("content-type", "application/x-www-form-urlencoded").answer()
    }

    /// A tool's call with a token.
    pub fn call(&self, token: &str, tool: &str, arguments: &Value) -> Response {
        let params = json!({ "name": tool, "arguments": arguments });
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        mcp(self.port, "/mcp").bearer(token).json(&message).answer()
    }
}

/// A POST to an MCP server's path.
pub fn mcp(port: u16, path: &str) -> Request {
    Request::post(port, path)
        .header("host", &format!("localhost:{port}"))
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
}

pub fn tokens(json: &Value) -> Tokens {
    let text = |name: &str| json[name].as_str().unwrap_or_else(|| panic!("{json}")).to_owned();
    Tokens { access: text("access_token"), refresh: text("refresh_token") }
}

/// Parameters as a form has them; empty ones are left out.
pub fn form(parameters: &[(&str, &str)]) -> String {
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<_> = given.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

pub fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let one = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(one).collect()
}

/// A client of the MCP project's SDKs, driven by lines.
#[derive(Debug)]
pub struct Sdk {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Sdk {
    /// That of the TypeScript SDK.
    pub fn start(port: u16, redirect_uri: &str) -> Self {
        let mut command = Command::new(place::node());
        command.arg(place::fixture("interop/mcp_oauth.mjs")).current_dir(place::node_folder());
        Self::spawn(command.args([&format!("http://localhost:{port}/mcp"), redirect_uri]))
    }

    /// That of the Python SDK, which negotiates as `mode` says. It connects at once; the first answer says where
    /// it sends its person.
    pub fn python(port: u16, redirect_uri: &str, mode: &str) -> Self {
        let mut command = Command::new(place::python());
        command.arg(place::fixture("interop/mcp_oauth.py"));
        Self::spawn(command.args([&format!("http://localhost:{port}/mcp"), redirect_uri, mode]))
    }

    fn spawn(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().expect("it starts");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, stdin, stdout }
    }

    /// One step; what it gave, or the name of its error.
    #[track_caller]
    pub fn step(&mut self, step: &str) -> Result<Value, String> {
        writeln!(self.stdin, "{step}").expect("it reads");
        let mut answer = self.line();
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(format!("{error}: {}", answer["message"])),
            None => Ok(answer["ok"].take()),
        }
    }

    /// A line that it says by itself, or as an answer.
    #[track_caller]
    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("it answers");
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"))
    }
}

impl Drop for Sdk {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
