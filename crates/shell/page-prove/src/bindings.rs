//! What the Worker calls.

use symbolon_ambient::SystemRng;
use symbolon_secret::{Secret, ZeroizingAlloc, wipe};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{Document, Holding, Prover, Refused, pool};

/// What was in the module's memory does not stay there.
#[global_allocator]
static HEAP: ZeroizingAlloc = ZeroizingAlloc;

/// Thrown as the JSON of a [`Refused`].
impl From<Refused> for JsValue {
    fn from(refused: Refused) -> Self {
        Self::from_str(&serde_json::to_string(&refused).unwrap_or_default())
    }
}

/// See [`crate::look`]: JSON (`web/src/worker/prove.protocol.ts`).
#[wasm_bindgen]
pub fn look(request: &str) -> Result<String, Refused> {
    Ok(serde_json::to_string(&crate::look(request)?).unwrap_or_default())
}

/// See [`crate::measure`].
#[wasm_bindgen]
pub fn measure(rounds: u32) {
    crate::measure(rounds);
}

/// See [`pool::open`].
#[wasm_bindgen(js_name = openPool)]
pub fn open_pool(threads: usize) -> usize {
    pool::open(threads)
}

/// See [`pool::help`].
#[wasm_bindgen]
pub fn help() {
    pool::help();
}

/// A holder with claims.
#[wasm_bindgen(js_name = Holding)]
pub struct PageHolding(Holding);

#[wasm_bindgen(js_class = Holding)]
impl PageHolding {
    /// See [`Holding::demo`].
    pub fn demo(
        birth: Vec<u8>,
        nationality: Vec<u8>,
        number: Vec<u8>,
        expiry: Vec<u8>,
        today: &str,
    ) -> Result<Self, Refused> {
        let [birth, nationality, number, expiry] = [birth, nationality, number, expiry].map(taken);
        Holding::demo(Document { birth, nationality, number, expiry }, today, &SystemRng).map(Self)
    }

    /// See [`Holding::read`].
    pub fn read(record: Vec<u8>) -> Result<Self, Refused> {
        Holding::read(&taken(record)).map(Self)
    }

    /// See [`Prover::check`].
    pub fn check(&self, request: &str) -> Result<(), Refused> {
        Prover::check(request, &self.0)
    }

    /// See [`Holding::about`]: JSON.
    pub fn about(&self) -> String {
        serde_json::to_string(&self.0.about()).unwrap_or_default()
    }
}

/// See [`Prover`].
#[wasm_bindgen(js_name = Prover)]
pub struct PageProver(Prover);

#[wasm_bindgen(js_class = Prover)]
impl PageProver {
    /// See [`Prover::make`].
    pub fn make() -> Result<Self, Refused> {
        Prover::make().map(Self)
    }

    /// See [`Prover::read`].
    pub fn read(stored: &[u8]) -> Result<Self, Refused> {
        Prover::read(stored).map(Self)
    }

    /// See [`Prover::write`].
    pub fn write(&self) -> Vec<u8> {
        self.0.write()
    }

    /// See [`Prover::name`].
    #[wasm_bindgen(js_name = keyName)]
    pub fn key_name() -> String {
        Prover::name()
    }

    /// See [`Prover::verifying_key`].
    #[wasm_bindgen(js_name = verifyingKey)]
    pub fn verifying_key() -> String {
        Prover::verifying_key()
    }

    /// See [`Prover::prove`]. A cast of the moment saturates.
    pub fn prove(
        &self,
        request: &str,
        holding: &PageHolding,
        now: f64,
    ) -> Result<Vec<u8>, Refused> {
        self.0.prove(request, &holding.0, now as u64, &SystemRng)
    }
}

/// Moves bytes of the page into secret memory, and wipes what they came in.
fn taken(mut bytes: Vec<u8>) -> Secret<[u8]> {
    let secret = Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(&bytes));
    wipe(&mut bytes);
    secret
}
