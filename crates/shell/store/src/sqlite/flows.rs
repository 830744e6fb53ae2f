//! Flows and their runs in SQLite.

use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, query};
use symbolon_capability::{AgentName, StoreError};
use symbolon_codec::Digest32;
use symbolon_flow::{
    FlowName, FlowRow, FlowStore, RUNS_KEPT, RunId, RunRow, RunState, StepRow, StepState,
};

use super::{SqliteStore, database, named, number, parsed, signed, some, text};

impl FlowStore for SqliteStore {
    async fn flows(&self) -> Result<Vec<FlowRow>, StoreError> {
        let rows = query("SELECT * FROM flow ORDER BY name").fetch_all(&self.pool).await;
        rows.map_err(database)?.iter().map(flow).collect()
    }

    async fn put_flow(&self, row: &FlowRow, replace: bool) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        if replace {
            // What was delivered to the one before goes with it: its secret is another.
            query("DELETE FROM flow WHERE name = ?")
                .bind(row.name.as_str())
                .execute(&mut *tx)
                .await
                .map_err(database)?;
        }
        query("INSERT INTO flow (name, agent, created_unix_ms, body, schedule, watched_unix_ms, missed, hook) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(row.name.as_str())
            .bind(row.agent.as_str())
            .bind(signed(row.created_unix_ms))
            .bind(&row.body)
            .bind(&row.schedule)
            .bind(signed(row.watched_unix_ms))
            .bind(signed(row.missed))
            .bind(&row.hook)
            .execute(&mut *tx)
            .await
            .map_err(|e| named(e, row.name.as_str()))?;
        tx.commit().await.map_err(database)
    }

    async fn delete_flow(&self, name: &FlowName) -> Result<(), StoreError> {
        let done = query("DELETE FROM flow WHERE name = ?")
            .bind(name.as_str())
            .execute(&self.pool)
            .await
            .map_err(database)?;
        some(done.rows_affected(), name.as_str())
    }

    async fn set_watched(
        &self,
        name: &FlowName,
        watched_unix_ms: u64,
        missed: u64,
    ) -> Result<(), StoreError> {
        let done = query("UPDATE flow SET watched_unix_ms = ?, missed = ? WHERE name = ?")
            .bind(signed(watched_unix_ms))
            .bind(signed(missed))
            .bind(name.as_str())
            .execute(&self.pool)
            .await
            .map_err(database)?;
        some(done.rows_affected(), name.as_str())
    }

    async fn delivered(&self, flow: &FlowName, id: &Digest32) -> Result<Option<RunId>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(database)?;
        begun(&mut connection, flow, id).await
    }

    async fn put_delivered(
        &self,
        id: &Digest32,
        row: &RunRow,
        forget_before_ms: u64,
    ) -> Result<Option<RunId>, StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        // The first statement writes, so that of two deliveries one waits for the other.
        query("DELETE FROM flow_delivery WHERE taken_unix_ms < ?")
            .bind(signed(forget_before_ms))
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        if let Some(before) = begun(&mut tx, &row.flow, id).await? {
            return Ok(Some(before));
        }
        // One without a run is of a version that took the id first, and ended before the run began.
        query("INSERT OR REPLACE INTO flow_delivery (flow, id, taken_unix_ms, run) VALUES (?, ?, ?, ?)")
            .bind(row.flow.as_str())
            .bind(id.to_string())
            .bind(signed(row.created_unix_ms))
            .bind(row.id.to_string())
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        keep_run(&mut tx, row).await?;
        tx.commit().await.map_err(database)?;
        Ok(None)
    }

    async fn runs(&self, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        let rows = query(
            "SELECT id, flow, agent, state, epoch, log_from, created_unix_ms, changed_unix_ms, \
             x'' AS body FROM flow_run ORDER BY created_unix_ms DESC, rowid DESC LIMIT ?",
        )
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(database)?;
        rows.iter().map(run).collect()
    }

    async fn run(&self, id: RunId) -> Result<Option<RunRow>, StoreError> {
        let row = query("SELECT * FROM flow_run WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(database)?;
        row.as_ref().map(run).transpose()
    }

    async fn put_run(&self, row: &RunRow) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        keep_run(&mut tx, row).await?;
        tx.commit().await.map_err(database)
    }

    async fn steps(&self, run: RunId) -> Result<Vec<StepRow>, StoreError> {
        let rows = query("SELECT * FROM flow_step WHERE run = ? ORDER BY ordinal")
            .bind(run.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
        rows.iter().map(|row| step(run, row)).collect()
    }

    async fn record(
        &self,
        steps: &[StepRow],
        states: &[(RunId, RunState, u64)],
    ) -> Result<(), StoreError> {
        let mut tx = self.pool.begin().await.map_err(database)?;
        // A statement for many rows: one for each would cost more than its row.
        for rows in steps.chunks(ROWS_AT_ONCE) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT OR REPLACE INTO flow_step (run, step, ordinal, state, receipt, body) ",
            );
            insert.push_values(rows, |mut values, row| {
                values
                    .push_bind(row.run.to_string())
                    .push_bind(row.step)
                    .push_bind(signed(row.order))
                    .push_bind(row.state.as_str())
                    .push_bind(row.receipt.map(signed))
                    .push_bind(&row.body);
            });
            insert.build().execute(&mut *tx).await.map_err(database)?;
        }
        for (run, state, changed_unix_ms) in states {
            query("UPDATE flow_run SET state = ?, changed_unix_ms = ? WHERE id = ?")
                .bind(state.as_str())
                .bind(signed(*changed_unix_ms))
                .bind(run.to_string())
                .execute(&mut *tx)
                .await
                .map_err(database)?;
        }
        tx.commit().await.map_err(database)
    }
}

/// The run that a delivery of this id began.
async fn begun(
    connection: &mut SqliteConnection,
    flow: &FlowName,
    id: &Digest32,
) -> Result<Option<RunId>, StoreError> {
    let row = query("SELECT run FROM flow_delivery WHERE flow = ? AND id = ? AND run IS NOT NULL")
        .bind(flow.as_str())
        .bind(id.to_string())
        .fetch_optional(connection)
        .await
        .map_err(database)?;
    let run = row.map(|row| text(&row, "run")).transpose()?;
    run.map(|run| parsed(RunId::parse(&run).ok_or("not 32 digits"), "run")).transpose()
}

/// Keeps a run, and forgets the oldest that ended beyond [`RUNS_KEPT`].
async fn keep_run(tx: &mut SqliteConnection, row: &RunRow) -> Result<(), StoreError> {
    query(
        "DELETE FROM flow_run WHERE id IN (SELECT id FROM flow_run \
         WHERE state NOT IN ('running', 'rolling_back', 'uncertain') \
         ORDER BY created_unix_ms DESC, rowid DESC LIMIT -1 OFFSET ?)",
    )
    .bind(RUNS_KEPT)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    query(
        "INSERT INTO flow_run (id, flow, agent, state, epoch, log_from, created_unix_ms, \
         changed_unix_ms, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, epoch = excluded.epoch, \
         log_from = excluded.log_from, changed_unix_ms = excluded.changed_unix_ms, \
         body = excluded.body",
    )
    .bind(row.id.to_string())
    .bind(row.flow.as_str())
    .bind(row.agent.as_str())
    .bind(row.state.as_str())
    .bind(row.epoch)
    .bind(signed(row.log_from))
    .bind(signed(row.created_unix_ms))
    .bind(signed(row.changed_unix_ms))
    .bind(&row.body)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// Six values each, far below what a statement may bind.
const ROWS_AT_ONCE: usize = 100;

fn flow(r: &SqliteRow) -> Result<FlowRow, StoreError> {
    Ok(FlowRow {
        name: parsed(FlowName::parse(&text(r, "name")?), "flow name")?,
        agent: parsed(AgentName::parse(&text(r, "agent")?), "agent name")?,
        created_unix_ms: number(r, "created_unix_ms")?,
        body: r.try_get("body").map_err(database)?,
        schedule: r.try_get("schedule").map_err(database)?,
        watched_unix_ms: number(r, "watched_unix_ms")?,
        missed: number(r, "missed")?,
        hook: r.try_get("hook").map_err(database)?,
    })
}

fn run(r: &SqliteRow) -> Result<RunRow, StoreError> {
    let id = RunId::parse(&text(r, "id")?).ok_or("not 32 digits");
    let state = RunState::parse(&text(r, "state")?).ok_or("no state");
    Ok(RunRow {
        id: parsed(id, "run")?,
        flow: parsed(FlowName::parse(&text(r, "flow")?), "flow name")?,
        agent: parsed(AgentName::parse(&text(r, "agent")?), "agent name")?,
        state: parsed(state, "run")?,
        epoch: parsed(u32::try_from(number(r, "epoch")?), "epoch")?,
        log_from: number(r, "log_from")?,
        created_unix_ms: number(r, "created_unix_ms")?,
        changed_unix_ms: number(r, "changed_unix_ms")?,
        body: r.try_get("body").map_err(database)?,
    })
}

fn step(run: RunId, r: &SqliteRow) -> Result<StepRow, StoreError> {
    let receipt: Option<i64> = r.try_get("receipt").map_err(database)?;
    let state = StepState::parse(&text(r, "state")?).ok_or("no state");
    Ok(StepRow {
        run,
        step: parsed(u32::try_from(number(r, "step")?), "step")?,
        order: number(r, "ordinal")?,
        state: parsed(state, "step")?,
        receipt: receipt.map(|_| number(r, "receipt")).transpose()?,
        body: r.try_get("body").map_err(database)?,
    })
}

#[cfg(test)]
mod tests {
    use symbolon_flow::Outcome;

    use super::super::tests::Scratch;
    use super::*;

    fn a_run(id: u8, created_unix_ms: u64, state: RunState) -> RunRow {
        RunRow {
            id: RunId([id; 16]),
            flow: FlowName::parse("onboarding").unwrap(),
            agent: AgentName::parse("cli").unwrap(),
            state,
            epoch: 0,
            log_from: 3,
            created_unix_ms,
            changed_unix_ms: created_unix_ms,
            body: vec![id],
        }
    }

    fn a_step(run: u8, step: u32, order: u64, state: StepState) -> StepRow {
        StepRow { run: RunId([run; 16]), step, order, state, receipt: Some(order), body: vec![9] }
    }

    #[tokio::test]
    async fn runs_and_steps_are_kept_as_they_last_were() {
        let scratch = Scratch::new("flows");
        let store = SqliteStore::create(&scratch.file()).await.unwrap();
        let row = a_run(1, 10, RunState::Running);
        store.put_run(&row).await.unwrap();
        let steps = [a_step(1, 1, 1, StepState::Done), a_step(1, 0, 2, StepState::Failed)];
        store.record(&steps, &[]).await.unwrap();
        let undone = StepRow { receipt: None, ..a_step(1, 1, 3, StepState::Undone) };
        let ended = RunState::Ended(Outcome::RolledBack);
        store.record(std::slice::from_ref(&undone), &[(row.id, ended, 44)]).await.unwrap();
        store.close().await;
        let store = SqliteStore::open(&scratch.file()).await.unwrap();
        assert_eq!(store.steps(row.id).await.unwrap(), [steps[1].clone(), undone]);
        let found = store.run(row.id).await.unwrap().unwrap();
        assert_eq!(found, RunRow { state: ended, changed_unix_ms: 44, ..row.clone() });
        // Begun again: its steps stay.
        let again = RunRow { epoch: 1, log_from: 9, body: vec![8], ..row.clone() };
        store.put_run(&again).await.unwrap();
        assert_eq!(store.run(row.id).await.unwrap(), Some(again));
        assert_eq!(store.steps(row.id).await.unwrap().len(), 2);
        assert_eq!(store.run(RunId([5; 16])).await.unwrap(), None);
        let orphan = store.record(&[a_step(7, 0, 1, StepState::Done)], &[]).await;
        assert!(orphan.is_err(), "{orphan:?}");
    }

    #[tokio::test]
    async fn old_runs_are_forgotten_but_for_those_that_are_not_over() {
        let scratch = Scratch::new("flow-runs");
        let store = SqliteStore::create(&scratch.file()).await.unwrap();
        store.put_run(&a_run(1, 1, RunState::Ended(Outcome::Uncertain))).await.unwrap();
        store.put_run(&a_run(2, 2, RunState::Ended(Outcome::Done))).await.unwrap();
        store.record(&[a_step(2, 0, 1, StepState::Done)], &[]).await.unwrap();
        for at in 0..RUNS_KEPT {
            let id = (u128::from(at) + 1000).to_be_bytes();
            let row = RunRow { id: RunId(id), ..a_run(3, 10, RunState::Ended(Outcome::Failed)) };
            store.put_run(&row).await.unwrap();
        }
        store.put_run(&a_run(4, 20, RunState::Running)).await.unwrap();
        assert_eq!(store.run(RunId([2; 16])).await.unwrap(), None, "the oldest");
        assert_eq!(store.steps(RunId([2; 16])).await.unwrap(), []);
        assert!(store.run(RunId([1; 16])).await.unwrap().is_some(), "a person has not said yet");
        let newest = store.runs(2).await.unwrap();
        assert_eq!(newest[0].id, RunId([4; 16]));
        assert_eq!((newest.len(), newest[1].created_unix_ms, newest[1].body.len()), (2, 10, 0));
    }

    #[tokio::test]
    async fn flows_have_names_of_their_own() {
        let scratch = Scratch::new("flow-names");
        let store = SqliteStore::create(&scratch.file()).await.unwrap();
        let (name, agent) = (FlowName::parse("a").unwrap(), AgentName::parse("cli").unwrap());
        let row = FlowRow {
            name: name.clone(),
            agent,
            created_unix_ms: 1,
            body: vec![1],
            schedule: Some("0 9 * * * UTC".to_owned()),
            watched_unix_ms: 5,
            missed: 0,
            hook: None,
        };
        assert!(store.set_watched(&name, 9, 2).await.is_err(), "not there yet");
        store.put_flow(&row, false).await.unwrap();
        let twice = store.put_flow(&row, false).await;
        assert!(matches!(twice, Err(StoreError::Exists(_))), "{twice:?}");
        store.set_watched(&name, 9, 2).await.unwrap();
        let watched = FlowRow { watched_unix_ms: 9, missed: 2, ..row.clone() };
        assert_eq!(store.flows().await.unwrap(), [watched]);
        let (one, two) = (Digest32([1; 32]), Digest32([2; 32]));
        let run = |n: u8, at: u64| RunRow {
            id: RunId([n; 16]),
            flow: name.clone(),
            agent: row.agent.clone(),
            state: RunState::Running,
            epoch: 0,
            log_from: 0,
            created_unix_ms: at,
            changed_unix_ms: at,
            body: vec![n],
        };
        assert_eq!(store.delivered(&name, &one).await.unwrap(), None);
        assert_eq!(store.put_delivered(&one, &run(3, 100), 0).await.unwrap(), None);
        assert_eq!(store.run(RunId([3; 16])).await.unwrap(), Some(run(3, 100)));
        let before = Some(RunId([3; 16]));
        assert_eq!(store.delivered(&name, &one).await.unwrap(), before);
        assert_eq!(store.put_delivered(&one, &run(4, 101), 0).await.unwrap(), before);
        assert!(store.run(RunId([4; 16])).await.unwrap().is_none(), "one of the two alone");
        let later = store.put_delivered(&one, &run(5, 900), 101).await.unwrap();
        assert_eq!(later, None, "forgotten");
        // Neither where the run cannot be kept.
        let stranger = RunRow { flow: FlowName::parse("b").unwrap(), ..run(6, 901) };
        assert!(store.put_delivered(&two, &stranger, 0).await.is_err(), "no such flow");
        assert!(store.run(RunId([6; 16])).await.unwrap().is_none());
        assert_eq!(store.put_delivered(&two, &run(7, 902), 0).await.unwrap(), None);
        let other = FlowRow { body: vec![2], hook: Some(vec![3]), ..row };
        store.put_flow(&other, true).await.unwrap();
        assert_eq!(store.delivered(&name, &two).await.unwrap(), None, "it went with the secret");
        assert_eq!(store.flows().await.unwrap(), [other]);
        store.delete_flow(&name).await.unwrap();
        assert!(matches!(store.delete_flow(&name).await, Err(StoreError::Missing(_))));
    }
}
