//! Ways, vaults that are open, and changes of them.

use symbolon_ambient::SystemRng;
use wasm_bindgen::prelude::wasm_bindgen;

use super::secret::taken;
use crate::custody::{Change, Rotation, Way};
use crate::{Failed, Moment, Opened};

/// A way to open a vault.
#[wasm_bindgen(js_name = Way)]
pub struct BroughtWay(Way);

impl From<Way> for BroughtWay {
    fn from(way: Way) -> Self {
        Self(way)
    }
}

#[wasm_bindgen(js_class = Way)]
impl BroughtWay {
    /// A new recovery code.
    #[wasm_bindgen(js_name = makeRecovery)]
    pub fn make_recovery() -> Self {
        Way::make_recovery(&SystemRng).into()
    }

    /// The 24 words of a recovery code.
    pub fn recovery(words: Vec<u8>) -> Result<Self, Failed> {
        Way::recovery(&taken(words)).map(Self)
    }

    /// A passkey's first PRF output.
    pub fn passkey(credential: Vec<u8>, prf: Vec<u8>) -> Result<Self, Failed> {
        Way::passkey(credential, taken(prf)).map(Self)
    }

    /// An Ethereum wallet's signatures; one opens, two are a new way in.
    pub fn ethereum(
        origin: &str,
        address: &str,
        first: Vec<u8>,
        second: Option<Vec<u8>>,
    ) -> Result<Self, Failed> {
        Way::ethereum(origin, address, taken(first), second.map(taken)).map(Self)
    }

    /// A Solana wallet's signatures; one opens, two are a new way in.
    pub fn solana(
        origin: &str,
        key: &str,
        first: Vec<u8>,
        second: Option<Vec<u8>>,
    ) -> Result<Self, Failed> {
        Way::solana(origin, key, taken(first), second.map(taken)).map(Self)
    }

    /// A seed phrase, and the passphrase beside it or nothing.
    pub fn seed(origin: &str, phrase: Vec<u8>, passphrase: Vec<u8>) -> Result<Self, Failed> {
        Way::seed(origin, &taken(phrase), &taken(passphrase)).map(Self)
    }

    /// What a wallet is asked to sign.
    #[wasm_bindgen(js_name = toSign)]
    pub fn to_sign(method: &str, origin: &str, vault: &str) -> Result<String, Failed> {
        Way::to_sign(method, origin, vault)
    }

    /// The words of a recovery code, for the one time that they are shown.
    pub fn phrase(&self) -> Option<String> {
        // EXPOSE: a person writes them down from the page.
        self.0.phrase().map(|words| String::from_utf8_lossy(words.expose()).into_owned())
    }

    /// The address of a seed's wallet.
    #[wasm_bindgen(getter)]
    pub fn address(&self) -> Option<String> {
        self.0.address()
    }

    /// A recovery code's proof for a challenge, as JSON.
    #[wasm_bindgen(js_name = keyProof)]
    pub fn key_proof(
        &self,
        challenge: &str,
        purpose: &str,
        origin: &str,
        nonce: &str,
    ) -> Result<String, Failed> {
        Ok(self.0.key_proof(challenge, purpose, origin, nonce)?.to_string())
    }

    /// A seed's signature of a sign-in.
    #[wasm_bindgen(js_name = signIn)]
    pub fn sign_in(&self, message: &str) -> Result<Vec<u8>, Failed> {
        self.0.sign_in(message).map(Vec::from)
    }
}

/// A change that the server has not taken yet.
#[wasm_bindgen(js_name = Change)]
pub struct MadeChange(Change);

impl MadeChange {
    pub(crate) const fn change(&self) -> &Change {
        &self.0
    }
}

#[wasm_bindgen(js_class = Change)]
impl MadeChange {
    /// What `PUT /api/vault/wraps` takes.
    pub fn body(&self, base_version: f64) -> String {
        // A cast saturates; a version is far below 2^53.
        self.0.body(base_version as u64).to_string()
    }

    /// What is unwise about it.
    #[wasm_bindgen(getter)]
    pub fn warnings(&self) -> Vec<String> {
        self.0.warnings().to_vec()
    }
}

/// Another data key, and what will open it.
#[wasm_bindgen(js_name = Rotation)]
#[derive(Default)]
pub struct BegunRotation(Rotation);

#[wasm_bindgen(js_class = Rotation)]
impl BegunRotation {
    /// Keeps no way yet.
    #[wasm_bindgen(constructor)]
    pub fn begin() -> Self {
        Self::default()
    }

    /// Keeps a way that opens the vault; gives its wrap.
    pub fn keep(&mut self, opened: &Opened, way: BroughtWay) -> Result<String, Failed> {
        Ok(self.0.keep(opened, way.0)?.to_string())
    }

    /// The change, with a new recovery code beside what is kept.
    pub fn make(&self, opened: &Opened, code: &BroughtWay, now: f64) -> Result<MadeChange, Failed> {
        self.0.make(opened, &code.0, &SystemRng, &Moment::at(now)).map(MadeChange)
    }
}

#[wasm_bindgen]
impl Opened {
    /// A new vault.
    #[wasm_bindgen(js_name = create)]
    pub fn js_create(first: &BroughtWay, now: f64) -> Result<Opened, Failed> {
        Self::create(&first.0, &SystemRng, &Moment::at(now))
    }

    /// A vault as `GET /api/vault` has it.
    #[wasm_bindgen(js_name = unlock)]
    pub fn js_unlock(view: &str, way: &BroughtWay) -> Result<Opened, Failed> {
        Self::unlock(view, &way.0)
    }

    /// `vault` of `POST /api/account`.
    #[wasm_bindgen(js_name = signUp)]
    pub fn js_sign_up(&self, now: f64) -> Result<String, Failed> {
        Ok(self.sign_up(&Moment::at(now))?.to_string())
    }

    /// What there is to know of it, as JSON.
    #[wasm_bindgen(js_name = overview)]
    pub fn js_overview(&self) -> String {
        self.overview().to_string()
    }

    /// One more way in.
    #[wasm_bindgen(js_name = add)]
    pub fn js_add(&self, way: &BroughtWay, now: f64) -> Result<MadeChange, Failed> {
        Change::add(self, &way.0, &SystemRng, &Moment::at(now)).map(MadeChange)
    }

    /// Another way in, in the place of one.
    #[wasm_bindgen(js_name = replace)]
    pub fn js_replace(&self, wrap: &str, way: &BroughtWay, now: f64) -> Result<MadeChange, Failed> {
        Change::replace(self, wrap, &way.0, &SystemRng, &Moment::at(now)).map(MadeChange)
    }

    /// One way in less.
    #[wasm_bindgen(js_name = remove)]
    pub fn js_remove(&self, wrap: &str) -> Result<MadeChange, Failed> {
        Change::remove(self, wrap).map(MadeChange)
    }

    /// Takes a change that the server took.
    #[wasm_bindgen(js_name = adopt)]
    pub fn js_adopt(&mut self, change: MadeChange) {
        self.adopt(change.0);
    }

    /// The wraps that the server has now.
    #[wasm_bindgen(js_name = refresh)]
    pub fn js_refresh(&mut self, view: &str) -> Result<(), Failed> {
        self.refresh(view)
    }
}
