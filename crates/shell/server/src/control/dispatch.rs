//! From an operation to the broker's method, and back.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use serde_json::json;
use symbolon_broker::{Broker, CallError, Door as Way, Fault, Lanes, Session, Surroundings, Via};
use symbolon_codec::hex;
use symbolon_crypto::VerifyingKey;
use symbolon_mcp::ServeError;
use symbolon_proxy::{Proxy, RunGuard};
use symbolon_secret::Secret;
use tokio_util::sync::CancellationToken;

use super::answer::{Answer, Unlocked};
use super::error::ControlError;
use super::op::Op;
use super::serve::Handle;

/// The broker behind the socket.
pub(super) struct Door {
    broker: Arc<Broker>,
    /// For the programs of runs.
    proxy: Proxy,
    /// The same, for the programs of mounted servers: the broker knows it for as long as we do.
    _surroundings: Arc<dyn Surroundings>,
}

impl Door {
    pub(super) fn new(broker: Arc<Broker>, lanes: Lanes) -> Self {
        let proxy = Proxy::new(broker.clone(), lanes);
        let surroundings: Arc<dyn Surroundings> = Arc::new(proxy.clone());
        broker.set_surroundings(Arc::downgrade(&surroundings));
        Self { broker, proxy, _surroundings: surroundings }
    }
}

/// What lives as long as one connection: its sessions, by agent, and its run.
#[derive(Default)]
pub(super) struct Sessions {
    by_agent: HashMap<String, Arc<Session>>,
    run: Option<RunGuard>,
}

impl Sessions {
    fn of(&mut self, broker: &Broker, agent: &str) -> Result<Arc<Session>, CallError> {
        if let Some(session) = self.by_agent.get(agent) {
            return Ok(session.clone());
        }
        if self.by_agent.len() >= AGENTS_MAX {
            return Err(ControlError::Busy("agents").into());
        }
        let session = broker.open_session(agent, Way::Cli)?;
        self.by_agent.insert(agent.to_owned(), session.clone());
        Ok(session)
    }
}

/// Sessions that one connection may open.
const AGENTS_MAX: usize = 16;

impl Handle for Door {
    type Memory = Sessions;

    async fn handle(
        &self,
        sessions: &mut Sessions,
        op: Op,
        secret: Option<Secret<[u8]>>,
        gone: &CancellationToken,
    ) -> Result<Answer, CallError> {
        let broker = &self.broker;
        match op {
            Op::Status {} => Answer::of(broker.status()),
            Op::Unlock { method } => {
                broker.unlock_by_hand(method, secret).await?;
                Ok(Answer::done())
            }
            Op::UnlockUnattended { asked } => {
                Answer::of(Unlocked { unlocked: broker.unlock_unless_held(asked).await? })
            }
            Op::Lock {} => {
                broker.lock_by_hand();
                Ok(Answer::done())
            }
            Op::Wraps {} => Answer::of(broker.wraps().await?),
            Op::AddWrap { method } => {
                let (wrap, shown) = broker.add_wrap(method, secret).await?;
                Answer::with(wrap, shown)
            }
            Op::RemoveWrap { id } => {
                broker.remove_wrap(&id).await?;
                Ok(Answer::done())
            }
            Op::RotateWrap { id } => {
                let (wrap, shown) = broker.rotate_wrap(&id, secret).await?;
                Answer::with(wrap, shown)
            }
            Op::Connect { new } => {
                let credential = secret.ok_or_else(no_credential)?;
                Answer::of(broker.connect(new, credential).await?)
            }
            Op::TryConnection { new } => {
                let credential = secret.ok_or_else(no_credential)?;
                Answer::of(broker.try_connection(new, credential).await?)
            }
            Op::TakeFrom { account } => {
                broker.take_from(account_id(&account)?);
                Ok(Answer::done())
            }
            Op::ConnectSeveral { new, lengths } => {
                let credentials = secret.ok_or_else(no_credential)?;
                Answer::of(broker.connect_several(new, &lengths, credentials).await?)
            }
            Op::OauthBegin { new } => Answer::of(broker.oauth_begin(new, secret).await?),
            Op::OauthFinish { id } => Answer::of(broker.oauth_finish(&id, secret).await?),
            Op::NodeEndpoint {} => {
                let (view, seed) = broker.node_endpoint()?;
                Answer::with(view, Some(seed))
            }
            Op::AnchorKey {} => Answer::with(json!({}), Some(broker.anchor_key()?)),
            Op::ContainerKeys {} => Answer::of(broker.container_keys()?),
            Op::Operator {} => Answer::of(broker.operator()),
            Op::SignRevocation { since_ms } => Answer::of(broker.sign_revocation(since_ms)?),
            Op::RotateOperator {} => Answer::of(broker.rotate_operator().await?),
            Op::RevokeOperator { revocation } => {
                Answer::of(broker.revoke_operator(&revocation).await?)
            }
            Op::ProveOperator { transcript } => {
                Answer::of(broker.prove_operator(transcript.as_ref())?)
            }
            Op::OpenExecution { component } => {
                Answer::of(broker.open_execution(&digest(&component)?).await?)
            }
            Op::ProveExecution { key, transcript } => {
                Answer::of(broker.prove_execution(&key, &transcript)?)
            }
            Op::LogCapsule { transcript } => Answer::of(broker.log_capsule(&transcript).await?),
            Op::ProveCapsule { transcript, index } => {
                Answer::of(broker.prove_capsule(&transcript, index).await?)
            }
            Op::LogShards {} => Answer::of(broker.log_shards()),
            Op::DivideLog { every, now } => Answer::of(broker.divide_log(every, now).await?),
            Op::GiveUpShard { name } => Answer::of(broker.give_up_shard(&name).await?),
            Op::SignContainer { digest } => Answer::of(broker.sign_container(&digest)?),
            Op::OpenLayerKeys { keys } => {
                Answer::with(json!({}), Some(broker.open_layer_keys(&keys)?))
            }
            Op::TrustSigner { key, name } => {
                Answer::of(broker.trust_signer(signer(&key)?, &name).await?)
            }
            Op::TrustedSigners {} => Answer::of(broker.trusted_signers().await?),
            Op::DistrustSigner { key } => {
                broker.distrust_signer(signer(&key)?).await?;
                Ok(Answer::done())
            }
            Op::SignDeedEvent { place, event } => {
                Answer::of(broker.sign_deed_event(&place, &event).await?)
            }
            Op::Connections {} => Answer::of(broker.connections().await?),
            Op::VerifyConnection { name } => Answer::of(broker.verify_connection(&name).await?),
            Op::Disconnect { name } => {
                broker.disconnect(&name).await?;
                Ok(Answer::done())
            }
            Op::MountAdd { new } => Answer::of(broker.mount_add(new, secret).await?),
            Op::Mounts {} => Answer::of(broker.mounts().await?),
            Op::MountShow { name } => Answer::of(broker.mount_show(&name).await?),
            Op::MountRefresh { name, accept } => {
                Answer::of(broker.mount_refresh(&name, accept.as_deref()).await?)
            }
            Op::MountRemove { name } => {
                broker.mount_remove(&name).await?;
                Ok(Answer::done())
            }
            Op::Minted {} => Answer::of(broker.minted().await?),
            Op::RevokeMinted { id } => {
                broker.revoke_minted(&id).await?;
                Ok(Answer::done())
            }
            Op::Grant { new } => Answer::of(broker.grant(new).await?),
            Op::Grants {} => Answer::of(broker.grants().await?),
            Op::Revoke { id } => Answer::of(broker.revoke(id).await?),
            Op::SetShadow { on, keep } => Answer::of(broker.set_shadow(on, keep).await?),
            Op::Shadow {} => Answer::of(broker.shadow().await?),
            Op::ClearShadowed {} => {
                broker.clear_shadowed().await?;
                Ok(Answer::done())
            }
            Op::ReloadCatalog {} => Answer::of(broker.reload_catalog().await?),
            Op::Resolve { request } => Answer::of(broker.resolve(&request)?),
            Op::Explain { request } => Answer::of(broker.explain(request)?),
            Op::AddAgent { name } => {
                let made = broker.add_agent(&name).await?;
                Answer::with(json!({ "agent": made.agent }), Some(made.key))
            }
            Op::Agents {} => Answer::of(broker.agents().await?),
            Op::RemoveAgent { name } => {
                broker.remove_agent(&name).await?;
                Ok(Answer::done())
            }
            Op::Call { agent, request, context } => {
                let session = sessions.of(broker, &agent)?;
                Answer::of(broker.call_unless(&session, &context, request, gone.cancelled()).await?)
            }
            Op::Request { agent, request, context } => {
                let session = sessions.of(broker, &agent)?;
                Answer::of(broker.request(&session, &context, request)?)
            }
            Op::Redeem { agent, token, context } => {
                let session = sessions.of(broker, &agent)?;
                Answer::of(
                    broker.redeem_unless(&session, &context, &token, gone.cancelled()).await?,
                )
            }
            Op::GrantedTools { agent } => {
                let session = sessions.of(broker, &agent)?;
                Answer::of(&*broker.granted_tools(&session))
            }
            Op::SearchTools { agent, query, limit } => {
                let session = sessions.of(broker, &agent)?;
                Answer::of(broker.search_tools(&session, &query, limit))
            }
            Op::DescribeTool { agent, name } => {
                let session = sessions.of(broker, &agent)?;
                Answer::of(broker.describe_tool(&session, &name)?)
            }
            Op::Approvals {} => Answer::of(broker.approvals()),
            Op::Approval { number } => Answer::of(broker.approval(number)?),
            Op::Approve { number, yes } => Answer::of(broker.approve(number, Via::Cli, yes).await?),
            Op::Deny { number, reason } => Answer::of(broker.deny(number, Via::Cli, reason)?),
            Op::ForgetApproval { number } => {
                broker.forget_approval(number)?;
                Ok(Answer::done())
            }
            Op::AddOwnerToken {} => {
                let (view, token) = broker.add_owner_token().await?;
                Answer::with(view, Some(token))
            }
            Op::OwnerTokens {} => Answer::of(broker.owner_tokens().await?),
            Op::RemoveOwnerToken { id } => {
                broker.remove_owner_token(id).await?;
                Ok(Answer::done())
            }
            Op::PageLink {} => {
                let (link, code) = broker.page_link()?;
                Answer::with(link, Some(code))
            }
            Op::FlowCheck { agent, definition } => {
                Answer::of(broker.flow_check(&agent, &definition)?)
            }
            Op::FlowRun { request } => Answer::of(broker.flow_run(request).await?),
            Op::FlowAdd { agent, definition, replace, hook, cron } => {
                let added =
                    broker.flow_add(&agent, &definition, replace, hook, cron.as_deref()).await;
                let (view, secret) = added?;
                Answer::with(view, secret)
            }
            Op::FlowsStored {} => Answer::of(broker.flows_stored().await?),
            Op::FlowRemove { name } => {
                broker.flow_remove(&name).await?;
                Ok(Answer::done())
            }
            Op::FlowStart { name, inputs } => Answer::of(broker.flow_start(&name, inputs).await?),
            Op::FlowRuns { limit } => Answer::of(broker.flow_runs(limit).await?),
            Op::FlowShow { run } => Answer::of(broker.flow_show(&run).await?),
            Op::FlowProgress { run, after } => Answer::of(broker.flow_progress(&run, after).await?),
            Op::FlowResume { run, decisions } => {
                Answer::of(broker.flow_resume(&run, &decisions).await?)
            }
            Op::FlowRollback { run, steps } => {
                Answer::of(broker.flow_rollback(&run, &steps).await?)
            }
            Op::FlowCancel { run } => Answer::of(broker.flow_cancel(&run).await?),
            Op::Receipts { filter } => Answer::of(broker.receipts(filter).await?),
            Op::Receipt { number } => Answer::of(broker.receipt(number).await?),
            Op::OperatorVkey {} => Answer::of(broker.operator_vkey()),
            Op::Metrics {} => Answer::of(broker.metrics()),
            Op::RunOpen { new } => {
                let (view, key, run) = self.proxy.open(new).await?;
                sessions.run = Some(run);
                Answer::with(view, Some(key))
            }
            Op::RunClose {} => {
                sessions.run = None;
                Ok(Answer::done())
            }
            // The connection answers these two itself.
            Op::Stop {} | Op::Mcp { .. } => Err(ControlError::Json.into()),
        }
    }

    fn is_over(&self) -> bool {
        self.broker.is_over()
    }

    async fn mcp(&self, agent: String, read: OwnedFd, write: OwnedFd) -> Result<(), CallError> {
        symbolon_mcp::serve_io(self.broker.clone(), &agent, read, write).await.map_err(ended)
    }
}

fn account_id(text: &str) -> Result<[u8; 16], CallError> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(text, &mut bytes)
        .map_err(|_| CallError::caller("account", "an account is named by 32 hex digits"))?;
    Ok(bytes)
}

fn digest(text: &str) -> Result<[u8; 64], CallError> {
    let mut bytes = [0; 64];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| {
        CallError::caller("component", "a component is named by 128 hex digits")
            .next("symbolon capsule show NAME.capsule.json")
    })?;
    Ok(bytes)
}

fn signer(key: &str) -> Result<VerifyingKey, CallError> {
    VerifyingKey::from_hex(key).map_err(|e| {
        CallError::caller("key", format!("this is no signer's key: {e}"))
            .next("symbolon container key")
    })
}

/// A session that did not run to its end.
fn ended(error: ServeError) -> CallError {
    let fault = match error {
        ServeError::Session(error) => return error,
        ServeError::Streams(_) => Fault::Environment,
        ServeError::NotBegun => Fault::Peer,
        _ => Fault::Us,
    };
    CallError { fault, ..CallError::caller("mcp_session", error.to_string()).status(500) }
}

fn no_credential() -> CallError {
    CallError::caller("no_credential", "no credential came with the connection")
        .next("symbolon connect SERVICE --from-stdin < FILE")
}
