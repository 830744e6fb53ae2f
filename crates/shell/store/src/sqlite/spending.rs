//! Budgets, cooldowns and shadow mode in SQLite: a list of changes is one transaction.

use std::collections::BTreeMap;

use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Row, Transaction, query};
use symbolon_capability::StoreError;
use symbolon_capability::budget::{
    Cooled, GiveBack, Line, Reservation, Shadowed, SpendingChange, SpendingStore, Spent,
};

use super::{SqliteStore, database, number, signed, text};

type Tx<'a> = Transaction<'a, Sqlite>;

/// Kinds of passed-over calls that are told apart; more are counted into those that are there.
const SHADOWED_MAX: i64 = 2_000;

impl SpendingStore for SqliteStore {
    async fn change_spending(&self, changes: &[SpendingChange]) -> Result<(), StoreError> {
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(database)?;
        for change in changes {
            match change {
                SpendingChange::Reserve(r) => reserve(&mut tx, r).await?,
                SpendingChange::Settle { intent, give_back } => {
                    settle(&mut tx, intent, *give_back).await?;
                }
                SpendingChange::Shadow(s) => shadow(&mut tx, s).await?,
            }
        }
        tx.commit().await.map_err(database)
    }

    async fn spent(&self) -> Result<Vec<Spent>, StoreError> {
        let rows =
            query("SELECT * FROM budget_spent").fetch_all(&self.pool).await.map_err(database)?;
        rows.iter()
            .map(|r| {
                Ok(Spent {
                    grant: number(r, "grant_id")?,
                    budget: place(r)?,
                    slot: number(r, "slot")?,
                    micros: number(r, "micros")?,
                })
            })
            .collect()
    }

    async fn reservations(&self) -> Result<Vec<Reservation>, StoreError> {
        let rows = query("SELECT * FROM budget_reserved ORDER BY intent, grant_id, budget")
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
        let mut found: BTreeMap<[u8; 16], Reservation> = BTreeMap::new();
        for r in &rows {
            let intent: Vec<u8> = r.try_get("intent").map_err(database)?;
            let intent = intent.try_into().map_err(|_| StoreError::Damaged("intent".into()))?;
            let log_size = number(r, "log_size")?;
            let one = found.entry(intent).or_insert(Reservation {
                intent,
                log_size,
                relaxed: r.try_get("relaxed").map_err(database)?,
                lines: Vec::new(),
                cooled: Vec::new(),
            });
            one.lines.push(Line {
                grant: number(r, "grant_id")?,
                budget: place(r)?,
                slot: number(r, "slot")?,
                micros: number(r, "micros")?,
                by_count: r.try_get("by_count").map_err(database)?,
            });
        }
        Ok(found.into_values().collect())
    }

    async fn cooled(&self) -> Result<Vec<Cooled>, StoreError> {
        let rows = query("SELECT * FROM cooldown").fetch_all(&self.pool).await.map_err(database)?;
        rows.iter()
            .map(|r| {
                Ok(Cooled {
                    grant: number(r, "grant_id")?,
                    scope: text(r, "scope")?,
                    at_unix_ms: number(r, "at_unix_ms")?,
                    seconds: number(r, "seconds")?,
                })
            })
            .collect()
    }

    async fn shadowed(&self) -> Result<Vec<Shadowed>, StoreError> {
        let rows = query("SELECT * FROM shadowed ORDER BY last_unix_ms DESC, agent, tool, code")
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
        rows.iter()
            .map(|r| {
                Ok(Shadowed {
                    agent: text(r, "agent")?,
                    connection: text(r, "connection")?,
                    tool: text(r, "tool")?,
                    scope: text(r, "scope")?,
                    gate: text(r, "gate")?,
                    code: text(r, "code")?,
                    message: text(r, "message")?,
                    count: number(r, "count")?,
                    first_unix_ms: number(r, "first_unix_ms")?,
                    last_unix_ms: number(r, "last_unix_ms")?,
                })
            })
            .collect()
    }

    async fn clear_shadowed(&self) -> Result<(), StoreError> {
        query("DELETE FROM shadowed").execute(&self.pool).await.map_err(database)?;
        Ok(())
    }

    async fn shadow_is_kept(&self) -> Result<bool, StoreError> {
        let row = query("SELECT one FROM shadow_kept").fetch_optional(&self.pool).await;
        Ok(row.map_err(database)?.is_some())
    }

    async fn keep_shadow(&self, keep: bool) -> Result<(), StoreError> {
        let change = match keep {
            true => query("INSERT OR IGNORE INTO shadow_kept (one) VALUES (1)"),
            false => query("DELETE FROM shadow_kept"),
        };
        change.execute(&self.pool).await.map_err(database)?;
        Ok(())
    }
}

async fn reserve(tx: &mut Tx<'_>, r: &Reservation) -> Result<(), StoreError> {
    for line in &r.lines {
        query(
            "INSERT INTO budget_reserved (intent, budget, grant_id, slot, micros, by_count, log_size, relaxed) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(r.intent.as_slice())
        .bind(line.budget)
        .bind(signed(line.grant))
        .bind(signed(line.slot))
        .bind(signed(line.micros))
        .bind(line.by_count)
        .bind(signed(r.log_size))
        .bind(r.relaxed)
        .execute(&mut **tx)
        .await
        .map_err(database)?;
        query(
            "INSERT INTO budget_spent (grant_id, budget, slot, micros) VALUES (?, ?, ?, ?) \
             ON CONFLICT DO UPDATE SET micros = MIN(9000000000000000000, budget_spent.micros + excluded.micros)",
        )
        .bind(signed(line.grant))
        .bind(line.budget)
        .bind(signed(line.slot))
        .bind(signed(line.micros))
        .execute(&mut **tx)
        .await
        .map_err(database)?;
        // What was spent in slots that no period counts any longer: 64 are more than any has.
        query(
            "DELETE FROM budget_spent WHERE grant_id = ?1 AND budget = ?2 AND slot < ?3 - 64 \
             AND NOT EXISTS (SELECT 1 FROM budget_reserved r WHERE r.grant_id = ?1 AND r.budget = ?2 \
             AND r.slot = budget_spent.slot)",
        )
        .bind(signed(line.grant))
        .bind(line.budget)
        .bind(signed(line.slot))
        .execute(&mut **tx)
        .await
        .map_err(database)?;
    }
    for cooled in &r.cooled {
        query(
            "INSERT OR REPLACE INTO cooldown (grant_id, scope, at_unix_ms, seconds) VALUES (?, ?, ?, ?)",
        )
        .bind(signed(cooled.grant))
        .bind(&cooled.scope)
        .bind(signed(cooled.at_unix_ms))
        .bind(signed(cooled.seconds))
        .execute(&mut **tx)
        .await
        .map_err(database)?;
    }
    Ok(())
}

async fn settle(tx: &mut Tx<'_>, intent: &[u8; 16], give_back: GiveBack) -> Result<(), StoreError> {
    if give_back != GiveBack::Nothing {
        query(
            "UPDATE budget_spent SET micros = MAX(0, budget_spent.micros - r.micros) FROM budget_reserved r \
             WHERE r.intent = ? AND (? OR NOT r.by_count) AND r.grant_id = budget_spent.grant_id \
             AND r.budget = budget_spent.budget AND r.slot = budget_spent.slot",
        )
        .bind(intent.as_slice())
        .bind(give_back == GiveBack::All)
        .execute(&mut **tx)
        .await
        .map_err(database)?;
    }
    query("DELETE FROM budget_reserved WHERE intent = ?")
        .bind(intent.as_slice())
        .execute(&mut **tx)
        .await
        .map_err(database)?;
    Ok(())
}

async fn shadow(tx: &mut Tx<'_>, s: &Shadowed) -> Result<(), StoreError> {
    let done = query(
        "UPDATE shadowed SET count = count + ?, last_unix_ms = ?, message = ?, scope = ?, gate = ? \
         WHERE agent = ? AND connection = ? AND tool = ? AND code = ?",
    )
    .bind(signed(s.count))
    .bind(signed(s.last_unix_ms))
    .bind(&s.message)
    .bind(&s.scope)
    .bind(&s.gate)
    .bind(&s.agent)
    .bind(&s.connection)
    .bind(&s.tool)
    .bind(&s.code)
    .execute(&mut **tx)
    .await
    .map_err(database)?;
    if done.rows_affected() > 0 {
        return Ok(());
    }
    // An agent can call itself anything; the list stays one that can be read.
    query(
        "INSERT INTO shadowed (agent, connection, tool, code, scope, gate, message, count, \
         first_unix_ms, last_unix_ms) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? \
         WHERE (SELECT COUNT(*) FROM shadowed) < ?",
    )
    .bind(&s.agent)
    .bind(&s.connection)
    .bind(&s.tool)
    .bind(&s.code)
    .bind(&s.scope)
    .bind(&s.gate)
    .bind(&s.message)
    .bind(signed(s.count))
    .bind(signed(s.first_unix_ms))
    .bind(signed(s.last_unix_ms))
    .bind(SHADOWED_MAX)
    .execute(&mut **tx)
    .await
    .map_err(database)?;
    Ok(())
}

fn place(row: &SqliteRow) -> Result<u16, StoreError> {
    u16::try_from(number(row, "budget")?)
        .map_err(|_| StoreError::Damaged("budget is out of its bounds".into()))
}
