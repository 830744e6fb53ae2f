//! One conversation with a TPM: connect, make the storage key, seal or unseal, hang up.

use std::hint::black_box;

use symbolon_custody::SealerError;
use symbolon_secret::{MemoryError, Secret, on_stack};
use tss_esapi::attributes::{ObjectAttributesBuilder, SessionAttributesBuilder};
use tss_esapi::constants::{CapabilityType, SessionType, response_code::Tss2ResponseCodeKind};
use tss_esapi::handles::KeyHandle;
use tss_esapi::interface_types::algorithm::{HashingAlgorithm, PublicAlgorithm};
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::interface_types::resource_handles::Hierarchy;
use tss_esapi::interface_types::session_handles::{AuthSession, PolicySession};
use tss_esapi::structures::{
    Digest, EccPoint, KeyedHashScheme, PcrSelectionList, PcrSlot, Private, Public, PublicBuilder,
    PublicEccParametersBuilder, PublicKeyedHashParameters, SensitiveData, SymmetricDefinition,
    SymmetricDefinitionObject,
};
use tss_esapi::traits::{Marshall, UnMarshall};
use tss_esapi::{Context, Error, TctiNameConf, WrapperErrorKind};

use super::PcrMask;

/// A connection with the storage key loaded. Dropping it flushes every handle.
pub(super) struct Session {
    context: Context,
    storage: KeyHandle,
}

/// A sealed object outside of the TPM.
pub(super) struct Blob {
    pub(super) public: Vec<u8>,
    pub(super) private: Vec<u8>,
}

impl Session {
    pub(super) fn open(tcti: &TctiNameConf, place: &str) -> Result<Self, SealerError> {
        let mut context = Context::new(tcti.clone())
            .map_err(|e| SealerError::Absent { place: place.to_owned(), source: Box::new(e) })?;
        let storage = storage_template()
            .and_then(|template| {
                context.execute_with_session(Some(AuthSession::Password), |c| {
                    c.create_primary(Hierarchy::Owner, template, None, None, None, None)
                })
            })
            .map_err(failed("make its storage key"))?
            .key_handle;
        Ok(Self { context, storage })
    }

    /// The storage key's name: a hash of its public part.
    pub(super) fn name(&mut self) -> Result<Vec<u8>, SealerError> {
        let name = self.context.tr_get_name(self.storage.into());
        Ok(name.map_err(failed("name its storage key"))?.value().to_vec())
    }

    pub(super) fn seal(
        &mut self,
        secret: &Secret<[u8; 32]>,
        pcrs: PcrMask,
    ) -> Result<Blob, SealerError> {
        let policy = self.policy_digest(pcrs).map_err(failed("compute the policy"))?;
        let object = object_template(policy).map_err(failed("describe the object"))?;
        let session = self.encrypted(SessionType::Hmac).map_err(failed("start a session"))?;
        let storage = self.storage;
        let (made, _) = self.context.execute_with_session(Some(session), |c| {
            on_stack(|| {
                let mut create = |bytes: &[u8]| {
                    let data = SensitiveData::try_from(bytes)?;
                    c.create(storage, object.clone(), None, Some(data), None, None)
                };
                // EXPOSE: the library takes a heap buffer that it wipes, and the TPM its bytes,
                // encrypted. The same command again with zeros overwrites the C library's copies.
                (create(secret.expose()), create(&[0; 32]))
            })
        });
        let made = made.map_err(failed("seal"))?;
        let public = made.out_public.marshall().map_err(failed("seal"))?;
        Ok(Blob { public, private: made.out_private.value().to_vec() })
    }

    pub(super) fn unseal(
        &mut self,
        blob: &Blob,
        pcrs: PcrMask,
    ) -> Result<Secret<[u8]>, SealerError> {
        let public = Public::unmarshall(&blob.public).map_err(|_| SealerError::Damaged)?;
        let private =
            Private::try_from(blob.private.as_slice()).map_err(|_| SealerError::Damaged)?;
        let storage = self.storage;
        let object = self
            .context
            .execute_with_session(Some(AuthSession::Password), |c| c.load(storage, private, public))
            .map_err(|e| match kind(&e) {
                // The private part is authenticated under the storage key's seed, so it says
                // this of another TPM's blob and of a damaged one alike.
                Some(Tss2ResponseCodeKind::Integrity) => SealerError::OtherTpm,
                Some(
                    Tss2ResponseCodeKind::Size
                    | Tss2ResponseCodeKind::Attributes
                    | Tss2ResponseCodeKind::Binding
                    | Tss2ResponseCodeKind::Type
                    | Tss2ResponseCodeKind::Hash
                    | Tss2ResponseCodeKind::Scheme
                    | Tss2ResponseCodeKind::Value
                    | Tss2ResponseCodeKind::Insufficient
                    | Tss2ResponseCodeKind::ReservedBits,
                ) => SealerError::Damaged,
                _ => failed("load the sealed object")(e),
            })?;
        let session = self.authorised(pcrs).map_err(failed("start a session"))?;
        let unsealed = self
            .context
            .execute_with_session(Some(session), |c| on_stack(|| c.unseal(object.into())));
        let kept = unsealed.map(|data| {
            Secret::<[u8]>::try_make_slice(data.len(), |out| {
                on_stack(|| out.copy_from_slice(&data));
                Ok::<_, MemoryError>(data.len())
            })
        });
        // The C library decrypted the answer in its one buffer. A longer answer, to a question that
        // does not matter, overwrites it.
        let _ = self.context.get_capability(CapabilityType::TpmProperties, 0x100, 127);
        match kept {
            Ok(kept) => kept.map_err(failed("keep the secret")),
            Err(e) => Err(match kind(&e) {
                Some(Tss2ResponseCodeKind::PolicyFail | Tss2ResponseCodeKind::PcrChanged) => {
                    SealerError::OtherState
                }
                _ => failed("unseal")(e),
            }),
        }
    }

    /// A session that proves what the object asks for, and encrypts the answer.
    fn authorised(&mut self, pcrs: PcrMask) -> Result<AuthSession, Error> {
        let Some(selection) = selection(pcrs)? else {
            return self.encrypted(SessionType::Hmac);
        };
        let session = self.encrypted(SessionType::Policy)?;
        self.context.policy_pcr(PolicySession::try_from(session)?, Digest::default(), selection)?;
        Ok(session)
    }

    /// The policy "these registers are as they are now"; `None` without registers.
    fn policy_digest(&mut self, pcrs: PcrMask) -> Result<Option<Digest>, Error> {
        let Some(selection) = selection(pcrs)? else { return Ok(None) };
        let trial = self.encrypted(SessionType::Trial)?;
        let policy = PolicySession::try_from(trial)?;
        self.context.policy_pcr(policy, Digest::default(), selection)?;
        self.context.policy_get_digest(policy).map(Some)
    }

    /// A session salted to the storage key, so that who listens on the bus learns nothing.
    fn encrypted(&mut self, kind: SessionType) -> Result<AuthSession, Error> {
        let session = self.context.start_auth_session(
            Some(self.storage),
            None,
            None,
            kind,
            SymmetricDefinition::AES_128_CFB,
            HashingAlgorithm::Sha256,
        )?;
        let session = session.ok_or(Error::WrapperError(WrapperErrorKind::WrongValueFromTpm))?;
        let (attributes, mask) =
            SessionAttributesBuilder::new().with_decrypt(true).with_encrypt(true).build();
        self.context.tr_sess_set_attributes(session, attributes, mask)?;
        Ok(session)
    }
}

/// The C library frees what it handed out without wiping it. The same memory is handed out again
/// to this thread, for the same size first; here it is filled before it goes back. Called when the
/// connection is closed. The memory test of `tests/tpm.rs` finds the secret without this.
pub(super) fn overwrite_freed() {
    let mut blocks = Vec::new();
    for size in (24..=4096 + 512).step_by(16) {
        let count = if size <= 512 { 64 } else { 8 };
        blocks.extend((0..count).map(|_| black_box(vec![0xA5u8; size])));
    }
    black_box(&blocks);
}

pub(super) fn failed<E: std::error::Error + Send + Sync + 'static>(
    what: &'static str,
) -> impl Fn(E) -> SealerError {
    move |e| SealerError::Failed { what, source: Box::new(e) }
}

fn kind(e: &Error) -> Option<Tss2ResponseCodeKind> {
    match e {
        Error::Tss2Error(code) => code.kind(),
        Error::WrapperError(_) => None,
    }
}

/// ECC P-256 with AES-128-CFB, as the TCG's storage key template has it, and `noDA`: a guess at
/// nothing cannot lock it.
fn storage_template() -> Result<Public, Error> {
    let attributes = ObjectAttributesBuilder::new()
        .with_fixed_tpm(true)
        .with_fixed_parent(true)
        .with_sensitive_data_origin(true)
        .with_user_with_auth(true)
        .with_no_da(true)
        .with_restricted(true)
        .with_decrypt(true)
        .build()?;
    let parameters = PublicEccParametersBuilder::new_restricted_decryption_key(
        SymmetricDefinitionObject::AES_128_CFB,
        EccCurve::NistP256,
    )
    .build()?;
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::Ecc)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_ecc_parameters(parameters)
        .with_ecc_unique_identifier(EccPoint::default())
        .build()
}

/// Sealed data. Bound to a policy, or open to whoever may talk to this TPM.
fn object_template(policy: Option<Digest>) -> Result<Public, Error> {
    let attributes = ObjectAttributesBuilder::new()
        .with_fixed_tpm(true)
        .with_fixed_parent(true)
        .with_no_da(true)
        .with_user_with_auth(policy.is_none())
        .build()?;
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::KeyedHash)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_auth_policy(policy.unwrap_or_default())
        .with_keyed_hash_parameters(PublicKeyedHashParameters::new(KeyedHashScheme::Null))
        .with_keyed_hash_unique_identifier(Digest::default())
        .build()
}

fn selection(pcrs: PcrMask) -> Result<Option<PcrSelectionList>, Error> {
    let slots = pcrs.slots().map(PcrSlot::try_from).collect::<Result<Vec<_>, _>>()?;
    if slots.is_empty() {
        return Ok(None);
    }
    let list = PcrSelectionList::builder().with_selection(HashingAlgorithm::Sha256, &slots);
    list.build().map(Some)
}
