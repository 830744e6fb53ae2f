//! What goes in and comes out of the broker, the same for every door. Nothing here can hold a secret.

mod call;
mod connections;
mod grants;
mod owner;
mod policy;
mod receipts;

pub use call::{
    BodyEncoding, CallError, CallReply, CallRequest, Fault, ForwardReply, TokenReply, ToolView,
};
pub use connections::{ConnectionView, MintedView, NewConnection, VerifiedView};
pub use grants::{BudgetView, Delegated, GrantView, NewDelegation, NewGrant, RevokedView};
pub use owner::{AgentView, Clear, NewAgentKey, Status, WrapView};
pub use policy::{
    CheckView, ExplainRequest, ExplanationView, ResolveRequest, Resolved, ShadowRow, ShadowView,
};
pub use receipts::{ReceiptFilter, ReceiptRow};

pub use crate::approvals::{
    ApprovalOptions, ApprovalView, ApprovalsView, Asking, Called, ExactRequest, OwnerTokenView,
    PendingCall, RememberedView, Yes, visible,
};
pub use crate::flow::{
    FlowCheck, FlowDecision, FlowDelivered, FlowEvent, FlowProgress, FlowRequest, FlowRunRow,
    FlowRunView, FlowStepView, FlowStored, HookSigned,
};
pub use crate::oauth::{NewOAuth, OAuthProgress, OAuthStep};
pub use symbolon_capability::approval::Via;
pub use symbolon_capability::{Context, Door, Session};
pub use symbolon_custody::Method;
