//! What JavaScript calls.

use wasm_bindgen::prelude::wasm_bindgen;

/// A receipt's verdict as JSON (`web/src/worker/protocol.ts`).
#[wasm_bindgen]
pub fn verify(bundle: &[u8], key: &str) -> String {
    crate::verdict(bundle, key).to_string()
}
