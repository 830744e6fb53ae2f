//! One log, many tasks: a thread that commits for all who wait, another that publishes.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use symbolon_ambient::{Clock, SystemClock};
use symbolon_crypto::SigningKey;
use symbolon_log::{Durability, Durable, Every, InclusionBundle, Log, LogError, Storage, Ticket};

use crate::alone;
use crate::line::Turn;
use crate::log_storage::LogStorage;

/// How the service keeps its promises.
#[derive(Debug, Clone, Copy)]
pub struct LogSettings {
    /// What an entry must survive before it counts.
    pub durability: Durability,
    /// Entries that nobody waits for are synced after this long at most.
    pub sync_every: Duration,
    /// A checkpoint covers every durable entry after this long at most.
    pub checkpoint_every: Duration,
}

impl LogSettings {
    /// Sync after 100 ms, checkpoint after a second.
    pub fn new(durability: Durability) -> Self {
        Self {
            durability,
            sync_every: Duration::from_millis(100),
            checkpoint_every: Duration::from_secs(1),
        }
    }
}

/// Owns a [`Log`] and the threads that make its entries durable. All methods take `&self`; share
/// it in an `Arc`. Dropping it closes it.
pub struct LogService<S: Storage + 'static = LogStorage> {
    shared: Arc<Shared<S>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared<S> {
    log: Log<S>,
    settings: LogSettings,
    waiters: Mutex<Vec<Waiter>>,
    /// Names of waiters, so that a task which looks twice stands in the list once.
    names: AtomicU64,
    committer: Sleeper,
    publisher: Sleeper,
    /// How long the last sync took, microseconds.
    sync_took: AtomicU64,
    closing: AtomicBool,
    clock: Arc<dyn Clock>,
}

/// A period that ends while nothing is written is noticed after this long at most; the clock is no part of a wait, since
/// it can be set.
const TURN_LOOK: Duration = Duration::from_secs(30);

/// A place in the line. Measured with 50 tasks against `tokio::sync::watch` and `oneshot`: this
/// takes 1.4 to 1.9 us of processor time a wait, `watch` 2.0 to 2.3, `oneshot` 1.5 to 1.9.
struct Waiter {
    name: u64,
    index: u64,
    durability: Durability,
    waker: Waker,
}

impl<S: Storage + 'static> LogService<S> {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`LogError::Storage`] where the system gives no thread.
    pub fn start(log: Log<S>, settings: LogSettings) -> Result<Self, LogError> {
        Self::start_with(log, settings, Arc::new(SystemClock))
    }

    /// As [`LogService::start`]; shards begin by this clock.
    ///
    /// # Errors
    /// As [`LogService::start`].
    pub fn start_with(
        log: Log<S>,
        settings: LogSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LogError> {
        let shared = Arc::new(Shared {
            log,
            settings,
            waiters: Mutex::default(),
            names: AtomicU64::new(0),
            committer: Sleeper::default(),
            publisher: Sleeper::default(),
            sync_took: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            clock,
        });
        let spawn = |name: &str, run: fn(&Shared<S>)| {
            let shared = shared.clone();
            let named = thread::Builder::new().name(name.to_owned());
            named.spawn(move || run(&shared)).map_err(|source| LogError::Storage {
                action: "start a thread",
                source: Arc::new(source),
            })
        };
        let threads = vec![
            spawn("log-commit", Shared::commit_loop)?,
            spawn("log-publish", Shared::publish_loop)?,
        ];
        Ok(Self { shared, threads: Mutex::new(threads) })
    }

    /// Takes an entry into the batch; see [`Log::append`]. No I/O: await [`LogService::durable`]
    /// before anything that needs the entry to survive.
    ///
    /// # Errors
    /// As [`Log::append`], and [`LogError::Closed`]. A backlog is written out here, on the caller's
    /// thread, which is what slows it down.
    pub fn append(&self, entry: &[u8]) -> Result<Ticket, LogError> {
        let shared = &*self.shared;
        if shared.closing.load(Ordering::Relaxed) {
            return Err(LogError::Closed);
        }
        let mut taken = shared.log.append(entry);
        // Others may fill what was emptied; each round has written 16 MiB.
        for _ in 0..16 {
            if !matches!(taken, Err(LogError::Backlog { .. })) {
                break;
            }
            shared.log.hand_over()?;
            taken = shared.log.append(entry);
        }
        let ticket = taken?;
        shared.committer.wake_from(Sleeper::DEEP);
        Ok(ticket)
    }

    /// Waits until the entry survives what the service's [`Durability`] says.
    ///
    /// `relaxed`: one task of a thread writes for all that can run. `group`: waits for the next
    /// sync, which serves everybody who waits.
    ///
    /// # Errors
    /// [`LogError::Poisoned`] where the log stopped, [`LogError::Closed`] where the service did.
    pub fn durable(&self, ticket: Ticket) -> impl Future<Output = Result<Durable, LogError>> {
        self.survives(ticket, self.durability())
    }

    /// Waits until the entry survives the death of this process, whatever the service promises
    /// for entries that something waits for.
    ///
    /// # Errors
    /// As [`LogService::durable`].
    pub fn handed_over(&self, ticket: Ticket) -> impl Future<Output = Result<Durable, LogError>> {
        self.survives(ticket, Durability::Relaxed)
    }

    fn survives(&self, ticket: Ticket, durability: Durability) -> Wait<'_, S> {
        Wait { shared: &*self.shared, ticket, durability, name: None, turn: Turn::default() }
    }

    /// One entry that has been written.
    ///
    /// # Errors
    /// As [`Log::entry`].
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, LogError> {
        self.written()?.entry(index)
    }

    /// Entries of a range, oldest first; see [`Log::entries`].
    ///
    /// # Errors
    /// As [`Log::entries`].
    pub fn entries(&self, range: Range<u64>) -> Result<Vec<(u64, Vec<u8>)>, LogError> {
        self.written()?.entries(range)
    }

    /// Entries newest first; see [`Log::tail`].
    ///
    /// # Errors
    /// As [`Log::tail`].
    pub fn tail(&self, before: Option<u64>, count: u64) -> Result<Vec<(u64, Vec<u8>)>, LogError> {
        self.written()?.tail(before, count)
    }

    /// An entry's proof against a signed checkpoint that covers it, made now if there is none.
    /// Reads and may write files: call it where blocking is allowed.
    ///
    /// # Errors
    /// As [`Log::prove`].
    pub fn proof(&self, index: u64) -> Result<InclusionBundle, LogError> {
        self.shared.log.prove(index)
    }

    /// Makes a checkpoint of everything appended so far. Blocks.
    ///
    /// # Errors
    /// As [`Log::commit`] and [`Log::checkpoint`].
    pub fn checkpoint(&self) -> Result<String, LogError> {
        self.shared.log.commit()?;
        self.shared.wake_waiters();
        self.shared.log.checkpoint()
    }

    /// Says how long a shard is written to; see [`Log::set_every`]. Blocks.
    ///
    /// # Errors
    /// As [`Log::set_every`].
    pub fn set_every(&self, every: Every) -> Result<(), LogError> {
        let shared = &*self.shared;
        let set = shared.log.set_every(every, shared.clock.unix_ms());
        shared.wake_waiters();
        // It sleeps until the next turn from now on.
        shared.publisher.wake_from(Sleeper::DOZE);
        set
    }

    /// Begins a shard now; see [`Log::turn`]. Blocks.
    ///
    /// # Errors
    /// As [`Log::turn`].
    pub fn turn(&self) -> Result<bool, LogError> {
        let shared = &*self.shared;
        let turned = shared.log.turn(shared.clock.unix_ms());
        shared.wake_waiters();
        turned
    }

    /// Gives or takes away the key that signs checkpoints, when the home is unlocked or locked.
    pub fn set_signer(&self, signer: Option<Arc<SigningKey>>) {
        self.shared.log.set_signer(signer);
        self.shared.publisher.wake_from(Sleeper::DOZE);
    }

    /// Entries appended so far.
    pub fn size(&self) -> u64 {
        self.shared.log.appended_size()
    }

    /// What entries survive here.
    pub fn durability(&self) -> Durability {
        self.shared.settings.durability
    }

    /// The log itself.
    pub fn log(&self) -> &Log<S> {
        &self.shared.log
    }

    /// Commits what is pending, makes the last checkpoint, ends the threads. Blocks for a few
    /// milliseconds; later appends are refused.
    ///
    /// # Errors
    /// [`LogError::Poisoned`] where the log had stopped, or what the last commit gave.
    pub fn close(&self) -> Result<(), LogError> {
        let shared = &*self.shared;
        shared.closing.store(true, Ordering::SeqCst);
        shared.committer.wake_from(Sleeper::DOZE);
        shared.publisher.wake_from(Sleeper::DOZE);
        for thread in lock(&self.threads).drain(..) {
            // A thread that panicked has left its waiters to us.
            let _ = thread.join();
        }
        let closed = shared.log.commit().map(drop);
        shared.wake_all();
        closed?;
        match shared.log.checkpoint() {
            Err(LogError::NoKey) => Ok(()),
            other => other.map(drop),
        }
    }

    /// The log with everything appended so far readable.
    fn written(&self) -> Result<&Log<S>, LogError> {
        let log = &self.shared.log;
        if log.written_size() < log.appended_size() && log.check_poison().is_ok() {
            log.hand_over()?;
        }
        Ok(log)
    }
}

impl<S: Storage + 'static> Drop for LogService<S> {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

impl<S: Storage> Shared<S> {
    /// Commits whenever somebody waits, and otherwise after `sync_every`.
    fn commit_loop(&self) {
        self.committer.attach();
        let mut dirty_since: Option<Instant> = None;
        loop {
            let closing = self.closing.load(Ordering::SeqCst);
            let dirty = self.log.appended_size() > self.log.durable_size();
            let since = dirty.then(|| *dirty_since.get_or_insert_with(Instant::now));
            let due = since.is_some_and(|s| s.elapsed() >= self.settings.sync_every);
            if dirty && (closing || due || self.somebody_waits_for(Durability::Group)) {
                dirty_since = None;
                let begin = Instant::now();
                let failed = self.log.commit().is_err();
                self.synced(begin);
                if failed {
                    return self.wake_all();
                }
                continue;
            }
            // Nobody who waits needs a sync: those of a storage that is slow to write, or none.
            if self.somebody_waits_for(Durability::Relaxed) && self.log.hand_over().is_err() {
                return self.wake_all();
            }
            // Somebody else committed (a proof was asked for): those who wait are told by us.
            self.wake_waiters();
            if closing {
                return self.wake_all();
            }
            // Between here and falling asleep an append or a waiter may come: they wake us.
            match since {
                Some(since) => {
                    let left = self.settings.sync_every.saturating_sub(since.elapsed());
                    let news = || self.somebody_waits() || self.closing.load(Ordering::SeqCst);
                    self.committer.doze(left, news);
                }
                None => {
                    dirty_since = None;
                    let dirty = || self.log.appended_size() > self.log.durable_size();
                    let closing = || self.closing.load(Ordering::SeqCst);
                    self.committer.sleep(|| dirty() || self.somebody_waits() || closing());
                }
            }
        }
    }

    /// Syncs on the caller's thread, which has nothing else to do, if the disk is quick and nobody
    /// syncs already.
    fn sync_here(&self) -> Result<(), LogError> {
        let is_quick = self.sync_took.load(Ordering::Relaxed) <= QUICK.as_micros() as u64;
        let begin = Instant::now();
        if is_quick {
            match self.log.try_commit() {
                Ok(None) => {}
                Ok(Some(_)) => self.synced(begin),
                Err(error) => {
                    self.wake_all();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn synced(&self, begin: Instant) {
        self.sync_took.store(begin.elapsed().as_micros() as u64, Ordering::Relaxed);
        self.wake_waiters();
        self.publisher.wake_from(Sleeper::DEEP);
    }

    /// Publishes a checkpoint for what is durable, at most `checkpoint_every` later. Reads the
    /// old part of the log once at the start.
    fn publish_loop(&self) {
        self.publisher.attach();
        // The period may have ended while nothing ran.
        self.turn_if_due();
        // Damage is kept in the log's poison, and shows at the next append.
        let _ = self.log.audit();
        while !self.closing.load(Ordering::SeqCst) {
            self.turn_if_due();
            if self.log.checkpoint_due() && self.log.check_poison().is_ok() {
                // What fails here (a full disk) is tried again in the next round; the entries
                // themselves are safe.
                let _ = self.log.checkpoint();
                let closing = || self.closing.load(Ordering::SeqCst);
                self.publisher.doze(self.settings.checkpoint_every, closing);
            } else {
                let due = || self.log.checkpoint_due() && self.log.check_poison().is_ok();
                let news = || due() || self.closing.load(Ordering::SeqCst);
                match self.log.shards().every() {
                    Every::Never => self.publisher.sleep(news),
                    _ => self.publisher.sleep_for(TURN_LOOK, news),
                }
            }
        }
    }

    /// A turn that fails has stopped the log, or is tried again with the next look.
    fn turn_if_due(&self) {
        if self.log.check_poison().is_ok()
            && let Ok(true) | Err(_) = self.log.turn_if_due(self.clock.unix_ms())
        {
            self.wake_waiters();
        }
    }

    fn somebody_waits(&self) -> bool {
        !lock(&self.waiters).is_empty()
    }

    fn somebody_waits_for(&self, durability: Durability) -> bool {
        lock(&self.waiters).iter().any(|w| w.durability == durability)
    }

    /// Wakes those whose entries are durable now.
    fn wake_waiters(&self) {
        let (durable, written) = (self.log.durable_size(), self.log.written_size());
        let is_ready = |w: &mut Waiter| match w.durability {
            Durability::Group => w.index < durable,
            Durability::Relaxed => w.index < written,
        };
        let ready: Vec<Waiter> = lock(&self.waiters).extract_if(.., is_ready).collect();
        ready.into_iter().for_each(|w| w.waker.wake());
    }

    /// Wakes everybody: the log or the service has stopped.
    fn wake_all(&self) {
        let all = std::mem::take(&mut *lock(&self.waiters));
        all.into_iter().for_each(|w| w.waker.wake());
    }
}

struct Wait<'a, S> {
    shared: &'a Shared<S>,
    ticket: Ticket,
    durability: Durability,
    /// Of who waits for a sync.
    name: Option<u64>,
    /// Of who waits for a write, or syncs itself.
    turn: Turn,
}

impl<S: Storage> Wait<'_, S> {
    fn look(&self) -> Option<Result<Durable, LogError>> {
        if let Some(durable) = self.shared.log.durable(&self.ticket, self.durability) {
            return Some(Ok(durable));
        }
        let log = &self.shared.log;
        if !log.issued(&self.ticket) {
            let (index, size) = (self.ticket.index(), log.appended_size());
            return Some(Err(LogError::NoEntry { index, size }));
        }
        log.check_poison().err().map(Err)
    }

    fn stand_in_line(&mut self, waker: &Waker) {
        let mut waiters = lock(&self.shared.waiters);
        let known = self.name.and_then(|name| waiters.iter_mut().find(|w| w.name == name));
        if let Some(waiter) = known {
            waiter.waker.clone_from(waker);
            return;
        }
        let name =
            *self.name.get_or_insert_with(|| self.shared.names.fetch_add(1, Ordering::Relaxed));
        let (index, durability) = (self.ticket.index(), self.durability);
        waiters.push(Waiter { name, index, durability, waker: waker.clone() });
    }
}

impl<S: Storage> Future for Wait<'_, S> {
    type Output = Result<Durable, LogError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(done) = self.look() {
            return Poll::Ready(done);
        }
        // What goes over a connection is left to the committer: this thread may serve others.
        let is_quick = self.shared.log.storage().is_quick();
        if is_quick && (self.durability == Durability::Relaxed || alone::is_alone()) {
            std::task::ready!(self.turn.poll(cx.waker()));
            let done = match self.durability {
                Durability::Relaxed => self.shared.log.hand_over().map(drop),
                Durability::Group if self.turn.is_alone() => self.shared.sync_here(),
                Durability::Group => Ok(()),
            };
            self.turn.done();
            if let Err(error) = done {
                return Poll::Ready(Err(error));
            }
            if let Some(done) = self.look() {
                return Poll::Ready(done);
            }
        }
        self.stand_in_line(cx.waker());
        // The commit may have happened between the look and the line.
        if let Some(done) = self.look() {
            return Poll::Ready(done);
        }
        if self.shared.closing.load(Ordering::SeqCst) {
            return Poll::Ready(Err(LogError::Closed));
        }
        self.shared.committer.wake_from(Sleeper::DOZE);
        Poll::Pending
    }
}

impl<S> Drop for Wait<'_, S> {
    /// A task that stops waiting leaves the line.
    fn drop(&mut self) {
        if let Some(name) = self.name {
            lock(&self.shared.waiters).retain(|w| w.name != name);
        }
    }
}

/// A sync that is handed to nobody takes no longer than this: other threads are not held up, but a
/// connection that comes to this one would be.
const QUICK: Duration = Duration::from_micros(1000);

/// A thread that is woken only where it sleeps, so that those who would wake it pay one load.
#[derive(Default)]
struct Sleeper {
    state: AtomicU8,
    thread: OnceLock<Thread>,
}

impl Sleeper {
    /// Sleeps for a while; news that can wait do not wake it.
    const DOZE: u8 = 1;
    /// Sleeps until there is something to do.
    const DEEP: u8 = 2;

    fn attach(&self) {
        let _ = self.thread.set(thread::current());
    }

    fn doze(&self, time: Duration, news: impl Fn() -> bool) {
        self.rest(Self::DOZE, Some(time), news);
    }

    fn sleep(&self, news: impl Fn() -> bool) {
        self.rest(Self::DEEP, None, news);
    }

    fn sleep_for(&self, time: Duration, news: impl Fn() -> bool) {
        self.rest(Self::DEEP, Some(time), news);
    }

    fn rest(&self, state: u8, time: Option<Duration>, news: impl Fn() -> bool) {
        self.state.store(state, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if !news() {
            match time {
                Some(time) => thread::park_timeout(time),
                None => thread::park(),
            }
        }
        self.state.store(0, Ordering::SeqCst);
    }

    /// Wakes the thread if it sleeps at least this deeply. What it should see was stored before.
    fn wake_from(&self, depth: u8) {
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::SeqCst) >= depth {
            self.state.store(0, Ordering::SeqCst);
            if let Some(thread) = self.thread.get() {
                thread.unpark();
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
