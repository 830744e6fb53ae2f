//! MCP servers that others wrote, from npm, to be mounted.

use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::place;
use crate::service::{Service, free_port};
use crate::upstream::Upstream;

/// `@modelcontextprotocol/server-everything` over streamable HTTP, behind a nginx that lets in who has
/// the credential, with TLS in front.
#[derive(Debug)]
pub struct Everything {
    _plain: Service,
    _nginx: Service,
    folder: TempDir,
    /// What a mount leads to.
    pub tls: Upstream,
}

const CONFIG: &str = r#"
worker_processes 1;
daemon off;
pid FOLDER/nginx.pid;
error_log stderr warn;
events { worker_connections 64; }
http {
    log_format seen '$request_method $status "$http_mcp_session_id" "$http_mcp_protocol_version"';
    access_log FOLDER/access.log seen;
    client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi; uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
    server {
        listen 127.0.0.1:PORT;
        location / {
            if ($http_authorization != "Bearer CREDENTIAL") { return 401; }
            proxy_pass http://127.0.0.1:PLAIN;
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_set_header Authorization "";
            # An echo, as a careless server would give one.
            add_header X-Echo "CREDENTIAL";
        }
    }
}
"#;

impl Everything {
    pub fn start(credential: &str) -> Self {
        let plain_port = free_port();
        let mut command = Command::new(place::node());
        command
            .arg(place::node_script("mcp-server-everything"))
            .arg("streamableHttp")
            .env("PORT", plain_port.to_string())
            .stdin(Stdio::null());
        let mut plain = Service::start("server-everything", &mut command);
        plain.wait_for_port(plain_port);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let config = CONFIG
            .replace("FOLDER", folder.path().to_str().expect("a plain path"))
            .replace("PORT", &port.to_string())
            .replace("PLAIN", &plain_port.to_string())
            .replace("CREDENTIAL", credential);
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).expect("the folder takes a file");
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file).stdin(Stdio::null());
        let mut nginx = Service::start("nginx", &mut command);
        nginx.wait_for_port(port);
        let tls = Upstream::tls_for(port);
        Self { _plain: plain, _nginx: nginx, folder, tls }
    }

    /// A line for each request: method, status, session, revision.
    pub fn seen(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("access.log"));
        text.unwrap_or_default().lines().map(str::to_owned).collect()
    }
}
