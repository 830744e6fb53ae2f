use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{HttpOptions, SessionLimits};

fn read(tool: VaultTool, arguments: Value) -> Result<NoteCall, &'static str> {
    let arguments: Map<String, Value> = serde_json::from_value(arguments).unwrap();
    NoteCall::read(tool, arguments).map_err(|fault| fault.code)
}

#[test]
fn arguments_are_read_within_their_bounds() {
    use VaultTool::*;
    let list = NoteCall::List { place: Place::Root, tag: None, from: 50, limit: 100 };
    assert_eq!(read(ListNotes, json!({ "folder": "", "cursor": "50", "limit": 100 })), Ok(list));
    let edit = Edit { append: Some("x".into()), ..Edit::default() };
    assert_eq!(
        read(UpdateNote, json!({ "id": "a", "append": "x" })),
        Ok(NoteCall::Update { id: "a".into(), edit })
    );
    let long = "x".repeat(256 * 1024 + 1);
    for (tool, arguments) in [
        (ListNotes, json!({ "limit": 0 })),
        (ListNotes, json!({ "limit": 101 })),
        (ListNotes, json!({ "cursor": "-1" })),
        (ListNotes, json!({ "other": 1 })),
        (SearchNotes, json!({})),
        (SearchNotes, json!({ "query": " " })),
        (SearchNotes, json!({ "query": "x".repeat(513) })),
        (ReadNote, json!({ "id": 1 })),
        (ReadNote, json!({ "id": "a", "from": -1 })),
        (SaveNote, json!({ "body": "x" })),
        (SaveNote, json!({ "title": "x", "body": long })),
        (UpdateNote, json!({ "id": "a" })),
        (UpdateNote, json!({ "title": "x" })),
        (UpdateNote, json!({ "id": "a", "body": "x", "append": "y" })),
        (UpdateNote, json!({ "id": "a", "append": "x".repeat(256 * 1024 + 1) })),
        (DeleteNote, json!({ "id": "a", "erase": true })),
        (ListFolders, json!({ "id": "a" })),
    ] {
        assert_eq!(read(tool, arguments.clone()), Err("invalid_arguments"), "{tool:?} {arguments}");
    }
}

#[test]
fn the_transport_knows_which_tool_a_message_would_call() {
    let message = |method: &str, name: Value| {
        json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "name": name } })
            .to_string()
    };
    let of = |method: &str, name: Value| wanted(message(method, name).as_bytes());
    assert_eq!(of("tools/call", json!("save_note")), Some(VaultTool::SaveNote));
    assert_eq!(of("tools/call", json!("erase_note")), None);
    assert_eq!(of("tools/call", json!(1)), None);
    assert_eq!(of("prompts/get", json!("save_note")), None);
    assert_eq!(wanted(b"[]"), None);
}

#[test]
fn no_tool_that_reads_changes_and_each_says_which() {
    for one in VaultTool::ALL {
        let tool = one.tool();
        let hints = tool.annotations.clone().unwrap();
        assert_eq!(hints.read_only_hint, Some(one.right() == Right::Read), "{one:?}");
        assert_eq!(VaultTool::named(one.name()), Some(one));
        assert_eq!(tool.input_schema["additionalProperties"], false, "{one:?}");
        assert!(tool.description.unwrap().len() > 20 && tool.output_schema.is_some(), "{one:?}");
    }
}

/// Who calls, by the rights that they have; what was called is written down.
#[derive(Clone, Default)]
struct Double(Arc<Mutex<Vec<(String, &'static str)>>>);

impl Notebook for Double {
    type Who = (&'static str, Vec<Right>);

    fn has(&self, (_, rights): &Self::Who, right: Right) -> bool {
        rights.contains(&right)
    }

    async fn call(
        &self,
        (name, rights): &Self::Who,
        tool: VaultTool,
        _: NoteCall,
    ) -> Result<NoteReply, NoteFault> {
        self.0.lock().unwrap().push(((*name).to_owned(), tool.name()));
        let fault = |code, is_ours| NoteFault { code, message: "No.".into(), next: None, is_ours };
        match *name {
            "broken" => Err(fault("bug", true)),
            _ if !rights.contains(&tool.right()) => Err(fault("no_right", false)),
            _ => Ok(NoteReply::Saved(Saved {
                id: "1".into(),
                title: "T".into(),
                conflict_copy: None,
            })),
        }
    }
}

struct Tester {
    door: VaultDoor<Double>,
    double: Double,
}

impl Tester {
    fn new() -> Self {
        let double = Double::default();
        let options = HttpOptions {
            hosts: vec!["localhost:1".to_owned()],
            origins: Vec::new(),
            body_bytes_max: 1 << 20,
            sessions: SessionLimits::default(),
            stop: CancellationToken::new(),
        };
        Self { door: vault_service(double.clone(), options), double }
    }

    async fn send(&self, who: &(&'static str, Vec<Right>), message: Value) -> (u16, Value) {
        let request = Request::post("http://localhost:1/mcp")
            .header("host", "localhost:1")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2025-11-25")
            .body(Bytes::from(message.to_string()))
            .unwrap();
        let response = self.door.handle(who.clone(), request).await;
        let (status, session) =
            (response.status().as_u16(), response.headers().contains_key("mcp-session-id"));
        assert!(!session, "nothing is between two messages");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn call(&self, who: &(&'static str, Vec<Right>), tool: &str, arguments: Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let (status, answer) = self.send(who, message).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }
}

#[tokio::test]
async fn each_message_is_of_whoever_its_token_is_of() {
    let tester = Tester::new();
    let (reader, writer) = (("a", vec![Right::Read]), ("b", vec![Right::Read, Right::Write]));
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let (_, listed) = tester.send(&reader, list.clone()).await;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 4, "{listed}");
    let (_, listed) = tester.send(&writer, list).await;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 6);

    let saved = tester.call(&writer, "save_note", json!({ "title": "T" })).await;
    assert_eq!(saved["result"]["structuredContent"], json!({ "id": "1", "title": "T" }));
    let refused = tester.call(&reader, "save_note", json!({ "title": "T" })).await;
    assert_eq!(refused["result"]["isError"], true);
    assert_eq!(refused["result"]["structuredContent"]["code"], "no_right");
    let bad = tester.call(&writer, "save_note", json!({ "titel": "secret words" })).await;
    assert_eq!(bad["result"]["structuredContent"]["code"], "invalid_arguments");
    assert!(!bad.to_string().contains("secret words") && !bad.to_string().contains("titel"));
    let broken = tester.call(&("broken", vec![Right::Read]), "list_notes", json!({})).await;
    assert_eq!(broken["error"]["code"], -32603, "what was not written down is no answer");
    let unknown = tester.call(&writer, "erase_note", json!({})).await;
    assert_eq!(unknown["error"]["code"], -32602);
    let called = tester.double.0.lock().unwrap().clone();
    let called: Vec<_> = called.iter().map(|(who, tool)| (who.as_str(), *tool)).collect();
    assert_eq!(called, [("b", "save_note"), ("a", "save_note"), ("broken", "list_notes")]);
}
