//! `symbolon-bindgen MODULE FOLDER`: JavaScript and types for a WASM module, as `cargo xtask web` asks for them.
//!
//! A program of its own, so that nobody who only tests or lints builds what it needs; of this workspace, so that
//! one lock file holds it to the version of `wasm-bindgen` that the module was built with.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [module, folder] = &given[..] else {
        eprintln!("usage: symbolon-bindgen MODULE FOLDER");
        return ExitCode::from(2);
    };
    let made = Bindgen::new().input_path(module).web(true).and_then(|bindgen| {
        bindgen
            .typescript(true)
            .remove_name_section(true)
            .remove_producers_section(true)
            .generate(folder)
    });
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
