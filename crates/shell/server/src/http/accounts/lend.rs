//! The broker of this process takes its connections from its owner's vault while that is lent to it
//! (`specs/lease.md`).

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use symbolon_account::{AccountId, AccountStore};
use symbolon_broker::{Broker, LentConnection, NewConnection};
use symbolon_lease::{Forgetting, Guest, LeaseError, LeaseId, Leased, Opened, Purpose};
use symbolon_vault::item::Contents;
use symbolon_vault::replica::Filter;
use tokio_util::sync::CancellationToken;

use super::service::Service;

/// Connections that go with their lease.
pub(super) struct OfBroker(pub Arc<Broker>);

impl Guest for OfBroker {
    fn let_go(&self, account: AccountId) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            if self.0.takes_from() != Some(*account.as_bytes()) {
                return;
            }
            if let Err(error) = self.0.give_back().await {
                tracing::error!(code = error.code, "the broker was locked: {error}");
            }
        })
    }

    fn forget(&self, account: AccountId) -> Forgetting<'_> {
        Box::pin(async move { Ok(self.0.forget_account(account.as_bytes()).await?) })
    }
}

/// What is in force: by which lease, as of which commit.
type InForce = Option<(LeaseId, u64)>;

/// Looks every second whether the owner's vault is lent, and whether it changed.
pub(super) async fn watch<S: AccountStore>(
    service: Arc<Service<S>>,
    broker: Arc<Broker>,
    stop: CancellationToken,
) {
    let mut in_force = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return,
        }
        let Some(account) = whose(&broker).await else { continue };
        in_force = match service.leases.open(account, Purpose::Connections) {
            None => None,
            Some(leased) => match take(&service, &broker, &leased, in_force).await {
                Ok(now) => now,
                Err(error) => {
                    tracing::warn!(%error, "the connections of the owner's vault were not taken");
                    None
                }
            },
        };
    }
}

/// Whose vault: of whoever was named on this machine, else of the account that is the owner's.
async fn whose(broker: &Broker) -> Option<AccountId> {
    if broker.takes_from().is_none() {
        // Where the store does not answer it is asked again with the next look.
        let owner = broker.owner_account().await.ok().flatten()?;
        broker.take_from(owner);
    }
    broker.takes_from().map(AccountId::from)
}

async fn take<S: AccountStore>(
    service: &Service<S>,
    broker: &Broker,
    leased: &Leased<S>,
    in_force: InForce,
) -> Result<InForce, LeaseError> {
    if !broker.status().unlocked {
        return Ok(None);
    }
    let counter = leased.counter().await?;
    let now = Some((leased.id(), counter));
    if now == in_force && broker.has_lent() {
        return Ok(now);
    }
    let mut all = Vec::new();
    for listed in leased.items(&Filter::default()).await? {
        match of_item(leased.read(listed.id).await?) {
            Ok(Some(lent)) => all.push(lent),
            Ok(None) => {}
            Err(error) => tracing::warn!(code = error.code, "a connection of the vault: {error}"),
        }
    }
    match broker.lend(all).await {
        Ok(refused) => refused.iter().for_each(|(_, error)| {
            tracing::warn!(code = error.code, "a connection of the vault is not used: {error}");
        }),
        Err(error) => {
            tracing::warn!(code = error.code, "the broker takes no connections: {error}");
            return Ok(None);
        }
    }
    // A lease that ended meanwhile has told the broker to let go before there was anything to let go of.
    let account = broker.takes_from().map(AccountId::from);
    let is_lent =
        account.is_some_and(|own| service.leases.open(own, Purpose::Connections).is_some());
    if !is_lent && let Err(error) = broker.give_back().await {
        tracing::error!(code = error.code, "the broker was locked: {error}");
    }
    Ok(now.filter(|_| is_lent))
}

fn of_item(opened: Opened) -> Result<Option<LentConnection>, symbolon_broker::CallError> {
    let name = opened.item.title.as_str().to_owned();
    let Contents::Connection { service, base_url, scheme, credential } = opened.item.contents
    else {
        return Ok(None);
    };
    let new = NewConnection::of_vault(&name, service.as_str(), base_url.as_str(), scheme.as_str())?;
    Ok(Some(LentConnection { new, credential: credential.into_secret() }))
}

const LOOK_EVERY: Duration = Duration::from_secs(1);
