//! nginx that lets in those whose certificate its authority signed; certificates made by openssl.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::service::{Service, free_port};

/// A server that says whose certificate it saw.
#[derive(Debug)]
pub struct Nginx {
    _service: Service,
    folder: TempDir,
    pub port: u16,
}

const CONFIG: &str = r#"
worker_processes 1;
daemon off;
pid FOLDER/nginx.pid;
error_log stderr warn;
events { worker_connections 64; }
http {
    access_log FOLDER/access.log;
    client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi; uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
    server {
        listen 127.0.0.1:PORT ssl;
        ssl_protocols PROTOCOL;
        ssl_certificate FOLDER/server.pem;
        ssl_certificate_key FOLDER/server.key;
        ssl_client_certificate FOLDER/ca.pem;
        ssl_verify_client on;
        ssl_session_cache shared:all:1m;
        keepalive_requests 2;
        location = /who {
            default_type application/json;
            return 200 '{"who":"$ssl_client_s_dn","authorization":"$http_authorization","resumed":"$ssl_session_reused"}';
        }
    }
}
"#;

impl Nginx {
    /// Speaks this version alone, `TLSv1.2` or `TLSv1.3`.
    pub fn start(protocol: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = folder.path();
        authority(at, "ca");
        authority(at, "other-ca");
        leaf(at, "ca", "server", "subjectAltName=DNS:localhost", "2");
        for (name, days) in [("late", "0"), ("alice", "2"), ("bob", "2")] {
            leaf(at, "ca", name, "extendedKeyUsage=clientAuth", days);
        }
        leaf(at, "other-ca", "stranger", "extendedKeyUsage=clientAuth", "2");
        // The one second that `late` is good for must be over.
        std::thread::sleep(Duration::from_millis(1100));
        let port = free_port();
        let shown = at.to_str().expect("a plain path");
        let config = CONFIG.replace("FOLDER", shown).replace("PORT", &port.to_string());
        let config = config.replace("PROTOCOL", protocol);
        std::fs::write(at.join("nginx.conf"), config).expect("the folder takes a file");
        let mut command = Command::new("nginx");
        command.arg("-p").arg(at).arg("-c").arg(at.join("nginx.conf")).stdin(Stdio::null());
        let mut service = Service::start("nginx", &mut command);
        service.wait_for_port(port);
        Self { _service: service, folder, port }
    }

    /// A file of the folder: `ca.pem`; `.pem` and `.key` of `alice` and `bob`, of `late`, whose time
    /// is over at once, and of `stranger`, whom another authority signed for.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// How many requests came, whatever the answer.
    pub fn requests(&self) -> usize {
        std::fs::read_to_string(self.file("access.log")).unwrap_or_default().lines().count()
    }
}

fn authority(at: &Path, name: &str) {
    let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let subject = format!("/CN={name}");
    let files = ["-keyout", &key, "-out", &pem, "-subj", &subject];
    openssl(at, &[&["req", "-x509"], &curve[..], &files[..]].concat());
}

fn leaf(at: &Path, authority: &str, name: &str, extension: &str, days: &str) {
    let file = |kind: &str| format!("{name}.{kind}");
    let (key, csr, pem, ext) = (file("key"), file("csr"), file("pem"), file("ext"));
    let subject = format!("/CN={name}");
    let made = ["-keyout", &key, "-out", &csr, "-subj", &subject];
    openssl(at, &[&["req", "-newkey", "rsa:2048", "-nodes"], &made[..]].concat());
    std::fs::write(at.join(&ext), extension).expect("the folder takes a file");
    let (ca, ca_key) = (format!("{authority}.pem"), format!("{authority}.key"));
    let signed =
        ["-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial", "-days", days, "-extfile", &ext];
    openssl(at, &[&["x509", "-req", "-in", &csr, "-out", &pem], &signed[..]].concat());
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(at.join(&key), mode).expect("our own file");
}

fn openssl(at: &Path, words: &[&str]) {
    let output = Command::new("openssl").args(words).current_dir(at).output();
    let output = output.expect("openssl runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {words:?}: {said}");
}
