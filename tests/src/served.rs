//! A home that is served over HTTP, with httpbin behind a credential; and a program behind its proxy.

use std::io::Write;
use std::process::{ChildStdin, Stdio};

use serde_json::{Value, json};

use crate::home::Home;
use crate::http::{Request, Response};
use crate::httpbin::Httpbin;
use crate::random;
use crate::service::{Service, free_port};

/// A served home with httpbin behind a credential.
#[derive(Debug)]
pub struct Served {
    pub home: Home,
    pub httpbin: Httpbin,
    pub port: u16,
    served: Service,
}

impl Served {
    pub fn start() -> Self {
        let httpbin = Httpbin::start();
        let home = Home::new();
        home.add_service("services/httpbin.toml");
        home.connect("httpbin", &httpbin.tls, &random::secret(40));
        home.ok(&["lock", "--stop"]);
        let port = free_port();
        let served = serve(&home, port);
        Self { home, httpbin, port, served }
    }

    /// Served anew, as the home is now, where it was before.
    pub fn restart(&mut self) {
        self.served.kill();
        self.served = serve(&self.home, self.port);
    }

    /// The number of a new grant.
    #[track_caller]
    pub fn grant(&self, words: &[&str]) -> u64 {
        self.home.json(&[&["grant"], words].concat())["id"].as_u64().expect("a number")
    }

    /// The key of a new agent.
    pub fn key(&self, agent: &str) -> String {
        let made = self.home.json(&["agents", "add", agent]);
        made["key"].as_str().expect("a key").to_owned()
    }

    /// With a key, as JSON.
    pub fn post(&self, key: &str, path: &str, body: &Value) -> Response {
        Request::post(self.port, path).bearer(key).json(body).answer()
    }

    /// A call of a tool without arguments, over the JSON API.
    pub fn call(&self, key: &str, tool: &str) -> Response {
        self.post(key, "/api/call", &json!({ "tool": tool }))
    }

    /// What an agent made of its grant.
    #[track_caller]
    pub fn delegate(&self, key: &str, body: &Value) -> Value {
        self.post(key, "/api/delegate", body).expect(200).json()
    }

    /// Why it could not.
    #[track_caller]
    pub fn refuses(&self, key: &str, body: &Value) -> Value {
        let answer = self.post(key, "/api/delegate", body);
        assert!(answer.status >= 400, "{}", answer.text());
        answer.json()
    }

    /// A request of MCP over HTTP, of the revision without sessions.
    pub fn mcp(&self, method: &str, params: &Value, key: &str) -> Response {
        let mut params = params.clone();
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "symbolon-tests", "version": "0" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let mut request = Request::post(self.port, "/mcp")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method)
            .bearer(key);
        if let Some(name) = params["name"].as_str() {
            request = request.header("mcp-name", name);
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        request.json(&body).answer()
    }
}

fn serve(home: &Home, port: u16) -> Service {
    let mut command = home.command(&["serve", "--listen", &format!("127.0.0.1:{port}")]);
    let mut served = Service::start("symbolon serve", command.stdin(Stdio::null()));
    served.wait_for("healthy answer", |_| {
        Request::get(port, "/healthz").send().ok().filter(|answer| answer.status == 200)
    });
    served
}

/// A program that makes a request for each line that it is told.
#[derive(Debug)]
pub struct Program {
    service: Service,
    stdin: ChildStdin,
    asked: usize,
}

impl Program {
    /// Starts it as this agent, behind the proxy.
    pub fn start(at: &Served, agent: &str) -> Self {
        let line = format!(
            "while read path; do curl -sS -o answer -w '%{{http_code}}' -H \"Authorization: Bearer \
             $SYMREF_HTTPBIN\" {}$path; echo; done",
            at.httpbin.tls.base_url()
        );
        let mut command = at.home.command(&["run", "--agent", agent, "--", "sh", "-c", &line]);
        let mut service = Service::start("run", command.stdin(Stdio::piped()));
        let stdin = service.take_stdin();
        Self { service, stdin, asked: 0 }
    }

    /// The status of its GET to a path.
    pub fn get(&mut self, path: &str) -> u16 {
        self.asked += 1;
        writeln!(self.stdin, "{path}").expect("it reads");
        let nth = self.asked - 1;
        self.service.wait_for("answer", |said| said.lines().nth(nth)?.trim().parse().ok())
    }
}
