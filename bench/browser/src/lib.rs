#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg(target_arch = "wasm32")]

use symbolon_bench_proofs::Cases;
use symbolon_page_prove::pool;
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn now() -> f64;
}

/// See [`pool::open`].
#[wasm_bindgen(js_name = openBenchPool)]
pub fn open_pool(threads: usize) -> usize {
    pool::open(threads)
}

/// See [`pool::help`].
#[wasm_bindgen(js_name = helpBench)]
pub fn help() {
    pool::help();
}

/// The names of all cases, by commas.
#[wasm_bindgen]
pub fn names() -> String {
    Cases::NAMES.join(",")
}

/// Measures one case, with so many proofs. Gives the row's JSON.
#[wasm_bindgen]
pub fn run(case: &str, runs: usize) -> Result<String, JsError> {
    let clock = || now();
    let row = Cases::make(runs, &clock)?.run(case)?;
    Ok(serde_json::to_string(&row)?)
}
