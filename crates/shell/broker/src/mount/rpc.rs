//! Messages of JSON-RPC 2.0, as MCP has them: one object, never a batch.

use serde_json::{Map, Value, json};
use symbolon_codec::json::parse_bounded;

use super::error::MountFault;

/// A message from a server.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// What came of a request of ours.
    Answer { id: u64, outcome: Outcome },
    /// A request of the server's own, with its id as it came.
    Request { id: Value, method: String },
    /// A notification.
    Notice { method: String },
    /// An error without an id: of something that the server could not read. What it was of is not known.
    Unread,
}

/// A result, or an error with its code and message.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    Result(Map<String, Value>),
    Error { code: i64, error: Value },
}

impl Message {
    /// Reads one message of at most `bytes_max` bytes.
    pub(super) fn read(bytes: &[u8], bytes_max: usize) -> Result<Self, MountFault> {
        let bad = MountFault::Malformed;
        let value = parse_bounded(bytes, bytes_max, DEPTH_MAX)
            .map_err(|_| bad("a message is not JSON, names a member twice, or is too deep"))?;
        let Value::Object(mut members) = value else { return Err(bad("a message is no object")) };
        if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return Err(bad("a message is not of JSON-RPC 2.0"));
        }
        let method = match members.remove("method") {
            Some(Value::String(method)) if method.len() <= METHOD_BYTES_MAX => Some(method),
            None => None,
            Some(_) => return Err(bad("a method is no short text")),
        };
        match (method, members.remove("id")) {
            (Some(method), None) => Ok(Self::Notice { method }),
            (Some(method), Some(id)) if is_id(&id) => Ok(Self::Request { id, method }),
            (None, None | Some(Value::Null))
                if members.get("error").is_some_and(Value::is_object) =>
            {
                match members.contains_key("result") {
                    true => Err(bad("an answer has one of result and error")),
                    false => Ok(Self::Unread),
                }
            }
            (None, Some(id)) => {
                let id = id.as_u64().ok_or(bad("an answer has an id that was never sent"))?;
                let outcome = match (members.remove("result"), members.remove("error")) {
                    (Some(Value::Object(result)), None) => Outcome::Result(result),
                    (None, Some(error)) => {
                        let code = error.get("code").and_then(Value::as_i64).unwrap_or(0);
                        Outcome::Error { code, error }
                    }
                    _ => return Err(bad("an answer has one of result and error")),
                };
                Ok(Self::Answer { id, outcome })
            }
            _ => Err(bad("a message is neither request, answer nor notification")),
        }
    }
}

/// What is said to a request of the server's own: sampling, elicitation and roots are not offered,
/// and a ping is answered.
pub(super) fn reply_to(id: &Value, method: &str) -> Vec<u8> {
    let message = match method {
        "ping" => json!({"jsonrpc": "2.0", "id": id, "result": {}}),
        _ => {
            let error = json!({"code": METHOD_NOT_FOUND, "message": "method not found"});
            json!({"jsonrpc": "2.0", "id": id, "error": error})
        }
    };
    message.to_string().into_bytes()
}

/// A request of ours.
pub(super) fn request(id: u64, method: &str, params: Value) -> Vec<u8> {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string().into_bytes()
}

/// A notification of ours.
pub(super) fn notice(method: &str, params: Value) -> Vec<u8> {
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string().into_bytes()
}

fn is_id(id: &Value) -> bool {
    match id {
        Value::String(text) => text.len() <= ID_BYTES_MAX,
        Value::Number(number) => number.is_u64() || number.is_i64(),
        _ => false,
    }
}

const METHOD_NOT_FOUND: i64 = -32601;
const DEPTH_MAX: usize = 96;
const METHOD_BYTES_MAX: usize = 128;
const ID_BYTES_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Message, MountFault> {
        Message::read(text.as_bytes(), 1000)
    }

    #[test]
    fn each_kind_of_message_is_told_from_the_others() {
        let answer = read(r#"{"jsonrpc":"2.0","id":3,"result":{"a":1}}"#).unwrap();
        assert!(
            matches!(answer, Message::Answer { id: 3, outcome: Outcome::Result(r) } if r["a"] == 1)
        );
        let refused = read(r#"{"jsonrpc":"2.0","id":4,"error":{"code":-32602,"message":"no"}}"#);
        assert!(matches!(
            refused,
            Ok(Message::Answer { id: 4, outcome: Outcome::Error { code: -32602, .. } })
        ));
        let asked = read(r#"{"jsonrpc":"2.0","id":"x","method":"roots/list"}"#).unwrap();
        assert_eq!(asked, Message::Request { id: "x".into(), method: "roots/list".into() });
        let told = read(r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#);
        assert_eq!(told, Ok(Message::Notice { method: "notifications/progress".into() }));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bad in [
            "",
            "[]",
            "1",
            "{}",
            r#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#,
            r#"{"jsonrpc":"1.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":2,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":-1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":"1","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":7}"#,
            r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
            r#"{"jsonrpc":"2.0","error":7}"#,
            r#"{"jsonrpc":"2.0","error":{"code":1},"result":{}}"#,
        ] {
            assert!(matches!(read(bad), Err(MountFault::Malformed(_))), "{bad}");
        }
        let deep =
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{}1{}}}"#, "[".repeat(99), "]".repeat(99));
        assert!(read(&deep).is_err());
        let long = format!(r#"{{"jsonrpc":"2.0","method":"{}"}}"#, "m".repeat(2000));
        assert!(read(&long).is_err());
    }

    #[test]
    fn an_error_of_nothing_that_is_known_is_a_message_too() {
        for text in [
            r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"the line is not JSON"}}"#,
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}"#,
        ] {
            assert_eq!(read(text), Ok(Message::Unread), "{text}");
        }
    }

    #[test]
    fn nothing_is_offered_to_a_server() {
        for method in ["sampling/createMessage", "elicitation/create", "roots/list", "x"] {
            let reply: Value = serde_json::from_slice(&reply_to(&"7".into(), method)).unwrap();
            assert_eq!((&reply["id"], &reply["error"]["code"]), (&"7".into(), &(-32601).into()));
        }
        let pong: Value = serde_json::from_slice(&reply_to(&9.into(), "ping")).unwrap();
        assert_eq!(pong, json!({"jsonrpc": "2.0", "id": 9, "result": {}}));
    }
}
