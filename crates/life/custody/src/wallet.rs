//! What a wallet signs to open a vault: `specs/wallet.md`. The signature is the secret, so the
//! message says where it may be given and what it opens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use symbolon_codec::Digest32;
use symbolon_crypto::ethereum::{TypedWord, hash_struct, typed_data_digest};

use crate::id::VaultId;

#[cfg(test)]
mod tests;

/// Where a wallet is asked: `https://host`, or `http://` with the loopback, with a port where it is
/// not the scheme's own (RFC 6454). What a browser calls `location.origin`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// The text is no origin that a wallet may be asked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is https://host[:port], or http:// with localhost, 127.0.0.1 or [::1]")]
pub struct OriginError;

impl Origin {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = OriginError;
    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text.len() > ORIGIN_BYTES_MAX {
            return Err(OriginError);
        }
        let (scheme, authority) = text.split_once("://").ok_or(OriginError)?;
        let (host, port) = match authority.strip_prefix("[::1]") {
            Some("") => ("[::1]", None),
            Some(rest) => ("[::1]", Some(rest.strip_prefix(':').ok_or(OriginError)?)),
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let own = if scheme == "https" { 443 } else { 80 };
        let is_port = |text: &str| {
            let number = text.parse::<u16>().ok().filter(|n| *n != 0 && *n != own);
            number.is_some_and(|n| n.to_string() == text)
        };
        let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let is_host = is_loopback || is_name(host);
        let is_scheme = scheme == "https" || (scheme == "http" && is_loopback);
        if is_scheme && is_host && port.is_none_or(is_port) {
            Ok(Self(text.to_owned()))
        } else {
            Err(OriginError)
        }
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;
    fn try_from(text: String) -> Result<Self, OriginError> {
        text.parse()
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The request to a wallet whose signature opens one vault at one origin.
#[derive(Debug, Clone, Copy)]
pub struct KeyDerivation<'a> {
    /// Where.
    pub origin: &'a Origin,
    /// What.
    pub vault: VaultId,
}

impl KeyDerivation<'_> {
    /// What an Ethereum wallet signs (EIP-712).
    pub fn ethereum_digest(&self) -> Digest32 {
        let domain = hash_struct(
            "EIP712Domain(string name,string version)",
            &[TypedWord::text(DOMAIN_NAME), TypedWord::text(DOMAIN_VERSION)],
        );
        let message = hash_struct(
            "KeyDerivation(string purpose,string origin,string vault,string warning)",
            &[
                TypedWord::text(PURPOSE),
                TypedWord::text(self.origin.as_str()),
                TypedWord::text(&self.vault.to_string()),
                TypedWord::text(WARNING),
            ],
        );
        typed_data_digest(&domain, &message)
    }

    /// The same as JSON, for `eth_signTypedData_v4`.
    pub fn ethereum_json(&self) -> String {
        let Self { origin, vault } = self;
        // No member has a character that JSON writes otherwise: an origin is checked, an id is hex.
        format!(
            "{{\"types\":{{\"EIP712Domain\":[{},{}],\"KeyDerivation\":[{},{},{},{}]}},\
             \"primaryType\":\"KeyDerivation\",\
             \"domain\":{{\"name\":\"{DOMAIN_NAME}\",\"version\":\"{DOMAIN_VERSION}\"}},\
             \"message\":{{\"purpose\":\"{PURPOSE}\",\"origin\":\"{origin}\",\
             \"vault\":\"{vault}\",\"warning\":\"{WARNING}\"}}}}",
            member("name"),
            member("version"),
            member("purpose"),
            member("origin"),
            member("vault"),
            member("warning"),
        )
    }

    /// What a Solana wallet signs, as bytes of UTF-8.
    pub fn solana_message(&self) -> String {
        let Self { origin, vault } = self;
        format!("Symbolon: {PURPOSE}\n\nOrigin: {origin}\nVault: {vault}\n\n{WARNING}")
    }
}

fn member(name: &str) -> String {
    format!("{{\"name\":\"{name}\",\"type\":\"string\"}}")
}

/// Labels of RFC 1123 in lower case, so that one host has one spelling.
fn is_name(host: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(is_label)
}

const DOMAIN_NAME: &str = "Symbolon";
const DOMAIN_VERSION: &str = "1";
const PURPOSE: &str = "Open a vault";
const WARNING: &str =
    "Sign this at that origin alone, and only to open your vault: the signature is its key.";
/// The longest host name and what stands around it.
const ORIGIN_BYTES_MAX: usize = 270;
