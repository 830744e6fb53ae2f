//! Tools that say something while they run, and the subscriptions that hear of changed lists.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rmcp::{
    RoleServer,
    model::{
        CallToolResponse, LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam,
    },
    service::{RequestContext, SubscriptionSink},
};
use serde_json::json;

use super::text;

pub(super) const NAMES: &[&str] = &[
    "test_tool_with_logging",
    "test_logging_tool",
    "test_tool_with_progress",
    "test_reconnection",
    "test_trigger_tool_change",
    "test_trigger_prompt_change",
];

/// Open subscriptions.
#[derive(Default)]
pub(crate) struct Streams {
    next: AtomicU64,
    open: Arc<Mutex<HashMap<u64, SubscriptionSink>>>,
}

/// A subscription's place among the open ones; given back on drop.
pub(crate) struct Open {
    key: u64,
    open: Arc<Mutex<HashMap<u64, SubscriptionSink>>>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Streams {
    pub(crate) fn listening(&self, sink: SubscriptionSink) -> Open {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(key, sink);
        Open { key, open: self.open.clone() }
    }

    fn all(&self) -> Vec<SubscriptionSink> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(super) async fn answer(
        &self,
        name: &str,
        context: &RequestContext<RoleServer>,
    ) -> Option<CallToolResponse> {
        Some(match name {
            "test_tool_with_logging" => {
                for line in
                    ["Tool execution started", "Tool processing data", "Tool execution completed"]
                {
                    log(context, LoggingLevel::Info, line).await;
                    tokio::time::sleep(STEP).await;
                }
                text("Logging test completed")
            }
            "test_logging_tool" => {
                if let Some(level) = context.meta.log_level() {
                    log(context, level, "a log message was asked for").await;
                }
                text("Logging tool completed")
            }
            "test_tool_with_progress" => {
                for done in [0.0, 50.0, 100.0] {
                    if let Some(token) = context.meta.get_progress_token() {
                        let note = ProgressNotificationParam::new(token, done).with_total(100.0);
                        let _ = context.peer.notify_progress(note).await;
                    }
                    tokio::time::sleep(STEP).await;
                }
                text("Progress test completed")
            }
            "test_reconnection" => {
                tokio::time::sleep(STEP * 2).await;
                text("Reconnection test completed")
            }
            "test_trigger_tool_change" => {
                for sink in self.all() {
                    let _ = sink.notify_tool_list_changed().await;
                }
                text("The list of tools changed")
            }
            "test_trigger_prompt_change" => {
                for sink in self.all() {
                    let _ = sink.notify_prompt_list_changed().await;
                }
                text("The list of prompts changed")
            }
            _ => return None,
        })
    }
}

async fn log(context: &RequestContext<RoleServer>, level: LoggingLevel, line: &str) {
    let message = LoggingMessageNotificationParam::new(level, json!(line));
    let _ = context.peer.notify_logging_message(message).await;
}

/// Between two notifications, as the suite describes its fixtures.
const STEP: Duration = Duration::from_millis(50);
