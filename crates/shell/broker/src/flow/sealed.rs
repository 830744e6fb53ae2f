//! What is private of flows, sealed at rest: definitions, inputs, outputs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use symbolon_ambient::SystemRng;
use symbolon_crypto::{Aad, AeadKey, labels};
use symbolon_flow::{FlowRow, RunId, RunRow, StepRow, StepState};
use symbolon_secret::Secret;

use crate::api::CallError;

/// What a run was begun with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunBody {
    pub definition: String,
    pub inputs: Map<String, Value>,
}

/// What a step came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct StepBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Seals under the key of flows of one vault.
#[derive(Clone)]
pub(crate) struct Sealer {
    pub key: std::sync::Arc<AeadKey>,
    pub vault: [u8; 16],
}

impl Sealer {
    pub(crate) fn seal_flow(
        &self,
        row: &mut FlowRow,
        definition: &str,
        hook: Option<&Secret<[u8]>>,
    ) {
        row.body = self.key.seal_with(&self.flow_aad(row), definition.as_bytes(), &SystemRng);
        let aad = self.hook_aad(row);
        row.hook = hook.map(|secret| {
            // EXPOSE: sealed from a secret page into an envelope.
            self.key.seal_with(&aad, secret.expose(), &SystemRng)
        });
    }

    /// The definition.
    pub(crate) fn open_flow(&self, row: &FlowRow) -> Result<String, CallError> {
        let opened = self.key.open_with(&self.flow_aad(row), &row.body).ok();
        // EXPOSE: no credential; a definition, which its author holds in ordinary memory too.
        let text = opened.and_then(|plain| String::from_utf8(plain.expose().to_vec()).ok());
        text.ok_or_else(|| {
            let message = format!("what is kept of the flow {} does not open", row.name);
            CallError::environment("state_damaged", message)
                .next("symbolon flow add FILE --replace")
        })
    }

    /// What signs webhooks; `None` where none may begin the flow.
    pub(crate) fn open_hook(&self, row: &FlowRow) -> Option<Secret<[u8]>> {
        self.key.open_with(&self.hook_aad(row), row.hook.as_ref()?).ok()
    }

    fn flow_aad(&self, row: &FlowRow) -> Aad {
        let created = row.created_unix_ms.to_be_bytes();
        let schedule = row.schedule.as_deref().unwrap_or_default().as_bytes();
        let [vault, name, agent, created] = self.flow_parts(row, &created);
        Aad::new(&labels::FLOW, &[vault, name, agent, created, schedule])
    }

    fn hook_aad(&self, row: &FlowRow) -> Aad {
        Aad::new(&labels::FLOW_HOOK, &self.flow_parts(row, &row.created_unix_ms.to_be_bytes()))
    }

    fn flow_parts<'p>(&'p self, row: &'p FlowRow, created: &'p [u8; 8]) -> [&'p [u8]; 4] {
        [&self.vault, row.name.as_str().as_bytes(), row.agent.as_str().as_bytes(), created]
    }

    pub(crate) fn seal_run(&self, row: &mut RunRow, body: &RunBody) -> Result<(), CallError> {
        row.body = self.seal(&self.run_aad(row), body)?;
        Ok(())
    }

    pub(crate) fn open_run(&self, row: &RunRow) -> Result<RunBody, CallError> {
        self.open(&self.run_aad(row), &row.body).ok_or_else(|| {
            let message = format!("what is kept of the run {} does not open", row.id);
            CallError::environment("state_damaged", message)
                .next("put state.db back from a backup, or begin a new run")
        })
    }

    pub(crate) fn step_row(
        &self,
        (run, step): (RunId, usize),
        order: u64,
        state: StepState,
        receipt: Option<u64>,
        body: &StepBody,
    ) -> Result<StepRow, CallError> {
        let step = u32::try_from(step).unwrap_or(u32::MAX);
        let mut row = StepRow { run, step, order, state, receipt, body: Vec::new() };
        row.body = self.seal(&self.step_aad(&row), body)?;
        Ok(row)
    }

    /// `None` where the row is not as it was written.
    pub(crate) fn open_step(&self, row: &StepRow) -> Option<StepBody> {
        self.open(&self.step_aad(row), &row.body)
    }

    fn seal(&self, aad: &Aad, body: &impl Serialize) -> Result<Vec<u8>, CallError> {
        let plain = serde_json::to_vec(body).map_err(|e| CallError::bug(e.to_string()))?;
        Ok(self.key.seal_with(aad, &plain, &SystemRng))
    }

    fn open<T: serde::de::DeserializeOwned>(&self, aad: &Aad, envelope: &[u8]) -> Option<T> {
        let opened = self.key.open_with(aad, envelope).ok()?;
        // EXPOSE: no credential; inputs and answers, which calls hold in ordinary memory too.
        serde_json::from_slice(opened.expose()).ok()
    }

    fn run_aad(&self, row: &RunRow) -> Aad {
        let numbers = [u64::from(row.epoch), row.log_from, row.created_unix_ms];
        let [epoch, log_from, created] = numbers.map(u64::to_be_bytes);
        let (flow, agent) = (row.flow.as_str().as_bytes(), row.agent.as_str().as_bytes());
        let parts = [&self.vault[..], &row.id.0, flow, agent, &epoch, &log_from, &created];
        Aad::new(&labels::FLOW_RUN, &parts)
    }

    fn step_aad(&self, row: &StepRow) -> Aad {
        let receipt = row.receipt.map_or([0xFF; 8], u64::to_be_bytes);
        let (step, order) = (row.step.to_be_bytes(), row.order.to_be_bytes());
        let state = row.state.as_str().as_bytes();
        let parts = [&self.vault[..], &row.run.0, &step, &order, state, &receipt];
        Aad::new(&labels::FLOW_STEP, &parts)
    }
}
