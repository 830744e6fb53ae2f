//! The agent of the demo: the least that an MCP client is, with all that it sees kept.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::Failure;

/// Speaks revision 2025-11-25 with a server that it started.
pub struct Agent {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    transcript: Vec<u8>,
    next_id: u64,
}

impl Agent {
    pub fn start(command: &mut Command) -> Result<Self, Failure> {
        let failed = |error| Failure::new(format!("cannot start `symbolon mcp`: {error}"));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or_else(|| Failure::new("no standard output"))?;
        let stdout = BufReader::new(stdout);
        Ok(Self { child, stdin, stdout, transcript: Vec::new(), next_id: 0 })
    }

    /// Says hello and returns the server's name and version.
    pub fn initialize(&mut self) -> Result<String, Failure> {
        let hello = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "demo", "version": "0" },
        });
        let answer = self.ask("initialize", &hello)?;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        let server = &answer["serverInfo"];
        let word = |name: &str| server[name].as_str().unwrap_or("?").to_owned();
        Ok(format!("{} {}", word("name"), word("version")))
    }

    /// The names of the tools that are listed.
    pub fn tools(&mut self) -> Result<Vec<String>, Failure> {
        let listed = self.ask("tools/list", &json!({}))?;
        let tools = listed["tools"].as_array().cloned().unwrap_or_default();
        Ok(tools.iter().filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect())
    }

    /// Calls a tool and returns the call's result, an error result too.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Result<Value, Failure> {
        self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }))
    }

    /// Calls a tool that has to answer with a 2xx, and returns the reply.
    pub fn succeed(&mut self, tool: &str, arguments: Value) -> Result<Value, Failure> {
        let mut result = self.call(tool, arguments)?;
        match result["structuredContent"]["status"].as_u64() {
            Some(200..300) => Ok(result["structuredContent"].take()),
            _ => Err(Failure::new(format!("the call did not succeed: {result}"))),
        }
    }

    /// Closes the stream, waits for the server, and gives every byte that went either way.
    pub fn finish(mut self) -> Result<Vec<u8>, Failure> {
        drop(self.stdin.take());
        self.child.wait().map_err(|error| Failure::new(format!("`symbolon mcp`: {error}")))?;
        Ok(std::mem::take(&mut self.transcript))
    }

    fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Failure> {
        self.next_id += 1;
        let id = json!(self.next_id);
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))?;
        loop {
            let mut message = self.receive(method)?;
            if message["id"] == id {
                return match message.get("error") {
                    Some(error) => Err(Failure::new(format!("{method}: {error}"))),
                    None => Ok(message["result"].take()),
                };
            }
        }
    }

    fn send(&mut self, message: &Value) -> Result<(), Failure> {
        let line = format!("{message}\n");
        self.transcript.extend_from_slice(line.as_bytes());
        let stdin = self.stdin.as_mut().ok_or_else(|| Failure::new("the stream is closed"))?;
        stdin
            .write_all(line.as_bytes())
            .map_err(|error| Failure::new(format!("`symbolon mcp` does not listen: {error}")))
    }

    fn receive(&mut self, method: &str) -> Result<Value, Failure> {
        let mut line = String::new();
        let read = self.stdout.read_line(&mut line);
        if !matches!(read, Ok(1..)) {
            return Err(Failure::new(format!("`symbolon mcp` ended before it answered {method}")));
        }
        self.transcript.extend_from_slice(line.as_bytes());
        serde_json::from_str(&line).map_err(|error| Failure::new(format!("{error}: {line}")))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It has ended already where the demo came to its end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
