//! The catalogue read anew, while the broker runs.

use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};
use symbolon_capability::catalog::Catalog;

use crate::Broker;
use crate::api::CallError;
use crate::services::next_catalog;

/// The catalogue that is in force now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CatalogView {
    /// Services.
    pub services: u64,
    /// Operations of all of them.
    pub operations: u64,
}

impl Broker {
    /// Reads the home's catalogue files and puts them into force as a whole. Calls on their way end as
    /// they began; doors that list tools are told.
    ///
    /// # Errors
    /// [`CallError`] with the file that is damaged, or `catalog_in_use`; the catalogue of before stays
    /// in force then.
    pub async fn reload_catalog(self: &Arc<Self>) -> Result<CatalogView, CallError> {
        let _one = self.changes.lock().await;
        let (this, before) = (self.clone(), self.engine.catalog());
        // Seconds, for the largest files: not on the lane where calls run.
        let read =
            tokio::task::spawn_blocking(move || next_catalog(&before, &this.home, &this.services));
        let next = Arc::new(read.await.map_err(|e| CallError::bug(e.to_string()))??);
        self.refuse_in_use(&next)?;
        let view = CatalogView {
            services: next.services().len() as u64,
            operations: next.operations().len() as u64,
        };
        let before = self.engine.replace_catalog(next);
        if let Err(e) = self.rebuild_if_open().await {
            self.engine.replace_catalog(before);
            return Err(e);
        }
        self.generation.send_modify(|g| *g += 1);
        Ok(view)
    }

    /// A connection whose tokens the broker renews keeps its service: made anew, it could renew them
    /// beside a renewal that is on its way, and a rotated token would be lost.
    fn refuse_in_use(&self, next: &Catalog) -> Result<(), CallError> {
        let Ok(open) = self.opened() else { return Ok(()) };
        let live = open.live.read().unwrap_or_else(PoisonError::into_inner);
        for one in live.values().filter(|one| one.renews()) {
            let of = &one.registration;
            let is_same = next
                .service(of.service.id().as_str())
                .is_some_and(|service| Arc::ptr_eq(service, &of.service));
            if !is_same {
                let name = &of.connection.name;
                let message = format!(
                    "the service of {name} changed, and this broker renews the tokens of {name}"
                );
                return Err(CallError::caller("catalog_in_use", message)
                    .status(409)
                    .next("symbolon lock --stop"));
            }
        }
        Ok(())
    }
}
