//! What somebody brings, in secret memory until it is dropped.

use std::fmt;

use serde_json::{Value, json};
use symbolon_ambient::Rng;
use symbolon_codec::{Fields, b64url, hex};
use symbolon_crypto::ethereum::{Address, personal_message_digest};
use symbolon_crypto::opaque::ExportKey;
use symbolon_crypto::{RecoveryCode, Seed, VerifyingKey, labels};
use symbolon_custody::{Chain, Enrol, EnrolError, KeyDerivation, Method, Opener, Origin, VaultId};
use symbolon_secret::Secret;

use crate::Failed;

/// A way to open a vault, in the hand of whoever sits before the page.
pub struct Way(Brought);

enum Brought {
    Recovery(RecoveryCode),
    Passkey { credential: Vec<u8>, prf: Secret<[u8; 32]> },
    Password(ExportKey),
    Ethereum { origin: Origin, address: Address, signed: Signed<65> },
    Solana { origin: Origin, key: VerifyingKey, signed: Signed<64> },
    Seed { origin: Origin, seed: Seed },
}

/// What a wallet signed: once to open, twice to be added.
struct Signed<const N: usize> {
    first: Secret<[u8; N]>,
    second: Option<Secret<[u8; N]>>,
}

impl Way {
    /// A recovery code that nobody had before.
    pub fn make_recovery(rng: &dyn Rng) -> Self {
        Self(Brought::Recovery(RecoveryCode::make(rng)))
    }

    /// The 24 words of a recovery code.
    ///
    /// # Errors
    /// `words`.
    pub fn recovery(words: &Secret<[u8]>) -> Result<Self, Failed> {
        Ok(Self(Brought::Recovery(RecoveryCode::parse(words)?)))
    }

    /// A passkey's first PRF output (`prf.results.first`) and its credential's id.
    ///
    /// # Errors
    /// `shape` where the output has not 32 bytes.
    pub fn passkey(credential: Vec<u8>, prf: Secret<[u8]>) -> Result<Self, Failed> {
        let prf = prf.into_array().map_err(|_| Failed::shape("passkey's secret"))?;
        Ok(Self(Brought::Passkey { credential, prf }))
    }

    /// What a password's login or registration came to.
    pub(crate) fn password(key: ExportKey) -> Self {
        Self(Brought::Password(key))
    }

    /// An Ethereum wallet's signatures (`r || s || v`) of [`Way::to_sign`].
    ///
    /// # Errors
    /// `signature`, `shape`.
    pub fn ethereum(
        origin: &str,
        address: &str,
        first: Secret<[u8]>,
        second: Option<Secret<[u8]>>,
    ) -> Result<Self, Failed> {
        let address = address.parse()?;
        let signed = Signed::read(first, second, Method::Ethereum)?;
        Ok(Self(Brought::Ethereum { origin: parse(origin)?, address, signed }))
    }

    /// A Solana wallet's signatures of [`Way::to_sign`]; its key in base58.
    ///
    /// # Errors
    /// `signature`, `shape`.
    pub fn solana(
        origin: &str,
        key: &str,
        first: Secret<[u8]>,
        second: Option<Secret<[u8]>>,
    ) -> Result<Self, Failed> {
        let key = VerifyingKey::from_base58(key).map_err(|_| Failed::shape("wallet's address"))?;
        let signed = Signed::read(first, second, Method::Solana)?;
        Ok(Self(Brought::Solana { origin: parse(origin)?, key, signed }))
    }

    /// A seed phrase: it is its Ethereum wallet (`m/44'/60'/0'/0/0`), and opens what its Solana wallet opens too.
    ///
    /// # Errors
    /// `words`.
    pub fn seed(
        origin: &str,
        phrase: &Secret<[u8]>,
        passphrase: &Secret<[u8]>,
    ) -> Result<Self, Failed> {
        let seed = Seed::parse(phrase, passphrase)?;
        Ok(Self(Brought::Seed { origin: parse(origin)?, seed }))
    }

    /// What a wallet of a method is asked to sign, so that the signature opens the vault: JSON for
    /// `eth_signTypedData_v4`, text for `signMessage`.
    ///
    /// # Errors
    /// `shape`.
    pub fn to_sign(method: &str, origin: &str, vault: &str) -> Result<String, Failed> {
        let vault: VaultId = vault.parse().map_err(|_| Failed::shape("vault's name"))?;
        let origin = parse(origin)?;
        let asked = KeyDerivation { origin: &origin, vault };
        match method {
            "ethereum" => Ok(asked.ethereum_json()),
            "solana" => Ok(asked.solana_message()),
            _ => Err(Failed::shape("kind of wallet")),
        }
    }

    /// The words of a recovery code, to be shown once; of other ways nothing.
    pub fn phrase(&self) -> Option<Secret<[u8]>> {
        match &self.0 {
            Brought::Recovery(code) => Some(code.phrase()),
            _ => None,
        }
    }

    /// The address of a seed's Ethereum wallet.
    pub fn address(&self) -> Option<String> {
        match &self.0 {
            Brought::Seed { seed, .. } => Some(seed.ethereum_key().address().to_string()),
            _ => None,
        }
    }

    /// A seed's Ethereum signature of a sign-in (EIP-191): it goes to the server, and opens nothing.
    ///
    /// A text that could be taken for a key's request is signed for nobody.
    ///
    /// # Errors
    /// `shape`.
    pub fn sign_in(&self, message: &str) -> Result<[u8; 65], Failed> {
        let is_sign_in = message.lines().next().is_some_and(|line| line.contains(SIGN_IN_WORDS));
        let Brought::Seed { seed, .. } = &self.0 else { return Err(Failed::shape("seed phrase")) };
        if !is_sign_in {
            return Err(Failed::shape("message of a sign-in"));
        }
        let signed = seed.ethereum_key().sign(&personal_message_digest(message.as_bytes()));
        // EXPOSE: this signature is the proof that the server is sent.
        Ok(*signed.expose())
    }

    /// The proof by which a recovery code signs in (`specs/sessions.md`, "Key").
    ///
    /// # Errors
    /// `shape` for other ways, and for a challenge that is none.
    pub fn key_proof(
        &self,
        challenge: &str,
        purpose: &str,
        origin: &str,
        nonce: &str,
    ) -> Result<Value, Failed> {
        let Brought::Recovery(code) = &self.0 else { return Err(Failed::shape("recovery code")) };
        let mut id = [0; 16];
        hex::decode_to_slice(challenge, &mut id).map_err(|_| Failed::shape("challenge"))?;
        let nonce = b64url::decode(nonce, 32).ok().filter(|nonce| nonce.len() == 32);
        let nonce = nonce.ok_or_else(|| Failed::shape("challenge"))?;
        let signed = Fields::new(labels::KEY_PROOF.as_str())
            .bytes(&id)
            .str(purpose)
            .str(parse(origin)?.as_str())
            .bytes(&nonce)
            .finish();
        let key = code.sign_in_key();
        Ok(json!({
            "public_key": b64url::encode(key.verifying_key().as_bytes()),
            "signature": b64url::encode(&key.sign(&signed)),
        }))
    }

    pub(crate) fn opener(&self) -> Opener<'_> {
        match &self.0 {
            Brought::Recovery(code) => Opener::Recovery(code),
            Brought::Passkey { credential, prf } => Opener::Passkey { credential, prf },
            Brought::Password(key) => Opener::Password(key),
            Brought::Ethereum { signed, .. } => Opener::Ethereum(&signed.first),
            Brought::Solana { signed, .. } => Opener::Solana(&signed.first),
            Brought::Seed { seed, .. } => Opener::Seed(seed),
        }
    }

    pub(crate) fn enrol(&self) -> Result<Enrol<'_>, EnrolError> {
        let twice = |method| EnrolError::SignTwice { method };
        Ok(match &self.0 {
            Brought::Ethereum { origin, address, signed } => {
                let second = signed.second.as_ref().ok_or(twice(Method::Ethereum))?;
                Enrol::ethereum(origin, *address, [&signed.first, second])
            }
            Brought::Solana { origin, key, signed } => {
                let second = signed.second.as_ref().ok_or(twice(Method::Solana))?;
                Enrol::solana(origin, *key, [&signed.first, second])
            }
            Brought::Seed { origin, seed } => Enrol::seed(origin, seed, Chain::Ethereum),
            _ => Enrol::new(self.opener()),
        })
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Way({})", self.opener().method())
    }
}

impl<const N: usize> Signed<N> {
    fn read(
        first: Secret<[u8]>,
        second: Option<Secret<[u8]>>,
        method: Method,
    ) -> Result<Self, Failed> {
        let sized = |bytes: Secret<[u8]>| {
            bytes.into_array().map_err(|_| Failed::from(EnrolError::Signature { method }))
        };
        Ok(Self { first: sized(first)?, second: second.map(sized).transpose()? })
    }
}

fn parse(origin: &str) -> Result<Origin, Failed> {
    origin.parse().map_err(|error| Failed::new("origin", &error))
}

/// `specs/wallet.md`, rule 6: no key's request has them.
const SIGN_IN_WORDS: &str = "wants you to sign in with your";
