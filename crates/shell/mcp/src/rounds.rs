//! Calls that wait for a person, over several rounds: `input_required` of revision 2026-07-28.
//!
//! The client is handed a sealed state and makes the same call again with it. The first round answers
//! at once, so that whoever is at the client is told; the later ones stay on the line for a while.

use std::{collections::BTreeMap, time::Duration};

use rmcp::{
    RoleServer,
    model::{InputRequest, InputRequiredResult, InputResponses, MetaObject},
    service::RequestContext,
};
use serde_json::{Value, json};
use symbolon_broker::{Asking, CallError, CallRequest, Context, PendingCall};

use crate::{
    calls::Calls,
    render::Answer,
    room::Held,
    seat::{Seat, Turn},
};

/// What came of a call.
pub(crate) enum Ran {
    /// It was made.
    Answer(Answer, Option<Held>),
    /// A person is asked.
    Asked(InputRequiredResult),
}

/// A client that can come again.
pub(crate) struct Rounds {
    state: Option<String>,
    said: Option<bool>,
    /// Whether the client can put a form before its person.
    shows_forms: bool,
}

impl Rounds {
    /// `None` where the client's revision has no rounds: it waits on the line.
    pub(crate) fn of(
        context: &RequestContext<RoleServer>,
        state: Option<String>,
        responses: Option<InputResponses>,
    ) -> Option<Self> {
        if context.protocol_version().is_none_or(|version| version.has_initialize()) {
            return None;
        }
        let elicitation = context.meta.client_capabilities().and_then(|c| c.elicitation);
        // A client that names no form has forms: they came first.
        let shows_forms = elicitation.is_some_and(|e| e.form.is_some() || e.url.is_none());
        let said = responses.as_ref().and_then(|all| all.get(ANSWER)).map(is_yes);
        Some(Self { state, said, shows_forms })
    }

    /// Makes the call, or asks.
    pub(crate) async fn call<C: Calls>(
        self,
        seat: &Seat<C>,
        request: CallRequest,
    ) -> Result<Ran, CallError> {
        let is_first = self.state.is_none();
        let asking = Asking { state: self.state, stays: false, client: self.said };
        let pending = match seat.call_asking(Context::Direct, request, asking).await? {
            Turn::Done(reply, held) => return Ok(Ran::Answer(Answer::Called(reply), Some(held))),
            Turn::Asked(pending) => *pending,
        };
        if is_first {
            return Ok(Ran::Asked(question(&pending, self.shows_forms)));
        }
        seat.calls().until_answered(pending.number, Some(ON_THE_LINE)).await;
        let again = Asking { state: Some(pending.state), stays: false, client: None };
        match seat.call_asking(Context::Direct, pending.request, again).await? {
            Turn::Done(reply, held) => Ok(Ran::Answer(Answer::Called(reply), Some(held))),
            Turn::Asked(pending) => Ok(Ran::Asked(question(&pending, self.shows_forms))),
        }
    }
}

/// What the client is handed: the state, what is asked, and where the owner answers.
fn question(pending: &PendingCall, shows_forms: bool) -> InputRequiredResult {
    let form = if shows_forms { form(pending) } else { None };
    let requests = form.map(|form| BTreeMap::from([(ANSWER.to_owned(), form)]));
    let mut meta = MetaObject::default();
    meta.0.insert(
        META.to_owned(),
        json!({
            "number": pending.number,
            "sentence": pending.sentence,
            "expires_in_seconds": pending.expires_in_seconds,
            "next": pending.next,
        }),
    );
    InputRequiredResult::new(requests, Some(pending.state.clone())).with_meta(meta)
}

/// Where the grant lets the person at the client answer, they are asked; elsewhere they are told where
/// the owner does, and what they say is not heard.
fn form(pending: &PendingCall) -> Option<InputRequest> {
    let (number, sentence, next) = (pending.number, &pending.sentence, &pending.next);
    let (message, title) = if pending.client_answers {
        (format!("{sentence}. Approve it? (question {number})"), "Approve this call")
    } else {
        (format!("{sentence}. The owner approves it with: {next}. Go on once they have."), "Go on")
    };
    let schema = json!({
        "type": "object",
        "properties": { YES: { "type": "boolean", "title": title, "default": false } },
        "required": [YES],
    });
    let request = json!({
        "method": "elicitation/create",
        "params": { "mode": "form", "message": message, "requestedSchema": schema },
    });
    serde_json::from_value(request).ok()
}

/// Accepted, and the box ticked; anything else is a no.
fn is_yes(response: &Value) -> bool {
    response.get("action").and_then(Value::as_str) == Some("accept")
        && response.pointer("/content/approve").and_then(Value::as_bool) == Some(true)
}

/// The name of the one request, and of its answer.
const ANSWER: &str = "approval";
const YES: &str = "approve";
const META: &str = "symbolon.dev/approval";
/// How long a client that came again is kept on the line: below the time that clients give a request.
const ON_THE_LINE: Duration = Duration::from_secs(25);

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(client_answers: bool) -> PendingCall {
        PendingCall {
            number: 7,
            state: "sealed".into(),
            sentence: "claude asks to delete a thing".into(),
            expires_in_seconds: 600,
            next: "symbolon approve 7".into(),
            client_answers,
            request: CallRequest {
                tool: "a.b".into(),
                arguments: serde_json::Map::new(),
                connection: None,
                minted: None,
            },
        }
    }

    #[test]
    fn a_question_says_what_is_asked_and_where_it_is_answered() {
        let plain = serde_json::to_value(question(&pending(false), false)).unwrap();
        assert_eq!(plain["resultType"], "input_required");
        assert_eq!(plain["requestState"], "sealed");
        assert!(plain.get("inputRequests").is_none());
        assert_eq!(plain["_meta"][META]["next"], "symbolon approve 7");
        let form = serde_json::to_value(question(&pending(false), true)).unwrap();
        let request = &form["inputRequests"][ANSWER];
        assert_eq!(request["method"], "elicitation/create");
        assert!(request["params"]["message"].as_str().unwrap().contains("symbolon approve 7"));
        let asked = serde_json::to_value(question(&pending(true), true)).unwrap();
        let message = &asked["inputRequests"][ANSWER]["params"]["message"];
        assert!(message.as_str().unwrap().ends_with("Approve it? (question 7)"));
        let shape = &asked["inputRequests"][ANSWER]["params"]["requestedSchema"];
        assert_eq!(shape["properties"][YES]["type"], "boolean", "{shape}");
    }

    #[test]
    fn only_a_ticked_box_is_a_yes() {
        let yes = json!({"action": "accept", "content": {"approve": true}});
        assert!(is_yes(&yes));
        for no in [
            json!({"action": "accept", "content": {"approve": false}}),
            json!({"action": "accept", "content": {"approve": "true"}}),
            json!({"action": "accept"}),
            json!({"action": "decline", "content": {"approve": true}}),
            json!(true),
            json!({}),
        ] {
            assert!(!is_yes(&no), "{no}");
        }
    }
}
