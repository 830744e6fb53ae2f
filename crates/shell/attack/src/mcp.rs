//! Messages of MCP over HTTP: a case names a method and parameters, the rest is the transport's.

use serde_json::Value;

use crate::case::Step;

/// The request that says `method` with the step's body as its parameters.
pub(crate) fn spoken(method: &str, step: &Step) -> Step {
    let params = step.body.as_deref().unwrap_or("{}");
    let has_session = step.headers.iter().any(|(name, _)| name == SESSION);
    let is_old = has_session || method == "initialize";
    let mut headers = step.headers.clone();
    let mut set = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
    set("accept", "application/json, text/event-stream");
    if has_session {
        set("mcp-protocol-version", OLD);
    } else if !is_old {
        set("mcp-protocol-version", NEW);
        set("mcp-method", method);
        // Words of the case stand in values alone, so that the parameters are JSON before them.
        let parsed: Option<Value> = serde_json::from_str(params).ok();
        if let Some(name) = parsed.as_ref().and_then(|p| p["name"].as_str()) {
            set("mcp-name", name);
        }
    }
    let params = match params.trim().strip_prefix('{') {
        Some(rest) if !is_old => {
            let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
            format!("{{{META}{comma}{rest}")
        }
        _ => params.to_owned(),
    };
    // A notification has no number.
    let id = if method.starts_with("notifications/") { "" } else { "\"id\":1," };
    let body = format!("{{\"jsonrpc\":\"2.0\",{id}\"method\":\"{method}\",\"params\":{params}}}");
    Step {
        method: Some("POST".to_owned()),
        path: Some("/mcp".to_owned()),
        own: true,
        headers,
        body: Some(body),
        mcp: None,
        ..step.clone()
    }
}

/// Whether an answer, whole or as a stream of events, is an error of JSON-RPC or of a tool.
pub(crate) fn is_error(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let events = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let is_one = |message: &str| {
        serde_json::from_str::<Value>(message).is_ok_and(|message| {
            !message["error"].is_null() || message["result"]["isError"] == true
        })
    };
    is_one(&text) || events.map(str::trim).any(is_one)
}

const SESSION: &str = "mcp-session-id";
const OLD: &str = "2025-11-25";
const NEW: &str = "2026-07-28";
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"mallory","version":"0"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_json_whatever_its_parameters() {
        for (method, params, session) in [
            ("tools/call", Some(r#"{"name":"attack.ping","arguments":{}}"#), false),
            ("tools/list", None, false),
            ("tools/list", Some("{}"), true),
            ("notifications/initialized", None, true),
        ] {
            let mut step = Step { body: params.map(str::to_owned), ..Step::default() };
            if session {
                step.headers.push((SESSION.to_owned(), "${session}".to_owned()));
            }
            let spoken = spoken(method, &step);
            let body: Value = serde_json::from_str(spoken.body.as_deref().unwrap()).unwrap();
            assert_eq!(body["method"], method);
            assert_eq!(body["params"]["_meta"].is_null(), session, "{body}");
            assert_eq!(body["id"].is_null(), method.starts_with("notifications/"));
            let named = spoken.headers.iter().any(|(n, v)| n == "mcp-name" && v == "attack.ping");
            assert_eq!(named, method == "tools/call");
        }
    }

    #[test]
    fn errors_are_told_from_answers() {
        for error in [
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"no"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{"isError":true,"content":[]}}"#,
            "event: message\ndata: {\"id\":1,\"result\":{\"isError\":true}}\n\n",
        ] {
            assert!(is_error(error.as_bytes()), "{error}");
        }
        assert!(!is_error(br#"{"jsonrpc":"2.0","id":1,"result":{"isError":false}}"#));
        assert!(!is_error(b""));
    }
}
