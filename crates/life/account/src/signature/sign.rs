//! Signing a request, for programs that call the server.

use symbolon_ambient::Rng;
use symbolon_codec::{b64, b64url};
use symbolon_crypto::SigningKey;

use super::{Message, SignatureError, SignatureInput};

/// The headers that a signed request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// `Signature-Input`.
    pub input: String,
    /// `Signature`.
    pub signature: String,
}

/// Signs a request whose `content-digest`, where it has a body, is among the message's fields already.
///
/// # Errors
/// [`SignatureError::Parameter`] where the key's id cannot stand in a header.
pub fn sign(
    message: &Message<'_>,
    key_id: &str,
    key: &SigningKey,
    created_unix_seconds: u64,
    rng: &dyn Rng,
) -> Result<Signed, SignatureError> {
    let mut nonce = [0; 16];
    rng.fill(&mut nonce);
    let digest = if message.field("content-digest").is_some() { " \"content-digest\"" } else { "" };
    let input = format!(
        "{LABEL}=(\"@method\" \"@authority\" \"@path\" \"@query\"{digest});created={created_unix_seconds};\
         nonce=\"{}\";keyid=\"{key_id}\";alg=\"ed25519\"",
        b64url::encode(&nonce)
    );
    let unsigned = format!("{LABEL}=:{}:", b64::encode(&[0; 64]));
    let base = message.base(&SignatureInput::read(&input, &unsigned)?)?;
    let signature = format!("{LABEL}=:{}:", b64::encode(&key.sign(base.as_bytes())));
    Ok(Signed { input, signature })
}

const LABEL: &str = "symbolon";
