//! What happens, as server-sent events: calls out of the log, questions, and that something was set up.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use http_body_util::channel::{Channel, Sender};
use serde::{Deserialize, Serialize};
use serde_json::json;
use symbolon_broker::{Broker, CallError};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{Desk, no_session, words};
use crate::http::{
    api::{Api, asked},
    backend::Backend,
    failure::{Failure, failure},
    schema,
};

/// Calls as they begin and end, and what waits. The event `call` has the log's size for its id: `after` goes
/// on there. `approvals` says how many questions wait; `setup`, that grants, connections or the lock changed;
/// `skipped`, how many entries of the log were passed over because there were too many.
#[utoipa::path(get, path = "/api/owner/live", tag = "page", security(("page_session" = [])),
    params(("after" = Option<u64>, Query, description = "Go on after so many entries of the log; from now where absent.")),
    responses((status = 200, body = schema::LiveEvent, content_type = "text/event-stream"),
        (status = 401, body = schema::CallError), (status = 429, body = schema::CallError)))]
pub(in crate::http) async fn live<B: Backend>(
    desk: Desk,
    State(api): State<Arc<Api<B>>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    let From { after } = asked(&uri)?;
    let place = api.watching.clone().try_acquire_owned().map_err(|_| too_many())?;
    let (cookie, csrf) = words(&headers).ok_or_else(no_session)?;
    let (sender, body) = Channel::<Bytes>::new(FRAMES);
    let watching = Watching {
        after: after.unwrap_or_else(|| desk.broker.log_size()),
        broker: desk.broker,
        words: (cookie.to_vec(), csrf.to_vec()),
        sender,
        stop: api.stop.clone(),
        _place: place,
    };
    tokio::spawn(watching.run());
    let kind = HeaderValue::from_static("text/event-stream");
    Ok(([(header::CONTENT_TYPE, kind)], Body::new(body)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    after: Option<u64>,
}

/// One browser that watches.
struct Watching {
    broker: Arc<Broker>,
    after: u64,
    /// What its session is looked up by, again and again: it may end.
    words: (Vec<u8>, Vec<u8>),
    sender: Sender<Bytes>,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// The browser has gone, or there is nothing more to say to it.
struct Over;

impl Watching {
    async fn run(mut self) {
        let stop = self.stop.clone();
        tokio::select! {
            Over = self.tell_all() => {}
            () = stop.cancelled() => {}
        }
    }

    async fn tell_all(&mut self) -> Over {
        match self.until_over().await {
            Err(over) => over,
            Ok(never) => match never {},
        }
    }

    async fn until_over(&mut self) -> Result<std::convert::Infallible, Over> {
        let (mut asked, mut setup) = (self.broker.asked(), self.broker.generation());
        self.say("hello", None, &json!({ "entries": self.after })).await?;
        self.say_approvals().await?;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut quiet = 0;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                Ok(()) = asked.changed() => {
                    self.say_approvals().await?;
                    continue;
                }
                Ok(()) = setup.changed() => {
                    self.say("setup", None, &json!({})).await?;
                    continue;
                }
            }
            if self.broker.log_size() > self.after {
                quiet = 0;
                self.say_calls().await?;
                continue;
            }
            quiet += 1;
            if quiet % TICKS_A_LOOK == 0 {
                self.broker.desk_session(&self.words.0, &self.words.1).ok_or(Over)?;
                // Nothing to say: a comment, which also finds out who has gone.
                self.send(":\n\n".to_owned()).await?;
            }
        }
    }

    async fn say_calls(&mut self) -> Result<(), Over> {
        self.broker.desk_session(&self.words.0, &self.words.1).ok_or(Over)?;
        let since = self.broker.since(self.after).await.map_err(|_| Over)?;
        if since.skipped > 0 {
            self.say("skipped", None, &json!({ "entries": since.skipped })).await?;
        }
        for event in &since.events {
            self.say("call", Some(event.number + 1), event).await?;
        }
        self.after = since.next;
        Ok(())
    }

    async fn say_approvals(&mut self) -> Result<(), Over> {
        let pending = self.broker.approvals().pending.len();
        self.say("approvals", None, &json!({ "pending": pending })).await
    }

    async fn say(
        &mut self,
        event: &str,
        id: Option<u64>,
        data: &impl Serialize,
    ) -> Result<(), Over> {
        let data = serde_json::to_string(data).map_err(|_| Over)?;
        let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
        self.send(format!("event: {event}\n{id}data: {data}\n\n")).await
    }

    async fn send(&mut self, text: String) -> Result<(), Over> {
        self.sender.send_data(text.into()).await.map_err(|_| Over)
    }
}

fn too_many() -> CallError {
    let says = "Too many pages watch at once.";
    let next = Some("Close one of them.");
    let error = failure("too_many_watching", StatusCode::TOO_MANY_REQUESTS, says, next);
    CallError { retry_after_seconds: Some(5), ..error }
}

/// How often the log's size is looked at: a number in memory.
const TICK: Duration = Duration::from_millis(100);
/// Quiet ticks between two looks whether browser and session are still there.
const TICKS_A_LOOK: u32 = 20;
/// Events on their way to a browser that does not read; then nothing more is read of the log for it.
const FRAMES: usize = 64;
/// Browsers that watch at once.
pub(in crate::http) const WATCHING_MAX: usize = 16;
