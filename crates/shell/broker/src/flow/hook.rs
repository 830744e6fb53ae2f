//! Webhooks that begin flows: signed as Standard Webhooks say, each taken once.

use std::sync::Arc;

use serde_json::{Map, Value};
use symbolon_codec::{Digest32, b64};
use symbolon_crypto::{hmac_sha256, labels, sha256_parts};
use symbolon_flow::FlowStore;
use symbolon_secret::Secret;

use super::begin::{Begun, Delivery};
use super::view::{FlowDelivered, FlowRequest};
use crate::Broker;
use crate::api::CallError;

/// The headers of a delivery.
#[derive(Debug, Clone)]
pub struct HookSigned {
    /// `webhook-id`: the same each time that the same event is delivered.
    pub id: String,
    /// `webhook-timestamp`: Unix seconds.
    pub timestamp: String,
    /// `webhook-signature`: `v1,` and base64, several with spaces between.
    pub signatures: String,
}

impl Broker {
    /// Begins a run of a flow for a webhook: the body is its input `event`. The same id begins one
    /// run, however often it is delivered.
    ///
    /// # Errors
    /// [`CallError`]: `hook` where there is no such flow, it takes no webhooks, or the signature or
    /// the time is not right, in the same words; then as [`Broker::flow_run`].
    pub async fn flow_deliver(
        self: &Arc<Self>,
        name: &str,
        signed: &HookSigned,
        body: &[u8],
    ) -> Result<FlowDelivered, CallError> {
        let sealer = self.flow_sealer()?;
        let row = self.flow_row(name).await.map_err(|e| match &*e.code {
            "no_flow" => refused(),
            _ => e,
        })?;
        let secret = sealer.open_hook(&row).ok_or_else(refused)?;
        let now = self.clock.unix_ms();
        if !is_right(&secret, signed, body, now / 1000) {
            return Err(refused());
        }
        let event: Value = symbolon_codec::json::parse_bounded(body, BODY_BYTES_MAX, DEPTH_MAX)
            .map_err(|e| CallError::caller("hook_body", format!("the body is not JSON: {e}")))?;
        let label = labels::FLOW_DELIVERY.as_str().as_bytes();
        let id = Digest32(sha256_parts(&[label, b"\0", signed.id.as_bytes()]).0);
        let forget = now.saturating_sub(REMEMBERED_MS);
        // Before the gates of a beginning: what has begun is answered so, whatever holds now.
        if let Some(run) = self.store.delivered(&row.name, &id).await? {
            return Ok(FlowDelivered { run: run.to_string(), is_new: false });
        }
        let inputs = Map::from_iter([("event".to_owned(), event)]);
        let definition = sealer.open_flow(&row)?;
        let request = FlowRequest { agent: row.agent.to_string(), definition, inputs };
        let delivery = Delivery { id, forget_before_ms: forget };
        Ok(match self.flow_begin(request, Some(delivery)).await? {
            Begun::Now(view) => FlowDelivered { run: view.row.run, is_new: true },
            Begun::Before(run) => FlowDelivered { run: run.to_string(), is_new: false },
        })
    }
}

/// Whether one of the signatures is ours, and the time is now.
fn is_right(secret: &Secret<[u8]>, signed: &HookSigned, body: &[u8], now_seconds: u64) -> bool {
    let HookSigned { id, timestamp, signatures } = signed;
    let is_id = (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    let is_plain = timestamp.len() <= 12 && timestamp.bytes().all(|b| b.is_ascii_digit());
    let Some(at) = timestamp.parse::<u64>().ok().filter(|_| is_plain && is_id) else {
        return false;
    };
    if at.abs_diff(now_seconds) > TOLERANCE_SECONDS || signatures.len() > SIGNATURES_BYTES_MAX {
        return false;
    }
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    let own = hmac_sha256(secret, &parts);
    let own = Secret::<[u8]>::make_slice(own.0.len(), |out| out.copy_from_slice(&own.0));
    signatures
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .any(|one| b64::decode(one, own.len()).is_ok_and(|given| own.ct_eq_bytes(&given)))
}

/// The same for everything that is not right: nothing is told of which flows there are.
fn refused() -> CallError {
    let message = "there is no such webhook, or its signature or time is not right";
    CallError::caller("hook", message)
        .status(403)
        .next("sign ID.TIMESTAMP.BODY with the secret of symbolon flow add --hook; check the clock")
}

/// Bytes of a secret that signs.
pub(super) const SECRET_BYTES: usize = 32;
const TOLERANCE_SECONDS: u64 = 300;
/// Longer than a signature is good, before and after its time.
const REMEMBERED_MS: u64 = 3 * TOLERANCE_SECONDS * 1000;
const ID_BYTES_MAX: usize = 256;
const SIGNATURES_BYTES_MAX: usize = 2048;
const BODY_BYTES_MAX: usize = 256 * 1024;
const DEPTH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's reference libraries.
    const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const AT: u64 = 1_614_265_330;

    fn secret() -> Secret<[u8]> {
        let bytes = b64::decode(SECRET, 64).unwrap();
        Secret::<[u8]>::make_slice(bytes.len(), |out| out.copy_from_slice(&bytes))
    }

    fn signed(signatures: &str) -> HookSigned {
        HookSigned {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            timestamp: AT.to_string(),
            signatures: signatures.to_owned(),
        }
    }

    const RIGHT: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    #[test]
    fn the_published_example_is_right_and_nothing_near_it() {
        let is = |signed: &HookSigned, body: &[u8], now| is_right(&secret(), signed, body, now);
        assert!(is(&signed(RIGHT), BODY, AT));
        assert!(is(&signed(&format!("v1,AAAA v2,xx {RIGHT}")), BODY, AT + 300));
        assert!(is(&signed(RIGHT), BODY, AT - 300));
        assert!(!is(&signed(RIGHT), BODY, AT + 301), "too late");
        assert!(!is(&signed(RIGHT), BODY, AT - 301), "too early");
        assert!(!is(&signed(RIGHT), br#"{"test": 2432232315}"#, AT));
        assert!(!is(&HookSigned { id: "other".into(), ..signed(RIGHT) }, BODY, AT));
        let later = HookSigned { timestamp: (AT + 1).to_string(), ..signed(RIGHT) };
        assert!(!is(&later, BODY, AT));
        for wrong in [
            "",
            "v1,",
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            "v1,g0hM9SsE",
            "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ] {
            assert!(!is(&signed(wrong), BODY, AT), "{wrong}");
        }
        let padded = HookSigned { timestamp: format!("+{AT}"), ..signed(RIGHT) };
        assert!(!is(&padded, BODY, AT));
        let mut other = secret();
        // EXPOSE: a test's own bytes.
        other.expose_mut()[0] ^= 1;
        assert!(!is_right(&other, &signed(RIGHT), BODY, AT));
    }
}
