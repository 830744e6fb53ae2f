//! A released call of a mounted server's tool, and what comes of it.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use symbolon_ambient::Clock;
use symbolon_capability::catalog::{McpRequest, mcp_message};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::answer::{answer, listed};
use super::error::{MountError, MountFault};
use super::http::{HttpChannel, HttpSession};
use super::process::{Answered, Process};
use super::session::{Channel, Listing, Unanswered, begin, list};
use super::spec::{Kept, MountPlace, MountProgram, MountSpec};
use super::surroundings::Surroundings;
use super::tail::Tail;
use crate::upstream::{Answer, Outgoing, UpstreamError};
use crate::wire::Client;

/// What all mounts share.
pub(crate) struct Office {
    client: Client,
    clock: Arc<dyn Clock>,
    runtime: tokio::runtime::Handle,
    surroundings: OnceLock<Weak<dyn Surroundings>>,
}

impl Office {
    pub(crate) fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        let runtime = tokio::runtime::Handle::current();
        Self { client, clock, runtime, surroundings: OnceLock::new() }
    }

    /// What programs use connections through. The first one stays.
    pub(crate) fn set_surroundings(&self, surroundings: Weak<dyn Surroundings>) {
        // A second door is the same proxy.
        let _ = self.surroundings.set(surroundings);
    }

    fn bytes_max(&self) -> usize {
        usize::try_from(self.client.limits().response_body_bytes_max).unwrap_or(usize::MAX)
    }
}

/// A mounted server, as one connection uses it.
pub(crate) struct Mount {
    name: String,
    spec: Arc<MountSpec>,
    /// The row that it was opened from.
    sealed: Vec<u8>,
    program: tokio::sync::Mutex<Option<Arc<Running>>>,
    http: tokio::sync::Mutex<Option<Arc<HttpSession>>>,
    /// When its program was started, on the monotonic clock.
    starts: Mutex<VecDeque<u64>>,
    /// Its program, to be stopped by whoever does not wait.
    current: Mutex<Weak<Running>>,
    /// Whether it was stopped, for good: what comes after a lock or a change is another.
    closing: CancellationToken,
    tail: Arc<Tail>,
}

/// A program with which a session was begun.
struct Running {
    process: Process,
    listing: Mutex<Arc<Listing>>,
}

/// The channel of a program.
struct Lines<'p>(&'p Process);

impl Channel for Lines<'_> {
    fn next_id(&mut self) -> u64 {
        self.0.next_id()
    }

    async fn ask(&mut self, id: u64, message: Vec<u8>) -> Result<Answered, Unanswered> {
        Ok(self.0.ask(id, message).await?)
    }

    async fn tell(&mut self, message: Vec<u8>) -> Result<(), Unanswered> {
        Ok(self.0.tell(message).await?)
    }

    fn agreed(&mut self, _revision: &'static str) {}

    /// What begins a session is no part of any call.
    fn has_sent(&self) -> bool {
        false
    }
}

impl Mount {
    pub(crate) fn new(kept: &Kept) -> Self {
        Self {
            name: kept.row.name.to_string(),
            spec: kept.spec.clone(),
            sealed: kept.row.body.clone(),
            program: tokio::sync::Mutex::default(),
            http: tokio::sync::Mutex::default(),
            starts: Mutex::default(),
            current: Mutex::default(),
            closing: CancellationToken::new(),
            tail: Arc::default(),
        }
    }

    /// Whether this is what is kept still.
    pub(crate) fn is(&self, kept: Option<&Kept>) -> bool {
        kept.is_some_and(|kept| kept.row.body == self.sealed)
    }

    /// Whether its program runs.
    pub(crate) fn is_running(&self) -> bool {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.upgrade().is_some_and(|running| running.process.is_alive())
    }

    /// How often its program was started lately.
    pub(crate) fn starts(&self) -> usize {
        self.starts.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The end of what its program said on standard error.
    pub(crate) fn said(&self) -> String {
        self.tail.text()
    }

    /// Ends its program, if it runs; it is not started again.
    pub(crate) fn stop(&self) {
        self.closing.cancel();
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(running) = current {
            running.process.stop();
        }
    }

    /// Makes the call. `is_check`: the owner looks, and is shown the list itself.
    pub(crate) async fn exchange(
        &self,
        office: &Office,
        out: Outgoing<'_>,
        is_check: bool,
    ) -> Result<Answer, UpstreamError> {
        let until = Instant::now() + out.left();
        let made = async {
            match &self.spec.place {
                MountPlace::Stdio(program) => self.by_lines(office, program, &out, is_check).await,
                MountPlace::Http { .. } => self.by_http(office, &out, until, is_check).await,
            }
        };
        match tokio::time::timeout_at(until, made).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Unanswered::Http(answer))) => Ok(*answer),
            Ok(Err(Unanswered::Failed(error))) => Err(error),
            Err(_) => Err(MountFault::Silent.sent().into()),
        }
    }

    async fn by_lines(
        &self,
        office: &Office,
        program: &MountProgram,
        out: &Outgoing<'_>,
        is_check: bool,
    ) -> Result<Answer, Unanswered> {
        let running = self.open_running(office, program).await?;
        match Self::ask(office, &running, out, is_check).await {
            // It ended while nobody called, which nobody had noticed, and read nothing of this.
            Err(Unanswered::Failed(UpstreamError::Mount(MountError {
                fault: MountFault::Ended,
                sent: false,
            }))) => {
                let running = self.open_running(office, program).await?;
                Self::ask(office, &running, out, is_check).await
            }
            made => made,
        }
    }

    async fn open_running(
        &self,
        office: &Office,
        program: &MountProgram,
    ) -> Result<Arc<Running>, Unanswered> {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Err(MountFault::Stopped.unsent().into()),
            running = self.running(office, program) => running,
        }
    }

    async fn ask(
        office: &Office,
        running: &Running,
        out: &Outgoing<'_>,
        is_check: bool,
    ) -> Result<Answer, Unanswered> {
        let process = &running.process;
        let listing = {
            let mut listing = running.listing();
            // The owner looks at what is there now.
            if is_check || process.take_stale() || listing.is_old(office.clock.mono_ns()) {
                let read = list(&mut Lines(process), office.clock.mono_ns()).await;
                // A list is no part of the call.
                listing = Arc::new(read.map_err(unsent)?);
                running.set_listing(listing.clone());
            }
            listing
        };
        let Some(message) = Self::message(out, process.next_id()) else {
            return Ok(listed(&listing, is_check));
        };
        listing.check(out.release().operation()).map_err(MountFault::unsent)?;
        // A program that cannot read a line may answer nobody, or end for all.
        let line_bytes = message.1.len() + 1;
        if line_bytes > CALL_LINE_BYTES_MAX {
            let (found, max) = (line_bytes, CALL_LINE_BYTES_MAX);
            return Err(MountFault::CallTooLong { found, max }.unsent().into());
        }
        let bytes_out = line_bytes as u64;
        let answered = process.ask(message.0, message.1).await?;
        let bytes_in = answered.bytes + 1;
        Ok(Answer { bytes_out, bytes_in, ..answer(answered.outcome) })
    }

    /// The program, started where it does not run, with a session begun.
    async fn running(
        &self,
        office: &Office,
        program: &MountProgram,
    ) -> Result<Arc<Running>, Unanswered> {
        let mut slot = self.program.lock().await;
        if let Some(running) = slot.as_ref().filter(|running| running.process.is_alive()) {
            return Ok(running.clone());
        }
        *slot = None;
        self.note_start(office.clock.mono_ns()).map_err(MountFault::unsent)?;
        let (environment, guard) = self.surround(office, program).await?;
        let process = Process::start(
            program,
            &environment,
            office.bytes_max(),
            &self.tail,
            guard,
            &office.runtime,
        )
        .map_err(MountFault::unsent)?;
        let mut lines = Lines(&process);
        // What a session is begun with is no part of any call: nothing of one was sent.
        begin(&mut lines).await.map_err(unsent)?;
        let listing = list(&mut lines, office.clock.mono_ns()).await.map_err(unsent)?;
        let running = Arc::new(Running { process, listing: Mutex::new(Arc::new(listing)) });
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&running);
        *slot = Some(running.clone());
        Ok(running)
    }

    /// A program that ends again and again is left alone for a while.
    fn note_start(&self, now_ns: u64) -> Result<(), MountFault> {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        starts.retain(|at| now_ns.saturating_sub(*at) < STARTS_WITHIN_NS);
        if starts.len() >= STARTS_MAX {
            return Err(MountFault::Crashing(STARTS_MAX));
        }
        starts.push_back(now_ns);
        Ok(())
    }

    /// Where its program uses connections: the proxy's variables and the placeholders.
    async fn surround(
        &self,
        office: &Office,
        program: &MountProgram,
    ) -> Result<(Vec<(String, String)>, Option<Box<dyn Send + Sync>>), Unanswered> {
        if program.placeholders.is_empty() {
            return Ok((Vec::new(), None));
        }
        let start = |why: String| MountFault::Start(why).unsent();
        let around = office.surroundings.get().and_then(Weak::upgrade);
        let around = around.ok_or_else(|| start("there is no proxy here".to_owned()))?;
        let agent = format!("mount-{}", self.name);
        let begun = around.begin(&agent, &program.grants).await;
        let begun = begun.map_err(|e| start(e.message))?;
        let mut environment = begun.environment;
        for (variable, connection) in &program.placeholders {
            let found = begun.placeholders.iter().find(|(name, _)| name == connection);
            let found = found.ok_or_else(|| start(format!("no connection {connection}")))?;
            environment.push((variable.clone(), found.1.clone()));
        }
        Ok((environment, Some(begun.guard)))
    }

    async fn by_http(
        &self,
        office: &Office,
        out: &Outgoing<'_>,
        until: Instant,
        is_check: bool,
    ) -> Result<Answer, Unanswered> {
        let (live, release) = (out.live(), out.release());
        let path = out.bound().path().as_str();
        let mut channel = HttpChannel::new(&office.client, live, release, path, until);
        for is_again in [false, true] {
            let session = self.session(office, &mut channel, is_check || is_again).await?;
            let id = channel.join(&session);
            let Some((id, message)) = Self::message(out, id) else {
                return Ok(listed(&session.listing, is_check));
            };
            let checked = session.listing.check(release.operation());
            checked.map_err(|fault| MountError { fault, sent: channel.has_sent() })?;
            let answered = channel.ask(id, message).await;
            if channel.is_stale() {
                session.stale.store(true, Relaxed);
            }
            match answered {
                // The session was not known there, so nothing was done in it.
                Err(Unanswered::Http(_)) if channel.is_lost && !is_again => channel.leave(),
                Err(e) => return Err(e),
                Ok(answered) => {
                    let (bytes_out, bytes_in) = (channel.bytes_out, channel.bytes_in);
                    let spent = std::mem::take(&mut channel.spent);
                    return Ok(Answer { bytes_out, bytes_in, spent, ..answer(answered.outcome) });
                }
            }
        }
        Err(MountFault::Malformed("a session that it began is not known to it").sent().into())
    }

    /// The session, begun where there is none, or where it is to be looked at anew.
    async fn session(
        &self,
        office: &Office,
        channel: &mut HttpChannel<'_>,
        anew: bool,
    ) -> Result<Arc<HttpSession>, Unanswered> {
        let mut slot = self.http.lock().await;
        let now = office.clock.mono_ns();
        let is_good =
            |session: &HttpSession| !session.stale.load(Relaxed) && !session.listing.is_old(now);
        if let Some(session) = slot.as_ref().filter(|session| !anew && is_good(session)) {
            return Ok(session.clone());
        }
        *slot = None;
        channel.leave();
        begin(channel).await?;
        let listing = list(channel, now).await?;
        let session = Arc::new(channel.session(listing));
        *slot = Some(session.clone());
        Ok(session)
    }

    /// The bound call under an id of the session; `None` where the list is what was asked for.
    fn message(out: &Outgoing<'_>, id: u64) -> Option<(u64, Vec<u8>)> {
        match out.release().operation().mcp()? {
            McpRequest::List => None,
            McpRequest::Call { .. } => {
                Some((id, mcp_message(out.bound().body().map_or(&[], |b| b.bytes()), id)))
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        self.stop();
    }
}

impl std::fmt::Debug for Mount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mount").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Running {
    fn listing(&self) -> Arc<Listing> {
        self.listing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_listing(&self, listing: Arc<Listing>) {
        *self.listing.lock().unwrap_or_else(PoisonError::into_inner) = listing;
    }
}

/// Of what begins a session over lines: the call itself has not left.
fn unsent(unanswered: Unanswered) -> Unanswered {
    match unanswered {
        Unanswered::Failed(UpstreamError::Mount(e)) => e.fault.unsent().into(),
        other => other,
    }
}

/// The longest line with a call that a program is sent: what one of ours reads (`symbolon capsule tool`).
const CALL_LINE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Starts of one program within [`STARTS_WITHIN_NS`].
const STARTS_MAX: usize = 5;
const STARTS_WITHIN_NS: u64 = 60 * 1_000_000_000;
