//! The HTTP door over a broker in memory: for the conformance suite and to measure what the door costs.
//!
//! `cargo run -p symbolon-server --features double --example door -- 127.0.0.1:8765`; with the feature
//! `conformance` too, `/mcp` is open and has the suite's fixtures. The key is `sym_bench`.

use symbolon_server::http::{ServeOptions, double::Double, serve};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let double = Double::default();
    double.grant("bench", "echo.");
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned()).parse()?;
    #[allow(unused_mut, reason = "the feature changes it")]
    let mut options = ServeOptions::on(listen);
    #[cfg(feature = "conformance")]
    {
        options.conformance = true;
    }
    let serving =
        serve(double, options, async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
    println!("{}", serving.url());
    serving.stopped().await;
    Ok(())
}
