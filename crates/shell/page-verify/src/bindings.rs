//! What JavaScript calls.

use wasm_bindgen::prelude::wasm_bindgen;

/// The verdict on a receipt or a certificate, as JSON (`web/src/worker/protocol.ts`).
#[wasm_bindgen]
pub fn verify(
    file: &[u8],
    key: &str,
    succession: Option<Vec<u8>>,
    text: Option<Vec<u8>>,
) -> String {
    crate::verdict(file, key, succession.as_deref(), text.as_deref()).to_string()
}

/// Whether the operator's key in `kept` gave way to the one in `now`, as its `operator.succession` says.
#[wasm_bindgen]
pub fn gave_way(kept: &str, now: &str, succession: &[u8]) -> bool {
    crate::gave_way(kept, now, succession)
}
