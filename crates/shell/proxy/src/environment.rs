//! What a program of a run finds in its environment.

use std::pin::Pin;

use symbolon_broker::{CallError, Surrounding, Surroundings};
use symbolon_secret::Secret;

use crate::open::{NewRun, RunView};
use crate::proxy::Proxy;

impl RunView {
    /// Where the proxy is, and what it is trusted by.
    #[must_use]
    pub fn way_out(&self, key: &Secret<[u8]>) -> Vec<(String, String)> {
        // EXPOSE: a program takes its proxy's password from its environment; it is worth nothing after
        // the run, nor off this machine, and opens no vault.
        let key = String::from_utf8_lossy(key.expose());
        let proxy = format!("http://{}:{key}@{}", self.user, self.proxy);
        let mut all: Vec<(String, String)> = Vec::new();
        let mut set = |name: &str, value: &str| all.push((name.to_owned(), value.to_owned()));
        for name in PROXIES {
            set(name, &proxy);
        }
        for name in ["NO_PROXY", "no_proxy"] {
            set(name, "");
        }
        for name in AUTHORITIES {
            set(name, &self.ca_file.to_string_lossy());
        }
        // OpenSSL looks into a folder beside its file; ours has nothing that it takes for a root.
        if self.pass_through.is_empty()
            && let Some(folder) = self.ca_file.parent()
        {
            set("SSL_CERT_DIR", &folder.to_string_lossy());
        }
        // Node 22.21 and 24.5 look at the proxy's variables only when told to.
        set("NODE_USE_ENV_PROXY", "1");
        set("SYMBOLON_RUN", &self.run);
        all
    }
}

impl Surroundings for Proxy {
    fn begin<'a>(
        &'a self,
        agent: &'a str,
        grants: &'a [String],
    ) -> Pin<Box<dyn Future<Output = Result<Surrounding, CallError>> + Send + 'a>> {
        Box::pin(async move {
            let new = NewRun {
                agent: agent.to_owned(),
                grants: grants.to_vec(),
                pass_through: Vec::new(),
            };
            let (view, key, guard) = self.open(new).await?;
            let environment = view.way_out(&key);
            let connections = view.connections.into_iter();
            let placeholders = connections.map(|c| (c.name, c.placeholder)).collect();
            Ok(Surrounding { environment, placeholders, guard: Box::new(guard) })
        })
    }
}

const PROXIES: [&str; 11] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "WSS_PROXY",
    "wss_proxy",
    "npm_config_https_proxy",
    "npm_config_proxy",
    "GRPC_PROXY",
];

/// Where programs and libraries look for what they trust.
const AUTHORITIES: [&str; 16] = [
    "NIX_SSL_CERT_FILE",
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "AWS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "npm_config_cafile",
    "DENO_CERT",
    "CARGO_HTTP_CAINFO",
    "BUNDLE_SSL_CA_CERT",
    "HTTPLIB2_CA_CERTS",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
    "HEX_CACERTS_PATH",
];
