//! The chain of the operator's execution keys in SQLite.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, query, query_scalar};
use symbolon_capability::StoreError;
use symbolon_codec::Digest32;

use super::{SqliteStore, database, named, parsed, signed, some};

/// One execution key of the chain: what is kept of it. The key itself is derived anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionRow {
    /// How many came before it.
    pub position: u64,
    /// SHA3-512 of the component that it was made for.
    pub component: [u8; 64],
    /// Which run of it.
    pub number: u64,
    /// Its leaf.
    pub leaf: Digest32,
}

/// The newest head of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionHead {
    /// The bytes that are signed.
    pub bytes: Vec<u8>,
    /// The operator's signature over them.
    pub signature: [u8; 64],
}

impl SqliteStore {
    /// Every leaf in its order, and the newest head where there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn execution_chain(
        &self,
    ) -> Result<(Vec<Digest32>, Option<ExecutionHead>), StoreError> {
        // One transaction, so that the head is the one of these leaves.
        let mut tx = self.pool.begin().await.map_err(database)?;
        let leaves = query("SELECT leaf FROM execution ORDER BY position")
            .fetch_all(&mut *tx)
            .await
            .map_err(database)?;
        let head = query("SELECT body, signature FROM execution_head")
            .fetch_optional(&mut *tx)
            .await
            .map_err(database)?;
        tx.commit().await.map_err(database)?;
        let leaves: Result<_, _> = leaves.iter().map(|r| array(r, "leaf").map(Digest32)).collect();
        let head = head.map(|r| {
            let bytes = r.try_get("body").map_err(database)?;
            Ok::<_, StoreError>(ExecutionHead { bytes, signature: array(&r, "signature")? })
        });
        Ok((leaves?, head.transpose()?))
    }

    /// The lowest number that no run of this component has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_execution(&self, component: &[u8; 64]) -> Result<u64, StoreError> {
        let last: Option<i64> =
            query_scalar("SELECT max(number) FROM execution WHERE component = ?")
                .bind(component.as_slice())
                .fetch_one(&self.pool)
                .await
                .map_err(database)?;
        Ok(last.map_or(0, |last| last.cast_unsigned() + 1))
    }

    /// Takes a key into the chain, with the head that has it; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where its position or its run was taken before; then nothing is changed.
    pub async fn add_execution(
        &self,
        row: &ExecutionRow,
        head: &ExecutionHead,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        query("INSERT INTO execution (position, component, number, leaf) VALUES (?, ?, ?, ?)")
            .bind(signed(row.position))
            .bind(row.component.as_slice())
            .bind(signed(row.number))
            .bind(row.leaf.as_bytes().as_slice())
            .execute(&mut *tx)
            .await
            .map_err(|e| named(e, &format!("execution key {}", row.position)))?;
        query(
            "INSERT INTO execution_head (one, body, signature) VALUES (1, ?, ?) \
             ON CONFLICT (one) DO UPDATE SET body = excluded.body, signature = excluded.signature",
        )
        .bind(&head.bytes)
        .bind(head.signature.as_slice())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        tx.commit().await.map_err(database)
    }

    /// Puts another key in the place of the operator's: its sealed seed, and the head of the chain that it signed, where there
    /// is a chain; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is changed.
    pub async fn replace_operator(
        &self,
        seed: &[u8],
        head: Option<&ExecutionHead>,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        let done = query("UPDATE operator SET seed = ?").bind(seed).execute(&mut *tx);
        some(done.await.map_err(database)?.rows_affected(), "the operator key")?;
        if let Some(head) = head {
            let done = query("UPDATE execution_head SET body = ?, signature = ?")
                .bind(&head.bytes)
                .bind(head.signature.as_slice())
                .execute(&mut *tx);
            some(done.await.map_err(database)?.rows_affected(), "the chain of execution keys")?;
        }
        tx.commit().await.map_err(database)
    }
}

fn array<const N: usize>(row: &SqliteRow, column: &str) -> Result<[u8; N], StoreError> {
    let bytes: Vec<u8> = row.try_get(column).map_err(database)?;
    parsed(<[u8; N]>::try_from(&bytes[..]), column)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Scratch;
    use super::*;

    fn row(position: u64, component: u8, number: u64) -> ExecutionRow {
        let leaf = Digest32([u8::try_from(position).unwrap(); 32]);
        ExecutionRow { position, component: [component; 64], number, leaf }
    }

    fn head(name: u8) -> ExecutionHead {
        ExecutionHead { bytes: vec![name; 7], signature: [name; 64] }
    }

    #[tokio::test]
    async fn each_component_counts_its_runs_also_after_a_restart() {
        let scratch = Scratch::new("executions");
        let store = SqliteStore::create(&scratch.file()).await.unwrap();
        assert_eq!(store.execution_chain().await.unwrap(), (vec![], None));
        assert_eq!(store.next_execution(&[1; 64]).await.unwrap(), 0);
        store.add_execution(&row(0, 1, 0), &head(1)).await.unwrap();
        store.add_execution(&row(1, 2, 0), &head(2)).await.unwrap();
        store.add_execution(&row(2, 1, 1), &head(3)).await.unwrap();
        store.close().await;
        let store = SqliteStore::open(&scratch.file()).await.unwrap();
        assert_eq!(store.next_execution(&[1; 64]).await.unwrap(), 2);
        assert_eq!(store.next_execution(&[2; 64]).await.unwrap(), 1);
        assert_eq!(store.next_execution(&[3; 64]).await.unwrap(), 0);
        let leaves = [0, 1, 2].map(|n| Digest32([n; 32])).to_vec();
        assert_eq!(store.execution_chain().await.unwrap(), (leaves, Some(head(3))));
    }

    #[tokio::test]
    async fn a_run_that_was_taken_is_not_taken_again_and_the_head_stays() {
        let scratch = Scratch::new("executions-twice");
        let store = SqliteStore::create(&scratch.file()).await.unwrap();
        store.add_execution(&row(0, 1, 0), &head(1)).await.unwrap();
        for again in [row(0, 1, 1), row(1, 1, 0)] {
            let twice = store.add_execution(&again, &head(9)).await;
            assert!(matches!(twice, Err(StoreError::Exists(_))), "{twice:?}");
        }
        let (leaves, kept) = store.execution_chain().await.unwrap();
        assert_eq!((leaves.len(), kept), (1, Some(head(1))));
    }
}
