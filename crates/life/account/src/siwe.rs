//! Signing in with a wallet (ERC-4361), for Ethereum accounts and, in the same grammar, for those of
//! Solana: `specs/wallet.md`.

use std::fmt;

use symbolon_codec::time;
use symbolon_crypto::VerifyingKey;
use symbolon_crypto::ethereum::{Address, personal_message_digest, recover};

mod parse;
#[cfg(test)]
mod tests;
mod write;

/// A message that keeps the grammar, with the text that a wallet signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    fields: Fields,
    text: String,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs)] // ERC-4361 version 1 has these and no other
pub struct Fields {
    /// `https`, where the message names it.
    pub scheme: Option<String>,
    /// Who asks (RFC 3986, authority).
    pub domain: String,
    /// Who signs in.
    pub account: Account,
    /// What the person agrees to: one line.
    pub statement: Option<String>,
    /// What the session is for (RFC 3986).
    pub uri: String,
    /// Of Ethereum a number (EIP-155), of Solana a word.
    pub chain_id: String,
    /// 8 or more letters and digits.
    pub nonce: String,
    /// When the message was made.
    pub issued_at: Moment,
    /// From when on it is worth nothing.
    pub expiration_time: Option<Moment>,
    /// Before when it is worth nothing.
    pub not_before: Option<Moment>,
    /// The asker's own name for it.
    pub request_id: Option<String>,
    /// What the person looks through to (RFC 3986).
    pub resources: Vec<String>,
}

/// The account that signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Account {
    /// By its address.
    Ethereum(Address),
    /// By its public key.
    Solana(VerifyingKey),
}

impl Account {
    /// The chain's name, as the message's first line has it.
    pub const fn chain(&self) -> &'static str {
        match self {
            Self::Ethereum(_) => "Ethereum",
            Self::Solana(_) => "Solana",
        }
    }
}

/// As people write it: with EIP-55's checksum, or in base58.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ethereum(address) => address.fmt(f),
            Self::Solana(key) => f.write_str(&key.to_base58()),
        }
    }
}

/// A time (RFC 3339) as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    text: String,
    unix_ms: u64,
}

impl Moment {
    /// In UTC, with milliseconds.
    pub fn from_unix_ms(unix_ms: u64) -> Self {
        Self { text: time::rfc3339(unix_ms), unix_ms }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Milliseconds since 1970.
    pub fn unix_ms(&self) -> u64 {
        self.unix_ms
    }
}

/// What a server asked for, and holds a message against.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::exhaustive_structs)] // all of them have to be said
pub struct Expected<'a> {
    /// Its own authority.
    pub domain: &'a str,
    /// The URI that it put into the message.
    pub uri: &'a str,
    /// The chain's id that it put into the message.
    pub chain_id: &'a str,
    /// The nonce that it gave out, once.
    pub nonce: &'a str,
    /// Now.
    pub unix_ms: u64,
}

/// Why a message signs nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SiweError {
    /// Longer than any of ours.
    #[error("the message has more than {MESSAGE_BYTES_MAX} bytes")]
    TooLong,
    /// The text is not of the grammar.
    #[error("the message is not of ERC-4361's grammar at its {at}")]
    Grammar {
        /// Which part.
        at: &'static str,
    },
    /// It was made for another asker, resource, chain, or question.
    #[error("the message's {what} is another than was asked for")]
    Other {
        /// Which field.
        what: &'static str,
    },
    /// It says of itself that it is over.
    #[error("the message has expired")]
    Expired,
    /// It says of itself that it is not yet, or was made later than now.
    #[error("the message is not valid yet")]
    NotYet,
    /// The bytes are no signature of the account's kind.
    #[error("the signature has another form")]
    Signature,
    /// Another account signed, or another text.
    #[error("the signature is not the account's")]
    Signer,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// [`SiweError::TooLong`], [`SiweError::Grammar`].
    pub fn parse(text: &str) -> Result<Self, SiweError> {
        if text.len() > MESSAGE_BYTES_MAX {
            return Err(SiweError::TooLong);
        }
        Ok(Self { fields: parse::message(text)?, text: text.to_owned() })
    }

    /// Writes a message. What it then says is what was given, or there is none: a value that would
    /// end its line, say, is refused as the reader refuses it.
    ///
    /// # Errors
    /// As [`Message::parse`].
    pub fn make(fields: Fields) -> Result<Self, SiweError> {
        let message = Self::parse(&write::text(&fields))?;
        if message.fields == fields {
            Ok(message)
        } else {
            Err(SiweError::Grammar { at: "fields" })
        }
    }

    /// What it says.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// What the wallet signs, as bytes of UTF-8.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Who signed in, if this message is the one that was asked for, at its time, with this
    /// signature: of Ethereum `r || s || v` over the text (EIP-191), of Solana Ed25519.
    ///
    /// # Errors
    /// [`SiweError`]: first what was asked for, then the times, then the signature.
    pub fn verify(&self, expected: &Expected<'_>, signature: &[u8]) -> Result<Account, SiweError> {
        let fields = &self.fields;
        for (what, found, expected) in [
            ("domain", &fields.domain, expected.domain),
            ("URI", &fields.uri, expected.uri),
            ("chain id", &fields.chain_id, expected.chain_id),
            ("nonce", &fields.nonce, expected.nonce),
        ] {
            if found != expected {
                return Err(SiweError::Other { what });
            }
        }
        let now = expected.unix_ms;
        if fields.expiration_time.as_ref().is_some_and(|t| now >= t.unix_ms) {
            return Err(SiweError::Expired);
        }
        let is_early = |t: &Moment, leeway: u64| now.saturating_add(leeway) < t.unix_ms;
        if is_early(&fields.issued_at, CLOCK_LEEWAY_MS)
            || fields.not_before.as_ref().is_some_and(|t| is_early(t, 0))
        {
            return Err(SiweError::NotYet);
        }
        self.check_signature(signature)?;
        Ok(fields.account)
    }

    fn check_signature(&self, signature: &[u8]) -> Result<(), SiweError> {
        match self.fields.account {
            Account::Ethereum(address) => {
                let signature = signature.try_into().map_err(|_| SiweError::Signature)?;
                let digest = personal_message_digest(self.text.as_bytes());
                match recover(&digest, signature) {
                    Ok(found) if found == address => Ok(()),
                    Ok(_) => Err(SiweError::Signer),
                    Err(_) => Err(SiweError::Signature),
                }
            }
            Account::Solana(key) => {
                let signature = signature.try_into().map_err(|_| SiweError::Signature)?;
                key.verify(self.text.as_bytes(), signature).map_err(|_| SiweError::Signer)
            }
        }
    }
}

/// What a wallet's window can show, and more than ours have.
const MESSAGE_BYTES_MAX: usize = 4096;
/// How far the clock of who made a message may be ahead.
const CLOCK_LEEWAY_MS: u64 = 60_000;
