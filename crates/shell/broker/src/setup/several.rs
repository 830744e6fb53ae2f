//! Several connections at once, as an import makes them: all or none.

use std::sync::Arc;

use symbolon_capability::{SealedConnection, Store};
use symbolon_secret::Secret;

use crate::Broker;
use crate::api::*;

/// The most connections of one import.
pub const CONNECTIONS_AT_ONCE_MAX: usize = 256;

impl Broker {
    /// Seals and keeps several connections. `credentials` holds theirs one behind the other, each as
    /// long as its place in `lengths` says.
    ///
    /// # Errors
    /// [`CallError`], as of [`Broker::connect`], with the name of the connection; none is kept then.
    pub async fn connect_several(
        &self,
        all: Vec<NewConnection>,
        lengths: &[usize],
        credentials: Secret<[u8]>,
    ) -> Result<Vec<ConnectionView>, CallError> {
        let open = self.opened()?;
        let total = lengths.iter().try_fold(0_usize, |sum, len| sum.checked_add(*len));
        if all.len() != lengths.len() || total != Some(credentials.len()) {
            return Err(CallError::caller(
                "no_credential",
                "the credentials are of another number",
            ));
        }
        if all.is_empty() || all.len() > CONNECTIONS_AT_ONCE_MAX {
            let message = format!("1 to {CONNECTIONS_AT_ONCE_MAX} connections are made at once");
            return Err(
                CallError::caller("too_many", message).next("symbolon import … --only NAME")
            );
        }
        let mut sealed = Vec::with_capacity(all.len());
        let mut at = 0;
        for (new, len) in all.iter().zip(lengths) {
            // EXPOSE: cut out, from one secret page into another.
            let part = &credentials.expose()[at..at + len];
            at += len;
            let credential = Secret::<[u8]>::make_slice(*len, |page| page.copy_from_slice(part));
            if new.verify {
                return Err(CallError::caller(
                    "verify",
                    "one connection at a time is checked live",
                ));
            }
            let (connection, envelope, _) =
                self.seal_connection(&open, new, credential).map_err(|e| named(new, e))?;
            sealed.push(SealedConnection { connection, envelope, replace: new.replace });
        }
        drop(credentials);
        let _one = self.changes.lock().await;
        if !Arc::ptr_eq(&open, &self.opened()?) {
            return Err(crate::errors::locked());
        }
        self.store.put_connections(&sealed).await?;
        self.rebuild(&open).await?;
        self.count_setup().await?;
        Ok(sealed.iter().map(|one| self.connection_view(&one.connection, None)).collect())
    }
}

fn named(new: &NewConnection, error: CallError) -> CallError {
    let name = new.name.as_deref().unwrap_or(&new.service);
    CallError { message: format!("{name}: {}", error.message), ..error }
}
