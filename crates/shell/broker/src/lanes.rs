//! Threads on which connections live: one event loop each, nothing handed from one to another.
//!
//! A call waits for its upstream on the thread that took it. With one pool of workers over all
//! connections each wake-up wakes a second worker too, which finds nothing; on a machine that is
//! otherwise idle that costs more than the call.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

mod spin;

/// Threads on which connections live. Cheap to clone; the threads end with the last clone.
#[derive(Clone, Debug)]
pub struct Lanes(Arc<[Lane]>);

#[derive(Debug)]
struct Lane {
    runtime: Handle,
    /// Tasks that were begun here and have not ended.
    load: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
    stop: Option<oneshot::Sender<()>>,
}

impl Lanes {
    /// One for each core, two at least: a call that waits for the disk holds up its lane.
    ///
    /// # Errors
    /// Where the system gives no thread or no event loop.
    pub fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(LANES_MIN, usize::from);
        (0..cores.max(LANES_MIN)).map(Lane::start).collect::<io::Result<_>>().map(Self)
    }

    /// The caller's own runtime as the only lane: for tests.
    pub fn here() -> Self {
        let runtime = Handle::current();
        Self(Arc::new([Lane { runtime, load: Arc::default(), thread: None, stop: None }]))
    }

    /// Runs a connection to its end on the lane that has the fewest; dropped, it is cut off.
    ///
    /// What it waits for is to be made by `make`, on that lane: a socket wakes the thread that
    /// registered it.
    pub fn spawn<F>(
        &self,
        make: impl FnOnce() -> F + Send + 'static,
    ) -> AbortOnDropHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let fewest = self.0.iter().min_by_key(|lane| lane.load.load(Relaxed));
        // INFALLIBLE: `start` and `here` make at least one.
        let lane = fewest.expect("a lane");
        let load = Load::on(&lane.load);
        AbortOnDropHandle::new(lane.runtime.spawn(async move {
            let _load = load;
            let mut task = pin!(make());
            poll_fn(|cx| {
                spin::worked();
                task.as_mut().poll(cx)
            })
            .await
        }))
    }
}

impl Lane {
    fn start(number: usize) -> io::Result<Self> {
        let name = format!("lane {number}");
        // Signals go to the main thread alone: these threads' registers may hold a credential, and
        // a signal handler's frame would keep them.
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_name(name.clone())
            .on_thread_start(symbolon_secret::shield_thread)
            .on_thread_unpark(spin::woken)
            .build()?;
        let load = Arc::<AtomicUsize>::default();
        if thread::available_parallelism().is_ok_and(|cores| cores.get() > 1) {
            runtime.spawn(spin::look_out(load.clone()));
        }
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let tasks = load.clone();
        let thread = thread::Builder::new().name(name).spawn(move || {
            symbolon_secret::shield_thread();
            symbolon_store::count_tasks(tasks);
            // Told to stop, or nobody is left who could tell.
            let _ = runtime.block_on(stopped);
            // Not held up by what still reads a file.
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, load, thread: Some(thread), stop: Some(stop) })
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            // The last clone may go on a lane itself, which cannot wait for its own end.
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// A task's part of a lane's load, given back however the task ends.
struct Load(Arc<AtomicUsize>);

impl Load {
    fn on(load: &Arc<AtomicUsize>) -> Self {
        load.fetch_add(1, Relaxed);
        Self(load.clone())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

const LANES_MIN: usize = 2;
