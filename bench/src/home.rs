//! A throw-away home with one connection, one grant and one agent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use symbolon_broker::{Broker, Method, NewConnection, NewGrant, Options};
use symbolon_secret::Secret;

use crate::BenchError;

/// Everything a suite needs, gone when it is dropped.
pub(crate) struct BenchHome {
    folder: tempfile::TempDir,
}

/// The agent that has the grant.
pub(crate) const AGENT: &str = "bench";

/// A service of one read operation, with a rate that no suite reaches.
pub(crate) const SERVICE: &str = r#"
[service]
id = "bench"
name = "Benchmark upstream"
base_url = "https://bench.invalid"
self_hosted = true
docs = "https://bench.invalid"
auth = { scheme = "bearer" }
verify = "things.get"
rate = { burst = 1000000000, per_second = 1000000000.0 }

[[operation]]
id = "things.get"
title = "Get the thing"
description = "Returns the one thing that there is."
method = "GET"
path = "/thing"
scope = "bench.things.read"
effect = "read"
"#;

/// The operation's full name.
pub(crate) const TOOL: &str = "bench.things.get";

impl BenchHome {
    /// A home that this device's key opens.
    pub(crate) async fn make() -> Result<Self, BenchError> {
        let folder = tempfile::Builder::new().prefix("symbolon-bench-").tempdir()?;
        let home = Self { folder };
        Broker::init(&home.path(), Method::Device, None).await?;
        let catalog = home.path().join("catalog");
        std::fs::create_dir(&catalog)?;
        std::fs::write(catalog.join("bench.toml"), SERVICE)?;
        private(&catalog, 0o700)?;
        private(&catalog.join("bench.toml"), 0o600)?;
        Ok(home)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// An unlocked broker on it.
    pub(crate) async fn open(path: &Path, options: Options) -> Result<Arc<Broker>, BenchError> {
        let broker = Broker::start(path, options).await?;
        if broker.unlock_unattended().await? {
            Ok(broker)
        } else {
            Err(BenchError::new("the home does not open by itself"))
        }
    }

    /// Connects the upstream, grants it to the agent, and gives the agent's key.
    pub(crate) async fn set_up(
        broker: &Broker,
        base_url: &str,
        ca_pem: Option<String>,
        credential: Secret<[u8]>,
    ) -> Result<Secret<[u8]>, BenchError> {
        let connection = NewConnection {
            base_url: Some(base_url.to_owned()),
            ca_pem,
            allow_loopback: true,
            ..NewConnection::of("bench")
        };
        broker.connect(connection, credential).await?;
        let grant = NewGrant {
            agent: AGENT.to_owned(),
            scopes: vec!["bench.things.read".to_owned()],
            for_seconds: 3600,
            connection: None,
            limits: Vec::new(),
            ..NewGrant::default()
        };
        broker.grant(grant).await?;
        Ok(broker.add_agent(AGENT).await?.key)
    }
}

fn private(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// 48 visible characters that only a secret page has.
pub(crate) fn make_credential() -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(48, |out| {
        symbolon_ambient::Rng::fill(&symbolon_ambient::SystemRng, out);
        for b in out {
            *b = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"[usize::from(*b) % 32];
        }
    })
}
