//! verdaccio, a registry for npm packages, with a user and a token made through its own API.

use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::http::Request;
use crate::place;
use crate::random;
use crate::service::{Service, free_port};
use crate::upstream::Upstream;

/// verdaccio on loopback, with TLS in front.
#[derive(Debug)]
pub struct Verdaccio {
    _plain: Service,
    _folder: TempDir,
    /// What a connection leads to.
    pub tls: Upstream,
    /// Where it answers without TLS, for the test's own questions.
    pub plain_port: u16,
}

/// No uplinks: what is not published here does not exist, and nothing leaves the machine.
const CONFIG: &str = r"
storage: ./storage
auth:
  htpasswd:
    file: ./htpasswd
    max_users: 100
uplinks: {}
packages:
  '**':
    access: $authenticated
    publish: $authenticated
    unpublish: $authenticated
security:
  api:
    legacy: true
web:
  enable: false
log: { type: stdout, format: pretty, level: warn }
";

impl Verdaccio {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("config.yaml");
        std::fs::write(&config, CONFIG).expect("the folder takes a file");
        let plain_port = free_port();
        let mut command = Command::new(place::node());
        command
            .arg(place::node_script("verdaccio"))
            .args(["--listen", &format!("127.0.0.1:{plain_port}"), "--config"])
            .arg(&config)
            .current_dir(folder.path())
            .stdin(Stdio::null());
        let mut plain = Service::start("verdaccio", &mut command);
        plain.wait_for("answer to a ping", |_| {
            Request::get(plain_port, "/-/ping").send().ok().filter(|answer| answer.status == 200)
        });
        let tls = Upstream::tls_for(plain_port);
        Self { _plain: plain, _folder: folder, tls, plain_port }
    }

    /// Makes a user and returns the token that verdaccio gives it.
    pub fn make_token(&self) -> String {
        let name = format!("user-{}", random::secret(8).to_lowercase());
        let user = json!({
            "_id": format!("org.couchdb.user:{name}"),
            "name": name,
            "password": random::secret(24),
            "type": "user",
            "roles": [],
        });
        let path = format!("/-/user/org.couchdb.user:{name}");
        let answer = Request::new("PUT", self.plain_port, &path).json(&user).answer().expect(201);
        let token = answer.json()["token"].as_str().expect("a token").to_owned();
        let who = Request::get(self.plain_port, "/-/whoami").bearer(&token).answer().expect(200);
        assert_eq!(who.json()["username"], name.as_str());
        token
    }
}
