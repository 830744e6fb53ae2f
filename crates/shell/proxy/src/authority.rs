//! The home's certificate authority: made once, its key sealed in the vault, its certificate public.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyUsagePurpose, PublicKeyData,
    SignatureAlgorithm, SigningKey,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use symbolon_broker::{Broker, CallError};
use symbolon_secret::Secret;

/// Signs certificates of the hosts that the proxy stands for. Its key is in the clear only while it
/// signs one.
pub(crate) struct Authority {
    certificate: CertificateDer<'static>,
    pem: String,
    envelope: Vec<u8>,
    params: CertificateParams,
}

impl Authority {
    /// The home's authority, made where it has none yet.
    ///
    /// # Errors
    /// [`CallError`]: locked, or files that are not what was written.
    pub(crate) fn of(broker: &Broker) -> Result<Self, CallError> {
        let (public, sealed) = files(broker.home().path());
        let params = params(&broker.vault_name())?;
        if !public.exists() || !sealed.exists() {
            return Self::make(broker, params, &public, &sealed);
        }
        let damaged = |e: &dyn std::fmt::Display| {
            CallError::environment("proxy_ca", format!("the proxy's authority: {e}"))
                .next(format!("rm {}; the next run makes another", sealed.display()))
        };
        let pem = std::fs::read_to_string(&public).map_err(|e| damaged(&e))?;
        let certificate =
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| damaged(&e))?;
        let envelope = std::fs::read(&sealed).map_err(|e| damaged(&e))?;
        let authority = Self { certificate, pem, envelope, params };
        // Opened once now, so that damage is found before a program runs.
        authority.signer(broker).map_err(|e| match e.code.as_str() {
            // The command opens the vault and asks again.
            "locked" => e,
            _ => damaged(&e),
        })?;
        Ok(authority)
    }

    /// The certificate, in PEM: what programs of a run trust.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Signs a certificate for a host's key.
    ///
    /// # Errors
    /// [`CallError`] while locked.
    pub(crate) fn sign(
        &self,
        broker: &Broker,
        leaf: &CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<CertificateDer<'static>, CallError> {
        let issuer = Issuer::from_params(&self.params, self.signer(broker)?);
        Ok(leaf.signed_by(key, &issuer).map_err(|e| bug(&e))?.der().clone())
    }

    fn make(
        broker: &Broker,
        params: CertificateParams,
        public: &Path,
        sealed: &Path,
    ) -> Result<Self, CallError> {
        let made =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
        let made = made.map_err(|e| bug(&e))?;
        let key = Secret::<[u8]>::make_slice(made.as_ref().len(), |out| {
            out.copy_from_slice(made.as_ref());
        });
        drop(made);
        let signer = Signer::new(key)?;
        let certificate = params.self_signed(&signer).map_err(|e| bug(&e))?;
        let envelope = broker.seal_tls_key(NAME, certificate.der(), &signer.key)?;
        let io = |e: std::io::Error| CallError::environment("io", e.to_string());
        // The certificate first: without its key beside it both are made again.
        symbolon_store::replace_file(public, certificate.pem().as_bytes()).map_err(io)?;
        symbolon_store::replace_file(sealed, &envelope).map_err(io)?;
        tracing::info!("the proxy's certificate authority was made");
        let pem = certificate.pem();
        Ok(Self { certificate: certificate.der().clone(), pem, envelope, params })
    }

    fn signer(&self, broker: &Broker) -> Result<Signer, CallError> {
        Signer::new(broker.open_tls_key(NAME, &self.certificate, &self.envelope)?)
    }
}

/// What the key is sealed for.
const NAME: &str = "proxy-ca";

/// `proxy-ca.pem` and `proxy-ca.key` in the home.
fn files(home: &Path) -> (PathBuf, PathBuf) {
    (home.join("proxy-ca.pem"), home.join("proxy-ca.key"))
}

/// The same each time: leaves name their issuer by these.
fn params(vault: &str) -> Result<CertificateParams, CallError> {
    let mut params = CertificateParams::new(Vec::new()).map_err(|e| bug(&e))?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::OrganizationName, "Symbolon");
    let name = format!("Symbolon proxy of vault {vault}");
    params.distinguished_name.push(DnType::CommonName, name);
    valid(&mut params, Duration::from_secs(10 * 365 * 24 * 3600));
    Ok(params)
}

/// From yesterday, since clocks differ, for this long.
pub(crate) fn valid(params: &mut CertificateParams, lifetime: Duration) {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = rcgen::date_time_ymd(1970, 1, 1) + since_1970.unwrap_or_default();
    params.not_before = now - Duration::from_secs(24 * 3600);
    params.not_after = now + lifetime;
}

/// The key, for one signature.
struct Signer {
    key: Secret<[u8]>,
    public: Vec<u8>,
}

impl Signer {
    fn new(key: Secret<[u8]>) -> Result<Self, CallError> {
        let public = pair(&key).map_err(|e| bug(&e))?.public_key().as_ref().to_vec();
        Ok(Self { key, public })
    }
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }
    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let failed = |_| rcgen::Error::RemoteKeyError;
        let pair = pair(&self.key).map_err(failed)?;
        let signature = pair.sign(&SystemRandom::new(), message);
        Ok(signature.map_err(|_| rcgen::Error::RemoteKeyError)?.as_ref().to_vec())
    }
}

/// AWS-LC keeps a copy for as long as the pair lives, and wipes it.
fn pair(key: &Secret<[u8]>) -> Result<EcdsaKeyPair, aws_lc_rs::error::KeyRejected> {
    // EXPOSE: read into the TLS provider's own key, which lives for one signature.
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.expose())
}

fn bug(error: &dyn std::fmt::Display) -> CallError {
    CallError::bug(format!("the proxy's authority: {error}"))
}
