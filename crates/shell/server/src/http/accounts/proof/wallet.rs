//! Ethereum and Solana wallets (ERC-4361, `specs/wallet.md`). What a wallet signs here opens nothing.

use serde::Deserialize;
use serde_json::Value;
use symbolon_account::{
    AccountStore, SignIn,
    siwe::{Account, Expected, Fields, Message, Moment},
};
use symbolon_broker::CallError;
use symbolon_codec::hex;
use symbolon_crypto::VerifyingKey;

use super::{super::bytes::Base64Url, Begun, Step, fault, read};
use crate::http::accounts::{
    challenge::{CHALLENGE_MS, Wanted},
    service::Service,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WalletProof {
    signature: Base64Url,
}

impl<S: AccountStore> Service<S> {
    /// The text to sign: ours, word for word.
    pub(super) fn ask_wallet(&self, wanted: &Wanted) -> Result<Begun, CallError> {
        let missing = || fault::malformed("A wallet needs its address.");
        let address = wanted.address.as_deref().ok_or_else(missing)?;
        let bad = || fault::malformed("This is no address of the wallet's chain.");
        let account = match wanted.method {
            SignIn::Ethereum => Account::Ethereum(address.parse().map_err(|_| bad())?),
            _ => Account::Solana(VerifyingKey::from_base58(address).map_err(|_| bad())?),
        };
        let chain_id = match wanted.method {
            SignIn::Ethereum => wanted.chain_id.unwrap_or(1).to_string(),
            _ => "mainnet".to_owned(),
        };
        let mut nonce = [0; 16];
        self.rng.fill(&mut nonce);
        let now = self.now();
        let message = Message::make(Fields {
            scheme: Some(self.origin.scheme().to_owned()),
            domain: self.origin.authority().to_owned(),
            account,
            statement: Some(STATEMENT.to_owned()),
            uri: self.origin.as_str().to_owned(),
            chain_id,
            nonce: hex::encode(nonce),
            issued_at: Moment::from_unix_ms(now),
            expiration_time: Some(Moment::from_unix_ms(now + CHALLENGE_MS)),
            not_before: None,
            request_id: None,
            resources: Vec::new(),
        })
        .map_err(|_| fault::bug("a wallet's message"))?;
        let text = message.text().to_owned();
        Ok(Begun { message: Some(text.clone()), ..Step::Wallet(text).into() })
    }

    /// The account that signed the text.
    pub(super) fn shown_wallet(&self, text: &str, proof: Value) -> Result<Vec<u8>, CallError> {
        let WalletProof { signature } = read(proof)?;
        let message = Message::parse(text).map_err(|_| fault::challenge())?;
        let Fields { chain_id, nonce, .. } = message.fields();
        let expected = Expected {
            domain: self.origin.authority(),
            uri: self.origin.as_str(),
            chain_id,
            nonce,
            unix_ms: self.now(),
        };
        match message.verify(&expected, &signature.0).map_err(|_| fault::proof())? {
            Account::Ethereum(address) => Ok(address.as_bytes().to_vec()),
            Account::Solana(key) => Ok(key.as_bytes().to_vec()),
            _ => Err(fault::proof()),
        }
    }
}

const STATEMENT: &str = "Sign in to Symbolon. This signature opens no vault.";
