//! What containers and deeds need of the vault: its keys' public halves, a signature, a layer's key; the
//! signers that are pinned; and the replay registry. The containers themselves never come here.

use serde::{Deserialize, Serialize};
use symbolon_codec::time::rfc3339;
use symbolon_codec::{Digest32, hex};
use symbolon_container::deed::{Event, Kind, Place};
use symbolon_container::{ContainerStore, DeedPlace, Layer, TrustedSigner, signed_message};
use symbolon_crypto::{HPKE_SEALED_BYTES, RecipientSecret, VerifyingKey, labels, sha256_parts};
use symbolon_secret::Secret;

use crate::Broker;
use crate::api::CallError;
use crate::broker::Open;

/// The keys by which others send a home something and know what came from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContainerKeys {
    /// X25519: containers are sealed to it.
    pub recipient: String,
    /// Ed25519: containers and deeds are signed by it.
    pub signer: String,
}

/// A signature, in hex.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignatureView {
    /// 64 bytes of Ed25519.
    pub signature: String,
}

/// An event's signature, in hex.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeedSignature {
    /// 64 bytes of Ed25519.
    pub signature: String,
    /// The event's time, in Unix milliseconds: that of the first time where it was signed before.
    pub at_unix_ms: u64,
}

/// A pinned signer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignerView {
    /// The key, in hex.
    pub key: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was pinned.
    pub created: String,
}

/// A layer's key as a container has it, and what it is bound to. Both in hex.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedLayerKey {
    /// What it is bound to.
    pub context: String,
    /// `enc | ciphertext | tag` (RFC 9180).
    pub sealed: String,
}

impl Broker {
    /// The home's keys for containers.
    ///
    /// # Errors
    /// [`CallError`]: locked.
    pub fn container_keys(&self) -> Result<ContainerKeys, CallError> {
        let open = self.opened()?;
        Ok(ContainerKeys {
            recipient: recipient(&open).public().to_string(),
            signer: hex::encode(open.operator.verifying_key().as_bytes()),
        })
    }

    /// Signs a container by its digest, under the label of containers.
    ///
    /// # Errors
    /// [`CallError`]: locked.
    pub fn sign_container(&self, digest: &Digest32) -> Result<SignatureView, CallError> {
        let signature = self.acting()?.operator.sign(&signed_message(digest));
        Ok(SignatureView { signature: hex::encode(signature) })
    }

    /// Opens keys of layers that are sealed to this home; 32 bytes each, one behind the other.
    ///
    /// # Errors
    /// [`CallError`]: locked, or `container_layer_key` where one does not open.
    pub fn open_layer_keys(&self, keys: &[SealedLayerKey]) -> Result<Secret<[u8]>, CallError> {
        let bad = || {
            CallError::caller(
                "container_layer_key",
                "a layer's key does not open under this home's key",
            )
            .next("symbolon container key")
        };
        if keys.is_empty() || keys.len() > Layer::ALL.len() {
            return Err(bad());
        }
        let open = self.opened()?;
        let own = recipient(&open);
        let mut opened = Vec::with_capacity(keys.len());
        for key in keys {
            let mut sealed = [0; HPKE_SEALED_BYTES];
            hex::decode_to_slice(&key.sealed, &mut sealed).map_err(|_| bad())?;
            let context = hex::decode(&key.context).map_err(|_| bad())?;
            let label = &labels::CONTAINER_LAYER_KEY;
            opened.push(own.open(label, &context, &sealed).map_err(|_| bad())?);
        }
        Ok(Secret::<[u8]>::make_slice(32 * opened.len(), |page| {
            for (place, key) in page.chunks_exact_mut(32).zip(&opened) {
                // EXPOSE: one behind the other, from secret pages into another.
                place.copy_from_slice(key.expose());
            }
        }))
    }

    /// Pins a signer.
    ///
    /// # Errors
    /// [`CallError`]: a name of other than 1 to 64 plain characters, or one that is taken.
    pub async fn trust_signer(
        &self,
        key: VerifyingKey,
        name: &str,
    ) -> Result<SignerView, CallError> {
        let is_plain = !name.is_empty() && name.len() <= 64 && !name.chars().any(char::is_control);
        if !is_plain {
            return Err(CallError::caller(
                "name",
                "a name has 1 to 64 characters, none of control",
            ));
        }
        let created_unix_ms = self.clock.unix_ms();
        let signer = TrustedSigner { key, name: name.to_owned(), created_unix_ms };
        self.store.trust_signer(&signer).await?;
        Ok(view(&signer))
    }

    /// All pinned signers, by name.
    ///
    /// # Errors
    /// [`CallError`] of the store.
    pub async fn trusted_signers(&self) -> Result<Vec<SignerView>, CallError> {
        Ok(self.store.trusted_signers().await?.iter().map(view).collect())
    }

    /// Forgets a signer.
    ///
    /// # Errors
    /// [`CallError`] where it is not pinned.
    pub async fn distrust_signer(&self, key: VerifyingKey) -> Result<(), CallError> {
        let done = self.store.distrust_signer(&key).await;
        done.map_err(|e| CallError::from(e).next("symbolon container signers"))
    }

    /// Signs one event of a deed as this home, at a place where it signed none before. The same event
    /// is given again as it was signed, since a crash may have come before its file; an acceptance until
    /// something follows from it.
    ///
    /// # Errors
    /// [`CallError`]: locked, an event of another actor, `deed_replayed`.
    pub async fn sign_deed_event(
        &self,
        place: &Place,
        event: &Event,
    ) -> Result<DeedSignature, CallError> {
        let open = self.acting()?;
        if event.actor != open.operator.verifying_key() {
            return Err(CallError::caller("deed_actor", "the event is of another home's key"));
        }
        // Its place says the rest: the deed, the number, and all that was signed before.
        let timeless = Event { at_unix_ms: 0, ..event.clone() }.message(place);
        let digest = Digest32(sha256_parts(&[&timeless]).0);
        // Durable before there is a signature: what is refused after a crash was never given out.
        let known = self
            .store
            .take_deed_place(&place.deed, place.number, event.kind, event.at_unix_ms, &digest)
            .await?;
        let at_unix_ms = match known {
            DeedPlace::Taken => event.at_unix_ms,
            // These follow from an acceptance alone and give nothing away: after a crash they are
            // signed again. The number says the kind, so it was the same one.
            DeedPlace::Signed { .. } if matches!(event.kind, Kind::Import | Kind::Flip) => {
                event.at_unix_ms
            }
            // The same bytes again are no second offer, and no second acceptance while nothing was
            // made of the first.
            DeedPlace::Signed { at_unix_ms, is_same: true, is_followed }
                if !is_followed || event.kind != Kind::Accept =>
            {
                at_unix_ms
            }
            DeedPlace::Signed { .. } => {
                let message =
                    format!("this home signed event {} of this deed before", place.number);
                return Err(CallError::caller("deed_replayed", message)
                    .next("symbolon deed history FILE, of the file that was made then"));
            }
        };
        let signed = Event { at_unix_ms, ..event.clone() };
        let signature = hex::encode(open.operator.sign(&signed.message(place)));
        Ok(DeedSignature { signature, at_unix_ms })
    }
}

/// The home's key for what is sealed to it: of the data key, so it is the same in each session.
fn recipient(open: &Open) -> RecipientSecret {
    RecipientSecret::derive(&open.unlocked.derive_secret(&labels::KEY_RECIPIENT))
}

fn view(signer: &TrustedSigner) -> SignerView {
    SignerView {
        key: hex::encode(signer.key.as_bytes()),
        name: signer.name.clone(),
        created: rfc3339(signer.created_unix_ms),
    }
}
