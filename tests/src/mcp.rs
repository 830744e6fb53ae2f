//! An MCP client over standard input and output, as an agent would be, with a transcript.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// Which revision of the protocol the client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision {
    /// 2025-11-25: a session that begins with `initialize`.
    Session,
    /// 2026-07-28: each request says for itself who asks.
    Stateless,
}

impl Revision {
    pub const BOTH: [Self; 2] = [Self::Session, Self::Stateless];

    pub fn date(self) -> &'static str {
        match self {
            Self::Session => "2025-11-25",
            Self::Stateless => "2026-07-28",
        }
    }
}

/// A client and the server process that it talks to.
#[derive(Debug)]
pub struct McpClient {
    child: Child,
    stdin: Option<ChildStdin>,
    incoming: Receiver<String>,
    transcript: Arc<Mutex<Vec<u8>>>,
    stderr: Arc<Mutex<Vec<u8>>>,
    revision: Revision,
    next_id: u64,
}

const ANSWER_WITHIN: Duration = Duration::from_secs(60);

impl McpClient {
    /// Starts the server and, in the session revision, says hello.
    pub fn start(command: &mut Command, revision: Revision) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server starts");
        let (transcript, stderr) = (Arc::default(), Arc::<Mutex<Vec<u8>>>::default());
        let incoming = read_lines(child.stdout.take().expect("piped"), Arc::clone(&transcript));
        collect(child.stderr.take().expect("piped"), stderr.clone());
        let stdin = child.stdin.take();
        let mut client = Self { child, stdin, incoming, transcript, stderr, revision, next_id: 0 };
        if revision == Revision::Session {
            client.hello();
        }
        client
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request and returns the whole reply, result or error.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.reply(id)
    }

    /// Sends a request and returns its result.
    #[track_caller]
    pub fn result(&mut self, method: &str, params: Value) -> Value {
        let mut reply = self.ask(method, params);
        assert!(reply.get("result").is_some(), "{method}: {reply}");
        reply["result"].take()
    }

    /// Sends a request without waiting, and returns its id.
    pub fn send(&mut self, method: &str, mut params: Value) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        if self.revision == Revision::Stateless {
            let mut meta = self.meta();
            for (name, value) in params["_meta"].as_object().into_iter().flatten() {
                meta[name] = value.clone();
            }
            params["_meta"] = meta;
        }
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// Sends a line as it is, well formed or not.
    pub fn send_line(&mut self, line: &str) {
        self.note('>', line.as_bytes());
        let stdin = self.stdin.as_mut().expect("it is open until finish");
        writeln!(stdin, "{line}").and_then(|()| stdin.flush()).expect("the server reads");
    }

    /// Waits for the reply to this id. Notifications and other replies are passed over.
    #[track_caller]
    pub fn reply(&mut self, id: u64) -> Value {
        loop {
            let message = self.next_message();
            if message.get("id") == Some(&json!(id)) && message.get("method").is_none() {
                return message;
            }
        }
    }

    /// The next message that the server sends, whatever it is.
    #[track_caller]
    pub fn next_message(&mut self) -> Value {
        match self.incoming.recv_timeout(ANSWER_WITHIN) {
            Ok(line) => serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("the server sent `{line}`: {error}")),
            Err(RecvTimeoutError::Timeout) => panic!("no message; it said: {}", self.stderr()),
            Err(RecvTimeoutError::Disconnected) => panic!("the server ended: {}", self.stderr()),
        }
    }

    /// The tools that are listed, all pages of them.
    #[track_caller]
    pub fn tools(&mut self) -> Vec<Value> {
        let mut tools = Vec::new();
        let mut params = json!({});
        loop {
            let page = self.result("tools/list", params);
            tools.extend(page["tools"].as_array().expect("a list").iter().cloned());
            match page.get("nextCursor").filter(|cursor| !cursor.is_null()) {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return tools,
            }
        }
    }

    /// Calls a tool and returns the call's result, `isError` or not.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// Every byte that went either way.
    pub fn transcript(&self) -> Vec<u8> {
        self.transcript.lock().expect("not poisoned").clone()
    }

    /// What the server printed beside the protocol.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().expect("not poisoned")).into_owned()
    }

    /// Closes the stream as a client does that is done, and waits for the server to end.
    pub fn finish(mut self) -> (Vec<u8>, String) {
        drop(self.stdin.take());
        let status = self.child.wait().expect("a child can be waited for");
        assert!(status.success(), "the server ended with {status}: {}", self.stderr());
        (self.transcript(), self.stderr())
    }

    fn hello(&mut self) {
        let client = json!({ "name": "symbolon-tests", "version": "0" });
        let answer = self.result(
            "initialize",
            json!({
                "protocolVersion": self.revision.date(), "capabilities": {}, "clientInfo": client
            }),
        );
        assert_eq!(answer["protocolVersion"], self.revision.date(), "{answer}");
        self.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    }

    fn meta(&self) -> Value {
        json!({
            "io.modelcontextprotocol/protocolVersion": self.revision.date(),
            "io.modelcontextprotocol/clientInfo": { "name": "symbolon-tests", "version": "0" },
            "io.modelcontextprotocol/clientCapabilities": {},
        })
    }

    fn write(&mut self, message: &Value) {
        self.send_line(&message.to_string());
    }

    fn note(&self, direction: char, line: &[u8]) {
        note(&self.transcript, direction, line);
    }
}

impl Drop for McpClient {
    fn drop(&mut self) {
        // It has ended already where the test called `finish`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn note(transcript: &Mutex<Vec<u8>>, direction: char, line: &[u8]) {
    let mut transcript = transcript.lock().expect("not poisoned");
    transcript.extend([direction as u8, b' ']);
    transcript.extend_from_slice(line);
    transcript.push(b'\n');
}

fn read_lines(
    from: impl Read + Send + 'static,
    transcript: Arc<Mutex<Vec<u8>>>,
) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            note(&transcript, '<', line.as_bytes());
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn collect(mut from: impl Read + Send + 'static, into: Arc<Mutex<Vec<u8>>>) {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            into.lock().expect("not poisoned").extend_from_slice(&buffer[..read]);
        }
    });
}
