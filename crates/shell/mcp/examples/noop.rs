//! An MCP server on standard input and output over a broker in memory: what the door itself costs.
//!
//! `cargo run -p symbolon-mcp --features double --example noop`

use std::os::fd::AsFd;

use symbolon_mcp::{double::Double, serve_descriptors};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let double = Double::default();
    double.grant("bench", "echo.");
    let read = std::io::stdin().as_fd().try_clone_to_owned()?;
    let write = std::io::stdout().as_fd().try_clone_to_owned()?;
    serve_descriptors(double, "bench", read, write).await?;
    Ok(())
}
