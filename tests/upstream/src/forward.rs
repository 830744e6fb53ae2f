//! TLS in front of a plain service, and a connection that is taken and reset.

use std::net::SocketAddr;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::Error;

/// Carries bytes both ways until both sides are done.
pub async fn forward(mut client: TlsStream<TcpStream>, to: SocketAddr) -> Result<(), Error> {
    let mut plain = TcpStream::connect(to).await?;
    plain.set_nodelay(true)?;
    tokio::io::copy_bidirectional(&mut client, &mut plain).await?;
    Ok(())
}

/// Reads what comes first, then drops the connection; with no linger that is a reset.
pub async fn take_and_drop(mut client: TlsStream<TcpStream>) -> Result<(), Error> {
    let mut bytes = [0; 4096];
    let _read = client.read(&mut bytes).await?;
    Ok(())
}
