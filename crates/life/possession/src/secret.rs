//! What a service shows to the server.

use symbolon_ambient::Rng;
use symbolon_codec::b64url;
use symbolon_secret::Secret;

/// 256 random bits behind `symk_`, which the server keeps hashed.
pub struct ServiceSecret(Secret<[u8; 32]>);

impl ServiceSecret {
    /// A new one.
    pub fn make(rng: &dyn Rng) -> Self {
        Self(Secret::<[u8; 32]>::make(|bytes| rng.fill(bytes)))
    }

    /// Reads what [`ServiceSecret::to_holder`] wrote.
    pub fn read(text: &[u8]) -> Option<Self> {
        let text = text.strip_prefix(PREFIX.as_bytes()).filter(|rest| rest.len() == CHARS)?;
        let mut is_whole = true;
        let secret = Secret::<[u8; 32]>::make(|bytes| {
            is_whole &= b64url::decode_into(text, bytes) == Some(32);
        });
        is_whole.then_some(Self(secret))
    }

    /// As its holder has it, for its one way out.
    pub fn to_holder(&self) -> String {
        // EXPOSE: the secret goes to its holder, in the answer that made it.
        format!("{PREFIX}{}", b64url::encode(self.0.expose()))
    }

    pub(crate) fn secret(&self) -> &Secret<[u8; 32]> {
        &self.0
    }
}

impl std::fmt::Debug for ServiceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceSecret")
    }
}

const PREFIX: &str = "symk_";
const CHARS: usize = 43;
