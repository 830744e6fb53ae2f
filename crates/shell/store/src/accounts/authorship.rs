//! Registered texts: who was first, by the log's indices.

use symbolon_account::{AccountError, AccountId};
use symbolon_authorship::{AuthorshipStore, Naming, Registration};
use symbolon_codec::Digest32;

use super::Accounts;
use super::rows_of_authorship::ShownName;
use super::value::{bytes, text};

impl AuthorshipStore for Accounts {
    async fn put_registration(&self, new: &Registration) -> Result<(), AccountError> {
        let new = new.clone();
        self.engine
            .write(move |db| Box::pin(async move { db.insert(&new, "the registration").await }))
            .await
    }

    async fn registration(
        &self,
        commitment: &Digest32,
    ) -> Result<Option<Registration>, AccountError> {
        let mut db = self.engine.reader().await?;
        db.one("WHERE commitment = $1", vec![bytes(commitment.as_bytes())]).await
    }

    async fn first_of(
        &self,
        log: &str,
        digest: &Digest32,
    ) -> Result<Option<Registration>, AccountError> {
        let mut db = self.engine.reader().await?;
        let tail = "WHERE digest = $1 AND log = $2 ORDER BY registered_at LIMIT 1";
        db.one(tail, vec![bytes(digest.as_bytes()), text(log)]).await
    }

    async fn change_registration(
        &self,
        next: &Registration,
        naming: Naming,
    ) -> Result<(), AccountError> {
        let next = next.clone();
        self.engine
            .write(move |db| {
                Box::pin(async move {
                    let of = || vec![bytes(next.commitment.as_bytes())];
                    let found =
                        db.one_locked::<Registration>("WHERE commitment = $1", of()).await?;
                    let before = found.ok_or(AccountError::Missing("the registration"))?;
                    let known = next.indices.len().saturating_sub(1);
                    if before.log != next.log || before.indices[..] != next.indices[..known] {
                        return Err(AccountError::Conflict("the registration"));
                    }
                    db.update(&next).await?;
                    if naming == Naming::Kept {
                        return Ok(());
                    }
                    db.delete::<ShownName>("WHERE commitment = $1", of()).await?;
                    match naming {
                        Naming::By(account) => {
                            let name = ShownName { commitment: next.commitment, account };
                            db.insert(&name, "the name").await
                        }
                        Naming::Kept | Naming::Nobody => Ok(()),
                    }
                })
            })
            .await
    }

    async fn named(&self, commitment: &Digest32) -> Result<Option<AccountId>, AccountError> {
        let mut db = self.engine.reader().await?;
        let args = vec![bytes(commitment.as_bytes())];
        let found = db.one::<ShownName>("WHERE commitment = $1", args).await?;
        Ok(found.map(|name| name.account))
    }
}
