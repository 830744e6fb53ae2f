//! What a broker writes down about itself, and what it must not.

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Logs to standard error: for the detached broker that is `run/broker.log`.
///
/// `SYMBOLON_LOG` sets levels for our own crates. Others stay at `warn` whatever it says: HTTP
/// libraries log whole requests below that. The MCP library stays at `error`
/// ([`symbolon_mcp::LOG_FILTER`]): its warnings quote what a caller sent.
pub fn to_stderr() {
    let ours = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .with_env_var("SYMBOLON_LOG")
        .from_env_lossy();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // Fails where a subscriber is set already: then that one logs.
    let _ = tracing_subscriber::registry()
        .with(ours)
        .with(filter_fn(is_allowed))
        .with(lines)
        .try_init();
}

fn is_allowed(event: &Metadata<'_>) -> bool {
    let most = match event.target() {
        ours if ours.starts_with("symbolon") => Level::TRACE,
        mcp if mcp.starts_with("rmcp") => Level::ERROR,
        _ => Level::WARN,
    };
    *event.level() <= most
}
