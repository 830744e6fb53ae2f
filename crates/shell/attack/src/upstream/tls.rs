//! The upstream's certificates: the right one, and wrong ones of each kind.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::case::Certificate;

/// An authority made for the occasion or kept in a folder, and the leaves that it signed.
#[derive(Debug)]
pub struct Identity {
    authority_pem: String,
    key_pem: String,
    good: Arc<ServerConfig>,
    untrusted: Arc<ServerConfig>,
    expired: Arc<ServerConfig>,
    early: Arc<ServerConfig>,
    other_name: Arc<ServerConfig>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[error("the upstream's certificate: {0}")]
pub struct IdentityError(String);

impl Identity {
    /// A new authority.
    ///
    /// # Errors
    /// [`IdentityError`], where the machine cannot make keys.
    pub fn make() -> Result<Self, IdentityError> {
        let key = KeyPair::generate().map_err(bad)?;
        let authority = authority(NAME)?;
        let pem = authority.self_signed(&key).map_err(bad)?.pem();
        Self::of(pem, key)
    }

    /// An authority that was kept: its certificate and key in PEM.
    ///
    /// # Errors
    /// [`IdentityError`] where they are none.
    pub fn load(authority_pem: &str, key_pem: &str) -> Result<Self, IdentityError> {
        Self::of(authority_pem.to_owned(), KeyPair::from_pem(key_pem).map_err(bad)?)
    }

    fn of(authority_pem: String, key: KeyPair) -> Result<Self, IdentityError> {
        let key_pem = key.serialize_pem();
        let issuer = Issuer::new(authority(NAME)?, key);
        let key = KeyPair::generate().map_err(bad)?;
        let stranger = Issuer::new(authority("Somebody else")?, key);
        let good = leaf(&issuer, NAMES, (2020, 2090))?;
        let expired = leaf(&issuer, NAMES, (2020, 2021))?;
        let early = leaf(&issuer, NAMES, (2089, 2090))?;
        let other_name = leaf(&issuer, &["elsewhere.example"], (2020, 2090))?;
        let untrusted = leaf(&stranger, NAMES, (2020, 2090))?;
        Ok(Self { authority_pem, key_pem, good, untrusted, expired, early, other_name })
    }

    /// The certificate that a target must trust.
    pub fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// The authority's key, for a folder that is the owner's alone.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    pub(super) fn config(&self, certificate: Certificate) -> Option<Arc<ServerConfig>> {
        Some(match certificate {
            Certificate::Good => self.good.clone(),
            Certificate::Untrusted => self.untrusted.clone(),
            Certificate::Expired => self.expired.clone(),
            Certificate::Early => self.early.clone(),
            Certificate::OtherName => self.other_name.clone(),
            Certificate::Plain | Certificate::Truncated => return None,
        })
    }
}

fn authority(name: &str) -> Result<CertificateParams, IdentityError> {
    let mut params = CertificateParams::new(Vec::new()).map_err(bad)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn leaf(
    issuer: &Issuer<'_, KeyPair>,
    names: &[&str],
    (from, until): (i32, i32),
) -> Result<Arc<ServerConfig>, IdentityError> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).map_err(bad)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Hostile upstream");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().map_err(bad)?;
    let chain: Vec<CertificateDer<'static>> =
        vec![params.signed_by(&key, issuer).map_err(bad)?.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(bad)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|c| c.with_no_client_auth().with_single_cert(chain, key))
        .map_err(bad)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn bad(error: impl std::fmt::Display) -> IdentityError {
    IdentityError(error.to_string())
}

const NAME: &str = "Symbolon attack suite";
/// The names that the target's connections have.
const NAMES: &[&str] =
    &["localhost", "127.0.0.1", super::super::NAMED_HOST, super::super::SHUT_HOST];
