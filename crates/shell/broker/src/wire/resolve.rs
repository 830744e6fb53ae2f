//! From a host to addresses that were all checked.
//!
//! A name is resolved once for a connection and the checked addresses are what is connected to, so
//! a name that changes its mind changes nothing. Proxies in the environment are not looked at.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use symbolon_connector::ssrf::{Allow, Authority, Scheme, check, check_host};

use super::error::WireError;

/// A look-up under way.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// Turns a DNS name into addresses. It need not check them.
pub trait Resolver: Send + Sync {
    /// The addresses of `name`, each with `port`.
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Resolving<'a>;
}

/// The operating system's resolver, off the async threads.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, name: &'a str, port: u16) -> Resolving<'a> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, port)).await?.collect()) })
    }
}

/// The addresses to connect to, in the resolver's order; at least one.
pub(super) async fn resolve(
    resolver: &dyn Resolver,
    authority: &Authority,
    allow: Allow,
) -> Result<Vec<SocketAddr>, WireError> {
    let host = authority.host();
    let named = || host.as_str().to_owned();
    check_host(host, allow).map_err(|source| WireError::Host { host: named(), source })?;
    let addresses = match host.ip() {
        Some(ip) => vec![SocketAddr::new(ip, authority.port())],
        None => resolver
            .resolve(host.as_str(), authority.port())
            .await
            .map_err(|source| WireError::Resolve { host: named(), source })?,
    };
    if addresses.is_empty() {
        let source = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        return Err(WireError::Resolve { host: named(), source });
    }
    for address in &addresses {
        check(address.ip(), allow)
            .map_err(|source| WireError::Blocked { host: named(), source })?;
        if authority.scheme() == Scheme::Http && !is_loopback(address.ip()) {
            return Err(WireError::Plaintext { address: address.ip() });
        }
    }
    // The port is the connection's, whatever the resolver says.
    Ok(addresses.iter().map(|a| SocketAddr::new(a.ip(), authority.port())).collect())
}

fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}
