#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod args;
mod child;
mod commands;
mod daemon;
mod database;
mod editor;
mod facts;
mod failure;
mod home;
mod link;
mod local_time;
mod logs;
mod named;
mod out;
mod pairs;
mod progress;
mod prompt;
mod runtime;
mod secrets;
mod seeds;
mod servers;
mod typed;
mod vaults;

use std::process::ExitCode;

use symbolon_secret::ZeroizingAlloc;

use crate::args::Cli;

#[global_allocator]
static ALLOC: ZeroizingAlloc = ZeroizingAlloc;

fn main() -> ExitCode {
    symbolon_secret::harden();
    let cli = match args::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let Cli { json, home, command } = cli;
    let ctx = commands::Ctx { json, home };
    match command.run(&ctx) {
        Ok(code) => code,
        Err(failure) => failure.tell(ctx.json),
    }
}
