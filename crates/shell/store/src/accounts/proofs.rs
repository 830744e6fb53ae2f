//! Facts that are proven: sessions, holders who came once, issuers whose keys were revoked.

use symbolon_account::AccountError;
use symbolon_circuits::{IssuerPublicKey, Nonce};
use symbolon_proof::{Acceptance, Accepted, ProofStore, StoreError, StoredSession};

use super::Accounts;
use super::rows_of_proofs::RevokedIssuer;
use super::value::{bytes, int};

const SEEN: &str = "this holder in this epoch";

impl ProofStore for Accounts {
    async fn begin(&self, session: &StoredSession) -> Result<(), StoreError> {
        let session = session.clone();
        self.engine
            .write(move |db| Box::pin(async move { db.insert(&session, "the session").await }))
            .await
            .map_err(failed)
    }

    async fn find(&self, nonce: Nonce) -> Result<Option<StoredSession>, StoreError> {
        let mut db = self.engine.reader().await.map_err(failed)?;
        db.one("WHERE nonce = $1", vec![bytes(&nonce.0)]).await.map_err(failed)
    }

    async fn accept(&self, acceptance: &Acceptance) -> Result<Accepted, StoreError> {
        let Acceptance { nonce, unique, outcome } = acceptance.clone();
        let taken = self.engine.write(move |db| {
            Box::pin(async move {
                // Who waits for the row sees it as who was before left it.
                let args = vec![bytes(&nonce.0)];
                let found = db.one_locked::<StoredSession>("WHERE nonce = $1", args).await?;
                let Some(session) = found.filter(|session| session.outcome.is_none()) else {
                    return Ok(Accepted::Spent);
                };
                if let Some(unique) = unique {
                    db.insert(&unique, SEEN).await?;
                }
                db.update(&StoredSession { outcome: Some(outcome), ..session }).await?;
                Ok(Accepted::Taken)
            })
        });
        match taken.await {
            // The transaction is gone, and the session as it was.
            Err(AccountError::Exists(SEEN)) => Ok(Accepted::SeenBefore),
            taken => taken.map_err(failed),
        }
    }

    async fn is_revoked(&self, issuer: IssuerPublicKey) -> Result<bool, StoreError> {
        let mut db = self.engine.reader().await.map_err(failed)?;
        let args = vec![bytes(&issuer.to_bytes())];
        let found = db.one::<RevokedIssuer>("WHERE issuer = $1", args).await;
        found.map(|found| found.is_some()).map_err(failed)
    }

    async fn purge_proofs(&self, ended_unix_ms: u64) -> Result<u64, StoreError> {
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    let ended = vec![int(ended_unix_ms)?];
                    db.delete::<StoredSession>("WHERE expires_unix_ms <= $1", ended).await
                })
            })
            .await
            .map_err(failed)
    }
}

impl Accounts {
    /// Believes an issuer's key no more, from now on and at every server of the database. Whether that is
    /// new: a key that was revoked stays so.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn revoke_issuer(
        &self,
        issuer: IssuerPublicKey,
        at_unix_ms: u64,
    ) -> Result<bool, AccountError> {
        let row = RevokedIssuer { issuer: issuer.to_bytes(), at_unix_ms };
        let kept = self
            .engine
            .write(move |db| Box::pin(async move { db.insert(&row, "the revocation").await }));
        match kept.await {
            Ok(()) => Ok(true),
            Err(AccountError::Exists(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn failed(error: AccountError) -> StoreError {
    StoreError(error.to_string())
}
