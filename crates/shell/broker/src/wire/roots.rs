//! Which certificates an upstream may show.

use std::sync::Arc;

use rustls::{ClientConfig, Error, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::tls::provider;

/// Which certificates a connection trusts, as a ready configuration. Cheap to clone; session
/// tickets are shared among its clones.
#[derive(Clone, Debug)]
pub struct Roots(Arc<ClientConfig>);

impl Roots {
    /// The system's roots, or Mozilla's list where the system has none. Reads files: slow once.
    pub fn system() -> Result<Self, RootsError> {
        Self::build(system_roots())
    }

    /// The system's roots and the certificates in `pem`, for a service with a CA of its own.
    pub fn with_extra(pem: &[u8]) -> Result<Self, RootsError> {
        let mut store = system_roots();
        let mut any = false;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| RootsError::Pem)?;
            store.add(certificate).map_err(RootsError::Certificate)?;
            any = true;
        }
        if any { Self::build(store) } else { Err(RootsError::Pem) }
    }

    fn build(store: RootCertStore) -> Result<Self, RootsError> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(RootsError::Versions)?
            .with_root_certificates(store)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Roots(Arc::new(config)))
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        self.0.clone()
    }
}

fn system_roots() -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    store
}

/// Why trust roots cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootsError {
    /// Not PEM, or without a certificate.
    #[error("the extra root is not a PEM certificate")]
    Pem,
    /// A certificate that cannot be a root.
    #[error("the extra root is not a usable certificate")]
    Certificate(#[source] Error),
    /// The provider has no usable version: a bug.
    #[error("no usable TLS version")]
    Versions(#[source] Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_roots_are_parsed_or_refused() {
        assert!(matches!(Roots::with_extra(b""), Err(RootsError::Pem)));
        assert!(matches!(Roots::with_extra(b"nonsense"), Err(RootsError::Pem)));
        let bad = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(Roots::with_extra(bad), Err(RootsError::Certificate(_))));
        assert!(Roots::system().is_ok());
    }
}
