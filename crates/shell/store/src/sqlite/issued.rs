//! Issued tokens in SQLite: the new ones stand in the place of the old in one transaction.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, query};
use symbolon_capability::oauth2::{IssuedRow, IssuedStore};
use symbolon_capability::{Connection, ConnectionName, StoreError, TokenScope};

use super::{SqliteStore, database, insert_connection, number, parsed, signed, text};

impl IssuedStore for SqliteStore {
    async fn issued(&self) -> Result<Vec<(ConnectionName, IssuedRow)>, StoreError> {
        let rows =
            query("SELECT * FROM issued_token").fetch_all(&self.pool).await.map_err(database)?;
        rows.iter()
            .map(|r| {
                let name = ConnectionName::parse(&text(r, "connection")?);
                Ok((parsed(name, "connection name")?, issued(r)?))
            })
            .collect()
    }

    async fn issued_to(&self, name: &ConnectionName) -> Result<Option<IssuedRow>, StoreError> {
        let row = query("SELECT * FROM issued_token WHERE connection = ?")
            .bind(name.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(database)?;
        row.as_ref().map(issued).transpose()
    }

    async fn put_connection_issued(
        &self,
        connection: &Connection,
        envelope: &[u8],
        replace: bool,
        row: &IssuedRow,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        insert_connection(&mut tx, connection, envelope, replace).await?;
        query(
            "INSERT INTO issued_token (access, expires_unix_ms, refresh, scope, problem, connection) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(&row.access)
        .bind(row.expires_unix_ms.map(signed))
        .bind(&row.refresh)
        .bind(row.scope.as_ref().map(TokenScope::as_str))
        .bind(&row.problem)
        .bind(connection.name.as_str())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        tx.commit().await.map_err(database)
    }

    async fn replace_issued(
        &self,
        name: &ConnectionName,
        before: &[u8],
        row: &IssuedRow,
    ) -> Result<bool, StoreError> {
        let done = query(
            "UPDATE issued_token SET access = ?, expires_unix_ms = ?, refresh = ?, scope = ?, \
             problem = ? WHERE connection = ? AND access = ?",
        )
        .bind(&row.access)
        .bind(row.expires_unix_ms.map(signed))
        .bind(&row.refresh)
        .bind(row.scope.as_ref().map(TokenScope::as_str))
        .bind(&row.problem)
        .bind(name.as_str())
        .bind(before)
        .execute(&self.pool)
        .await
        .map_err(database)?;
        Ok(done.rows_affected() == 1)
    }
}

fn issued(r: &SqliteRow) -> Result<IssuedRow, StoreError> {
    let scope: Option<String> = r.try_get("scope").map_err(database)?;
    let expires: Option<i64> = r.try_get("expires_unix_ms").map_err(database)?;
    Ok(IssuedRow {
        access: r.try_get("access").map_err(database)?,
        expires_unix_ms: expires.map(|_| number(r, "expires_unix_ms")).transpose()?,
        refresh: r.try_get("refresh").map_err(database)?,
        scope: scope.map(|text| parsed(TokenScope::parse(&text), "scope")).transpose()?,
        problem: r.try_get("problem").map_err(database)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Scratch, connection};
    use super::*;
    use symbolon_capability::Store;

    fn row(access: &[u8]) -> IssuedRow {
        let refresh = Some([access, b"-refresh"].concat());
        let (scope, expires_unix_ms) = (TokenScope::parse("read write").ok(), Some(7));
        IssuedRow { access: access.to_vec(), expires_unix_ms, refresh, scope, problem: None }
    }

    #[tokio::test]
    async fn new_tokens_replace_those_that_were_read_and_no_others() {
        let scratch = Scratch::new("issued");
        let store = SqliteStore::create(&scratch.file()).await.unwrap();
        let c = connection("github");
        store.put_connection_issued(&c, b"sealed", false, &row(b"one")).await.unwrap();
        assert_eq!(store.issued_to(&c.name).await.unwrap(), Some(row(b"one")));
        assert!(store.replace_issued(&c.name, b"one", &row(b"two")).await.unwrap());
        // Who read the row before that is too late, and changes nothing.
        assert!(!store.replace_issued(&c.name, b"one", &row(b"three")).await.unwrap());
        let revoked = IssuedRow { problem: Some("invalid_grant".into()), ..row(b"two") };
        assert!(store.replace_issued(&c.name, b"two", &revoked).await.unwrap());
        store.close().await;
        let store = SqliteStore::open(&scratch.file()).await.unwrap();
        assert_eq!(store.issued().await.unwrap(), vec![(c.name.clone(), revoked)]);
    }

    #[tokio::test]
    async fn tokens_go_with_their_connection() {
        let scratch = Scratch::new("issued-gone");
        let store = SqliteStore::create(&scratch.file()).await.unwrap();
        let c = connection("github");
        store.put_connection_issued(&c, b"sealed", false, &row(b"one")).await.unwrap();
        let twice = store.put_connection_issued(&c, b"sealed", false, &row(b"two")).await;
        assert!(matches!(twice, Err(StoreError::Exists(_))), "{twice:?}");
        assert_eq!(store.issued_to(&c.name).await.unwrap(), Some(row(b"one")));
        store.put_connection_issued(&c, b"sealed", true, &row(b"two")).await.unwrap();
        assert_eq!(store.issued_to(&c.name).await.unwrap(), Some(row(b"two")));
        store.put_connection(&c, b"a token of its own", true).await.unwrap();
        assert_eq!(store.issued().await.unwrap(), vec![]);
        store.put_connection_issued(&c, b"sealed", true, &row(b"three")).await.unwrap();
        store.delete_connection(&c.name).await.unwrap();
        assert_eq!(store.issued().await.unwrap(), vec![]);
    }
}
