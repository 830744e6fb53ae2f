//! The one handler behind standard input and output and behind HTTP.

use std::{borrow::Cow, sync::Arc, sync::OnceLock};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CustomRequest, CustomResult,
        ErrorCode, Implementation, InitializeRequestParams, InitializeResult, ListToolsResult,
        PaginatedRequestParams, ProtocolVersion, ServerConfig, SubscriptionFilter, Tool,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};
use symbolon_broker::{CallError, CallRequest, Context};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    calls::Calls,
    flows, notice,
    own::Own,
    render::{self, Answer},
    room::{Held, Leaving},
    rounds::{Ran, Rounds},
    seat::{Seat, Seats},
};

/// Who is calling over HTTP. The server proves it and puts it into the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Caller(pub Arc<str>);

/// Serves one session, or one request where the revision has no sessions.
pub(crate) struct Handler<C: Calls> {
    place: Place<C>,
    /// The seat of an HTTP session that began with `initialize`.
    taken: OnceLock<Arc<Seat<C>>>,
    /// Ends the watch over grants with the session.
    watch: OnceLock<DropGuard>,
    #[cfg(feature = "conformance")]
    pub(crate) fixtures: Arc<crate::conformance::Fixtures>,
}

/// How a handler finds its caller.
pub(crate) enum Place<C: Calls> {
    /// One caller for as long as the streams are open.
    Seated(Arc<Seat<C>>, Leaving),
    /// The caller stands in each request, and beside it where to put what the answer holds.
    ByRequest(Arc<Seats<C>>),
}

impl<C: Calls> Handler<C> {
    pub(crate) fn new(place: Place<C>) -> Self {
        Self {
            place,
            taken: OnceLock::new(),
            watch: OnceLock::new(),
            #[cfg(feature = "conformance")]
            fixtures: crate::conformance::Fixtures::shared(),
        }
    }

    fn seat(&self, context: &RequestContext<RoleServer>) -> Result<Arc<Seat<C>>, ErrorData> {
        match &self.place {
            Place::Seated(seat, _) => Ok(seat.clone()),
            Place::ByRequest(seats) => {
                let caller = caller(&context.extensions)?;
                match self.taken.get() {
                    Some(seat) if *seat.agent() == caller.0 => Ok(seat.clone()),
                    Some(_) => Err(ErrorData::invalid_request("this session is not yours", None)),
                    None => seats.of(&caller.0).map_err(|error| no_seat(&error)),
                }
            }
        }
    }

    /// A session of its own for an HTTP client that initializes: tokens of one conversation are worth
    /// nothing in another, even for the same agent.
    fn take_seat(&self, context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
        let Place::ByRequest(seats) = &self.place else { return Ok(()) };
        let caller = caller(&context.extensions)?;
        let _ = self.taken.set(seats.open(&caller.0).map_err(|error| no_seat(&error))?);
        Ok(())
    }

    async fn run(
        seat: &Seat<C>,
        name: Cow<'static, str>,
        arguments: rmcp::model::JsonObject,
        rounds: Option<Rounds>,
    ) -> Result<Ran, CallError> {
        let request = match Own::named(&name) {
            Some(Own::Call) => Own::wanted(arguments)?,
            Some(own) => {
                let (answer, held) = own.run(seat, arguments).await?;
                return Ok(Ran::Answer(answer, held));
            }
            None => {
                CallRequest { tool: name.into_owned(), arguments, connection: None, minted: None }
            }
        };
        match rounds {
            Some(rounds) => rounds.call(seat, request).await,
            None => {
                let (reply, held) = seat.call(Context::Direct, request).await?;
                Ok(Ran::Answer(Answer::Called(reply), Some(held)))
            }
        }
    }

    /// The answer's turn and room go along with it to the transport.
    fn pass_on(&self, context: RequestContext<RoleServer>, held: Held) {
        let leaving = match &self.place {
            Place::Seated(_, leaving) => Some(leaving),
            Place::ByRequest(_) => beside_caller::<Leaving>(&context.extensions),
        };
        if let Some(leaving) = leaving {
            leaving.put(context.id, context.ct, held);
        }
    }
}

impl<C: Calls> ServerHandler for Handler<C> {
    fn get_info(&self) -> ServerConfig {
        #[cfg(feature = "conformance")]
        let capabilities = crate::conformance::capabilities();
        #[cfg(not(feature = "conformance"))]
        let capabilities = rmcp::model::ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .build();
        ServerConfig::new(capabilities)
            .with_protocol_version(ProtocolVersion::V_2025_11_25)
            .with_server_info(Implementation::new("symbolon", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(&REVISIONS)
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        if context.meta.protocol_version().is_some_and(|version| !version.has_initialize()) {
            return Err(no_method());
        }
        let answer = self.negotiate_initialize(&request)?;
        self.take_seat(&context)?;
        context.peer.set_peer_info(request);
        Ok(answer)
    }

    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let seat = match (&self.place, self.taken.get()) {
            (Place::Seated(seat, _), _) | (_, Some(seat)) => seat.clone(),
            _ => return,
        };
        let stop = CancellationToken::new();
        if self.watch.set(stop.clone().drop_guard()).is_ok() {
            tokio::spawn(notice::tell_peer(seat, context.peer, stop));
        }
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("the list has one page", None));
        }
        let seat = self.seat(&context)?;
        let mut tools = seat.listing().tools().to_vec();
        if seat.calls().has_flows(seat.session()) {
            tools.push(flows::tool());
        }
        #[cfg(feature = "conformance")]
        tools.extend(crate::conformance::tools());
        Ok(ListToolsResult { tools, ..Default::default() }
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Private))
    }

    /// Asked by the HTTP transport for schemas with header parameters, which the catalogue has none of.
    fn get_tool(&self, name: &str) -> Option<Tool> {
        #[cfg(feature = "conformance")]
        return crate::conformance::tools().into_iter().find(|tool| tool.name == name);
        #[cfg(not(feature = "conformance"))]
        {
            let _ = name;
            None
        }
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        #[cfg(feature = "conformance")]
        if crate::conformance::has(&request.name) {
            return self.fixtures.call(request, context).await;
        }
        let seat = self.seat(&context)?;
        if request.name == flows::RUN_FLOW {
            let ran = flows::run(&seat, request.arguments.unwrap_or_default(), &context).await;
            return Ok(ran.unwrap_or_else(|error| render::refusal(&error)).into());
        }
        let rounds = Rounds::of(&context, request.request_state, request.input_responses);
        let arguments = request.arguments.unwrap_or_default();
        let call = Self::run(&seat, request.name, arguments, rounds);
        let outcome = tokio::select! {
            biased;
            outcome = call => outcome,
            // rmcp sends no answer to a cancelled request; a call that began still gets its receipt.
            () = context.ct.cancelled() => return Err(ErrorData::internal_error("cancelled", None)),
        };
        match outcome {
            Ok(Ran::Answer(answer, held)) => {
                if let Some(held) = held {
                    self.pass_on(context, held);
                }
                Ok(render::answer(answer).into())
            }
            Ok(Ran::Asked(question)) => Ok(question.into()),
            Err(error) if error.code == UNKNOWN_TOOL => {
                Err(ErrorData::invalid_params(error.message, None))
            }
            Err(error) => Ok(render::refusal(&error).into()),
        }
    }

    /// A known method arrives here only where its params could not be read.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let modern = context.protocol_version().is_some_and(|version| !version.has_initialize());
        Err(match request.method.as_str() {
            "initialize" if modern => no_method(),
            "server/discover" | "subscriptions/listen" if !modern => no_method(),
            "initialize"
            | "tools/call"
            | "tools/list"
            | "server/discover"
            | "subscriptions/listen" => {
                ErrorData::invalid_params("the params of this method have another shape", None)
            }
            _ => no_method(),
        })
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        #[cfg(feature = "conformance")]
        return Some(requested.clone());
        #[cfg(not(feature = "conformance"))]
        {
            let _ = requested;
            Some(SubscriptionFilter::builder().tools_list_changed().build())
        }
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let seat = self.seat(context.request_context())?;
        let _place = seat.listen().map_err(|error| no_seat(&error))?;
        #[cfg(feature = "conformance")]
        let _open = self.fixtures.streams.listening(context.sink().clone());
        tokio::select! {
            () = notice::tell_subscriber(seat.clone(), context.sink()) => {}
            () = context.cancelled() => {}
        }
        Ok(())
    }

    #[cfg(feature = "conformance")]
    crate::conformance::handler_methods!();
}

/// rmcp keeps the HTTP request's head among the message's extensions, and ours stand within those.
fn caller(extensions: &rmcp::model::Extensions) -> Result<Caller, ErrorData> {
    beside_caller::<Caller>(extensions)
        .cloned()
        .ok_or_else(|| ErrorData::internal_error("the request names no caller", None))
}

pub(crate) fn beside_caller<T: Send + Sync + 'static>(
    extensions: &rmcp::model::Extensions,
) -> Option<&T> {
    extensions.get::<http::request::Parts>()?.extensions.get()
}

fn no_method() -> ErrorData {
    ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "unknown method", None)
}

fn no_seat(error: &CallError) -> ErrorData {
    let data = serde_json::to_value(error).ok();
    ErrorData::internal_error(error.message.clone(), data)
}

/// The revisions that are served, in the order in which they are told.
pub const REVISIONS: [ProtocolVersion; 2] =
    [ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28];

/// The broker's word for a tool that is not in the catalogue.
pub const UNKNOWN_TOOL: &str = "unknown_tool";

/// How long a client may keep the list without asking; a grant can end at any moment.
const LIST_TTL_MS: u64 = 5_000;

const INSTRUCTIONS: &str = "Tools call outside services with credentials that you never see. \
Tools you may call now are listed; symbolon.search_tools finds the others. \
A refusal carries `next`, the exact command that a person can run to grant the call: show it to them. \
Every call leaves a receipt, whose number is in the result.";
