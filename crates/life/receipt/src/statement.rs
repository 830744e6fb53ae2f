//! The statement: what is said about one call (`specs/receipt.md`).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use symbolon_codec::{Digest32, json};
use symbolon_log::{Durability, Durable};

use crate::check::{StatementError, check};
use crate::time::Time;

/// What happened in one call. Borrowed while it is made, owned when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'a> {
    /// The request's salted digest ([`crate::Salt::request`]).
    pub request: Digest32,
    /// All the rest.
    pub predicate: Predicate<'a>,
}

/// The predicate of type `https://symbolon.dev/receipt/v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predicate<'a> {
    /// Name of the agent that asked.
    pub agent: Cow<'a, str>,
    /// Digest of its session.
    pub session: Digest32,
    /// How it came in.
    pub door: Door,
    /// Execution context: `direct`, or a workflow's step.
    pub context: Cow<'a, str>,
    /// The operation, such as `github.issues.list`.
    pub tool: Cow<'a, str>,
    /// The service.
    pub service: Cow<'a, str>,
    /// Name of the connection whose credential was used.
    pub connection: Cow<'a, str>,
    /// HTTP method.
    pub method: Cow<'a, str>,
    /// Host of the connection.
    pub host: Cow<'a, str>,
    /// The path with its parameters' names, never their values.
    pub path_template: Cow<'a, str>,
    /// Salted digest of the parameters ([`crate::Salt::parameters`]).
    pub parameters: Digest32,
    /// What was decided, and by which gates.
    pub decision: Decision<'a>,
    /// Numbers of the grants that the call stands on, the root first, the one that let it through
    /// last. Absent where that one is under no other.
    #[serde(default, skip_serializing_if = "<[u64]>::is_empty")]
    pub lineage: Cow<'a, [u64]>,
    /// What a person was asked, and what came of it. Absent where no rule wanted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval<'a>>,
    /// The intent that was durable before the credential was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<IntentRef>,
    /// How often the request was tried again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: u8,
    /// The idempotency key that the broker added: a UUID made of the intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<Cow<'a, str>>,
    /// Credentials that the service made in this call, or that went out in place of the connection's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minted: Option<Minted<'a>>,
    /// What is known of the request's body only since it left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_body: Option<RequestBody>,
    /// What came back, in numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Response<'a>>,
    /// A code, if the call failed after the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Cow<'a, str>>,
    /// When.
    pub times: Times,
    /// What the intent survived when the credential was released.
    pub durability: Durability,
}

/// The way a call came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// An MCP client.
    Mcp,
    /// The JSON API or the gateway.
    Http,
    /// The command line.
    Cli,
    /// The HTTPS proxy of a run.
    Proxy,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision<'a> {
    /// Allowed, refused or shadowed.
    pub outcome: Outcome,
    /// Every gate that was asked, in order.
    pub gates: Vec<Gate<'a>>,
}

/// Allowed, refused, or let through in shadow mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Every gate held.
    Allowed,
    /// A gate did not hold.
    Refused,
    /// A gate did not hold, and the owner had it passed over: the call was let through.
    Shadowed,
}

/// One gate's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gate<'a> {
    /// Which: `scope`, `rate`, `ttl`, `fingerprint`, or a policy.
    pub gate: Cow<'a, str>,
    /// Whether it held.
    pub held: bool,
    /// Why, without any value: at most 256 bytes.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub detail: Cow<'a, str>,
}

/// A person's answer to the question whether this call may be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval<'a> {
    /// The question's place in the same log, which is its number.
    pub number: u64,
    /// What came of it.
    pub outcome: ApprovalOutcome,
    /// Who answered: `owner` or `client`. Absent where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// Which way: `cli`, `http` or `mcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Cow<'a, str>>,
    /// A yes' place in the same log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<u64>,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalOutcome {
    /// Yes, to this very request.
    Approved,
    /// Yes, to an earlier request, for a while.
    Remembered,
    /// No.
    Denied,
    /// Nobody answered in time, or nobody came for the answer.
    Expired,
    /// The caller went away.
    Withdrawn,
    /// The vault was locked.
    Locked,
    /// The broker was stopped.
    Stopped,
    /// The grant whose rule asked ended.
    Ended,
}

/// An entry of the same log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntentRef {
    /// Its place.
    pub index: u64,
    /// Its hash.
    pub leaf_hash: Digest32,
}

impl From<&Durable> for IntentRef {
    fn from(durable: &Durable) -> Self {
        Self { index: durable.index(), leaf_hash: *durable.leaf_hash() }
    }
}

/// Minted credentials, by id: 16 hexadecimal digits each (`specs/minted.md`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minted<'a> {
    /// Those that the answer held and that were sealed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Cow<'a, str>>,
    /// The one that went out in place of the connection's credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Cow<'a, str>>,
}

/// A request body that was sent on as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    /// How many bytes the program gave; of a call that failed, not all of them need have left.
    pub bytes: u64,
    /// Salted digest of them ([`crate::Salt::body`]); absent where they have no end of their own
    /// (a tunnel).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest32>,
}

/// What came back, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response<'a> {
    /// HTTP status.
    pub status: u16,
    /// Body bytes received from the service.
    pub bytes_in: u64,
    /// Body bytes handed on.
    pub bytes_out: u64,
    /// Redirects that were followed, each with the credential, at the same origin.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub redirects: u8,
    /// The status of a gRPC call, of 0 to 99, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc_status: Option<u8>,
    /// As [`media_type`] gives it.
    pub content_type: Cow<'a, str>,
    /// How the body was searched, where that was not decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched: Option<Searched>,
    /// Where the credential was found in the response and taken out.
    pub redactions: Vec<Redaction<'a>>,
}

/// How a body was searched for the credential, other than decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Searched {
    /// As it came, in a coding that cannot be undone: what is in it under the coding was not seen.
    Raw,
}

/// Findings of one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redaction<'a> {
    /// Form of the secret, such as `raw` or `base64`.
    pub form: Cow<'a, str>,
    /// How often.
    pub count: u64,
}

/// When things happened, by the broker's calendar clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// The call came in.
    pub requested: Time,
    /// The credential was released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Time>,
    /// The call was over.
    pub completed: Time,
}

fn is_zero(count: &u8) -> bool {
    *count == 0
}

const TYPE: &str = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE: &str = "https://symbolon.dev/receipt/v1";
const SUBJECT: &str = "request";
/// Deepest nesting of a statement: predicate, decision, gates, gate.
const DEPTH_MAX: usize = 8;
/// Longest statement: an entry of the log.
pub(crate) const STATEMENT_BYTES_MAX: usize = 65_535;

/// The in-toto statement as JSON has it.
#[derive(Serialize)]
struct Out<'a> {
    _type: &'static str,
    subject: [Subject<'static>; 1],
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: &'a Predicate<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    _type: String,
    subject: [Subject<'static>; 1],
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate<'static>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject<'a> {
    name: Cow<'a, str>,
    digest: Sha256Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sha256Digest {
    sha256: Digest32,
}

impl Statement<'_> {
    /// Writes the statement as compact JSON, in place of what `out` held: the log's entry and the
    /// envelope's payload. The buffer is used again and again, so that nothing grows.
    ///
    /// # Errors
    /// [`StatementError`] where a field is out of its bounds or contradicts another; `out` is
    /// empty then.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), StatementError> {
        out.clear();
        check(&self.predicate)?;
        let whole = Out {
            _type: TYPE,
            subject: [Subject {
                name: Cow::Borrowed(SUBJECT),
                digest: Sha256Digest { sha256: self.request },
            }],
            predicate_type: PREDICATE_TYPE,
            predicate: &self.predicate,
        };
        let written = serde_json::to_writer(&mut *out, &whole);
        if written.is_err() || out.len() > STATEMENT_BYTES_MAX {
            out.clear();
            return Err(StatementError::Field("the whole statement"));
        }
        Ok(())
    }

    /// Reads a statement of this version.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn parse(payload: &[u8]) -> Result<Statement<'static>, StatementError> {
        let value = json::parse_bounded(payload, STATEMENT_BYTES_MAX, DEPTH_MAX)?;
        let kind = |name: &str| value.get(name).and_then(|v| v.as_str());
        if kind("_type") != Some(TYPE) || kind("predicateType") != Some(PREDICATE_TYPE) {
            return Err(StatementError::Type);
        }
        let read: In =
            serde_json::from_value(value).map_err(|e| StatementError::Form(e.to_string()))?;
        debug_assert_eq!((&*read._type, &*read.predicate_type), (TYPE, PREDICATE_TYPE));
        let [subject] = read.subject;
        if subject.name != SUBJECT {
            return Err(StatementError::Field("subject"));
        }
        check(&read.predicate)?;
        Ok(Statement { request: subject.digest.sha256, predicate: read.predicate })
    }
}

/// A `Content-Type` as a statement may have it: `type/subtype` in lower case without parameters,
/// or `other` for what is not plain. The header comes from outside and could carry anything.
pub fn media_type(header: &str) -> Cow<'_, str> {
    let plain = header.split(';').next().unwrap_or_default().trim();
    let token = |t: &str| {
        !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    // What is registered is short; a long one is somebody's message.
    let fits =
        plain.len() <= 80 && plain.split_once('/').is_some_and(|(a, b)| token(a) && token(b));
    match fits {
        false => Cow::Borrowed("other"),
        true if plain.bytes().any(|b| b.is_ascii_uppercase()) => plain.to_ascii_lowercase().into(),
        true => Cow::Borrowed(plain),
    }
}
