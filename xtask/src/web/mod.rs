//! `cargo xtask web`: the page's core as WASM, then the page, into `web/dist`, which the product embeds.

mod core;
mod page;
mod patched;

use crate::{Args, Failure};

pub use core::bench_module;
pub use page::{install, node};

pub const LINE: &str = "build the page that the product embeds";

pub const HELP: &str = "\
cargo xtask web: the page's core as WASM, the page's types, the page

  core    crates/shell/page-core, page-import, page-verify and page-prove for
          wasm32-unknown-unknown: by rustup where it can add the standard
          library's sources, else by Debian's rustc-web; clang for the C of the
          prover, which is tried against the unpatched arithmetic
          (xtask/patches); wasm-bindgen of the version in Cargo.lock writes
          their JavaScript
  page    npm packages by web/package-lock.json, svelte-check, Vite

The result is web/dist; the next build of the product has it inside. What is
installed goes to target/xtask, the rest of the machine sees only the Debian
packages.

  --only NAME   of the modules those that are built with this one, or `page`:
                the rest as it was built last

Examples
  cargo xtask web
  cargo xtask web --only symbolon-page-prove
  cargo xtask web && cargo build --release
";

pub fn run(given: &[String]) -> Result<(), Failure> {
    let args = Args::parse("web", given, &[], &["--only"])?;
    let only = args.value("--only");
    if only != Some("page") {
        core::build(only)?;
    }
    page::build()
}

/// The core, the types, the page.
pub fn build() -> Result<(), Failure> {
    core::build(None)?;
    page::build()
}
