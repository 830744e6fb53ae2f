//! Client certificates: a connection that shows itself in the TLS handshake (RFC 8446, section
//! 4.4.2; RFC 5246, section 7.4.6). `specs/signing.md`.
//!
//! What is kept in force is the chain, which is public. The key is opened by the release of the call
//! that shakes hands, into a secret page, for the one signature (RFC 8446, section 4.4.3); AWS-LC has
//! it in its own memory meanwhile and wipes that.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{ClientConfig, Error, SignatureAlgorithm, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use symbolon_codec::FieldsReader;
use symbolon_secret::{Secret, on_stack, wipe_stack};

use super::armed::{OpenCredential, OpenError};
use super::validity::Validity;

/// A certificate chain, and what its key can sign with.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    algorithm: SignatureAlgorithm,
    schemes: Vec<SignatureScheme>,
}

/// Why a text is no client certificate; never a byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// No certificate, more than ten, or one that is not PEM of X.509.
    #[error("there is no certificate chain in PEM, or it is longer than ten certificates")]
    Chain,
    /// No key, an encrypted one, or of a kind that TLS has no use for.
    #[error("there is no private key in PEM that TLS can use (an encrypted one must be decrypted)")]
    Key,
    /// The key of another certificate.
    #[error("the private key is not the certificate's: the first certificate must be its own")]
    Mismatch,
    /// Its time has not come.
    #[error("the certificate is not valid yet")]
    Early,
    /// Its time is over.
    #[error("the certificate has expired")]
    Expired,
    /// More than the limit.
    #[error("certificates and key are longer than 20,000 bytes")]
    TooLong,
    /// What was sealed is something else.
    #[error("what is sealed is no client certificate")]
    Sealed,
}

impl Identity {
    /// What a connection seals, from PEM text of a chain and its key in any order.
    ///
    /// # Errors
    /// [`IdentityError`]: what does not belong together, or not to this time.
    pub fn seal_form(pem: &Secret<[u8]>, now_unix_ms: u64) -> Result<Secret<[u8]>, IdentityError> {
        // EXPOSE: certificates are public; what stands between them is passed over.
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.expose()).collect();
        let chain = chain.map_err(|_| IdentityError::Chain)?;
        let Some(own) = chain.first().filter(|_| chain.len() <= CHAIN_MAX) else {
            return Err(IdentityError::Chain);
        };
        let validity = Validity::of(own).ok_or(IdentityError::Chain)?;
        // EXPOSE: decoded once, when the credential is entered; wiped when it is freed.
        let key = PrivateKeyDer::from_pem_slice(pem.expose()).map_err(|_| IdentityError::Key)?;
        let loaded = any_supported_type(&key).map_err(|_| IdentityError::Key)?;
        match CertifiedKey::new(chain.clone(), loaded).keys_match() {
            Ok(()) => {}
            Err(Error::InvalidCertificate(_)) => return Err(IdentityError::Chain),
            Err(_) => return Err(IdentityError::Mismatch),
        }
        match validity.at(now_unix_ms) {
            std::cmp::Ordering::Less => return Err(IdentityError::Early),
            std::cmp::Ordering::Greater => return Err(IdentityError::Expired),
            std::cmp::Ordering::Equal => {}
        }
        let fields = || {
            let own = [TAG.as_bytes(), key.secret_der()];
            own.into_iter().chain(chain.iter().map(|it| it.as_ref()))
        };
        let len = fields().map(|field| 4 + field.len()).sum();
        if len > SEALED_BYTES_MAX {
            return Err(IdentityError::TooLong);
        }
        let sealed = Secret::<[u8]>::make_slice(len, |mut out| {
            for field in fields() {
                let (place, rest) = out.split_at_mut(4 + field.len());
                place[..4].copy_from_slice(&(field.len() as u32).to_be_bytes());
                place[4..].copy_from_slice(field);
                out = rest;
            }
        });
        wipe_stack();
        Self::read(&sealed).map(|_| sealed)
    }

    /// The public part of what was sealed.
    ///
    /// # Errors
    /// [`IdentityError::Sealed`], [`IdentityError::Key`].
    pub fn read(sealed: &Secret<[u8]>) -> Result<Self, IdentityError> {
        on_stack(|| {
            // EXPOSE: the chain is public; of the key its kind is kept.
            let (key, chain) = parts(sealed.expose()).ok_or(IdentityError::Sealed)?;
            let key = load(key).ok_or(IdentityError::Key)?;
            let can = |scheme: &SignatureScheme| key.choose_scheme(&[*scheme]).is_some();
            let schemes: Vec<_> = SCHEMES.iter().copied().filter(can).collect();
            if schemes.is_empty() {
                return Err(IdentityError::Key);
            }
            Ok(Self { chain, algorithm: key.algorithm(), schemes })
        })
    }

    /// `config` for one handshake, whose signature `opener` opens the key for, and the right to it.
    /// Its session is not resumed and resumes none: a session that was begun with this certificate
    /// would go on without a signature.
    pub(super) fn shown(
        &self,
        config: &ClientConfig,
        opener: Arc<dyn OpenCredential>,
    ) -> (ClientConfig, Arc<Right>) {
        let right = Arc::new(Right { opener: Mutex::new(Some(opener)), signed: false.into() });
        let key =
            Key { right: right.clone(), algorithm: self.algorithm, schemes: self.schemes.clone() };
        let shown = Shown(Arc::new(CertifiedKey::new(self.chain.clone(), Arc::new(key))));
        let mut config = config.clone();
        config.client_auth_cert_resolver = Arc::new(shown);
        config.resumption = Resumption::disabled();
        (config, right)
    }
}

/// The right to one signature. TLS keeps a handshake's configuration for as long as its connection;
/// this ends with the handshake.
pub(super) struct Right {
    opener: Mutex<Option<Arc<dyn OpenCredential>>>,
    signed: AtomicBool,
}

impl Right {
    fn take(&self) -> Option<Arc<dyn OpenCredential>> {
        self.opener.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Ends it. Whether it was used.
    pub(super) fn end(&self) -> bool {
        self.take();
        self.signed.load(Relaxed)
    }
}

/// The certificate of one handshake.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], offered: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        // Without one that both know, nothing is shown, and the server says what it thinks of that.
        self.0.key.choose_scheme(offered).map(|_| self.0.clone())
    }
    fn has_certs(&self) -> bool {
        true
    }
}

/// A key that is opened for the signature of one handshake.
#[derive(Clone)]
struct Key {
    right: Arc<Right>,
    algorithm: SignatureAlgorithm,
    schemes: Vec<SignatureScheme>,
}

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = *self.schemes.iter().find(|scheme| offered.contains(scheme))?;
        Some(Box::new(Proof { key: self.clone(), scheme }))
    }
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

/// Possession of the key, proved once.
#[derive(Debug)]
struct Proof {
    key: Key,
    scheme: SignatureScheme,
}

impl Signer for Proof {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let opener = self.key.right.take().ok_or(Error::General(USED.to_owned()))?;
        let opened = Secret::<[u8]>::try_make_slice(opener.wire_len(), |out| {
            on_stack(|| opener.open_into(out)).map_err(NotOpened::from)
        });
        let opened = opened.map_err(|e| Error::General(e.0.to_owned()))?;
        // Said before it is true: nobody may think that nothing was proved when it was.
        self.key.right.signed.store(true, Relaxed);
        on_stack(|| {
            // EXPOSE: AWS-LC takes the key, signs, and wipes its copy, on the secret stack.
            let (key, _) = parts(opened.expose()).ok_or(Error::General(NO_KEY.to_owned()))?;
            let signer = load(key).and_then(|key| key.choose_scheme(&[self.scheme]));
            signer.ok_or(Error::General(NO_KEY.to_owned()))?.sign(message)
        })
    }
    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

struct NotOpened(&'static str);

impl From<OpenError> for NotOpened {
    fn from(error: OpenError) -> Self {
        Self(error.reason)
    }
}

impl From<symbolon_secret::MemoryError> for NotOpened {
    fn from(_: symbolon_secret::MemoryError) -> Self {
        Self("no secret memory for the key")
    }
}

/// Key and chain of what was sealed.
fn parts(sealed: &[u8]) -> Option<(&[u8], Vec<CertificateDer<'static>>)> {
    let mut fields = FieldsReader::new(TAG, sealed).ok()?;
    let key = fields.bytes(SEALED_BYTES_MAX).ok()?;
    let mut chain = Vec::new();
    while fields.clone().end().is_err() {
        let certificate = fields.bytes(SEALED_BYTES_MAX).ok()?;
        chain.push(CertificateDer::from(certificate.to_vec()));
    }
    (1..=CHAIN_MAX).contains(&chain.len()).then_some((key, chain))
}

/// Borrowed: no copy but AWS-LC's own.
fn load(key: &[u8]) -> Option<Arc<dyn SigningKey>> {
    any_supported_type(&PrivateKeyDer::try_from(key).ok()?).ok()
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

const TAG: &str = "symbolon/client-certificate/v1";
const USED: &str = "the right to sign this handshake is used up";
const NO_KEY: &str = "what is sealed is no private key";
const CHAIN_MAX: usize = 10;
/// Ten certificates of ordinary length and the longest RSA key that is in use.
const SEALED_BYTES_MAX: usize = 20_000;
/// What is signed with, the best first; PKCS #1 v1.5 for TLS 1.2 alone (RFC 8446, section 4.2.3).
const SCHEMES: [SignatureScheme; 10] = [
    SignatureScheme::ED25519,
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA256,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn sealed(text: &str, now_unix_ms: u64) -> Result<Secret<[u8]>, IdentityError> {
        let text = text.as_bytes();
        let pem = Secret::<[u8]>::make_slice(text.len(), |out| out.copy_from_slice(text));
        Identity::seal_form(&pem, now_unix_ms)
    }

    /// rcgen's certificates are good from 1975 to 4096.
    const NOW: u64 = 1_700_000_000_000;

    #[test]
    fn a_chain_with_its_key_is_taken_and_nothing_else() {
        let ((cert, key), (other, _)) = (made(), made());
        for (text, certificates) in
            [(format!("{cert}{key}"), 1), (format!("{key}{cert}{other}"), 2)]
        {
            let identity = Identity::read(&sealed(&text, NOW).unwrap()).unwrap();
            assert_eq!(identity.chain.len(), certificates);
            assert_eq!(identity.schemes, [SignatureScheme::ECDSA_NISTP256_SHA256]);
        }
        let refused = |text: &str| sealed(text, NOW).map(|_| ()).unwrap_err();
        assert_eq!(refused(&format!("{other}{cert}{key}")), IdentityError::Mismatch);
        assert_eq!(refused(&cert), IdentityError::Key);
        assert_eq!(refused(&key), IdentityError::Chain);
        assert_eq!(refused("nonsense"), IdentityError::Chain);
        assert_eq!(refused(&(cert.repeat(11) + &key)), IdentityError::Chain);
        let damaged = key.replace("MIG", "AAA");
        assert_eq!(refused(&format!("{cert}{damaged}")), IdentityError::Key);
    }

    #[test]
    fn a_certificate_out_of_its_time_is_refused() {
        let (cert, key) = made();
        let text = cert + &key;
        assert_eq!(sealed(&text, 0).map(|_| ()), Err(IdentityError::Early));
        let year_5000 = 95_617_584_000_000;
        assert_eq!(sealed(&text, year_5000).map(|_| ()), Err(IdentityError::Expired));
    }

    /// Opens what it was given.
    struct Given(Secret<[u8]>);
    impl OpenCredential for Given {
        fn wire_len(&self) -> usize {
            self.0.len()
        }
        fn open_into(&self, out: &mut [u8]) -> Result<usize, OpenError> {
            out[..self.0.len()].copy_from_slice(self.0.expose());
            Ok(self.0.len())
        }
    }

    #[test]
    fn a_handshake_signs_once_and_not_after_its_end() {
        let (cert, key) = made();
        let credential = sealed(&(cert + &key), NOW).unwrap();
        let identity = Identity::read(&credential).unwrap();
        let opener: Arc<dyn OpenCredential> = Arc::new(Given(credential));
        let roots = crate::wire::Roots::system().unwrap();
        let begin = || {
            let (config, right) = identity.shown(&roots.config(), opener.clone());
            let offered = [SignatureScheme::RSA_PSS_SHA256, SignatureScheme::ECDSA_NISTP256_SHA256];
            let shown = config.client_auth_cert_resolver.resolve(&[], &offered).unwrap();
            assert!(config.client_auth_cert_resolver.resolve(&[], &offered[..1]).is_none());
            (shown.key.choose_scheme(&offered).unwrap(), right)
        };
        let (signer, right) = begin();
        assert!(!signer.sign(b"transcript").unwrap().is_empty());
        assert!(signer.sign(b"another").is_err());
        assert!(right.end());
        let (signer, right) = begin();
        assert!(!right.end());
        assert!(signer.sign(b"transcript").is_err());
        assert_eq!(Arc::strong_count(&opener), 1, "nothing keeps the release");
    }

    #[test]
    fn what_was_sealed_is_read_back_whole_or_not_at_all() {
        let (cert, key) = made();
        let good = sealed(&(cert + &key), NOW).unwrap();
        let bytes = good.expose();
        for cut in 0..bytes.len() {
            let part = Secret::<[u8]>::make_slice(cut, |out| out.copy_from_slice(&bytes[..cut]));
            assert!(Identity::read(&part).is_err(), "{cut}");
        }
    }
}
