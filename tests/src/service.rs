//! A process that serves on loopback: ready when returned, gone when dropped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long a service may take until it answers. Node on a busy machine needs most of it.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running process, with all that it printed.
#[derive(Debug)]
pub struct Service {
    name: String,
    child: Child,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Service {
    /// Starts the command. Its standard input is closed unless the command says otherwise.
    pub fn start(name: &str, command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let said = Arc::default();
        collect(child.stdout.take().expect("piped"), &said);
        collect(child.stderr.take().expect("piped"), &said);
        Self { name: name.to_owned(), child, said }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it printed until now, both streams together.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().expect("not poisoned")).into_owned()
    }

    /// Its standard input, where the command piped it.
    pub fn take_stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("standard input is piped, and taken once")
    }

    /// Waits until `ready` gives something, or fails with what the process printed.
    pub fn wait_for<T>(&mut self, what: &str, mut ready: impl FnMut(&str) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            let exited = self.child.try_wait().expect("a child can be waited for");
            if let Some(found) = ready(&self.said()) {
                return found;
            }
            let name = &self.name;
            if let Some(status) = exited {
                panic!("{name} ended ({status}) before {what}:\n{}", self.said());
            }
            assert!(began.elapsed() < READY_WITHIN, "{name}: no {what} yet:\n{}", self.said());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until something accepts connections at the port.
    pub fn wait_for_port(&mut self, port: u16) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        self.wait_for(&format!("connection at {address}"), |_| {
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()
        });
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_none()
    }

    /// Ends it as a power cut of the process would: no handler runs.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nothing listens at now. Somebody may take it before the service does: the wait
/// fails then, and says so.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

/// Reads to the end in a thread of its own, so that the process never waits for us.
fn collect(from: impl Read + Send + 'static, into: &Arc<Mutex<Vec<u8>>>) {
    let into = into.clone();
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        loop {
            let taken = match from.fill_buf() {
                Ok([]) | Err(_) => return,
                Ok(bytes) => {
                    let mut into = into.lock().expect("not poisoned");
                    into.write_all(bytes).expect("memory takes it");
                    bytes.len()
                }
            };
            from.consume(taken);
        }
    });
}
