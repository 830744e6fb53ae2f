//! What JavaScript calls.

use wasm_bindgen::prelude::wasm_bindgen;

/// The verdict on a receipt or a certificate, as JSON (`web/src/worker/protocol.ts`).
#[wasm_bindgen]
pub fn verify(file: &[u8], key: &str, text: Option<Vec<u8>>) -> String {
    crate::verdict(file, key, text.as_deref()).to_string()
}
