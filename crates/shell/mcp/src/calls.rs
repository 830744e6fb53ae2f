//! What the doors need of a broker, and nothing more.

use std::{future::Future, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use symbolon_broker::{
    Asking, Broker, CallError, CallReply, CallRequest, Called, Context, Delegated, Door,
    FlowProgress, FlowRunView, FlowStored, NewDelegation, Session, TokenReply, ToolView,
};
use tokio::sync::watch;

/// The broker's methods that doors translate to. `Arc<Broker>` has them; tests have a double.
///
/// Futures own what they need, so that a call can go on after its caller has gone
/// (see [`Finish`](crate::Finish)).
pub trait Calls: Clone + Send + Sync + 'static {
    /// One caller from connect to disconnect.
    type Session: std::fmt::Debug + Send + Sync + 'static;

    /// Opens a session for a named agent.
    fn open_session(&self, agent: &str, door: Door) -> Result<Arc<Self::Session>, CallError>;
    /// Gates, intent, release, receipt, in one step.
    fn call(
        &self,
        session: &Arc<Self::Session>,
        context: Context,
        request: CallRequest,
    ) -> impl Future<Output = Result<CallReply, CallError>> + Send + 'static;
    /// The first of two steps: a token for this exact request.
    fn request(
        &self,
        session: &Self::Session,
        context: &Context,
        request: CallRequest,
    ) -> Result<TokenReply, CallError>;
    /// The second step.
    fn redeem(
        &self,
        session: &Arc<Self::Session>,
        context: Context,
        token: String,
    ) -> impl Future<Output = Result<CallReply, CallError>> + Send + 'static;
    /// As [`Calls::call`]; where a person is asked, says so at once instead of waiting.
    fn call_asking(
        &self,
        session: &Arc<Self::Session>,
        context: Context,
        request: CallRequest,
        asking: Asking,
    ) -> impl Future<Output = Result<Called<CallReply>, CallError>> + Send + 'static {
        let _ = asking;
        let call = self.call(session, context, request);
        async move { call.await.map(Called::Done) }
    }
    /// As [`Calls::redeem`]; where a person is asked, says so at once instead of waiting.
    fn redeem_asking(
        &self,
        session: &Arc<Self::Session>,
        context: Context,
        token: String,
        asking: Asking,
    ) -> impl Future<Output = Result<Called<CallReply>, CallError>> + Send + 'static {
        let _ = asking;
        let call = self.redeem(session, context, token);
        async move { call.await.map(Called::Done) }
    }
    /// Whether the session's agent may hand on anything of what it was granted.
    fn can_delegate(&self, session: &Self::Session) -> bool {
        let _ = session;
        false
    }
    /// Hands on a part of it to a sub-agent.
    fn delegate(
        &self,
        session: &Arc<Self::Session>,
        new: NewDelegation,
    ) -> impl Future<Output = Result<Delegated, CallError>> + Send + 'static {
        let _ = (session, new);
        async { Err(CallError::caller("not_delegable", "there is nothing to hand on").status(403)) }
    }
    /// Waits until a person has answered. With `within`, no longer than that; without, the question
    /// is withdrawn where this is dropped before.
    fn until_answered(
        &self,
        number: u64,
        within: Option<Duration>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let _ = (number, within);
        async {}
    }
    /// Tools of granted scopes, in a stable order, with schemas.
    fn granted_tools(&self, session: &Self::Session) -> Arc<[ToolView]>;
    /// Ranked; without schemas; the whole catalogue.
    fn search_tools(&self, session: &Self::Session, query: &str, limit: usize) -> Vec<ToolView>;
    /// One tool with its schemas.
    fn describe_tool(&self, session: &Self::Session, name: &str) -> Result<ToolView, CallError>;
    /// Changes whenever a grant, a connection or a kept flow changes.
    fn generation(&self) -> watch::Receiver<u64>;
    /// Whether the owner keeps a flow for this agent.
    fn has_flows(&self, session: &Self::Session) -> bool {
        let _ = session;
        false
    }
    /// Flows that the owner keeps for this agent.
    fn flows(
        &self,
        session: &Arc<Self::Session>,
    ) -> impl Future<Output = Result<Vec<FlowStored>, CallError>> + Send + 'static {
        let _ = session;
        async { Ok(Vec::new()) }
    }
    /// Begins a run of one of them.
    fn flow_start(
        &self,
        session: &Arc<Self::Session>,
        flow: String,
        inputs: Map<String, Value>,
    ) -> impl Future<Output = Result<FlowRunView, CallError>> + Send + 'static {
        let _ = (session, flow, inputs);
        async { Err(no_flows()) }
    }
    /// What happened in a run of its agent since; waits a while for something to happen.
    fn flow_progress(
        &self,
        session: &Arc<Self::Session>,
        run: String,
        after: u64,
    ) -> impl Future<Output = Result<FlowProgress, CallError>> + Send + 'static {
        let _ = (session, run, after);
        async { Err(no_flows()) }
    }
    /// One run of its agent.
    fn flow_show(
        &self,
        session: &Arc<Self::Session>,
        run: String,
    ) -> impl Future<Output = Result<FlowRunView, CallError>> + Send + 'static {
        let _ = (session, run);
        async { Err(no_flows()) }
    }
    /// Ends a run of its agent.
    fn flow_cancel(
        &self,
        session: &Arc<Self::Session>,
        run: String,
    ) -> impl Future<Output = Result<FlowRunView, CallError>> + Send + 'static {
        let _ = (session, run);
        async { Err(no_flows()) }
    }
}

/// For what keeps no flows.
fn no_flows() -> CallError {
    CallError::caller("no_flow", "no flow of this name is kept").status(404)
}

impl Calls for Arc<Broker> {
    type Session = Session;

    fn open_session(&self, agent: &str, door: Door) -> Result<Arc<Session>, CallError> {
        Broker::open_session(self, agent, door)
    }

    fn call(
        &self,
        session: &Arc<Session>,
        context: Context,
        request: CallRequest,
    ) -> impl Future<Output = Result<CallReply, CallError>> + Send + 'static {
        let (broker, session) = (self.clone(), session.clone());
        async move { Broker::call(&broker, &session, &context, request).await }
    }

    fn request(
        &self,
        session: &Session,
        context: &Context,
        request: CallRequest,
    ) -> Result<TokenReply, CallError> {
        Broker::request(self, session, context, request)
    }

    fn redeem(
        &self,
        session: &Arc<Session>,
        context: Context,
        token: String,
    ) -> impl Future<Output = Result<CallReply, CallError>> + Send + 'static {
        let (broker, session) = (self.clone(), session.clone());
        async move { Broker::redeem(&broker, &session, &context, &token).await }
    }

    fn call_asking(
        &self,
        session: &Arc<Session>,
        context: Context,
        request: CallRequest,
        asking: Asking,
    ) -> impl Future<Output = Result<Called<CallReply>, CallError>> + Send + 'static {
        let (broker, session) = (self.clone(), session.clone());
        async move { Broker::call_asking(&broker, &session, &context, request, asking).await }
    }

    fn redeem_asking(
        &self,
        session: &Arc<Session>,
        context: Context,
        token: String,
        asking: Asking,
    ) -> impl Future<Output = Result<Called<CallReply>, CallError>> + Send + 'static {
        let (broker, session) = (self.clone(), session.clone());
        async move { Broker::redeem_asking(&broker, &session, &context, &token, &asking).await }
    }

    fn can_delegate(&self, session: &Session) -> bool {
        Broker::can_delegate(self, session)
    }

    fn delegate(
        &self,
        session: &Arc<Session>,
        new: NewDelegation,
    ) -> impl Future<Output = Result<Delegated, CallError>> + Send + 'static {
        let (broker, session) = (self.clone(), session.clone());
        async move { Broker::delegate(&broker, &session, new).await }
    }

    fn until_answered(
        &self,
        number: u64,
        within: Option<Duration>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let broker = self.clone();
        async move {
            match within {
                Some(_) => Broker::until_answered(&broker, number, within).await,
                None => broker.until_answered_or_gone(number).await,
            }
        }
    }

    fn granted_tools(&self, session: &Session) -> Arc<[ToolView]> {
        Broker::granted_tools(self, session)
    }

    fn search_tools(&self, session: &Session, query: &str, limit: usize) -> Vec<ToolView> {
        Broker::search_tools(self, session, query, limit)
    }

    fn describe_tool(&self, session: &Session, name: &str) -> Result<ToolView, CallError> {
        Broker::describe_tool(self, session, name)
    }

    fn generation(&self) -> watch::Receiver<u64> {
        Broker::generation(self)
    }

    fn has_flows(&self, session: &Session) -> bool {
        Broker::has_flows(self, session)
    }

    fn flows(
        &self,
        session: &Arc<Session>,
    ) -> impl Future<Output = Result<Vec<FlowStored>, CallError>> + Send + 'static {
        let (broker, session) = (self.clone(), session.clone());
        async move { broker.flows_of(&session).await }
    }

    fn flow_start(
        &self,
        session: &Arc<Session>,
        flow: String,
        inputs: Map<String, Value>,
    ) -> impl Future<Output = Result<FlowRunView, CallError>> + Send + 'static {
        let (broker, session) = (self.clone(), session.clone());
        async move { broker.flow_start_of(&session, &flow, inputs).await }
    }

    fn flow_progress(
        &self,
        session: &Arc<Session>,
        run: String,
        after: u64,
    ) -> impl Future<Output = Result<FlowProgress, CallError>> + Send + 'static {
        let (broker, session) = (self.clone(), session.clone());
        async move { broker.flow_progress_of(&session, &run, after).await }
    }

    fn flow_show(
        &self,
        session: &Arc<Session>,
        run: String,
    ) -> impl Future<Output = Result<FlowRunView, CallError>> + Send + 'static {
        let (broker, session) = (self.clone(), session.clone());
        async move { broker.flow_show_of(&session, &run).await }
    }

    fn flow_cancel(
        &self,
        session: &Arc<Session>,
        run: String,
    ) -> impl Future<Output = Result<FlowRunView, CallError>> + Send + 'static {
        let (broker, session) = (self.clone(), session.clone());
        async move { broker.flow_cancel_of(&session, &run).await }
    }
}
