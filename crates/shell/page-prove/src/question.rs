//! A request, as its holder is shown it.

use serde::Serialize;
use symbolon_codec::hex;
use symbolon_proof::{Policy, Request, is_demo};

use crate::Refused;

/// What is asked, and in which words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Who asks.
    pub audience: String,
    /// Their name for the holder.
    pub account: String,
    /// When the session ends.
    pub expires_unix_ms: u64,
    /// What the holder agrees to, to which evidence is bound.
    pub words: String,
    /// The age in years; 0 asks for none.
    pub at_least_years: u8,
    /// A group of nationalities.
    pub group: String,
    /// Public keys, 64 hex digits each, of which one has to have signed the claims.
    pub issuers: Vec<String>,
    /// Whether claims of the demo issuer are taken.
    pub takes_demo: bool,
}

/// Reads a request.
///
/// # Errors
/// `malformed`.
pub fn request(text: &str) -> Result<Request, Refused> {
    Ok(Request::parse(text.as_bytes())?)
}

/// What a request asks.
///
/// # Errors
/// As [`request`].
pub fn look(text: &str) -> Result<Question, Refused> {
    let request = request(text)?;
    let issuers = match &request.policy {
        Policy::Identity(policy) => &policy.issuers[..],
        Policy::Returning(_) => &[],
    };
    Ok(Question {
        audience: request.audience.as_str().to_owned(),
        account: request.account.clone(),
        expires_unix_ms: request.expires_unix_ms,
        words: request.words(),
        at_least_years: request.policy.at_least_years(),
        group: request.policy.group().to_string(),
        issuers: issuers.iter().map(|key| hex::encode(key.to_bytes())).collect(),
        takes_demo: issuers.iter().any(is_demo),
    })
}
