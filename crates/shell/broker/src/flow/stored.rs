//! Flows that are kept: begun by name, by whoever may, or by webhooks.

use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value};
use symbolon_ambient::{Rng, SystemRng};
use symbolon_capability::AgentName;
use symbolon_capability::schedule::Schedule;
use symbolon_codec::{b64, time::rfc3339};
use symbolon_flow::{Flow, FlowName, FlowRow, FlowStore, InputType};
use symbolon_secret::Secret;

use super::begin::{no_run, of_definition, run_id};
use super::hook::SECRET_BYTES;
use super::view::{FlowProgress, FlowRequest, FlowRunView, FlowStored};
use crate::Broker;
use crate::api::{CallError, Session};
use crate::policy::zones;

impl Broker {
    /// Keeps a flow, to run as this agent. With `hook` webhooks begin it; gives the secret that signs
    /// them, which is shown once. With `cron` the clock begins it: five fields, and a zone or this
    /// machine's own.
    ///
    /// # Errors
    /// [`CallError`]: locked, the definition, a name that is taken; `hook` where the flow has no input
    /// `event`, or another one without a default; `cron` that is no schedule, or an input without one.
    pub async fn flow_add(
        &self,
        agent: &str,
        definition: &str,
        replace: bool,
        hook: bool,
        cron: Option<&str>,
    ) -> Result<(FlowStored, Option<Secret<[u8]>>), CallError> {
        let sealer = self.flow_sealer()?;
        let flow = Flow::parse(definition.as_bytes()).map_err(of_definition)?;
        self.check_calls(&flow)?;
        if hook {
            takes_event(&flow)?;
        }
        let schedule = cron.map(|text| schedule_of(&flow, text)).transpose()?;
        let agent =
            AgentName::parse(agent).map_err(|e| CallError::caller("agent_name", e.to_string()))?;
        let secret = hook.then(make_secret);
        let mut row = FlowRow {
            name: flow.name().clone(),
            agent,
            created_unix_ms: self.clock.unix_ms(),
            body: Vec::new(),
            schedule,
            watched_unix_ms: self.clock.unix_ms(),
            missed: 0,
            hook: None,
        };
        sealer.seal_flow(&mut row, definition, secret.as_ref());
        let kept = self.store.put_flow(&row, replace).await;
        kept.map_err(|e| CallError::from(e).next("symbolon flow add FILE --replace"))?;
        self.executions.scheduled.notify_one();
        self.count_flows().await?;
        Ok((view(&row, &flow), secret.as_ref().map(shown)))
    }

    /// Flows that are kept, by name.
    ///
    /// # Errors
    /// [`CallError`]: locked, or the store.
    pub async fn flows_stored(&self) -> Result<Vec<FlowStored>, CallError> {
        let sealer = self.flow_sealer()?;
        let mut all = Vec::new();
        for row in self.store.flows().await? {
            let definition = sealer.open_flow(&row)?;
            let flow = Flow::parse(definition.as_bytes()).map_err(of_definition)?;
            all.push(view(&row, &flow));
        }
        Ok(all)
    }

    /// Forgets a flow. Its runs stay.
    ///
    /// # Errors
    /// [`CallError`] where there is none of this name.
    pub async fn flow_remove(&self, name: &str) -> Result<(), CallError> {
        let name = FlowName::parse(name).map_err(|_| no_flow())?;
        self.store.delete_flow(&name).await.map_err(|e| CallError::from(e).next(STORED))?;
        self.count_flows().await
    }

    /// Whether a flow is kept for this session's agent.
    pub fn has_flows(&self, session: &Session) -> bool {
        let agents = self.executions.agents.read().unwrap_or_else(PoisonError::into_inner);
        agents.contains(session.agent().as_str())
    }

    /// Flows that are kept for this session's agent.
    ///
    /// # Errors
    /// As [`Broker::flows_stored`].
    pub async fn flows_of(&self, session: &Session) -> Result<Vec<FlowStored>, CallError> {
        let mut all = self.flows_stored().await?;
        all.retain(|flow| flow.agent == session.agent().as_str());
        Ok(all)
    }

    /// As [`Broker::flow_start`], of a flow that is kept for this session's agent.
    ///
    /// # Errors
    /// As [`Broker::flow_start`]; another agent's flow is as one that is not there.
    pub async fn flow_start_of(
        self: &Arc<Self>,
        session: &Session,
        name: &str,
        inputs: Map<String, Value>,
    ) -> Result<FlowRunView, CallError> {
        if self.flow_row(name).await?.agent != *session.agent() {
            return Err(no_flow());
        }
        self.flow_start(name, inputs).await
    }

    /// As [`Broker::flow_show`], of a run of this session's agent.
    ///
    /// # Errors
    /// As [`Broker::flow_show`]; another agent's run is as one that is not there.
    pub async fn flow_show_of(
        &self,
        session: &Session,
        run: &str,
    ) -> Result<FlowRunView, CallError> {
        self.is_own(session, run).await?;
        self.flow_show(run).await
    }

    /// As [`Broker::flow_progress`], of a run of this session's agent.
    ///
    /// # Errors
    /// As [`Broker::flow_progress`]; another agent's run is as one that is not there.
    pub async fn flow_progress_of(
        &self,
        session: &Session,
        run: &str,
        after: u64,
    ) -> Result<FlowProgress, CallError> {
        self.is_own(session, run).await?;
        self.flow_progress(run, after).await
    }

    /// As [`Broker::flow_cancel`], of a run of this session's agent.
    ///
    /// # Errors
    /// As [`Broker::flow_cancel`]; another agent's run is as one that is not there.
    pub async fn flow_cancel_of(
        &self,
        session: &Session,
        run: &str,
    ) -> Result<FlowRunView, CallError> {
        self.is_own(session, run).await?;
        self.flow_cancel(run).await
    }

    async fn is_own(&self, session: &Session, run: &str) -> Result<(), CallError> {
        let id = run_id(run)?;
        let agent = match self.executions.get(id) {
            Some(live) => live.agent().to_owned(),
            None => self.store.run(id).await?.ok_or_else(no_run)?.agent.to_string(),
        };
        if agent == session.agent().as_str() { Ok(()) } else { Err(no_run()) }
    }

    /// Whose flows are kept; doors that list tools are told.
    pub(crate) async fn count_flows(&self) -> Result<(), CallError> {
        let agents = self.store.flows().await?.iter().map(|row| row.agent.to_string()).collect();
        *self.executions.agents.write().unwrap_or_else(PoisonError::into_inner) = agents;
        self.generation.send_modify(|g| *g += 1);
        Ok(())
    }

    /// Begins a run of a flow that is kept, as the agent that it was kept for.
    ///
    /// # Errors
    /// As [`Broker::flow_run`], and where there is none of this name.
    pub async fn flow_start(
        self: &Arc<Self>,
        name: &str,
        inputs: Map<String, Value>,
    ) -> Result<FlowRunView, CallError> {
        let row = self.flow_row(name).await?;
        let definition = self.flow_sealer()?.open_flow(&row)?;
        self.flow_run(FlowRequest { agent: row.agent.to_string(), definition, inputs }).await
    }

    pub(super) async fn flow_row(&self, name: &str) -> Result<FlowRow, CallError> {
        let rows = self.store.flows().await?;
        rows.into_iter().find(|row| row.name.as_str() == name).ok_or_else(no_flow)
    }
}

fn view(row: &FlowRow, flow: &Flow) -> FlowStored {
    let inputs = flow.inputs().iter();
    FlowStored {
        flow: row.name.to_string(),
        agent: row.agent.to_string(),
        kind: flow.kind().as_str().to_owned(),
        description: flow.description().to_owned(),
        inputs: inputs.map(|i| (i.name().to_owned(), i.kind().as_str().to_owned())).collect(),
        hook: row.hook.is_some(),
        schedule: row.schedule.clone(),
        missed: row.missed,
        created: rfc3339(row.created_unix_ms),
    }
}

/// Five cron fields, and a zone: the machine's own where none is named.
fn schedule_of(flow: &Flow, text: &str) -> Result<String, CallError> {
    let wrong = |what: String| CallError::caller("flow_schedule", what);
    if let Some(input) = flow.inputs().iter().find(|input| input.default().is_none()) {
        let what = format!("the clock gives no input {}, which has no default", input.name());
        return Err(wrong(what).next("inputs: {NAME: {type: string, default: …}}"));
    }
    let text = match text.split_ascii_whitespace().count() {
        5 => format!("{text} {}", zones::local().unwrap_or_else(|| "UTC".to_owned())),
        _ => text.to_owned(),
    };
    let schedule = Schedule::parse(&text).map_err(|e| wrong(e.to_string()))?;
    if zones::zone(schedule.zone()).is_none() {
        return Err(wrong(format!("this machine does not know the zone of {}", schedule.as_str())));
    }
    Ok(schedule.as_str().to_owned())
}

/// A webhook gives `event` and nothing else.
fn takes_event(flow: &Flow) -> Result<(), CallError> {
    let fits = |kind| matches!(kind, InputType::Object | InputType::Any);
    let has_event = flow.inputs().iter().any(|i| i.name() == "event" && fits(i.kind()));
    let open = flow.inputs().iter().find(|i| i.name() != "event" && i.default().is_none());
    let what = match (has_event, open) {
        (false, _) => "a webhook's body comes as the input event, and the flow has none".to_owned(),
        (true, Some(input)) => {
            format!("a webhook gives no input {}, which has no default", input.name())
        }
        (true, None) => return Ok(()),
    };
    Err(CallError::caller("flow_hook", what).next("inputs: {event: object}"))
}

fn make_secret() -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(SECRET_BYTES, |out| SystemRng.fill(out))
}

/// As Standard Webhooks write it: `whsec_` and base64.
fn shown(secret: &Secret<[u8]>) -> Secret<[u8]> {
    // EXPOSE: shown once to its owner, who gives it to whoever signs.
    let mut text = b64::encode(secret.expose()).into_bytes();
    let shown = Secret::<[u8]>::make_slice(PREFIX.len() + text.len(), |out| {
        out[..PREFIX.len()].copy_from_slice(PREFIX);
        out[PREFIX.len()..].copy_from_slice(&text);
    });
    text.fill(0);
    shown
}

fn no_flow() -> CallError {
    let message = "no flow of this name is kept";
    CallError::caller("no_flow", message).status(404).next(STORED)
}

const PREFIX: &[u8] = b"whsec_";
const STORED: &str = "symbolon flow ls --stored";
