//! What JavaScript calls.

mod account;
mod custody;
mod home;
mod lease;
mod secret;

pub(crate) use custody::MadeChange;

use symbolon_secret::ZeroizingAlloc;
use wasm_bindgen::prelude::JsValue;

use crate::Failed;

/// What was in the module's memory does not stay there.
#[global_allocator]
static HEAP: ZeroizingAlloc = ZeroizingAlloc;

/// Thrown as the JSON of a [`Failed`].
impl From<Failed> for JsValue {
    fn from(failed: Failed) -> Self {
        Self::from_str(&serde_json::to_string(&failed).unwrap_or_default())
    }
}
