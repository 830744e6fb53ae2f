//! The tools that are always there: search, describe, call, and a token in two steps; and one that
//! hands on a part of what was granted, where that may be.

use std::sync::{Arc, LazyLock};

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use symbolon_broker::{CallError, CallRequest, Context, Fault};

use crate::{calls::Calls, listing::object, render::Answer, room::Held, seat::Seat};

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// `symbolon.search_tools`
    Search,
    /// `symbolon.describe_tool`
    Describe,
    /// `symbolon.call_tool`
    Call,
    /// `capability.request`
    Request,
    /// `capability.redeem`
    Redeem,
    /// `symbolon.delegate`
    Delegate,
}

impl Own {
    /// By the name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|own| own.name() == name)
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Search => "symbolon.search_tools",
            Self::Describe => "symbolon.describe_tool",
            Self::Call => "symbolon.call_tool",
            Self::Request => "capability.request",
            Self::Redeem => "capability.redeem",
            Self::Delegate => "symbolon.delegate",
        }
    }

    /// Runs it with the arguments as they came; with what the answer holds until it has left.
    ///
    /// # Errors
    /// `invalid_arguments` where they have another shape; else the broker's.
    pub async fn run<C: Calls>(
        self,
        seat: &Seat<C>,
        arguments: JsonObject,
    ) -> Result<(Answer, Option<Held>), CallError> {
        match self {
            Self::Search => {
                let Search { query, limit } = self.parse(arguments)?;
                let limit = limit.unwrap_or(SEARCH_LIMIT).clamp(1, SEARCH_LIMIT_MAX);
                let found = seat.calls().search_tools(seat.session(), &query, limit);
                Ok((Answer::Found(found), None))
            }
            Self::Describe => {
                let Describe { tool } = self.parse(arguments)?;
                let view = seat.calls().describe_tool(seat.session(), &tool)?;
                Ok((Answer::Described(Box::new(view)), None))
            }
            Self::Call => {
                let request = Self::wanted(arguments)?;
                let (reply, held) = seat.call(Context::Direct, request).await?;
                Ok((Answer::Called(reply), Some(held)))
            }
            Self::Request => {
                let request = self.parse::<Wanted>(arguments)?.into();
                Ok((Answer::Token(seat.request(&Context::Direct, request)?), None))
            }
            Self::Redeem => {
                let Redeem { token } = self.parse(arguments)?;
                let (reply, held) = seat.redeem(Context::Direct, token).await?;
                Ok((Answer::Called(reply), Some(held)))
            }
            Self::Delegate => {
                let made = seat.delegate(self.parse(arguments)?).await?;
                Ok((Answer::Delegated(Box::new(made)), None))
            }
        }
    }

    /// The call that the arguments of `symbolon.call_tool` are for.
    ///
    /// # Errors
    /// `invalid_arguments`.
    pub fn wanted(arguments: JsonObject) -> Result<CallRequest, CallError> {
        Ok(Self::Call.parse::<Wanted>(arguments)?.into())
    }

    fn parse<T: for<'a> Deserialize<'a>>(self, arguments: JsonObject) -> Result<T, CallError> {
        serde_json::from_value(Value::Object(arguments)).map_err(|cause| CallError {
            code: "invalid_arguments".into(),
            // serde names the field and the type it wanted, and quotes a wrong scalar; a token is a string
            // where one is wanted, so it is never quoted.
            message: format!("{} did not understand its arguments: {cause}.", self.name()),
            next: Some("Compare the arguments with the tool's input schema.".into()),
            fault: Fault::Caller,
            http_status: 422,
            receipt: None,
            retry_after_seconds: None,
        })
    }

    fn tool(self, left_out: usize) -> Tool {
        let texts = match self {
            Self::Search => (
                "Find tools",
                "Finds tools by what they do, over the whole catalogue. `granted` says which can be called now, `usage` how: its arguments, those with ? optional.",
            ),
            Self::Describe => ("Describe a tool", "Gives one tool's description and JSON Schemas."),
            Self::Call => (
                "Call a tool",
                "Calls a tool by name, listed here or found by search. The credential is added by the broker; a refusal says which command grants the call.",
            ),
            Self::Request => (
                "Ask for a token",
                "First of two steps: checks one exact call and gives a single-use token for it, good for seconds in this session.",
            ),
            Self::Redeem => {
                ("Use a token", "Second of two steps: makes the call that the token is for, once.")
            }
            Self::Delegate => (
                "Hand on a part of a grant",
                "Grants a sub-agent of yours a part of what you were granted: never more, nor longer, out of the same budgets. It ends with your grant. Gives the sub-agent's name and, once, its key for HTTP.",
            ),
        };
        let (title, mut description) = (texts.0, texts.1.to_owned());
        if self == Self::Search && left_out > 0 {
            description.push_str(&format!(
                " {left_out} more granted tools are not in this list: find them here, then use symbolon.call_tool."
            ));
        }
        let hints = ToolAnnotations::new();
        let hints = match self {
            Self::Search | Self::Describe => {
                hints.read_only(true).destructive(false).idempotent(true).open_world(false)
            }
            Self::Request | Self::Delegate => {
                hints.read_only(false).destructive(false).idempotent(false).open_world(false)
            }
            Self::Call | Self::Redeem => {
                hints.read_only(false).destructive(true).idempotent(false).open_world(true)
            }
        };
        let schemas = &SCHEMAS[self as usize];
        Tool::new(self.name(), description, schemas.0.clone())
            .with_title(title)
            .with_annotations(hints)
            .with_raw_output_schema(schemas.1.clone())
    }
}

/// All of them, `left_out` of the granted ones being found by search alone. `delegates`: whether this
/// agent may hand on anything.
pub fn tools(left_out: usize, delegates: bool) -> Vec<Tool> {
    let shown = |own: &Own| delegates || *own != Own::Delegate;
    ALL.into_iter().filter(shown).map(|own| own.tool(left_out)).collect()
}

/// What every call answers: the reply, or in an error result the refusal.
///
/// The catalogue's schema is of the reply alone. Clients check error results too, so both shapes are admitted
/// here, and the catalogue's word on the body is taken over.
pub fn reply_schema(catalogue: Option<&Value>) -> Arc<JsonObject> {
    let Some(body) = catalogue.and_then(|schema| schema.pointer("/properties/body")) else {
        return REPLY.clone();
    };
    let mut schema = REPLY.as_ref().clone();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("body".into(), body.clone());
    }
    Arc::new(schema)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: String,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Describe {
    #[serde(alias = "name")]
    tool: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(alias = "name")]
    tool: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    connection: Option<String>,
    minted: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redeem {
    token: String,
}

impl From<Wanted> for CallRequest {
    fn from(wanted: Wanted) -> Self {
        let Wanted { tool, arguments, connection, minted } = wanted;
        Self { tool, arguments, connection, minted }
    }
}

const ALL: [Own; 6] =
    [Own::Search, Own::Describe, Own::Call, Own::Request, Own::Redeem, Own::Delegate];
const SEARCH_LIMIT: usize = 10;
const SEARCH_LIMIT_MAX: usize = 50;

static REPLY: LazyLock<Arc<JsonObject>> = LazyLock::new(|| {
    Arc::new(object(json!({
        "type": "object",
        "properties": {
            "status": { "type": "integer" },
            "headers": { "type": "array" },
            "body": {},
            "encoding": { "enum": ["json", "text", "base64", "none"] },
            "redactions": { "type": "integer" },
            "receipt": { "type": "integer" },
            "duration_ms": { "type": "integer" },
            "code": { "type": "string" },
            "message": { "type": "string" },
            "next": { "type": "string" }
        },
        "anyOf": [{ "required": ["status", "body", "receipt"] }, { "required": ["code", "message"] }]
    })))
});

type Schemas = (Arc<JsonObject>, Arc<JsonObject>);

static SCHEMAS: LazyLock<[Schemas; 6]> = LazyLock::new(|| {
    let wanted = || {
        json!({
            "type": "object",
            "properties": {
                "tool": { "type": "string", "description": "The tool's full name." },
                "arguments": { "type": "object", "description": "Its parameters." },
                "connection": { "type": "string", "description": "Which connection, where several are granted." },
                "minted": { "type": "string", "description": "A placeholder (symmint_…) out of an answer, to be used in place of the connection's own credential." }
            },
            "required": ["tool"],
            "additionalProperties": false
        })
    };
    let one = |name: &str, says: &str| {
        json!({
            "type": "object",
            "properties": { name: { "type": "string", "description": says } },
            "required": [name],
            "additionalProperties": false
        })
    };
    let search = json!({
        "type": "object",
        "properties": {
            "query": { "type": "string", "description": "A few words, such as \"create issue\"." },
            "limit": { "type": "integer", "minimum": 1, "maximum": SEARCH_LIMIT_MAX, "default": SEARCH_LIMIT }
        },
        "required": ["query"],
        "additionalProperties": false
    });
    let or_error = |properties: Value, required: &str| {
        let mut properties = object(properties);
        for name in ["code", "message", "next"] {
            properties.insert(name.into(), json!({ "type": "string" }));
        }
        json!({
            "type": "object",
            "properties": properties,
            "anyOf": [{ "required": [required] }, { "required": ["code", "message"] }]
        })
    };
    let found =
        or_error(json!({ "tools": { "type": "array", "items": { "type": "object" } } }), "tools");
    let described = or_error(
        json!({
            "name": { "type": "string" }, "title": { "type": "string" },
            "description": { "type": "string" }, "scope": { "type": "string" },
            "effect": { "enum": ["read", "write", "destructive"] },
            "granted": { "type": "boolean" }, "usage": { "type": "string" },
            "input_schema": { "type": "object" }, "output_schema": { "type": "object" }
        }),
        "name",
    );
    let token = or_error(
        json!({
            "token": { "type": "string" },
            "expires_in_seconds": { "type": "integer" },
            "will": { "type": "string" }
        }),
        "token",
    );
    let delegated = or_error(
        json!({
            "agent": { "type": "string" },
            "grant": { "type": "object" },
            "key": { "type": "string" }
        }),
        "agent",
    );
    let pair = |input: Value, output: Value| (Arc::new(object(input)), Arc::new(object(output)));
    [
        pair(search, found),
        pair(one("tool", "The tool's full name."), described),
        (Arc::new(object(wanted())), REPLY.clone()),
        pair(wanted(), token),
        (Arc::new(object(one("token", "The token, as it was given."))), REPLY.clone()),
        pair(delegation(), delegated),
    ]
});

fn delegation() -> Value {
    let list =
        |says: &str| json!({ "type": "array", "items": { "type": "string" }, "description": says });
    json!({
        "type": "object",
        "properties": {
            "to": { "type": "string", "description": "The sub-agent's name within yours: tests, for you.tests." },
            "scopes": list("Scopes of one of your grants, such as github.issues.read."),
            "for": { "type": "string", "description": "How long, such as 15m; as long as your grant where absent." },
            "under": { "type": "integer", "minimum": 1, "description": "Which of your grants, by number." },
            "limits": list("Limits on parameters, such as owner=acme."),
            "ask": list("Which calls wait for the owner, beside those that do already: write, always, first-use."),
            "budgets": list("What it may use up at most, such as 20 calls/hour."),
            "cooldown_seconds": { "type": "integer", "minimum": 1 },
            "hours": list("When it is good, such as mon-fri 09:00-17:00."),
            "depth": { "type": "integer", "minimum": 0, "maximum": 6, "description": "How many levels it may hand on itself; 0 where absent." },
            "new_key": { "type": "boolean", "description": "Make a key also where it has one; that one ends." }
        },
        "required": ["to", "scopes"],
        "additionalProperties": false
    })
}
