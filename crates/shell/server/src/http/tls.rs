//! The server's certificate and key.

use std::{fs::File, io::Read, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::options::{ServeError, Tls};

/// TLS 1.2 and 1.3 with HTTP/1.1, no client certificates.
///
/// The key lives in ordinary memory, as rustls keeps it; it is the operator's own and no connection's.
///
/// # Errors
/// Where a file cannot be read, is open to others, or the two do not go together.
pub(super) fn config(tls: &Tls) -> Result<Arc<ServerConfig>, ServeError> {
    let pem = |path: &Path, cause: &dyn std::fmt::Display| ServeError::Pem {
        path: path.to_owned(),
        cause: cause.to_string(),
    };
    let chain = CertificateDer::pem_file_iter(&tls.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| pem(&tls.cert, &cause))?;
    if chain.is_empty() {
        return Err(pem(&tls.cert, &"no certificate in it"));
    }
    let mut file = File::open(&tls.key).map_err(|cause| pem(&tls.key, &cause))?;
    let mode = file.metadata().map_err(|cause| pem(&tls.key, &cause))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(ServeError::OpenKey { path: tls.key.clone() });
    }
    let mut text = Vec::new();
    file.by_ref()
        .take(KEY_BYTES_MAX)
        .read_to_end(&mut text)
        .map_err(|cause| pem(&tls.key, &cause))?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|cause| pem(&tls.key, &cause));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(ServeError::Tls)?
        .with_no_client_auth()
        .with_single_cert(chain, key?)
        .map_err(ServeError::Tls)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Whether a server could speak TLS with these files.
///
/// # Errors
/// As a server's start would fail.
pub fn check_tls(tls: &Tls) -> Result<(), ServeError> {
    config(tls).map(|_| ())
}

const KEY_BYTES_MAX: u64 = 64 * 1024;

/// What both ends of a TLS 1.3 connection know and nobody else (RFC 9266). Under TLS 1.2 two connections can be
/// made to have the same, so there is none.
pub(super) fn channel(connection: &rustls::ServerConnection) -> Option<[u8; 32]> {
    if connection.protocol_version() != Some(rustls::ProtocolVersion::TLSv1_3) {
        return None;
    }
    connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[])).ok()
}
