//! The key of a server that keeps accounts.

use symbolon_ambient::Rng;
use symbolon_codec::Digest32;
use symbolon_crypto::{AeadKey, MasterKey, OpenError, hkdf_sha256, hmac_sha256, labels};
use symbolon_secret::Secret;

use crate::{ChallengeId, Handle};

/// 256 random bits that are not in the database: whoever has the database alone can neither write
/// a row that is believed, nor read what the server keeps secret, nor use a session.
pub struct ServerKey {
    rows: Secret<[u8; 32]>,
    sessions: Secret<[u8; 32]>,
    handles: Secret<[u8; 32]>,
    possession: Secret<[u8; 32]>,
    secrets: AeadKey,
    challenges: AeadKey,
}

impl ServerKey {
    /// From its 32 bytes.
    pub fn from_secret(secret: Secret<[u8; 32]>) -> Self {
        let master = MasterKey::from_secret(secret);
        Self {
            rows: master.derive_secret(&labels::KEY_ROWS, &[]),
            sessions: master.derive_secret(&labels::KEY_SESSIONS, &[]),
            handles: master.derive_secret(&labels::KEY_HANDLES, &[]),
            possession: master.derive_secret(&labels::KEY_POSSESSION, &[]),
            secrets: master.derive_aead(&labels::KEY_SERVER_SECRETS, &[]),
            challenges: master.derive_aead(&labels::KEY_CHALLENGES, &[]),
        }
    }

    /// HMAC-SHA256 over a row's canonical bytes.
    pub fn row_tag(&self, row: &[u8]) -> Digest32 {
        hmac_sha256(&self.rows, &[labels::ROW.as_str().as_bytes(), row])
    }

    /// Whether `tag` is the tag of a row; takes the same time wherever the two differ.
    pub fn is_row_tag(&self, row: &[u8], tag: &[u8]) -> bool {
        let own = self.row_tag(row).0;
        own.len() == tag.len() && own.iter().zip(tag).fold(0, |d, (a, b)| d | (a ^ b)) == 0
    }

    /// What a session's token is kept as.
    pub fn session_hash(&self, token: &[u8]) -> Digest32 {
        hmac_sha256(&self.sessions, &[labels::SESSION_TOKEN.as_str().as_bytes(), token])
    }

    /// What the handle of a deleted account is kept as: who has the database alone cannot try names.
    pub fn handle_hash(&self, handle: &Handle) -> Digest32 {
        let name = handle.as_str().as_bytes();
        hmac_sha256(&self.handles, &[labels::RETIRED_HANDLE.as_str().as_bytes(), name])
    }

    /// What a code or token of an assistant is kept as; `kind` is the prefix that tells them apart.
    pub fn bearer_hash(&self, kind: &str, bytes: &[u8]) -> Digest32 {
        let label = labels::OAUTH_BEARER.as_str().as_bytes();
        hmac_sha256(&self.sessions, &[label, kind.as_bytes(), bytes])
    }

    /// What the server's keys of possession come from (`specs/pzk-auth.md`).
    pub fn possession_secret(&self) -> Secret<[u8; 32]> {
        hkdf_sha256(&self.possession, &[], &labels::KEY_POSSESSION, &[])
    }

    /// Seals a secret of the server (OPAQUE's seed and key) under its name.
    pub fn seal_secret(&self, name: &str, secret: &Secret<[u8]>, rng: &dyn Rng) -> Vec<u8> {
        // EXPOSE: sealing reads the secret where it is.
        self.secrets.seal(&labels::SERVER_SECRET, &[name.as_bytes()], secret.expose(), rng)
    }

    /// Opens what [`ServerKey::seal_secret`] sealed under the same name.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_secret(&self, name: &str, envelope: &[u8]) -> Result<Secret<[u8]>, OpenError> {
        self.secrets.open(&labels::SERVER_SECRET, &[name.as_bytes()], envelope)
    }

    /// Seals what an answer to a challenge is checked against, for that challenge alone.
    pub fn seal_challenge(&self, id: ChallengeId, state: &Secret<[u8]>, rng: &dyn Rng) -> Vec<u8> {
        // EXPOSE: sealing reads the state where it is.
        self.challenges.seal(&labels::CHALLENGE_STATE, &[id.as_bytes()], state.expose(), rng)
    }

    /// Opens what [`ServerKey::seal_challenge`] sealed for the same challenge.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_challenge(
        &self,
        id: ChallengeId,
        envelope: &[u8],
    ) -> Result<Secret<[u8]>, OpenError> {
        self.challenges.open(&labels::CHALLENGE_STATE, &[id.as_bytes()], envelope)
    }
}

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;

    fn key(byte: u8) -> ServerKey {
        ServerKey::from_secret(Secret::<[u8; 32]>::make(|b| b.fill(byte)))
    }

    #[test]
    fn a_secret_opens_under_its_name_and_a_state_for_its_challenge() {
        let (key, rng) = (key(1), SeededRng::new(1));
        let plain = Secret::<[u8]>::make_slice(3, |b| b.copy_from_slice(b"abc"));
        let sealed = key.seal_secret("opaque", &plain, &rng);
        assert!(key.open_secret("opaque", &sealed).unwrap().ct_eq_bytes(b"abc"));
        assert_eq!(key.open_secret("other", &sealed).unwrap_err(), OpenError::Damaged);
        assert_eq!(
            super::tests::key(2).open_secret("opaque", &sealed).unwrap_err(),
            OpenError::WrongKey
        );
        let (one, two) = ([1; 16].into(), [2; 16].into());
        let sealed = key.seal_challenge(one, &plain, &rng);
        assert!(key.open_challenge(one, &sealed).unwrap().ct_eq_bytes(b"abc"));
        assert_eq!(key.open_challenge(two, &sealed).unwrap_err(), OpenError::Damaged);
    }

    #[test]
    fn rows_and_sessions_have_keys_of_their_own() {
        assert_ne!(key(1).row_tag(b"x"), key(2).row_tag(b"x"));
        assert_ne!(key(1).row_tag(b"x"), key(1).session_hash(b"x"));
        let handle = |text| Handle::parse(text).unwrap();
        assert_ne!(key(1).handle_hash(&handle("x")), key(1).session_hash(b"x"));
        assert_ne!(key(1).handle_hash(&handle("x")), key(2).handle_hash(&handle("x")));
        assert_eq!(key(1).handle_hash(&handle("x")), key(1).handle_hash(&handle("X")));
        let tag = key(1).row_tag(b"x").0;
        assert!(key(1).is_row_tag(b"x", &tag));
        assert!(!key(1).is_row_tag(b"y", &tag) && !key(1).is_row_tag(b"x", &tag[..31]));
    }
}
