//! A broker in memory: for tests, examples and benches of the doors. No release has it.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use symbolon_broker::{
    BodyEncoding, CallError, CallReply, CallRequest, Context, Door, Fault, TokenReply, ToolView,
};
use tokio::sync::{Notify, watch};

use crate::{calls::Calls, handler::UNKNOWN_TOOL};

/// A broker in memory. Tools `echo.*` answer with their arguments; `slow.wait` waits for [`Double::open_gate`].
#[derive(Debug, Clone)]
pub struct Double(Arc<State>);

/// A session of the double's.
#[derive(Debug)]
pub struct DoubleSession {
    /// The agent's name.
    pub agent: Arc<str>,
    /// The door it came through.
    pub door: Door,
    id: u64,
}

#[derive(Debug)]
struct State {
    catalogue: Vec<ToolView>,
    granted: Mutex<HashMap<String, Vec<String>>>,
    listed: Mutex<HashMap<String, Arc<[ToolView]>>>,
    tokens: Mutex<HashMap<String, (u64, CallRequest)>>,
    next: AtomicU64,
    receipts: AtomicU64,
    lists: Lists,
    generation: watch::Sender<u64>,
    gate: Notify,
    locked: AtomicBool,
}

#[derive(Debug, Default)]
struct Lists {
    now: AtomicU64,
    most: AtomicU64,
    all: AtomicU64,
}

impl Default for Double {
    fn default() -> Self {
        Self::with_tools(["echo.args.read", "echo.noop.read", "echo.fail.read", "slow.wait.write"])
    }
}

impl Double {
    /// A double whose catalogue has these tools: `service.name.effect`.
    pub fn with_tools<'a>(tools: impl IntoIterator<Item = &'a str>) -> Self {
        Self(Arc::new(State {
            catalogue: tools.into_iter().map(view).collect(),
            granted: Mutex::default(),
            listed: Mutex::default(),
            tokens: Mutex::default(),
            next: AtomicU64::new(1),
            receipts: AtomicU64::new(0),
            lists: Lists::default(),
            generation: watch::channel(0).0,
            gate: Notify::new(),
            locked: AtomicBool::new(false),
        }))
    }

    /// Grants every tool whose name begins so.
    pub fn grant(&self, agent: &str, prefix: &str) {
        lock(&self.0.granted).entry(agent.to_owned()).or_default().push(prefix.to_owned());
        self.changed();
    }

    /// Takes all grants of an agent back.
    pub fn revoke(&self, agent: &str) {
        lock(&self.0.granted).remove(agent);
        self.changed();
    }

    /// Lets one waiting `slow.wait` go on.
    pub fn open_gate(&self) {
        self.0.gate.notify_one();
    }

    /// How many calls were completed.
    pub fn receipts(&self) -> u64 {
        self.0.receipts.load(Ordering::SeqCst)
    }

    /// Takes the time of reading a list, and counts it.
    pub async fn list(&self) {
        let lists = &self.0.lists;
        let now = lists.now.fetch_add(1, Ordering::SeqCst) + 1;
        lists.most.fetch_max(now, Ordering::SeqCst);
        lists.all.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
        lists.now.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many lists were read, and how many at most at once.
    pub fn lists(&self) -> (u64, u64) {
        let lists = &self.0.lists;
        (lists.all.load(Ordering::SeqCst), lists.most.load(Ordering::SeqCst))
    }

    /// Locks or unlocks the vault that there is none of.
    pub fn set_locked(&self, locked: bool) {
        self.0.locked.store(locked, Ordering::SeqCst);
    }

    /// Whether calls can be made.
    pub fn is_unlocked(&self) -> bool {
        !self.0.locked.load(Ordering::SeqCst)
    }

    fn changed(&self) {
        lock(&self.0.listed).clear();
        self.0.generation.send_modify(|generation| *generation += 1);
    }

    fn is_granted(&self, agent: &str, tool: &str) -> bool {
        lock(&self.0.granted)
            .get(agent)
            .is_some_and(|prefixes| prefixes.iter().any(|prefix| tool.starts_with(prefix)))
    }

    fn check(&self, session: &DoubleSession, request: &CallRequest) -> Result<(), CallError> {
        let tool = &request.tool;
        let Some(view) = self.0.catalogue.iter().find(|view| view.name == *tool) else {
            return Err(error(UNKNOWN_TOOL, 404, format!("There is no tool {tool}."), None));
        };
        if self.is_granted(&session.agent, tool) {
            return Ok(());
        }
        let next = format!("symbolon grant {} {} --for 15m", session.agent, view.scope);
        Err(error("no_grant", 403, format!("{} may not call {tool}.", session.agent), Some(next)))
    }

    async fn answer(self, request: CallRequest) -> Result<CallReply, CallError> {
        if request.tool == "slow.wait" {
            self.0.gate.notified().await;
        }
        if let Some(ms) = request.arguments.get("sleep_ms").and_then(Value::as_u64) {
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        let receipt = self.0.receipts.fetch_add(1, Ordering::SeqCst) + 1;
        let (status, body, encoding) = match request.tool.as_str() {
            "echo.fail" => (418, json!("teapot"), BodyEncoding::Text),
            "echo.noop" => (200, json!("ok"), BodyEncoding::Text),
            _ => (200, Value::Object(request.arguments), BodyEncoding::Json),
        };
        let headers = Vec::new();
        Ok(CallReply { status, headers, body, encoding, redactions: 0, receipt, duration_ms: 0 })
    }
}

impl Calls for Double {
    type Session = DoubleSession;

    fn open_session(&self, agent: &str, door: Door) -> Result<Arc<DoubleSession>, CallError> {
        if agent == "nobody" {
            return Err(error("no_agent", 403, "nobody is no agent.".into(), None));
        }
        let id = self.0.next.fetch_add(1, Ordering::SeqCst);
        Ok(Arc::new(DoubleSession { agent: agent.into(), door, id }))
    }

    fn call(
        &self,
        session: &Arc<DoubleSession>,
        _context: Context,
        request: CallRequest,
    ) -> impl Future<Output = Result<CallReply, CallError>> + Send + 'static {
        let checked = self.check(session, &request);
        let double = self.clone();
        async move {
            checked?;
            double.answer(request).await
        }
    }

    fn request(
        &self,
        session: &DoubleSession,
        _context: &Context,
        request: CallRequest,
    ) -> Result<TokenReply, CallError> {
        self.check(session, &request)?;
        let token = format!("token-{}", self.0.next.fetch_add(1, Ordering::SeqCst));
        let will = format!("Calls {}.", request.tool);
        lock(&self.0.tokens).insert(token.clone(), (session.id, request));
        Ok(TokenReply { token, expires_in_seconds: 30, will })
    }

    fn redeem(
        &self,
        session: &Arc<DoubleSession>,
        _context: Context,
        token: String,
    ) -> impl Future<Output = Result<CallReply, CallError>> + Send + 'static {
        let mut tokens = lock(&self.0.tokens);
        let own = tokens.get(&token).is_some_and(|(id, _)| *id == session.id);
        let taken = if own { tokens.remove(&token) } else { None };
        drop(tokens);
        let double = self.clone();
        async move {
            let spent = || error("bad_token", 403, "This token is not good here.".into(), None);
            let (_, request) = taken.ok_or_else(spent)?;
            double.answer(request).await
        }
    }

    fn granted_tools(&self, session: &DoubleSession) -> Arc<[ToolView]> {
        let agent = session.agent.to_string();
        if let Some(listed) = lock(&self.0.listed).get(&agent) {
            return listed.clone();
        }
        let granted: Arc<[ToolView]> = self
            .0
            .catalogue
            .iter()
            .filter(|view| self.is_granted(&agent, &view.name))
            .map(|view| ToolView { granted: true, ..view.clone() })
            .collect();
        lock(&self.0.listed).insert(agent, granted.clone());
        granted
    }

    fn search_tools(&self, session: &DoubleSession, query: &str, limit: usize) -> Vec<ToolView> {
        let found = self.0.catalogue.iter().filter(|view| view.name.contains(query)).take(limit);
        found
            .map(|view| ToolView {
                granted: self.is_granted(&session.agent, &view.name),
                input_schema: None,
                output_schema: None,
                ..view.clone()
            })
            .collect()
    }

    fn describe_tool(&self, session: &DoubleSession, name: &str) -> Result<ToolView, CallError> {
        let known = self.0.catalogue.iter().find(|view| view.name == name);
        let unknown = || error(UNKNOWN_TOOL, 404, format!("There is no tool {name}."), None);
        let view = known.ok_or_else(unknown)?.clone();
        Ok(ToolView { granted: self.is_granted(&session.agent, name), ..view })
    }

    fn generation(&self) -> watch::Receiver<u64> {
        self.0.generation.subscribe()
    }
}

fn view(tool: &str) -> ToolView {
    let (name, effect) = tool.rsplit_once('.').unwrap_or((tool, "read"));
    let service = name.split('.').next().unwrap_or(name);
    ToolView {
        name: name.to_owned(),
        title: name.to_owned(),
        description: format!("Does {name}."),
        scope: format!("{service}.{effect}"),
        effect: effect.to_owned(),
        granted: false,
        usage: String::new(),
        input_schema: Some(Arc::new(json!({ "type": "object" }))),
        output_schema: None,
    }
}

fn error(code: &str, http_status: u16, message: String, next: Option<String>) -> CallError {
    let code = code.to_owned();
    let fault = Fault::Caller;
    CallError { code, message, next, fault, http_status, receipt: None, retry_after_seconds: None }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
