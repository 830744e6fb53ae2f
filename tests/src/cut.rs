//! A way to a server that is cut at one request: before it arrives, or after it was done and before its
//! answer is heard. Both ends are killed there, as a power cut would.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Where in the exchange of a request the way is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The server never hears of it.
    Before,
    /// The server did it, and nobody hears that.
    After,
}

/// The way: one port that clients know, to another where the server listens.
#[derive(Debug)]
pub struct Way {
    pub port: u16,
    plan: Arc<Plan>,
}

#[derive(Debug)]
struct Plan {
    to: u16,
    /// Requests that came since the plan was made.
    seen: AtomicUsize,
    cut: Mutex<Option<(usize, Moment)>>,
    is_cut: AtomicUsize,
}

impl Way {
    /// To the server on this port, whole.
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let plan = Plan {
            to: server,
            seen: AtomicUsize::new(0),
            cut: Mutex::default(),
            is_cut: AtomicUsize::new(0),
        };
        let plan = Arc::new(plan);
        let of_thread = plan.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let plan = of_thread.clone();
                thread::spawn(move || drop(relay(client, &plan)));
            }
        });
        Self { port, plan }
    }

    /// From now on it is cut at the request of this number, from 1; whole for none.
    pub fn cut_at(&self, cut: Option<(usize, Moment)>) {
        *self.plan.cut.lock().expect("not poisoned") = cut;
        self.plan.seen.store(0, Ordering::SeqCst);
        self.plan.is_cut.store(0, Ordering::SeqCst);
    }

    /// Whether it was cut since.
    pub fn is_cut(&self) -> bool {
        self.plan.is_cut.load(Ordering::SeqCst) > 0
    }
}

fn relay(mut client: TcpStream, plan: &Plan) -> io::Result<()> {
    let mut server: Option<TcpStream> = None;
    while let Some(request) = message(&mut client, false)? {
        let number = plan.seen.fetch_add(1, Ordering::SeqCst) + 1;
        let cut = plan.cut.lock().expect("not poisoned").filter(|(at, _)| *at <= number);
        if matches!(cut, Some((_, Moment::Before))) {
            return hold(&mut client, plan);
        }
        let to = match &mut server {
            Some(open) => open,
            None => server.insert(TcpStream::connect(("127.0.0.1", plan.to))?),
        };
        to.write_all(&request)?;
        let answer = message(to, request.starts_with(b"HEAD "))?;
        if cut.is_some() {
            return hold(&mut client, plan);
        }
        client.write_all(&answer.ok_or(io::ErrorKind::UnexpectedEof)?)?;
    }
    Ok(())
}

/// Says that it is cut, and leaves the client without an answer until it is killed.
fn hold(client: &mut TcpStream, plan: &Plan) -> io::Result<()> {
    plan.is_cut.fetch_add(1, Ordering::SeqCst);
    io::copy(client, &mut io::sink()).map(drop)
}

/// One message of HTTP/1.1 whose length its head says; `None` at the end of the connection.
fn message(from: &mut TcpStream, is_head_alone: bool) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut one = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if from.read(&mut one)? == 0 {
            return Ok(None);
        }
        bytes.push(one[0]);
    }
    let head = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    assert!(!head.contains("transfer-encoding"), "a length is wanted: {head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.map_or(0, |text| text.trim().parse().expect("a number"));
    if !is_head_alone {
        let begin = bytes.len();
        bytes.resize(begin + length, 0);
        from.read_exact(&mut bytes[begin..])?;
    }
    Ok(Some(bytes))
}
