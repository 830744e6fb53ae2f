//! What the Worker calls.

use symbolon_ambient::{Clock, SystemRng};
use symbolon_secret::{Secret, ZeroizingAlloc, wipe};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::{Mirror, Refused};

/// What was in the module's memory does not stay there.
#[global_allocator]
static HEAP: ZeroizingAlloc = ZeroizingAlloc;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Date)]
    fn now() -> f64;
}

/// The browser's calendar.
struct Calendar;

impl Clock for Calendar {
    fn unix_ms(&self) -> u64 {
        now() as u64
    }

    fn mono_ns(&self) -> u64 {
        self.unix_ms().saturating_mul(1_000_000)
    }
}

/// Thrown as the JSON of a [`Refused`].
impl From<Refused> for JsValue {
    fn from(refused: Refused) -> Self {
        Self::from_str(&serde_json::to_string(&refused).unwrap_or_default())
    }
}

/// As much of a vault as an import or an export needs.
#[wasm_bindgen(js_name = Mirror)]
pub struct PageMirror(Mirror);

#[wasm_bindgen(js_class = Mirror)]
impl PageMirror {
    /// See [`Mirror::new`].
    #[wasm_bindgen(constructor)]
    pub fn make() -> Result<Self, Refused> {
        Mirror::new(Box::new(Calendar), Box::new(SystemRng)).map(Self)
    }

    /// See [`Mirror::put_folders`].
    pub fn put_folders(&mut self, rows: &str) -> Result<(), Refused> {
        self.0.put_folders(rows)
    }

    /// See [`Mirror::put_copy`].
    pub fn put_copy(
        &mut self,
        share: &str,
        fragment: Vec<u8>,
        sealed: &[u8],
        row: &str,
    ) -> Result<(), Refused> {
        self.0.put_copy(share, &taken(fragment), sealed, row)
    }

    /// See [`Mirror::put_file`].
    pub fn put_file(&mut self, row: &str) -> Result<(), Refused> {
        self.0.put_file(row)
    }

    /// See [`Mirror::put_taken`].
    pub fn put_taken(&mut self, row: &str) -> Result<(), Refused> {
        self.0.put_taken(row)
    }

    /// See [`Mirror::read`].
    pub fn read(&mut self, path: &str, bytes: Vec<u8>) {
        self.0.read(path, bytes);
    }

    /// See [`Mirror::named`].
    pub fn named(&self) -> String {
        self.0.named()
    }

    /// See [`Mirror::take_markdown`].
    pub fn take_markdown(&mut self) -> Result<String, Refused> {
        self.0.take_markdown()
    }

    /// See [`Mirror::write_markdown`].
    pub fn write_markdown(&mut self) -> Result<String, Refused> {
        self.0.write_markdown()
    }

    /// See [`Mirror::written`].
    pub fn written(&mut self, path: &str) -> Option<Vec<u8>> {
        self.0.written(path)
    }

    /// See [`Mirror::take_bitwarden`].
    pub fn take_bitwarden(
        &mut self,
        file: Vec<u8>,
        passphrase: Option<Vec<u8>>,
    ) -> Result<String, Refused> {
        self.0.take_bitwarden(&taken(file), passphrase.map(taken).as_ref())
    }

    /// See [`Mirror::write_bitwarden`].
    pub fn write_bitwarden(&mut self) -> Result<String, Refused> {
        self.0.write_bitwarden()
    }

    /// See [`Mirror::copy`].
    pub fn copy(&self, item: &str, files: &str) -> Result<SealedCopy, Refused> {
        let copy = self.0.copy(item, files)?;
        // EXPOSE: the core opens the copy with it; it is nothing without the copy.
        let fragment = copy.fragment.expose().to_vec();
        Ok(SealedCopy { share: copy.share.to_string(), fragment, sealed: copy.sealed, at: copy.at })
    }
}

/// A copy of an item on its way to the core.
#[wasm_bindgen(getter_with_clone)]
pub struct SealedCopy {
    /// The link's id.
    pub share: String,
    /// What opens it.
    pub fragment: Vec<u8>,
    /// The item.
    pub sealed: Vec<u8>,
    /// Where it belongs, as JSON.
    pub at: String,
}

/// Moves bytes of the page into secret memory, and wipes what they came in.
fn taken(mut bytes: Vec<u8>) -> Secret<[u8]> {
    let secret = Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(&bytes));
    wipe(&mut bytes);
    secret
}
