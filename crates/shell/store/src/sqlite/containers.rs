//! Pinned signers and the replay registry in SQLite.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, query};
use symbolon_capability::StoreError;
use symbolon_codec::Digest32;
use symbolon_container::deed::Kind;
use symbolon_container::{ContainerStore, DeedPlace, TrustedSigner};
use symbolon_crypto::VerifyingKey;

use super::{SqliteStore, database, named, number as number_of, parsed, signed, some, text};

impl ContainerStore for SqliteStore {
    async fn trusted_signers(&self) -> Result<Vec<TrustedSigner>, StoreError> {
        let rows = query("SELECT * FROM trusted_signer ORDER BY name")
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
        let one = |r: &SqliteRow| {
            Ok(TrustedSigner {
                key: parsed(VerifyingKey::from_hex(&text(r, "key")?), "signer's key")?,
                name: text(r, "name")?,
                created_unix_ms: number_of(r, "created_unix_ms")?,
            })
        };
        rows.iter().map(one).collect()
    }

    async fn trust_signer(&self, signer: &TrustedSigner) -> Result<(), StoreError> {
        query("INSERT INTO trusted_signer (key, name, created_unix_ms) VALUES (?, ?, ?)")
            .bind(symbolon_codec::hex::encode(signer.key.as_bytes()))
            .bind(&signer.name)
            .bind(signed(signer.created_unix_ms))
            .execute(&self.pool)
            .await
            .map_err(|e| named(e, "this key, or a signer of this name,"))?;
        Ok(())
    }

    async fn distrust_signer(&self, key: &VerifyingKey) -> Result<(), StoreError> {
        let key = symbolon_codec::hex::encode(key.as_bytes());
        let done = query("DELETE FROM trusted_signer WHERE key = ?")
            .bind(&key)
            .execute(&self.pool)
            .await
            .map_err(database)?;
        some(done.rows_affected(), &key)
    }

    async fn take_deed_place(
        &self,
        deed: &Digest32,
        number: u64,
        kind: Kind,
        at_unix_ms: u64,
        event: &Digest32,
    ) -> Result<DeedPlace, StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        let taken = query(
            "INSERT INTO deed_signed (deed, number, kind, at_unix_ms, event) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT (deed, number) DO NOTHING",
        )
        .bind(deed.to_string())
        .bind(signed(number))
        .bind(kind.as_str())
        .bind(signed(at_unix_ms))
        .bind(event.to_string())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        let here = query(
            "SELECT at_unix_ms, event, EXISTS (SELECT 1 FROM deed_signed AS after \
             WHERE after.deed = here.deed AND after.number = here.number + 1) AS is_followed \
             FROM deed_signed AS here WHERE deed = ? AND number = ?",
        )
        .bind(deed.to_string())
        .bind(signed(number))
        .fetch_one(&mut *tx)
        .await
        .map_err(database)?;
        tx.commit().await.map_err(database)?;
        if taken.rows_affected() > 0 {
            return Ok(DeedPlace::Taken);
        }
        let before: Option<String> = here.try_get("event").map_err(database)?;
        Ok(DeedPlace::Signed {
            at_unix_ms: number_of(&here, "at_unix_ms")?,
            is_same: before.is_some_and(|before| before == event.to_string()),
            is_followed: number_of(&here, "is_followed")? > 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Scratch;
    use super::*;
    use symbolon_ambient::SeededRng;
    use symbolon_crypto::SigningKey;

    #[tokio::test]
    async fn a_place_of_a_deed_is_taken_once_also_after_a_restart() {
        let scratch = Scratch::new("deeds");
        let store = SqliteStore::create(&scratch.file()).await.unwrap();
        let (deed, event, other) = (Digest32([1; 32]), Digest32([8; 32]), Digest32([9; 32]));
        let signed =
            |is_same, is_followed| DeedPlace::Signed { at_unix_ms: 7, is_same, is_followed };
        let first = store.take_deed_place(&deed, 3, Kind::Accept, 7, &event).await.unwrap();
        assert_eq!(first, DeedPlace::Taken);
        let again = store.take_deed_place(&deed, 3, Kind::Accept, 8, &event).await.unwrap();
        assert_eq!(again, signed(true, false));
        store.take_deed_place(&deed, 4, Kind::Import, 7, &other).await.unwrap();
        store.close().await;
        let store = SqliteStore::open(&scratch.file()).await.unwrap();
        let again = store.take_deed_place(&deed, 3, Kind::Accept, 8, &event).await.unwrap();
        assert_eq!(again, signed(true, true));
        let another = store.take_deed_place(&deed, 3, Kind::Accept, 8, &other).await.unwrap();
        assert_eq!(another, signed(false, true));
        let of_another = Digest32([2; 32]);
        let fresh = store.take_deed_place(&of_another, 3, Kind::Accept, 8, &event).await.unwrap();
        assert_eq!(fresh, DeedPlace::Taken);
    }

    #[tokio::test]
    async fn signers_are_pinned_by_key_and_name() {
        let scratch = Scratch::new("signers");
        let store = SqliteStore::create(&scratch.file()).await.unwrap();
        let signer = |seed, name: &str| TrustedSigner {
            key: SigningKey::make(&SeededRng::new(seed)).verifying_key(),
            name: name.to_owned(),
            created_unix_ms: 1,
        };
        store.trust_signer(&signer(1, "a")).await.unwrap();
        assert!(store.trust_signer(&signer(1, "b")).await.is_err());
        assert!(store.trust_signer(&signer(2, "a")).await.is_err());
        assert_eq!(store.trusted_signers().await.unwrap(), [signer(1, "a")]);
        store.distrust_signer(&signer(1, "a").key).await.unwrap();
        let missing = store.distrust_signer(&signer(1, "a").key).await;
        assert!(matches!(missing, Err(StoreError::Missing(_))));
    }
}
