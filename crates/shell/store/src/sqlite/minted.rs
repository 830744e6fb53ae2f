//! Minted credentials in SQLite.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, query};
use symbolon_capability::{
    AgentName, ConnectionName, MintedId, MintedRow, MintedStore, StoreError,
};
use symbolon_codec::Digest32;

use super::{SqliteStore, database, named, number, parsed, signed, some, text};

impl MintedStore for SqliteStore {
    async fn minted(&self) -> Result<Vec<MintedRow>, StoreError> {
        let rows = query("SELECT * FROM minted_token ORDER BY rowid")
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
        rows.iter().map(minted).collect()
    }

    async fn add_minted(&self, rows: &[MintedRow], now_unix_ms: u64) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        query("DELETE FROM minted_token WHERE expires_unix_ms <= ?")
            .bind(signed(now_unix_ms))
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        for row in rows {
            query(
                "INSERT INTO minted_token (id, connection, agent, tool, intent, created_unix_ms, \
                 expires_unix_ms, token) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(row.id.digest().to_string())
            .bind(row.connection.as_str())
            .bind(row.agent.as_str())
            .bind(&row.tool)
            .bind(signed(row.intent))
            .bind(signed(row.created_unix_ms))
            .bind(row.expires_unix_ms.map(signed))
            .bind(&row.token)
            .execute(&mut *tx)
            .await
            .map_err(|e| named(e, "this minted credential"))?;
        }
        tx.commit().await.map_err(database)
    }

    async fn delete_minted(&self, id: &MintedId) -> Result<(), StoreError> {
        let done = query("DELETE FROM minted_token WHERE id = ?")
            .bind(id.digest().to_string())
            .execute(&self.pool)
            .await
            .map_err(database)?;
        some(done.rows_affected(), &id.to_string())
    }
}

fn minted(r: &SqliteRow) -> Result<MintedRow, StoreError> {
    let expires: Option<i64> = r.try_get("expires_unix_ms").map_err(database)?;
    let id = parsed(Digest32::from_hex(&text(r, "id")?), "minted id")?;
    Ok(MintedRow {
        id: MintedId::from_digest(id),
        connection: parsed(ConnectionName::parse(&text(r, "connection")?), "connection name")?,
        agent: parsed(AgentName::parse(&text(r, "agent")?), "agent name")?,
        tool: text(r, "tool")?,
        intent: number(r, "intent")?,
        created_unix_ms: number(r, "created_unix_ms")?,
        expires_unix_ms: expires.map(|_| number(r, "expires_unix_ms")).transpose()?,
        token: r.try_get("token").map_err(database)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Scratch, connection};
    use super::*;
    use symbolon_capability::Store;

    fn row(text: &str, expires_unix_ms: Option<u64>) -> MintedRow {
        MintedRow {
            id: MintedId::of(text),
            connection: ConnectionName::parse("npm").unwrap(),
            agent: AgentName::parse("claude").unwrap(),
            tool: "npm.tokens.create".to_owned(),
            intent: 7,
            created_unix_ms: 1,
            expires_unix_ms,
            token: text.as_bytes().to_vec(),
        }
    }

    #[tokio::test]
    async fn they_are_kept_in_order_until_they_are_over() {
        let scratch = Scratch::new("minted");
        let store = SqliteStore::create(&scratch.file()).await.unwrap();
        store.put_connection(&connection("npm"), b"sealed", false).await.unwrap();
        let (one, two, three) = (row("one", None), row("two", Some(50)), row("three", Some(60)));
        store.add_minted(&[one.clone(), two.clone()], 10).await.unwrap();
        store.close().await;
        let store = SqliteStore::open(&scratch.file()).await.unwrap();
        assert_eq!(store.minted().await.unwrap(), [one.clone(), two.clone()]);
        store.add_minted(std::slice::from_ref(&three), 50).await.unwrap();
        assert_eq!(store.minted().await.unwrap(), [one.clone(), three.clone()], "two is over");
        store.delete_minted(&one.id).await.unwrap();
        assert!(matches!(store.delete_minted(&one.id).await, Err(StoreError::Missing(_))));
        assert_eq!(store.minted().await.unwrap(), [three]);
    }

    #[tokio::test]
    async fn they_go_with_their_connection_and_none_is_without_one() {
        let scratch = Scratch::new("minted-gone");
        let store = SqliteStore::create(&scratch.file()).await.unwrap();
        let orphan = store.add_minted(&[row("one", None)], 0).await;
        assert!(orphan.is_err(), "{orphan:?}");
        store.put_connection(&connection("npm"), b"sealed", false).await.unwrap();
        store.add_minted(&[row("one", None)], 0).await.unwrap();
        // All or none: the second is there already.
        let twice = store.add_minted(&[row("two", None), row("one", None)], 0).await;
        assert!(matches!(twice, Err(StoreError::Exists(_))), "{twice:?}");
        assert_eq!(store.minted().await.unwrap().len(), 1);
        store.put_connection(&connection("npm"), b"another", true).await.unwrap();
        assert_eq!(store.minted().await.unwrap(), [], "replaced");
        store.add_minted(&[row("one", None)], 0).await.unwrap();
        store.delete_connection(&ConnectionName::parse("npm").unwrap()).await.unwrap();
        assert_eq!(store.minted().await.unwrap(), [], "disconnected");
    }
}
