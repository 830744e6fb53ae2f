//! What stands behind a running capsule: its limits, its clocks, its two doors.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use rand_core::TryRng;
use symbolon_ambient::{Clock, Rng as _, SeededRng, SystemClock};
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView};

use crate::run::Job;

/// Where a capsule's lines and calls go. Neither is there without its capability.
pub trait Doors: Send + Sync {
    /// A line for the operator.
    fn line(&self, text: &str);

    /// An operation of the broker, with parameters as JSON; gives the answer, or why there is none.
    ///
    /// # Errors
    /// The words that the capsule reads.
    fn call(&self, operation: &str, parameters: &str) -> Result<String, String>;

    /// The run is over, and with it the calls that have no answer yet: whoever was asked need not decide any more.
    fn leave(&self) {}
}

pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    pub output: MemoryOutputPipe,
    pub memory: Memory,
    pub doors: Arc<dyn Doors>,
    pub lines: u32,
}

impl State {
    pub fn new(job: &Job, doors: Arc<dyn Doors>) -> Self {
        // One byte more than the limit, so that what is too long is told from what just fits.
        let output = MemoryOutputPipe::new(job.limits.output_bytes as usize + 1);
        let mut wasi = WasiCtx::builder();
        wasi.stdin(MemoryInputPipe::new(job.input.clone())).stdout(output.clone());
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        wasi.max_random_size(RANDOM_BYTES_MAX);
        let given = job.given;
        if !given.time || given.deterministic {
            let at_ms = if given.time { job.now_ms } else { 0 };
            let clock = Standing(Duration::from_millis(at_ms));
            wasi.wall_clock(clock).monotonic_clock(clock);
        } else {
            wasi.wall_clock(Real);
        }
        if !given.random || given.deterministic {
            let seed = if given.random { job.seed } else { 0 };
            wasi.secure_random(Seeded(SeededRng::new(seed)));
            wasi.insecure_random(Seeded(SeededRng::new(!seed)));
            wasi.insecure_random_seed(u128::from(seed));
        }
        let memory = Memory { max: job.limits.memory_bytes, taken: 0, refused: false };
        let table = ResourceTable::new();
        Self { wasi: wasi.build(), table, output, memory, doors, lines: 0 }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// All linear memories of a run together.
pub(crate) struct Memory {
    max: u64,
    pub taken: u64,
    pub refused: bool,
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        if self.taken.saturating_add(more) > self.max {
            self.refused = true;
            // It is stopped here: a capsule that goes on without memory fails in some other way,
            // and nobody would know why.
            wasmtime::bail!("no more memory");
        }
        self.taken += more;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS_MAX {
            self.refused = true;
            wasmtime::bail!("no larger table");
        }
        Ok(true)
    }
}

/// Bytes of random numbers in one call.
const RANDOM_BYTES_MAX: u64 = 64 * 1024;
pub(crate) const TABLE_ELEMENTS_MAX: usize = 65_536;

/// A clock that shows one moment.
#[derive(Clone, Copy)]
struct Standing(Duration);

impl HostWallClock for Standing {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }
    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Standing {
    fn resolution(&self) -> u64 {
        1_000_000
    }
    fn now(&self) -> u64 {
        self.0.as_nanos() as u64
    }
}

/// The machine's calendar, to the millisecond.
struct Real;

impl HostWallClock for Real {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }
    fn now(&self) -> Duration {
        Duration::from_millis(SystemClock.unix_ms())
    }
}

/// Random numbers that are the same each time.
struct Seeded(SeededRng);

impl TryRng for Seeded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.0.bytes()))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.0.bytes()))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}
