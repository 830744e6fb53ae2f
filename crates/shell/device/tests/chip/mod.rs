//! A software TPM in a process of its own on loopback; its state survives a restart.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use symbolon_ambient::{Rng, SystemRng};
use tempfile::{TempDir, tempdir};

const STARTING: Duration = Duration::from_secs(10);

pub struct Chip {
    state: TempDir,
    child: Child,
    port: u16,
}

impl Chip {
    pub fn new() -> Self {
        let state = tempdir().unwrap();
        let (child, port) = start(state.path());
        Self { state, child, port }
    }

    /// What the TPM library calls its address.
    pub fn tcti(&self) -> String {
        format!("swtpm:host=127.0.0.1,port={}", self.port)
    }

    #[allow(dead_code, reason = "not each test that includes this file restarts its TPM")]
    pub fn power_cycle(&mut self) {
        self.stop();
        (self.child, self.port) = start(self.state.path());
    }

    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Chip {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Another program can take a port between the draw and the bind: swtpm then ends, and draws again.
fn start(state: &Path) -> (Child, u16) {
    let until = Instant::now() + STARTING;
    loop {
        let port = two_ports();
        let mut child = spawn(state, port);
        // The control port opens last, and may be looked at without disturbing a command.
        while child.try_wait().unwrap().is_none() {
            if TcpStream::connect(("127.0.0.1", port + 1)).is_ok() {
                return (child, port);
            }
            assert!(Instant::now() < until, "swtpm opened no port in {STARTING:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(Instant::now() < until, "swtpm ends at once");
    }
}

fn spawn(state: &Path, port: u16) -> Child {
    Command::new("swtpm")
        .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear"])
        .arg("--tpmstate")
        .arg(format!("dir={}", state.display()))
        .arg("--server")
        .arg(format!("type=tcp,port={port},bindaddr=127.0.0.1"))
        .arg("--ctrl")
        .arg(format!("type=tcp,port={},bindaddr=127.0.0.1", port + 1))
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| {
            panic!("swtpm does not start ({e}); run: apt-get install -y swtpm libtss2-dev")
        })
}

/// A port whose upper neighbour is free too, since the library looks for the control port there.
/// Below the range that outgoing connections draw from.
#[allow(dead_code, reason = "as above")]
pub fn two_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    loop {
        let mut drawn = [0; 2];
        SystemRng.fill(&mut drawn);
        let port = 16_000 + u16::from_le_bytes(drawn) % 16_000;
        if free(port) && free(port + 1) {
            return port;
        }
    }
}
