//! The state that a caller carries to come again: sealed, so that it is of use to nobody else.

use symbolon_ambient::SystemRng;
use symbolon_capability::approval::Asked;
use symbolon_capability::{Context, Session};
use symbolon_codec::{Digest32, b64};
use symbolon_crypto::{Aad, labels};

use crate::Broker;
use crate::api::CallError;

/// What a state says: which question it is of.
pub(super) struct Of {
    pub(super) number: u64,
    pub(super) nonce: [u8; 32],
}

const PLAIN_BYTES: usize = 40;
const STATE_CHARS_MAX: usize = 512;

impl Broker {
    /// Seals a question's number to its session, context and exact request. The question's own
    /// random bits are in it, so that a state of an earlier run names nothing.
    pub(super) fn seal_state(&self, asked: &Asked) -> Result<String, CallError> {
        let open = self.opened()?;
        let mut plain = [0; PLAIN_BYTES];
        plain[..8].copy_from_slice(&asked.number().to_be_bytes());
        plain[8..].copy_from_slice(asked.nonce());
        let aad = self.state_aad(asked.lease().session(), asked.context(), asked.request());
        let key = open.unlocked.request_state_key();
        Ok(b64::encode_url(&key.seal_with(&aad, &plain, &SystemRng)))
    }

    /// # Errors
    /// `approval_state` where it was changed, is another session's, or of another request.
    pub(super) fn open_state(
        &self,
        state: &str,
        session: &Session,
        context: &Context,
        request: &Digest32,
    ) -> Result<Of, CallError> {
        let foreign = || {
            CallError::caller(
                "approval_state",
                "the state is not of this request in this session, or was changed",
            )
            .status(403)
            .next("make the call again without it: the owner is asked anew")
        };
        let open = self.opened()?;
        let envelope = b64::decode_url(state, STATE_CHARS_MAX).map_err(|_| foreign())?;
        let aad = self.state_aad(session, &context.digest(), request);
        let key = open.unlocked.request_state_key();
        let plain = key.open_with(&aad, &envelope).map_err(|_| foreign())?;
        // EXPOSE: a number and random bits, no secret of anybody's; they come in secret memory.
        let plain: [u8; PLAIN_BYTES] = plain.expose().try_into().map_err(|_| foreign())?;
        let (mut number, mut nonce) = ([0; 8], [0; 32]);
        number.copy_from_slice(&plain[..8]);
        nonce.copy_from_slice(&plain[8..]);
        Ok(Of { number: u64::from_be_bytes(number), nonce })
    }

    fn state_aad(&self, session: &Session, context: &Digest32, request: &Digest32) -> Aad {
        let parts: [&[u8]; 4] =
            [self.manifest.vault.as_bytes(), session.id(), context.as_bytes(), request.as_bytes()];
        Aad::new(&labels::REQUEST_STATE, &parts)
    }
}
