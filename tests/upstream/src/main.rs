#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod api;
mod forward;
mod options;
mod routes;
mod tls;

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

use options::{Mode, Options};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Anything that ends the process; it is a test tool, a sentence is enough.
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(usage) => {
            eprintln!("{usage}");
            return ExitCode::FAILURE;
        }
    };
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => match runtime.block_on(serve(options)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), Error> {
    let service = match &options.mode {
        Mode::Api => Some(Arc::new(api::Service::new(read_line()?))),
        Mode::Forward { .. } | Mode::Reset => None,
    };
    if !options.stays {
        end_with_standard_input();
    }
    let identity = tls::Identity::make()?;
    std::fs::write(&options.ca, identity.authority_pem())?;
    let acceptor = identity.acceptor()?;
    let listener = TcpListener::bind(options.listen).await?;
    println!("{}", serde_json::json!({ "port": listener.local_addr()?.port() }));
    std::io::stdout().flush()?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (mode, acceptor, service) = (options.mode, acceptor.clone(), service.clone());
        // A client that goes away is not worth a word.
        tokio::spawn(async move { connection(mode, acceptor, service, stream).await.ok() });
    }
}

async fn connection(
    mode: Mode,
    acceptor: TlsAcceptor,
    service: Option<Arc<api::Service>>,
    stream: TcpStream,
) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    match (mode, service) {
        (Mode::Forward { to }, _) => forward::forward(accept(acceptor, stream).await?, to).await,
        (Mode::Api, Some(service)) => api::serve(service, accept(acceptor, stream).await?).await,
        (Mode::Reset, _) | (Mode::Api, None) => {
            stream.set_zero_linger()?;
            forward::take_and_drop(accept(acceptor, stream).await?).await
        }
    }
}

async fn accept(acceptor: TlsAcceptor, stream: TcpStream) -> Result<TlsStream<TcpStream>, Error> {
    Ok(acceptor.accept(stream).await?)
}

/// The first line of standard input, byte by byte: what follows is left for the watcher.
fn read_line() -> Result<Vec<u8>, Error> {
    let mut line = Vec::new();
    let mut byte = [0];
    let mut input = std::io::stdin().lock();
    while input.read(&mut byte)? == 1 && byte[0] != b'\n' {
        line.push(byte[0]);
    }
    if line.is_empty() { Err("no credential on standard input".into()) } else { Ok(line) }
}

/// Ends the process with its parent, however that one ends.
fn end_with_standard_input() {
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().lock().read_to_end(&mut rest);
        std::process::exit(0);
    });
}
