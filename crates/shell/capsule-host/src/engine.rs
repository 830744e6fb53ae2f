//! The engine: components compiled, loaded, and run under limits.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, Trap,
};
use wasmtime_wasi::I32Exit;

use crate::cache::Compiled;
use crate::error::RunError;
use crate::run::{Finished, Given, Job};
use crate::state::{Doors, State, TABLE_ELEMENTS_MAX};
use crate::world;

/// An engine, with what components are linked against, and the executor of their waits.
pub struct Runtime {
    engine: Engine,
    linker: Linker<State>,
    executor: tokio::runtime::Runtime,
}

/// How a component is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// `wasi:cli/run`: a program.
    Run,
    /// `handle`: a function.
    Handle,
}

impl Entry {
    /// What is begun of what a component exports, with its name.
    pub(crate) fn among<'a>(exports: impl IntoIterator<Item = &'a str>) -> Option<(Self, &'a str)> {
        let entries = exports.into_iter().filter_map(|name| match name {
            "handle" => Some((Self::Handle, name)),
            _ if name.starts_with("wasi:cli/run@0.2.") => Some((Self::Run, name)),
            _ => None,
        });
        entries.min_by_key(|(entry, _)| *entry == Self::Run)
    }
}

/// A component that is ready to run any number of times, each in an instance of its own.
pub struct Loaded {
    pre: InstancePre<State>,
    entry: Entry,
    export: ComponentExportIndex,
    given: Given,
}

impl Runtime {
    /// The engine alone: it can compile, and nothing that it runs would be stopped in time until
    /// [`Runtime::start_clock`].
    ///
    /// # Errors
    /// [`RunError::Engine`].
    pub fn build() -> Result<Self, RunError> {
        let engine = Engine::new(&config()).map_err(engine_failed)?;
        let linker = world::linker(&engine).map_err(engine_failed)?;
        let executor = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|e| RunError::Engine(e.to_string()))?;
        Ok(Self { engine, linker, executor })
    }

    /// Starts the thread that counts time for what runs. It ends with the engine.
    ///
    /// # Errors
    /// [`RunError::Engine`] where no thread can be started.
    pub fn start_clock(&self) -> Result<(), RunError> {
        let engine = self.engine.weak();
        let tick = move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        };
        // Without a name: to give itself one it would need a system call that is not let through.
        let started = std::thread::Builder::new().spawn(tick);
        started.map(drop).map_err(|e| RunError::Engine(e.to_string()))
    }

    /// Both of it.
    ///
    /// # Errors
    /// [`RunError::Engine`].
    pub fn new() -> Result<Self, RunError> {
        let runtime = Self::build()?;
        runtime.start_clock()?;
        Ok(runtime)
    }

    /// What this engine's code can be loaded by: its version, its settings, this processor.
    pub fn version(&self) -> String {
        engine_version(&self.engine)
    }

    /// Native code of a component.
    ///
    /// # Errors
    /// [`RunError::Component`].
    pub fn compile(&self, component: &[u8]) -> Result<Vec<u8>, RunError> {
        self.engine.precompile_component(component).map_err(not_a_component)
    }

    /// Loads code whose tag held, for runs with what is given.
    ///
    /// # Errors
    /// [`RunError::Component`], [`RunError::Import`] or [`RunError::Entry`].
    #[allow(unsafe_code)]
    pub fn load(&self, compiled: &Compiled, given: Given) -> Result<Loaded, RunError> {
        // SAFETY: `Compiled` is made of code that this engine made in this process, that a child of
        // ours made and handed over, or whose tag under the home's key held.
        let component = unsafe { Component::deserialize(&self.engine, compiled.code()) };
        let component = component.map_err(not_a_component)?;
        world::check(&component, &self.engine, given)?;
        let (entry, export) = find_entry(&component, &self.engine)?;
        let pre = self.linker.instantiate_pre(&component).map_err(not_a_component)?;
        Ok(Loaded { pre, entry, export, given })
    }

    /// One run, in an instance of its own that is gone after it.
    ///
    /// # Errors
    /// [`RunError`]: what stopped it.
    pub fn run(
        &self,
        loaded: &Loaded,
        job: &Job,
        doors: Arc<dyn Doors>,
    ) -> Result<Finished, RunError> {
        if job.given != loaded.given {
            return Err(RunError::Engine("loaded for another manifest".into()));
        }
        let mut store = Store::new(&self.engine, State::new(job, doors));
        store.limiter(|state| &mut state.memory);
        store.set_fuel(job.limits.fuel).map_err(engine_failed)?;
        store.set_epoch_deadline(job.limits.time_ms.div_ceil(TICK.as_millis() as u64) + 1);
        store.epoch_deadline_trap();
        let limit = Duration::from_millis(job.limits.time_ms);
        let ended = self.executor.block_on(limited(limit, loaded.enter(&mut store, &job.input)));
        let fuel_used = job.limits.fuel - store.get_fuel().unwrap_or(0);
        let state = store.into_data();
        let written = state.output.contents();
        let output_max = job.limits.output_bytes as usize;
        let output = match ended {
            _ if written.len() > output_max => return Err(RunError::Output),
            Ok(Some(output)) => output,
            Ok(None) => written.to_vec(),
            Err(_) if state.memory.refused => return Err(RunError::Memory),
            Err(error) => return Err(error),
        };
        if output.len() > output_max {
            return Err(RunError::Output);
        }
        Ok(Finished { output, fuel_used, memory_bytes: state.memory.taken })
    }
}

impl Loaded {
    /// How it is begun.
    pub fn entry(&self) -> Entry {
        self.entry
    }

    /// Gives the result of `handle`, or nothing where the output was written to a stream.
    async fn enter(
        &self,
        store: &mut Store<State>,
        input: &[u8],
    ) -> Result<Option<Vec<u8>>, RunError> {
        let instance = self.pre.instantiate_async(&mut *store).await.map_err(stopped)?;
        match self.entry {
            Entry::Handle => {
                let handle = instance
                    .get_typed_func::<(&[u8],), (Result<Vec<u8>, String>,)>(
                        &mut *store,
                        &self.export,
                    )
                    .map_err(|_| RunError::Entry)?;
                let called = handle.call_async(&mut *store, (input,)).await;
                let (said,) = called.map_err(stopped)?;
                said.map(Some).map_err(|words| RunError::Guest(short(words)))
            }
            Entry::Run => {
                let run = instance
                    .get_typed_func::<(), (Result<(), ()>,)>(&mut *store, &self.export)
                    .map_err(|_| RunError::Entry)?;
                match run.call_async(&mut *store, ()).await {
                    Ok((Ok(()),)) => Ok(None),
                    Ok((Err(()),)) => Err(RunError::Exit),
                    Err(error) => match error.downcast_ref::<I32Exit>() {
                        Some(I32Exit(0)) => Ok(None),
                        Some(_) => Err(RunError::Exit),
                        None => Err(stopped(error)),
                    },
                }
            }
        }
    }
}

async fn limited<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, RunError>>,
) -> Result<T, RunError> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(RunError::Time))
}

fn find_entry(
    component: &Component,
    engine: &Engine,
) -> Result<(Entry, ComponentExportIndex), RunError> {
    let kind = component.component_type();
    let names = kind.exports(engine).map(|(name, _)| name);
    let (entry, name) = Entry::among(names).ok_or(RunError::Entry)?;
    let named = component.get_export_index(None, name).ok_or(RunError::Entry)?;
    let export = match entry {
        Entry::Handle => Some(named),
        Entry::Run => component.get_export_index(Some(&named), "run"),
    };
    Ok((entry, export.ok_or(RunError::Entry)?))
}

/// Same settings for compiling and running: code of others is not loaded.
fn config() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_memories(SLOTS)
        .total_component_instances(SLOTS)
        .total_core_instances(SLOTS * 8)
        .total_tables(SLOTS * 8)
        .total_stacks(SLOTS)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_memory_size(1 << 30)
        .linear_memory_keep_resident(KEPT_BYTES)
        .async_stack_keep_resident(KEPT_BYTES)
        .pagemap_scan(Enabled::No);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .wasm_component_model(true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .shared_memory(false)
        // An image of the memory would need a file, and the process has none.
        .memory_init_cow(false)
        .max_wasm_stack(512 * 1024)
        .async_stack_size(2 * 1024 * 1024);
    config
}

fn engine_version(engine: &Engine) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hash = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hash);
    format!("wasmtime-48/{:016x}", hash.finish())
}

/// What stopped it, in our words.
fn stopped(error: wasmtime::Error) -> RunError {
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => RunError::Fuel,
        Some(Trap::Interrupt) => RunError::Time,
        Some(Trap::StackOverflow) => RunError::Stack,
        Some(trap) => RunError::Trap(trap.to_string()),
        None => RunError::Trap(short(error.root_cause().to_string())),
    }
}

fn not_a_component(error: wasmtime::Error) -> RunError {
    RunError::Component(short(error.root_cause().to_string()))
}

fn engine_failed(error: wasmtime::Error) -> RunError {
    RunError::Engine(short(error.root_cause().to_string()))
}

/// Words of strangers are cut, at the border of a character.
pub(crate) fn short(text: String) -> String {
    text.chars().take(WORDS_MAX).collect()
}

/// How often time is counted.
const TICK: Duration = Duration::from_millis(1);
/// Instances at once in one process.
const SLOTS: u32 = 8;
/// Bytes that stay mapped between runs.
const KEPT_BYTES: usize = 128 * 1024;
const WORDS_MAX: usize = 512;
