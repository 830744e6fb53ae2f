//! Unlock leases.

use symbolon_ambient::SystemRng;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{Failed, Opened};

#[wasm_bindgen]
impl Opened {
    /// The body of `POST /api/vault/leases`: the data key, sealed to who asked (`GET /api/vault/lease-key`).
    /// Purposes are words with spaces between.
    #[wasm_bindgen(js_name = lend)]
    pub fn lend_js(
        &self,
        asked: &str,
        origin: &str,
        purposes: &str,
        minutes: u32,
    ) -> Result<String, Failed> {
        let words: Vec<&str> = purposes.split_whitespace().collect();
        Ok(self.lend(asked, origin, &words, minutes, &SystemRng)?.to_string())
    }
}
