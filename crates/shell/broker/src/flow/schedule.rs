//! Runs that the clock begins, while the broker is there and the vault is open.

use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::Map;
use symbolon_capability::calendar::Calendar;
use symbolon_capability::schedule::Schedule;
use symbolon_flow::{FlowRow, FlowStore};

use crate::Broker;
use crate::api::CallError;
use crate::policy::zones;

/// Looks after schedules until the broker is gone.
pub(crate) async fn watch(broker: Weak<Broker>) {
    let Some(calendar) = broker.upgrade().map(|b| Calendar::new(&*b.clock)) else { return };
    loop {
        let Some(now) = broker.upgrade() else { return };
        let wait = now.begin_due(&calendar).await.unwrap_or_else(|e| {
            tracing::warn!("schedules could not be looked at: {e}");
            LOOK_EVERY
        });
        let changed = now.executions.scheduled.clone();
        drop(now);
        let _ = tokio::time::timeout(wait, changed.notified()).await;
    }
}

impl Broker {
    /// Begins what is due; gives how long nothing more will be.
    async fn begin_due(self: &Arc<Self>, calendar: &Calendar) -> Result<Duration, CallError> {
        let Ok(sealer) = self.flow_sealer() else { return Ok(LOOK_EVERY) };
        let reading = calendar.read(&*self.clock);
        // A clock that jumped begins nothing until it is believed.
        if reading.jump.is_some() {
            return Ok(LOOK_EVERY);
        }
        let (now, mut wait) = (reading.unix_ms, LOOK_EVERY);
        for row in self.store.flows().await? {
            let Some(text) = &row.schedule else { continue };
            // Sealed with the schedule: a row that somebody changed begins nothing.
            if let Err(e) = sealer.open_flow(&row) {
                tracing::warn!("{e}");
                continue;
            }
            let Ok(schedule) = Schedule::parse(text) else { continue };
            let Some(zone) = zones::zone(schedule.zone()) else {
                tracing::warn!("{}: this machine does not know the zone of {text}", row.name);
                continue;
            };
            let due = schedule.due(&zone, row.watched_unix_ms, now, LATE_MS);
            if let Some(next) = due.next_unix_ms {
                wait = wait.min(Duration::from_millis(next.saturating_sub(now).max(1)));
            }
            if due.is_now || due.missed > 0 {
                self.begin_one(&row, now, due.is_now, due.missed).await?;
            }
        }
        Ok(wait)
    }

    async fn begin_one(
        self: &Arc<Self>,
        row: &FlowRow,
        now_unix_ms: u64,
        is_now: bool,
        missed: u64,
    ) -> Result<(), CallError> {
        if missed > 0 {
            tracing::warn!("{}: {missed} of its times came while nobody was there", row.name);
        }
        // On disk before the run begins: after a crash it is missed, not run twice.
        self.store.set_watched(&row.name, now_unix_ms, row.missed + missed).await?;
        if !is_now {
            return Ok(());
        }
        if let Err(e) = self.flow_start(row.name.as_str(), Map::new()).await {
            tracing::warn!("{} could not begin at its time: {e}", row.name);
            self.store.set_watched(&row.name, now_unix_ms, row.missed + missed + 1).await?;
        }
        Ok(())
    }
}

/// A time that came so long ago is done still.
const LATE_MS: u64 = 60_000;
/// A vault that was opened, or a clock that was set, is seen after so long.
const LOOK_EVERY: Duration = Duration::from_secs(15);
