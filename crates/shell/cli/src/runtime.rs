//! The async runtime, for the few commands that are more than a client.

use symbolon_broker::Lanes;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// For a broker: the main thread takes connections and signals, and hands each connection to a lane.
pub fn broker() -> Result<(Runtime, Lanes), Failure> {
    install_tls();
    let main = Builder::new_current_thread()
        .enable_all()
        .thread_name("symbolon")
        .on_thread_start(symbolon_secret::shield_thread)
        .build()
        .map_err(failure)?;
    Ok((main, Lanes::start().map_err(failure)?))
}

/// For a broker and what is tried on it, in one process: a worker for each core.
pub fn many() -> Result<Runtime, Failure> {
    install_tls();
    Builder::new_multi_thread()
        .enable_all()
        .thread_name("symbolon")
        .on_thread_start(symbolon_secret::shield_thread)
        .build()
        .map_err(failure)
}

/// For one task, such as making a home.
pub fn single() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(failure)
}

/// One provider for every connection of the process.
pub fn install_tls() {
    // An error says that one is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

fn failure(error: std::io::Error) -> Failure {
    Failure::environment("runtime", format!("cannot start threads: {error}"))
}
