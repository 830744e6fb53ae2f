//! moto, AWS as its authors publish it on PyPI, with a user whose signatures it checks.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::place;
use crate::service::{Service, free_port};
use crate::upstream::Upstream;

/// moto on loopback, with TLS in front.
#[derive(Debug)]
pub struct Moto {
    _plain: Service,
    /// What a connection leads to.
    pub tls: Upstream,
    url: String,
    /// `KEY_ID:SECRET` of a user who may do everything.
    pub credential: String,
}

/// The bucket that there is.
pub const BUCKET: &str = "symbolon-tests";

impl Moto {
    pub fn start() -> Self {
        let port = free_port();
        let mut command = Command::new(place::python());
        command
            .args(["-m", "moto.server", "--host", "127.0.0.1", "--port", &port.to_string()])
            // What `setup` does; from then on every signature is checked.
            .env("INITIAL_NO_AUTH_ACTION_COUNT", "4")
            .stdin(Stdio::null());
        let mut plain = Service::start("moto", &mut command);
        plain.wait_for_port(port);
        let url = format!("http://127.0.0.1:{port}");
        let credential = boto3(&["setup", &url], "").trim().to_owned();
        Self { _plain: plain, tls: Upstream::tls_for(port), url, credential }
    }

    /// An object, read by boto3 with the real keys.
    pub fn object(&self, key: &str) -> String {
        boto3(&["get", &self.url, key], &self.credential)
    }
}

fn boto3(words: &[&str], stdin: &str) -> String {
    let mut child = Command::new(place::python())
        .arg(place::fixture("python/aws.py"))
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(stdin.as_bytes()).expect("it reads its keys");
    drop(input);
    let output = child.wait_with_output().expect("a child can be waited for");
    assert!(output.status.success(), "boto3 {words:?}: {}", output.status);
    String::from_utf8(output.stdout).expect("text")
}
