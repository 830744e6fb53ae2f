//! What a server's word is as an answer.

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};
use symbolon_connector::redact::Counts;

use super::rpc::Outcome;
use super::session::Listing;
use crate::upstream::{Answer, ToolOutcome};
use crate::wire::Spent;

/// What a server said of a call. A tool's own error is a good answer of the server; the receipt says
/// what it is.
pub(super) fn answer(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Result(result) => {
            let tool = match result.get("isError") {
                Some(Value::Bool(true)) => ToolOutcome::Failed,
                _ => ToolOutcome::Done,
            };
            Answer { tool: Some(tool), ..json_answer(&Value::Object(result)) }
        }
        Outcome::Error { error, .. } => Answer {
            tool: Some(ToolOutcome::Refused),
            ..json_answer(&json!({ "isError": true, "error": error }))
        },
    }
}

/// What the list is: for an agent a number, for the words in it are nobody's that it may trust.
pub(super) fn listed(listing: &Listing, is_check: bool) -> Answer {
    match is_check {
        true => Answer { body: Bytes::from(listing.text.clone()), ..json_answer(&Value::Null) },
        false => json_answer(&json!({ "tools": listing.definitions.len() })),
    }
}

fn json_answer(value: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Answer {
        status: 200,
        headers,
        body: value.to_string().into(),
        bytes_out: 0,
        bytes_in: 0,
        redirects: 0,
        searched: None,
        redactions: Counts::default(),
        tool: None,
        spent: Spent::default(),
    }
}
