//! What a server's program finds around it, where it is to use connections: the proxy of runs.

use std::pin::Pin;

use crate::api::CallError;

/// A proxy, placeholders for credentials, and what ends both when it is dropped.
pub struct Surrounding {
    /// Variables that lead to the proxy, and to what it is trusted by.
    pub environment: Vec<(String, String)>,
    /// Placeholders by connection.
    pub placeholders: Vec<(String, String)>,
    /// Dropped, the run ends.
    pub guard: Box<dyn Send + Sync>,
}

impl std::fmt::Debug for Surrounding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Surrounding")
    }
}

/// What can make one: the proxy, which stands above the broker.
pub trait Surroundings: Send + Sync {
    /// Begins a run as `agent`, with these grants for as long as it lasts.
    fn begin<'a>(
        &'a self,
        agent: &'a str,
        grants: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<Surrounding, CallError>> + Send + 'a>>;
}
