//! What the Worker calls. Numbers that count commits fit a double.

use symbolon_ambient::{Clock, SystemRng};
use symbolon_secret::{Secret, wipe};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use super::{Kept, Linked, MadeLink, Problem, Vault};
use crate::bindings::MadeChange;
use crate::{Failed, Opened};

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

/// An open vault.
#[wasm_bindgen(js_name = Vault)]
pub struct PageVault {
    own: Vault,
    kept: Kept,
}

/// Thrown as every refusal of the core is.
impl From<Problem> for JsValue {
    fn from(problem: Problem) -> Self {
        Failed::from(problem).into()
    }
}

#[wasm_bindgen(js_class = Vault)]
impl PageVault {
    /// Opens it, from the copy that this browser kept where there is one.
    pub fn open(opened: &Opened, snapshot: Option<Vec<u8>>) -> Result<Self, JsValue> {
        let keys = || opened.keys();
        let (clock, rng) = (Box::new(Calendar), Box::new(SystemRng));
        let (own, kept) = Vault::open(keys, snapshot.as_deref(), clock, rng)?;
        Ok(Self { own, kept })
    }

    /// What became of that copy.
    pub fn kept(&self) -> String {
        let word = match self.kept {
            Kept::None => "none",
            Kept::Used => "used",
            Kept::Refused => "refused",
        };
        word.to_owned()
    }

    /// See [`Vault::snapshot`].
    pub fn snapshot(&mut self) -> Vec<u8> {
        self.own.snapshot()
    }

    /// See [`Vault::state`].
    pub fn state(&self) -> String {
        self.own.state()
    }

    /// See [`Vault::ask`].
    pub fn ask(&mut self, question: &str) -> Result<String, JsValue> {
        Ok(self.own.ask(question)?)
    }

    /// See [`Vault::secret`].
    pub fn secret(&self, id: &str, name: &str) -> Result<Vec<u8>, JsValue> {
        // EXPOSE: its owner asked to see it.
        Ok(self.own.secret(id, name, |secret| secret.expose().to_vec())?)
    }

    /// See [`Vault::put_secret`].
    pub fn put_secret(&mut self, bytes: Vec<u8>) -> Result<u32, JsValue> {
        Ok(self.own.put_secret(taken(bytes))?)
    }

    /// See [`Vault::begin_changes`].
    pub fn begin_changes(&mut self) -> f64 {
        self.own.begin_changes() as f64
    }

    /// See [`Vault::changes`].
    pub fn changes(&mut self, page: &str) -> Result<String, JsValue> {
        Ok(self.own.changes(page)?)
    }

    /// See [`Vault::commit`].
    pub fn commit(&mut self) -> Result<Option<String>, JsValue> {
        Ok(self.own.commit()?)
    }

    /// See [`Vault::accepted`].
    pub fn accepted(&mut self) -> Result<u32, JsValue> {
        Ok(self.own.accepted()? as u32)
    }

    /// See [`Vault::hand_over`].
    pub fn hand_over(&mut self, opened: &Opened, change: &MadeChange) -> Result<String, Failed> {
        self.own.hand_over(opened, change.change())
    }

    /// See [`Vault::go_on`].
    pub fn go_on(&mut self, opened: &Opened) -> Result<(), Failed> {
        self.own.go_on(opened)
    }

    /// See [`Vault::reseal`].
    pub fn reseal(&mut self, max: u32) -> Result<u32, JsValue> {
        Ok(self.own.reseal(max as usize)? as u32)
    }

    /// See [`Vault::history`].
    pub fn history(&mut self, id: &str, answers: &str) -> Result<String, JsValue> {
        Ok(self.own.history(id, answers)?)
    }

    /// See [`Vault::revert`].
    pub fn revert(&mut self, id: &str, number: f64) -> Result<(), JsValue> {
        Ok(self.own.revert(id, number as u64)?)
    }

    /// See [`Vault::forget_history`].
    pub fn forget_history(&mut self) {
        self.own.forget_history();
    }

    /// See [`Vault::read_file`].
    pub fn read_file(&mut self) {
        self.own.read_file();
    }

    /// See [`Vault::read_more`].
    pub fn read_more(&mut self, bytes: &[u8]) {
        self.own.read_more(bytes);
    }

    /// See [`Vault::add_file`].
    pub fn add_file(
        &mut self,
        name: &str,
        media_type: &str,
        folder: Option<String>,
    ) -> Result<String, JsValue> {
        Ok(self.own.add_file(name, media_type, folder.as_deref())?)
    }

    /// See [`Vault::move_file`].
    pub fn move_file(&mut self, id: &str, resumes: bool) -> Result<String, JsValue> {
        Ok(self.own.move_file(id, resumes)?)
    }

    /// See [`Vault::seal_chunk`].
    pub fn seal_chunk(&self, index: u32, plain: &[u8]) -> Result<Vec<u8>, JsValue> {
        Ok(self.own.seal_chunk(index, plain)?)
    }

    /// See [`Vault::open_chunk`].
    pub fn open_chunk(&mut self, index: u32, sealed: &[u8]) -> Result<Vec<u8>, JsValue> {
        Ok(self.own.open_chunk(index, sealed)?)
    }

    /// See [`Vault::chunk_bytes`].
    pub fn chunk_bytes() -> usize {
        Vault::chunk_bytes()
    }

    /// See [`Vault::fingerprint_of`].
    pub fn fingerprint_of(share_key: &str) -> Result<String, JsValue> {
        Ok(Vault::fingerprint_of(share_key)?)
    }

    /// See [`Vault::share_with`].
    pub fn share_with(&self, id: &str, share_key: &str) -> Result<Vec<u8>, JsValue> {
        Ok(self.own.share_with(id, share_key)?)
    }

    /// See [`Vault::share_link`].
    pub fn share_link(&self, id: &str) -> Result<NewLink, JsValue> {
        let MadeLink { share, fragment, sealed } = self.own.share_link(id)?;
        // EXPOSE: it is shown to who shares, as a part of the link.
        let fragment = String::from_utf8_lossy(fragment.expose()).into_owned();
        Ok(NewLink { id: share.to_string(), fragment, sealed })
    }

    /// See [`Vault::put_copy`].
    pub fn put_copy(
        &mut self,
        copy: PageLinked,
        id: &str,
        folder: Option<String>,
        marks: u8,
        created: f64,
        updated: f64,
    ) -> Result<(), JsValue> {
        let times = [created as u64, updated as u64];
        Ok(self.own.put_copy(copy.0, id, folder.as_deref(), marks, times)?)
    }

    /// See [`Vault::received`].
    pub fn received(&self, sealed: &[u8]) -> Result<String, JsValue> {
        Ok(self.own.received(sealed)?)
    }

    /// See [`Vault::take`].
    pub fn take(&mut self, sealed: &[u8]) -> Result<String, JsValue> {
        Ok(self.own.take(sealed)?.to_string())
    }
}

/// A link that was made.
#[wasm_bindgen(getter_with_clone)]
pub struct NewLink {
    /// The share's id, in the path.
    pub id: String,
    /// What stands behind the `#`.
    pub fragment: String,
    /// What the server keeps.
    pub sealed: Vec<u8>,
}

/// A share behind a link, opened.
#[wasm_bindgen(js_name = Linked)]
pub struct PageLinked(Linked);

#[wasm_bindgen(js_class = Linked)]
impl PageLinked {
    /// See [`Linked::check`].
    pub fn check(id: &str, fragment: Vec<u8>) -> Result<(), JsValue> {
        Ok(Linked::check(id, &taken(fragment))?)
    }

    /// See [`Linked::open`].
    pub fn open(id: &str, fragment: Vec<u8>, sealed: &[u8]) -> Result<Self, JsValue> {
        Ok(Self(Linked::open(id, &taken(fragment), sealed)?))
    }

    /// See [`Linked::shown`].
    pub fn shown(&self) -> String {
        self.0.shown()
    }

    /// See [`Linked::secret`].
    pub fn secret(&self, name: &str) -> Option<Vec<u8>> {
        // EXPOSE: whoever has the link asked to see it.
        self.0.secret(name).map(|secret| secret.expose().to_vec())
    }
}

/// Moves bytes of the page into secret memory, and wipes what they came in.
fn taken(mut bytes: Vec<u8>) -> Secret<[u8]> {
    let secret = Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(&bytes));
    wipe(&mut bytes);
    secret
}
