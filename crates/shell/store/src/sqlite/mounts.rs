//! Mounted MCP servers in SQLite.

use sqlx::Row;
use sqlx::query;
use sqlx::sqlite::SqliteRow;
use symbolon_capability::{ConnectionName, MountRow, MountStore, SealedConnection, StoreError};

use super::{SqliteStore, database, insert_connection, named, number, parsed, signed, some, text};

impl MountStore for SqliteStore {
    async fn mounts(&self) -> Result<Vec<MountRow>, StoreError> {
        let rows = query("SELECT * FROM mount ORDER BY name").fetch_all(&self.pool).await;
        let one = |r: &SqliteRow| {
            Ok(MountRow {
                name: parsed(ConnectionName::parse(&text(r, "name")?), "mount's name")?,
                created_unix_ms: number(r, "created_unix_ms")?,
                body: r.try_get("body").map_err(database)?,
            })
        };
        rows.map_err(database)?.iter().map(one).collect()
    }

    async fn put_mount(
        &self,
        row: &MountRow,
        connection: &SealedConnection,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        if connection.replace {
            query("DELETE FROM mount WHERE name = ?")
                .bind(row.name.as_str())
                .execute(&mut *tx)
                .await
                .map_err(database)?;
        }
        query("INSERT INTO mount (name, created_unix_ms, body) VALUES (?, ?, ?)")
            .bind(row.name.as_str())
            .bind(signed(row.created_unix_ms))
            .bind(&row.body)
            .execute(&mut *tx)
            .await
            .map_err(|e| named(e, row.name.as_str()))?;
        let SealedConnection { connection, envelope, replace } = connection;
        insert_connection(&mut tx, connection, envelope, *replace).await?;
        tx.commit().await.map_err(database)
    }

    async fn replace_mount(&self, row: &MountRow) -> Result<(), StoreError> {
        let done = query("UPDATE mount SET created_unix_ms = ?, body = ? WHERE name = ?")
            .bind(signed(row.created_unix_ms))
            .bind(&row.body)
            .bind(row.name.as_str())
            .execute(&self.pool)
            .await
            .map_err(database)?;
        some(done.rows_affected(), row.name.as_str())
    }

    async fn delete_mount(&self, name: &ConnectionName) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        let done = query("DELETE FROM mount WHERE name = ?")
            .bind(name.as_str())
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        some(done.rows_affected(), name.as_str())?;
        query("DELETE FROM connection WHERE name = ?")
            .bind(name.as_str())
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        tx.commit().await.map_err(database)
    }
}
