//! Certificates of the hosts that the proxy stands for, minted when first asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use symbolon_broker::{Broker, CallError};
use symbolon_connector::ssrf::Host;

use crate::authority::{Authority, valid};

/// At most [`LEAVES_MAX`] hosts, the longest unused thrown out. All leaves have one key, which lives
/// as long as this process and is of no use without a certificate of this home's authority.
#[derive(Default)]
pub(crate) struct Leaves {
    authority: Mutex<Option<Arc<Authority>>>,
    minted: Mutex<Minted>,
}

#[derive(Default)]
struct Minted {
    key: Option<Arc<KeyPair>>,
    hosts: HashMap<Box<str>, Leaf>,
    uses: u64,
}

/// A ready configuration. Session tickets are good among the connections of one host alone.
struct Leaf {
    config: Arc<ServerConfig>,
    made: Instant,
    used: u64,
}

impl Leaves {
    /// The home's authority.
    ///
    /// # Errors
    /// [`CallError`], see [`Authority::of`].
    pub(crate) fn authority(&self, broker: &Broker) -> Result<Arc<Authority>, CallError> {
        let mut slot = self.authority.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(authority) = &*slot {
            return Ok(authority.clone());
        }
        let authority = Arc::new(Authority::of(broker)?);
        *slot = Some(authority.clone());
        Ok(authority)
    }

    /// TLS for this host.
    ///
    /// # Errors
    /// [`CallError`] while locked, where it has to be minted.
    pub(crate) fn config(
        &self,
        broker: &Broker,
        host: &Host,
    ) -> Result<Arc<ServerConfig>, CallError> {
        let authority = self.authority(broker)?;
        let mut minted = self.minted.lock().unwrap_or_else(PoisonError::into_inner);
        minted.uses += 1;
        let now = minted.uses;
        if let Some(leaf) = minted.hosts.get_mut(host.as_str())
            && leaf.made.elapsed() < RENEWED_AFTER
        {
            leaf.used = now;
            return Ok(leaf.config.clone());
        }
        let key = match &minted.key {
            Some(key) => key.clone(),
            None => {
                let key = Arc::new(KeyPair::generate().map_err(|e| bug(&e))?);
                minted.key.insert(key).clone()
            }
        };
        let config = Arc::new(mint(broker, &authority, host, &key)?);
        if minted.hosts.len() >= LEAVES_MAX
            && let Some(oldest) =
                minted.hosts.iter().min_by_key(|(_, leaf)| leaf.used).map(|(name, _)| name.clone())
        {
            minted.hosts.remove(&oldest);
        }
        let leaf = Leaf { config: config.clone(), made: Instant::now(), used: now };
        minted.hosts.insert(host.as_str().into(), leaf);
        Ok(config)
    }
}

const LEAVES_MAX: usize = 256;
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);
const RENEWED_AFTER: Duration = Duration::from_secs(24 * 3600);

fn mint(
    broker: &Broker,
    authority: &Authority,
    host: &Host,
    key: &KeyPair,
) -> Result<ServerConfig, CallError> {
    let name = host.as_str().trim_matches(['[', ']']).to_owned();
    let mut params = CertificateParams::new(vec![name.clone()]).map_err(|e| bug(&e))?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    // A common name has 64 characters at most (X.520); the alternative name is what counts.
    params.distinguished_name.push(DnType::CommonName, name.chars().take(64).collect::<String>());
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    valid(&mut params, LIFETIME);
    let certificate = authority.sign(broker, &params, key)?;
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| bug(&e))?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], private)
        .map_err(|e| bug(&e))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().map_err(|e| bug(&e))?;
    config.send_tls13_tickets = 1;
    Ok(config)
}

fn bug(error: &dyn std::fmt::Display) -> CallError {
    CallError::bug(format!("a certificate could not be made: {error}"))
}
