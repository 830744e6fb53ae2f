//! What the HTTP door needs of a broker beyond what MCP needs.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, uri::PathAndQuery};
use serde_json::Value;
use symbolon_broker::{
    ApprovalView, ApprovalsView, Asking, Broker, CallError, Called, ConnectionView, Context,
    FlowDelivered, ForwardReply, GrantView, HookSigned, ReceiptFilter, ReceiptRow, Session, Status,
    Via, Yes,
};
use symbolon_mcp::Calls;

/// A request at the gateway door, as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The connection that the path names.
    pub connection: String,
    /// The method.
    pub method: Method,
    /// Path and query as they came, nothing decoded.
    pub target: PathAndQuery,
    /// Where in the target the upstream's path begins: behind `/to/{connection}`.
    pub path_from: usize,
    /// The headers, of which the broker takes the content type and an idempotency key.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Asked {
    /// The upstream's path, nothing decoded; `/` where none was given.
    pub fn path(&self) -> &str {
        match self.target.path().get(self.path_from..) {
            None | Some("") => "/",
            Some(path) => path,
        }
    }
}

/// The broker's methods that HTTP translates to. `Arc<Broker>` has them; tests have a double.
pub trait Backend: Calls {
    /// Constant-time look-up of a bearer key.
    fn agent_by_key(&self, key: &[u8]) -> Option<Arc<str>>;
    /// The broker itself, for the page's routes: a double serves no page.
    fn broker(&self) -> Option<&Arc<Broker>> {
        None
    }
    /// How the broker is.
    fn status(&self) -> Status;
    /// Every connection.
    fn connections(&self) -> impl Future<Output = Result<Vec<ConnectionView>, CallError>> + Send;
    /// Every grant.
    fn grants(&self) -> impl Future<Output = Result<Vec<GrantView>, CallError>> + Send;
    /// Receipts, newest first.
    fn receipts(
        &self,
        filter: ReceiptFilter,
    ) -> impl Future<Output = Result<Vec<ReceiptRow>, CallError>> + Send;
    /// One entry of the log as a line of the list, nothing else read.
    fn receipt_row(
        &self,
        number: u64,
    ) -> impl Future<Output = Result<ReceiptRow, CallError>> + Send;
    /// One receipt as a bundle to hand over.
    fn receipt(&self, number: u64) -> impl Future<Output = Result<Value, CallError>> + Send;
    /// Whether this is one of the owner's tokens.
    fn is_owner(&self, token: &[u8]) -> bool {
        let _ = token;
        false
    }
    /// Questions of all agents.
    fn approvals(&self) -> ApprovalsView {
        ApprovalsView { pending: Vec::new(), remembered: Vec::new(), ended: Vec::new() }
    }
    /// Questions of one agent that wait, without their requests.
    fn approvals_of(&self, agent: &str) -> Vec<ApprovalView> {
        let _ = agent;
        Vec::new()
    }
    /// One question.
    fn approval(&self, number: u64) -> Result<ApprovalView, CallError> {
        Err(no_approvals(number))
    }
    /// Yes.
    fn approve(
        &self,
        number: u64,
        yes: Yes,
    ) -> impl Future<Output = Result<ApprovalView, CallError>> + Send {
        let _ = yes;
        async move { Err(no_approvals(number)) }
    }
    /// No.
    fn deny(&self, number: u64, reason: Option<String>) -> Result<ApprovalView, CallError> {
        let _ = reason;
        Err(no_approvals(number))
    }
    /// A webhook that begins a flow.
    fn deliver(
        &self,
        name: String,
        signed: HookSigned,
        body: Bytes,
    ) -> impl Future<Output = Result<FlowDelivered, CallError>> + Send {
        let _ = (name, signed, body);
        async { Err(CallError::caller("hook", "there is no such webhook").status(403)) }
    }
    /// Prometheus text.
    fn metrics(&self) -> String;
    /// A request of the gateway door through every gate; where a person is asked, says so at once
    /// instead of waiting.
    fn forward(
        &self,
        session: &Arc<Self::Session>,
        context: Context,
        asked: Arc<Asked>,
        asking: Asking,
    ) -> impl Future<Output = Result<Called<ForwardReply>, CallError>> + Send + 'static;
}

impl Backend for Arc<Broker> {
    fn agent_by_key(&self, key: &[u8]) -> Option<Arc<str>> {
        Broker::agent_by_key(self, key)
    }

    fn broker(&self) -> Option<&Arc<Broker>> {
        Some(self)
    }

    fn status(&self) -> Status {
        Broker::status(self)
    }

    async fn connections(&self) -> Result<Vec<ConnectionView>, CallError> {
        Broker::connections(self).await
    }

    async fn grants(&self) -> Result<Vec<GrantView>, CallError> {
        Broker::grants(self).await
    }

    async fn receipts(&self, filter: ReceiptFilter) -> Result<Vec<ReceiptRow>, CallError> {
        Broker::receipts(self, filter).await
    }

    async fn receipt_row(&self, number: u64) -> Result<ReceiptRow, CallError> {
        Broker::receipt_row(self, number).await
    }

    async fn receipt(&self, number: u64) -> Result<Value, CallError> {
        Broker::receipt(self, number).await
    }

    fn is_owner(&self, token: &[u8]) -> bool {
        Broker::is_owner(self, token)
    }

    fn approvals(&self) -> ApprovalsView {
        Broker::approvals(self)
    }

    fn approvals_of(&self, agent: &str) -> Vec<ApprovalView> {
        Broker::approvals_of(self, agent)
    }

    fn approval(&self, number: u64) -> Result<ApprovalView, CallError> {
        Broker::approval(self, number)
    }

    async fn approve(&self, number: u64, yes: Yes) -> Result<ApprovalView, CallError> {
        Broker::approve(self, number, Via::Http, yes).await
    }

    fn deny(&self, number: u64, reason: Option<String>) -> Result<ApprovalView, CallError> {
        Broker::deny(self, number, Via::Http, reason)
    }

    async fn deliver(
        &self,
        name: String,
        signed: HookSigned,
        body: Bytes,
    ) -> Result<FlowDelivered, CallError> {
        self.flow_deliver(&name, &signed, &body).await
    }

    fn metrics(&self) -> String {
        Broker::metrics(self)
    }

    fn forward(
        &self,
        session: &Arc<Session>,
        context: Context,
        asked: Arc<Asked>,
        asking: Asking,
    ) -> impl Future<Output = Result<Called<ForwardReply>, CallError>> + Send + 'static {
        let (broker, session) = (self.clone(), session.clone());
        async move {
            let (method, path, query) = (asked.method.as_str(), asked.path(), asked.target.query());
            let body = asked.body.clone();
            let forwarded = Broker::forward_asking(
                &broker,
                &session,
                &context,
                &asked.connection,
                method,
                path,
                query,
                &asked.headers,
                body,
                asking,
            );
            forwarded.await
        }
    }
}

/// For a backend that asks nobody.
fn no_approvals(number: u64) -> CallError {
    CallError::caller("no_approval", format!("there is no question {number}")).status(404)
}
