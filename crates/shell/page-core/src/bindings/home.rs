//! A broker's home.

use symbolon_ambient::SystemRng;
use wasm_bindgen::prelude::wasm_bindgen;

use super::secret::taken;
use crate::Failed;
use crate::home::Asked;

/// What `POST /api/owner/unlock` takes as `sealed`, or with `adds` that of `POST /api/owner/ways`.
#[wasm_bindgen(js_name = answerTap)]
#[allow(clippy::too_many_arguments)] // an object would have to be taken apart, field by field
pub fn answer_tap(
    adds: bool,
    origin: &str,
    vault: &[u8],
    key: &[u8],
    nonce: &[u8],
    expires_unix_ms: f64,
    credential: &[u8],
    salt: &[u8],
    prf: Vec<u8>,
) -> Result<Vec<u8>, Failed> {
    // A cast saturates; times are far below 2^53.
    let expires_unix_ms = expires_unix_ms as u64;
    let asked = Asked { adds, origin, vault, key, nonce, expires_unix_ms, credential, salt };
    asked.answer(taken(prf), &SystemRng)
}
