//! What a client can ask, one variant for each method of the broker.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use symbolon_broker::{
    CallRequest, Context, Every, ExplainRequest, FlowDecision, FlowRequest, Method, NewConnection,
    NewGrant, NewMount, ReceiptFilter, ResolveRequest, SealedLayerKey, Yes,
};
use symbolon_codec::{Digest32, json};
use symbolon_container::deed::{Event, Place};
use symbolon_crypto::VerifyingKey;
use symbolon_proxy::NewRun;

use super::error::ControlError;
use super::frame::{JSON_BYTES_MAX, VERSION};

/// One request. What is secret travels beside it; see [`Op::takes_secret`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)] // each is the broker's method of the same name
pub enum Op {
    Status {},
    Unlock {
        method: Method,
    },
    /// `asked`: the owner said so just now; otherwise refused where the owner locked by hand.
    UnlockUnattended {
        asked: bool,
    },
    Lock {},
    /// Ends the broker; the connection stays open until it is gone.
    Stop {},
    Wraps {},
    AddWrap {
        method: Method,
    },
    RemoveWrap {
        id: String,
    },
    RotateWrap {
        id: String,
    },
    Connect {
        new: NewConnection,
    },
    /// The same without keeping it: it goes into a vault.
    TryConnection {
        new: NewConnection,
    },
    /// The account whose vault the broker takes connections from, while it is lent: 32 hex digits.
    TakeFrom {
        account: String,
    },
    /// Several at once, all or none; beside them their credentials, one behind the other.
    ConnectSeveral {
        new: Vec<NewConnection>,
        lengths: Vec<usize>,
    },
    /// A connection whose tokens the broker gets; a client secret stands beside it.
    OauthBegin {
        new: NewConnection,
    },
    /// Beside it the query of the redirect, for the code flow.
    OauthFinish {
        id: String,
    },
    ContainerKeys {},
    /// The seed of the node's key stands beside the answer.
    NodeEndpoint {},
    /// The key that checkpoints are anchored with on a chain stands beside the answer.
    AnchorKey {},
    /// Who this home is.
    Operator {},
    /// A revocation of this home's operator, to be kept apart.
    SignRevocation {
        since_ms: u64,
    },
    /// Another key becomes the operator's, and the broker ends; the connection stays open until it is gone.
    RotateOperator {},
    /// `revocation`: as its file has it.
    RevokeOperator {
        revocation: String,
    },
    ProveOperator {
        #[serde(default)]
        transcript: Option<Digest32>,
    },
    /// `component`: 128 hex digits.
    OpenExecution {
        component: String,
    },
    ProveExecution {
        key: VerifyingKey,
        transcript: Digest32,
    },
    /// Appends the transcript of a capsule's receipt to the log, and shows where it stands.
    LogCapsule {
        transcript: Digest32,
    },
    /// The same of one that was appended at this place.
    ProveCapsule {
        transcript: Digest32,
        index: u64,
    },
    /// How the log is divided.
    LogShards {},
    /// How long a shard is written to from now on, and whether one begins now.
    DivideLog {
        #[serde(default)]
        every: Option<Every>,
        #[serde(default)]
        now: bool,
    },
    /// Gives up the entries of a shard and of those before it.
    GiveUpShard {
        name: String,
    },
    SignContainer {
        digest: Digest32,
    },
    /// Out come the keys, one behind the other.
    OpenLayerKeys {
        keys: Vec<SealedLayerKey>,
    },
    TrustSigner {
        key: String,
        name: String,
    },
    TrustedSigners {},
    DistrustSigner {
        key: String,
    },
    SignDeedEvent {
        place: Place,
        event: Event,
    },
    Connections {},
    VerifyConnection {
        name: String,
    },
    Disconnect {
        name: String,
    },
    /// A credential stands beside it, where the server takes one.
    MountAdd {
        new: NewMount,
    },
    Mounts {},
    MountShow {
        name: String,
    },
    /// `accept`: the name of the list that was shown.
    MountRefresh {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        accept: Option<String>,
    },
    MountRemove {
        name: String,
    },
    Minted {},
    RevokeMinted {
        id: String,
    },
    Grant {
        new: NewGrant,
    },
    Grants {},
    Revoke {
        id: u64,
    },
    /// `keep`: also after a restart.
    SetShadow {
        on: bool,
        #[serde(default)]
        keep: bool,
    },
    Shadow {},
    ClearShadowed {},
    ReloadCatalog {},
    Resolve {
        request: ResolveRequest,
    },
    Explain {
        request: ExplainRequest,
    },
    AddAgent {
        name: String,
    },
    Agents {},
    RemoveAgent {
        name: String,
    },
    Call {
        agent: String,
        request: CallRequest,
        #[serde(default)]
        context: Context,
    },
    Request {
        agent: String,
        request: CallRequest,
        #[serde(default)]
        context: Context,
    },
    Redeem {
        agent: String,
        token: String,
        #[serde(default)]
        context: Context,
    },
    GrantedTools {
        agent: String,
    },
    SearchTools {
        agent: String,
        query: String,
        limit: usize,
    },
    DescribeTool {
        agent: String,
        name: String,
    },
    Approvals {},
    Approval {
        number: u64,
    },
    Approve {
        number: u64,
        #[serde(default)]
        yes: Yes,
    },
    Deny {
        number: u64,
        #[serde(default)]
        reason: Option<String>,
    },
    ForgetApproval {
        number: u64,
    },
    AddOwnerToken {},
    OwnerTokens {},
    RemoveOwnerToken {
        id: u64,
    },
    /// The code of the link stands beside the answer.
    PageLink {},
    FlowCheck {
        agent: String,
        definition: String,
    },
    FlowRun {
        request: FlowRequest,
    },
    /// Gives the secret of its webhook, where it is to have one.
    FlowAdd {
        agent: String,
        definition: String,
        #[serde(default)]
        replace: bool,
        #[serde(default)]
        hook: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cron: Option<String>,
    },
    FlowsStored {},
    FlowRemove {
        name: String,
    },
    FlowStart {
        name: String,
        #[serde(default)]
        inputs: serde_json::Map<String, Value>,
    },
    FlowRuns {
        #[serde(default)]
        limit: Option<u32>,
    },
    FlowShow {
        run: String,
    },
    /// Answers when something has happened, or after a while.
    FlowProgress {
        run: String,
        #[serde(default)]
        after: u64,
    },
    FlowResume {
        run: String,
        #[serde(default)]
        decisions: Vec<FlowDecision>,
    },
    FlowRollback {
        run: String,
        #[serde(default)]
        steps: Vec<String>,
    },
    FlowCancel {
        run: String,
    },
    Receipts {
        #[serde(default)]
        filter: ReceiptFilter,
    },
    Receipt {
        number: u64,
    },
    OperatorVkey {},
    Metrics {},
    /// Lasts until `run_close`, or until the connection ends.
    RunOpen {
        new: NewRun,
    },
    /// Ends the connection's run.
    RunClose {},
    /// With two descriptors: what to read the session from, and what to write it to.
    Mcp {
        agent: String,
    },
}

impl Op {
    /// The request's JSON, version first.
    pub(super) fn to_json(&self) -> Result<Vec<u8>, ControlError> {
        let versioned = Versioned { v: VERSION, op: self };
        let bytes = serde_json::to_vec(&versioned).map_err(|_| ControlError::Json)?;
        if bytes.len() > JSON_BYTES_MAX {
            return Err(ControlError::TooLong { part: "request", found: bytes.len() });
        }
        Ok(bytes)
    }

    /// Reads a request's JSON.
    ///
    /// # Errors
    /// [`ControlError::Json`] with what is wrong where it is not one of the operations,
    /// [`ControlError::Version`] where it is of another version (`status` and `stop` are the same
    /// in all).
    pub(super) fn from_json(bytes: &[u8]) -> Result<Self, ControlError> {
        let value = json::parse_bounded(bytes, JSON_BYTES_MAX, DEPTH_MAX)
            .map_err(|error| ControlError::Request(error.to_string()))?;
        let Value::Object(mut members) = value else { return Err(ControlError::Json) };
        let version = members.remove("v").and_then(|v| v.as_u64()).unwrap_or(0);
        let lasting = matches!(members.get("op").and_then(Value::as_str), Some("status" | "stop"));
        if version != u64::from(VERSION) && !lasting {
            return Err(ControlError::Version { found: version });
        }
        serde_json::from_value(Value::Object(members))
            .map_err(|error| ControlError::Request(error.to_string()))
    }

    /// Whether secret bytes may stand beside it.
    pub fn takes_secret(&self) -> bool {
        matches!(
            self,
            Op::Unlock { .. }
                | Op::AddWrap { .. }
                | Op::RotateWrap { .. }
                | Op::Connect { .. }
                | Op::TryConnection { .. }
                | Op::ConnectSeveral { .. }
                | Op::MountAdd { .. }
                | Op::OauthBegin { .. }
                | Op::OauthFinish { .. }
        )
    }
}

#[derive(Serialize)]
struct Versioned<'a> {
    v: u32,
    #[serde(flatten)]
    op: &'a Op,
}

const DEPTH_MAX: usize = 64;
