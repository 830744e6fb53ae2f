//! What a capsule can import, and under which capability.

use symbolon_capsule::Capability;
use wasmtime::StoreContextMut;
use wasmtime::component::{Component, Linker};
use wasmtime::{Engine, Result};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, filesystem, random};
use wasmtime_wasi::random::WasiRandom;

use crate::error::RunError;
use crate::run::Given;
use crate::state::State;

/// What the interface of an import needs: `Ok(None)` for what every capsule finds.
///
/// # Errors
/// [`RunError::Import`] for what no capsule is given.
pub fn asked_for(import: &str) -> Result<Option<Capability>, RunError> {
    match import {
        "symbolon:capsule/log@1.0.0" => return Ok(Some(Capability::Log)),
        "symbolon:capsule/broker@1.0.0" => return Ok(Some(Capability::Call)),
        _ => {}
    }
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    let package = interface.split_once('/').map_or("", |(package, _)| package);
    let known = ["wasi:cli", "wasi:io", "wasi:clocks", "wasi:random", "wasi:filesystem"];
    match known.contains(&package) && version.starts_with("0.2.") {
        true => Ok(None),
        false => Err(RunError::Import(import.to_owned())),
    }
}

/// Whether everything that is imported is given.
pub(crate) fn check(component: &Component, engine: &Engine, given: Given) -> Result<(), RunError> {
    for (name, _) in component.component_type().imports(engine) {
        let held = match asked_for(name)? {
            None => true,
            Some(Capability::Log) => given.log,
            Some(Capability::Call) => given.call,
            Some(_) => false,
        };
        if !held {
            return Err(RunError::Import(name.to_owned()));
        }
    }
    Ok(())
}

/// Everything that any capsule can be given. What this one is given is checked before.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::<State>::new(engine);
    let l = &mut linker;
    // Streams, clocks, random numbers, standard input and output.
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(l)?;
    random::insecure::add_to_linker::<State, WasiRandom>(l, wasi_random)?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(l, wasi_random)?;
    cli::exit::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::environment::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    // Programs of every toolchain import these; there is no folder in them.
    filesystem::types::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)?;
    filesystem::preopens::add_to_linker::<State, WasiFilesystem>(l, State::filesystem)?;
    let mut log = l.instance("symbolon:capsule/log@1.0.0")?;
    log.func_wrap("line", |mut store: StoreContextMut<'_, State>, (text,): (String,)| {
        let state = store.data_mut();
        state.lines += 1;
        if state.lines <= LINES_MAX {
            state.doors.line(cut(&text));
        }
        Ok(())
    })?;
    let mut broker = l.instance("symbolon:capsule/broker@1.0.0")?;
    broker.func_wrap(
        "call",
        |store: StoreContextMut<'_, State>, (operation, parameters): (String, String)| {
            Ok((store.data().doors.call(&operation, &parameters),))
        },
    )?;
    Ok(linker)
}

fn wasi_random(state: &mut State) -> &mut wasmtime_wasi::random::WasiRandomCtx {
    wasmtime_wasi::WasiView::ctx(state).ctx.random()
}

/// At most [`LINE_BYTES_MAX`], at the border of a character.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(LINE_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

const LINES_MAX: u32 = 1024;
const LINE_BYTES_MAX: usize = 1024;
