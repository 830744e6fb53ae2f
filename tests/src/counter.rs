//! A wire in front of a plain service, which writes down what is asked of it: the first line of each request, and
//! its idempotency key.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Hands on connections, and keeps the first line of each request. Ends with the test's process.
#[derive(Debug)]
pub struct Counter {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Counter {
    /// In front of a service on loopback that speaks HTTP/1.1.
    #[must_use]
    pub fn before(service_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let kept = lines.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(service) = TcpStream::connect(("127.0.0.1", service_port)) else { continue };
                let kept = kept.clone();
                let (Ok(from), Ok(to)) = (client.try_clone(), service.try_clone()) else {
                    continue;
                };
                thread::spawn(move || hand_on(from, to, Some(&kept)));
                thread::spawn(move || hand_on(service, client, None));
            }
        });
        Self { port, lines }
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The requests that came whose first line begins so.
    #[must_use]
    pub fn count(&self, begin: &str) -> usize {
        self.lines().iter().filter(|line| line.starts_with(begin)).count()
    }

    /// The first lines of all requests, in their order.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("not poisoned").clone()
    }

    /// Waits until a request came whose first line begins so.
    #[track_caller]
    pub fn wait_for(&self, begin: &str) {
        for _ in 0..1000 {
            if self.count(begin) > 0 {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("no request {begin}: {:?}", self.lines());
    }
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, lines: Option<&Mutex<Vec<String>>>) {
    let mut buffer = [0; 16 * 1024];
    let mut head = Vec::new();
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if let Some(lines) = lines {
            keep(&mut head, &buffer[..count], lines);
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

fn keep(head: &mut Vec<u8>, bytes: &[u8], lines: &Mutex<Vec<String>>) {
    head.extend_from_slice(bytes);
    while let Some(end) = head.windows(2).position(|pair| pair == b"\r\n") {
        let line: Vec<u8> = head.drain(..end + 2).collect();
        let line = String::from_utf8_lossy(&line[..end]).into_owned();
        // A request may follow a body on the same line, since a body has no line end of its own.
        let begin =
            ["GET /", "POST /", "PUT /", "DELETE /"].iter().filter_map(|m| line.rfind(m)).max();
        let is_key = line.to_ascii_lowercase().starts_with("idempotency-key:");
        let kept = match begin {
            Some(begin) if line.ends_with(" HTTP/1.1") => &line[begin..],
            _ if is_key => &line,
            _ => continue,
        };
        lines.lock().expect("not poisoned").push(kept.to_owned());
    }
    // What is left is the beginning of a line, or a body without one.
    if head.len() > 64 * 1024 {
        head.clear();
    }
}
