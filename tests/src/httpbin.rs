//! httpbin, as its authors publish it on PyPI, under waitress.

use std::process::{Command, Stdio};

use crate::place;
use crate::service::{Service, free_port};
use crate::upstream::Upstream;

/// httpbin on loopback, with TLS in front.
#[derive(Debug)]
pub struct Httpbin {
    _plain: Service,
    /// What a connection leads to.
    pub tls: Upstream,
    /// Where it answers without TLS, for the test's own questions.
    pub plain_port: u16,
}

impl Httpbin {
    pub fn start() -> Self {
        let plain_port = free_port();
        let mut command = Command::new(place::python());
        command
            .args(["-m", "waitress", "--threads=16"])
            .arg(format!("--listen=127.0.0.1:{plain_port}"))
            .arg("httpbin:app")
            .stdin(Stdio::null());
        let mut plain = Service::start("httpbin", &mut command);
        plain.wait_for_port(plain_port);
        Self { _plain: plain, tls: Upstream::tls_for(plain_port), plain_port }
    }
}
